"""Revenue per product."""

import polars as pl

from tasks.domain.schemas import REVENUE, WineRevenue

_TENTHS_CARRIED = 8


def compute_revenue(sales: pl.LazyFrame) -> pl.LazyFrame:
    """Each product's revenue.

    Revenue is the ERP's price times the shop's counter of units, exact; tax treatment as in the source price.

    Args:
        sales: One row per joined product (`WineSales`); unique on `product_id`.

    Returns:
        The same rows with `revenue` (`WineRevenue`), revenue descending, then product_id by code point.

    Source: README, "Business rules".
    """
    return (
        sales.with_columns(revenue=(pl.col("price") * pl.col("total_sales").cast(pl.Decimal(18, 0))).cast(REVENUE))
        .sort("revenue", "product_id", descending=[True, False])
        .select(WineRevenue.column_names())
    )


def carrying_products(revenue: pl.Series) -> int:
    """How many products make 80 % of the revenue, best sellers first; the one that crosses the line is one of them.

    Args:
        revenue: The products' revenue (`REVENUE`), in any order.
    """
    cents = (revenue * 100).cast(pl.Int64).sort(descending=True)
    carried_before = cents.cum_sum() - cents
    return int((10 * carried_before < _TENTHS_CARRIED * cents.sum()).sum())
