"""The check of the comparison finds each thing that may be wrong with it, in rows and in figures."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from compared import Compared, Product, compare, published, wines_of

from tasks.domain.comparison_checks import check_comparison

APRIL = [Product("1", "10.00", 5), Product("2", "20.00", 3), Product("gone", "7.50", 4)]
MAY = [Product("1", "12.00", 8, 0), Product("2", "20.00", 2, 3), Product("new", "9.00", 1), Product("9", "1", 0, 8)]


@pytest.fixture(scope="module")
def sound() -> Compared:
    """One product was sold and repriced, one fell, two are new, one of them unsold in stock, and one is gone."""
    return compare(wines_of(MAY), published(wines_of(APRIL)))


def having(key: str, **values: object) -> Callable[[pl.LazyFrame], pl.LazyFrame]:
    """The product with other values."""
    return lambda frame: frame.with_columns(
        pl.when(pl.col("product_id") == key)
        .then(pl.lit(value).cast(frame.collect_schema()[name]))
        .otherwise(name)
        .alias(name)
        for name, value in values.items()
    )


def without(key: str) -> Callable[[pl.LazyFrame], pl.LazyFrame]:
    return lambda frame: frame.filter(pl.col("product_id") != key)


def twice(key: str) -> Callable[[pl.LazyFrame], pl.LazyFrame]:
    return lambda frame: pl.concat([frame, frame.filter(pl.col("product_id") == key)])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"rank": 3}, id="rank"),
        pytest.param({"is_new": True}, id="new"),
        pytest.param({"is_new": None}, id="neither new nor known"),
        pytest.param({"rank_before": 1}, id="rank before"),
        pytest.param({"total_sales_before": 4}, id="units before"),
        pytest.param({"price_before": Decimal("10.01")}, id="price before"),
        pytest.param({"revenue_before": Decimal("50.01")}, id="revenue before"),
        pytest.param({"was_premium": True}, id="class before"),
        pytest.param({"sold_since": 2}, id="sold since"),
        pytest.param({"sold_value": Decimal("30.00")}, id="sold at the price of before"),
        pytest.param({"price_effect": Decimal("16.00")}, id="price effect on what was sold since"),
    ],
)
def test_a_value_that_does_not_follow_from_the_two_months_is_found(sound: Compared, change: dict[str, Any]) -> None:
    spoiled = sound.month._replace(wines=having("1", **change)(sound.month.wines))
    assert check_comparison(sound.wines, sound.before, spoiled, sound.summary) == [
        '1 product wrongly among the compared ones, the first is "1"'
    ]


@pytest.mark.parametrize(
    ("spoil", "sentences"),
    [
        pytest.param(
            without("2"),
            [
                "the compared products are not the products that were classified",
                '1 product wrongly among the compared ones, the first is "2"',
            ],
            id="lost",
        ),
        pytest.param(
            twice("2"),
            [
                "the compared products are not the products that were classified",
                "1 product stand more than once among the compared ones",
            ],
            id="doubled",
        ),
        pytest.param(
            having("2", price=Decimal("20.01")),
            ["the compared products are not the products that were classified"],
            id="changed",
        ),
    ],
)
def test_a_product_of_the_month_is_there_once_and_as_it_was(sound: Compared, spoil, sentences: list[str]) -> None:
    spoiled = sound.month._replace(wines=spoil(sound.month.wines))
    assert check_comparison(sound.wines, sound.before, spoiled, sound.summary) == sentences


@pytest.mark.parametrize(
    "spoil",
    [
        without("gone"),
        having("gone", revenue=Decimal("30.01")),
        having("gone", rank=2),
        having("gone", product_id="1"),
    ],
    ids=["lost", "revenue", "rank", "one that is still there"],
)
def test_a_gone_product_is_there_once_and_as_it_was(sound: Compared, spoil) -> None:
    spoiled = sound.month._replace(gone=spoil(sound.month.gone))
    (sentence,) = check_comparison(sound.wines, sound.before, spoiled, sound.summary)
    assert "wrongly among the gone ones" in sentence


def test_products_of_the_month_before_that_differ_in_case_only_are_found(sound: Compared) -> None:
    before = pl.concat([sound.before, having("gone", product_id="GONE")(without("1")(without("2")(sound.before)))])
    assert check_comparison(sound.wines, before, sound.month, sound.summary) == [
        "the month compared with has 1 product with a key that another one has"
    ]


FIGURES = [
    "products_before", "units_before", "revenue_before", "premium_before", "premium_revenue_before", "carrying_before",
    "units_sold", "sold_value", "price_effect", "repriced", "new_products", "new_units", "new_revenue",
    "gone_products", "gone_units", "gone_revenue", "fallen_products", "fallen_units", "fallen_value",
    "newly_premium", "no_longer_premium",
]  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_of_the_comparison_that_does_not_follow_from_the_products_is_found(sound: Compared, name: str) -> None:
    right = getattr(sound.comparison, name)
    wrong = right + (Decimal("0.01") if isinstance(right, Decimal) else 1)
    summary = replace(sound.summary, comparison=replace(sound.comparison, **{name: wrong}))
    sentences = check_comparison(sound.wines, sound.before, sound.month, summary)
    assert sentences[0] == f"comparison: {name} is {wrong:,} where the products give {right:,}"


def test_parts_that_do_not_add_up_to_the_change_are_found(sound: Compared) -> None:
    comparison = replace(sound.comparison, units_sold=4, sold_value=Decimal("48.00"))
    summary = replace(sound.summary, comparison=comparison)
    assert check_comparison(sound.wines, sound.before, sound.month, summary) == [
        "comparison: units_sold is 4 where the products give 3",
        "comparison: sold_value is 48.00 where the products give 36.00",
        "the units changed by -1 units, the parts of it add up to 0",
        "the revenue changed by 500 cents, the parts of it add up to 1,700",
    ]


@pytest.mark.parametrize(
    "name", ["sold_out", "sold_out_revenue", "nearly_out", "idle", "idle_units", "idle_value", "unknown"]
)
def test_a_figure_of_the_stock_that_does_not_follow_from_the_products_is_found(sound: Compared, name: str) -> None:
    right = getattr(sound.summary.stock, name)
    wrong = right + (Decimal("0.01") if isinstance(right, Decimal) else 1)
    summary = replace(sound.summary, stock=replace(sound.summary.stock, **{name: wrong}))
    assert check_comparison(sound.wines, sound.before, sound.month, summary) == [
        f"stock: {name} is {wrong:,} where the products give {right:,}"
    ]


def test_a_comparison_with_nothing_is_found(sound: Compared) -> None:
    assert check_comparison(sound.wines, sound.before, sound.month, replace(sound.summary, comparison=None)) == [
        "there is a comparison without a month compared with, or none with one"
    ]


def test_products_of_the_month_that_differ_in_case_only_are_found(sound: Compared) -> None:
    wines = pl.concat([sound.wines, having("new", product_id="NEW")(sound.wines.filter(product_id="new"))])
    assert check_comparison(wines, sound.before, sound.month, sound.summary) == [
        "the month has 1 product with a key that another one has"
    ]


def test_the_order_of_the_products_that_are_gone_does_not_matter() -> None:
    two = compare(wines_of(MAY), published(wines_of([*APRIL, Product("lost", "1.00", 1)])))
    reverse = two.month._replace(gone=two.month.gone.reverse())
    assert check_comparison(two.wines, two.before, reverse, two.summary) == []
