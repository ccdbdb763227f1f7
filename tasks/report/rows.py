"""Many rows of a sheet at once, as the XML that a sheet consists of.

XlsxWriter takes cells one by one, which for a large month is most of a run. Here Polars spells whole columns as cells
(ECMA-376, part 1, 18.3.1: `<c>` in `<row>`), and the rows go where XlsxWriter keeps the rows it has finished. Texts are
inline, as XlsxWriter's own are in constant-memory mode. The rows stay bytes on their way into the archive.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from typing import NamedTuple
from zipfile import ZipFile

import polars as pl
import polars.selectors as cs
import xlsxwriter.workbook
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

_CHUNK = 20_000
_ROW = "sheet row"
_LINE_POINTS = 13.5
_MOST_LINES = 25
"""A row is at most 409 points high."""

_TEXT, _TEXT_END = '" t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
_NUMBER, _NUMBER_END = '"><v>', "</v></c>"
_BLANK = '"/>'


# XlsxWriter has no option for it: two thirds of the time of the usual level, for a twentieth more bytes.
xlsxwriter.workbook.ZipFile = partial(ZipFile, compresslevel=5)


class _RowsSheet(Worksheet):  # type: ignore[misc]  # XlsxWriter tells no types
    """A sheet that takes its finished rows over as bytes, where XlsxWriter decodes them and encodes them again."""

    def _write_optimized_sheet_data(self) -> None:
        self._xml_start_tag("sheetData")
        self.fh.flush()
        self.row_data_fh.seek(0)
        copyfileobj(self.row_data_fh.buffer, self.fh.buffer)
        self.row_data_fh.close()
        Path(self.row_data_filename).unlink()
        self._xml_end_tag("sheetData")


class RowsWorkbook(Workbook):  # type: ignore[misc]
    """A workbook of sheets with many rows; it must be in constant-memory mode."""

    worksheet_class = _RowsSheet


class CellColumn(NamedTuple):
    """How the cells of a column look."""

    name: str
    style: Format
    marked_style: Format
    """Of the cells in rows that are emphasised."""

    if_empty: str | None = None
    """The text in place of a value that is not there."""


class OutsideTheSheet(ValueError):
    """A row or a column is beyond what a sheet has, or above what is written already."""


def write_rows(
    worksheet: Worksheet,
    first_row: int,
    columns: Sequence[CellColumn],
    frame: pl.DataFrame,
    marked: str | None = None,
    lines: pl.Expr | None = None,
) -> None:
    """Write one row per row of the frame, below everything that is on the sheet.

    Args:
        worksheet: A sheet of a workbook in constant-memory mode.
        first_row: Where the first row goes, counted from 0.
        columns: From the first column of the sheet on. Texts stay texts, whatever they look like; they must fit a cell.
        frame: The rows; numbers are finite.
        marked: A column of flags for the rows that are emphasised.
        lines: How many lines of text a row has room for; not every program finds that out itself.

    Raises:
        OutsideTheSheet: The rows do not fit there.
    """
    if frame.is_empty():
        return
    if not frame.select(cs.float().is_finite().all()).select(pl.all_horizontal(pl.lit(value=True), pl.all())).item():
        raise ValueError(f"{worksheet.name}: a number is not finite")
    after = first_row + frame.height
    # XlsxWriter's own: check and widen the dimensions of the sheet, write out the row that it still holds back, and go
    # on below ours. Its public methods do the same, each with a cell of its own.
    for row, column in ((first_row, 0), (after - 1, len(columns) - 1)):
        if worksheet._check_dimensions(row, column):  # noqa: SLF001
            raise OutsideTheSheet(f"{worksheet.name}, row {row + 1}, column {column + 1}")
    worksheet._write_single_row(after)  # noqa: SLF001

    number = pl.col(_ROW).cast(pl.String)
    xml = pl.concat_str(
        pl.format('<row r="{}"', number),
        _height(lines),
        *(
            part
            for index, column in enumerate(columns)
            for part in _cells(column, frame.schema[column.name], xl_col_to_name(index), number, marked)
        ),
        pl.lit("</row>"),
    )
    worksheet.row_data_fh.flush()
    for chunk in frame.with_row_index(_ROW, offset=first_row + 1).iter_slices(_CHUNK):
        worksheet.row_data_fh.buffer.write(chunk.select(xml.str.join().cast(pl.Binary)).item())


def _height(lines: pl.Expr | None) -> pl.Expr:
    if lines is None:
        return pl.lit(">")
    points = (lines.clip(upper_bound=_MOST_LINES) * _LINE_POINTS).cast(pl.String)
    return pl.when(lines > 1).then(pl.format(' ht="{}" customHeight="1">', points)).otherwise(pl.lit(">"))


def _cells(
    column: CellColumn, dtype: pl.DataType, letter: str, number: pl.Expr, marked: str | None
) -> tuple[pl.Expr, ...]:
    """The cells of a column, in parts that belong together."""
    plain, emphasised = (f'" s="{style._get_xf_index()}' for style in (column.style, column.marked_style))  # noqa: SLF001
    style = pl.when(marked).then(pl.lit(emphasised)).otherwise(pl.lit(plain)) if marked else pl.lit(plain)
    value = pl.col(column.name)
    if dtype.is_numeric():
        content = pl.concat_str(pl.lit(_NUMBER), value.cast(pl.String), pl.lit(_NUMBER_END))
    else:
        content = pl.concat_str(pl.lit(_TEXT), _escaped(value.cast(pl.String)), pl.lit(_TEXT_END))
    empty = _BLANK if column.if_empty is None else f"{_TEXT}{column.if_empty}{_TEXT_END}"
    return pl.lit(f'<c r="{letter}'), number, style, content.fill_null(empty)


def _escaped(text: pl.Expr) -> pl.Expr:
    """A text as XML; null where there is none. Excel reads `_x0041_` as A, so its underscore is escaped as well."""
    written = text.replace("", None).str.replace_all(r"(_x[0-9a-fA-F]{4}_)", "_x005F${1}")
    return written.str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])
