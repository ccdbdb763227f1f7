"""The words in an issue's file, value and remedy in the language of the run: the rules state them in English."""

import re
from typing import Literal

import polars as pl

from tasks.domain import rules
from tasks.domain.month_issues import ALL_THREE
from tasks.domain.rules import RULES, codes
from tasks.domain.sources import SOURCES
from tasks.messages import Messages, mark

_WORDS: dict[Literal["file", "value", "remedy"], dict[str, tuple[str, ...]]] = {
    "file": {
        rules.UNMATCHED.code: (mark("the three workbooks"),),
        rules.PADDED_KEYS.code: (ALL_THREE,),
        rules.NO_PRODUCT.code: (ALL_THREE,),
        rules.NO_SALES.code: (ALL_THREE,),
        rules.REVENUE_TOO_LARGE.code: (ALL_THREE,),
        rules.MISSING_WORKBOOK.code: (mark("{source} workbook in {folder}"),),
        rules.SEVERAL_WORKBOOKS.code: (mark("{source} workbook in {folder}"),),
        rules.SAME_WORKBOOK.code: (mark("{one} and {another} and {third}"), mark("{one} and {another}")),
    },
    "value": {
        rules.UNMATCHED.code: (
            mark("{part} of {whole} links that lead to no product of the shop, {share} (limit {limit})"),
            mark("{part} of {whole} products of the shop without a product of the ERP, {share} (limit {limit})"),
            mark("{part} of {whole} units sold of products without a product of the ERP, {share} (limit {limit})"),
        ),
        rules.NO_SALES.code: (mark("0 units sold of 1 product"), mark("0 units sold of {whole} products")),
        rules.OTHER_SOURCE.code: (mark("columns of {source}: {columns}"),),
        rules.MISSING_COLUMN.code: (
            mark("found: nothing"),
            mark("found: {columns} and {whole} more"),
            mark("found: {columns}"),
        ),
    },
    "remedy": {
        rules.MISSING_COLUMN.code: (
            mark('Rename {title}, with {characters}) to "{column}", then run again.'),
            mark('Rename {title} to "{column}", then run again.'),
        ),
    },
}
"""The sentences that are no content of a cell, by the column of the issue and by rule; the first that fits is meant."""

_WORDS["value"][rules.PADDED_KEYS.code] = _WORDS["value"][rules.UNMATCHED.code]

_COUNTS, _SHARES = ("part", "whole"), ("share", "limit")
_SHOW_LOSS = frozenset(codes(shows_loss=True))
_LOST_UNITS = re.compile(r"-?\d+ units")


def translate_words(issues: pl.DataFrame, text: Messages) -> pl.DataFrame:
    """The issues (`DataIssue`) with file, value and remedy in this language; contents of cells stay as they are."""
    remedies = {
        rule.remedy.replace("{other}", source): text.gettext(rule.remedy).replace("{other}", source)
        for rule in RULES.values()
        for source in SOURCES
    }
    translated = issues.with_columns(pl.col("remedy").replace(remedies))
    if text.language == "en":
        return translated
    return translated.with_columns(
        pl.Series(
            column,
            [_translated(value, rule, column, text) for value, rule in translated.select(column, "rule").iter_rows()],
            pl.String,
        )
        for column in _WORDS
    )


def _translated(value: str | None, rule: str, column: Literal["file", "value", "remedy"], text: Messages) -> str | None:
    if value is None:
        return None
    if column == "value" and rule in _SHOW_LOSS and _LOST_UNITS.fullmatch(value):
        return text.ngettext("{count} unit", "{count} units", int(value.split()[0]))
    for message in _WORDS[column].get(rule, ()):
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(message))
        if found := re.fullmatch(pattern, value, re.DOTALL):
            return text.gettext(
                message, **{name: _number(name, part, text) for name, part in found.groupdict().items()}
            )
    return value


def _number(name: str, part: str, text: Messages) -> str:
    """A number in the format of the language; anything else as it is."""
    if name in _COUNTS:
        return text.number(int(part.replace(",", "")))
    return text.percent(float(part.removesuffix("%").replace(",", "")) / 100, 2) if name in _SHARES else part
