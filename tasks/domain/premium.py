"""Premium and ordinary wines."""

from decimal import Decimal, localcontext

import polars as pl

from tasks.domain.schemas import Wine

Z_TOLERANCE = 1e-9
"""A z-score this near to the threshold equals it, and a wine at the threshold is not above it."""


def classify_wines(revenue: pl.LazyFrame, premium_threshold: float) -> pl.LazyFrame:
    """Classify each wine as premium or ordinary by the z-score of its price.

    The z-score is the population's (ddof 0) over all joined products, sold or not. Premium is strictly above the
    threshold. Where all prices are equal, or there is one product, every z-score is 0 and every wine ordinary.

    Args:
        revenue: One row per product (`WineRevenue`), in its order: the floating-point result then depends on the
            products alone and not on the order of the input.
        premium_threshold: Number of standard deviations above the mean price.

    Returns:
        The same rows and order, plus `z_score` and `is_premium` (`Wine`).
    """
    return (
        revenue.with_columns(z_score=pl.col("price").cast(pl.Float64).map_batches(_z_scores, return_dtype=pl.Float64))
        .with_columns(is_premium=pl.col("z_score") > premium_threshold + Z_TOLERANCE)
        .select(Wine.column_names())
    )


def _z_scores(prices: pl.Series) -> pl.Series:
    if prices.n_unique() <= 1:
        return pl.zeros(len(prices), dtype=pl.Float64, eager=True).alias(prices.name)
    from scipy.stats import zscore  # noqa: PLC0415 - takes a second, and only this stage needs it

    return pl.Series(prices.name, zscore(prices.to_numpy(), ddof=0))


def premium_price(prices: pl.Series, premium_threshold: float) -> Decimal:
    """The price above which a wine is premium, EUR, unrounded: mean + threshold x population standard deviation.

    Computed from whole cents with 50 digits, without scipy, so that each can check the other.
    """
    cents = (prices * 100).cast(pl.Int64).value_counts(name="n")
    pairs = list(zip(cents[:, 0].to_list(), cents["n"].to_list(), strict=True))
    n = sum(count for _, count in pairs)
    total = sum(cent * count for cent, count in pairs)
    squares = sum(cent * cent * count for cent, count in pairs)
    with localcontext(prec=50):
        deviation = Decimal(n * squares - total * total).sqrt() / n
        price: Decimal = (Decimal(total) / n + Decimal(repr(premium_threshold)) * deviation) / 100
    return price
