"""A worksheet whose every write is checked, and tables of typed columns on it.

XlsxWriter answers a cell that it did not write with a negative code and goes on; here that is an error. The workbook is
written in constant-memory mode: rows leave memory in order, so a sheet is filled from top to bottom.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import polars as pl
from xlsxwriter.utility import xl_range
from xlsxwriter.worksheet import Worksheet

from tasks.report.cells import ROW_LIMIT, cell_frame, cell_text, literal
from tasks.report.look import Look, header_style
from tasks.report.rows import CellColumn, write_rows
from tasks.report.words import Words

_A4 = 9
_HEADER_PIXELS = 34
_LETTER = 0.88
TITLE_ROW, NOTE_ROW, TOTAL_ROW, HEADER_ROW = range(4)
FIRST_ROW = HEADER_ROW + 1

TABLE_LIMIT = ROW_LIMIT - FIRST_ROW
"""Rows that a table of its own sheet has room for."""


class CellNotWritten(RuntimeError):
    """A cell was refused: the sheet or the text is larger than Excel allows."""


@dataclass(frozen=True)
class Column:
    """A column of a table on a sheet.

    Attributes:
        name: Its name in the frame, which decides its heading.
        width: In characters.
        kind: `text`, `title`, `mark`, `rank`, `count`, `change`, `money`, `share`, `score` or `months`; decides format
            and alignment.
        total: What stands above the heading: the sum or the number of the rows that a filter leaves, or their name.
        if_empty: The text in place of a value that is not there.
    """

    name: str
    width: float
    kind: str = "text"
    total: Literal["sum", "count", "name"] | None = None
    if_empty: str | None = None


def lines_needed(text: pl.Expr, width: float) -> pl.Expr:
    """How many lines a text takes in a column that wraps it; most letters are narrower than the digits of a width."""
    return (text.str.len_chars() * _LETTER / width).ceil().fill_null(1).cast(pl.Int64)


def _sum(values: pl.Series) -> float | Decimal:
    """Of floats the exact sum: Python's own differs in the last place from one version to the next."""
    total: float | Decimal = math.fsum(values) if values.dtype.is_float() else values.sum()
    return total


class Sheet:
    """One sheet of the workbook, with the formats and the language it is written in."""

    def __init__(self, worksheet: Worksheet, look: Look, words: Words) -> None:
        self.worksheet = worksheet
        self.look = look
        self.words = words

    def text(self, row: int, column: int, text: str, style: str = "plain") -> None:
        """Write a text, whatever it looks like."""
        code = self.worksheet.write_string(row, column, literal(cell_text(text)), self.look[style])
        self._check(code, row, column)

    def number(self, row: int, column: int, number: float | Decimal, style: str) -> None:
        """Write a number; Excel keeps fifteen digits of it."""
        self._check(self.worksheet.write_number(row, column, float(number), self.look[style]), row, column)

    def formula(self, row: int, column: int, formula: str, value: float | Decimal, style: str) -> None:
        """Write a formula of ours with its value, which programs that do not calculate will show."""
        code = self.worksheet.write_formula(row, column, formula, self.look[style], float(value))
        self._check(code, row, column)

    def blanks(self, row: int, columns: range, style: str) -> None:
        """Carry a format across cells without content."""
        for column in columns:
            self._check(self.worksheet.write_blank(row, column, None, self.look[style]), row, column)

    def table(
        self, title: str, note: str, columns: Sequence[Column], frame: pl.DataFrame, marked: str | None = None
    ) -> None:
        """Fill the sheet with one table: title, note, totals, headings and a row per row of the frame.

        The totals stand above, where no filter hides and no sorting moves them. What the sheet has no room for is left
        out, and the note says so.

        Args:
            title: Above everything.
            note: What the table is; set off where there are no rows.
            columns: Its columns, from the left.
            frame: Its rows.
            marked: A column of flags for the rows that are emphasised.
        """
        worksheet, shown = self.worksheet, frame.head(TABLE_LIMIT)
        for index, column in enumerate(columns):
            self._check(worksheet.set_column(index, index, column.width), 0, index)
        self.text(TITLE_ROW, 0, title, "title")
        cut = f"{note} {self.words.rows_cut(shown.height, frame.height)}" if shown.height < frame.height else note
        self.text(NOTE_ROW, 0, cut, "note" if shown.height else "section")
        self._totals(columns, shown)
        worksheet.set_row_pixels(HEADER_ROW, _HEADER_PIXELS)
        for index, column in enumerate(columns):
            self.text(HEADER_ROW, index, self.words.HEADINGS[column.name], header_style(column.kind))
        self.rows(FIRST_ROW, columns, shown, marked)

        worksheet.freeze_panes(FIRST_ROW, 0)
        worksheet.repeat_rows(HEADER_ROW)
        if shown.height:
            last_row, last_column = FIRST_ROW + shown.height - 1, len(columns) - 1
            worksheet.autofilter(HEADER_ROW, 0, last_row, last_column)
            worksheet.ignore_errors({"number_stored_as_text": xl_range(FIRST_ROW, 0, last_row, last_column)})

    def _totals(self, columns: Sequence[Column], frame: pl.DataFrame) -> None:
        if not any(column.total for column in columns):
            return
        last_row = max(FIRST_ROW + frame.height - 1, FIRST_ROW)
        for index, column in enumerate(columns):
            rows = xl_range(FIRST_ROW, index, last_row, index)
            if column.total == "sum":
                total = _sum(frame[column.name].drop_nulls())
                self.formula(TOTAL_ROW, index, f"=SUBTOTAL(109,{rows})", total, f"total {column.kind}")
            elif column.total == "count":
                self.formula(TOTAL_ROW, index, f"=SUBTOTAL(103,{rows})", frame.height, "total tally")
            elif column.total == "name":
                self.text(TOTAL_ROW, index, self.words.TOTAL_SHOWN, "total text")
            else:
                self.blanks(TOTAL_ROW, range(index, index + 1), "total text")

    def rows(self, first_row: int, columns: Sequence[Column], frame: pl.DataFrame, marked: str | None = None) -> None:
        """Write one row per row of the frame; the flag in column `marked` chooses the emphasised formats."""
        cells = [
            CellColumn(
                column.name, self.look[f"cell {column.kind}"], self.look[f"marked {column.kind}"], column.if_empty
            )
            for column in columns
        ]
        names = dict.fromkeys([*(column.name for column in columns), *([marked] if marked else [])])
        wrapped = [lines_needed(pl.col(column.name), column.width) for column in columns if column.kind == "title"]
        lines = pl.max_horizontal(wrapped) if wrapped else None
        write_rows(self.worksheet, first_row, cells, cell_frame(frame.select(*names)), marked, lines)

    def widths(self, widths: Sequence[float]) -> None:
        """Set the width of the columns, in characters."""
        for index, width in enumerate(widths):
            self._check(self.worksheet.set_column(index, index, width), 0, index)

    def print_setup(self, month: str, *, pages_high: int = 0) -> None:
        """Landscape A4, one page wide, numbered."""
        sheet = self.worksheet
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.center_horizontally()
        sheet.fit_to_pages(1, pages_high)
        sheet.set_footer(self.words.page_footer(month))

    def _check(self, code: int, row: int, column: int) -> None:
        if code:
            raise CellNotWritten(f"{self.worksheet.name}, row {row + 1}, column {column + 1}: code {code}")
