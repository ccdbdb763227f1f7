"""What a cell contains: keys, amounts of money, counts, dates and titles.

Each function makes one Polars expression over a staged table, in which a column has the text and the kind of each cell
(`sources.kind_of`). Nothing here raises on a cell. A cell without a value is null, and a rule in `rules` explains why.

The rules are described in data/rules.md.
"""

import html
from collections.abc import Callable

import polars as pl

from tasks.domain.money import EXCEL_LIMIT, MONEY
from tasks.domain.sources import kind_of

BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""White space in Unicode."""


def _characters(*ranges: tuple[int, int]) -> str:
    return "".join(chr(code) for first, last in ranges for code in range(first, last + 1))


INVISIBLE = _characters(
    (0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F),  # control characters
    (0xAD, 0xAD),  # the soft hyphen
    (0x200B, 0x200F), (0x2060, 0x2064), (0xFEFF, 0xFEFF),  # zero-width characters and marks of direction
    (0x061C, 0x061C), (0x202A, 0x202E), (0x2066, 0x206F),  # more marks of direction
    (0x034F, 0x034F), (0x180B, 0x180F), (0xFE00, 0xFE0F),  # joiners and variation selectors
    (0x115F, 0x1160), (0x17B4, 0x17B5), (0x3164, 0x3164), (0xFFA0, 0xFFA0),  # fillers
)  # fmt: skip
"""Invisible characters: Unicode's control characters and its default-ignorable ones up to U+FFFF."""

_DASHES, _APOSTROPHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "\u2018\u2019\u02bc"
_INNER_BLANK = f"[{BLANKS}]"
_ANY_INVISIBLE = "[" + "".join(f"\\x{{{ord(character):X}}}" for character in INVISIBLE) + "]"
_INTEGER_WITH_POINT = r"^(-?(?:0|[1-9][0-9]*))\.0+$"
_GROUP_BLANK = "[ \u00a0\u202f]"
_AMOUNT = rf"[+-]?(?:[0-9]{{1,3}}(?:{_GROUP_BLANK}[0-9]{{3}})+|[0-9]+)(?:[.,][0-9]{{1,2}})?"
MONEY_TEXT = rf"^(?:€[{BLANKS}]*)?{_AMOUNT}$|^{_AMOUNT}[{BLANKS}]*€$"
COUNT_TEXT = rf"^{_AMOUNT}$"
"""The patterns of an amount of money, and of a number without a currency."""

_TWO_MEANINGS = rf"^(?:€[{BLANKS}]*)?[+-]?[1-9][0-9]{{0,2}}[.,][0-9]{{3}}(?:[{BLANKS}]*€)?$"
_DATE_TEXT = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?$"

_EXACT = pl.Decimal(38, 18)
"""Twenty digits before the decimal point, and more after it than an amount can have."""


def trimmed(column: str) -> pl.Expr:
    """The cell's text without blanks and invisible characters around it; null where nothing is left."""
    stored = pl.col(column)
    text = _where_unusual(stored, lambda text: text.str.strip_chars(BLANKS + INVISIBLE), otherwise=stored)
    return pl.when(text != "").then(text)


def is_blank(column: str) -> pl.Expr:
    """Whether the cell is empty or contains only blanks."""
    kind = pl.col(kind_of(column))
    return kind.is_null() | ((kind == "text") & trimmed(column).is_null())


def read_key(column: str) -> pl.Expr:
    """The key as its file spells it; null for an empty cell and for an unreadable key.

    An integer, and text such as "15298.0", become the text of the integer; any other text is kept ("007" is not "7"). A
    boolean, a date, an error or text with a blank inside is not a key.
    """
    text = trimmed(column).str.replace(_INTEGER_WITH_POINT, "${1}")
    readable = pl.col(kind_of(column)).is_in(["number", "text"]) & ~text.str.contains(_INNER_BLANK)
    return pl.when(readable).then(text)


def comparable(key: pl.Expr) -> pl.Expr:
    """The form in which two keys are compared: keys that look the same are equal.

    Lower case, without invisible characters, in Unicode NFKC (composed letters, plain digits for full-width ones), with
    hyphens for all dashes and straight apostrophes. Letters and digits of other scripts remain different: a Cyrillic
    "\u0430" is not an "a".
    """
    return _where_unusual(key, _plain, otherwise=key.str.to_lowercase())


def _plain(key: pl.Expr) -> pl.Expr:
    visible = key.str.replace_all(_ANY_INVISIBLE, "").str.normalize("NFKC").str.to_lowercase()
    plain = visible.str.replace_all(f"[{_DASHES}]", "-").str.replace_all(f"[{_APOSTROPHES}]", "'")
    return plain.str.replace(_INTEGER_WITH_POINT, "${1}")


def _where_unusual(text: pl.Expr, change: Callable[[pl.Expr], pl.Expr], *, otherwise: pl.Expr) -> pl.Expr:
    """Change only texts with other than visible ASCII characters: few have any, and the changes are slow."""
    return pl.coalesce(change(pl.when(text.str.contains("[^!-~]")).then(text)), otherwise)


def _typed(column: str, grammar: str) -> pl.Expr:
    """The digits of a text cell that follows the grammar, with a decimal point; null for any other text."""
    text = trimmed(column)
    digits = text.str.replace_all(f"[€{BLANKS}]", "").str.replace(",", ".", literal=True)
    return pl.when(text.str.contains(grammar)).then(digits)


def size(column: str, grammar: str) -> pl.Expr:
    """The number in the cell as a float, of any size; null if there is none."""
    kind = pl.col(kind_of(column))
    stored = pl.col(column).cast(pl.Float64, strict=False)
    typed = _typed(column, grammar).cast(pl.Float64, strict=False)
    return pl.when((kind == "number") & stored.is_finite()).then(stored).when(kind == "text").then(typed)


def _amount(column: str, grammar: str) -> pl.Expr:
    """The exact number in the cell: the shortest decimal of a stored float; null if it is not a number or too large."""
    kind = pl.col(kind_of(column))
    shortest = pl.col(column).cast(pl.Float64, strict=False).cast(pl.String)
    digits = pl.when(kind == "number").then(shortest).when(kind == "text").then(_typed(column, grammar))
    amount = digits.cast(_EXACT, strict=False)
    return pl.when(size(column, grammar).abs() < EXCEL_LIMIT).then(amount)


def is_ambiguous(column: str) -> pl.Expr:
    """Whether the text may mean two numbers: `1,234` and `1.234 €`."""
    return (pl.col(kind_of(column)) == "text") & trimmed(column).str.contains(_TWO_MEANINGS)


def read_money(column: str) -> pl.Expr:
    """The amount in EUR, rounded half up to cents; null if there is none, or if it is too large."""
    cents = _amount(column, MONEY_TEXT).round(2, mode="half_away_from_zero")
    return pl.when(cents.abs() < EXCEL_LIMIT).then(cents).cast(MONEY)


def read_count(column: str) -> pl.Expr:
    """The whole number in the cell, of either sign; null if there is none."""
    amount = _amount(column, COUNT_TEXT)
    # The exact number of a tiny fraction is 0, but the cell is not a whole number.
    is_nothing = size(column, COUNT_TEXT) == 0
    is_whole = (amount == amount.round(0, mode="half_away_from_zero")) & ((amount == 0) == is_nothing)
    return pl.when(is_whole).then(amount).cast(pl.Int64)


def read_date(column: str) -> pl.Expr:
    """The day in a cell that is a date, or a text such as 2018-06-07 or 2018-06-07 16:27:25; null for any other."""
    text = pl.when(pl.col(kind_of(column)).is_in(["date", "text"])).then(trimmed(column))
    return pl.when(text.str.contains(_DATE_TEXT)).then(text.str.head(10).str.to_date("%Y-%m-%d", strict=False))


def read_title(column: str) -> pl.Expr:
    """The text as people read it: HTML entities decoded, blanks around it removed; null where nothing is left."""
    text = pl.when(trimmed(column).is_not_null()).then(pl.col(column).str.strip_chars(BLANKS))
    decoded = text.map_batches(_unescape, return_dtype=pl.String, is_elementwise=True).str.strip_chars(BLANKS)
    return pl.when(decoded != "").then(decoded)


def _unescape(titles: pl.Series) -> pl.Series:
    with_entities = titles.str.contains("&", literal=True).arg_true()
    return titles.scatter(with_entities, [html.unescape(title) for title in titles.gather(with_entities)])
