"""The two sheets with one row per product: all of them by revenue, and the premium wines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range

from tasks.domain.figures import Figures, Parameters
from tasks.domain.schemas import Wine, headings
from tasks.report import look, words
from tasks.report.cells import ROW_LIMIT
from tasks.report.charts import ChartData, premium_revenue_chart
from tasks.report.sheets import Column, Sheet

_HEADINGS = headings(Wine)
_TITLE_ROW, _NOTE_ROW, _TOTAL_ROW, _HEADER_ROW = range(4)
_FIRST_ROW = _HEADER_ROW + 1

PRODUCT_LIMIT = ROW_LIMIT - _FIRST_ROW
"""Products that a sheet has room for."""

_Z_PLACES = 6
_TITLES_IN_FULL = 0.99
_TITLE_WIDTHS = (30.0, 75.0)


def _wine_column(name: str, width: float, kind: str = "text") -> Column:
    return Column(name, _HEADINGS[name], width, kind)


REVENUE_COLUMNS = [
    Column("rank", words.RANK, 7, "rank"),
    _wine_column("product_id", 11),
    _wine_column("sku", 11),
    _wine_column("post_title", 58),
    _wine_column("total_sales", 10, "count"),
    _wine_column("price", 12, "money"),
    _wine_column("revenue", 14, "money"),
    Column("share", words.SHARE, 11, "share"),
    Column("cumulative_share", words.CUMULATIVE_SHARE, 12, "share"),
    _wine_column("z_score", 9, "score"),
    Column("mark", _HEADINGS["is_premium"], 11, "mark"),
]

PREMIUM_COLUMNS = [column for column in REVENUE_COLUMNS if column.name not in {"rank", "cumulative_share", "mark"}]


@dataclass(frozen=True)
class _Total:
    """A sum over the rows that a filter leaves, and what it is while there is no filter."""

    column: str
    value: float | Decimal


def ranked(wines: pl.DataFrame, revenue: Decimal) -> pl.DataFrame:
    """The products with what the sheets add: `share`, `cumulative_share` and the premium `mark`."""
    cents = (pl.col("revenue") * 100).cast(pl.Int64)
    whole = max(int(revenue * 100), 1)
    return wines.with_columns(
        (cents / whole).alias("share"),
        (cents.cum_sum() / whole).alias("cumulative_share"),
        pl.col("z_score").round(_Z_PLACES),
        pl.when("is_premium").then(pl.lit(words.PREMIUM_MARK)).alias("mark"),
    )


def write_revenue(sheet: Sheet, parameters: Parameters, figures: Figures, products: pl.DataFrame) -> None:
    """Write all products, the premium ones marked."""
    sheet.widths(_fitted(REVENUE_COLUMNS, products))
    sheet.text(_TITLE_ROW, 0, words.revenue_title(parameters.month), "title")
    sheet.text(_NOTE_ROW, 0, words.snapshot_note(parameters.month), "note")
    totals = [_Total("total_sales", figures.units), _Total("revenue", figures.revenue), _Total("share", 1.0)]
    _write_table(sheet, REVENUE_COLUMNS, products, totals, marked="is_premium")
    sheet.print_setup(parameters.month, header_row=_HEADER_ROW)


def write_premium(
    workbook: Workbook, sheet: Sheet, data: ChartData, parameters: Parameters, figures: Figures, products: pl.DataFrame
) -> None:
    """Write the premium wines and their chart; without one, a sentence and the headings."""
    premium = products.filter("is_premium")
    sheet.widths(_fitted(PREMIUM_COLUMNS, premium))
    sheet.text(_TITLE_ROW, 0, words.premium_title(parameters.month), "title")
    sentence = words.premium_sentence(figures, parameters.premium_threshold)
    sheet.text(_NOTE_ROW, 0, sentence, "note" if premium.height else "section")
    totals = [
        _Total("total_sales", premium["total_sales"].sum()),
        _Total("revenue", figures.premium_revenue),
        _Total("share", premium["share"].sum()),
    ]
    _write_table(sheet, PREMIUM_COLUMNS, premium, totals)
    sold = premium.filter(pl.col("revenue") > 0)
    if sold.height:
        chart = premium_revenue_chart(workbook, data, sold)
        chart.set_size({"width": 520, "height": 460})
        sheet.worksheet.insert_chart(_HEADER_ROW, len(PREMIUM_COLUMNS), chart, {"x_offset": 16})
    sheet.print_setup(parameters.month, header_row=_HEADER_ROW)


def _fitted(columns: Sequence[Column], products: pl.DataFrame) -> list[Column]:
    """The columns with the titles' own as wide as nearly all titles need."""
    lengths = products["post_title"].str.len_chars()
    needed = (lengths.quantile(_TITLES_IN_FULL, interpolation="nearest") or 0) + 2
    width = min(max(needed, _TITLE_WIDTHS[0]), _TITLE_WIDTHS[1])
    return [replace(column, width=width) if column.name == "post_title" else column for column in columns]


def _write_table(
    sheet: Sheet,
    columns: Sequence[Column],
    products: pl.DataFrame,
    totals: Sequence[_Total],
    marked: str | None = None,
) -> None:
    """The totals, the headings and the rows; totals stand above, where no filter hides and no sorting moves them."""
    names = [column.name for column in columns]
    last_row = max(_HEADER_ROW + products.height, _FIRST_ROW)
    by_column = {total.column: total for total in totals}
    for index, column in enumerate(columns):
        span = xl_range(_FIRST_ROW, index, last_row, index)
        if total := by_column.get(column.name):
            sheet.formula(_TOTAL_ROW, index, f"=SUBTOTAL(109,{span})", total.value, f"total {column.kind}")
        elif column.name == "product_id":
            sheet.formula(_TOTAL_ROW, index, f"=SUBTOTAL(103,{span})", products.height, "total tally")
        elif column.name == "post_title":
            sheet.text(_TOTAL_ROW, index, words.TOTAL_SHOWN, "total text")
        else:
            sheet.blanks(_TOTAL_ROW, range(index, index + 1), "total text")
    sheet.header(_HEADER_ROW, columns)
    sheet.rows(_FIRST_ROW, columns, products, marked)

    worksheet = sheet.worksheet
    worksheet.freeze_panes(_FIRST_ROW, 0)
    if products.height:
        worksheet.autofilter(_HEADER_ROW, 0, last_row, len(columns) - 1)
        keys = xl_range(_FIRST_ROW, names.index("product_id"), last_row, names.index("post_title"))
        worksheet.ignore_errors({"number_stored_as_text": keys})
        share = names.index("share")
        bar = {
            "type": "data_bar",
            "data_bar_2010": True,
            "bar_solid": True,
            "bar_color": look.BAR,
            "min_type": "num",
            "min_value": 0,
        }
        worksheet.conditional_format(_FIRST_ROW, share, last_row, share, bar)
