"""A month beside the one before: what was sold since, what prices did, what is new, gone or fell, and the stock."""

from decimal import Decimal

import polars as pl
import pytest
from compared import Compared, Product, compare, published, wines_of

from tasks.domain.comparison import CHANGE_KINDS, gone_wines, list_changes
from tasks.domain.schemas import ComparedWine, GoneWine
from tasks.domain.stock import compute_stock, list_stock, stock_state, stock_value

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


@pytest.mark.parametrize(
    ("revenues", "carrying"),
    [
        pytest.param(["40", "40", "20"], 2, id="two make it exactly"),
        pytest.param(["40", "39.99", "20.01"], 3, id="two miss it by a cent"),
        pytest.param(["10", "20", "20", "20", "20", "10"], 4, id="whatever their order"),
        pytest.param(["0.01"], 1, id="one product"),
    ],
)
def test_the_products_that_carry_the_month_before_make_80_percent_of_its_revenue(
    revenues: list[str], carrying: int
) -> None:
    before = wines_of([Product(str(number), revenue, 1) for number, revenue in enumerate(revenues)])
    assert compare(wines_of(APRIL), published(before)).comparison.carrying_before == carrying


def test_a_product_is_listed_under_each_kind_of_change_that_happened_to_it() -> None:
    before = [*(Product(key, "10.00", 1) for key in "abcdefg"), Product("old", "90.00", 1), Product("left", "8.00", 2)]
    now = [
        Product("a", "10.00", 2), Product("b", "10.00", 0), Product("c", "11.00", 1),
        *(Product(key, "10.00", 1) for key in "defg"), Product("old", "12.00", 1), Product("new", "200.00", 1),
    ]  # fmt: skip
    may = compare(wines_of(now), published(wines_of(before)))
    changes = list_changes(may.month.wines.collect(), may.month.gone.collect())
    columns = ("change", "product_id", "rank_before", "total_sales_before", "price_before", "price", "total_sales")
    ten, dear, left = Decimal("10.00"), Decimal("90.00"), Decimal("8.00")
    assert changes.select(columns).rows() == [
        ("fallen", "b", 4, 1, ten, ten, 0),
        ("new", "new", None, None, None, Decimal("200.00"), 1),
        ("gone", "left", 2, 2, left, None, None),
        ("no_longer_premium", "old", 1, 1, dear, Decimal("12.00"), 1),
        ("repriced", "old", 1, 1, dear, Decimal("12.00"), 1),
        ("repriced", "c", 5, 1, ten, Decimal("11.00"), 1),
    ]


def test_a_wine_of_both_months_that_becomes_premium_is_listed_as_such() -> None:
    before = [Product(str(number), "10.00", 1) for number in range(9)]
    may = compare(wines_of([*before[:8], Product("8", "99.00", 1)]), published(wines_of(before)))
    changes = list_changes(may.month.wines.collect(), may.month.gone.collect())
    assert changes.select("change", "product_id").rows() == [("newly_premium", "8"), ("repriced", "8")]


def test_the_first_month_has_no_changes_to_list() -> None:
    april = compare(wines_of(APRIL), None)
    changes = list_changes(april.month.wines.collect(), april.month.gone.collect())
    assert changes.rows() == []
    assert changes.columns == ["change", *ComparedWine.column_names()]
    assert set(changes["change"].dtype.categories) == set(CHANGE_KINDS)


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


def test_the_stock_to_look_at_stands_in_the_order_of_its_urgency() -> None:
    """Over two months: four bottles sold are two a month, so five last two months and a half."""
    may = compare(
        wines_of([
            Product("out", "10.00", 5, 0), Product("out, dearer", "20.00", 4, 0),
            Product("selling", "10.00", 10, 5), Product("resting", "10.00", 9, 3), Product("fallen", "10.00", 2, 4),
            Product("idle", "10.00", 0, 2), Product("idle, dearer", "90.00", 0, 1),
            Product("not counted", "10.00", 6, None), Product("enough", "10.00", 60, 60),
        ]),
        published(wines_of([
            Product("out", "10.00", 2), Product("selling", "10.00", 6), Product("resting", "10.00", 9),
            Product("fallen", "10.00", 3), Product("not counted", "10.00", 1),
        ])),
        before_month="2025-03",
    )  # fmt: skip
    listed = list_stock(may.month.wines.collect(), may.comparison.months_apart)
    assert listed.select("product_id", "state", "months_left", "stock_value").rows() == [
        ("out, dearer", "sold_out", None, Decimal("0.00")),
        ("out", "sold_out", 0.0, Decimal("0.00")),
        ("selling", "nearly_out", 2.5, Decimal("50.00")),
        ("resting", "nearly_out", None, Decimal("30.00")),
        ("fallen", "nearly_out", None, Decimal("40.00")),
        ("idle, dearer", "idle", None, Decimal("90.00")),
        ("idle", "idle", None, Decimal("20.00")),
        ("not counted", "unknown", None, None),
    ]


def test_without_a_month_before_nobody_knows_how_long_the_bottles_last() -> None:
    april = compare(wines_of([Product("1", "10.00", 5, 0), Product("2", "10.00", 5, 3)]), None)
    listed = list_stock(april.month.wines.collect(), None)
    assert listed.select("product_id", "months_left").rows() == [("1", None), ("2", None)]
