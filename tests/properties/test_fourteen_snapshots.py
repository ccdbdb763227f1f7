"""Fourteen snapshots of a shop whose every order is known: the figures are what was really sold, to the cent."""

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal

import pytest
from reference_period import Reference
from shop import EXPORTS, Product, draw_shop, export
from snapshots import Compared, compare, flat

from tasks.domain.period import select_trend
from tasks.publication.history import HISTORY_DAYS

SNAPSHOTS = range(len(EXPORTS))
of_each_snapshot = pytest.mark.parametrize("number", SNAPSHOTS, ids=map(str, EXPORTS))
of_each_period = pytest.mark.parametrize("number", SNAPSHOTS[1:], ids=map(str, EXPORTS[1:]))


@pytest.fixture(scope="module")
def products() -> list[Product]:
    return draw_shop()


@pytest.fixture(scope="module")
def compared(products: list[Product]) -> list[Compared]:
    snapshots = [export(products, day) for day in EXPORTS]
    return [compare(*snapshots[: number + 1]) for number in SNAPSHOTS]


@pytest.fixture(scope="module")
def references(products: list[Product]) -> list[Reference]:
    oldest = [day - timedelta(days=HISTORY_DAYS) for day in EXPORTS]
    return [
        Reference([export(products, day) for day in EXPORTS[: number + 1] if day >= oldest[number]])
        for number in SNAPSHOTS
    ]


@of_each_snapshot
def test_every_figure_equals_an_independent_computation(
    compared: list[Compared], references: list[Reference], number: int
) -> None:
    summary, reference = asdict(compared[number].summary), references[number]
    del summary["figures"]["threshold_price"]
    expected = flat(reference.expected())
    assert flat(summary) == expected
    if number > 1:
        assert len(expected) >= 40


@of_each_snapshot
def test_every_product_equals_an_independent_computation(
    compared: list[Compared], references: list[Reference], number: int
) -> None:
    reference = references[number]
    for row in compared[number].wines.iter_rows(named=True):
        expected = reference.product(row["product_id"])
        assert {name: row[name] for name in expected} == expected, row["product_id"]


@of_each_snapshot
def test_the_trend_equals_an_independent_computation(
    compared: list[Compared], references: list[Reference], number: int
) -> None:
    trend = select_trend(compared[number].period.totals).collect()
    assert trend.to_dicts() == references[number].trend()


@of_each_period
def test_what_was_sold_is_what_was_ordered_between_the_exports(
    compared: list[Compared], products: list[Product], number: int
) -> None:
    """From the orders themselves: no counter takes part."""
    start, end = EXPORTS[number - 1], EXPORTS[number]
    known = [one for one in products if one.is_listed(end) and (one.is_listed(start) or one.added >= start)]
    sold = compared[number].summary.period.sold
    assert sold.units == sum(one.units(until=end, after=start) for one in known)
    assert sold.value == sum(Decimal(one.units(until=end, after=start) * one.price(end)) / 100 for one in known)
    assert (sold.start, sold.end, sold.days) == (start, end, (end - start).days)


@of_each_period
def test_every_change_of_the_total_is_explained(compared: list[Compared], number: int) -> None:
    summary, before = compared[number].summary, compared[number - 1].summary
    period, figures = summary.period, summary.figures
    assert (period.revenue_before, period.units_before) == (before.figures.revenue, before.figures.units)
    assert figures.revenue - before.figures.revenue == (
        period.sold.value + period.price_effect + period.newly_linked_revenue - period.delisted_revenue
    )
    assert figures.units - before.figures.units == (
        period.sold.units + period.newly_linked_units - period.delisted_units
    )


def test_the_shop_has_all_that_the_definitions_are_about(compared: list[Compared]) -> None:
    """A proof over a shop in which nothing happens proves nothing."""
    periods = [one.summary.period for one in compared[1:]]
    for name in (
        "new_products", "newly_linked_products", "delisted_products", "repriced_products", "cancelled_units",
        "price_effect", "newly_premium", "no_longer_premium",
    ):  # fmt: skip
        assert any(getattr(period, name) for period in periods), name
    last = compared[-1].summary
    assert min(last.inventory.reorder, last.inventory.out_of_stock_selling, last.inventory.dormant) > 0
    assert last.comparisons.last_year.before
    assert last.comparisons.last_365
    assert last.comparisons.year_before.missing == "history_too_short"
    assert {one.summary.comparisons.previous.is_per_day for one in compared} == {True, False}
