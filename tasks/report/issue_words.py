"""Issues and refusals in the language of the run; the rules are in English."""

import re

import polars as pl

from tasks.domain import rules
from tasks.domain.issues import AND_MORE, MORE, REFUSED, DataRefused, line, lines
from tasks.domain.rules import RULES, codes
from tasks.domain.sources import COLUMNS, SOURCES
from tasks.messages import Messages, mark, plural

_ANOTHER = mark("another row")
"""In place of a cell, if the sentence is about many rows."""

_WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    (column, rule.code): messages
    for column, about, messages in (
        ("file", (rules.UNMATCHED, rules.PADDED_KEYS, rules.NO_PRODUCT, rules.NO_SALES, rules.REVENUE_TOO_LARGE), (
            mark("the three workbooks"),)),
        ("file", (rules.MISSING_WORKBOOK, rules.SEVERAL_WORKBOOKS), (mark("{source} workbook in {folder}"),)),
        ("file", (rules.SAME_WORKBOOK,), (mark("{one} and {another} and {third}"), mark("{one} and {another}"))),
        ("value", (rules.UNMATCHED, rules.PADDED_KEYS), (
            mark("{part} of {whole} links that lead to no product of the shop, {share} (limit {limit})"),
            mark("{part} of {whole} products of the shop without a product of the ERP, {share} (limit {limit})"),
            mark("{part} of {whole} units sold of products without a product of the ERP, {share} (limit {limit})"))),
        ("value", (rules.NO_SALES,), (mark("0 units sold of 1 product"), mark("0 units sold of {whole} products"))),
        ("value", (rules.OTHER_SOURCE,), (mark("columns of {source}: {columns}"),)),
        ("value", (rules.MISSING_COLUMN,), (
            mark("found: nothing"), mark("found: {columns} and {whole} more"), mark("found: {columns}"))),
        ("remedy", (rules.MISSING_COLUMN,), (
            mark('Rename {title}, with {characters}) to "{column}", then run again.'),
            mark('Rename {title} to "{column}", then run again.'))),
    )
    for rule in about
}  # fmt: skip
"""Sentences that are not the content of a cell, by column of the issue and rule; the first that matches counts."""

_COUNTS, _SHARES = ("part", "whole"), ("share", "limit")
_SHOW_LOSS = frozenset(codes(shows_loss=True))
_LOST_UNITS = re.compile(r"-?\d+ units")


def translate_words(issues: pl.DataFrame, text: Messages) -> pl.DataFrame:
    """The issues (`DataIssue`) with file, value and remedy in this language; contents of cells are not translated."""
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
        for column in ("file", "value", "remedy")
    )


def word_issues(issues: pl.DataFrame, text: Messages) -> pl.DataFrame:
    """The issues in this language, with `problem`, a sentence with the other cell, and `of`, a text with the key."""
    sentences = {code: text.gettext(rule.sentence) for code, rule in RULES.items()}
    another = pl.col("other").fill_null(text.gettext(_ANOTHER))
    of = {True: text.gettext("of sku {key}"), False: text.gettext("of product {key}")}
    is_of_the_shop = pl.col("column").is_in(list(COLUMNS["web"])).fill_null(value=False)
    return translate_words(issues, text).with_columns(
        problem=pl.col("rule").replace(sentences).str.replace("{other}", another, literal=True),
        of=is_of_the_shop.replace_strict(of, return_dtype=pl.String),
    )


def reason(rule: str | None, detail: str | None, text: Messages) -> str:
    """Why rows have their disposition, as a sentence."""
    if rule is None:
        return text.gettext("No problem found")
    problem = text.gettext(RULES[rule].sentence).replace("{other}", text.gettext(_ANOTHER))
    sentence = f"{text.gettext(RULES[rule].subject)} {problem}"
    return sentence if detail is None else f"{sentence} ({detail})"


def refusal_in(text: Messages, refused: DataRefused) -> DataRefused:
    """The refusal in this language, see `DataRefused`."""
    errors = refused.issues.filter(pl.col("severity") == "error")
    first = line(word_issues(errors.head(1), text).row(0, named=True))
    more = [text.gettext(AND_MORE, count=errors.height - 1)] if errors.height > 1 else []
    return DataRefused(refused.issues, " ".join([refusal_sentence(errors.height, text), first, *more]))


def refusal_sentence(errors: int, text: Messages) -> str:
    """How many errors stopped the run."""
    return text.ngettext(*REFUSED, errors)


def refusal_lines(issues: pl.DataFrame, text: Messages) -> list[str]:
    """What a terminal shows of refused data: the errors, at most twenty of a kind, then the total."""
    errors = issues.filter(pl.col("severity") == "error")
    last = [refusal_sentence(errors.height, text)]
    if others := issues.height - errors.height:
        forms = plural("Also {count} warning or rejected row.", "Also {count} warnings and rejected rows.")
        last.append(text.ngettext(*forms, others))
    return [*lines(word_issues(errors, text), text.gettext(MORE)), " ".join(last)]


def _translated(value: str | None, rule: str, column: str, text: Messages) -> str | None:
    if value is None:
        return None
    if column == "value" and rule in _SHOW_LOSS and _LOST_UNITS.fullmatch(value):
        return text.ngettext("{count} unit", "{count} units", int(value.split()[0]))
    for message in _WORDS.get((column, rule), ()):
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(message))
        if found := re.fullmatch(pattern, value, re.DOTALL):
            return text.gettext(
                message, **{name: _number(name, part, text) for name, part in found.groupdict().items()}
            )
    return value


def _number(name: str, part: str, text: Messages) -> str:
    """A number in the format of the language; anything else unchanged."""
    if name in _COUNTS:
        return text.number(int(part.replace(",", "")))
    return text.percent(float(part.removesuffix("%").replace(",", "")) / 100, 2) if name in _SHARES else part
