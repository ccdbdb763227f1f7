"""Snapshots that cannot be right are refused with products and cells; unusual ones that can be right pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from frames import _LOCATIONS as LOCATIONS
from frames import month

from tasks.domain.issues import Issue, issue_frame, lines
from tasks.domain.period import compare_snapshots, snapshot_rows
from tasks.domain.schemas import Snapshot
from tasks.domain.unusual import find_unusual

APRIL, MAY = date(2025, 4, 15), date(2025, 5, 15)


@dataclass(frozen=True)
class Wine:
    number: int
    price: str = "10.00"
    sales: int = 20
    added: str | None = "2019-05-04 10:00:00"
    web_key: int = 10_000


RANGE = [Wine(number, f"{8 + number % 7}.50", 20 + number % 5) for number in range(1, 41)]
"""Forty wines, in the order of their workbooks."""


def exported(wines: Sequence[Wine]):
    """The three workbooks, cleaned and joined."""
    return month(
        [{"product_id": wine.number, "price": wine.price, "onsale_web": 1, "stock_quantity": 5} for wine in wines],
        [{"product_id": wine.number, "id_web": wine.number + wine.web_key} for wine in wines],
        [
            {"sku": wine.number + wine.web_key, "post_type": "product", "post_title": f"Wine {wine.number}",
             "total_sales": wine.sales, "post_date": wine.added}
            for wine in wines
        ],
    )  # fmt: skip


def history_of(wines: Sequence[Wine], day: date = APRIL) -> pl.LazyFrame:
    before = exported(wines)
    empty = Snapshot.create_empty().lazy()
    products = compare_snapshots(before.wines().lazy(), empty, day).wines
    return snapshot_rows(products, before.joined, f"{day:%Y-%m}", day).collect().lazy()


def found(before: Sequence[Wine], now: Sequence[Wine]) -> list[Issue]:
    history, may = history_of(before), exported(now)
    period = compare_snapshots(may.wines().lazy(), history, MAY)
    return find_unusual(period, history, may.joined, may.cleaned, LOCATIONS)


def rules(before: Sequence[Wine], now: Sequence[Wine]) -> set[str]:
    return {issue.rule for issue in found(before, now)}


def sold(wines: Sequence[Wine], units: Callable[[Wine], int]) -> list[Wine]:
    return [replace(wine, sales=wine.sales + units(wine)) for wine in wines]


def priced(wines: Sequence[Wine], price: Callable[[Decimal], Decimal]) -> list[Wine]:
    return [replace(wine, price=f"{price(Decimal(wine.price)):.2f}") for wine in wines]


# --- an older export delivered again


def test_an_older_export_delivered_again_is_refused_with_products_and_cells() -> None:
    issues = found(RANGE, sold(RANGE, lambda wine: -2 if wine.number <= 12 else 0))
    assert {issue.rule for issue in issues} == {"counters-fell"}
    assert len(issues) == 12
    assert lines(issue_frame(issues))[0] == (
        'web.xlsx [Sheet1] D7, total_sales of sku 10006: "19" is lower than "21" (Wine 6, D7, 2025-04-15), '
        "like most counters that changed: the export is probably an older one. "
        "Export the web workbook again; or run with --accept-unusual if it is right."
    )


@pytest.mark.parametrize(
    ("fallen", "risen", "is_refused"),
    [
        pytest.param(10, 9, True, id="10 fell and 9 rose"),
        pytest.param(10, 10, False, id="as many fell as rose"),
        pytest.param(9, 0, False, id="9 fell, which may be cancelled orders"),
    ],
)
def test_counters_are_refused_when_more_than_half_of_those_that_changed_fell(
    fallen: int, risen: int, *, is_refused: bool
) -> None:
    now = sold(RANGE, lambda wine: -1 if wine.number <= fallen else int(wine.number <= fallen + risen))
    assert rules(RANGE, now) == ({"counters-fell"} if is_refused else set())


@pytest.mark.parametrize(
    ("added", "is_refused"),
    [
        pytest.param("2025-05-02 09:00:00", False, id="in the period"),
        pytest.param("2025-04-15 09:00:00", False, id="on the day of the previous export"),
        pytest.param("2025-04-14 09:00:00", True, id="the day before it"),
    ],
)
def test_products_that_were_added_to_the_shop_again_count_from_0_and_are_no_older_export(
    added: str, *, is_refused: bool
) -> None:
    now = [replace(wine, sales=1, added=added) for wine in RANGE]
    assert ("counters-fell" in rules(RANGE, now)) == is_refused


def test_a_counter_that_fell_far_is_a_warning() -> None:
    now = sold(RANGE, lambda wine: -15 if wine.number == 3 else 1)
    (issue,) = found(RANGE, now)
    assert issue_frame([issue])["severity"].to_list() == ["warning"]
    assert (issue.rule, issue.cell, issue.value) == ("counter-fell-far", "D4", "8")


@pytest.mark.parametrize(
    ("before", "now", "is_far"),
    [
        pytest.param(40, 19, True, id="less than half"),
        pytest.param(40, 20, False, id="half"),
        pytest.param(12, 2, True, id="by ten bottles"),
        pytest.param(12, 3, False, id="by nine bottles"),
    ],
)
def test_a_counter_fell_far_by_ten_bottles_to_less_than_half(before: int, now: int, *, is_far: bool) -> None:
    first = [replace(RANGE[0], sales=before), *RANGE[1:]]
    assert rules(first, [replace(RANGE[0], sales=now), *RANGE[1:]]) == ({"counter-fell-far"} if is_far else set())


# --- prices in another unit


@pytest.mark.parametrize(
    "factor",
    [
        pytest.param("100", id="cents"),
        pytest.param("0.01", id="euros that were cents"),
        pytest.param("1.2", id="with VAT"),
        pytest.param("0.8333333333", id="without VAT"),
        pytest.param("0.94", id="another currency"),
    ],
)
def test_prices_that_changed_by_one_factor_are_refused(factor: str) -> None:
    issues = found(RANGE, priced(RANGE, lambda price: price * Decimal(factor)))
    assert {issue.rule for issue in issues} == {"prices-moved"}
    assert len(issues) == len(RANGE)


def test_the_message_about_prices_shows_the_cells_before_and_now() -> None:
    issues = found(RANGE, priced(RANGE, lambda price: price * 100))
    assert (
        'erp.xlsx [Sheet1] C7, price of product 6: "1450.00" differs from "14.50" (Wine 6, C7, 2025-04-15) by the same'
        in "\n".join(lines(issue_frame(issues)))
    )


@pytest.mark.parametrize(
    ("moved", "is_refused"),
    [pytest.param(36, True, id="90 % of the prices"), pytest.param(35, False, id="a price less")],
)
def test_prices_are_refused_when_90_percent_of_them_moved(moved: int, *, is_refused: bool) -> None:
    now = [*priced(RANGE[:moved], lambda price: price * Decimal("1.2")), *RANGE[moved:]]
    assert rules(RANGE, now) == ({"prices-moved"} if is_refused else set())


def test_a_price_that_jumped_is_a_warning() -> None:
    now = [replace(RANGE[0], price="95.00"), replace(RANGE[1], price="1.05"), *RANGE[2:]]
    issues = issue_frame(found(RANGE, now))
    assert issues.select("rule", "cell", "severity").rows() == [
        ("price-jumped", "C2", "warning"),
        ("price-jumped", "C3", "warning"),
    ]


# --- an export that was cut off


def without_web_rows(wines: Sequence[Wine], kept: Callable[[Wine], bool]) -> list[Issue]:
    """The issues of a month in which the web workbook has only some of the products."""
    history, may = history_of(RANGE), exported(wines)
    whole = exported([wine for wine in wines if kept(wine)])
    cleaned = may.cleaned._replace(web=whole.cleaned.web)
    period = compare_snapshots(whole.wines().lazy(), history, MAY)
    return find_unusual(period, history, whole.joined, cleaned, LOCATIONS)


def test_an_export_that_was_cut_off_is_refused_with_the_products_that_sold_before() -> None:
    issues = without_web_rows(RANGE, lambda wine: wine.number <= 30)
    assert [issue.rule for issue in issues] == ["cut-off-export"] * 10
    assert lines(issue_frame(issues))[0] == (
        'web.xlsx [Sheet1], sku: "10031" is missing, and so are all rows that followed it before '
        "(Wine 31, A32, 2025-04-15): the export is probably cut off. "
        "Export all of the workbook; or run with --accept-unusual if it is right."
    )


def test_a_stretch_of_nine_products_is_not_called_cut_off() -> None:
    assert without_web_rows(RANGE, lambda wine: wine.number <= 31) == []


def test_products_with_another_sku_than_before_are_not_missing() -> None:
    now = [replace(wine, web_key=20_000) if wine.number > 20 else wine for wine in RANGE]
    assert rules(RANGE, now) == set()


def test_products_that_left_before_the_previous_snapshot_are_not_missing() -> None:
    history = pl.concat([history_of(RANGE, date(2025, 3, 15)), history_of(RANGE[:25])])
    may = exported(RANGE[:25])
    period = compare_snapshots(may.wines().lazy(), history, MAY)
    assert find_unusual(period, history, may.joined, may.cleaned, LOCATIONS) == []


def test_a_stretch_of_products_that_sold_one_bottle_is_cut_off() -> None:
    wines = [replace(wine, sales=1) if wine.number > 30 else wine for wine in RANGE]
    assert rules(wines, wines[:30]) == {"cut-off-export"}


def test_a_stretch_of_products_that_never_sold_is_not_called_cut_off() -> None:
    wines = [replace(wine, sales=0) if wine.number > 30 else wine for wine in RANGE]
    assert rules(wines, wines[:30]) == set()


def test_products_that_are_missing_in_bulk_are_refused() -> None:
    issues = without_web_rows(RANGE, lambda wine: wine.number % 4 != 0)
    assert [issue.rule for issue in issues] == ["missing-in-bulk"] * 10
    assert without_web_rows(RANGE, lambda wine: wine.number % 4 != 0 or wine.number == 8) == []


def test_each_workbook_that_is_cut_off_is_named() -> None:
    """All three end early: each of them lacks the products."""
    issues = found(RANGE, RANGE[:30])
    assert {issue.file for issue in issues} == {"erp.xlsx", "liaison.xlsx", "web.xlsx"}


# --- what is unusual and right


def test_a_first_snapshot_passes() -> None:
    empty, may = Snapshot.create_empty().lazy(), exported(RANGE)
    period = compare_snapshots(may.wines().lazy(), empty, MAY)
    assert find_unusual(period, empty, may.joined, may.cleaned, LOCATIONS) == []


def test_a_christmas_period_passes() -> None:
    assert rules(RANGE, sold(RANGE, lambda wine: 60 + 3 * wine.number)) == set()


def test_a_sale_with_a_third_of_the_prices_cut_passes() -> None:
    now = [*priced(RANGE[:14], lambda price: price * Decimal("0.7")), *sold(RANGE[14:], lambda _: 2)]
    assert rules(RANGE, now) == set()


def test_a_new_vintage_of_the_whole_range_passes() -> None:
    """New products in the place of all the old ones."""
    now = [Wine(wine.number + 500, wine.price, 0, "2025-05-02 09:00:00") for wine in RANGE]
    assert rules(RANGE, now) == set()


def test_a_new_vintage_under_the_same_keys_passes() -> None:
    now = [replace(wine, sales=0, added="2025-05-02 09:00:00") for wine in RANGE]
    errors = issue_frame(found(RANGE, now)).filter(severity="error")
    assert errors.is_empty()


def test_prices_that_each_rose_by_another_factor_pass() -> None:
    now = [replace(wine, price=f"{Decimal(wine.price) * (100 + wine.number % 9) / 100:.2f}") for wine in RANGE]
    assert rules(RANGE, now) == set()


def test_prices_that_all_fell_by_a_cent_pass() -> None:
    assert rules(RANGE, priced(RANGE, lambda price: price - Decimal("0.01"))) == set()
