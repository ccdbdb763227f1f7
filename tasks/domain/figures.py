"""The run's parameters going in and the month's headline figures coming out."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import polars as pl

Language = Literal["en", "fr"]
CsvDialect = Literal["standard", "french"]


@dataclass(frozen=True)
class Parameters:
    """What a run may be told about its rules.

    Attributes:
        month: The label of the snapshot, `YYYY-MM`.
        premium_threshold: A wine is premium when the z-score of its price is above this.
        unmatched_limit: Highest accepted share of links and of web products without a partner, from 0 to 1.
        language: Language of the workbook.
        csv_dialect: How the CSV files are written: `standard` with commas and decimal points, or `french` as French
            Excel opens them, with semicolons, decimal commas and a byte order mark.
    """

    month: str
    premium_threshold: float = 2.0
    unmatched_limit: float = 0.1
    language: Language = "en"
    csv_dialect: CsvDialect = "standard"


@dataclass(frozen=True)
class Figures:
    """The month in eight numbers.

    Attributes:
        products: Products that are in all three workbooks.
        units: Units sold of them, the shop's counter at its export.
        revenue: Their revenue, EUR.
        premium: How many of them are premium wines.
        ordinary: How many are not.
        premium_revenue: Revenue of the premium wines, EUR.
        threshold_price: Mean price plus threshold times its standard deviation, EUR; wines above it are premium.
        cheapest_premium: Price of the cheapest premium wine, EUR; None where there is none.
    """

    products: int
    units: int
    revenue: Decimal
    premium: int
    ordinary: int
    premium_revenue: Decimal
    threshold_price: Decimal
    cheapest_premium: Decimal | None


@dataclass(frozen=True)
class StockFigures:
    """What stands in the cellar, by the ERP's counts.

    Attributes:
        sold_out: Products that were sold before and have no bottle left.
        sold_out_revenue: Revenue that these made so far, EUR.
        nearly_out: Products that were sold before and have fewer bottles than a case.
        idle: Products in stock of which not one unit was ever sold.
        idle_units: Bottles of these.
        idle_value: The bottles at their selling price, EUR.
        unknown: Products without a count of stock; they are in none of the others.
    """

    sold_out: int
    sold_out_revenue: Decimal
    nearly_out: int
    idle: int
    idle_units: int
    idle_value: Decimal
    unknown: int


@dataclass(frozen=True)
class Comparison:
    """The month beside the month it is compared with; both are snapshots of counters that run on.

    Every change of the total is explained: revenue - revenue_before = sold_value + price_effect + new_revenue
    - gone_revenue - fallen_value, exactly, and the same for units without the price effect.

    Attributes:
        month: The month compared with, the last one published before.
        identity: What that month's result was made from.
        months_apart: 1 for the month right before; more where months are missing between.
        products_before: Products then.
        units_before: Units then.
        revenue_before: Revenue then, EUR.
        premium_before: Premium wines then.
        premium_revenue_before: Their revenue then, EUR.
        carrying_before: Products that made 80 % of the revenue then.
        units_sold: Units by which the counters of products of both months grew.
        sold_value: These at today's prices, EUR.
        price_effect: Change of the revenue of units sold before by new prices, EUR; may be below 0.
        repriced: Products of both months whose price changed.
        new_products: Products that were none then.
        new_units: Whole counters of these.
        new_revenue: Revenue of these, EUR.
        gone_products: Products then that are none now.
        gone_units: Units of these then.
        gone_revenue: Revenue of these then, EUR.
        fallen_products: Products whose counter fell, which a counter of sales never should.
        fallen_units: Units by which they fell, above 0.
        fallen_value: These at today's prices, EUR, above 0.
        newly_premium: Products of both months that are premium now and were not.
        no_longer_premium: Products of both months that were premium and are not now.
    """

    month: str
    identity: str
    months_apart: int
    products_before: int
    units_before: int
    revenue_before: Decimal
    premium_before: int
    premium_revenue_before: Decimal
    carrying_before: int
    units_sold: int
    sold_value: Decimal
    price_effect: Decimal
    repriced: int
    new_products: int
    new_units: int
    new_revenue: Decimal
    gone_products: int
    gone_units: int
    gone_revenue: Decimal
    fallen_products: int
    fallen_units: int
    fallen_value: Decimal
    newly_premium: int
    no_longer_premium: int


@dataclass(frozen=True)
class MonthSummary:
    """What is told of a month besides its rows.

    Attributes:
        parameters: What the run was told.
        figures: The headline figures.
        stock: What stands in the cellar.
        comparison: The month beside the one before; None for the first month.
        row_counts: What became of the input rows (`RowCount`).
    """

    parameters: Parameters
    figures: Figures
    stock: StockFigures
    comparison: Comparison | None
    row_counts: pl.DataFrame


def describe_change(before: Figures, after: Figures) -> str:
    """What differs between two revisions of a month: `revenue 70,568.60 → 70,612.10 EUR, 2 products more`."""
    changes = []
    if before.revenue != after.revenue:
        changes.append(f"revenue {before.revenue:,.2f} → {after.revenue:,.2f} EUR")
    for name in ("units", "products", "premium"):
        more = getattr(after, name) - getattr(before, name)
        if more:
            noun = {"units": "unit", "products": "product", "premium": "premium wine"}[name] + "s" * (abs(more) > 1)
            changes.append(f"{abs(more):,} {noun} {'more' if more > 0 else 'fewer'}")
    return ", ".join(changes) or "the same headline figures"
