"""What was sold since the previous snapshot, and how that compares with what went before."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from snapshots import Compared, Exported, Row, compare, table_of

from tasks.domain.figures import summarise_snapshot
from tasks.domain.period import (
    CHANGES,
    compare_snapshots,
    list_best_sellers,
    list_changes,
    same_date_last_year,
    select_trend,
)
from tasks.domain.schemas import DelistedWine, PeriodTotal, PeriodWine, Snapshot

OLD = date(2019, 5, 4)
APRIL, MAY = date(2025, 4, 15), date(2025, 5, 15)
BEFORE = [
    Row("1", "10.00", 5, added=OLD),
    Row("2", "20.00", 3, added=OLD),
    Row("3", "30.00", 1, added=OLD),
    Row("left", "7.50", 4, added=OLD),
]


def since_april(*rows: Row, threshold: float = 2.0) -> Compared:
    return compare(Exported(APRIL, BEFORE, threshold), Exported(MAY, rows, threshold))


def sold(*units: int | None, price: str = "10.00", days: list[date] | None = None) -> Compared:
    """Snapshots a month apart in which one wine's counter grows by these units; None for a missing snapshot."""
    days = days or [add_months(date(2024, 1, 15), number) for number in range(len(units))]
    counter, snapshots = 1000, []
    for day, bottles in zip(days, units, strict=True):
        counter += bottles or 0
        if bottles is not None:
            snapshots.append(Exported(day, [Row("1", price, counter, added=OLD)]))
    return compare(*snapshots)


def add_months(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return day.replace(year=number // 12, month=number % 12 + 1)


# --- what was sold


def test_what_was_sold_is_the_growth_of_the_counter_at_the_price_of_now() -> None:
    may = since_april(Row("1", "12.00", 8, added=OLD), *BEFORE[1:])
    assert may.rows("product_id", "status", "sold_units", "sold_value", "price_effect") == [
        ("1", "continuing", 3, Decimal("36.00"), Decimal("10.00")),
        ("2", "continuing", 0, Decimal("0.00"), Decimal("0.00")),
        ("3", "continuing", 0, Decimal("0.00"), Decimal("0.00")),
        ("left", "continuing", 0, Decimal("0.00"), Decimal("0.00")),
    ]
    period = may.summary.period
    assert (period.sold.units, period.sold.value, period.price_effect) == (3, Decimal("36.00"), Decimal("10.00"))
    assert (period.products_sold, period.repriced_products) == (1, 1)
    assert may.summary.figures.revenue - period.revenue_before == Decimal("46.00")


def test_the_period_is_named_by_its_dates_and_days() -> None:
    may = since_april(*BEFORE)
    period = may.summary.period.sold
    assert (period.start, period.end, period.days) == (APRIL, MAY, 30)
    assert set(may.wines["period_days"]) == {30}


def test_a_missing_snapshot_makes_a_longer_period() -> None:
    compared = sold(1, None, None, 6)
    period = compared.summary.period.sold
    assert (period.start, period.end, period.days, period.units) == (date(2024, 1, 15), date(2024, 4, 15), 91, 6)


def test_cancelled_orders_are_deducted_and_shown() -> None:
    may = since_april(Row("1", "10.00", 6, added=OLD), Row("2", "20.00", 1, added=OLD), *BEFORE[2:])
    period = may.summary.period
    assert (period.sold.units, period.sold.value) == (-1, Decimal("-30.00"))
    assert (period.cancelled_units, period.cancelled_value) == (2, Decimal("40.00"))
    assert period.sold.price_per_bottle is None


def test_the_price_per_bottle_is_rounded_half_up_to_cents() -> None:
    may = since_april(Row("1", "0.01", 6, added=OLD), Row("2", "0.02", 4, added=OLD), *BEFORE[2:])
    assert may.summary.period.sold.price_per_bottle == Decimal("0.02")


@pytest.mark.parametrize(
    ("added", "status", "units"),
    [
        pytest.param(APRIL - timedelta(days=1), "newly_linked", None, id="a day before the previous export"),
        pytest.param(APRIL, "new", 7, id="on the day of the previous export"),
        pytest.param(MAY, "new", 7, id="on the day of this export"),
        pytest.param(None, "new", 7, id="without a date"),
    ],
)
def test_a_product_is_new_when_it_was_added_since_the_previous_export(
    added: date | None, status: str, units: int | None
) -> None:
    may = since_april(*BEFORE, Row("x", "11.00", 7, added=added))
    value = None if units is None else Decimal("77.00")
    assert may.rows("product_id", "status", "sold_units", "sold_value")[-1] == ("x", status, units, value)
    period = may.summary.period
    assert period.sold.units == (units or 0)
    assert (period.new_products, period.new_without_date) == ((1, int(added is None)) if status == "new" else (0, 0))
    assert (period.newly_linked_products, period.newly_linked_units, period.newly_linked_revenue) == (
        (1, 7, Decimal("77.00")) if status == "newly_linked" else (0, 0, Decimal("0.00"))
    )


@pytest.mark.parametrize("added", [OLD, None], ids=["with a date", "without a date"])
def test_a_product_that_returns_is_newly_linked(added: date | None) -> None:
    row, other = Row("x", "11.00", 7, added=added), Row("1", "10.00", 5, added=OLD)
    march = Exported(date(2025, 3, 15), [other, row])
    may = compare(march, Exported(APRIL, [other]), Exported(MAY, [other, row]))
    assert may.rows("product_id", "status", "sold_units") == [("1", "continuing", 0), ("x", "newly_linked", None)]


def test_a_product_that_was_added_to_the_shop_again_is_new() -> None:
    """Its counter began at 0 with the new post, so all of it was sold in the period."""
    other = Row("1", "10.00", 5, added=OLD)
    march = Exported(date(2025, 3, 15), [other, Row("x", "11.00", 90, added=OLD)])
    may = compare(march, Exported(APRIL, [other]), Exported(MAY, [other, Row("x", "11.00", 2, added=date(2025, 5, 1))]))
    assert may.rows("product_id", "status", "sold_units")[-1] == ("x", "new", 2)


def test_a_delisted_product_leaves_the_total_and_is_not_a_lost_sale() -> None:
    may = since_april(*BEFORE[:3])
    period = may.summary.period
    assert (period.delisted_products, period.delisted_units, period.delisted_revenue) == (1, 4, Decimal("30.00"))
    assert (period.sold.units, period.sold.value, period.cancelled_units) == (0, Decimal("0.00"), 0)
    delisted = may.period.delisted.collect()
    assert delisted.columns == DelistedWine.column_names()
    assert delisted.select("product_id", "total_sales", "revenue").rows() == [("left", 4, Decimal("30.00"))]


def test_a_product_that_left_before_the_previous_snapshot_is_not_delisted_again() -> None:
    march = Exported(date(2025, 3, 15), [*BEFORE, Row("gone", "10.00", 9, added=OLD)])
    may = compare(march, Exported(APRIL, BEFORE), Exported(MAY, BEFORE))
    assert may.summary.period.delisted_products == 0


@pytest.mark.parametrize("spelling", ["le\u00adft", "\uff4c\uff45\uff46\uff54", "le\u200bft", "\u200eleft"])
def test_a_key_that_looks_the_same_is_the_product_of_the_snapshot_before(spelling: str) -> None:
    may = since_april(*BEFORE[:3], Row(spelling, "7.50", 6, added=OLD))
    assert (spelling, "continuing", 2) in may.rows("product_id", "status", "sold_units")
    assert may.period.delisted.collect().is_empty()


def test_a_key_in_another_case_is_the_same_product() -> None:
    may = since_april(*BEFORE[:3], Row("LEFT", "7.50", 6, added=OLD))
    assert (may.summary.period.newly_linked_products, may.summary.period.delisted_products) == (0, 0)
    assert may.rows("product_id", "sold_units")[-1] == ("LEFT", 2)


def test_wines_that_cross_the_premium_threshold_are_counted() -> None:
    before = [*(Row(str(number), "10.00", 1, added=OLD) for number in range(8)), Row("a", "90.00", 1, added=OLD)]
    now = [*before[:7], Row("7", "200.00", 1, added=OLD), Row("a", "12.00", 1, added=OLD)]
    period = compare(Exported(APRIL, before), Exported(MAY, now)).summary.period
    assert (period.newly_premium, period.no_longer_premium) == (1, 1)
    delisted = compare(Exported(APRIL, before), Exported(MAY, before[:8])).summary.period
    assert delisted.no_longer_premium == 0


def test_the_first_snapshot_has_a_total_and_no_period() -> None:
    first = compare(Exported(MAY, BEFORE))
    summary = first.summary
    assert summary.figures.revenue == Decimal("170.00")
    assert summary.period is None
    assert {summary.comparisons.previous.missing, summary.comparisons.last_365_missing} == {"first_snapshot"}
    assert first.wines.columns == PeriodWine.column_names()
    assert {name for name in first.wines.columns if first.wines[name].null_count() == 0} == {
        "product_id", "sku", "post_title", "total_sales", "price", "revenue", "z_score", "is_premium", "post_date",
        "stock_quantity", "rank", "revenue_share", "stock_value",
    }  # fmt: skip
    assert first.period.delisted.collect().is_empty()
    assert first.period.totals.collect().is_empty()
    assert list_changes(first.period).collect().is_empty()


def test_an_export_that_is_later_than_this_one_is_no_earlier_snapshot() -> None:
    tables = [table_of(Exported(day, BEFORE)) for day in (APRIL, MAY, date(2025, 6, 15))]
    may = Exported(MAY, [Row("1", "10.00", 9, added=OLD)])
    period = compare_snapshots(may.wines(), pl.concat(tables).lazy(), MAY)
    assert period.totals.select("start", "end", "units").collect().rows() == [(APRIL, MAY, 4)]


def test_the_base_facts_of_a_snapshot_are_its_table() -> None:
    may = since_april(*BEFORE[:3], Row("x", "11.00", 7, added=OLD))
    table = table_of(may.snapshot)
    assert table.columns == Snapshot.column_names()
    assert table.select("month", "export_date").unique().rows() == [("2025-05", MAY)]
    assert table["product_id"].to_list() == ["x", "2", "1", "3"]


# --- comparisons


def test_the_period_is_compared_with_the_one_before_it() -> None:
    previous = sold(0, 10, 8).summary.comparisons.previous
    assert (previous.before.start, previous.before.end) == (date(2024, 1, 15), date(2024, 2, 15))
    assert (previous.before.units, previous.units, previous.is_per_day) == (10, pytest.approx(-0.2), False)


@pytest.mark.parametrize(
    ("days", "is_per_day", "change"),
    [
        pytest.param(27, False, 0.0, id="3 days shorter"),
        pytest.param(26, True, 30 / 26 - 1, id="4 days shorter"),
        pytest.param(33, False, 0.0, id="3 days longer"),
        pytest.param(34, True, 30 / 34 - 1, id="4 days longer"),
    ],
)
def test_rates_per_day_are_compared_where_lengths_differ_by_more_than_3_days(
    days: int, *, is_per_day: bool, change: float
) -> None:
    first = date(2025, 1, 1)
    second = first + timedelta(days=30)
    previous = sold(0, 10, 10, days=[first, second, second + timedelta(days=days)]).summary.comparisons.previous
    assert previous.is_per_day == is_per_day
    assert (previous.value, previous.units) == (pytest.approx(change), pytest.approx(change))
    assert previous.price_per_bottle == 0.0


@pytest.mark.parametrize(
    ("shift", "missing"),
    [
        pytest.param(-11, "snapshot_missing", id="11 days too early"),
        pytest.param(-10, None, id="10 days early"),
        pytest.param(10, None, id="10 days late"),
        pytest.param(11, "snapshot_missing", id="11 days too late"),
    ],
)
def test_last_year_s_period_ends_within_10_days_of_the_same_date(shift: int, missing: str | None) -> None:
    end = date(2024, 5, 15) + timedelta(days=shift)
    compared = sold(0, 7, 1, 2, days=[date(2024, 4, 14), end, APRIL, MAY])
    comparisons = compared.summary.comparisons
    assert comparisons.last_year.missing == comparisons.last_365_missing == missing
    if missing is None:
        assert (comparisons.last_year.before.end, comparisons.last_year.before.units) == (end, 7)
        assert comparisons.last_365.units == 3
        assert comparisons.last_365.days == (MAY - end).days


def test_without_snapshots_that_old_the_history_is_called_too_short() -> None:
    comparisons = sold(0, 7, 1).summary.comparisons
    assert comparisons.last_year.missing == "history_too_short"
    assert comparisons.last_365_missing == "history_too_short"
    assert sold(0, 7).summary.comparisons.previous.missing == "history_too_short"


def test_the_oldest_snapshot_begins_the_last_365_days_and_ends_no_known_period() -> None:
    for oldest in (date(2024, 5, 5), date(2024, 5, 15), date(2024, 5, 25)):
        compared = sold(0, 7, 1, days=[oldest, APRIL, MAY])
        assert compared.summary.comparisons.last_year.missing == "history_too_short"
        assert compared.summary.comparisons.last_365.units == 8
    assert (
        sold(0, 7, 1, days=[date(2024, 5, 26), APRIL, MAY]).summary.comparisons.last_365_missing == "history_too_short"
    )


def test_of_two_exports_near_the_same_date_last_year_the_nearer_one_counts() -> None:
    days = [date(2024, 4, 15), date(2024, 5, 9), date(2024, 5, 18), APRIL, MAY]
    compared = sold(0, 1, 2, 4, 8, days=days)
    assert compared.summary.comparisons.last_year.before.units == 2
    assert compared.summary.comparisons.last_365.units == 12
    trend = select_trend(compared.period.totals).collect()
    assert trend.filter("is_last_year")["end"].to_list() == [date(2024, 5, 18)]


def test_of_two_exports_equally_near_the_later_one_counts() -> None:
    days = [date(2024, 4, 15), date(2024, 5, 10), date(2024, 5, 20), APRIL, MAY]
    compared = sold(0, 1, 2, 4, 8, days=days)
    assert compared.summary.comparisons.last_year.before.units == 2
    assert select_trend(compared.period.totals).collect().filter("is_last_year")["units"].to_list() == [2]


def test_the_last_365_days_are_compared_with_the_365_before_where_snapshots_are_that_old() -> None:
    days = [date(2023, 5, 15), date(2024, 5, 14), MAY]
    snapshots = [
        Exported(day, [Row("1", "10.00", units, added=OLD)]) for day, units in zip(days, (0, 50, 90), strict=True)
    ]
    history = pl.concat([table_of(one) for one in snapshots[:2]]).lazy()
    comparisons = summarise_snapshot(compare_snapshots(snapshots[-1].wines(), history, MAY), 2.0).comparisons
    assert (comparisons.last_365.units, comparisons.last_365.days) == (40, 366)
    assert (comparisons.year_before.before.units, comparisons.year_before.units) == (50, pytest.approx(-0.2))


@pytest.mark.parametrize(
    ("day", "a_year_before"),
    [
        pytest.param(date(2025, 5, 15), date(2024, 5, 15), id="any day"),
        pytest.param(date(2024, 2, 29), date(2023, 2, 28), id="29 February"),
        pytest.param(date(2025, 2, 28), date(2024, 2, 28), id="the year after it"),
        pytest.param(date(2025, 1, 1), date(2024, 1, 1), id="New Year"),
    ],
)
def test_the_same_date_last_year(day: date, a_year_before: date) -> None:
    assert same_date_last_year(day) == a_year_before


def test_a_single_cheap_bottle_is_compared_with_another() -> None:
    previous = sold(0, 1, 2, price="0.50").summary.comparisons.previous
    assert (previous.value, previous.units, previous.price_per_bottle) == (1.0, 1.0, 0.0)


def test_a_period_before_in_which_nothing_was_sold_gives_no_percentage() -> None:
    compared = sold(0, 0, 8)
    assert compared.summary.comparisons.previous.value is None
    assert compared.summary.direction == "rose"


@pytest.mark.parametrize(
    ("units", "direction"),
    [
        pytest.param((1000, 1004), "unchanged", id="0.4 % more"),
        pytest.param((1000, 1005), "rose", id="0.5 % more"),
        pytest.param((1000, 995), "fell", id="0.5 % less"),
        pytest.param((1000, 996), "unchanged", id="0.4 % less"),
        pytest.param((0, 0), "unchanged", id="nothing and nothing"),
        pytest.param((5, -5), "fell", id="more cancelled than sold"),
    ],
)
def test_the_headline_says_how_sales_changed(units: tuple[int, int], direction: str) -> None:
    days = [date(2025, 3, 14), date(2025, 4, 13), date(2025, 5, 13)]
    assert sold(0, *units, days=days).summary.direction == direction


def test_the_headline_compares_rates_per_day_where_the_lengths_differ() -> None:
    summary = sold(0, 10, 9, days=[date(2025, 3, 1), date(2025, 3, 31), date(2025, 4, 20)]).summary
    assert (summary.direction, summary.comparisons.previous.value) == ("rose", pytest.approx(0.35))


def test_the_headline_counts_premium_bottles_and_wines_that_sell_and_are_out_of_stock() -> None:
    before = [*(Row(str(number), "10.00", 1, 24, OLD) for number in range(8)), Row("a", "90.00", 1, 24, OLD)]
    now = [Row("0", "10.00", 9, 0, OLD), *before[1:8], Row("a", "90.00", 3, 24, OLD)]
    summary = compare(Exported(APRIL, before), Exported(MAY, now)).summary
    shown = (summary.direction, summary.period.sold.premium_units, summary.inventory.out_of_stock_selling)
    assert shown == (None, 2, 1)


def test_delisted_products_are_in_order_of_their_revenue_then_by_key() -> None:
    left = [Row("b", "5.00", 2), Row("a", "5.00", 2), Row("c", "9.00", 2)]
    may = compare(Exported(APRIL, [*BEFORE, *left]), Exported(MAY, BEFORE))
    assert may.period.delisted.collect()["product_id"].to_list() == ["c", "a", "b"]


def test_best_sellers_are_in_order_of_value_then_bottles_then_of_the_report() -> None:
    before = [
        Row("a", "10.00", 5),
        Row("b", "20.00", 5),
        Row("c", "10.00", 9),
        Row("d", "10.00", 5),
        Row("e", "9.00", 1),
    ]
    now = [Row("a", "10.00", 7), Row("b", "20.00", 6), Row("c", "10.00", 11), Row("d", "10.00", 5), Row("e", "9.00", 6)]
    wines = compare(Exported(APRIL, before), Exported(MAY, now)).period.wines
    assert list_best_sellers(wines).collect()["product_id"].to_list() == ["e", "c", "a", "b"]
    assert list_best_sellers(wines, 2).collect()["product_id"].to_list() == ["e", "c"]


def test_a_snapshot_of_the_same_day_is_not_an_earlier_one() -> None:
    april = Exported(APRIL, BEFORE)
    compared = compare_snapshots(april.wines(), table_of(Exported(APRIL, BEFORE[:1])).lazy(), APRIL)
    assert compared.totals.collect().is_empty()
    assert compared.delisted.collect().is_empty()


# --- the trend


def test_the_trend_has_the_last_thirteen_periods_and_last_year_s() -> None:
    compared = sold(*range(14))
    trend = select_trend(compared.period.totals).collect()
    assert trend.columns == PeriodTotal.column_names()
    assert trend["units"].to_list() == list(range(1, 14))
    assert trend.filter("is_current")["units"].to_list() == [13]
    assert trend.filter("is_last_year")["units"].to_list() == [1]


def test_last_year_s_period_is_in_the_trend_even_if_it_is_older_than_thirteen_periods() -> None:
    days = [
        date(2024, 4, 15),
        date(2024, 5, 15),
        *(date(2024, 5, 15) + timedelta(days=25 * n) for n in range(1, 15)),
        MAY,
    ]
    compared = sold(*range(17), days=days)
    trend = select_trend(compared.period.totals).collect()
    assert trend["units"].to_list() == [1, *range(4, 17)]
    assert trend["is_last_year"].to_list() == [True, *(13 * [False])]


# --- lists


def test_a_product_is_listed_under_each_kind_of_change_that_happened_to_it() -> None:
    before = [
        *(Row(key, "10.00", 1, added=OLD) for key in "abcdefg"),
        Row("old", "90.00", 1, added=OLD),
        Row("left", "8.00", 2, added=OLD),
    ]
    now = [
        Row("a", "10.00", 2, added=OLD), Row("b", "10.00", 0, added=OLD), Row("c", "11.00", 1, added=OLD),
        *(Row(key, "10.00", 1, added=OLD) for key in "defg"), Row("old", "12.00", 1, added=OLD),
        Row("new", "200.00", 1, added=MAY), Row("linked", "9.00", 1, added=OLD),
    ]  # fmt: skip
    may = compare(Exported(APRIL, before), Exported(MAY, now))
    changes = list_changes(may.period).collect()
    ten, dear, left = Decimal("10.00"), Decimal("90.00"), Decimal("8.00")
    assert changes.select(
        "change", "product_id", "total_sales_before", "price_before", "price", "total_sales"
    ).rows() == [
        ("new", "new", None, None, Decimal("200.00"), 1),
        ("newly_linked", "linked", None, None, Decimal("9.00"), 1),
        ("delisted", "left", 2, left, None, None),
        ("no_longer_premium", "old", 1, dear, Decimal("12.00"), 1),
        ("repriced", "old", 1, dear, Decimal("12.00"), 1),
        ("repriced", "c", 1, ten, Decimal("11.00"), 1),
        ("cancelled", "b", 1, ten, ten, 0),
    ]
    assert changes.columns == ["change", *PeriodWine.column_names()]
    assert set(changes["change"].dtype.categories) == set(CHANGES)


def test_the_best_sellers_are_those_of_the_period_and_none_that_sold_nothing() -> None:
    may = since_april(
        Row("1", "10.00", 8, added=OLD), Row("2", "20.00", 4, added=OLD), Row("3", "30.00", 0, added=OLD), BEFORE[3]
    )
    best = list_best_sellers(may.period.wines).collect()
    assert best.select("product_id", "sold_value").rows() == [("1", Decimal("30.00")), ("2", Decimal("20.00"))]
    assert list_best_sellers(may.period.wines, 1).collect()["product_id"].to_list() == ["1"]
