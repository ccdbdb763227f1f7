"""What holds for any month beside any other; the check of the comparison runs on each of them."""

import random

from compared import Compared, Product, compare, published, wines_of
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

KEYS = ["1", "2", "7", "007", "13127-1", "a", "É", "bon-cadeau", "w", "Z"]

prices = st.integers(1, 99_999).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
counts = st.integers(0, 300) | st.sampled_from([0, 0, 10**9])
stocks = st.none() | st.integers(0, 30)


@st.composite
def months(draw: st.DrawFn) -> list[Product]:
    """Products with keys in any case."""
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
    cased = [draw(st.sampled_from([key, key.upper(), key.lower()])) for key in keys]
    return [Product(key, draw(prices), draw(counts), draw(stocks)) for key in cased]


def beside(now: list[Product], before: list[Product]) -> Compared:
    return compare(wines_of(now, 1.0), published(wines_of(before, 1.0)))


@given(months(), months())
def test_every_change_of_the_total_is_explained(now: list[Product], before: list[Product]) -> None:
    both = beside(now, before)
    then, figures = both.comparison, both.summary.figures
    assert figures.revenue - then.revenue_before == (
        then.sold_value + then.price_effect + then.new_revenue - then.gone_revenue - then.fallen_value
    )
    assert figures.units - then.units_before == (then.units_sold + then.new_units - then.gone_units - then.fallen_units)
    assert figures.products - then.products_before == then.new_products - then.gone_products


@given(months(), months(), st.randoms(use_true_random=False))
def test_the_order_of_the_products_decides_nothing(
    now: list[Product], before: list[Product], rng: random.Random
) -> None:
    one = beside(now, before)
    other = beside(rng.sample(now, len(now)), rng.sample(before, len(before)))
    assert one.summary.comparison == other.summary.comparison
    assert one.summary.stock == other.summary.stock
    assert_frame_equal(one.month.wines, other.month.wines)
    assert_frame_equal(one.month.gone, other.month.gone)


@given(months())
def test_a_month_beside_itself_has_not_changed(month: list[Product]) -> None:
    respelled = [Product(product.key.swapcase(), product.price, product.units, product.stock) for product in month]
    for before in (month, respelled):
        then = beside(month, before).comparison
        assert (then.units_sold, then.sold_value, then.price_effect, then.fallen_units, then.repriced) == (0,) * 5
        assert (then.new_products, then.gone_products, then.newly_premium, then.no_longer_premium) == (0,) * 4


@given(months(), months())
def test_forth_and_back_mirror_each_other(one: list[Product], other: list[Product]) -> None:
    """What is new one way is gone the other, and what was sold one way fell the other."""
    forth, back = beside(one, other).comparison, beside(other, one).comparison
    assert (forth.new_products, forth.new_units, forth.new_revenue) == (
        back.gone_products, back.gone_units, back.gone_revenue,
    )  # fmt: skip
    assert (forth.units_sold, forth.repriced, forth.newly_premium) == (
        back.fallen_units, back.repriced, back.no_longer_premium,
    )  # fmt: skip
