"""The native charts, and the hidden sheet that holds their numbers."""

from decimal import Decimal
from typing import Any

import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.chart import Chart

from tasks.report import look, words
from tasks.report.cells import cell_frame
from tasks.report.price_bands import all_price_bands, premium_price_bands
from tasks.report.sheets import Column, Sheet

TOP_PRODUCTS = 10
TOP_PREMIUM = 15
_TITLE_LENGTH = 76

_FONT = {"name": look.FONT, "size": 8, "color": look.INK, "bold": False}
_QUIET = {**_FONT, "color": look.QUIET}
_NO_LINE = {"line": {"none": True}}
_CLASSES = (("ordinary", words.ORDINARY, look.ORDINARY), ("premium", words.PREMIUM_MARK, look.PREMIUM))


class ChartData:
    """The hidden sheet: small tables one below the other, each the source of a chart.

    The charts also keep a copy of their numbers, for programs that draw them without opening the sheet.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._next_row = 0
        sheet.worksheet.hide()
        sheet.widths([Column("label", "", 60), Column("", "", 14), Column("", "", 14), Column("", "", 14)])

    def add(self, title: str, frame: pl.DataFrame, kind: str) -> "ChartTable":
        """Write a table whose first column names the rows and whose others are numbers."""
        label, *values = frame.columns
        columns = [Column(label, label, 60), *(Column(name, name, 14, kind) for name in values)]
        self._sheet.text(self._next_row, 0, title, "section")
        first = self._next_row + 2
        self._sheet.header(first - 1, columns)
        self._sheet.rows(first, columns, frame)
        self._next_row = first + frame.height + 1
        return ChartTable(self._sheet.worksheet.name, first, cell_frame(frame))


class ChartTable:
    """Where a chart finds its numbers."""

    def __init__(self, sheet_name: str, first_row: int, frame: pl.DataFrame) -> None:
        self._sheet_name = sheet_name
        self._first_row = first_row
        self._frame = frame

    def series(self, column: str) -> dict[str, Any]:
        """The places and the copies of the labels and of one column."""
        label = self._frame.columns[0]
        return {
            "categories": self._place(label),
            "values": self._place(column),
            "categories_data": self._frame[label].to_list(),
            "values_data": self._frame[column].cast(pl.Float64).to_list(),
        }

    def _place(self, column: str) -> list[str | int]:
        index = self._frame.columns.index(column)
        return [self._sheet_name, self._first_row, index, self._first_row + self._frame.height - 1, index]


def top_products_chart(workbook: Workbook, data: ChartData, wines: pl.DataFrame) -> Chart:
    """The products with the most revenue, both classes."""
    return _revenue_bars(workbook, data, words.TOP_PRODUCTS, wines.head(TOP_PRODUCTS))


def premium_revenue_chart(workbook: Workbook, data: ChartData, wines: pl.DataFrame) -> Chart:
    """The premium wines with the most revenue."""
    chart = _revenue_bars(workbook, data, words.PREMIUM_REVENUE, wines.head(TOP_PREMIUM))
    chart.set_legend({"none": True})
    return chart


def price_chart(workbook: Workbook, data: ChartData, wines: pl.DataFrame, threshold_price: Decimal) -> Chart:
    """All products by price, with a line where premium begins."""
    bands = all_price_bands(wines, threshold_price)
    table = data.add(words.PRICE_BANDS, bands.table, "count")
    chart = _price_columns(workbook, table, words.PRICE_BANDS, words.band_axis(bands.step, threshold_price))
    # A single invisible point whose error bar reaches down to the axis: the one vertical line that every program draws.
    line = workbook.add_chart({"type": "line"})
    line.add_series(
        {
            **table.series("threshold"),
            "name": words.threshold_label(threshold_price),
            "marker": {"type": "none"},
            "line": {"none": True},
            "y_error_bars": {
                "type": "percentage", "value": 100, "direction": "minus", "end_style": 0,
                "line": {"color": look.INK, "width": 1.5, "dash_type": "dash"},
            },
            "data_labels": {
                "series_name": True, "value": False, "position": "right", "font": {**_FONT, "bold": True},
            },
        }
    )  # fmt: skip
    chart.combine(line)
    chart.set_legend({"position": "top", "font": _FONT, "delete_series": [len(_CLASSES)]})
    return chart


def premium_price_chart(workbook: Workbook, data: ChartData, wines: pl.DataFrame, threshold_price: Decimal) -> Chart:
    """The premium wines by price: beside all the others their bars would be too short to see."""
    bands = premium_price_bands(wines, threshold_price)
    table = data.add(words.PREMIUM_BANDS, bands.table, "count")
    chart = _price_columns(workbook, table, words.PREMIUM_BANDS, words.band_axis(bands.step, threshold_price))
    chart.set_legend({"none": True})
    return chart


def _price_columns(workbook: Workbook, table: ChartTable, title: str, axis: str) -> Chart:
    chart = workbook.add_chart({"type": "column"})
    for column, name, colour in _CLASSES:
        chart.add_series(
            {
                **table.series(column),
                "name": name,
                "fill": {"color": colour},
                "gap": 15,
                "overlap": 100,
                "data_labels": {"value": True, "position": "outside_end", "font": _FONT},
            }
        )
    _dress(chart, title)
    chart.set_x_axis({"name": axis, "name_font": _QUIET, "num_font": _FONT, "line": {"color": look.LINE}})
    chart.set_y_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0})
    return chart


def _revenue_bars(workbook: Workbook, data: ChartData, title: str, wines: pl.DataFrame) -> Chart:
    revenue = pl.col("revenue")
    bars = wines.select(
        _chart_title().alias("label"),
        pl.when(~pl.col("is_premium")).then(revenue).alias("ordinary"),
        pl.when("is_premium").then(revenue).alias("premium"),
    )
    table = data.add(title, bars, "money")
    chart = workbook.add_chart({"type": "bar"})
    for column, name, colour in _CLASSES:
        chart.add_series(
            {
                **table.series(column),
                "name": name,
                "fill": {"color": colour},
                "gap": 35,
                "overlap": 100,
                "data_labels": {
                    "value": True,
                    "num_format": look.WHOLE_EURO,
                    "position": "outside_end",
                    "font": _FONT,
                },
            }
        )
    _dress(chart, title)
    chart.set_legend({"position": "bottom", "font": _FONT})
    # Bars start half way: the other half is for the titles, in full.
    chart.set_plotarea({"layout": {"x": 0.5, "y": 0.1, "width": 0.4, "height": 0.8}})
    chart.set_y_axis({"reverse": True, "num_font": _FONT, "line": {"color": look.LINE}, "major_tick_mark": "none"})
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0})
    return chart


def _chart_title() -> pl.Expr:
    """The title on one line and short enough for two lines beside a bar; cut between words where it must be."""
    line = pl.col("post_title").str.replace_all(r"\s+", " ").str.strip_chars()
    cut = line.str.head(_TITLE_LENGTH).str.replace(r"\s+\S*$", "") + "…"
    title = pl.when(line.str.len_chars() > _TITLE_LENGTH).then(cut).otherwise(line)
    untitled = pl.col("product_id").map_elements(words.untitled, return_dtype=pl.String)
    return pl.when(title.fill_null("") == "").then(untitled).otherwise(title)


def _dress(chart: Chart, title: str) -> None:
    chart.set_title({"name": title, "name_font": {**_FONT, "size": 10, "bold": True}, "overlay": False})
    chart.set_chartarea({"border": {"none": True}, "fill": {"none": True}})
    chart.show_hidden_data()
