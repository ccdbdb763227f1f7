"""A worksheet whose every write is checked, and tables of typed columns on it.

XlsxWriter answers a cell that it did not write with a negative code and goes on; here that is an error. The workbook is
written in constant-memory mode: rows leave memory in order, so a sheet is filled from top to bottom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl
from xlsxwriter.worksheet import Worksheet

from tasks.report import words
from tasks.report.cells import cell_frame, cell_texts, literals
from tasks.report.look import Look, header_style

_A4 = 9
_NUMBER_KINDS = {"count", "rank", "money", "share", "score"}
_HEADER_PIXELS = 34


class CellNotWritten(RuntimeError):
    """A cell was refused: the sheet or the text is larger than Excel allows."""


@dataclass(frozen=True)
class Column:
    """A column of a table on a sheet.

    Attributes:
        name: Its name in the frame.
        heading: What people read above it.
        width: In characters.
        kind: `text`, `mark`, `rank`, `count`, `money`, `share` or `score`; decides format and alignment.
    """

    name: str
    heading: str
    width: float
    kind: str = "text"


class Sheet:
    """One sheet of the workbook, with the formats it is written in."""

    def __init__(self, worksheet: Worksheet, look: Look) -> None:
        self.worksheet = worksheet
        self.look = look

    def text(self, row: int, column: int, text: str, style: str = "plain") -> None:
        """Write a text, whatever it looks like."""
        (written,) = literals(cell_texts(pl.Series([text], dtype=pl.String)))
        self._check(self.worksheet.write_string(row, column, written, self.look[style]), row, column)

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

    def header(self, row: int, columns: Sequence[Column]) -> None:
        """Write the headings of a table, on two lines where they must."""
        self.worksheet.set_row_pixels(row, _HEADER_PIXELS)
        for index, column in enumerate(columns):
            self.text(row, index, column.heading, header_style(column.kind))

    def rows(self, first_row: int, columns: Sequence[Column], frame: pl.DataFrame, marked: str | None = None) -> None:
        """Write one row per row of the frame; the flag in column `marked` chooses the emphasised formats."""
        names = [column.name for column in columns]
        flags = frame[marked] if marked else pl.repeat(value=False, n=frame.height, eager=True)
        number, text = self.worksheet.write_number, self.worksheet.write_string
        writers = [number if column.kind in _NUMBER_KINDS else text for column in columns]
        styles = {
            emphasised: [self.look[f"{word} {column.kind}"] for column in columns]
            for emphasised, word in ((False, "cell"), (True, "marked"))
        }
        blank = self.worksheet.write_blank
        table = cell_frame(frame.select(names)).with_columns(pl.col(pl.Decimal).cast(pl.Float64))
        table = table.with_columns(literals(texts) for texts in table if texts.dtype == pl.String)
        for row, (values, flag) in enumerate(zip(table.iter_rows(), flags, strict=True), start=first_row):
            for index, (value, write, cell_format) in enumerate(zip(values, writers, styles[flag], strict=True)):
                code = blank(row, index, None, cell_format) if value is None else write(row, index, value, cell_format)
                if code:
                    self._check(code, row, index)

    def widths(self, columns: Sequence[Column]) -> None:
        """Set the width of every column."""
        for index, column in enumerate(columns):
            self._check(self.worksheet.set_column(index, index, column.width), 0, index)

    def print_setup(self, month: str, *, pages_high: int = 0, header_row: int | None = None) -> None:
        """Landscape A4, one page wide, numbered; the header row is repeated on every page."""
        sheet = self.worksheet
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.center_horizontally()
        sheet.fit_to_pages(1, pages_high)
        sheet.set_footer(words.page_footer(month))
        if header_row is not None:
            sheet.repeat_rows(header_row)

    def _check(self, code: int, row: int, column: int) -> None:
        if code:
            raise CellNotWritten(f"{self.worksheet.name}, row {row + 1}, column {column + 1}: code {code}")
