"""The native charts, and the hidden sheet that holds their numbers."""

from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.chart import Chart

from tasks.report import look
from tasks.report.cells import cell_frame
from tasks.report.price_bands import all_price_bands, premium_price_bands
from tasks.report.sheets import Column, Sheet
from tasks.report.words import Words

BARS = 10
_TITLE_LENGTH = 56

_FONT = {"name": look.FONT, "size": 8, "color": look.INK, "bold": False}
_QUIET = {**_FONT, "color": look.QUIET}


class DescribedChart(NamedTuple):
    """A chart, and what it shows for who does not see it."""

    chart: Chart
    description: str


class ChartData:
    """The hidden sheet: small tables one below the other, each the source of a chart.

    The charts also keep a copy of their numbers, for programs that draw them without opening the sheet.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._next_row = 0
        sheet.worksheet.hide()
        sheet.widths([60, 14, 14, 14])

    def add(self, title: str, frame: pl.DataFrame, kind: str) -> "ChartTable":
        """Write a table whose first column names the rows and whose others are numbers."""
        label, *values = frame.columns
        columns = [Column(label, 60), *(Column(name, 14, kind) for name in values)]
        self._sheet.text(self._next_row, 0, title, "section")
        first = self._next_row + 1
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


def top_products_chart(workbook: Workbook, data: ChartData, sheet: Sheet, wines: pl.DataFrame) -> DescribedChart:
    """The products with the most revenue, both classes."""
    return _revenue_bars(workbook, data, sheet, sheet.words.TOP_PRODUCTS, wines.head(BARS))


def top_premium_chart(workbook: Workbook, data: ChartData, sheet: Sheet, wines: pl.DataFrame) -> DescribedChart:
    """The premium wines with the most revenue, on their own scale."""
    premium = wines.filter(pl.col("is_premium") & (pl.col("revenue") > 0)).head(BARS)
    return _revenue_bars(workbook, data, sheet, sheet.words.TOP_PREMIUM, premium)


def price_chart(
    workbook: Workbook, data: ChartData, words: Words, wines: pl.DataFrame, threshold_price: Decimal
) -> DescribedChart:
    """All products by price, with a line where premium begins."""
    bands = all_price_bands(wines, threshold_price, words)
    table = data.add(words.PRICE_BANDS, bands.table, "count")
    axis = words.band_axis(bands.step, threshold_price)
    chart = _price_columns(workbook, table, words, words.PRICE_BANDS, axis)
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
    chart.set_legend({"position": "top", "font": _FONT, "delete_series": [2]})
    return DescribedChart(chart, words.bands_described(words.PRICE_BANDS))


def premium_price_chart(
    workbook: Workbook, data: ChartData, words: Words, wines: pl.DataFrame, threshold_price: Decimal
) -> DescribedChart:
    """The premium wines by price: beside all the others their bars would be too short to see."""
    bands = premium_price_bands(wines, threshold_price, words)
    table = data.add(words.PREMIUM_BANDS, bands.table, "count")
    axis = words.band_axis(bands.step, threshold_price)
    chart = _price_columns(workbook, table, words, words.PREMIUM_BANDS, axis)
    chart.set_legend({"none": True})
    return DescribedChart(chart, words.bands_described(words.PREMIUM_BANDS))


def _classes(words: Words) -> list[tuple[str, str, str]]:
    return [("ordinary", words.ORDINARY, look.ORDINARY), ("premium", words.PREMIUM_MARK, look.PREMIUM)]


def _price_columns(workbook: Workbook, table: ChartTable, words: Words, title: str, axis: str) -> Chart:
    chart = workbook.add_chart({"type": "column"})
    for column, name, colour in _classes(words):
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


def _revenue_bars(workbook: Workbook, data: ChartData, sheet: Sheet, title: str, wines: pl.DataFrame) -> DescribedChart:
    revenue, words = pl.col("revenue"), sheet.words
    bars = wines.select(
        short_title(words, _TITLE_LENGTH).alias("label"),
        pl.when(~pl.col("is_premium")).then(revenue).alias("ordinary"),
        pl.when("is_premium").then(revenue).alias("premium"),
    )
    table = data.add(title, bars, "money")
    chart = workbook.add_chart({"type": "bar"})
    shown = [one for one in _classes(words) if bars[one[0]].count()]
    for column, name, colour in shown:
        chart.add_series(
            {
                **table.series(column),
                "name": name,
                "fill": {"color": colour},
                "gap": 35,
                "overlap": 100,
                "data_labels": {
                    "value": True,
                    "num_format": sheet.look.number_format("euros"),
                    "position": "outside_end",
                    "font": _FONT,
                },
            }
        )
    _dress(chart, title)
    chart.set_legend({"position": "bottom", "font": _FONT} if len(shown) > 1 else {"none": True})
    # Bars start half way: the other half is for the titles, in full.
    chart.set_plotarea({"layout": {"x": 0.5, "y": 0.1, "width": 0.4, "height": 0.8}})
    chart.set_y_axis({"reverse": True, "num_font": _FONT, "line": {"color": look.LINE}, "major_tick_mark": "none"})
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0})
    return DescribedChart(chart, words.bars_described(title, bars.height))


def short_title(words: Words, length: int) -> pl.Expr:
    """The title on one line, cut between words where it is longer."""
    line = pl.col("post_title").str.replace_all(r"\s+", " ").str.strip_chars()
    cut = line.str.head(length).str.replace(r"\s+\S*$", "") + "…"
    title = pl.when(line.str.len_chars() > length).then(cut).otherwise(line)
    untitled = pl.col("product_id").map_elements(words.untitled, return_dtype=pl.String)
    return pl.when(title.fill_null("") == "").then(untitled).otherwise(title)


def _dress(chart: Chart, title: str) -> None:
    chart.set_title({"name": title, "name_font": {**_FONT, "size": 10, "bold": True}, "overlay": False})
    chart.set_chartarea({"border": {"none": True}, "fill": {"none": True}})
    chart.show_hidden_data()
