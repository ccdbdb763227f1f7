"""Amounts in EUR: their types, and exact arithmetic with them."""

from decimal import ROUND_HALF_UP, Decimal

import polars as pl

MONEY = pl.Decimal(18, 2)
"""A price in EUR, rounded half up to cents."""

REVENUE = pl.Decimal(38, 2)
"""A product of price and units, or a sum of them, in EUR."""

EXCEL_LIMIT = 10**13
"""Amounts from here on do not fit Excel's fifteen digits, two of which are decimals."""


def times(price: pl.Expr, units: pl.Expr) -> pl.Expr:
    """Price x units, exact."""
    return (price * units.cast(pl.Decimal(18, 0))).cast(REVENUE)


def per_week(price: pl.Expr, units: pl.Expr, days: pl.Expr) -> pl.Expr:
    """Price x units x 7 / days in EUR, exact and rounded half up to cents."""
    numerator = price.to_physical().cast(pl.Int128) * units * 7
    cents = (2 * numerator + days) // (2 * days)
    return (cents.cast(pl.Decimal(38, 0)) * pl.lit("0.01").cast(pl.Decimal(38, 2))).cast(REVENUE)


def in_cents(frame: pl.DataFrame) -> pl.DataFrame:
    """Money in whole cents, as it is stored."""
    return frame.with_columns(pl.col(pl.Decimal).to_physical())


def mean_price(value: Decimal, units: int) -> Decimal | None:
    """Mean price of a bottle sold, EUR, half up to cents; None where no bottle was sold."""
    return (value / units).quantize(Decimal("0.01"), ROUND_HALF_UP) if units > 0 else None


def total_amount(euros: pl.Series) -> Decimal:
    """The sum of amounts, exact."""
    return Decimal(euros.sum())


def total_units(units: pl.Series) -> int:
    """The sum of counts; Polars would wrap what 64 bits do not hold."""
    return sum(units)
