"""The two sheets with one row per product: all of them by revenue, and the premium wines."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import polars as pl
from xlsxwriter import Workbook

from tasks.domain.figures import MonthSummary
from tasks.report.charts import ChartData, premium_price_chart, price_chart
from tasks.report.sheets import HEADER_ROW, Column, Sheet
from tasks.report.words import Words

_Z_PLACES = 6
_TITLES_IN_ONE_LINE = 0.97
_TITLE_WIDTHS = (30.0, 62.0)
_PAGE_PIXELS = 900
"""What a landscape A4 page is wide between its margins, with some room for other fonts."""

_CHART_PIXELS = (950, 320)


def product_columns(words: Words, *, compared: bool) -> list[Column]:
    """The columns of the revenue sheet; those of a comparison only where there is one."""
    columns = [
        Column("rank", 7, "rank"),
        Column("rank_change", 9, "change", if_empty=words.NEW_MARK),
        Column("product_id", 10, total="count"),
        Column("sku", 10),
        Column("post_title", 50, "title", total="name"),
        Column("total_sales", 9, "count", total="sum"),
        Column("price", 12, "money"),
        Column("revenue", 14, "money", total="sum"),
        Column("share", 10, "share", total="sum"),
        Column("cumulative_share", 11, "share"),
        Column("sold_since", 10, "count", total="sum"),
        Column("sold_value", 13, "money", total="sum"),
        Column("stock_quantity", 9, "count", total="sum"),
        Column("z_score", 9, "score"),
        Column("class_mark", 11, "mark"),
    ]
    return columns if compared else [column for column in columns if column.name not in _OF_A_COMPARISON]


_OF_A_COMPARISON = {"rank_change", "sold_since", "sold_value"}
_NOT_OF_PREMIUM = {"rank_change", "cumulative_share", "class_mark"}


def shown_products(wines: pl.DataFrame, revenue: Decimal, words: Words) -> pl.DataFrame:
    """The products with what the sheets add: `share`, `cumulative_share`, `rank_change`, `class_mark`."""
    cents = (pl.col("revenue") * 100).cast(pl.Int64)
    whole = max(int(revenue * 100), 1)
    return wines.with_columns(
        share=cents / whole,
        cumulative_share=cents.cum_sum() / whole,
        rank_change=pl.col("rank_before") - pl.col("rank"),
        z_score=pl.col("z_score").round(_Z_PLACES),
        class_mark=pl.when("is_premium").then(pl.lit(words.PREMIUM_MARK)),
    )


def write_revenue(sheet: Sheet, summary: MonthSummary, products: pl.DataFrame) -> None:
    """Write all products, the premium ones marked."""
    words, month = sheet.words, summary.parameters.month
    columns = fitted(product_columns(words, compared=summary.comparison is not None), products)
    sheet.table(words.sheet_title(words.REVENUE, month), words.REVENUE_NOTE, columns, products, marked="is_premium")
    sheet.print_setup(month)


def write_premium(
    workbook: Workbook, sheet: Sheet, data: ChartData, summary: MonthSummary, products: pl.DataFrame
) -> None:
    """Write the premium wines, and beside them, on a page of their own, the prices of both classes."""
    words, parameters, figures = sheet.words, summary.parameters, summary.figures
    premium = products.filter("is_premium")
    columns = fitted(product_columns(words, compared=summary.comparison is not None), premium)
    columns = [column for column in columns if column.name not in _NOT_OF_PREMIUM]
    note = words.premium_sentence(figures, parameters.premium_threshold)
    sheet.table(words.sheet_title(words.PREMIUM, parameters.month), note, columns, premium)

    charts = [price_chart(workbook, data, words, products, figures.threshold_price)]
    if premium.height:
        charts.append(premium_price_chart(workbook, data, words, products, figures.threshold_price))
    width, height = _CHART_PIXELS
    for number, (chart, description) in enumerate(charts):
        chart.set_size({"width": width, "height": height})
        place = {"x_offset": 16, "y_offset": 16 + number * height, "description": description}
        sheet.worksheet.insert_chart(HEADER_ROW, len(columns), chart, place)
    sheet.print_setup(parameters.month)
    # As large as a page takes the table; the charts follow on the next.
    needed = sum(7 * column.width + 5 for column in columns)
    sheet.worksheet.set_print_scale(max(min(int(100 * _PAGE_PIXELS / needed), 100), 10))
    sheet.worksheet.set_v_pagebreaks([len(columns)])


def fitted(columns: Sequence[Column], products: pl.DataFrame) -> list[Column]:
    """The columns with the titles' own as wide as nearly all titles need; the others take another line."""
    lengths = products["post_title"].str.len_chars()
    needed = (lengths.quantile(_TITLES_IN_ONE_LINE, interpolation="nearest") or 0) + 2
    width = min(max(needed, _TITLE_WIDTHS[0]), _TITLE_WIDTHS[1])
    return [replace(column, width=width) if column.name == "post_title" else column for column in columns]
