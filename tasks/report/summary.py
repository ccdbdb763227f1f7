"""The first sheet: the month on one page."""

from dataclasses import dataclass
from decimal import Decimal

import polars as pl
from xlsxwriter import Workbook

from tasks.domain.figures import Figures, Parameters
from tasks.domain.issues import RULES, SEVERITIES
from tasks.report import words
from tasks.report.charts import ChartData, premium_price_chart, price_chart, top_products_chart
from tasks.report.sheets import Column, Sheet

_TITLE_ROW, _NOTE_ROW, _RULE_ROW = 0, 1, 2
_LABEL_ROW, _VALUE_ROW, _TILE_NOTE_ROW = 4, 5, 6
_CHART_ROW = 8
_CHART_ROWS = 25
_PRICE_ROWS = 14
_MISSING_ROW = _CHART_ROW + _CHART_ROWS

_TILE_WIDTH = 25.0
_TILE_PIXELS = 180
_ROW_PIXELS = 20
_REASONS = 7
"""Reasons for rejection that the page has room for."""

_PARETO = 0.8


@dataclass(frozen=True)
class Tile:
    """A headline figure: what it is, how much, and one remark."""

    label: str
    value: float | Decimal
    kind: str
    note: str


def tiles(figures: Figures, products: pl.DataFrame) -> list[Tile]:
    """The six headline figures."""
    share = figures.premium_revenue / figures.revenue if figures.revenue else Decimal(0)
    unsold = products.filter(pl.col("total_sales") == 0).height
    # The product that crosses the line belongs to those that make the share.
    carrying = products.filter(pl.col("cumulative_share") - pl.col("share") < _PARETO).height if figures.revenue else 0
    return [
        Tile(words.REVENUE_LABEL, figures.revenue, "money", words.revenue_note(figures)),
        Tile(words.UNITS_LABEL, figures.units, "count", words.unsold_note(unsold)),
        Tile(words.PRODUCTS_LABEL, figures.products, "count", words.concentration_note(carrying)),
        Tile(words.PREMIUM_LABEL, figures.premium, "count", words.ordinary_note(figures)),
        Tile(words.THRESHOLD_LABEL, figures.threshold_price, "money", words.cheapest_note(figures)),
        Tile(words.PREMIUM_SHARE_LABEL, share, "share", words.premium_revenue_note(figures)),
    ]


def write_summary(
    workbook: Workbook,
    sheet: Sheet,
    data: ChartData,
    parameters: Parameters,
    figures: Figures,
    products: pl.DataFrame,
    row_counts: pl.DataFrame,
) -> None:
    """Write headline figures, charts and what is missing, on one landscape page."""
    headlines = tiles(figures, products)
    sheet.widths([Column("", "", _TILE_WIDTH)] * len(headlines))
    sheet.text(_TITLE_ROW, 0, words.title(parameters.month), "title")
    sheet.text(_NOTE_ROW, 0, words.snapshot_note(parameters.month), "note")
    sheet.text(_RULE_ROW, 0, words.rule_note(parameters.premium_threshold), "note")
    _write_tiles(sheet, headlines)
    _insert_charts(workbook, sheet, data, figures, products)
    _write_missing(sheet, row_counts.filter(pl.col("disposition") == "rejected"))
    sheet.print_setup(parameters.month, pages_high=1)
    sheet.worksheet.activate()


def _write_tiles(sheet: Sheet, headlines: list[Tile]) -> None:
    sheet.worksheet.set_row_pixels(_VALUE_ROW, 30)
    for column, tile in enumerate(headlines):
        sheet.text(_LABEL_ROW, column, tile.label, "tile label")
    for column, tile in enumerate(headlines):
        sheet.number(_VALUE_ROW, column, tile.value, f"tile {tile.kind}")
    for column, tile in enumerate(headlines):
        sheet.text(_TILE_NOTE_ROW, column, tile.note, "tile note")


def _insert_charts(workbook: Workbook, sheet: Sheet, data: ChartData, figures: Figures, products: pl.DataFrame) -> None:
    half = 3
    width, height = half * _TILE_PIXELS - 10, _CHART_ROWS * _ROW_PIXELS - 10
    top = top_products_chart(workbook, data, products)
    top.set_size({"width": width, "height": height})
    sheet.worksheet.insert_chart(_CHART_ROW, 0, top)

    prices = price_chart(workbook, data, products, figures.threshold_price)
    prices.set_size({"width": width, "height": _PRICE_ROWS * _ROW_PIXELS if figures.premium else height})
    sheet.worksheet.insert_chart(_CHART_ROW, half, prices)
    if figures.premium:
        premium = premium_price_chart(workbook, data, products, figures.threshold_price)
        premium.set_size({"width": width, "height": height - _PRICE_ROWS * _ROW_PIXELS})
        sheet.worksheet.insert_chart(_CHART_ROW + _PRICE_ROWS, half, premium)


def _write_missing(sheet: Sheet, rejected: pl.DataFrame) -> None:
    """Rejected rows by reason, what matters most first."""
    sheet.text(_MISSING_ROW, 0, words.MISSING, "section")
    if rejected.is_empty():
        sheet.text(_MISSING_ROW + 1, 0, words.NOTHING_MISSING)
        return
    sheet.text(
        _MISSING_ROW, 1, words.missing_summary(int(rejected["rows"].sum()), int(rejected["units"].sum())), "note"
    )
    header = _MISSING_ROW + 1
    last = 5
    for column, heading in ((0, words.WORKBOOK), (1, words.REASON)):
        sheet.text(header, column, heading, "header")
    sheet.blanks(header, range(2, last - 1), "header")
    for column, heading in ((last - 1, words.ROWS), (last, words.UNITS)):
        sheet.text(header, column, heading, "header right")

    order = _by_weight(rejected)
    row = header
    for source, rule, detail, rows, units in (
        order.head(_REASONS).select("source", "rule", "detail", "rows", "units").iter_rows()
    ):
        row += 1
        sheet.text(row, 0, words.SOURCE_NAMES[source], "cell text")
        sheet.text(row, 1, words.reason(rule, detail), "cell text")
        sheet.blanks(row, range(2, last - 1), "cell text")
        sheet.number(row, last - 1, rows, "cell count")
        if units is None:
            sheet.blanks(row, range(last, last + 1), "cell text")
        else:
            sheet.number(row, last, units, "cell count")
    if order.height > _REASONS:
        sheet.text(row + 1, 0, words.other_reasons(order.height - _REASONS), "note")


def _by_weight(rejected: pl.DataFrame) -> pl.DataFrame:
    """Reasons that cost units first, then those that somebody should act on, then the expected ones."""
    severities = {rule: SEVERITIES.index(RULES[rule].severity) for rule in rejected["rule"].drop_nulls().unique()}
    severity = pl.col("rule").replace_strict(severities, default=len(SEVERITIES), return_dtype=pl.Int8)
    return rejected.sort(
        pl.col("units").fill_null(0),
        severity,
        "rows",
        "source",
        "rule",
        "detail",
        descending=[True, False, True, False, False, False],
    )
