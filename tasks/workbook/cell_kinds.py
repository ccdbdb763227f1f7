"""The kind and the text of each stored cell."""

import polars as pl

from tasks.domain.sources import CELL_KINDS
from tasks.workbook.faults import unreadable_cell
from tasks.workbook.stored_cells import INLINE, TEXT_TYPES
from tasks.workbook.texts import XML_BLANKS

READ_CELL: dict[str, pl.DataType | type[pl.DataType]] = {
    "column": pl.String,
    "row": pl.UInt32,
    "kind": CELL_KINDS,
    "text": pl.String,
    "shared": pl.UInt32,
    "digits": pl.String,
    "style": pl.UInt32,
}
"""One row per cell that is not empty.

`text` is what the cell contains, null for an uncalculated formula and for a number
that is shown as a date; `shared` is the number of a shared text; `digits` is a number as the sheet spells it, that of a
date included.
"""

_ISO_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+Z?)?$|^[0-9:.]+Z?$"
_TRUTHS = {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}


def with_texts(cells: pl.DataFrame, shared: pl.Series) -> pl.DataFrame:
    """Add `text`, the text of the cells that contain one, and `shared`, its number if it is a shared text.

    Both are null if the workbook has no text of that number.
    """
    type_ = pl.col("type")
    own = cells.select(pl.when(type_ == "str").then("value").when(type_ == INLINE).then("inline")).to_series()
    if not len(shared):
        return cells.with_columns(text=own, shared=pl.lit(None, pl.UInt32))
    value = cells["value"].str.strip_chars(XML_BLANKS)
    index = value.set(~value.str.contains("^[0-9]{1,9}$") | (cells["type"] != "s"), None).cast(pl.UInt32)
    index = index.set(index >= len(shared), None)
    text = pl.select(pl.coalesce(shared.gather(index), own)).to_series()
    return cells.with_columns(text=text, shared=index)


def kinds_of_cells(cells: pl.DataFrame, dates: list[int], *, is_calculated: bool) -> pl.DataFrame:
    """The cells that are not empty (`READ_CELL`), in the given order.

    Args:
        cells: The result of `with_texts`.
        dates: The styles that show a number as a date.
        is_calculated: Whether the 0 of a formula is a result. Some programs write a 0 instead of calculating, and let
            the spreadsheet calculate when it opens the workbook.

    Raises:
        UnreadableWorkbookError: A cell is ambiguous.
    """
    digits = pl.col("value").str.strip_chars(XML_BLANKS)
    number = pl.when(pl.col("type") == "n").then(digits).cast(pl.Float64, strict=False)
    judged = cells.with_columns(digits=digits, number=number).with_columns(fault=_fault())
    faults = judged.filter(pl.col("fault").is_not_null())
    if faults.height:
        letters, row, content, fault = faults.select(
            "column", "row", pl.coalesce("text", "inline", "value", pl.lit("")), "fault"
        ).row(0)
        raise unreadable_cell(f"{letters}{row}", content, fault)
    kinds = judged.with_columns(kind=_kind(dates, is_calculated=is_calculated)).filter(pl.col("kind").is_not_null())
    return kinds.select(
        "column", "row", "kind", _text().alias("text"), "shared", _digits().alias("digits"), "style"
    ).cast(READ_CELL)  # type: ignore[arg-type]


def _kind_is(kind: str) -> pl.Expr:
    return pl.lit(kind, CELL_KINDS)


def _has_digits() -> pl.Expr:
    return pl.col("digits").fill_null("") != ""


def _fault() -> pl.Expr:
    """What is wrong with a cell, as the end of a sentence about its content; null if nothing is."""
    type_, inline = pl.col("type"), pl.col("inline").fill_null("")
    is_inline = type_ == INLINE
    return (
        pl.when((type_ == "s") & pl.col("value").is_not_null() & pl.col("text").is_null())
        .then(pl.lit("is the number of no text of the workbook"))
        .when((~is_inline & (inline != "")) | (is_inline & pl.col("inline").is_null() & _has_digits()))
        .then(pl.lit("is stored where the cell's type has no text"))
        .when((type_ == "n") & _has_digits() & pl.col("number").is_null())
        .then(pl.lit("is stored as a number"))
        .when((type_ == "b") & _has_digits() & ~pl.col("digits").is_in(list(_TRUTHS)))
        .then(pl.lit("is stored as a truth value"))
        .when((type_ == "d") & _has_digits() & ~pl.col("digits").str.contains(_ISO_DATE))
        .then(pl.lit("is stored as a date"))
    )


def _kind(dates: list[int], *, is_calculated: bool) -> pl.Expr:
    is_text, type_ = pl.col("type").is_in(TEXT_TYPES), pl.col("type")
    has_text = pl.col("text").fill_null("") != ""
    # The result of a formula may be an empty text, but nothing else that is empty.
    is_empty_text = is_text & pl.col("text").is_not_null() & is_calculated
    is_nothing = pl.when(is_text).then(~has_text & ~is_empty_text).otherwise(~_has_digits())
    is_zero = (pl.col("number") == 0).fill_null(value=False) & (not is_calculated)
    return (
        pl.when(pl.col("formula") & (is_nothing | is_zero))
        .then(_kind_is("uncalculated"))
        .when(is_text & has_text)
        .then(_kind_is("text"))
        .when(is_text | ~_has_digits())
        .then(None)
        .when(type_ == "b")
        .then(_kind_is("boolean"))
        .when(type_ == "e")
        .then(_kind_is("error"))
        .when((type_ == "d") | pl.col("style").is_in(dates))
        .then(_kind_is("date"))
        .otherwise(_kind_is("number"))
    )


def _text() -> pl.Expr:
    kind = pl.col("kind")
    unsigned_zero = pl.when(pl.col("number") == 0).then(0.0).otherwise("number")
    shortest = unsigned_zero.cast(pl.String).str.strip_suffix(".0")
    return (
        pl.when(kind == "text")
        .then("text")
        .when(kind == "number")
        .then(shortest)
        .when(kind == "boolean")
        .then(pl.col("digits").replace(_TRUTHS))
        .when((kind == "error") | (pl.col("type") == "d"))
        .then("digits")
    )


def _digits() -> pl.Expr:
    return pl.when(pl.col("number").is_not_null() & pl.col("kind").is_in(["number", "date"])).then("digits")
