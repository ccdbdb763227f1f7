"""The text of a sheet, as the Excel reader gives it."""

from pathlib import Path

import fastexcel
import polars as pl

from tasks.workbook.addresses import column_letter
from tasks.workbook.header import SEARCHED_ROWS, Grid
from tasks.workbook.package import UnreadableWorkbookError


def read_sheet_text(workbook: Path, sheet: str) -> pl.DataFrame:
    """Every cell of a sheet as text, null where the reader sees nothing.

    Returns:
        One row per row of Excel from row 1 to the last one the reader knows, none left out: `row` is its
        number, and each used column stands under its letters.

    Raises:
        UnreadableWorkbookError: The reader cannot make sense of the sheet.
    """
    try:
        reader = fastexcel.read_excel(workbook)
        loaded = reader.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
        frame = loaded.to_polars()
        letters = [column_letter(column.absolute_index) for column in loaded.available_columns()]
    except fastexcel.FastExcelError as error:
        reason = str(error).partition("\n")[0].removeprefix("calamine error: ").removeprefix("Xlsx error: ").rstrip(".")
        raise UnreadableWorkbookError(f"cannot be read: {reason}", reason) from None
    if not letters:
        return pl.DataFrame(schema={"row": pl.UInt32})
    frame.columns = letters
    text = [pl.when(pl.col(letter) != "").then(pl.col(letter)).alias(letter) for letter in letters]
    return frame.with_row_index("row", offset=1).with_columns(text)


def first_rows(text: pl.DataFrame) -> Grid:
    """The rows of a sheet in which the header is looked for."""
    return [
        (row.pop("row"), {letter: title.strip() for letter, title in row.items() if title and title.strip()})
        for row in text.head(SEARCHED_ROWS).iter_rows(named=True)
    ]
