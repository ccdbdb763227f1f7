"""The first page: what was sold in the period, the trend, what to reorder, what changed and what is missing.

One landscape A4 page on a grid of narrow columns. The page is a list of cells and charts: the writer writes them, and
the audit compares each cell with the file.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tasks.domain.inventory import REORDER_WEEKS
from tasks.messages import mark
from tasks.report.charts import ChartSpec, best_sellers, premium_wines, trend
from tasks.report.content import Report, sheet_name, title
from tasks.report.headline import NONE_TO_REORDER, UNKNOWN, Tile, headline
from tasks.report.layout import Cell, CellValue, Kind, Sheet, table_sheets

PAGE_COLUMNS = 24
COLUMN_PIXELS = 44
ROW_PIXELS = 18
_TILE_COLUMNS = 4
_LABEL_COLUMNS, _LINE_COLUMNS, _LINK_COLUMNS = 3, 17, 4
_LISTED = 8
_GAP, _LINE, _NEWS, _HEADING, _TWO_LINES, _LOW_TREND, _TREND, _LOW, _TALL = 8, 13, 22, 30, 28, 100, 150, 220, 230
"""Heights in pixels."""
_LONGEST_TITLE = 90
_WIDTHS = {
    letter: width
    for width, letters in {
        0.22: "'|ijl", 0.28: " !,./:;[]ftI·", 0.33: "()-r", 0.5: "cksvxyzJ", 0.56: "abdeghnopquL?€0123456789",
        0.61: "FTZ", 0.67: "ABEKPSVXY&", 0.72: "CDHNRUw", 0.78: "GOQ", 0.83: "mM", 0.89: "%", 0.95: "W",
    }.items()
    for letter in letters
}  # fmt: skip
"""Widths of the letters of Arial, as parts of its size."""
_LETTER, _NEWS_LETTER = 11.7, 15.0
"""Pixels of 9 points, and of the bold 11 points of the news, measured in LibreOffice."""


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
        heights: The heights of rows that do not have the usual one, in pixels.
        charts: The charts.
    """

    cells: list[Cell] = field(default_factory=list)
    heights: dict[int, int] = field(default_factory=dict)
    charts: list[PlacedChart] = field(default_factory=list)

    @property
    def last_row(self) -> int:
        """The last row with content."""
        return max(cell.row for cell in self.cells)

    def add(self, cell: Cell) -> None:
        """Put a cell on the page."""
        self.cells.append(cell)


_SmallColumn = tuple[str, int, Kind, str]
"""Heading, width in columns of the page, kind, and name in the frame."""


class SmallList(NamedTuple):
    """A short table on the page.

    Attributes:
        title: Above it.
        columns: Heading, width in columns of the page, and kind of each of its columns.
        rows: Their values.
        if_empty: The sentence if there are no rows.
    """

    title: str
    columns: tuple[tuple[str, int, Kind], ...]
    rows: list[tuple[CellValue, ...]]
    if_empty: str


def summary_page(report: Report) -> SummaryPage:
    """The page of a snapshot."""
    page, shown, text = SummaryPage(), headline(report), report.messages
    page.add(Cell(0, 0, shown.title, "title", 14))
    page.add(Cell(0, 14, shown.period, "period", 10))
    page.add(Cell(1, 0, shown.news, "news", PAGE_COLUMNS))
    page.heights |= {0: 30, 1: _NEWS * count_lines(shown.news, PAGE_COLUMNS, _NEWS_LETTER), 2: _GAP}
    row, across = 3, PAGE_COLUMNS // _TILE_COLUMNS
    for first in range(0, len(shown.tiles), across):
        row = _add_tiles(page, row, shown.tiles[first : first + across])
    half = PAGE_COLUMNS // 2
    if report.summary.period is None:
        _add_chart(page, (row, 0), half, _TALL, best_sellers(report))
        _add_chart(page, (row, half), half, _TALL, premium_wines(report))
        page.heights[row + 1] = _TALL
    else:
        height = _TREND if len(shown.tiles) <= across else _LOW_TREND
        _add_chart(page, (row, 0), PAGE_COLUMNS, height, trend(report))
        page.heights[row + 1] = height if page.charts else ROW_PIXELS
    row, listed = row + 2, _short_wines(report)
    column = PAGE_COLUMNS - sum(columns for _, columns, _ in listed.columns)
    after, gap = _add_list(page, row, column, listed), _GAP
    if column:
        height = sum(page.heights.get(one, ROW_PIXELS) for one in range(row + 1, after))
        _add_chart(page, (row, 0), column, max(height, _LOW), best_sellers(report))
        gap += max(_LOW - height, 0)
    page.heights[after] = gap
    sheets = {sheet.key: sheet_name(sheet.key, text) for sheet in table_sheets(report)}
    for row, line in enumerate(shown.lines, start=after + 1):
        name = sheets.get(line.sheet)
        page.add(Cell(row, 0, line.label, "alert label" if line.is_alert else "line label", _LABEL_COLUMNS))
        page.add(Cell(row, _LABEL_COLUMNS, line.text, "line", _LINE_COLUMNS))
        page.add(Cell(row, PAGE_COLUMNS - _LINK_COLUMNS, name and f"→ {name}", "link", _LINK_COLUMNS, line.sheet))
        page.heights[row] = ROW_PIXELS + _LINE * (count_lines(line.text, _LINE_COLUMNS) - 1)
    page.cells.sort(key=lambda cell: (cell.row, cell.column))
    return page


def _add_tiles(page: SummaryPage, row: int, shown: Sequence[Tile]) -> int:
    """The figures side by side; returns the row after them."""
    notes = max(len(tile.notes) for tile in shown)
    for index, tile in enumerate(shown):
        value = UNKNOWN if tile.value is None else tile.value
        below = [(note, "tile note") for note in (*tile.notes, *[None] * (notes - len(tile.notes)))]
        cells: list[tuple[CellValue, str]] = [(tile.label, "tile label"), (value, f"tile {tile.kind}"), *below]
        for at, (content, style) in enumerate(cells, start=row):
            page.add(Cell(at, index * _TILE_COLUMNS, content, style, _TILE_COLUMNS))
    page.heights |= {row + 1: 30, row + 2 + notes: _GAP}
    return row + 3 + notes


def _add_chart(page: SummaryPage, corner: tuple[int, int], columns: int, height: int, chart: ChartSpec) -> None:
    """A title with its chart below; a sentence if the chart is empty."""
    row, column = corner
    page.add(Cell(row, column, chart.title, "section", columns))
    if chart.series:
        page.charts.append(PlacedChart(row + 1, column, columns * COLUMN_PIXELS - _GAP, height, chart))
    else:
        page.add(Cell(row + 1, column, chart.if_empty, "note", columns))


def _add_list(page: SummaryPage, row: int, column: int, listed: SmallList) -> int:
    """A short table; returns the row after it."""
    page.add(Cell(row, column, listed.title, "section", PAGE_COLUMNS - column))
    row += 1
    if not listed.rows:
        page.add(Cell(row, column, listed.if_empty, "note", PAGE_COLUMNS - column))
        return row + 1
    page.heights[row] = _HEADING
    headings = tuple(heading for heading, _, _ in listed.columns)
    for is_heading, values in [(True, headings), *((False, values) for values in listed.rows)]:
        at = column
        for value, (_, columns, kind) in zip(values, listed.columns, strict=True):
            style = f"small {kind}" if not isinstance(value, str) or kind == "text" else "small alert"
            if is_heading:
                style = f"small header {'text' if kind == 'text' else 'number'}"
            page.add(Cell(row, at, value, style, columns))
            at += columns
        if not is_heading and count_lines(str(values[0]), listed.columns[0][1]) > 1:
            page.heights[row] = _TWO_LINES
        row += 1
    return row


def count_lines(text: str, columns: int, size: float = _LETTER) -> int:
    """How many lines a text takes in these columns of the page."""
    letters = [letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)]
    pixels = sum(_WIDTHS.get(letter, 0.6) for letter in letters) * size
    return 1 + int(pixels / (columns * COLUMN_PIXELS - _GAP))


# fmt: off
_REORDER: tuple[_SmallColumn, ...] = (
    (mark("Wine"), 6, "text", "title"), (mark("Left"), 2, "count", "stock_quantity"),
    (mark("Per week"), 1, "score", "pace"), (mark("Weeks of cover"), 2, "decimal", "weeks_of_cover"),
    (mark("At risk per week"), 2, "money", "at_risk"),
)
_OUT: tuple[_SmallColumn, ...] = (
    (mark("Wine"), 12, "text", "title"), (mark("Left"), 2, "count", "stock_quantity"),
    (mark("Sold to date"), 4, "count", "total_sales"), (mark("Price"), 3, "money", "price"),
    (mark("Total revenue to date"), 3, "money", "revenue"),
)
# fmt: on


def _short_wines(report: Report) -> SmallList:
    """The wines to reorder; in a first snapshot, which has no pace, those that sold and are out of stock."""
    text = report.messages
    if report.summary.period is None:
        heading, columns = text.gettext("Out of stock, by total revenue to date"), _OUT
        if_empty = text.gettext("No wine that has sold is out of stock.")
    else:
        heading, columns = text.gettext("Reorder, by sales at risk"), _REORDER
        if_empty = text.gettext(NONE_TO_REORDER, weeks=REORDER_WEEKS)
    wines = report.short_wines
    if wines.height > _LISTED:
        message = mark("{title} ({shown} of {count})")
        heading = text.gettext(message, title=heading, shown=_LISTED, count=wines.height)
    shown = wines.head(_LISTED).with_columns(title(_LONGEST_TITLE, text).alias("title"))
    rows = [
        tuple(text.gettext("out") if name == "stock_quantity" and not row[name] else row[name] for *_, name in columns)
        for row in shown.iter_rows(named=True)
    ]
    return SmallList(
        heading, tuple((text.gettext(one), width, kind) for one, width, kind, _ in columns), rows, if_empty
    )


def chart_data(page: SummaryPage) -> Sheet | None:
    """The hidden sheet with the numbers of the charts; None if there is no chart."""
    tables = tuple(chart.spec.table() for chart in page.charts)
    return Sheet("chart_data", "", "", tables) if tables else None
