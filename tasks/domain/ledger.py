"""The ledger: the disposition of every row of the three workbooks, and why."""

import dataframely as dy
import polars as pl

from tasks.domain.clean import accepted
from tasks.domain.join import Cleaned
from tasks.domain.rules import DISPOSITIONS, codes, first_rule
from tasks.domain.sources import SOURCE, SOURCES


class LedgerRow(dy.Schema):
    """One row per data row of the three sheets: its disposition, and why."""

    source = dy.Enum(SOURCE.categories, primary_key=True)
    row = dy.UInt32(primary_key=True, description="Row as Excel numbers it")
    disposition = dy.Enum(DISPOSITIONS.categories)
    rule = dy.String(nullable=True, description="Code in the catalogue of issues; empty for a used row")
    column = dy.String(nullable=True, description="The column that decided it; empty for a used row")
    detail = dy.String(nullable=True, description="The post type or status of a row ignored for it")
    key = dy.String(nullable=True, description="Key of the row, where it has one")
    units = dy.Int64(nullable=True, description="Units of a rejected row of the web shop")


class RowCount(dy.Schema):
    """One row per source, disposition, reason and detail."""

    source = dy.Enum(SOURCE.categories)
    disposition = dy.Enum(DISPOSITIONS.categories)
    rule = dy.String(nullable=True)
    detail = dy.String(nullable=True)
    rows = dy.Int64(min=1, description="Number of rows")
    units = dy.Int64(nullable=True, description="Units of these rejected rows")


def counts_once() -> pl.Expr:
    """Whether a row of the shop is a product whose units are counted: not one that repeats another row."""
    return pl.col("is_product") & (pl.col("rule").is_null() | pl.col("key").is_null())


def build_ledger(cleaned: Cleaned, joined: pl.LazyFrame) -> pl.LazyFrame:
    """The disposition of every row of the three sheets.

    Args:
        cleaned: The cleaned rows.
        joined: The live links (`JoinedWine`).

    Returns:
        One row per input row (`LedgerRow`): used, ignored with its kind, or rejected with a reason.
    """
    known_products = accepted(cleaned.erp).select("product_key", is_known_product=pl.lit(value=True))
    nothing = {"detail": pl.lit(None, pl.String), "units": pl.lit(None, pl.Int64)}
    rows = Cleaned(
        cleaned.erp.with_columns(**nothing),
        cleaned.liaison.join(known_products, on="product_key", how="left").with_columns(**nothing),
        cleaned.web.with_columns(units=pl.when(counts_once()).then("total_sales")),
    )
    is_ignored = pl.col("rule").is_in(codes(disposition="ignored"))
    disposition = pl.when("is_used").then(pl.lit("used")).when(is_ignored).then(pl.lit("ignored"))
    return pl.concat(
        frame.join(joined.select(row=f"{source}_row", is_used=pl.lit(value=True)).unique(), on="row", how="left")
        .with_columns(
            is_used=pl.col("is_used").fill_null(value=False),
            unused=pl.when(pl.col("is_used").is_null() & pl.col("rule").is_null()).then(first_rule("unused", source)),
        )
        .with_columns(
            rule=pl.coalesce("rule", pl.col("unused").struct.field("rule")),
            column=pl.coalesce("rule_column", pl.col("unused").struct.field("rule_column")),
        )
        .with_columns(
            source=pl.lit(source, SOURCE),
            disposition=disposition.otherwise(pl.lit("rejected")).cast(DISPOSITIONS),
            units=pl.when(~pl.col("is_used")).then("units"),
        )
        .select(LedgerRow.column_names())
        .sort("row")
        for source, frame in zip(SOURCES, rows, strict=True)
    )


def count_rows(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """The ledger counted (`RowCount`): rows per source, disposition, reason and detail."""
    return (
        ledger.group_by("source", "disposition", "rule", "detail")
        .agg(
            rows=pl.len().cast(pl.Int64),
            units=pl.when(pl.col("units").is_not_null().any()).then(pl.col("units").sum()),
        )
        .sort("source", "disposition", "rule", "detail")
    )


def list_missing_sales(ledger: pl.LazyFrame, web: pl.LazyFrame) -> pl.LazyFrame:
    """The products of the web shop that have sales and are in no figure, most units first.

    Args:
        ledger: The disposition of every row (`LedgerRow`).
        web: The cleaned rows of the shop.

    Returns:
        `product_id` (the row's key, or else its number), `post_title`, `units` and `rule`: why the row was rejected.
    """
    return (
        ledger.filter((pl.col("source") == "web") & (pl.col("disposition") == "rejected") & (pl.col("units") > 0))
        .join(web.select("row", "post_title"), on="row", how="left")
        .sort("units", "row", descending=[True, False])
        .select(pl.coalesce("key", pl.col("row").cast(pl.String)).alias("product_id"), "post_title", "units", "rule")
    )
