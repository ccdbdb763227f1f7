"""`monthly-sales verify` and `list`: whether what people see is what was published, in a folder and on S3."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from command import command_here
from publishing import Destination, Export, own_key, publish, s3_environment, shown_names

from tasks.domain.issues import OutsideFailure
from tasks.publication.verify import MonthLine, list_months, verify_month
from tasks.storage.local import LocalStorage
from tasks.storage.protocol import Storage

APRIL, MAY, MAY_CORRECTED = Export("2025-04", "april"), Export("2025-05", "first"), Export("2025-05", "fixed")
REPORT, PREMIUM, ORDINARY, *_ = shown_names("2025-05")


@pytest.fixture
def delete(request: pytest.FixtureRequest, storage: Storage) -> Callable[[str], object]:
    """What no run may do, but people can."""
    if isinstance(storage, LocalStorage):
        return lambda key: (storage.folder / key).unlink()
    client = request.getfixturevalue("s3").client("administrator")
    return lambda key: client.delete_object(Bucket=storage.bucket, Key=storage.prefix + key)


def write(storage: Storage, key: str, content: bytes) -> None:
    """Replace a file, or create it, as a person does by hand."""
    there = storage.read(key)
    storage.compare_and_swap(key, content, there.version if there else None)


def contents(storage: Storage) -> dict[str, bytes]:
    return {key: storage.read(key).content for key in storage.keys("")}


def test_a_month_as_it_was_published_has_no_fault_and_nothing_is_written(storage: Storage) -> None:
    publish(storage, MAY)
    before = contents(storage)
    for repair in (False, True):
        verdict = verify_month(storage, "2025-05", repair=repair)
        assert verdict.faults == []
        assert (verdict.manifest.revision, verdict.manifest.id) == (1, MAY.result_id())
        assert verdict.manifest.figures == MAY.report.summary.figures
    assert contents(storage) == before


DAMAGES = {
    "changed": (lambda content: content[:-1] + b"!", "does not have the content that the manifest says"),
    "cut short": (lambda content: content[:40], "has 40 bytes instead of {size}"),
    "emptied": (lambda _: b"", "has 0 bytes instead of {size}"),
    "missing": (None, "is missing"),
}
of_each_damage = pytest.mark.parametrize(("spoil", "fault"), DAMAGES.values(), ids=DAMAGES)


@of_each_damage
def test_a_name_that_people_open_is_found_damaged_and_repaired(
    storage: Storage, delete, spoil: Callable[[bytes], bytes] | None, fault: str
) -> None:
    publish(storage, MAY)
    before = contents(storage)
    if spoil:
        write(storage, REPORT, spoil(before[REPORT]))
    else:
        delete(REPORT)
    damaged = contents(storage)
    fault = fault.format(size=f"{len(before[REPORT]):,}")
    assert verify_month(storage, "2025-05", repair=False).faults == [
        f"{storage.address(REPORT)} {fault}: run verify with --repair."
    ]
    assert contents(storage) == damaged
    assert verify_month(storage, "2025-05", repair=True).faults == []
    assert contents(storage) == before


@of_each_damage
def test_a_damaged_file_of_the_revision_is_never_copied_over_a_good_one(
    storage: Storage, delete, spoil: Callable[[bytes], bytes] | None, fault: str
) -> None:
    publish(storage, MAY)
    own = own_key("2025-05", MAY.result_id(), PREMIUM)
    size = len(storage.read(own).content)
    if spoil:
        write(storage, own, spoil(storage.read(own).content))
    else:
        delete(own)
    damaged = contents(storage)
    for repair in (False, True):
        verdict = verify_month(storage, "2025-05", repair=repair)
        assert verdict.faults == [f"{storage.address(own)} {fault.format(size=f'{size:,}')}."]
    assert contents(storage) == damaged


def test_a_name_is_not_repaired_with_a_damaged_file_of_the_revision(storage: Storage, delete) -> None:
    publish(storage, MAY)
    own = own_key("2025-05", MAY.result_id(), PREMIUM)
    write(storage, own, b"spoilt")
    delete(PREMIUM)
    damaged = contents(storage)
    assert verify_month(storage, "2025-05", repair=True).faults == [
        f"{storage.address(own)} has 6 bytes instead of 1,640.",
        f"{storage.address(PREMIUM)} is missing: restore the revision's own file first.",
    ]
    assert contents(storage) == damaged


def test_names_that_lag_behind_the_last_revision_are_brought_up_to_date(storage: Storage) -> None:
    """What a run leaves that is killed after its commit."""
    publish(storage, MAY)
    lagging = contents(storage)
    publish(storage, MAY_CORRECTED)
    after = contents(storage)
    for name in (REPORT, PREMIUM):
        write(storage, name, lagging[name])
    verdict = verify_month(storage, "2025-05", repair=False)
    assert verdict.manifest.revision == 2
    assert verdict.faults == [
        f"{storage.address(name)} does not have the content that the manifest says: run verify with --repair."
        for name in (REPORT, PREMIUM)
    ]
    assert verify_month(storage, "2025-05", repair=True).faults == []
    assert contents(storage) == after


def test_the_damage_of_another_month_is_not_reported(storage: Storage) -> None:
    publish(storage, APRIL)
    publish(storage, MAY)
    write(storage, shown_names("2025-04")[0], b"")
    damaged = contents(storage)
    assert verify_month(storage, "2025-05", repair=True).faults == []
    assert contents(storage) == damaged


@pytest.mark.parametrize("repair", [False, True], ids=["verify", "repair"])
def test_a_month_that_was_never_published_is_reported(storage: Storage, repair: bool) -> None:  # noqa: FBT001
    publish(storage, MAY)
    verdict = verify_month(storage, "2025-04", repair=repair)
    assert (verdict.manifest, verdict.faults) == (
        None,
        [f"2025-04 was never published at {storage.address('')}."],
    )


def as_text(manifest: bytes, **changed: object) -> bytes:
    return json.dumps(json.loads(manifest) | changed).encode()


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (lambda _: b"", "Invalid JSON: EOF while parsing a value at line 1 column 0"),
        (lambda manifest: manifest[:20], "Invalid JSON: EOF while parsing"),
        (lambda _: b"\xff\xfe\x00", "Invalid JSON: expected value at line 1 column 1"),
        (lambda _: b"[]", "Input should be an object"),
        (lambda _: b'{"schema_version": 2}', "month: Field required"),
        (lambda manifest: as_text(manifest, figures={"revenue": "n/a"}), "figures.products: Field required"),
        (lambda manifest: as_text(manifest, files={}), "Value error, the web workbook or the table of the month is"),
    ],
)
def test_what_is_no_manifest_is_refused_in_one_sentence(
    storage: Storage, garbage: Callable[[bytes], bytes], reason: str
) -> None:
    publish(storage, MAY)
    write(storage, "manifests/2025-05.json", garbage(storage.read("manifests/2025-05.json").content))
    before = contents(storage)
    address = storage.address("manifests/2025-05.json")
    for read in (
        lambda: verify_month(storage, "2025-05", repair=True),
        lambda: list_months(storage),
        lambda: publish(storage, MAY_CORRECTED),
    ):
        with pytest.raises(OutsideFailure) as failed:
            read()
        assert str(failed.value).startswith(f"{address} is not the manifest of 2025-05: {reason}")
        assert str(failed.value).endswith(". Restore an earlier version of the file.")
    assert contents(storage) == before


def test_a_manifest_of_another_month_is_refused(storage: Storage) -> None:
    publish(storage, MAY)
    write(storage, "manifests/2025-04.json", storage.read("manifests/2025-05.json").content)
    with pytest.raises(OutsideFailure) as failed:
        verify_month(storage, "2025-04", repair=True)
    assert str(failed.value) == (
        f"{storage.address('manifests/2025-04.json')} is not the manifest of 2025-04: its month is 2025-05."
    )


def test_months_are_listed_in_their_order_with_what_was_never_committed(storage: Storage) -> None:
    lost = replace(MAY, word="never")
    for export in (MAY, APRIL, MAY_CORRECTED):
        publish(storage, export)
    for key in (
        f"revisions/2025-05/{lost.result_id()}/sales_report_2025-05.xlsx",
        f"revisions/2025-05/{lost.result_id()}/premium_wines_2025-05.csv",
        f"revisions/2025-06/{lost.result_id()}/sales_report_2025-06.xlsx",
    ):
        write(storage, key, b"-")
    assert list_months(storage) == [
        MonthLine("2025-04", 1, APRIL.report.summary.figures.revenue),
        MonthLine("2025-05", 2, MAY_CORRECTED.report.summary.figures.revenue, "2025-04 r1", (lost.result_id(),)),
        MonthLine("2025-06", 0, None, "", (lost.result_id(),)),
    ]


def test_where_nothing_was_published_nothing_is_listed(storage: Storage) -> None:
    assert list_months(storage) == []


# --- the commands

FIGURES = """\
Wine sales · snapshot of 15 May 2025
first snapshot: figures to date
First snapshot: €4,398,557,725.32 of total revenue to date, from 2 bottles of 1 wine.
Total revenue to date: €4,398,557,725.32; 0 premium, 0.0% of total
Bottles to date: 2
Price per bottle: €2,199,278,862.66; list price
Premium wines: 0; premium above €30.50
Products: 1; 1 ordinary wine
Out of stock: 0; wines that have sold
"""
VERIFY = ("verify", "--month", "2025-05", "--destination")


def ended(folder: Path, *arguments: object, **environment: str) -> tuple[int, str, str]:
    """How the command ends, what it prints, and what it reports."""
    done = command_here(folder, *arguments, **environment)
    return done.returncode, done.stdout, done.stderr


def test_the_command_ends_with_1_as_long_as_there_is_a_fault(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    publish(LocalStorage(reports), MAY)
    sound = (0, f"2025-05, revision 1: as published\n{FIGURES}", "")
    assert ended(tmp_path, *VERIFY, reports) == sound
    (reports / PREMIUM).unlink()
    fault = f"{reports / PREMIUM} is missing: run verify with --repair.\n"
    assert ended(tmp_path, *VERIFY, reports) == (1, f"2025-05, revision 1: damaged\n{FIGURES}", fault)
    assert ended(tmp_path, *VERIFY, reports, "--repair") == sound
    assert (reports / PREMIUM).read_bytes() == MAY.files[PREMIUM]


def test_the_command_ends_with_1_for_a_month_that_was_never_published(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    assert ended(tmp_path, *VERIFY, reports) == (1, "", f"2025-05 was never published at {reports}.\n")
    assert not reports.exists()


def test_the_command_ends_with_3_where_the_manifest_cannot_be_read(tmp_path: Path) -> None:
    write(LocalStorage(tmp_path), "manifests/2025-05.json", b"{")
    sentence = (
        f"Failed: {tmp_path}/manifests/2025-05.json is not the manifest of 2025-05: "
        "Invalid JSON: EOF while parsing an object at line 1 column 1. Restore an earlier version of the file.\n"
    )
    for arguments in (VERIFY, ("list", "--destination")):
        assert ended(tmp_path, *arguments, tmp_path) == (3, "", sentence)


def test_the_command_lists_months_and_what_was_never_committed(tmp_path: Path) -> None:
    for export in (APRIL, MAY, MAY_CORRECTED):
        publish(LocalStorage(tmp_path), export)
    write(LocalStorage(tmp_path), "revisions/2025-06/abcd/sales_report_2025-06.xlsx", b"-")
    listed = (
        "Month    Revision        Revenue (EUR)  Compared with  Stored but never committed\n"
        "2025-04         1     4,184,983,739.96  -\n"
        "2025-05         2     4,398,561,621.48  2025-04 r1\n"
        "2025-06         0                    -  -              abcd\n"
    )
    assert ended(tmp_path, "list", "--destination", tmp_path) == (0, listed, "")


def test_the_command_reads_s3_with_the_credentials_of_the_machine(s3, bucket: str, tmp_path: Path) -> None:
    place = Destination(s3, bucket)
    publish(place.storage(), MAY)
    address = f"s3://{bucket}/prod"
    place.copy(f"{place.prefix}/{ORDINARY}", PREMIUM)
    fault = f"{address}/{PREMIUM} has 1,680 bytes instead of 1,640: run verify with --repair.\n"
    found = ended(tmp_path, *VERIFY, address, **s3_environment(s3.endpoint, s3.keys["reader"]))
    assert found == (1, f"2025-05, revision 1: damaged\n{FIGURES}", fault)
