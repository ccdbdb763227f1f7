"""Revenue, premium wines and the month's headline figures."""

from decimal import Decimal

import pytest
from frames import month, product

from tasks.domain.figures import compute_figures


def wines_of(*prices: object, threshold: float = 2.0):
    """The classified wines of products with these prices, one unit each, by price."""
    rows = [product(number, price=price) for number, price in enumerate(prices, start=1)]
    erp, liaison, web = (list(sheet) for sheet in zip(*rows, strict=True))
    return month(erp, liaison, web).wines(threshold)


def test_revenue_is_price_times_units_to_the_cent() -> None:
    erp, liaison, web = product(1, price=34.299999999999997, sales=3)
    assert month([erp], [liaison], [web]).wines()["revenue"].to_list() == [Decimal("102.90")]


def test_products_stand_by_revenue_and_then_by_key_letter_for_letter() -> None:
    rows = [product(number, price=price) for number, price in ((10, 5), (9, 5), (2, 7))]
    erp, liaison, web = (list(sheet) for sheet in zip(*rows, strict=True))
    assert month(erp, liaison, web).wines()["product_id"].to_list() == ["2", "10", "9"]


def test_the_population_decides_who_is_premium() -> None:
    """With the sample deviation (ddof 1) the z-score would be 1.79 and no wine premium."""
    wines = wines_of(10, 10, 10, 10, 110, threshold=1.9)
    assert wines["z_score"].to_list() == pytest.approx([2.0, -0.5, -0.5, -0.5, -0.5])
    assert wines.filter("is_premium")["price"].to_list() == [Decimal(110)]


@pytest.mark.parametrize(
    ("threshold", "premium"),
    [
        pytest.param(1.999999, 1, id="just under"),
        pytest.param(2.0, 0, id="on the threshold"),
        pytest.param(2.0 - 1e-10, 0, id="nearer than a float can tell"),
        pytest.param(2.000001, 0, id="just over"),
    ],
)
def test_a_wine_at_the_threshold_is_ordinary(threshold: float, premium: int) -> None:
    assert wines_of(10, 10, 10, 10, 110, threshold=threshold)["is_premium"].sum() == premium


@pytest.mark.parametrize("prices", [(12,), (12, 12, 12)], ids=["one product", "equal prices"])
def test_without_a_spread_every_wine_is_ordinary(prices: tuple[int, ...]) -> None:
    wines = wines_of(*prices, threshold=-1.0)
    assert wines["z_score"].to_list() == [0.0] * len(prices)
    assert compute_figures(wines_of(*prices), 2.0).ordinary == len(prices)


def test_the_figures_of_a_month() -> None:
    figures = compute_figures(wines_of(10, 10, 10, 10, 110, threshold=1.9), 1.9)
    assert (figures.products, figures.units, figures.revenue) == (5, 5, Decimal("150.00"))
    assert (figures.premium, figures.ordinary, figures.premium_revenue) == (1, 4, Decimal("110.00"))
    assert (figures.threshold_price, figures.cheapest_premium) == (Decimal("106.00"), Decimal("110.00"))


def test_a_month_without_premium_wines_has_no_cheapest_one() -> None:
    assert compute_figures(wines_of(10, 11), 2.0).cheapest_premium is None
