"""Small made-up months, published as the flow does it but without Prefect, and a judge of what a bucket then holds.

As a program it stands ready to publish: it has imported everything and forks a process for each run, which therefore
starts, and dies, within milliseconds.
"""

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self
from unittest import mock

from tasks.domain.month import resolve_export_date

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import polars as pl

from tasks.domain.comparisons import compare_periods
from tasks.domain.figures import Figures, SnapshotSummary
from tasks.domain.inventory import InventoryFigures
from tasks.domain.issues import issue_frame
from tasks.domain.parameters import Parameters
from tasks.domain.period import Period
from tasks.domain.sources import SOURCES, Source
from tasks.publication.history import fetch_tables
from tasks.publication.identity import result_id
from tasks.publication.plan import plan_publication
from tasks.publication.publisher import PublishedMonth, publish_month, show_month
from tasks.report.content import Report
from tasks.report.files import report_files
from tasks.storage.protocol import Storage, StoredFile
from tasks.workbook.fetch import FetchedWorkbook

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from s3_server import Keys, S3Server

    from tasks.storage.s3 import S3Storage


LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


@dataclass(frozen=True)
class Export:
    """What a run is given for a month; another word is another export.

    Its files have the same sizes whatever the word, as long as the word is as long: only their content tells them
    apart.
    """

    month: str
    word: str

    @property
    def parameters(self) -> Parameters:
        return Parameters(self.month, resolve_export_date("", self.month))

    @property
    def workbooks(self) -> dict[Source, FetchedWorkbook]:
        def facts(source: Source) -> StoredFile:
            return StoredFile(1, hashlib.sha256(f"{source} of {self.month}, {self.word}".encode()).hexdigest())

        return {source: FetchedWorkbook(source, f"{source}.xlsx", Path("gone"), facts(source)) for source in SOURCES}

    @property
    def report(self) -> Report:
        """As the publisher needs it: without a product."""
        revenue = Decimal(int.from_bytes(self.word.encode())) / 100
        figures = Figures(1, 2, revenue, 0, 1, Decimal("0.00"), Decimal("30.50"), None)
        rows = [(source, "used", None, None, 1) for source in SOURCES]
        counts = pl.DataFrame(rows, ["source", "disposition", "rule", "detail", "rows"], orient="row")
        inventory = InventoryFigures(0, None, None, None, None, None, None, 0, 0)
        summary = SnapshotSummary(figures, None, compare_periods([]), inventory)
        period = Period(*[pl.LazyFrame()] * 3)
        return Report(self.parameters, summary, period, counts, issue_frame([]), pl.DataFrame(), ())

    def result_id(self, *earlier: "Export") -> str:
        """The id of its result, computed with these exports, of which each was published after those before it."""
        ids = [export.result_id(*earlier[:place]) for place, export in enumerate(earlier)]
        return result_id(self.parameters, self.workbooks.values(), ids)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The content of the names that people open."""
        return {name: f"{name} of {self.word}\n".encode() * 40 for name in shown_names(self.month)}

    @property
    def stored(self) -> dict[str, bytes]:
        """The objects of its revision, as a first snapshot."""
        return {own_key(self.month, self.result_id(), name): content for name, content in self.files.items()}


def shown_names(month: str) -> tuple[str, ...]:
    """The names that people open, as the README tells them."""
    return (
        f"sales_reports/sales_report_{month}.xlsx",
        f"wines/premium_wines_{month}.csv",
        f"wines/ordinary_wines_{month}.csv",
        f"tables/wines_{month}.parquet",
        f"quality/data_issues_{month}.csv",
    )


def own_key(month: str, result: str, name: str) -> str:
    """The key of a revision's own copy of the file that is shown under a name."""
    return f"revisions/{month}/{result}/{PurePosixPath(name).name}"


def publish(storage: Storage, export: Export) -> PublishedMonth:
    """What the flow does with the destination."""
    plan = plan_publication(storage, export.parameters, export.workbooks)
    if plan.is_published:
        return show_month(storage, plan, export.month)
    with tempfile.TemporaryDirectory() as folder:
        # Polars would read them; a forked process must not use it.
        fetch_tables(storage, plan.earlier, Path(folder))
        files = report_files(Path(folder), export.month)
        for name, content in export.files.items():
            files.path(name).write_bytes(content)
        return publish_month(storage, plan, files, export.report)


def s3_environment(endpoint: str, keys: "Keys") -> dict[str, str]:
    """The environment in which a run finds this server, and nothing of the user's own AWS."""
    ours = {name: text for name, text in os.environ.items() if not name.upper().startswith("AWS_")}
    return ours | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": keys.access,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }


@cache
def _client_of_runs(endpoint: str, keys: "Keys") -> "BaseClient":
    from tasks.storage.s3 import s3_client  # noqa: PLC0415 - what needs no S3 imports no boto3

    with mock.patch.dict(os.environ, s3_environment(endpoint, keys), clear=True):
        return s3_client("")


class Destination:
    """A prefix of a bucket: what is published there, and everything that is visible there."""

    def __init__(self, s3: "S3Server", bucket: str, prefix: str = "prod") -> None:
        self.s3 = s3
        self.bucket = bucket
        self.prefix = prefix
        self._contents: dict[str, bytes] = {}

    def storage(self, endpoint: str = "") -> "S3Storage":
        """The storage as a run opens it, with keys that delete nothing; through a proxy, if its endpoint is named."""
        from tasks.storage.s3 import S3Storage  # noqa: PLC0415 - what needs no S3 imports no boto3

        client = _client_of_runs(endpoint or self.s3.endpoint, self.s3.keys["publisher"])
        return S3Storage(client, self.bucket, self.prefix)

    def publish(self, *exports: Export) -> None:
        """Publish one after the other, undisturbed."""
        for export in exports:
            publish(self.storage(), export)

    def objects(self) -> dict[str, bytes]:
        """Everything visible, key by key.

        What the server lists with the MD5 of a content that was read already is read again in the long form only.
        """
        listed = self._listed()
        for key, md5 in listed.items():
            if LONG or md5 not in self._contents:
                content = self._client.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}")["Body"].read()
                assert hashlib.md5(content).hexdigest() == md5, f"{key} is not what the server lists"
                self._contents[md5] = content
        return {key: self._contents[md5] for key, md5 in listed.items()}

    def copied_to(self, prefix: str) -> "Destination":
        """Another prefix with the same objects, as the server itself copies them."""
        there = Destination(self.s3, self.bucket, prefix)
        there._client = self._client
        there._contents = self._contents
        for key in self._listed():
            there.copy(f"{self.prefix}/{key}", key)
        return there

    def copy(self, whole_key: str, key: str) -> None:
        """Let a key hold what any key of the bucket holds."""
        source = {"Bucket": self.bucket, "Key": whole_key}
        self._client.copy_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}", CopySource=source)

    @cached_property
    def _client(self) -> "BaseClient":
        return self.s3.client("administrator", read_timeout=30)

    def _listed(self) -> dict[str, str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.prefix}/")
        entries = [entry for page in pages for entry in page.get("Contents", ())]
        return {entry["Key"].removeprefix(f"{self.prefix}/"): entry["ETag"].strip('"') for entry in entries}


@dataclass(frozen=True)
class End:
    """How a process ended: its exit code, minus the signal where one killed it, and what its run had to say."""

    code: int
    outcome: str = ""
    revision: int = 0


class Publishers:
    """Runs in processes of their own, forked ready to go by one that stays."""

    def __init__(self, endpoint: str, keys: "Keys", scratch: Path) -> None:
        self._environment = s3_environment(endpoint, keys) | {"TMPDIR": str(scratch)}
        self._pids: list[int] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)  # the end of its input is the end of it

    def run(self, destination: Destination, exports: Sequence[Export]) -> list[End]:
        """Publish the exports at the same moment, each in a process of its own, and wait for the end of all."""
        jobs = [[export.month, export.word] for export in exports]
        self._pids = self._ask([destination.bucket, destination.prefix, jobs])
        ends = self._ask("go")  # now that they can be killed
        return [End(*end) for end in ends]

    def kill(self) -> None:
        """End the running processes as nothing can prevent, and return when they are gone."""
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                while True:
                    os.kill(pid, 0)
                    time.sleep(0.001)

    def _ask(self, question: object) -> Any:
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def main() -> None:
    """Fork processes that publish, as told line by line."""
    from tasks.storage.s3 import S3Storage, s3_client  # noqa: PLC0415 - as above

    client = s3_client("")  # connects when it is first used: each process has connections of its own
    for line in sys.stdin:
        bucket, prefix, jobs = json.loads(line)
        storage = S3Storage(client, bucket, prefix)
        gate, gun = os.pipe()
        runs = [_fork(storage, Export(*job), gate, gun) for job in jobs]
        _say([pid for pid, _ in runs])
        sys.stdin.readline()
        os.close(gun)
        os.close(gate)
        _say([_end(pid, said) for pid, said in runs])


def _fork(storage: "S3Storage", export: Export, gate: int, gun: int) -> tuple[int, int]:
    """A process that waits for the gun, publishes, and says what came of it."""
    said, say = os.pipe()
    pid = os.fork()
    if pid:
        os.close(say)
        return pid, said
    code = 1
    try:
        os.close(gun)
        os.read(gate, 1)
        published = publish(storage, export)
        os.write(say, json.dumps([published.outcome, published.revision]).encode())
        code = 0
    except Exception:  # noqa: BLE001 - nothing of a fork may return to where the others are made
        traceback.print_exc()
    finally:
        os._exit(code)


def _end(pid: int, said: int) -> list[object]:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with os.fdopen(said) as words:
        return [code, *json.loads(words.read() or "[]")]


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


MONTH = r"\d{4}-\d{2}"
_NAMES = "sales_reports/sales_report|wines/premium_wines|wines/ordinary_wines|tables/wines|quality/data_issues"
_SHOWN = rf"(?:{_NAMES})_({MONTH})\.\w+"


def check_bucket(objects: Mapping[str, bytes], *, at_rest: bool) -> dict[str, dict[str, Any]]:
    """Hold everything visible at a destination against the layout that the README promises.

    Args:
        objects: Content by key.
        at_rest: Every run has come to its end, so the names that people open hold the revision that counts. If not,
            each holds a whole file of one that was committed.

    Returns:
        The manifests by month.
    """
    manifests = {}
    for key, content in objects.items():
        if match := re.fullmatch(rf"manifests/({MONTH})\.json", key):
            manifests[match[1]] = json.loads(content)
    for month, manifest in manifests.items():
        _check_manifest(objects, month, manifest)
        for earlier in (snapshot for each in _history(manifest) for snapshot in each["earlier_snapshots"]):
            assert earlier["month"] < month, f"{month} was computed with {earlier['month']}"
            known = revisions(manifests[earlier["month"]])
            assert (earlier["revision"], earlier["id"]) in known, f"{month} was computed with what was never committed"
        for name in shown_names(month) if at_rest else ():
            counts = objects[_own_key(manifest, name)]
            assert objects.get(name) == counts, f"{name} is not the file of revision {manifest['revision']}"
    for key, content in objects.items():
        if match := re.fullmatch(_SHOWN, key):
            month = match[1]
            assert key in shown_names(month), f"{key} is none of the names that people open"
            assert month in manifests, f"{key} is shown, but {month} was never committed"
            committed = [objects[_own_key(each, key)] for each in _history(manifests[month])]
            assert content in committed, f"{key} is no file of a committed revision"
        elif match := re.fullmatch(rf"revisions/({MONTH})/[0-9a-f]{{64}}/([^/]+)", key):
            assert match[2] in {PurePosixPath(name).name for name in shown_names(match[1])}, f"{key} is no report"
        else:
            assert re.fullmatch(rf"manifests/{MONTH}\.json|refused/{MONTH}/[^/]+\.csv", key), f"{key} has no place here"
    return manifests


def revisions(manifest: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Number and id of all revisions, in order."""
    return [(each["revision"], each["id"]) for each in _history(manifest)]


def _history(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [{"month": manifest["month"], **each} for each in manifest["earlier_revisions"]] + [manifest]


def _own_key(revision: Mapping[str, Any], name: str) -> str:
    return own_key(revision["month"], revision["id"], name)


def _check_manifest(objects: Mapping[str, bytes], month: str, manifest: Mapping[str, Any]) -> None:
    assert manifest["month"] == month, f"the manifest of {month} is of {manifest['month']}"
    assert set(manifest["files"]) == set(shown_names(month)), f"{month} names other files than people open"
    for name, file in manifest["files"].items():
        assert file["key"] == _own_key(manifest, name), f"{name} is kept in a wrong place"
        content = objects.get(file["key"])
        assert content is not None, f"{file['key']} is missing"
        assert (file["size"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest()), (
            f"{file['key']} is not what the manifest says"
        )
    history = revisions(manifest)
    assert [number for number, _ in history] == list(range(1, len(history) + 1)), f"{month} has gaps: {history}"
    for before, after in pairwise(_history(manifest)):
        assert before["id"] != after["id"], f"{month}: revision {after['revision']} was committed twice"
    for each in _history(manifest):
        for name in shown_names(month):
            assert _own_key(each, name) in objects, f"{_own_key(each, name)} is missing"


if __name__ == "__main__":
    main()
