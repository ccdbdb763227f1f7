"""A month beside the one before: what was sold since, what prices did, what is new, gone or fell, and the stock."""

from decimal import Decimal

import polars as pl
import pytest
from compared import Compared, Product, compare, published, wines_of

from tasks.domain.comparison import gone_wines
from tasks.domain.schemas import ComparedWine, GoneWine
from tasks.domain.stock import compute_stock, stock_state, stock_value

APRIL = [
    Product("1", "10.00", 5),
    Product("2", "20.00", 3),
    Product("3", "30.00", 1),
    Product("left", "7.50", 4),
]


def beside_april(*may: Product, threshold: float = 2.0) -> Compared:
    return compare(wines_of(may, threshold), published(wines_of(APRIL, threshold)))


def test_what_was_sold_since_is_the_growth_of_the_counter_at_today_s_price() -> None:
    may = beside_april(Product("1", "10.00", 8), *APRIL[1:])
    assert may.rows("product_id", "sold_since", "sold_value") == [
        ("1", 3, Decimal("30.00")),
        ("2", 0, Decimal("0.00")),
        ("3", 0, Decimal("0.00")),
        ("left", 0, Decimal("0.00")),
    ]
    assert (may.comparison.units_sold, may.comparison.sold_value) == (3, Decimal("30.00"))
    assert may.comparison.price_effect == Decimal("0.00")


def test_a_new_price_is_kept_apart_from_what_was_sold() -> None:
    """Five were sold at 10.00 before and two since: 2 x 12.00 were sold, and the five count 5 x 2.00 more."""
    may = beside_april(Product("1", "12.00", 7), *APRIL[1:])
    assert may.rows("sold_value", "price_effect")[0] == (Decimal("24.00"), Decimal("10.00"))
    assert (may.comparison.sold_value, may.comparison.price_effect) == (Decimal("24.00"), Decimal("10.00"))
    assert may.comparison.repriced == 1
    assert may.summary.figures.revenue - may.comparison.revenue_before == Decimal("34.00")


def test_a_lower_price_takes_revenue_away_that_was_made_before() -> None:
    may = beside_april(Product("1", "9.99", 5), *APRIL[1:])
    assert may.comparison.price_effect == Decimal("-0.05")
    assert may.comparison.sold_value == Decimal("0.00")


def test_a_counter_that_fell_is_told_apart_from_what_was_sold() -> None:
    may = beside_april(Product("1", "10.00", 6), Product("2", "20.00", 1), *APRIL[2:])
    assert may.rows("product_id", "sold_since", "sold_value")[0] == ("1", 1, Decimal("10.00"))
    assert ("2", -2, Decimal("-40.00")) in may.rows("product_id", "sold_since", "sold_value")
    comparison = may.comparison
    assert (comparison.units_sold, comparison.sold_value) == (1, Decimal("10.00"))
    assert (comparison.fallen_products, comparison.fallen_units, comparison.fallen_value) == (1, 2, Decimal("40.00"))


def test_a_new_product_brings_its_whole_counter_and_a_gone_one_takes_its_own() -> None:
    may = beside_april(*APRIL[:3], Product("4", "15.00", 2))
    assert may.rows("product_id", "is_new", "rank_before", "sold_since") == [
        ("2", False, 1, 0),
        ("1", False, 2, 0),
        ("3", False, 3, 0),
        ("4", True, None, None),
    ]
    comparison = may.comparison
    assert (comparison.new_products, comparison.new_units, comparison.new_revenue) == (1, 2, Decimal("30.00"))
    assert (comparison.gone_products, comparison.gone_units, comparison.gone_revenue) == (1, 4, Decimal("30.00"))
    gone = may.month.gone.collect()
    assert gone.columns == GoneWine.column_names()
    assert gone.select("product_id", "total_sales", "revenue", "rank").rows() == [("left", 4, Decimal("30.00"), 4)]


def test_a_key_in_another_case_is_the_same_product() -> None:
    may = beside_april(*APRIL[:3], Product("LEFT", "7.50", 6))
    assert (may.comparison.new_products, may.comparison.gone_products) == (0, 0)
    assert may.rows("product_id", "is_new", "sold_since")[2] == ("LEFT", False, 2)


def test_ranks_are_places_by_revenue_in_either_month() -> None:
    may = beside_april(Product("1", "10.00", 5), Product("2", "20.00", 3), Product("3", "30.00", 9), APRIL[3])
    assert may.rows("product_id", "rank", "rank_before") == [("3", 1, 3), ("2", 2, 1), ("1", 3, 2), ("left", 4, 4)]


def test_wines_that_become_premium_or_cease_to_be_are_counted() -> None:
    before = [Product(str(number), "10.00", 1) for number in range(8)] + [Product("a", "90.00", 1)]
    now = [Product(str(number), "10.00", 1) for number in range(7)] + [Product("7", "200", 1), Product("a", "12", 1)]
    may = compare(wines_of(now), published(wines_of(before)))
    assert (may.comparison.newly_premium, may.comparison.no_longer_premium) == (1, 1)
    assert (may.comparison.premium_before, may.comparison.premium_revenue_before) == (1, Decimal("90.00"))
    assert may.rows("product_id", "is_premium", "was_premium")[0] == ("7", True, False)


def test_a_premium_wine_that_is_gone_is_no_wine_that_ceased_to_be_premium() -> None:
    before = [Product(str(number), "10.00", 1) for number in range(8)] + [Product("a", "90.00", 1)]
    may = compare(wines_of(before[:8]), published(wines_of(before)))
    assert (may.comparison.premium_before, may.comparison.no_longer_premium) == (1, 0)
    assert may.month.gone.collect()["is_premium"].to_list() == [True]


def test_the_first_month_is_compared_with_nothing() -> None:
    may = compare(wines_of(APRIL), None)
    assert may.summary.comparison is None
    compared = may.month.wines.collect()
    assert compared.columns == ComparedWine.column_names()
    assert compared["rank"].to_list() == [1, 2, 3, 4]
    empty = compared.select(pl.exclude(*may.wines.collect_schema().names(), "rank"))
    assert set(empty.null_count().row(0)) == {compared.height}
    assert gone_wines(may.wines, None).collect().rows() == []


def test_a_month_beside_itself_shows_no_change() -> None:
    may = beside_april(*APRIL)
    changes = {
        name: getattr(may.comparison, name)
        for name in (
            "units_sold", "sold_value", "price_effect", "repriced", "new_products", "new_units", "new_revenue",
            "gone_products", "gone_units", "gone_revenue", "fallen_products", "fallen_units", "fallen_value",
            "newly_premium", "no_longer_premium",
        )
    }  # fmt: skip
    assert set(changes.values()) == {0}
    assert all(rank == before for rank, before in may.rows("rank", "rank_before"))


@pytest.mark.parametrize(
    ("month", "apart"),
    [("2025-04", 1), ("2025-03", 2), ("2024-05", 12), ("2024-04", 13)],
    ids=["the month before", "a month is missing", "a year", "over a year"],
)
def test_a_gap_of_months_is_told(month: str, apart: int) -> None:
    wines = wines_of(APRIL)
    assert compare(wines, published(wines), before_month=month).comparison.months_apart == apart


# --- stock


@pytest.mark.parametrize(
    ("units", "stock", "state"),
    [
        pytest.param(1, None, "unknown", id="no count"),
        pytest.param(0, None, "unknown", id="no count and never sold"),
        pytest.param(1, 0, "sold_out", id="sold and none left"),
        pytest.param(0, 0, "enough", id="never sold and none there"),
        pytest.param(1, 1, "nearly_out", id="the last bottle"),
        pytest.param(1, 5, "nearly_out", id="a bottle less than a case"),
        pytest.param(1, 6, "enough", id="a case"),
        pytest.param(0, 1, "idle", id="one bottle that nobody wants"),
        pytest.param(0, 600, "idle", id="many of them"),
        pytest.param(9, 600, "enough", id="sold and there"),
    ],
)
def test_the_stock_of_a_product_has_one_state(units: int, stock: int | None, state: str) -> None:
    wines = wines_of([Product("1", "10.00", units, stock)])
    assert wines.select(stock_state()).collect().item() == state


def test_the_figures_of_the_stock_count_each_product_once_at_its_price() -> None:
    stock = compute_stock(
        wines_of([
            Product("1", "10.00", 5, 0),
            Product("2", "20.00", 3, 0),
            Product("3", "30.00", 1, 2),
            Product("4", "7.35", 0, 3),
            Product("5", "0.10", 0, 10),
            Product("6", "1.00", 0, None),
            Product("7", "1.00", 1, 12),
        ]).collect()
    )  # fmt: skip
    assert (stock.sold_out, stock.sold_out_revenue) == (2, Decimal("110.00"))
    assert (stock.nearly_out, stock.unknown) == (1, 1)
    assert (stock.idle, stock.idle_units, stock.idle_value) == (2, 13, Decimal("23.05"))


def test_stock_that_no_cellar_holds_is_still_counted_exactly() -> None:
    largest = 9_999_999_999_999
    wines = wines_of([Product(str(number), "9999999999999.99", 0, largest) for number in range(3)])
    assert compute_stock(wines.collect()).idle_value == 3 * largest * Decimal("9999999999999.99")
    assert wines.select(stock_value()).collect().to_series()[0] == largest * Decimal("9999999999999.99")
