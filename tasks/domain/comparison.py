"""The month beside the last one published before it.

`total_sales` is the shop's running counter, so a month's units are not the units of that month. What was sold since the
snapshot before is the growth of the counter; a new price also moves the revenue of everything sold before. The two are
kept apart.
"""

from decimal import Decimal
from typing import NamedTuple

import polars as pl

from tasks.domain.cells import comparable
from tasks.domain.figures import Comparison, MonthSummary
from tasks.domain.month import months_between
from tasks.domain.revenue import carrying_products
from tasks.domain.schemas import REVENUE, ComparedWine, GoneWine, PublishedWine, Snapshot


class ComparedMonth(NamedTuple):
    """The products of a month beside those of the month before."""

    wines: pl.LazyFrame
    """One row per product (`ComparedWine`)."""

    gone: pl.LazyFrame
    """One row per product that is none any more (`GoneWine`)."""


def compare_wines(wines: pl.LazyFrame, before: pl.LazyFrame | None) -> pl.LazyFrame:
    """Each product beside itself in the month before.

    Args:
        wines: One row per product (`Wine`), in its order.
        before: The products of the month compared with (`PublishedWine`), or None where there is none.

    Returns:
        The same rows and order with what they were then (`ComparedWine`). Products are the same when their ERP keys
        are, without case.
    """
    then = PublishedWine.create_empty().lazy() if before is None else before
    was = _ranked(then).select(
        key=comparable(pl.col("product_id")),
        rank_before="rank",
        total_sales_before="total_sales",
        price_before="price",
        revenue_before="revenue",
        was_premium="is_premium",
    )
    is_new = pl.lit(None, pl.Boolean) if before is None else pl.col("rank_before").is_null()
    units = pl.col("total_sales") - pl.col("total_sales_before")
    return (
        wines.with_row_index("rank", offset=1)
        .with_columns(pl.col("rank").cast(pl.Int64), key=comparable(pl.col("product_id")))
        .join(was, on="key", how="left", maintain_order="left")
        .with_columns(
            is_new=is_new,
            sold_since=units,
            sold_value=(pl.col("price") * units.cast(pl.Decimal(18, 0))).cast(REVENUE),
            price_effect=(
                (pl.col("price") - pl.col("price_before")) * pl.col("total_sales_before").cast(pl.Decimal(18, 0))
            ).cast(REVENUE),
        )
        .select(ComparedWine.column_names())
    )


def gone_wines(wines: pl.LazyFrame, before: pl.LazyFrame | None) -> pl.LazyFrame:
    """The products of the month before that are none now (`GoneWine`), by revenue then."""
    if before is None:
        return GoneWine.create_empty().lazy()
    now = wines.select(key=comparable(pl.col("product_id")))
    return (
        _ranked(before)
        .with_columns(key=comparable(pl.col("product_id")))
        .join(now, on="key", how="anti", maintain_order="left")
        .select(GoneWine.column_names())
    )


def _ranked(published: pl.LazyFrame) -> pl.LazyFrame:
    """In the order of the reports: revenue descending, then product_id by code point."""
    return published.sort("revenue", "product_id", descending=[True, False]).with_columns(
        rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    )


def snapshot_rows(wines: pl.LazyFrame, summary: MonthSummary) -> pl.LazyFrame:
    """The rows of the snapshot's published table.

    Args:
        wines: One row per product (`ComparedWine`), by revenue.
        summary: The month's figures.

    Returns:
        The same rows and order (`Snapshot`).
    """
    parameters, previous = summary.parameters, summary.previous_export_date
    days = (parameters.export_date - previous).days if previous else None
    sold_units = pl.when("is_new").then("total_sales").otherwise("sold_since")
    schema = Snapshot.create_empty().schema
    return wines.with_columns(
        month=pl.lit(parameters.month),
        export_date=pl.lit(parameters.export_date),
        post_date=pl.lit(None, pl.Date),
        erp_row=pl.lit(None, pl.UInt32),
        liaison_row=pl.lit(None, pl.UInt32),
        web_row=pl.lit(None, pl.UInt32),
        period_days=pl.lit(days, pl.Int32),
        status=pl.when("is_new").then(pl.lit("new")).when(~pl.col("is_new")).then(pl.lit("continuing")),
        sold_units=sold_units,
        sold_value=pl.col("price") * sold_units.cast(pl.Decimal(18, 0)),
    ).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


CHANGE_KINDS = ("fallen", "new", "gone", "newly_premium", "no_longer_premium", "repriced")
"""What may have happened to a product between two months, what to look at first before the others."""


def list_changes(wines: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    """What happened to the products since the month before.

    Args:
        wines: One row per product (`ComparedWine`), by revenue.
        gone: The products that are none any more (`GoneWine`).

    Returns:
        One row per product and kind of change: `change`, in the order of `CHANGE_KINDS`, and the columns of
        `ComparedWine`; of a product that is gone, only those of the month before are filled.
    """
    is_premium, was_premium, is_old = pl.col("is_premium"), pl.col("was_premium"), ~pl.col("is_new")
    happened = {
        "fallen": pl.col("sold_since") < 0,
        "new": pl.col("is_new"),
        "newly_premium": is_old & is_premium & ~was_premium,
        "no_longer_premium": is_old & was_premium & ~is_premium,
        "repriced": pl.col("price") != pl.col("price_before"),
    }
    then = {"rank", "total_sales", "price", "revenue"}
    lost = gone.select("product_id", "sku", "post_title", *(pl.col(name).alias(f"{name}_before") for name in then))
    rows = [
        (lost if kind == "gone" else wines.filter(happened[kind])).with_columns(
            change=pl.lit(kind, pl.Enum(CHANGE_KINDS))
        )
        for kind in CHANGE_KINDS
    ]
    columns = {"change": pl.Enum(CHANGE_KINDS), **ComparedWine.create_empty().schema}
    return pl.concat([pl.DataFrame(schema=columns), *rows], how="diagonal").select(columns.keys())


def compute_comparison(
    month: str, compared: pl.DataFrame, gone: pl.DataFrame, before_month: str, before_identity: str
) -> Comparison:
    """The comparison in numbers.

    Args:
        month: The label of this month.
        compared: One row per product (`ComparedWine`).
        gone: The products that are none any more (`GoneWine`).
        before_month: The label of the month compared with.
        before_identity: What that month's result was made from.
    """
    new = compared.filter("is_new")
    both = compared.filter(~pl.col("is_new"))
    grown = both.filter(pl.col("sold_since") > 0)
    fallen = both.filter(pl.col("sold_since") < 0)
    is_premium, was_premium = pl.col("is_premium"), pl.col("was_premium")
    return Comparison(
        month=before_month,
        identity=before_identity,
        months_apart=months_between(before_month, month),
        products_before=both.height + gone.height,
        units_before=int(both["total_sales_before"].sum()) + int(gone["total_sales"].sum()),
        revenue_before=_total(both["revenue_before"]) + _total(gone["revenue"]),
        premium_before=both.filter(was_premium).height + gone.filter(is_premium).height,
        premium_revenue_before=_total(both.filter(was_premium)["revenue_before"])
        + _total(gone.filter(is_premium)["revenue"]),
        carrying_before=carrying_products(pl.concat([both["revenue_before"], gone["revenue"]])),
        units_sold=int(grown["sold_since"].sum()),
        sold_value=_total(grown["sold_value"]),
        price_effect=_total(both["price_effect"]),
        repriced=both.filter(pl.col("price") != pl.col("price_before")).height,
        new_products=new.height,
        new_units=int(new["total_sales"].sum()),
        new_revenue=_total(new["revenue"]),
        gone_products=gone.height,
        gone_units=int(gone["total_sales"].sum()),
        gone_revenue=_total(gone["revenue"]),
        fallen_products=fallen.height,
        fallen_units=-int(fallen["sold_since"].sum()),
        fallen_value=-_total(fallen["sold_value"]),
        newly_premium=both.filter(is_premium & ~was_premium).height,
        no_longer_premium=both.filter(was_premium & ~is_premium).height,
    )


def _total(amounts: pl.Series) -> Decimal:
    return Decimal(amounts.sum())
