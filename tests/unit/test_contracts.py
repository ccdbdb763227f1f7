"""Every frame that a stage hands on keeps the contract that is declared for it, empty cells and all."""

from dataclasses import FrozenInstanceError
from datetime import date

import pytest
from frames import Month, month, product
from snapshots import Exported, Row, compare, table_of

from tasks.domain.issues import DataIssue, Issue, issue_frame
from tasks.domain.ledger import LedgerRow, RowCount, count_rows
from tasks.domain.rules import RULES
from tasks.domain.schemas import DelistedWine, PeriodTotal, PeriodWine, Snapshot, Wine, headings
from tasks.domain.sources import Source, required_columns

APRIL = Exported(date(2025, 4, 15), [Row("1", "10.00", 5), Row("2", "20.00", 3, None), Row("gone", "7.50", 4)])
MAY = Exported(date(2025, 5, 15), [Row("1", "10.00", 6), Row("2", "20.00", 3, None), Row("new", "9.00", 1)])


@pytest.fixture(scope="module")
def month_with_leftovers() -> Month:
    """A sound product in row 2, and below it rows of every fate."""
    erp, liaison, web = product(1, sales=0)
    return month(
        [erp, {"product_id": 2, "price": 5, "onsale_web": 0}, {"price": 5}, {}],
        [liaison, {"product_id": 2}, {}],
        [web, {"post_type": "product", "total_sales": 3}, {"post_type": "product", "sku": 9, "total_sales": "many"},
         {"post_type": "attachment", "sku": 10_001}, {}],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "columns"),
    [
        ("erp", ["product_id", "price"]),
        ("liaison", ["product_id", "id_web"]),
        ("web", ["sku", "post_type", "post_title", "total_sales"]),
    ],
)
def test_a_sheet_needs_its_keys_and_what_the_figures_are_made_of(source: Source, columns: list[str]) -> None:
    assert required_columns(source) == columns


def test_every_column_that_people_see_has_a_heading_of_its_own() -> None:
    for contract in (PeriodWine, DataIssue):
        shown = headings(contract)
        assert list(shown) == contract.column_names()
        assert len(set(shown.values())) == len(shown)


@pytest.mark.parametrize("snapshots", [[APRIL], [APRIL, MAY]], ids=["a first snapshot", "a later one"])
def test_the_products_of_a_snapshot_keep_their_contracts(snapshots: list[Exported]) -> None:
    period = compare(*snapshots).period
    Wine.validate(snapshots[-1].wines().collect())
    PeriodWine.validate(period.wines.collect())
    DelistedWine.validate(period.delisted.collect())
    PeriodTotal.validate(period.totals.collect())
    Snapshot.validate(table_of(snapshots[-1]))


def test_the_ledger_fulfils_its_contract(month_with_leftovers: Month) -> None:
    ledger = LedgerRow.validate(month_with_leftovers.ledger.collect())
    assert set(ledger["disposition"]) == {"used", "ignored", "rejected"}


def test_issues_keep_their_contract_wherever_they_were_found(month_with_leftovers: Month) -> None:
    assert not DataIssue.validate(month_with_leftovers.issues).is_empty()
    of_the_month = issue_frame([Issue("the three workbooks", "no-product")])
    assert DataIssue.validate(of_the_month)["row"].to_list() == [None]


def test_the_counts_of_rows_keep_their_contract() -> None:
    erp, liaison, web = product(1)
    posts = [web, {"post_type": "attachment", "sku": 10_001}, {"post_type": "product", "total_sales": 3}]
    counts = RowCount.validate(count_rows(month([erp], [liaison], posts).ledger).collect())
    assert counts["rows"].to_list() == [1, 1, 1, 1, 1]


def test_each_reason_is_counted_once(month_with_leftovers: Month) -> None:
    counts = count_rows(month_with_leftovers.ledger).collect()
    assert not counts.select("source", "disposition", "rule", "detail").is_duplicated().any()


def test_checked_frames_cannot_be_changed_before_the_report() -> None:
    summary = compare(APRIL, MAY).summary
    parts = (summary, summary.figures, summary.period, summary.comparisons, summary.inventory)
    parts += (summary.period.sold, summary.comparisons.previous)
    for one in (*parts, Issue("erp.xlsx", "negative"), RULES["negative"]):
        with pytest.raises(FrozenInstanceError):
            setattr(one, next(iter(vars(one))), None)
