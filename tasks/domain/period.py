"""What happened between the previous snapshot and this one, and in every period before it.

A snapshot contains counters that run since the shop opened. What was sold in a period is the difference of two of them.
Everything is computed from the counters; no derived figure of an earlier month is read.
"""

from datetime import date
from typing import NamedTuple

import polars as pl

from tasks.domain.cell_values import comparable
from tasks.domain.inventory import compute_stock_needs
from tasks.domain.money import MONEY, REVENUE, times
from tasks.domain.schemas import PRODUCT_STATUSES, DelistedWine, PeriodTotal, PeriodWine, Snapshot

NEAR_DAYS = 10
"""A snapshot was exported "at the same date last year" when it was within this many days of it."""

TREND_PERIODS = 13
"""Periods of the trend: a year of monthly snapshots, and this one."""

BEST_SELLERS = 10
"""The length of a list of best sellers."""

_FACTS = ["product_id", "export_date", "post_date", "total_sales", "price", "revenue", "is_premium"]


class Period(NamedTuple):
    """The frames of a period; its columns and frames are empty without an earlier snapshot."""

    wines: pl.LazyFrame
    """One row per product of this snapshot (`PeriodWine`), in the order of the report."""

    delisted: pl.LazyFrame
    """One row per delisted product (`DelistedWine`)."""

    totals: pl.LazyFrame
    """One row per period between two snapshots (`PeriodTotal`), oldest first; the last one ends with this snapshot."""


def compare_snapshots(wines: pl.LazyFrame, history: pl.LazyFrame, export_date: date) -> Period:
    """Compute the period, the pace and the stock needs of every product, and the totals of all periods.

    Args:
        wines: The products of this snapshot, one row each (`Wine` with `post_date`), in the order of the report.
        history: The rows of earlier snapshots (`Snapshot`), in any order; these columns are read: product_id, sku,
            post_title, post_date, total_sales, price, stock_quantity, revenue, is_premium and export_date.
            Rows that were not exported before `export_date` are left out.
        export_date: The day this snapshot was exported.
    """
    now = wines.with_columns(export_date=pl.lit(export_date))
    before = history.filter(pl.col("export_date") < export_date)
    sales = compute_product_sales(pl.concat([_facts(before), _facts(now)]))
    return Period(
        wines=_period_wines(wines, sales, export_date),
        delisted=_delisted_wines(wines, before),
        totals=_period_totals(sales, export_date),
    )


def _facts(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.select(_FACTS).with_columns(
        pl.col("post_date").cast(pl.Date), pl.col("revenue").cast(REVENUE), key=comparable(pl.col("product_id"))
    )


def compute_product_sales(facts: pl.LazyFrame) -> pl.LazyFrame:
    """What each product sold in each period.

    A product is `continuing` when it is in the snapshot before, too, and its units are the difference of the counters.
    Otherwise it is `new`, with its whole counter, when its `post_date` is not before that snapshot's export date, and
    `newly_linked`, with unknown units, when it is older. Without a `post_date` it is newly linked when an earlier
    snapshot had it, else new.

    Args:
        facts: One row per product and snapshot, with the `key` by which products are the same.

    Returns:
        The same rows, with `start` and `end` of the period that ends with the snapshot, `status`, `sold_units`,
        `sold_value` (EUR, at the price in this snapshot), `sold_days` (the days in which these units were sold: of a
        new product those since its `post_date`), and `total_sales_before`, `price_before`, `revenue_before`,
        `was_premium`. In the oldest snapshot, `start` and all of these are null.
    """
    facts = facts.rename({"export_date": "end"})
    dates = facts.select("end").unique().sort("end").with_columns(start=pl.col("end").shift(1))
    previous = facts.select(
        "key",
        start="end",
        total_sales_before="total_sales",
        price_before="price",
        revenue_before="revenue",
        was_premium="is_premium",
    )
    status, is_known = pl.col("status"), pl.col("sold_units").is_not_null()
    counted_from = pl.when(status == "new").then(pl.max_horizontal("start", "post_date")).otherwise("start")
    return (
        facts.sort("end")
        .with_columns(is_first=pl.col("key").is_first_distinct())
        .join(dates, on="end", how="left")
        .join(previous, on=["key", "start"], how="left")
        .with_columns(
            status=pl.when(pl.col("start").is_null())
            .then(None)
            .when(pl.col("total_sales_before").is_not_null())
            .then(pl.lit("continuing"))
            .when(pl.coalesce(pl.col("post_date") >= pl.col("start"), "is_first"))
            .then(pl.lit("new"))
            .otherwise(pl.lit("newly_linked"))
            .cast(PRODUCT_STATUSES)
        )
        .with_columns(
            sold_units=pl.when(status != "newly_linked").then(
                pl.col("total_sales") - pl.col("total_sales_before").fill_null(0)
            )
        )
        .with_columns(
            sold_value=times(pl.col("price"), pl.col("sold_units")),
            sold_days=pl.when(is_known).then((pl.col("end") - counted_from).dt.total_days().clip(lower_bound=0)),
        )
    )


def _period_wines(wines: pl.LazyFrame, sales: pl.LazyFrame, export_date: date) -> pl.LazyFrame:
    before = ["total_sales_before", "price_before", "revenue_before", "was_premium"]
    current = sales.filter(pl.col("end") == export_date).select(
        "key", "status", "sold_units", "sold_value", "start", *before
    )
    total = pl.col("revenue").sum()
    return (
        wines.with_row_index("rank", offset=1)
        .with_columns(
            pl.col("rank").cast(pl.Int64),
            key=comparable(pl.col("product_id")),
            revenue_share=pl.when(total > 0).then(pl.col("revenue").cast(pl.Float64) / total.cast(pl.Float64)),
        )
        .join(current, on="key", how="left", maintain_order="left")
        .with_columns(
            period_days=(pl.lit(export_date) - pl.col("start")).dt.total_days().cast(pl.Int32),
            price_effect=times(pl.col("price") - pl.col("price_before"), pl.col("total_sales_before")),
        )
        .pipe(compute_stock_needs, sales, export_date)
        .select(PeriodWine.column_names())
    )


def _delisted_wines(wines: pl.LazyFrame, before: pl.LazyFrame) -> pl.LazyFrame:
    now = wines.select(key=comparable(pl.col("product_id")))
    return (
        before.filter(pl.col("export_date") == pl.col("export_date").max())
        .with_columns(pl.col("revenue").cast(REVENUE), key=comparable(pl.col("product_id")))
        .join(now, on="key", how="anti")
        .sort("revenue", "product_id", descending=[True, False])
        .select(DelistedWine.column_names())
    )


def _period_totals(sales: pl.LazyFrame, export_date: date) -> pl.LazyFrame:
    premium = pl.col("is_premium")
    distance = (pl.col("end") - pl.lit(same_date_last_year(export_date))).dt.total_days().abs()
    is_nearest = (distance <= NEAR_DAYS) & (distance == distance.min())
    return (
        sales.filter(pl.col("start").is_not_null())
        .group_by("start", "end")
        .agg(
            units=pl.col("sold_units").sum(),
            value=pl.col("sold_value").sum(),
            premium_units=pl.col("sold_units").filter(premium).sum(),
            premium_value=pl.col("sold_value").filter(premium).sum(),
        )
        .sort("end")
        .with_columns(
            days=(pl.col("end") - pl.col("start")).dt.total_days().cast(pl.Int32),
            is_current=pl.col("end") == export_date,
            # If two are equally near, the later one.
            is_last_year=is_nearest & (pl.col("end") == pl.col("end").filter(is_nearest).max()),
        )
        .select(PeriodTotal.column_names())
    )


def same_date_last_year(day: date) -> date:
    """The same day a year before; 28 February for 29 February."""
    if (day.month, day.day) == (2, 29):
        return day.replace(year=day.year - 1, day=28)
    return day.replace(year=day.year - 1)


def select_trend(totals: pl.LazyFrame) -> pl.LazyFrame:
    """The periods of the trend, oldest first: the last 13, and last year's if it is not one of them."""
    is_recent = pl.int_range(pl.len()) >= pl.len().cast(pl.Int64) - TREND_PERIODS
    return totals.filter(is_recent | pl.col("is_last_year"))


class Change(NamedTuple):
    """A kind of change that a product may have had since the previous snapshot.

    Attributes:
        word: The change of one product.
        one: How often it happened, for a count of 1.
        many: The same for other counts.
        figure: The field of `PeriodFigures` with that count.
        condition: Which products had it; None for delisted products, which are not in this snapshot.
    """

    word: str
    one: str
    many: str
    figure: str
    condition: pl.Expr | None = None


_IS_CONTINUING, _IS_PREMIUM, _WAS_PREMIUM = (
    pl.col("status") == "continuing",
    pl.col("is_premium"),
    pl.col("was_premium"),
)
# fmt: off
CHANGES: dict[str, Change] = {
    "new": Change("new", "{count} new", "{count} new", "new_products", pl.col("status") == "new"),
    "newly_linked": Change("newly linked", "{count} newly linked", "{count} newly linked", "newly_linked_products",
        pl.col("status") == "newly_linked"),
    "delisted": Change("delisted", "{count} delisted", "{count} delisted", "delisted_products"),
    "newly_premium": Change("newly premium", "{count} newly premium", "{count} newly premium", "newly_premium",
        _IS_CONTINUING & _IS_PREMIUM & ~_WAS_PREMIUM),
    "no_longer_premium": Change("no longer premium", "{count} no longer premium", "{count} no longer premium",
        "no_longer_premium", _IS_CONTINUING & _WAS_PREMIUM & ~_IS_PREMIUM),
    "repriced": Change("new price", "{count} repriced", "{count} repriced", "repriced_products",
        _IS_CONTINUING & (pl.col("price") != pl.col("price_before"))),
    "cancelled": Change("cancellations", "{count} bottle cancelled", "{count} bottles cancelled", "cancelled_units",
        pl.col("sold_units") < 0),
}
# fmt: on
"""The kinds of changes in a period, in the order of the report."""


def list_changes(period: Period) -> pl.LazyFrame:
    """What happened to the products since the previous snapshot.

    Returns:
        One row per product and kind of change: `change`, in the order of `CHANGES`, and the columns of `PeriodWine`; of
        a delisted product, only its names and its earlier values are filled. Within a kind, the products are in the
        order of the report.
    """
    before = {"total_sales": "total_sales_before", "price": "price_before", "revenue": "revenue_before"}
    delisted = period.delisted.rename(before | {"is_premium": "was_premium"}).drop("stock_quantity")
    kind = pl.Enum(list(CHANGES))
    columns = {"change": kind, **PeriodWine.create_empty().schema}
    rows = [
        (delisted if change.condition is None else period.wines.filter(change.condition)).with_columns(
            change=pl.lit(name, kind)
        )
        for name, change in CHANGES.items()
    ]
    return pl.concat([pl.LazyFrame(schema=columns), *rows], how="diagonal").select(columns.keys())


def list_best_sellers(wines: pl.LazyFrame, count: int = BEST_SELLERS) -> pl.LazyFrame:
    """The products that sold most in the period, by value (`PeriodWine`)."""
    sold = wines.filter(pl.col("sold_value") > 0)
    return sold.sort("sold_value", "sold_units", "rank", descending=[True, True, False]).head(count)


def snapshot_rows(wines: pl.LazyFrame, joined: pl.LazyFrame, month: str, export_date: date) -> pl.LazyFrame:
    """The base facts of this snapshot (`Snapshot`), as later snapshots will read them.

    Args:
        wines: The products of this snapshot (`PeriodWine`).
        joined: The rows of each product in the three workbooks, see `join.join_sources`.
        month: The label of the snapshot, `YYYY-MM`.
        export_date: The day it was exported.
    """
    rows = joined.select("product_id", "erp_row", "liaison_row", "web_row")
    return (
        wines.join(rows, on="product_id", how="left", maintain_order="left")
        .with_columns(pl.col("revenue", "sold_value").cast(MONEY), month=pl.lit(month), export_date=pl.lit(export_date))
        .select(Snapshot.column_names())
    )
