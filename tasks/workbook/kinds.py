"""Text and kind of each cell, from two readings of a sheet, which agree wherever they can be compared."""

import polars as pl

from tasks.workbook.package import UnreadableWorkbookError
from tasks.workbook.stored_cells import STORED_CELL, TEXT_TYPES

# The Excel reader gives text to nine decimals.
_RELATIVE_TOLERANCE = 1e-6
_ABSOLUTE_TOLERANCE = 1e-9

_SHOWN_LENGTH = 40
_FAULT = "unreadable-cell"
_XML_BLANKS = " \t\r\n"
_DATE = r"^[+-]?[0-9]+[-:]"
_DATES_END = 2_958_466
"""The day after 31 December 9999 in Excel's calendar: from here on a number may have no text as a date."""


def kinds_of_cells(text: pl.DataFrame, stored: pl.DataFrame, letters: str) -> pl.DataFrame:
    """Text and kind of one column's cells.

    Args:
        text: `row` and the column as the Excel reader gives it.
        stored: The sheet's cells as its XML stores them (`STORED_CELL`).
        letters: The column.

    Returns:
        `row`, `text` and `kind`, one row per row that either reading knows, by row number.

    Raises:
        UnreadableWorkbookError: The two readings contradict each other.
    """
    cells = stored.filter(pl.col("column") == letters)
    repeated = cells.filter(pl.col("row").is_duplicated())
    if repeated.height:
        cell = f"{letters}{repeated['row'][0]}"
        raise UnreadableWorkbookError(f"stores the cell {cell} more than once", "stored more than once", cell, _FAULT)

    read = text.select("row", read=letters)
    judged = (
        read.join(cells.select("row", *_OF_A_CELL), on="row", how="full", coalesce=True)
        .sort("row")
        .with_columns(number=pl.col("value").str.strip_chars(_XML_BLANKS).cast(pl.Float64, strict=False))
        .with_columns(kind=_kind())
        .with_columns(text=_text(), agrees=_agrees())
    )
    contradiction = judged.filter(~pl.col("agrees").fill_null(value=False))
    if contradiction.height:
        first = contradiction.row(0, named=True)
        cell = f"{letters}{first['row']}"
        stored_as, reads = ((first[name] or "")[:_SHOWN_LENGTH] for name in ("value", "read"))
        raise UnreadableWorkbookError(
            f'cannot be read safely: {cell} is stored as "{stored_as}" and reads "{reads}"',
            f"stored: {stored_as}, reads: {reads}",
            cell,
            _FAULT,
        )
    return judged.select("row", "text", "kind")


_OF_A_CELL = [name for name in STORED_CELL if name not in {"column", "row"}]


def _has_value() -> pl.Expr:
    return pl.col("value").fill_null("") != ""


def _kind() -> pl.Expr:
    is_text = pl.col("type").is_in(TEXT_TYPES)
    # Text that a formula gave may be empty; any other result may not.
    has_text = is_text & pl.col("value").is_not_null()
    is_number = pl.col("read").str.strip_chars(_XML_BLANKS).cast(pl.Float64, strict=False).is_not_null()
    return (
        pl.when(pl.col("formula") & ~_has_value() & ~has_text)
        .then(pl.lit("uncalculated"))
        .when(is_text & pl.col("read").is_not_null())
        .then(pl.lit("text"))
        .when(is_text | ~_has_value())
        .then(None)
        .when(pl.col("type") == "b")
        .then(pl.lit("boolean"))
        .when(pl.col("type") == "e")
        .then(pl.lit("error"))
        .when((pl.col("type") == "d") | ~is_number.fill_null(value=False))
        .then(pl.lit("date"))
        .otherwise(pl.lit("number"))
    )


def _text() -> pl.Expr:
    # The sum with 0 takes the sign off a zero.
    shortest = (pl.col("number") + 0.0).cast(pl.String).str.strip_suffix(".0")
    return (
        pl.when(pl.col("kind") == "number")
        .then(shortest)
        .when(pl.col("kind") == "boolean")
        .then(pl.col("read").str.to_uppercase())
        .when(pl.col("kind") == "date")
        .then(pl.coalesce("read", shortest))
        .when(pl.col("kind") == "error")
        .then("value")
        .when(pl.col("kind") == "text")
        .then("read")
    )


def _agrees() -> pl.Expr:
    kind, read, number = pl.col("kind"), pl.col("read"), pl.col("number")
    read_number = read.str.strip_chars(_XML_BLANKS).cast(pl.Float64, strict=False)
    close = (number - read_number).abs() <= _ABSOLUTE_TOLERANCE + _RELATIVE_TOLERANCE * number.abs()
    truth = pl.col("value").replace({"1": "true", "0": "false"})
    beyond_dates = read.is_null() & (number.abs() >= _DATES_END)
    return (
        pl.when(kind == "number")
        .then((number == read_number) | close)
        .when(kind == "date")
        .then((read.str.contains(_DATE) & (number.is_not_null() | (pl.col("type") == "d"))) | beyond_dates)
        .when(kind == "boolean")
        .then(read == truth)
        .when(kind == "text")
        .then(read.is_not_null())
        .otherwise(read.is_null())
    )
