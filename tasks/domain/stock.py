"""What stands in the cellar: sellers that are gone, and bottles that nobody bought."""

from decimal import Decimal
from typing import Literal, get_args

import polars as pl

from tasks.domain.figures import StockFigures
from tasks.domain.schemas import REVENUE

LOW_STOCK = 6
"""Fewer bottles than a case holds are nearly none."""

StockState = Literal["sold_out", "nearly_out", "idle", "enough", "unknown"]
STOCK_STATES: tuple[StockState, ...] = get_args(StockState)


def stock_state() -> pl.Expr:
    """How it stands with a product's stock, of a frame with `stock_quantity` and `total_sales`.

    `sold_out` and `nearly_out` are sellers only: what nobody ever bought is not missed. `idle` is in stock without one
    unit ever sold. A product without stock and without sales has `enough` of nothing.
    """
    stock, is_seller = pl.col("stock_quantity").clip(lower_bound=0), pl.col("total_sales") > 0
    state = (
        pl.when(stock.is_null())
        .then(pl.lit("unknown"))
        .when(is_seller & (stock <= 0))
        .then(pl.lit("sold_out"))
        .when(is_seller & (stock < LOW_STOCK))
        .then(pl.lit("nearly_out"))
        .when(~is_seller & (stock > 0))
        .then(pl.lit("idle"))
        .otherwise(pl.lit("enough"))
    )
    return state.cast(pl.Enum(STOCK_STATES))


def stock_value() -> pl.Expr:
    """The bottles in stock at their selling price, EUR."""
    return (pl.col("price") * pl.col("stock_quantity").cast(pl.Decimal(18, 0))).cast(REVENUE)


def compute_stock(wines: pl.DataFrame) -> StockFigures:
    """The stock of all joined products in a few numbers.

    Args:
        wines: One row per product (`Wine`).
    """
    judged = wines.select("revenue", "stock_quantity", state=stock_state(), value=stock_value())
    of = {state: judged.filter(pl.col("state") == state) for state in STOCK_STATES}
    return StockFigures(
        sold_out=of["sold_out"].height,
        sold_out_revenue=sum(of["sold_out"]["revenue"], Decimal("0.00")),
        nearly_out=of["nearly_out"].height,
        idle=of["idle"].height,
        idle_units=sum(of["idle"]["stock_quantity"]),  # Polars would wrap what 64 bits do not hold
        idle_value=sum(of["idle"]["value"], Decimal("0.00")),
        unknown=of["unknown"].height,
    )


def list_stock(wines: pl.DataFrame, months_apart: int | None) -> pl.DataFrame:
    """The products whose stock somebody should look at.

    Args:
        wines: One row per product (`ComparedWine`), by revenue.
        months_apart: Months since the month compared with; None without one.

    Returns:
        The rows that are not `enough`, with `state`, `stock_value` (EUR) and `months_left`: how long the bottles last
        at the pace of sales since then, null where nothing was sold since. First what is sold out, then what nearly is,
        both by revenue; then what never moved, by value; last what is not counted.
    """
    sold_since = pl.col("sold_since")
    pace = sold_since / (months_apart or 1)
    months_left = pl.when(sold_since > 0).then(pl.col("stock_quantity") / pace)
    listed = wines.with_columns(state=stock_state(), stock_value=stock_value(), months_left=months_left).filter(
        pl.col("state") != "enough"
    )
    idle_value = pl.when(pl.col("state") == "idle").then("stock_value")
    return listed.sort(pl.col("state").to_physical(), idle_value, "rank", descending=[False, True, False])
