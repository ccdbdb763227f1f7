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


NOT_THOSE = "the compared products are not the products that were classified"
LOST = '{} product{} of the previous snapshot missing or repeated, the first is "{}"'
CALLED_NEW = '1 product of the previous snapshot called new, the first is "a"'
NO_CURRENT = "the last period of the trend is not this one"
SPLIT = "units sold less units cancelled are not the units of the period"

WRONG_ROWS: dict[str, tuple[str, str, dict[str, object], list[str]]] = {
    "a counter that changed on the way": ("wines", "a", {"total_sales": 9}, [NOT_THOSE]),
    "units that are not those of the total": (
        "wines", "a", {"sold_units": 3}, ["units of the period is 2, its products add up to 3", SPLIT],
    ),
    "a cent too much": (
        "wines", "a", {"sold_value": Decimal("24.01")}, ["value of the period is 13.50, its products add up to 13.51"],
    ),
    "a product of before that is called new": ("wines", "a", {"status": "new"}, [LOST.format(1, "", "a"), CALLED_NEW]),
    "a product that continues from nothing": ("wines", "c", {"status": "continuing"}, [LOST.format(1, "", "c")]),
    "no status": ("wines", "a", {"status": None}, [LOST.format(1, "", "a"), CALLED_NEW, "1 product without a status"]),
    "an amount below 0": ("wines", "a", {"at_risk": Decimal(-1)}, ["products: 1 row against the rule at_risk|min"]),
    "a product twice": ("wines", "a", {"product_id": "b"}, ["products: 2 rows against the rule primary_key"]),
    "another product delisted": ("delisted", "left", {"product_id": "x"}, [LOST.format(2, "s", "left")]),
    "a delisted product with revenue below 0": (
        "delisted", "left", {"revenue": Decimal("-1.00")}, ["delisted products: 1 row against the rule revenue|min"],
    ),
    "premium bottles that no wine sold": (
        "totals", "2025-05-15", {"premium_units": 1}, ["premium_units of the period is 1, its products add up to 0"],
    ),
    "premium cents that no wine earned": (
        "totals", "2025-05-15", {"premium_value": Decimal("0.01")},
        ["premium_value of the period is 0.01, its products add up to 0.00"],
    ),
    "no current period": ("totals", "2025-05-15", {"is_current": False}, [NO_CURRENT]),
    "two current periods": ("totals", "2025-04-15", {"is_current": True}, [NO_CURRENT]),
    "a gap in the trend": (
        "totals", "2025-05-15", {"start": date(2025, 4, 14)}, ["the periods of the trend do not follow each other"],
    ),
    "a period without days": ("totals", "2025-05-15", {"days": 0}, ["periods: 1 row against the rule days|min"]),
}  # fmt: skip


@pytest.mark.parametrize(("frame", "product", "values", "sentences"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_a_wrong_row_is_found(
    compared: Compared, frame: str, product: str, values: dict[str, object], sentences: list[str]
) -> None:
    assert compared.check(changed(compared, frame, product, **values)) == sentences


@pytest.mark.parametrize(
    ("frame", "product", "sentence"), [("wines", "d", NOT_THOSE), ("delisted", "left", LOST.format(1, "", "left"))]
)
def test_a_lost_product_is_found(compared: Compared, frame: str, product: str, sentence: str) -> None:
    assert sentence in compared.check(without(compared, frame, product))


REVENUE, UNITS = "revenue changed by 58.50, its parts add up to {}", "units changed by 5, its parts add up to 6"
PRODUCTS = "the number of products changed by 1, its parts add up to 2"
WRONG_FIGURES: list[tuple[dict[str, object], str]] = [
    ({"price_effect": Decimal("12.01")}, REVENUE.format("58.51")),
    ({"newly_linked_revenue": Decimal("62.99")}, REVENUE.format("58.49")),
    ({"newly_linked_units": 8}, UNITS),
    ({"delisted_revenue": Decimal("29.99")}, REVENUE.format("58.51")),
    ({"delisted_units": 3}, UNITS),
    ({"revenue_before": Decimal("150.01")}, "revenue before is 150.01, the previous snapshot adds up to 150.00"),
    ({"units_before": 12}, "units before is 12, the previous snapshot adds up to 13"),
    ({"new_products": 2}, PRODUCTS),
    ({"delisted_products": 0}, PRODUCTS),
    ({"cancelled_units": 2}, SPLIT),
    ({"cancelled_value": Decimal("20.01")}, "the value of the cancellations is not that of the products"),
]


@pytest.mark.parametrize(("figures", "sentence"), WRONG_FIGURES, ids=[next(iter(case)) for case, _ in WRONG_FIGURES])
def test_a_wrong_figure_is_found(compared: Compared, figures: dict[str, object], sentence: str) -> None:
    summary = replace(compared.summary, period=replace(compared.summary.period, **figures))
    assert compared.check(summary=summary) == [sentence]


def test_a_period_without_an_earlier_snapshot_is_found(compared: Compared) -> None:
    sentence = ["there are figures of a period without an earlier snapshot, or none with one"]
    assert compared.check(summary=replace(compared.summary, period=None)) == sentence
    first = compare(Exported(MAY, [Row("a", "10.00", 5)]))
    assert first.check(summary=replace(first.summary, period=compared.summary.period)) == sentence
