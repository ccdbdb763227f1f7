"""Revenue per product."""

import polars as pl

from tasks.domain.schemas import REVENUE, WineRevenue


def compute_revenue(sales: pl.LazyFrame) -> pl.LazyFrame:
    """Each product's revenue.

    Revenue is the ERP's price times the shop's counter of units, exact; tax treatment as in the source price.

    Args:
        sales: One row per joined product (`WineSales`); unique on `product_id`.

    Returns:
        The same rows with `revenue` (`WineRevenue`), revenue descending, then product_id by code point.

    Source: rule 4 of README.md.
    """
    return (
        sales.with_columns(revenue=(pl.col("price") * pl.col("total_sales").cast(pl.Decimal(18, 0))).cast(REVENUE))
        .sort("revenue", "product_id", descending=[True, False])
        .select(WineRevenue.column_names())
    )
