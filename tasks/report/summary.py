"""The first page: what was sold in the period, the trend, what to reorder, what changed and what is missing.

One landscape A4 page at its own size, on a grid of narrow columns. The page is a list of cells and charts: the writer
writes them, and the audit compares each of them with the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from tasks.domain.inventory import REORDER_WEEKS, list_reorder
from tasks.messages import Messages, mark
from tasks.report.charts import ChartSpec, best_sellers, premium_wines, trend
from tasks.report.content import Report, SheetKey, list_out_of_stock, sheet_name, title
from tasks.report.headline import UNKNOWN, Line, Tile, headline
from tasks.report.layout import Kind, Sheet

COLUMNS = 24
COLUMN_PIXELS = 44
ROW_PIXELS = 18
_TILE_COLUMNS = 4
_LINE_COLUMNS = 16
_LISTED = 8
_GAP, _LINE, _HEADING, _TWO_LINES, _TREND, _LOW, _TALL = 8, 13, 30, 28, 150, 220, 230
"""Heights in pixels."""
_LONGEST_TITLE = 90
_NARROW, _WIDE = frozenset("fijlrtI .,:;'!|()[]/-·"), frozenset("mwMW%€")
_NARROW_PIXELS, _LETTER_PIXELS, _WIDE_PIXELS = 3.6, 6.5, 9.0
"""Widths of letters of 9 points; capitals count as wide."""


CellValue = str | int | float | Decimal | None


class SummaryCell(NamedTuple):
    """A cell of the page, or several that are one."""

    row: int
    column: int
    columns: int
    value: CellValue
    style: str
    link: SheetKey | None = None


class PlacedChart(NamedTuple):
    """A chart on the page, with its size in pixels."""

    row: int
    column: int
    width: int
    height: int
    spec: ChartSpec


@dataclass
class SummaryPage:
    """The page as data.

    Attributes:
        cells: From top to bottom.
        heights: Rows that are not of the usual height, in pixels.
        charts: The charts.
    """

    cells: list[SummaryCell] = field(default_factory=list)
    heights: dict[int, int] = field(default_factory=dict)
    charts: list[PlacedChart] = field(default_factory=list)

    @property
    def last_row(self) -> int:
        """The last row with content."""
        return max(cell.row for cell in self.cells)

    def add(self, cell: SummaryCell) -> None:
        """Put a cell on the page."""
        self.cells.append(cell)


class SmallList(NamedTuple):
    """A short table on the page.

    Attributes:
        title: Above it.
        columns: Heading, width in columns of the page, and kind of each of its columns.
        rows: Their values.
        if_empty: The sentence in place of no rows.
    """

    title: str
    columns: tuple[tuple[str, int, Kind], ...]
    rows: list[tuple[CellValue, ...]]
    if_empty: str


def summary_page(report: Report) -> SummaryPage:
    """The page of a snapshot."""
    page, shown = SummaryPage(), headline(report)
    page.add(SummaryCell(0, 0, 14, shown.title, "title"))
    page.add(SummaryCell(0, 14, 10, shown.period, "period"))
    page.add(SummaryCell(1, 0, COLUMNS, shown.news, "news"))
    page.heights |= {0: 30, 1: 22, 2: 8}
    row = _add_tiles(page, 3, shown.tiles)
    if report.summary.period is None:
        half = COLUMNS // 2
        _add_chart(page, (row, 0), half, _TALL, best_sellers(report))
        _add_chart(page, (row, half), half, _TALL, premium_wines(report))
        page.heights[row + 1] = _TALL
        listed = _out_of_stock(report)
    else:
        _add_trend(page, row, report)
        listed = _reorder(report)
    row += 2
    column = COLUMNS - sum(columns for _, columns, _ in listed.columns)
    after = _add_list(page, row, column, listed)
    gap = _GAP
    if column:
        height = sum(page.heights.get(one, ROW_PIXELS) for one in range(row + 1, after))
        _add_chart(page, (row, 0), column, max(height, _LOW), best_sellers(report))
        gap += max(_LOW - height, 0)
    page.heights[after] = gap
    _add_lines(page, after + 1, shown.lines, report)
    page.cells.sort(key=lambda cell: (cell.row, cell.column))
    return page


def _add_tiles(page: SummaryPage, row: int, shown: Sequence[Tile]) -> int:
    """The figures side by side; returns the row after them."""
    notes = max(len(tile.notes) for tile in shown)
    for index, tile in enumerate(shown):
        column = index * _TILE_COLUMNS
        page.add(SummaryCell(row, column, _TILE_COLUMNS, tile.label, "tile label"))
        page.add(
            SummaryCell(
                row + 1, column, _TILE_COLUMNS, UNKNOWN if tile.value is None else tile.value, f"tile {tile.kind}"
            )
        )
        for step in range(notes):
            note = tile.notes[step] if step < len(tile.notes) else None
            page.add(SummaryCell(row + 2 + step, column, _TILE_COLUMNS, note, "tile note"))
    page.heights |= {row + 1: 30, row + 2 + notes: _GAP}
    return row + 3 + notes


def _add_chart(page: SummaryPage, corner: tuple[int, int], columns: int, height: int, chart: ChartSpec) -> None:
    """A title with its chart below; without a bar, a sentence."""
    row, column = corner
    page.add(SummaryCell(row, column, columns, chart.title, "section"))
    if chart.series:
        page.charts.append(PlacedChart(row + 1, column, columns * COLUMN_PIXELS - _GAP, height, chart))
    else:
        page.add(SummaryCell(row + 1, column, columns, chart.if_empty, "note"))


def _add_trend(page: SummaryPage, row: int, report: Report) -> None:
    if report.trend.height > 1:
        _add_chart(page, (row, 0), COLUMNS, _TREND, trend(report))
        page.heights[row + 1] = _TREND
    else:
        page.add(
            SummaryCell(
                row, 0, COLUMNS, report.messages.gettext(mark("The trend starts with the next snapshot.")), "note"
            )
        )


def _add_list(page: SummaryPage, row: int, column: int, listed: SmallList) -> int:
    """A short table; returns the row after it."""
    page.add(SummaryCell(row, column, COLUMNS - column, listed.title, "section"))
    row += 1
    if not listed.rows:
        page.add(SummaryCell(row, column, COLUMNS - column, listed.if_empty, "note"))
        return row + 1
    page.heights[row] = _HEADING
    for values in [None, *listed.rows]:
        at = column
        for index, (heading_text, columns, kind) in enumerate(listed.columns):
            if values is None:
                is_text = kind == "text"
                page.add(SummaryCell(row, at, columns, heading_text, f"small header {'text' if is_text else 'number'}"))
            else:
                value = values[index]
                style = "small alert" if isinstance(value, str) and index else f"small {kind}"
                page.add(SummaryCell(row, at, columns, value, style))
            at += columns
        if values is not None and _lines(str(values[0]), listed.columns[0][1]) > 1:
            page.heights[row] = _TWO_LINES
        row += 1
    return row


def _lines(text: str, columns: int) -> int:
    """How many lines a text takes in these columns of the page."""
    pixels = sum(
        _NARROW_PIXELS if sign in _NARROW else _WIDE_PIXELS if sign in _WIDE or sign.isupper() else _LETTER_PIXELS
        for sign in text
    )
    return 1 + int(pixels / (columns * COLUMN_PIXELS - _GAP))


def _reorder(report: Report) -> SmallList:
    """The wines that sell and have fewer than 8 weeks of cover, by sales at risk."""
    text = report.messages
    out = text.gettext(mark("out"))
    rows = list_reorder(report.wines.lazy()).collect()
    shown = rows.head(_LISTED).select(
        title(_LONGEST_TITLE, text), "stock_quantity", "pace", "weeks_of_cover", "at_risk"
    )
    columns: tuple[tuple[str, int, Kind], ...] = (
        (text.gettext(mark("Wine")), 6, "text"),
        (text.gettext(mark("Left")), 1, "count"),
        (text.gettext(mark("Per week")), 1, "score"),
        (text.gettext(mark("Weeks of\ncover")), 2, "decimal"),
        (text.gettext(mark("At risk per week")), 2, "money"),
    )
    return SmallList(
        _counted(text.gettext(mark("Reorder, by sales at risk")), rows.height, text),
        columns,
        [(name, out if left <= 0 else left, *numbers) for name, left, *numbers in shown.iter_rows()],
        text.gettext(
            mark("No wine that sells has fewer than {weeks} weeks of cover."), weeks=text.number(REORDER_WEEKS)
        ),
    )


def _out_of_stock(report: Report) -> SmallList:
    text = report.messages
    rows = list_out_of_stock(report.wines.lazy()).collect()
    columns: tuple[tuple[str, int, Kind], ...] = (
        (text.gettext(mark("Wine")), 12, "text"),
        (text.gettext(mark("Left")), 2, "count"),
        (text.gettext(mark("Sold to date")), 4, "count"),
        (text.gettext(mark("Price")), 3, "money"),
        (text.gettext(mark("Total revenue to date")), 3, "money"),
    )
    shown = rows.head(_LISTED).select(title(_LONGEST_TITLE, text), "total_sales", "price", "revenue")
    return SmallList(
        _counted(text.gettext(mark("Out of stock, by total revenue to date")), rows.height, text),
        columns,
        [(name, text.gettext(mark("out")), *numbers) for name, *numbers in shown.iter_rows()],
        text.gettext(mark("No wine that has sold is out of stock.")),
    )


def _counted(title_text: str, count: int, text: Messages) -> str:
    """The title of a list, with how many of the rows it shows where these are not all."""
    if count <= _LISTED:
        return title_text
    message = mark("{title} ({shown} of {count})")
    return text.gettext(message, title=title_text, shown=text.number(_LISTED), count=text.number(count))


def _add_lines(page: SummaryPage, row: int, shown: Sequence[Line], report: Report) -> None:
    for line in shown:
        name = sheet_name(line.sheet, report.messages) if line.sheet else None
        page.add(SummaryCell(row, 0, 4, line.label, "alert label" if line.is_alert else "line label"))
        page.add(SummaryCell(row, 4, _LINE_COLUMNS, line.text, "line"))
        page.add(SummaryCell(row, 20, 4, name and f"→ {name}", "link", line.sheet))
        page.heights[row] = ROW_PIXELS + _LINE * (_lines(line.text, _LINE_COLUMNS) - 1)
        row += 1


def chart_data(page: SummaryPage) -> Sheet | None:
    """The hidden sheet with the numbers of the charts; None where there is no chart."""
    tables = tuple(chart.spec.table() for chart in page.charts)
    return Sheet("chart_data", "", "", tables) if tables else None
