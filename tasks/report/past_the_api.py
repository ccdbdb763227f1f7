"""What XlsxWriter's API cannot do, or cannot do fast enough; the only module that uses its internals.

`write_rows` writes whole columns. XlsxWriter takes cells one by one: a workbook of 1.3 million cells costs 5.5 s of CPU
time through its API and 0.9 s here (measured 2026-11 on CPython 3.11). Polars formats the columns as cells (ECMA-376,
part 1, 18.3.1: `<c>` in `<row>`), and the rows are appended to the finished rows of XlsxWriter's constant-memory mode.
Texts are inline, as in that mode.

`set_language` tags the texts of a chart: XlsxWriter tags all of them as American English, which a screen reader would
follow.

`tests/integration/test_past_the_api.py` fails when an update changes what is used here.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import polars as pl
import polars.selectors as cs
from xlsxwriter.chart import Chart
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

_CHUNK = 20_000
_ROW = "sheet row"
_HIGHEST_ROW = 409

_TEXT, _TEXT_END = '" t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
_NUMBER, _NUMBER_END = '"><v>', "</v></c>"
_BLANK = '"/>'

_DEFAULT_LANGUAGE = "en-US"


class CellColumn(NamedTuple):
    """The format of the cells of a column.

    Attributes:
        name: The column of the frame.
        style: The format of its cells.
        marked_style: The format in rows that are emphasised.
        marked: A column of flags for the rows that are emphasised; None where no row is.
    """

    name: str
    style: Format
    marked_style: Format
    marked: str | None = None


class OutsideTheSheet(ValueError):
    """A row or a column is beyond what a sheet has, or above what was already written."""


def write_rows(
    worksheet: Worksheet,
    first_row: int,
    columns: Sequence[CellColumn],
    frame: pl.DataFrame,
    heights: pl.Expr | None = None,
) -> None:
    """Write one row per row of the frame, below everything that is on the sheet.

    Args:
        worksheet: A sheet of a workbook in constant-memory mode.
        first_row: The row of the first one, counted from 0.
        columns: From the first column of the sheet on. Texts are never taken for numbers or formulas, and fit a cell.
        frame: The rows; numbers are finite.
        heights: Height of each row in points; null leaves it to the program that opens the file.

    Raises:
        OutsideTheSheet: The rows do not fit there.
        ValueError: A number is not finite.
    """
    if frame.is_empty():
        return
    if not frame.select(cs.float().is_finite().all()).select(pl.all_horizontal(pl.lit(value=True), pl.all())).item():
        raise ValueError(f"{worksheet.name}: a number is not finite")
    after = first_row + frame.height
    # As XlsxWriter's public methods do for each cell: check and extend the dimensions of the sheet, write the pending
    # row, and continue below these rows.
    for row, column in ((first_row, 0), (after - 1, len(columns) - 1)):
        if worksheet._check_dimensions(row, column):  # noqa: SLF001
            raise OutsideTheSheet(f"{worksheet.name}, row {row + 1}, column {column + 1}")
    worksheet._write_single_row(after)  # noqa: SLF001

    number = pl.col(_ROW).cast(pl.String)
    xml = pl.concat_str(
        pl.format('<row r="{}"', number),
        _height(heights),
        *(
            part
            for index, column in enumerate(columns)
            for part in _cells(column, frame.schema[column.name], xl_col_to_name(index), number)
        ),
        pl.lit("</row>"),
    )
    for chunk in frame.with_row_index(_ROW, offset=first_row + 1).iter_slices(_CHUNK):
        worksheet.row_data_fh.write(chunk.select(xml.str.join()).item())


def _height(heights: pl.Expr | None) -> pl.Expr:
    if heights is None:
        return pl.lit(">")
    points = heights.clip(upper_bound=_HIGHEST_ROW).cast(pl.String)
    return pl.format(' ht="{}" customHeight="1">', points).fill_null(">")


def _cells(column: CellColumn, dtype: pl.DataType, letter: str, number: pl.Expr) -> tuple[pl.Expr, ...]:
    """The parts of the XML of a column's cells."""
    plain, emphasised = (f'" s="{style._get_xf_index()}' for style in (column.style, column.marked_style))  # noqa: SLF001
    style = pl.lit(plain)
    if column.marked:
        style = pl.when(column.marked).then(pl.lit(emphasised)).otherwise(style)
    value = pl.col(column.name)
    if dtype.is_numeric():
        content = pl.concat_str(pl.lit(_NUMBER), value.cast(pl.String), pl.lit(_NUMBER_END))
    else:
        content = pl.concat_str(pl.lit(_TEXT), _escaped(value.cast(pl.String)), pl.lit(_TEXT_END))
    return pl.lit(f'<c r="{letter}'), number, style, content.fill_null(_BLANK)


def _escaped(text: pl.Expr) -> pl.Expr:
    """A text as XML; null where there is none. Excel reads `_x0041_` as A, so its underscore is escaped as well."""
    written = text.replace("", None).str.replace_all(r"(_x[0-9a-fA-F]{4}_)", "_x005F${1}")
    return written.str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])


def set_language(chart: Chart, tag: str) -> None:
    """Tag the texts of a chart with a language, such as fr-FR."""

    def tagged(write: Any, element: str, attributes: Sequence[tuple[str, Any]] = ()) -> None:  # noqa: ANN401
        write(element, [(name, tag if value == _DEFAULT_LANGUAGE else value) for name, value in attributes])

    for method in ("_xml_start_tag", "_xml_empty_tag"):
        setattr(chart, method, partial(tagged, getattr(chart, method)))
