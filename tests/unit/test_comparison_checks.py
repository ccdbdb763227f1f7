"""Each invariant of the comparison finds the inconsistency that it is for."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from snapshots import Compared, Exported, Row, compare

from tasks.domain.period import Period

OLD, APRIL, MAY = date(2019, 5, 4), date(2025, 4, 15), date(2025, 5, 15)


@pytest.fixture(scope="module")
def compared() -> Compared:
    march = [Row("a", "10.00", 5, added=OLD), Row("b", "20.00", 3, added=OLD), Row("left", "7.50", 4, added=OLD)]
    april = [Row("a", "10.00", 6, added=OLD), *march[1:]]
    may = [
        Row("a", "12.00", 8, added=OLD),
        Row("b", "20.00", 2, added=OLD),
        Row("c", "9.00", 7, added=OLD),
        Row("d", "9.50", 1, added=date(2025, 5, 2)),
    ]
    february = Exported(date(2025, 2, 14), march)
    return compare(february, Exported(date(2025, 3, 15), march), Exported(APRIL, april), Exported(MAY, may))


def changed(compared: Compared, frame: str, product: str, **values: object) -> Period:
    """The period with other values in the rows of one product, or of one period by its end."""
    rows = getattr(compared.period, frame).collect()
    is_meant = (pl.col("product_id") if "product_id" in rows.columns else pl.col("end").cast(pl.String)) == product
    new = [
        pl.when(is_meant).then(pl.lit(value)).otherwise(pl.col(name)).cast(rows.schema[name]).alias(name)
        for name, value in values.items()
    ]
    return compared.period._replace(**{frame: rows.with_columns(new).lazy()})


def without(compared: Compared, frame: str, product: str) -> Period:
    rows = getattr(compared.period, frame)
    return compared.period._replace(**{frame: rows.filter(pl.col("product_id") != product)})


def test_a_right_comparison_has_no_inconsistency(compared: Compared) -> None:
    assert compared.check() == []


@pytest.mark.parametrize(
    ("frame", "product", "values", "sentences"),
    [
        pytest.param(
            "wines",
            "a",
            {"total_sales": 9},
            ["the compared products are not the products that were classified"],
            id="a counter that changed on the way",
        ),
        pytest.param(
            "wines",
            "a",
            {"sold_units": 3},
            [
                "units of the period is 2, its products add up to 3",
                "units sold less units cancelled are not the units of the period",
            ],
            id="units that are not those of the total",
        ),
        pytest.param(
            "wines",
            "a",
            {"sold_value": Decimal("24.01")},
            ["value of the period is 13.50, its products add up to 13.51"],
            id="a cent too much",
        ),
        pytest.param(
            "wines",
            "a",
            {"status": "new"},
            [
                '1 product of the previous snapshot missing or repeated, the first is "a"',
                '1 product of the previous snapshot called new, the first is "a"',
            ],
            id="a product of before that is called new",
        ),
        pytest.param(
            "wines",
            "c",
            {"status": "continuing"},
            ['1 product of the previous snapshot missing or repeated, the first is "c"'],
            id="a product that continues from nothing",
        ),
        pytest.param(
            "wines",
            "a",
            {"status": None},
            [
                '1 product of the previous snapshot missing or repeated, the first is "a"',
                '1 product of the previous snapshot called new, the first is "a"',
                "1 product without a status",
            ],
            id="no status",
        ),
        pytest.param(
            "wines",
            "a",
            {"at_risk": Decimal("-1.00")},
            ["products: 1 row against the rule at_risk|min"],
            id="an amount below 0",
        ),
        pytest.param(
            "wines", "a", {"product_id": "b"}, ["products: 2 rows against the rule primary_key"], id="a product twice"
        ),
        pytest.param(
            "delisted",
            "left",
            {"product_id": "x"},
            ['2 products of the previous snapshot missing or repeated, the first is "left"'],
            id="another product delisted",
        ),
        pytest.param(
            "delisted",
            "left",
            {"revenue": Decimal("-1.00")},
            ["delisted products: 1 row against the rule revenue|min"],
            id="a delisted product with revenue below 0",
        ),
        pytest.param(
            "totals",
            "2025-05-15",
            {"premium_units": 1},
            ["premium_units of the period is 1, its products add up to 0"],
            id="premium bottles that no wine sold",
        ),
        pytest.param(
            "totals",
            "2025-05-15",
            {"premium_value": Decimal("0.01")},
            ["premium_value of the period is 0.01, its products add up to 0.00"],
            id="premium cents that no wine earned",
        ),
        pytest.param(
            "totals",
            "2025-05-15",
            {"is_current": False},
            ["the last period of the trend is not this one"],
            id="no current period",
        ),
        pytest.param(
            "totals",
            "2025-04-15",
            {"is_current": True},
            ["the last period of the trend is not this one"],
            id="two current periods",
        ),
        pytest.param(
            "totals",
            "2025-05-15",
            {"start": date(2025, 4, 14)},
            ["the periods of the trend do not follow each other"],
            id="a gap in the trend",
        ),
        pytest.param(
            "totals",
            "2025-05-15",
            {"days": 0},
            ["periods: 1 row against the rule days|min"],
            id="a period without days",
        ),
    ],
)
def test_a_wrong_row_is_found(
    compared: Compared, frame: str, product: str, values: dict[str, object], sentences: list[str]
) -> None:
    assert compared.check(changed(compared, frame, product, **values)) == sentences


@pytest.mark.parametrize(
    ("frame", "product", "sentence"),
    [
        pytest.param("wines", "d", "the compared products are not the products that were classified", id="a new one"),
        pytest.param(
            "delisted",
            "left",
            '1 product of the previous snapshot missing or repeated, the first is "left"',
            id="a delisted one",
        ),
    ],
)
def test_a_lost_product_is_found(compared: Compared, frame: str, product: str, sentence: str) -> None:
    assert sentence in compared.check(without(compared, frame, product))


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        pytest.param(
            {"price_effect": Decimal("12.01")}, "revenue changed by 58.50, its parts add up to 58.51", id="price"
        ),
        pytest.param(
            {"newly_linked_revenue": Decimal("62.99")},
            "revenue changed by 58.50, its parts add up to 58.49",
            id="newly linked revenue",
        ),
        pytest.param({"newly_linked_units": 8}, "units changed by 5, its parts add up to 6", id="newly linked units"),
        pytest.param(
            {"delisted_revenue": Decimal("29.99")},
            "revenue changed by 58.50, its parts add up to 58.51",
            id="delisted revenue",
        ),
        pytest.param({"delisted_units": 3}, "units changed by 5, its parts add up to 6", id="delisted units"),
        pytest.param(
            {"revenue_before": Decimal("150.01")},
            "revenue before is 150.01, the previous snapshot adds up to 150.00",
            id="revenue before",
        ),
        pytest.param(
            {"units_before": 12}, "units before is 12, the previous snapshot adds up to 13", id="units before"
        ),
        pytest.param(
            {"new_products": 2}, "the number of products changed by 1, its parts add up to 2", id="new products"
        ),
        pytest.param(
            {"delisted_products": 0},
            "the number of products changed by 1, its parts add up to 2",
            id="delisted products",
        ),
        pytest.param(
            {"cancelled_units": 2},
            "units sold less units cancelled are not the units of the period",
            id="cancelled units",
        ),
        pytest.param(
            {"cancelled_value": Decimal("20.01")},
            "the value of the cancellations is not that of the products",
            id="cancelled value",
        ),
    ],
)
def test_a_wrong_figure_is_found(compared: Compared, figures: dict[str, object], sentence: str) -> None:
    summary = replace(compared.summary, period=replace(compared.summary.period, **figures))
    assert compared.check(summary=summary) == [sentence]


def test_a_period_without_an_earlier_snapshot_is_found(compared: Compared) -> None:
    sentence = ["there are figures of a period without an earlier snapshot, or none with one"]
    assert compared.check(summary=replace(compared.summary, period=None)) == sentence
    first = compare(Exported(MAY, [Row("a", "10.00", 5)]))
    assert first.check(summary=replace(first.summary, period=compared.summary.period)) == sentence
