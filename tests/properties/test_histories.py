"""What is true of any snapshots, whatever their dates and products; every invariant is checked on each of them."""

import random
from dataclasses import asdict, replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference_period import Reference
from snapshots import Compared, Exported, Row, compare, flat

from tasks.domain.period import select_trend
from tasks.publication.history import HISTORY_DAYS

fewer = settings(max_examples=settings().max_examples * 2 // 5)
"""Each example is up to fifteen snapshots."""

KEYS = ["1", "2", "7", "007", "13127-1", "a", "É", "bon-cadeau", "w", "Z"]

prices = st.integers(1, 99_999).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
counts = st.integers(0, 300) | st.sampled_from([0, 0, 10**9])
stocks = st.none() | st.integers(-3, 30)
gaps = st.integers(25, 35) | st.integers(1, 120)
first_days = st.dates(date(2023, 1, 1), date(2024, 12, 31)) | st.just(date(2024, 2, 29))


@st.composite
def rows(draw: st.DrawFn, day: date) -> list[Row]:
    """Products with keys in any case, most of them old, some without a date."""
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
    cased = [draw(st.sampled_from([key, key.upper(), key.lower()])) for key in keys]
    added = st.none() | st.just(date(2019, 5, 4)) | st.integers(-5, 40).map(lambda days: day - timedelta(days=days))
    return [Row(key, draw(prices), draw(counts), draw(stocks), draw(added)) for key in cased]


@st.composite
def histories(draw: st.DrawFn, most: int = 15) -> list[Exported]:
    """Snapshots in the order of their export, as far back as a month is computed with."""
    day = draw(first_days)
    last = day + timedelta(days=HISTORY_DAYS)
    days = [day]
    for gap in draw(st.lists(gaps, max_size=most - 1)):
        day += timedelta(days=gap)
        if day <= last:
            days.append(day)
    return [Exported(day, draw(rows(day)), 1.0) for day in days]


@fewer
@given(histories())
def test_every_figure_equals_an_independent_computation(snapshots: list[Exported]) -> None:
    compared, reference = compare(*snapshots), Reference(snapshots)
    summary, expected = asdict(compared.summary), reference.expected()
    for part in ("period", "comparisons", "inventory"):
        assert flat({part: summary[part]}) == flat({part: expected[part]})
    assert select_trend(compared.period.totals).collect().to_dicts() == reference.trend()
    for row in compared.wines.iter_rows(named=True):
        product = reference.product(row["product_id"].lower())
        assert {name: row[name] for name in product} == product


@fewer
@given(histories(most=4), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_decides_nothing(snapshots: list[Exported], rng: random.Random) -> None:
    one = compare(*snapshots)
    other = compare(*(replace(each, rows=rng.sample(each.rows, len(each.rows))) for each in snapshots))
    assert one.summary == other.summary
    for name in one.period._fields:
        assert_frame_equal(getattr(one.period, name).collect(), getattr(other.period, name).collect())


@fewer
@given(histories(most=1), st.integers(1, 60))
def test_a_snapshot_compared_with_itself_has_sold_nothing(snapshots: list[Exported], days: int) -> None:
    (first,) = snapshots
    respelled = [replace(row, key=row.key.swapcase()) for row in first.rows]
    compared: Compared = compare(first, replace(first, day=first.day + timedelta(days=days), rows=respelled))
    period = compared.summary.period
    assert (period.sold.units, period.sold.value, period.price_effect, period.cancelled_units) == (0,) * 4
    assert (period.new_products, period.newly_linked_products, period.delisted_products) == (0,) * 3
    assert (period.repriced_products, period.newly_premium, period.no_longer_premium) == (0,) * 3
