"""The checker of the kills and races: it accepts what was published and finds every fault."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from publishing import Export, check_bucket, own_key, publish, revisions

from tasks.storage.local import LocalStorage

APRIL, FIRST, SECOND = Export("2025-04", "april"), Export("2025-05", "first"), Export("2025-05", "other")
MANIFEST = "manifests/2025-05.json"
PREMIUM = "wines/premium_wines_2025-05.csv"
OWN = own_key("2025-05", SECOND.result_id(APRIL), PREMIUM)
OLD = own_key("2025-05", FIRST.result_id(APRIL), PREMIUM)

Objects = dict[str, bytes]


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    """One month published once, the next one twice."""
    for export in (APRIL, FIRST, SECOND):
        publish(LocalStorage(tmp_path), export)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    return {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in files}


def put(key: str, content: bytes = b"") -> Callable[[Objects], None]:
    return lambda objects: objects.update({key: content})


def lose(key: str) -> Callable[[Objects], None]:
    return lambda objects: objects.pop(key)


def in_manifest(change: Callable[[dict], object]) -> Callable[[Objects], None]:
    def spoil(objects: Objects) -> None:
        manifest = json.loads(objects[MANIFEST])
        change(manifest)
        objects[MANIFEST] = json.dumps(manifest).encode()

    return spoil


def test_what_was_published_passes(objects):
    manifests = check_bucket(objects, at_rest=True)
    assert {month: revisions(manifest) for month, manifest in manifests.items()} == {
        "2025-04": [(1, APRIL.result_id())],
        "2025-05": [(1, FIRST.result_id(APRIL)), (2, SECOND.result_id(APRIL))],
    }


@pytest.mark.parametrize(
    "change",
    [
        put(PREMIUM, FIRST.files[PREMIUM]),
        lose(PREMIUM),
        put(own_key("2025-05", "0" * 64, PREMIUM), b"of a run that has not committed"),
        put(own_key("2025-06", "0" * 64, "wines/premium_wines_2025-06.csv"), b"of a month that was never committed"),
        put("refused/2025-05/data_issues_0.csv"),
    ],
    ids=["a name lags", "a name is not shown yet", "stored only", "another month stored only", "refused"],
)
def test_what_a_run_may_leave_when_it_dies_passes(objects, change):
    change(objects)
    check_bucket(objects, at_rest=False)


FAULTS = {
    "a name holds half a file": (
        put(PREMIUM, SECOND.files[PREMIUM][:-1]),
        f"{PREMIUM} is no file of a committed revision",
    ),
    "a name holds another month's file": (
        put(PREMIUM, APRIL.files[PREMIUM.replace("05", "04")]),
        f"{PREMIUM} is no file of a committed revision",
    ),
    "a month shown and not committed": (put("wines/premium_wines_2025-06.csv"), "2025-06 was never committed"),
    "a name that nobody opens": (put("wines/premium_wines_2025-05.txt"), "is none of the names that people open"),
    "half an own file": (put(OWN, SECOND.files[PREMIUM][:-1]), f"{OWN} is not what the manifest says"),
    "an own file of another revision": (put(OWN, FIRST.files[PREMIUM]), f"{OWN} is not what the manifest says"),
    "an own file lost": (lose(OWN), f"{OWN} is missing"),
    "an earlier revision's file lost": (lose(OLD), f"{OLD} is missing"),
    "an unfinished file": (put("wines/.premium_wines_2025-05.csv.unfinished"), "has no place here"),
    "a file beside the folders": (put("manifest.json"), "has no place here"),
    "a file that is no report": (put(own_key("2025-05", SECOND.result_id(APRIL), "notes.txt")), "is no report"),
    "half a manifest": (put(MANIFEST, b"{"), "Expecting property name"),
    "another month's manifest": (
        in_manifest(lambda manifest: manifest.update(month="2025-06")),
        "the manifest of 2025-05 is of 2025-06",
    ),
    "a revision skipped": (in_manifest(lambda manifest: manifest.update(revision=3)), "2025-05 has gaps"),
    "an earlier revision forgotten": (
        in_manifest(lambda manifest: manifest["earlier_revisions"].clear()),
        "2025-05 has gaps",
    ),
    "committed twice": (
        in_manifest(lambda manifest: manifest["earlier_revisions"][0].update(id=SECOND.result_id(APRIL))),
        "revision 2 was committed twice",
    ),
    "a file not in the manifest": (
        in_manifest(lambda manifest: manifest["files"].pop(PREMIUM)),
        "2025-05 names other files than people open",
    ),
    "an own file that is another revision's": (
        in_manifest(lambda manifest: manifest["files"][PREMIUM].update(key=OLD)),
        f"{PREMIUM} is kept in a wrong place",
    ),
    "a wrong size in the manifest": (
        in_manifest(lambda manifest: manifest["files"][PREMIUM].update(size=1)),
        f"{OWN} is not what the manifest says",
    ),
    "a month computed with itself": (
        in_manifest(lambda manifest: manifest["earlier_snapshots"][0].update(month="2025-05")),
        "2025-05 was computed with 2025-05",
    ),
    "an earlier snapshot that never was": (
        in_manifest(lambda manifest: manifest["earlier_snapshots"][0].update(revision=2)),
        "2025-05 was computed with what was never committed",
    ),
}


@pytest.mark.parametrize(
    "change",
    [put(PREMIUM, FIRST.files[PREMIUM]), lose(PREMIUM)],
    ids=["a name lags", "a name is not shown yet"],
)
def test_a_name_that_lags_when_all_runs_have_ended_is_found(objects, change):
    change(objects)
    with pytest.raises(AssertionError, match=f"^{re.escape(PREMIUM)} is not the file of revision 2"):
        check_bucket(objects, at_rest=True)


@pytest.mark.parametrize(("change", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_at_any_time(objects, change, words: str):
    change(objects)
    with pytest.raises((AssertionError, json.JSONDecodeError), match=re.escape(words)):
        check_bucket(objects, at_rest=False)
