"""The sheets about what stands in the cellar and about what changed since the month before."""

import polars as pl

from tasks.domain.comparison import list_changes
from tasks.domain.figures import MonthSummary
from tasks.domain.stock import list_stock
from tasks.report.products import fitted
from tasks.report.sheets import Column, Sheet

STOCK_COLUMNS = [
    Column("state", 15),
    Column("product_id", 10, total="count"),
    Column("sku", 10),
    Column("post_title", 50, "title", total="name"),
    Column("stock_quantity", 10, "count", total="sum"),
    Column("months_left", 9, "months"),
    Column("stock_value", 14, "money", total="sum"),
    Column("total_sales", 10, "count", total="sum"),
    Column("sold_since", 10, "count", total="sum"),
    Column("price", 12, "money"),
    Column("revenue", 14, "money", total="sum"),
]

CHANGE_COLUMNS = [
    Column("change", 19),
    Column("product_id", 10),
    Column("sku", 10),
    Column("post_title", 50, "title"),
    Column("rank_before", 8, "rank"),
    Column("rank", 8, "rank"),
    Column("total_sales_before", 9, "count"),
    Column("total_sales", 9, "count"),
    Column("sold_since", 10, "count"),
    Column("price_before", 12, "money"),
    Column("price", 12, "money"),
    Column("price_effect", 13, "money change"),
    Column("revenue_before", 13, "money"),
    Column("revenue", 13, "money"),
]

_OF_A_COMPARISON = {"months_left", "sold_since"}


def write_stock(sheet: Sheet, summary: MonthSummary, wines: pl.DataFrame) -> None:
    """Write the products whose stock somebody should look at, the sold-out ones marked."""
    words, month, comparison = sheet.words, summary.parameters.month, summary.comparison
    listed = list_stock(wines, comparison.months_apart if comparison else None)
    shown = listed.with_columns(
        pl.col("state").cast(pl.String).replace(words.STOCK_STATES), marked=pl.col("state") == "sold_out"
    )
    columns = [column for column in fitted(STOCK_COLUMNS, shown) if comparison or column.name not in _OF_A_COMPARISON]
    sheet.table(words.sheet_title(words.STOCK, month), words.STOCK_NOTE, columns, shown, marked="marked")
    sheet.print_setup(month)


def write_changes(sheet: Sheet, summary: MonthSummary, wines: pl.DataFrame, gone: pl.DataFrame) -> None:
    """Write what happened to the products, fallen counters marked; without a month before, a sentence."""
    words, month, comparison = sheet.words, summary.parameters.month, summary.comparison
    changes = list_changes(wines, gone)
    shown = changes.with_columns(
        pl.col("change").cast(pl.String).replace(words.CHANGE_KINDS), marked=pl.col("change") == "fallen"
    )
    note = words.changes_note(comparison) if comparison else words.FIRST_MONTH
    sheet.table(words.sheet_title(words.CHANGES, month), note, fitted(CHANGE_COLUMNS, shown), shown, marked="marked")
    sheet.print_setup(month)
