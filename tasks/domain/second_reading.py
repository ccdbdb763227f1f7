"""A second reading of cells, in plain Python, for the checks to hold the first one against.

It is written from the rules and not from `cells`: one text at a time, with Python's own strings and decimals. The
checks read each distinct text once, so a large sheet costs little more than a small one.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from tasks.domain.schemas import EXCEL_LIMIT, kind_of

_GROUP, _PLACES = 3, 2
_INVISIBLE = "\u200b\u2060\ufeff"


def read_again(raw: pl.LazyFrame, column: str, read: Callable[[str, str], object], dtype: pl.DataType) -> pl.LazyFrame:
    """`row` and what its cell says by the second reading; null where it says nothing."""
    kind = kind_of(column)
    distinct = raw.select(kind, column).unique().collect()
    values = [
        read(cell_kind, text) if text is not None and cell_kind in ("number", "text") else None
        for cell_kind, text in distinct.iter_rows()
    ]
    meaning = distinct.with_columns(pl.Series("expected", values, dtype)).lazy()
    return raw.select("row", kind, column).join(meaning, on=[kind, column], how="left").select("row", "expected")


def strip(text: str) -> str:
    """The text without blanks around it."""
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_blank(character: str) -> bool:
    return character in _INVISIBLE or (character.isspace() and not "\x1c" <= character <= "\x1f")


def key(kind: str, text: str) -> str | None:
    """The key as it is compared."""
    del kind  # a number is spelled like a text
    if text.isalnum():  # nearly all keys: nothing to strip, and no point
        return text.lower()
    word = strip(text)
    if not word or any(_is_blank(character) for character in word):
        return None
    whole, _, decimals = word.partition(".")
    digits = whole.removeprefix("-")
    if decimals and set(decimals) == {"0"} and digits.isascii() and digits.isdigit() and str(int(digits)) == digits:
        word = whole
    return word.lower()


def price(kind: str, text: str) -> Decimal | None:
    """The amount in EUR to the cent, whatever its sign; None where the cell holds none that a spreadsheet can."""
    amount = _amount(kind, text, with_currency=True)
    if amount is None or abs(amount) >= EXCEL_LIMIT:
        return None
    cents = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return cents if abs(cents) < EXCEL_LIMIT else None


def count(kind: str, text: str) -> int | None:
    """The whole number, whatever its sign."""
    amount = _amount(kind, text, with_currency=False)
    if amount is None or abs(amount) >= EXCEL_LIMIT or amount != amount.to_integral_value():
        return None
    return int(amount)


def stock(kind: str, text: str) -> int | None:
    """The whole number from 0."""
    bottles = count(kind, text)
    return bottles if bottles is not None and bottles >= 0 else None


def _amount(kind: str, text: str, *, with_currency: bool) -> Decimal | None:
    if kind == "number":
        amount = Decimal(repr(float(text)))
        return amount if amount.is_finite() else None
    bare = strip(text)
    if with_currency and bare.count("€") == 1 and (bare.startswith("€") or bare.endswith("€")):
        bare = strip(bare.strip("€"))
    sign, digits = (bare[0], bare[1:]) if bare[:1] in ("+", "-") else ("", bare)
    whole, point, decimals = digits.replace(",", ".").partition(".")
    groups = whole.replace("\xa0", " ").replace("\u202f", " ").split(" ")
    sizes = [len(group) for group in groups]
    is_grouped = len(groups) == 1 or (sizes[0] <= _GROUP and set(sizes[1:]) == {_GROUP})
    parts = [*groups, decimals] if point else groups
    if not is_grouped or len(decimals) > _PLACES or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return Decimal(sign + "".join(groups) + point + decimals)
