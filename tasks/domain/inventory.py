"""How long the stock of each product lasts, what to reorder, and what is dormant."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from tasks.domain.money import per_week, times, total_amount, total_units

PACE_DAYS = 90
YEAR_DAYS = 365
"""The pace is computed over the last 90 days of snapshots; where nothing was sold in them, over 365."""

WINDOW_TOLERANCE = 10
"""A window may begin with a snapshot that is this many days too recent.

Three months are 89 to 92 days, and an export may be a few days early or late.
"""

SHORTEST_PACE_DAYS = 7
"""A product on sale for less than a week counts as a week on sale: two bottles on its first day are not 14 a week."""

REORDER_WEEKS = 8
"""A wine that sells and has fewer weeks of cover is at risk."""

DORMANT_DAYS = 90
"""A product is dormant only if its sales of this many days are known."""


def compute_stock_needs(wines: pl.LazyFrame, sales: pl.LazyFrame, export_date: date) -> pl.LazyFrame:
    """Add the pace of each product, its weeks of cover, and what is at risk or dormant.

    The pace is units per week: net units of the periods of the window, over the days in which they were sold. Periods
    whose units are unknown (before the product was linked) are left out. A stock below 0 counts as 0.

    Args:
        wines: One row per product with `key`, `price` and `stock_quantity`.
        sales: What each product sold in each period, see `period.compute_product_sales`.
        export_date: The day this snapshot was exported.

    Returns:
        The same rows and order, plus `pace`, `pace_days`, `weeks_of_cover`, `at_risk`, `stock_value` and `is_dormant`
        as `PeriodWine` describes them.
    """
    stock = pl.col("stock_quantity").clip(lower_bound=0)
    units, days = pl.col("pace_units"), pl.col("pace_days")
    sells = units > 0
    is_short = sells & (stock * days < REORDER_WEEKS * 7 * units)
    return wines.join(_recent_sales(sales, export_date), on="key", how="left", maintain_order="left").with_columns(
        pace=units * 7 / days,
        weeks_of_cover=pl.when(sells).then(stock * days / (units * 7)),
        at_risk=pl.when(is_short).then(per_week(pl.col("price"), units, days)),
        stock_value=times(pl.col("price"), stock),
        is_dormant=pl.when(stock.is_null())
        .then(None)
        .when((stock == 0) | (pl.col("year_units") > 0))
        .then(pl.lit(value=False))
        .when(pl.col("year_days") >= DORMANT_DAYS)
        .then(pl.lit(value=True)),
    )


def _recent_sales(sales: pl.LazyFrame, export_date: date) -> pl.LazyFrame:
    """Per product: units and days of the last 365 days, and of the window that its pace is computed over."""
    known = sales.filter(pl.col("sold_units").is_not_null())
    windows = sales.filter(pl.col("start").is_not_null()).select(
        quarter=_window_start(export_date, PACE_DAYS), year=_window_start(export_date, YEAR_DAYS)
    )
    units, days = pl.col("sold_units"), pl.col("sold_days")
    in_quarter, in_year = pl.col("start") >= pl.col("quarter"), pl.col("start") >= pl.col("year")
    sold_lately = pl.col("quarter_units") > 0
    return (
        known.join(windows, how="cross")
        .filter(in_year)
        .group_by("key")
        .agg(
            quarter_units=units.filter(in_quarter).sum(),
            quarter_days=days.filter(in_quarter).sum(),
            year_units=units.sum(),
            year_days=days.sum(),
        )
        .with_columns(
            pace_units=pl.when(sold_lately).then("quarter_units").otherwise(pl.col("year_units").clip(lower_bound=0)),
            pace_days=pl.when(sold_lately)
            .then("quarter_days")
            .otherwise("year_days")
            .clip(lower_bound=SHORTEST_PACE_DAYS),
        )
    )


def _window_start(export_date: date, days: int) -> pl.Expr:
    """The start of the latest period that begins at least `days` days ago, give or take 10; else of the oldest."""
    latest = pl.lit(export_date - timedelta(days=days - WINDOW_TOLERANCE))
    start = pl.col("start")
    return pl.coalesce(start.filter(start <= latest).max(), start.min())


def list_reorder(wines: pl.LazyFrame) -> pl.LazyFrame:
    """The wines that sell and have fewer than 8 weeks of cover, most EUR at risk first (`PeriodWine`)."""
    return wines.filter(pl.col("at_risk").is_not_null()).sort("at_risk", "rank", descending=[True, False])


def list_dormant(wines: pl.LazyFrame) -> pl.LazyFrame:
    """The dormant wines, most stock value first (`PeriodWine`)."""
    return wines.filter("is_dormant").sort("stock_value", "rank", descending=[True, False])


@dataclass(frozen=True)
class InventoryFigures:
    """The stock by the counts of the ERP, and how it sells.

    Attributes:
        out_of_stock: Products with no bottle left that sold at least one unit to date.
        out_of_stock_selling: Those of them that still sell, by their pace; None in a first snapshot.
        reorder: Products that sell and have fewer than 8 weeks of cover, those out of stock included; None in a first
            snapshot.
        at_risk: What these sell in a week, EUR; None in a first snapshot.
        dormant: Products in stock without a sale in the last 365 days of snapshots; None where none is known and some
            may be, as while the snapshots cover fewer than 90 days.
        dormant_units: Bottles of these; None likewise.
        dormant_value: These bottles at their selling price, EUR; None likewise.
        below_zero: Products whose count of stock is below 0; they count as out of stock.
        unknown: Products without a count of stock; they are in none of the others.
    """

    out_of_stock: int
    out_of_stock_selling: int | None
    reorder: int | None
    at_risk: Decimal | None
    dormant: int | None
    dormant_units: int | None
    dormant_value: Decimal | None
    below_zero: int
    unknown: int


def compute_inventory(wines: pl.DataFrame) -> InventoryFigures:
    """The stock of all products in a few figures.

    Args:
        wines: One row per product (`PeriodWine`).
    """
    stock = pl.col("stock_quantity")
    is_out = stock <= 0
    reorder, dormant = wines.filter(pl.col("at_risk").is_not_null()), wines.filter("is_dormant")
    has_pace = wines["pace"].null_count() < wines.height
    in_stock = wines.filter(stock > 0)
    # Not "none" while it is unknown for some: the snapshots may cover too few days.
    has_dormant = dormant.height > 0 or (in_stock.height > 0 and in_stock["is_dormant"].null_count() == 0)
    return InventoryFigures(
        out_of_stock=wines.filter(is_out & (pl.col("total_sales") > 0)).height,
        out_of_stock_selling=wines.filter(is_out & (pl.col("pace") > 0)).height if has_pace else None,
        reorder=reorder.height if has_pace else None,
        at_risk=total_amount(reorder["at_risk"]) if has_pace else None,
        dormant=dormant.height if has_dormant else None,
        dormant_units=total_units(dormant["stock_quantity"]) if has_dormant else None,
        dormant_value=total_amount(dormant["stock_value"]) if has_dormant else None,
        below_zero=wines.filter(stock < 0).height,
        unknown=wines["stock_quantity"].null_count(),
    )
