"""Revenue per product."""

import polars as pl

from tasks.domain.money import times
from tasks.domain.schemas import WineRevenue


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
        sales.with_columns(revenue=times(pl.col("price"), pl.col("total_sales")))
        .sort("revenue", "product_id", descending=[True, False])
        .select(WineRevenue.column_names())
    )
