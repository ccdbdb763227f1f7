"""The snapshot as a workbook, in the language of its parameters.

The same frames give the same bytes: nothing here reads a clock, and XlsxWriter gives the entries of its archive a
constant date. XlsxWriter returns a negative code for a cell that it did not write; here that is an error.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range
from xlsxwriter.worksheet import Worksheet

from tasks.messages import Messages
from tasks.report import summary
from tasks.report.cells import cell_frame, cell_text, literal
from tasks.report.charts import build_chart
from tasks.report.content import Report, sheet_name
from tasks.report.headline import headline
from tasks.report.layout import Cell, PlacedTable, Sheet, table_sheets
from tasks.report.past_the_api import CellColumn, write_rows
from tasks.report.styles import Styles, workbook_options
from tasks.report.summary import SummaryPage, summary_page

AUTHOR = "BottleNeck"
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)
_A4 = 9
_LETTER = 0.95
"""Mean width of a letter, in the unit of column widths: the width of a digit."""
_LINE_POINTS = 13.5


class CellNotWritten(RuntimeError):
    """A cell was refused: the sheet or the text is larger than Excel allows."""


def write_workbook(path: Path, report: Report) -> None:
    """Write the workbook; after an error there is no file.

    Args:
        path: The file to write; an existing one is replaced.
        report: What it shows.

    Raises:
        CellNotWritten: XlsxWriter refused a cell.
        OutsideTheSheet: There are more products than a sheet has rows.
    """
    page, sheets, name = summary_page(report), table_sheets(report), headline(report).title
    # Rows go to files of this folder as soon as they are written, so that memory does not grow with the snapshot.
    with TemporaryDirectory() as row_files:
        try:
            options = {**workbook_options(), "constant_memory": True, "tmpdir": row_files}
            with Workbook(path, options) as workbook:
                workbook.set_properties({"title": name, "author": AUTHOR, "created": _CREATED})
                _write_sheets(workbook, page, sheets, report.messages)
                for worksheet in workbook.worksheets():
                    _print_setup(worksheet, name, report.messages)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _write_sheets(workbook: Workbook, page: SummaryPage, sheets: list[Sheet], text: Messages) -> None:
    writer = _Writer(Styles(workbook, text), text)
    front = workbook.add_worksheet(sheet_name("summary", text))
    writer.write_page(front, page)
    for sheet in sheets:
        worksheet = workbook.add_worksheet(sheet_name(sheet.key, text))
        writer.write_sheet(worksheet, sheet)
    data = summary.chart_data(page)
    if data is not None:
        hidden = workbook.add_worksheet(sheet_name("chart_data", text))
        hidden.hide()
        writer.write_sheet(hidden, data)
        for chart, table in zip(page.charts, data.placed(), strict=True):
            native = build_chart(workbook, chart.spec, table, text)
            native.set_size({"width": chart.width, "height": chart.height})
            options = {"description": chart.spec.description(text), "object_position": 1}
            front.insert_chart(chart.row, chart.column, native, options)
    front.print_area(0, 0, page.last_row, summary.PAGE_COLUMNS - 1)
    front.activate()


class _Writer:
    """Writes cells and tables with the formats and the language of one workbook."""

    def __init__(self, styles: Styles, text: Messages) -> None:
        self.styles = styles
        self.text = text

    def write_page(self, worksheet: Worksheet, page: SummaryPage) -> None:
        worksheet.set_column_pixels(0, summary.PAGE_COLUMNS - 1, summary.COLUMN_PIXELS)
        row = -1
        for cell in page.cells:
            while row < cell.row:
                row += 1
                worksheet.set_row_pixels(row, page.heights.get(row, summary.ROW_PIXELS))
                # In constant-memory mode a row without a cell has no height.
                _check(worksheet, worksheet.write_blank(row, 0, None, self.styles["line"]))
            self.write_cells(worksheet, [cell])

    def write_cells(self, worksheet: Worksheet, cells: Iterable[Cell]) -> None:
        """Write texts (never as numbers or formulas), numbers, formulas with their results, and links."""
        for cell in cells:
            style, at, value = self.styles[cell.style], (cell.row, cell.column), cell.value
            if cell.columns > 1:
                _check(worksheet, worksheet.merge_range(*at, cell.row, cell.column + cell.columns - 1, "", style))
            if cell.formula:
                code = worksheet.write_formula(*at, cell.formula, style, value)
            elif isinstance(value, str) and cell.link:
                target = f"internal:'{sheet_name(cell.link, self.text)}'!A1"
                code = worksheet.write_url(*at, target, style, string=value)
            elif isinstance(value, str):
                code = worksheet.write_string(*at, literal(cell_text(value)), style)
            else:
                code = worksheet.write(*at, None if value is None else float(value), style)
            _check(worksheet, code)

    def write_sheet(self, worksheet: Worksheet, sheet: Sheet) -> None:
        """Write the tables one below the other; widths are those of the widest table."""
        for table in sheet.tables:
            for index, column in enumerate(table.columns):
                worksheet.set_column(index, index, max(column.width, _width(sheet, index)))
        self.write_cells(worksheet, sheet.cells())
        for placed in sheet.placed():
            self.write_table(worksheet, placed)
        first, last, right = placed.rows[0], placed.rows[-1], len(placed.table.columns) - 1
        if sheet.title:
            worksheet.freeze_panes(first if len(sheet.tables) == 1 else 2, sheet.frozen_columns)
            worksheet.autofilter(placed.header_row, 0, last, right)
            worksheet.ignore_errors({"number_stored_as_text": xl_range(first, 0, last, right)})
        if sheet.printed_rows:
            worksheet.print_area(0, 0, sheet.last_printed_row(), right)
        elif sheet.title:
            worksheet.print_area(0, right + 1, 0, right + 1)

    def write_table(self, worksheet: Worksheet, placed: PlacedTable) -> None:
        """Write title, totals, headings and rows."""
        table = placed.table
        headings = zip(map(self.text.gettext, (column.heading for column in table.columns)), table.columns, strict=True)
        lines = [math.ceil(len(heading) * 1.15 / column.width) for heading, column in headings]
        self.write_cells(worksheet, placed.cells(self.text))
        worksheet.set_row(placed.header_row, _LINE_POINTS * max(2, *lines))
        cells = [
            CellColumn(
                column.name,
                self.styles[f"cell {column.kind}"],
                self.styles[f"{table.emphasis} {column.kind}"],
                table.marked,
            )
            for column in table.columns
        ]
        names = dict.fromkeys([*(column.name for column in table.columns), *([table.marked] if table.marked else [])])
        frame = cell_frame(table.frame.select(*names))
        write_rows(worksheet, placed.rows[0], cells, frame, _heights(placed))


def _width(sheet: Sheet, index: int) -> float:
    return max(table.columns[index].width for table in sheet.tables if index < len(table.columns))


def _heights(placed: PlacedTable) -> pl.Expr | None:
    """The heights of rows with texts of several lines; not every program adapts them itself."""
    texts = [column for column in placed.table.columns if column.kind == "text"]
    if not texts:
        return None
    lines = pl.max_horizontal(
        (pl.col(column.name).cast(pl.String).str.len_chars() * _LETTER / column.width).ceil().fill_null(1)
        for column in texts
    )
    return pl.when(lines > 1).then(lines * _LINE_POINTS)


def _print_setup(worksheet: Worksheet, name: str, text: Messages) -> None:
    """One numbered landscape A4 page."""
    worksheet.hide_gridlines(2)
    worksheet.set_landscape()
    worksheet.set_paper(_A4)
    worksheet.set_margins(left=0.3, right=0.3, top=0.3, bottom=0.5)
    worksheet.center_horizontally()
    worksheet.fit_to_pages(1, 1)
    number = text.gettext("Page {page} of {pages}", page="&P", pages="&N")
    worksheet.set_footer(f"&L&8{name}&C&8&A&R&8{number}", {"margin": 0.2})


def _check(worksheet: Worksheet, code: int) -> None:
    if code:
        raise CellNotWritten(f"{worksheet.name}: code {code}")
