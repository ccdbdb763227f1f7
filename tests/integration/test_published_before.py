"""What was published before is read by the code of today, whatever was added since on either side.

`tests/fixtures/version_2` is what schema version 2 published, written once by `make_publication.py`; `version_1` is a
manifest of the first program, which was never in production.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from publishing import Export, publish

from tasks.domain.figures import Figures
from tasks.domain.issues import OutsideFailure
from tasks.domain.schemas import SnapshotFacts
from tasks.map_in_order import REQUESTS_AT_ONCE
from tasks.publication import history, manifest, publisher, verify
from tasks.publication.history import fetch_tables, scan_tables
from tasks.publication.manifest import Manifest, read_manifest, read_published
from tasks.publication.plan import plan_publication
from tasks.publication.verify import list_months, verify_month
from tasks.report.content import Report
from tasks.report.files import table_name
from tasks.storage.local import LocalStorage, file_facts
from tasks.storage.protocol import Document

FIXTURES = Path(__file__).parents[1] / "fixtures"
APRIL, MAY, JUNE = Export("2025-04", "april"), Export("2025-05", "fixed"), Export("2025-06", "june")


@pytest.fixture
def published(tmp_path: Path) -> LocalStorage:
    """A destination with the months of the fixture."""
    shutil.copytree(FIXTURES / "version_2" / "published", tmp_path / "reports")
    return LocalStorage(tmp_path / "reports")


def change_manifest(storage: LocalStorage, month: str, change: Callable[[dict], object]) -> None:
    path = storage.folder / f"manifests/{month}.json"
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def change_table(storage: LocalStorage, month: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Replace the table of a month everywhere, as if it had been published so."""
    name = table_name(month)
    table = change(pl.read_parquet(storage.folder / name))
    own = read_manifest(storage, month).table().key
    for key in (name, own):
        table.write_parquet(storage.folder / key)
    facts = file_facts(storage.folder / own)
    change_manifest(storage, month, lambda fields: fields["files"][name].update(size=facts.size, sha256=facts.sha256))


def add_fields(part: object) -> None:
    """Add a field to every object of a manifest, however deep."""
    if isinstance(part, dict):
        for value in part.values():
            add_fields(value)
        if not part or not all(isinstance(value, dict) for value in part.values()):
            part["added_later"] = {"unit": "EUR"}
    elif isinstance(part, list):
        for value in part:
            add_fields(value)


def lose_optional_fields(fields: dict) -> None:
    for name in ("period", "earlier_snapshots", "earlier_revisions"):
        fields.pop(name, None)


def in_both_months(change: Callable[..., None], what: object) -> Callable[[LocalStorage], None]:
    def changed(storage: LocalStorage) -> None:
        for month in ("2025-04", "2025-05"):
            change(storage, month, what)

    return changed


EVOLUTIONS = {
    "as it was published": lambda _: None,
    "with fields that are not known": in_both_months(change_manifest, add_fields),
    "without optional fields": in_both_months(change_manifest, lose_optional_fields),
    "with columns that are not known": in_both_months(
        change_table, lambda table: table.with_columns(rating=pl.lit(92), vintage=pl.lit("2019"))
    ),
    "with columns in another order": in_both_months(change_table, lambda table: table.select(sorted(table.columns))),
    "without optional columns": in_both_months(
        change_table, lambda table: table.drop("post_date", "stock_quantity", "status", "sold_units")
    ),
    "with a column in the last month only": lambda storage: change_table(
        storage, "2025-05", lambda table: table.with_columns(rating=pl.lit(92))
    ),
}


@pytest.mark.parametrize("evolve", EVOLUTIONS.values(), ids=EVOLUTIONS)
def test_a_publication_of_this_version_is_read_verified_listed_compared_and_corrected(
    published: LocalStorage, tmp_path: Path, evolve: Callable[[LocalStorage], None]
) -> None:
    evolve(published)
    april, may = (read_manifest(published, month) for month in ("2025-04", "2025-05"))
    assert (april.figures.revenue, april.figures.units) == (Decimal("1299.50"), 84)
    assert (may.figures.revenue, may.figures.units, may.figures.premium) == (Decimal("2119.80"), 131, 1)
    assert [verify_month(published, month, repair=False).faults for month in ("2025-04", "2025-05")] == [[], []]
    assert [(line.month, line.revision, line.revenue) for line in list_months(published)] == [
        ("2025-04", 1, Decimal("1299.50")),
        ("2025-05", 1, Decimal("2119.80")),
    ]

    plan = plan_publication(published, JUNE.parameters, JUNE.workbooks)
    assert [snapshot.id for snapshot in plan.earlier] == [april.id, may.id]
    rows = scan_tables(fetch_tables(published, plan.earlier, tmp_path)).collect()
    assert rows.columns == SnapshotFacts.column_names()
    counters = rows.filter(product_id="4001").select("month", "export_date", "total_sales", "price")
    assert counters.rows() == [
        ("2025-04", date(2025, 4, 15), 10, Decimal("12.50")),
        ("2025-05", date(2025, 5, 15), 14, Decimal("12.50")),
    ]

    corrected = publish(published, MAY)
    assert corrected.sentence.startswith("2025-05 is published (revision 2). Since revision 1: total revenue to date ")
    again = read_manifest(published, "2025-05")
    assert [(revision.revision, revision.id) for revision in again.earlier_revisions] == [(1, may.id)]
    assert again.earlier_revisions[0].figures.revenue == Decimal("2119.80")
    assert verify_month(published, "2025-05", repair=False).faults == []
    assert publish(published, JUNE).sentence == "2025-06 is published (revision 1)."


def test_the_list_marks_what_was_written_by_another_version_of_the_report(
    published: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_fixture = read_manifest(published, "2025-05").report_version
    for version, would_change in ((of_fixture, False), (of_fixture + 1, True)):
        monkeypatch.setattr(verify, "REPORT_VERSION", version)
        assert [(line.previous, line.would_change) for line in list_months(published)] == [
            ("", would_change),
            ("2025-04 r1", would_change),
        ]


@pytest.mark.parametrize("column", ["post_date", "stock_quantity", "post_title"])
def test_a_column_that_a_table_does_not_have_is_null_and_those_of_other_months_stay(
    published: LocalStorage, tmp_path: Path, column: str
) -> None:
    change_table(published, "2025-04", lambda table: table.drop(column))
    plan = plan_publication(published, JUNE.parameters, JUNE.workbooks)
    rows = scan_tables(fetch_tables(published, plan.earlier, tmp_path)).collect()
    assert rows.filter(month="2025-04")[column].null_count() == 10
    may = pl.read_parquet(published.folder / table_name("2025-05"))
    assert rows.filter(month="2025-05")[column].to_list() == may[column].to_list()


def test_fields_of_an_earlier_revision_that_are_not_known_stay_in_the_next_manifest(published: LocalStorage) -> None:
    """What a newer program wrote is not lost when an older one publishes a correction."""
    publish(published, MAY)
    change_manifest(published, "2025-05", lambda fields: add_fields(fields["earlier_revisions"]))
    before = json.loads(published.read("manifests/2025-05.json").content)["earlier_revisions"][0]
    publish(published, Export("2025-05", "third"))
    after = json.loads(published.read("manifests/2025-05.json").content)["earlier_revisions"][0]
    assert after == before
    assert after["figures"]["added_later"] == after["added_later"] == {"unit": "EUR"}


# --- the code of later, and what is published now


@dataclass(frozen=True)
class LaterFigures(Figures):
    """The figures, with one that was added."""

    bottles_per_order: Decimal | None = None


class LaterManifest(Manifest):
    """The manifest, with a field that was added."""

    figures: LaterFigures
    reviewed_by: str = "nobody"


class LaterFacts(SnapshotFacts):
    """The base facts, with a column that was added."""

    vintage = dy.Int32(nullable=True)


def test_what_is_published_now_is_read_by_code_with_another_figure_and_another_column(
    published: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (manifest, publisher):
        monkeypatch.setattr(module, "Manifest", LaterManifest)
    monkeypatch.setattr(history, "SnapshotFacts", LaterFacts)
    may = read_manifest(published, "2025-05")
    assert (may.figures.revenue, may.figures.bottles_per_order, may.reviewed_by) == (Decimal("2119.80"), None, "nobody")
    assert verify_month(published, "2025-05", repair=False).faults == []
    assert [line.would_change for line in list_months(published)] == [False, False]
    plan = plan_publication(published, JUNE.parameters, JUNE.workbooks)
    rows = scan_tables(fetch_tables(published, plan.earlier, tmp_path)).collect()
    assert (rows.height, rows["vintage"].null_count()) == (21, 21)

    publish(published, LaterExport("2025-05", "fixed"))
    assert read_manifest(published, "2025-05").figures.bottles_per_order == Decimal("2.50")


class LaterExport(Export):
    """A month with the figure that was added."""

    @property
    def report(self) -> Report:
        now = super().report
        figures = LaterFigures(**vars(now.summary.figures), bottles_per_order=Decimal("2.50"))
        return replace(now, summary=replace(now.summary, figures=figures))


# --- other schema versions


def test_a_manifest_of_a_newer_version_is_refused_by_all_commands_with_what_to_do(published: LocalStorage) -> None:
    change_manifest(published, "2025-05", lambda fields: fields.update(schema_version=3, figures="elsewhere"))
    before = published.read("manifests/2025-05.json").content
    for run in (
        lambda: verify_month(published, "2025-05", repair=True),
        lambda: list_months(published),
        lambda: publish(published, MAY),
        lambda: publish(published, JUNE),
    ):
        with pytest.raises(OutsideFailure) as refused:
            run()
        assert str(refused.value) == (
            f"{published.folder}/manifests/2025-05.json was written by a newer version of monthly-sales: it has schema "
            "version 3, and this version reads up to 2. Upgrade monthly-sales."
        )
    assert published.read("manifests/2025-05.json").content == before


@pytest.fixture
def of_version_1(tmp_path: Path) -> LocalStorage:
    """A destination with a month that the first program published, in two revisions."""
    shutil.copytree(FIXTURES / "version_1", tmp_path / "reports")
    for revision in read_published(LocalStorage(tmp_path / "reports"), "2025-04").revisions:
        folder = tmp_path / "reports/revisions/2025-04" / revision.id
        folder.mkdir(parents=True)
        (folder / "sales_report_2025-04.xlsx").write_bytes(b"")
    return LocalStorage(tmp_path / "reports")


def test_a_manifest_of_version_1_is_replaced_by_the_next_run_with_its_number_continued(
    of_version_1: LocalStorage,
) -> None:
    published = publish(of_version_1, APRIL)
    assert published.sentence == "2025-04 is published (revision 3)."
    now = read_manifest(of_version_1, "2025-04")
    assert (now.schema_version, [revision.revision for revision in now.earlier_revisions]) == (2, [1, 2])
    assert list_months(of_version_1)[0].uncommitted == ()
    assert publish(of_version_1, APRIL).sentence == "2025-04 is already published (revision 3), nothing changed."
    assert publish(of_version_1, MAY).sentence == "2025-05 is published (revision 1)."


def test_a_month_after_one_of_version_1_is_refused_in_one_sentence(of_version_1: LocalStorage) -> None:
    for run in (lambda: publish(of_version_1, MAY), lambda: verify_month(of_version_1, "2025-04", repair=True)):
        with pytest.raises(OutsideFailure) as refused:
            run()
        assert str(refused.value) == (
            f"{of_version_1.folder}/manifests/2025-04.json has schema version 1, which has no table to compare with. "
            "Run 2025-04 again: a new revision replaces it."
        )


def test_a_month_of_version_1_is_listed_as_one_to_run_again(of_version_1: LocalStorage) -> None:
    (line,) = list_months(of_version_1)
    assert (line.month, line.revision, line.revenue, line.would_change) == ("2025-04", 2, None, True)
    assert line.uncommitted == ()


def test_two_months_of_version_1_are_run_again_one_after_the_other(of_version_1: LocalStorage) -> None:
    of_may = (of_version_1.folder / "manifests/2025-04.json").read_text().replace('"2025-04"', '"2025-05"')
    (of_version_1.folder / "manifests/2025-05.json").write_text(of_may)
    assert publish(of_version_1, APRIL).sentence == "2025-04 is published (revision 3)."
    assert publish(of_version_1, MAY).sentence == "2025-05 is published (revision 3)."
    assert not any(line.would_change for line in list_months(of_version_1))


# --- how much of a long history is read


class Counting(LocalStorage):
    """A folder that counts the manifests that are read."""

    manifests = 0

    def read(self, key: str) -> Document | None:
        self.manifests += key.startswith("manifests/")
        return super().read(key)


def test_of_a_long_history_the_last_two_years_are_read_and_little_more(tmp_path: Path) -> None:
    labels = [f"{year}-{number:02}" for year in (2021, 2022, 2023, 2024) for number in range(1, 13)]
    for label in labels:
        publish(LocalStorage(tmp_path), Export(label, "word"))
    storage = Counting(tmp_path)
    plan = plan_publication(storage, Export("2025-01", "word").parameters, Export("2025-01", "word").workbooks)
    assert [snapshot.month for snapshot in plan.earlier] == labels[-24:]
    # Its own, 24 and the first that is too old, and the requests that are already on their way.
    assert storage.manifests <= 1 + 25 + REQUESTS_AT_ONCE
