"""The second reading: an Excel reader (calamine) must read the same value from every cell.

It gets a new workbook with the cells that were read, in the most ordinary form (`canonical_workbook`), so that nothing
in the original can confuse it. With code of its own, it decides what is a number, a boolean or a text, which formats
show a date, and which date. It takes 1.1 of the 3.6 CPU seconds of the web workbook of 100,000 products (measured
2026-11).
"""

from collections.abc import Collection
from pathlib import Path

import fastexcel
import polars as pl

from tasks.workbook.addresses import column_index
from tasks.workbook.canonical_workbook import SHEET, Calendar, write_canonical_workbook
from tasks.workbook.faults import damaged, unreadable_cell

# The Excel reader returns numbers with nine decimals, and dates to the millisecond.
_RELATIVE_TOLERANCE = 1e-6
_ABSOLUTE_TOLERANCE = 1e-9
_SECOND = 1_000
_DAY = 86_400 * _SECOND
_DATE_AND_TIME = "%Y-%m-%d %H:%M:%S%.f"
_UNIX_DAY, _UNIX_DAY_FROM_1904 = 25_569, 24_107
"""1 January 1970 in Excel's two calendars."""
_LEAP_DAY = 60
"""29 February 1900 in Excel's calendar, which did not exist: dates before it are shifted by a day."""
_DATES_END = 2_958_466
"""The day after 31 December 9999: from here on, a number is not a date."""


def read_again(cells: pl.DataFrame, calendar: Calendar, scratch: Path) -> pl.DataFrame:
    """The text of each cell as the Excel reader returns it.

    Args:
        cells: `cell_kinds.READ_CELL`.
        calendar: How the workbook shows numbers as dates.
        scratch: A path for the new workbook, which is deleted afterwards.

    Returns:
        One row per row of the sheet from row 1 to the last one with a cell: `row` is its number, and each column is
        under its letters, null where the reader finds nothing.

    Raises:
        UnreadableWorkbookError: The reader cannot read them.
    """
    cells = cells.filter(_is_read_again())
    letters = sorted(cells["column"].unique(), key=column_index)
    if not letters:
        return pl.DataFrame(schema={"row": pl.UInt32})
    try:
        write_canonical_workbook(cells, letters, calendar, scratch)
        loaded = fastexcel.read_excel(scratch).load_sheet(SHEET, header_row=None, skip_rows=0, dtypes="string")
        frame = loaded.to_polars()
    except fastexcel.FastExcelError as error:
        reason = str(error).partition("\n")[0].removeprefix("calamine error: ").removeprefix("Xlsx error: ").rstrip(".")
        raise damaged(reason) from None
    finally:
        scratch.unlink(missing_ok=True)
    frame.columns = [letters[column.absolute_index] for column in loaded.available_columns()]
    return frame.with_row_index("row", offset=1)


def agreed(cells: pl.DataFrame, read: pl.DataFrame, letters: str, calendar: Calendar) -> pl.DataFrame:
    """Text and kind of one column's cells, on which both readings agree.

    Args:
        cells: The column's (`cell_kinds.READ_CELL`).
        read: What `read_again` gives.
        letters: The column.
        calendar: How the workbook shows numbers as dates.

    Returns:
        `row`, `text` and `kind`, one row per cell that is not empty.

    Raises:
        UnreadableWorkbookError: The two readings contradict each other.
    """
    seen = read[letters] if letters in read.columns else pl.Series(dtype=pl.String)
    seen = seen.set(seen == "", None)
    own = cells.select("row", "kind", "text", "digits")
    repeated = own.filter(pl.col("row").is_duplicated())
    if repeated.height:
        cell = f"{letters}{repeated['row'][0]}"
        raise unreadable_cell(cell, repeated["text"][0] or "", "is not the only content of the cell")
    index = own["row"].cast(pl.Int64) - 1
    both = own.with_columns(read=seen.gather(index.set(index >= len(seen), None)))
    if both["read"].count() < seen.count():  # the Excel reader found other cells
        again = pl.DataFrame({"row": read["row"], "read": seen}).drop_nulls("read")
        both = own.join(again, on="row", how="full", coalesce=True)
    both = both.with_columns(number=pl.col("digits").cast(pl.Float64, strict=False))
    contradictions = both.filter(~_agrees(set(own["kind"].unique()), calendar).fill_null(value=False))
    if contradictions.height:
        first = contradictions.row(0, named=True)
        content = first["text"] or first["digits"] or ""
        fault = f'is read as "{first["read"]}" by another reader' if first["read"] else "is not seen by another reader"
        raise unreadable_cell(f"{letters}{first['row']}", content, fault)
    is_date = pl.col("kind") == "date"
    text = pl.when(is_date).then(pl.coalesce("text", "read", pl.col("number").cast(pl.String))).otherwise("text")
    return both.select("row", text.alias("text"), "kind")


def _is_read_again() -> pl.Expr:
    """Whether the Excel reader returns a text for the cell: not for errors and formulas without a result."""
    return ~pl.col("kind").is_in(["error", "uncalculated"])


def _agrees(kinds: Collection[str], calendar: Calendar) -> pl.Expr:
    """Whether the two readings agree; nothing is computed for kinds that the column does not have."""
    read, number, text = pl.col("read"), pl.col("number"), pl.col("text")
    read_number = read.cast(pl.Float64, strict=False)
    close = (number - read_number).abs() <= _ABSOLUTE_TOLERANCE + _RELATIVE_TOLERANCE * number.abs()
    agreements = {
        "number": (number == read_number) | close,
        "text": read == text,
        "boolean": read.str.to_uppercase() == text,
        "date": pl.when(number.is_null()).then(read == text).otherwise(_is_same_date(calendar)),
        "error": read.is_null(),
        "uncalculated": read.is_null(),
    }
    return pl.coalesce(pl.when(pl.col("kind") == kind).then(agreements[kind]) for kind in sorted(kinds))


def _is_same_date(calendar: Calendar) -> pl.Expr:
    number, read = pl.col("number"), pl.col("read").str.to_datetime(_DATE_AND_TIME, strict=False, time_unit="ms")
    if calendar.is_1904:
        days, tolerance = number - _UNIX_DAY_FROM_1904, pl.lit(_SECOND)
    else:
        days = number - _UNIX_DAY + pl.when(number < _LEAP_DAY).then(1).otherwise(0)
        tolerance = pl.when(number.floor() == _LEAP_DAY).then(_DAY).otherwise(_SECOND)
    is_same = (read.dt.timestamp("ms") - days * _DAY).abs() <= tolerance
    return is_same.fill_null(value=False) | ((number.abs() >= _DATES_END) & ~_is_number(pl.col("read")))


def _is_number(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Float64, strict=False).is_not_null()
