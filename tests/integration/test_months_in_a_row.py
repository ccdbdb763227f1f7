"""Months published one after the other, each compared with those before it as their published tables contain them."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from publishing import check_bucket
from snapshots import Exported, Row, joined_rows

from tasks.domain.figures import PeriodFigures, summarise_snapshot
from tasks.domain.issues import OutsideFailure, WrongArgument, issue_frame
from tasks.domain.month import resolve_export_date
from tasks.domain.parameters import Language, Parameters
from tasks.domain.period import compare_snapshots, snapshot_rows
from tasks.domain.schemas import Snapshot, SnapshotFacts
from tasks.domain.sources import SOURCES, Source
from tasks.publication.history import fetch_tables, scan_tables
from tasks.publication.manifest import Manifest, read_manifest
from tasks.publication.plan import plan_publication
from tasks.publication.publisher import PublishedMonth, publish_month, show_month
from tasks.publication.verify import list_months, verify_month
from tasks.report.content import Report
from tasks.report.csv_files import write_issues, write_wines
from tasks.report.files import report_files
from tasks.report.tables import write_table
from tasks.storage.local import LocalStorage
from tasks.storage.protocol import Storage, StoredFile
from tasks.workbook.fetch import FetchedWorkbook


@pytest.fixture
def publish(tmp_path: Path) -> "Publish":
    """Into a folder; what it has in common with S3: test_storage.py."""
    return Publish(LocalStorage(tmp_path / "reports"), tmp_path)


class Publish:
    """Publishes products as the flow does it, from their classified wines on."""

    def __init__(self, storage: LocalStorage, folder: Path) -> None:
        self.storage = storage
        self.folder = folder

    def __call__(
        self, month: str, *products: Row, export_date: str = "", language: Language = "en", die: bool = False
    ) -> PublishedMonth:
        """Publish a month, or die before its commit."""
        parameters = Parameters(
            month, resolve_export_date(export_date, month), premium_threshold=1.0, language=language
        )
        plan = plan_publication(self.storage, parameters, _workbooks(products))
        if plan.is_published:
            return show_month(self.storage, plan, month)
        scratch = self.folder / f"run {len(list(self.folder.iterdir()))}"
        scratch.mkdir()
        history = scan_tables(fetch_tables(self.storage, plan.earlier, scratch))
        wines = Exported(parameters.export_date, products, 1.0).wines()
        period = compare_snapshots(wines, history, parameters.export_date)
        summary = summarise_snapshot(period, 1.0)
        counts = pl.DataFrame(schema=["source", "disposition", "rule", "detail", "rows"])
        report = Report(parameters, summary, period, counts, issue_frame([]), pl.DataFrame(), ())
        files = report_files(scratch / "files", month)
        # In place of the workbook: it shows all that is compared, and so changes with the earlier snapshots.
        files.path(files.workbook).write_text(f"{summary}\n{report.wines.write_csv()}", encoding="utf-8")
        write_wines(files.path(files.premium), report.wines.filter("is_premium"), parameters.csv_dialect)
        write_wines(files.path(files.ordinary), report.wines.remove("is_premium"), parameters.csv_dialect)
        rows = snapshot_rows(period.wines, joined_rows(products), month, parameters.export_date)
        write_table(files.path(files.table), rows.collect())
        write_issues(files.path(files.issues), issue_frame([]), parameters.csv_dialect)
        return publish_month(Dying(self.storage) if die else self.storage, plan, files, report)

    def manifest(self, month: str) -> Manifest:
        return read_manifest(self.storage, month)

    def period(self, month: str) -> PeriodFigures | None:
        return self.manifest(month).period

    def table(self, month: str) -> pl.DataFrame:
        return pl.read_parquet(self.storage.read(f"tables/wines_{month}.parquet").content)

    def contents(self) -> dict[str, bytes]:
        return {key: self.storage.read(key).content for key in self.storage.keys("")}

    def marked(self) -> list[str]:
        """The months that `list` marks."""
        return [line.month for line in list_months(self.storage) if line.would_change]


def _workbooks(products: Sequence[Row]) -> dict[Source, FetchedWorkbook]:
    sha256 = hashlib.sha256(repr(products).encode()).hexdigest()
    return {
        source: FetchedWorkbook(source, f"{source}.xlsx", Path("gone"), StoredFile(1, sha256)) for source in SOURCES
    }


class Dying:
    """A storage whose run is killed when it is to commit."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> Callable[..., object]:
        if name == "compare_and_swap":
            raise KeyboardInterrupt
        return getattr(self._storage, name)


def month(units: int, price: str = "10.00") -> list[Row]:
    """A shop of eight wines, the first of which was sold this often at this price."""
    return [Row("1", price, units), *(Row(str(number), "12.50", 2) for number in range(2, 8)),
            Row("grand-cru", "250.00", 1, 0)]  # fmt: skip


def test_the_first_month_is_compared_with_nothing_and_the_second_with_it(publish: Publish) -> None:
    publish("2025-04", *month(10))
    publish("2025-05", *month(13, price="11.00"))
    first, second = publish.manifest("2025-04"), publish.manifest("2025-05")
    assert (first.earlier_snapshots, first.period) == ((), None)
    assert second.earlier_snapshots == (first.reference(),)
    assert (first.reference().month, first.reference().revision) == ("2025-04", 1)
    then = publish.period("2025-05")
    assert (then.sold.start, then.sold.end, then.sold.days) == (date(2025, 4, 15), date(2025, 5, 15), 30)
    assert (then.sold.units, then.sold.value, then.price_effect) == (3, Decimal("33.00"), Decimal("10.00"))
    assert second.figures.revenue - first.figures.revenue == Decimal("43.00")


def test_the_table_of_a_first_snapshot_has_its_facts_and_no_period(publish: Publish) -> None:
    publish("2025-04", *month(10))
    table = publish.table("2025-04")
    assert table.columns == Snapshot.column_names()
    assert table.filter(product_id="grand-cru").drop("z_score").row(0, named=True) == {
        "month": "2025-04", "export_date": date(2025, 4, 15), "product_id": "grand-cru", "sku": "wgrand-cru",
        "erp_row": 9, "liaison_row": 9, "web_row": 9, "post_title": "Château grand-cru", "post_date": None,
        "total_sales": 1, "price": Decimal("250.00"), "stock_quantity": 0, "revenue": Decimal("250.00"),
        "is_premium": True, "period_days": None, "status": None, "sold_units": None, "sold_value": None,
    }  # fmt: skip
    assert table["product_id"].to_list() == ["grand-cru", "1", "2", "3", "4", "5", "6", "7"]


def test_the_table_of_a_later_snapshot_says_what_was_sold_in_how_many_days(publish: Publish) -> None:
    publish("2025-04", *month(10))
    publish("2025-05", *month(9, price="11.00"), Row("new", "20.00", 4), export_date="2025-05-20")
    period = publish.table("2025-05").filter(pl.col("product_id").is_in(["1", "2", "new"]))
    columns = ("product_id", "status", "period_days", "sold_units", "sold_value")
    assert period.select(columns).sort("product_id").rows() == [
        ("1", "continuing", 35, -1, Decimal("-11.00")),
        ("2", "continuing", 35, 0, Decimal("0.00")),
        ("new", "new", 35, 4, Decimal("80.00")),
    ]


def test_thirteen_months_in_a_row_add_up_to_what_was_sold_from_the_first_to_the_last(publish: Publish) -> None:
    labels = [f"2024-{number:02}" for number in range(5, 13)] + [f"2025-{number:02}" for number in range(1, 6)]
    for number, label in enumerate(labels):
        publish(label, *month(10 + number * number))
    periods = [publish.period(label) for label in labels]
    assert periods[0] is None
    assert [then.sold.units for then in periods[1:]] == [2 * number - 1 for number in range(1, 13)]
    revenues = [publish.manifest(label).figures.revenue for label in labels]
    assert sum(then.sold.value for then in periods[1:]) == revenues[-1] - revenues[0]
    assert [line.previous for line in list_months(publish.storage)] == ["", *(f"{one} r1" for one in labels[:-1])]
    assert publish.marked() == []
    assert [each.month for each in publish.manifest("2025-05").earlier_snapshots] == labels[:-1]
    check_bucket(publish.contents(), at_rest=True)


@pytest.mark.parametrize(
    ("first", "is_used"),
    [("2023-04-17", False), ("2023-04-18", True), ("2023-04-19", True)],
    ids=["761 days before", "760 days before", "759 days before"],
)
def test_a_month_is_computed_with_the_snapshots_of_the_last_760_days(
    publish: Publish,
    first: str,
    is_used: bool,  # noqa: FBT001
) -> None:
    publish("2023-04", *month(8), export_date=first)
    publish("2025-04", *month(10), export_date="2025-04-20")
    publish("2025-05", *month(13), export_date="2025-05-17")
    used = ["2023-04"] * is_used + ["2025-04"]
    assert [each.month for each in publish.manifest("2025-05").earlier_snapshots] == used


def test_the_history_is_one_frame_of_all_earlier_snapshots(publish: Publish, tmp_path: Path) -> None:
    """Also where the CSV files of the months are written in different ways."""
    publish("2025-03", *month(10), language="fr")
    publish("2025-04", *month(12, price="11.00"))
    parameters = Parameters("2025-05", date(2025, 5, 15))
    plan = plan_publication(publish.storage, parameters, _workbooks(month(13)))
    history = scan_tables(fetch_tables(publish.storage, plan.earlier, tmp_path)).collect()
    expected = pl.concat([publish.table("2025-03"), publish.table("2025-04")]).select(SnapshotFacts.column_names())
    assert_frame_equal(history, expected, check_exact=True)
    assert history.filter(product_id="1")["price"].to_list() == [Decimal("10.00"), Decimal("11.00")]


# --- an earlier month that is corrected, or comes late


@pytest.fixture
def corrected(publish: Publish) -> Publish:
    """April was published, then May, then April with a corrected price."""
    publish("2025-04", *month(10))
    publish("2025-05", *month(13))
    sentence = publish("2025-04", *month(10, price="9.00")).sentence
    assert sentence == "2025-04 is published (revision 2). Since revision 1: total revenue to date €500.00 → €490.00."
    return publish


def test_a_corrected_month_changes_nothing_after_it_but_the_list_marks_what_would_change(corrected: Publish) -> None:
    assert verify_month(corrected.storage, "2025-05", repair=False).faults == []
    assert corrected.period("2025-05").revenue_before == Decimal("500.00")
    assert [(line.month, line.previous, line.would_change) for line in list_months(corrected.storage)] == [
        ("2025-04", "", False),
        ("2025-05", "2025-04 r1", True),
    ]


def test_a_month_run_again_after_an_earlier_one_was_corrected_is_another_result(corrected: Publish) -> None:
    first = corrected.manifest("2025-05").id
    again = corrected("2025-05", *month(13))
    assert again.sentence == (
        "2025-05 is published (revision 2). Since revision 1: compared with a new result of 2025-04."
    )
    then = corrected.period("2025-05")
    assert (then.sold.value, then.price_effect, then.repriced_products) == (Decimal("30.00"), Decimal("10.00"), 1)
    assert corrected.manifest("2025-05").id != first
    assert corrected.manifest("2025-05").earlier_snapshots == (corrected.manifest("2025-04").reference(),)
    assert corrected.marked() == []
    check_bucket(corrected.contents(), at_rest=True)

    before = corrected.contents()
    nothing = corrected("2025-05", *month(13))
    assert nothing.sentence == "2025-05 is already published (revision 2), nothing changed."
    assert corrected.contents() == before


def test_a_correction_that_is_taken_back_leaves_the_month_after_right(corrected: Publish) -> None:
    """What counts is the result, not the number of its revision."""
    corrected("2025-04", *month(10))
    assert corrected.manifest("2025-04").revision == 3
    assert corrected.marked() == []
    assert corrected("2025-05", *month(13)).outcome == "unchanged"


def test_a_correction_changes_months_beyond_the_history_through_those_between(publish: Publish) -> None:
    for label, units in (("2021-06", 5), ("2023-06", 10), ("2025-06", 13)):
        publish(label, *month(units))
    assert [each.month for each in publish.manifest("2025-06").earlier_snapshots] == ["2023-06"]
    publish("2021-06", *month(6))
    assert publish.marked() == ["2023-06", "2025-06"]
    publish("2023-06", *month(10))
    assert publish.marked() == ["2025-06"]
    publish("2025-06", *month(13))
    assert publish.marked() == []


def test_a_run_that_was_killed_before_its_commit_is_no_obstacle_when_the_month_before_is_corrected(
    publish: Publish,
) -> None:
    publish("2025-04", *month(10))
    with pytest.raises(KeyboardInterrupt):
        publish("2025-05", *month(13), die=True)
    publish("2025-04", *month(10, price="9.00"))
    published = publish("2025-05", *month(13))
    assert published.sentence == "2025-05 is published (revision 1)."
    assert publish.period("2025-05").revenue_before == Decimal("490.00")
    (uncommitted,) = list_months(publish.storage)[1].uncommitted
    assert uncommitted != publish.manifest("2025-05").id
    check_bucket(publish.contents(), at_rest=True)


@pytest.mark.parametrize("before", [["2025-03"], []], ids=["between two months", "before the first month"])
def test_a_month_that_comes_late_marks_the_one_after_it(publish: Publish, before: list[str]) -> None:
    for label in (*before, "2025-05"):
        publish(label, *month(10 if label == "2025-03" else 13))
    late = publish("2025-04", *month(12))
    assert late.sentence == "2025-04 is published (revision 1)."
    assert publish.marked() == ["2025-05"]
    again = publish("2025-05", *month(13))
    assert again.sentence == (
        "2025-05 is published (revision 2). Since revision 1: compared with a new result of 2025-04."
    )
    assert (publish.period("2025-05").sold.start, publish.period("2025-05").sold.units) == (date(2025, 4, 15), 1)


@pytest.mark.parametrize(
    ("export_date", "sentence"),
    [
        ("2025-04-15", "export_date: 2025-04-15 is not after 2025-04-15, the export date of 2025-04."),
        ("2025-06-16", "export_date: 2025-06-16 is not before 2025-06-15, the export date of 2025-06."),
    ],
    ids=["on the day of the month before", "a day after the month after"],
)
def test_export_dates_must_have_the_order_of_the_months(publish: Publish, export_date: str, sentence: str) -> None:
    publish("2025-04", *month(10))
    publish("2025-06", *month(16))
    before = publish.contents()
    with pytest.raises(WrongArgument) as refused:
        publish("2025-05", *month(13), export_date=export_date)
    other = sentence.rstrip(".").rpartition(" ")[2]
    assert str(refused.value) == f"{sentence} Correct it; where that of {other} is wrong, run {other} again."
    assert publish.contents() == before


# --- an earlier month that cannot be read


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda table: table.write_bytes(table.read_bytes()[:-1] + b"!"), "is not what its manifest says"),
        (lambda table: table.write_bytes(table.read_bytes()[:40]), "is not what its manifest says"),
        (Path.unlink, "is missing"),
    ],
    ids=["changed", "cut short", "lost"],
)
def test_a_damaged_table_of_an_earlier_month_stops_the_run_by_name_and_nothing_is_published(
    publish: Publish, spoil: Callable[[Path], object], fault: str
) -> None:
    publish("2025-04", *month(10))
    table = publish.storage.folder / publish.manifest("2025-04").table().key
    spoil(table)
    before = publish.contents()
    with pytest.raises(OutsideFailure) as failed:
        publish("2025-05", *month(13))
    assert str(failed.value) == (
        f"{table}, which the month is compared with, {fault}. "
        "Restore it: see `monthly-sales verify --month 2025-04`, and the runbook."
    )
    assert publish.contents() == before
