"""The run's parameters going in and the month's headline figures coming out."""

from dataclasses import dataclass
from decimal import Decimal

import polars as pl


@dataclass(frozen=True)
class Parameters:
    """What a run may be told about its rules.

    Attributes:
        month: The label of the snapshot, `YYYY-MM`.
        premium_threshold: A wine is premium when the z-score of its price is above this.
        unmatched_limit: Highest accepted share of links and of web products without a partner, from 0 to 1.
    """

    month: str
    premium_threshold: float = 2.0
    unmatched_limit: float = 0.1


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
class MonthSummary:
    """What is told of a month besides its rows.

    Attributes:
        parameters: What the run was told.
        figures: The headline figures.
        row_counts: What became of the input rows (`RowCount`).
    """

    parameters: Parameters
    figures: Figures
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
