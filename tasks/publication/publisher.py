"""Publish a month in three steps, so that no fault can leave half of it: store, commit, show.

*Store* puts the files where nobody looks, see `manifest.revision_folder`, each of them once. *Commit* replaces the
manifest, in one request that only succeeds on the version it was made for. *Show* copies the committed files to the
names that people open; a run that dies there leaves whole files of committed revisions, and the next one, or
`verify --repair`, brings them up to date. Nothing is ever deleted.
"""

import random
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from tasks.domain.figures import Figures, MonthSummary, describe_change
from tasks.domain.issues import Issue, OutsideFailure, issue_frame, refusal
from tasks.domain.parameters import Parameters
from tasks.domain.schemas import Source
from tasks.publication.files import ReportFiles
from tasks.publication.identity import result_identity
from tasks.publication.manifest import (
    Manifest,
    Published,
    describe_baseline,
    first_revision,
    manifest_key,
    month_after,
    month_before,
    published_months,
    read_manifest,
    read_numbers,
    revision_folder,
)
from tasks.storage.local import file_facts
from tasks.storage.protocol import ConflictError, Storage
from tasks.workbook.fetch import FetchedWorkbook

COMMIT_ATTEMPTS = 50
"""Each lost attempt is another writer's commit, so this many writers would have to be at one month at once."""


@dataclass(frozen=True)
class PublishedMonth:
    """What stands at the destination after a run.

    Attributes:
        month: The label of the snapshot.
        revision: The revision that counts.
        outcome: Whether this run published it, or found it published; `superseded` when another run came after.
        figures: Its headline figures.
        addresses: Where each file is, the manifest last.
        change: What changed since the revision before, in words; empty for the first.
        remark: What is to be known of a comparison that was made with an earlier result; mostly empty.
        summary: What this run computed; None where it had nothing to compute.
    """

    month: str
    revision: int
    outcome: Literal["published", "unchanged", "superseded"]
    figures: Figures
    addresses: tuple[str, ...]
    change: str
    remark: str = ""
    summary: MonthSummary | None = field(default=None, repr=False, compare=False)

    def sentence(self) -> str:
        """What happened, in words."""
        if self.outcome == "unchanged":
            happened = f"{self.month} is already published (revision {self.revision}), nothing changed."
        elif self.outcome == "superseded":
            happened = f"{self.month} was published, and another run has published revision {self.revision} since."
        else:
            since = f" Since revision {self.revision - 1}: {self.change}." if self.change else ""
            happened = f"{self.month} is published (revision {self.revision}).{since}"
        return f"{happened} {self.remark}".rstrip()


@dataclass(frozen=True)
class Plan:
    """What is known before anything is computed.

    Attributes:
        month: The label of the snapshot.
        identity: What the result will be made from.
        published: The month as it stands, if it does.
        baseline: The last published month before it.
        month_after: The first published month after it; None where nothing is to be computed.
        is_published: Whether what stands is what is asked for, so that nothing is to be computed.
    """

    month: str
    identity: str
    published: Published | None
    baseline: Manifest | None
    month_after: Manifest | None
    is_published: bool


def plan_publication(
    storage: Storage,
    parameters: Parameters,
    workbooks: dict[Source, FetchedWorkbook],
    *,
    compare_again: bool,
) -> Plan:
    """Look at what is published, and refuse an export that was not renewed.

    Args:
        storage: The destination.
        parameters: What the run was told.
        workbooks: What it is given.
        compare_again: Publish this very result anew when the month before has been corrected since.

    Raises:
        DataRefused: The web workbook is byte for byte the one of the previous published month.
        OutsideFailure: The destination cannot be read.
    """
    identity = result_identity(parameters, workbooks.values())
    published = read_manifest(storage, parameters.month)
    months = published_months(storage)
    baseline = month_before(storage, months, parameters.month)
    if published and published.manifest.identity == identity:
        is_as_asked = not compare_again or published.manifest.is_compared_with(baseline)
        if is_as_asked:
            return Plan(parameters.month, identity, published, baseline, None, is_published=True)
    web = workbooks["web"]
    if baseline and baseline.inputs["web"]["sha256"] == web.facts.sha256 and not parameters.accept_unusual:
        raise refusal(issue_frame([Issue(web.file, "stale-export", value=f"the same bytes as for {baseline.month}")]))
    after = month_after(storage, months, parameters.month)
    return Plan(parameters.month, identity, published, baseline, after, is_published=False)


def publish_month(
    storage: Storage,
    files: ReportFiles,
    summary: MonthSummary,
    workbooks: dict[Source, FetchedWorkbook],
    plan: Plan,
    scratch: Path,
) -> PublishedMonth:
    """Store, commit and show a month.

    Args:
        storage: The destination.
        files: The audited files.
        summary: Their figures.
        workbooks: What they were made from.
        plan: What was known before they were made.
        scratch: A folder for reading back.

    Raises:
        OutsideFailure: The destination did not do its part; what was published before is as it was.
    """
    baseline = plan.baseline.reference() if plan.baseline else None
    stored = store(storage, files, revision_folder(plan.month, plan.identity, baseline), scratch)
    draft = first_revision(summary, plan.identity, list(workbooks.values()), stored, baseline)
    commit(storage, draft, plan.published.manifest.revision if plan.published else 0)
    shown = show(storage, read_manifest(storage, plan.month), plan.month)
    remark = describe_baseline(plan.month_after, shown) if plan.month_after else ""
    return _outcome(storage, shown, plan.identity, "published", remark)


def show_month(storage: Storage, plan: Plan) -> PublishedMonth:
    """Show a month that is published already, for a run that has nothing to add.

    Raises:
        OutsideFailure: The destination did not do its part.
    """
    shown = show(storage, plan.published, plan.month)
    return _outcome(storage, shown, plan.identity, "unchanged", describe_baseline(shown, plan.baseline))


def store(storage: Storage, files: ReportFiles, folder: str, scratch: Path) -> dict[str, dict[str, Any]]:
    """Put each file into the folder of its result, once, and read it back.

    A file that is there already was stored by a run of the same result that did not come to its end, or that runs at
    this moment; it counts when it has the same content.
    """
    stored = {}
    for name in files.names:
        facts = file_facts(files.path(name))
        key = f"{folder}/{PurePosixPath(name).name}"
        with suppress(ConflictError):  # what is there is read back like a file of our own
            storage.create(key, files.path(name), facts)
        there = storage.download(key, scratch / "read_back")
        if there is None or not there.has_same_content(facts):
            raise OutsideFailure(
                f"{storage.address(key)} does not hold what was written. If a library or a rule has changed what comes "
                "out of the same inputs, raise REPORT_VERSION; otherwise the store is at fault."
            )
        stored[name] = {"key": key, "size": facts.size, "sha256": facts.sha256}
    return stored


def commit(storage: Storage, draft: Manifest, seen: int) -> None:
    """Make the draft the month's manifest, as the revision after the one that stands.

    Where this very result was committed since the run began, it is not committed again: by a twin with the same
    inputs, or by this run in a request whose answer was lost. What another run has published since then stays.

    Args:
        storage: The destination.
        draft: The manifest as a first revision.
        seen: The revision that stood when the run began; 0 where there was none.

    Raises:
        OutsideFailure: The store refuses, or other runs replace the manifest without an end.
    """
    for attempt in range(COMMIT_ATTEMPTS):
        standing = read_manifest(storage, draft.month)
        since = standing.manifest.history()[seen:] if standing else []
        if draft.identity in [revision["identity"] for revision in since]:
            return
        manifest = _numbered(draft, standing)
        try:
            storage.compare_and_swap(
                manifest_key(draft.month), manifest.to_bytes(), standing.version if standing else None
            )
        except ConflictError:
            time.sleep(random.uniform(0, 0.05) * attempt)  # noqa: S311 - jitter, not a secret
            continue
        return
    raise OutsideFailure(
        f"{storage.address(manifest_key(draft.month))} was replaced {COMMIT_ATTEMPTS} times meanwhile."
    )


def _numbered(draft: Manifest, standing: Published | None) -> Manifest:
    if standing is None:
        return draft
    before = standing.manifest
    return replace(draft, revision=before.revision + 1, earlier_revisions=before.history())


def show(storage: Storage, published: Published | None, month: str) -> Manifest:
    """Bring the names that people open to the committed revision; whole files only, whatever is there.

    Another run may commit while this one copies. Whoever copied last looks at the manifest once more, so that the
    names end up with the revision that counts.

    Args:
        storage: The destination.
        published: The month as it was read last.
        month: Its label.
    """
    while published is not None:
        for name, file in published.manifest.files.items():
            there = storage.facts(name)
            if there is None or not there.has_same_content(published.manifest.stored(name)):
                storage.copy(file["key"], name)
        seen, published = published, read_manifest(storage, month)
        if published is not None and published.version == seen.version:
            return published.manifest
    raise OutsideFailure(f"{storage.address(manifest_key(month))} is gone.")


def _outcome(
    storage: Storage, shown: Manifest, identity: str, outcome: Literal["published", "unchanged"], remark: str
) -> PublishedMonth:
    return PublishedMonth(
        month=shown.month,
        revision=shown.revision,
        outcome=outcome if shown.identity == identity else "superseded",
        figures=shown.headline(),
        addresses=tuple(storage.address(key) for key in (*shown.files, manifest_key(shown.month))),
        change=_change(shown),
        remark=remark,
    )


def _change(shown: Manifest) -> str:
    if not shown.earlier_revisions:
        return ""
    before, baseline = shown.earlier_revisions[-1], shown.baseline
    change = describe_change(read_numbers(Figures, before["figures"]), shown.headline())
    if baseline is None or baseline == before["baseline"]:
        return change
    return f"{change}, compared with revision {baseline['revision']} of {baseline['month']}"
