"""The text of cells, as the Excel reader gives it."""

import zipfile
from pathlib import Path

import fastexcel
import polars as pl

from tasks.workbook.header import SEARCHED_ROWS, Grid
from tasks.workbook.package import Package, UnreadableWorkbookError, Worksheet
from tasks.workbook.stored_cells import StoredCells

_BEGIN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row>'
_END = b"</row></sheetData></worksheet>"


def read_text(package: Package, worksheet: Worksheet, stored: StoredCells, scratch: Path) -> pl.DataFrame:
    """The text of these cells of the sheet.

    The Excel reader sees a copy of the workbook in which the sheet holds them alone.

    Args:
        package: The workbook.
        worksheet: The sheet.
        stored: Its cells; their XML is used up.
        scratch: A file for the copy, which is gone afterwards.

    Returns:
        One row per row of Excel from row 1 to the last one with a cell in it, none left out: `row` is its number,
        and each column stands under its letters, null where the reader sees nothing.

    Raises:
        UnreadableWorkbookError: The reader cannot make sense of the sheet.
    """
    try:
        _write_copy(package, worksheet, stored, scratch)
        loaded = fastexcel.read_excel(scratch).load_sheet(worksheet.name, header_row=None, skip_rows=0, dtypes="string")
        frame = loaded.to_polars()
        letters = [stored.columns[column.absolute_index] for column in loaded.available_columns()]
    except fastexcel.FastExcelError as error:
        reason = str(error).partition("\n")[0].removeprefix("calamine error: ").removeprefix("Xlsx error: ").rstrip(".")
        raise UnreadableWorkbookError(f"cannot be read: {reason}", reason) from None
    finally:
        scratch.unlink(missing_ok=True)
    frame.columns = letters
    text = [
        (pl.when(pl.col(letter) != "").then(pl.col(letter)) if letter in letters else pl.lit(None, pl.String)).alias(
            letter
        )
        for letter in stored.columns
    ]
    return frame.with_row_index("row", offset=1).select("row", *text)


def _write_copy(package: Package, worksheet: Worksheet, stored: StoredCells, path: Path) -> None:
    with zipfile.ZipFile(path, "x") as copy:
        for member in package.parts_of_all_sheets():
            with package.open(member) as part:
                copy.writestr(member, part.read())
        with copy.open(worksheet.member, "w", force_zip64=True) as sheet:
            sheet.write(_BEGIN)
            while stored.xml:
                sheet.write(stored.xml.pop(0))
            sheet.write(_END)


def first_rows(text: pl.DataFrame) -> Grid:
    """The rows of a sheet in which the header is looked for."""
    return [
        (row.pop("row"), {letter: title.strip() for letter, title in row.items() if title and title.strip()})
        for row in text.head(SEARCHED_ROWS).iter_rows(named=True)
    ]
