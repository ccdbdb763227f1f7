"""What is missing from the figures of a snapshot, and whether they can be trusted, in sentences."""

import polars as pl

from tasks.domain.rules import NO_KEY, RULES, UNLINKED_SALES, UNREADABLE_KEY
from tasks.messages import Messages, mark
from tasks.report.content import SOURCE_NAMES, Report, title
from tasks.report.issue_words import reason

_NAMED = 3
"""Products that a sentence lists; the others are counted."""
_TITLE_LENGTH = 60

_WITHOUT = {
    NO_KEY.code: mark("without a sku"),
    UNREADABLE_KEY.code: mark("with a sku that is not a key"),
    UNLINKED_SALES.code: mark("without a product of the ERP"),
}
"""Why a product of the shop is in no figure: follows the noun."""


def missing_sentences(report: Report) -> list[str]:
    """Products with sales that are in no figure, by name, and rejected rows by reason."""
    text, missing = report.messages, report.missing
    named = [_products(rows, str(rule), text) for (rule,), rows in missing.group_by("rule", maintain_order=True)]
    known = {("web", rule) for rule in missing["rule"]}
    rejected = report.row_counts.filter(pl.col("disposition") == "rejected").sort("rows", descending=True)
    reasons = [
        text.ngettext(
            "{reason} ({workbook}: {count} row)",
            "{reason} ({workbook}: {count} rows)",
            rows,
            reason=reason(rule, detail, text),
            workbook=text.gettext(SOURCE_NAMES[source]),
        )
        for source, rule, detail, rows in rejected.select("source", "rule", "detail", "rows").iter_rows()
        if RULES[rule].severity != "info" and (source, rule) not in known
    ]
    return [" · ".join(parts) for parts in (named, reasons) if parts]


def _products(missing: pl.DataFrame, rule: str, text: Messages) -> str:
    """The products of the web shop that are missing for one reason; the first ones by name."""
    named = missing.head(_NAMED).select(title(_TITLE_LENGTH, text).alias("title"), "units")
    names = [f"{name} ({text.ngettext('{count} bottle', '{count} bottles', units)})" for name, units in named.rows()]
    if missing.height > _NAMED:
        names.append(text.ngettext("{count} more", "{count} more", missing.height - _NAMED))
    return text.ngettext(
        "{count} shop product {without}: {names}",
        "{count} shop products {without}: {names}",
        missing.height,
        without=text.gettext(_WITHOUT[rule]) if rule in _WITHOUT else f"({reason(rule, None, text)})",
        names=", ".join(names),
    )


def checked_sentence(report: Report) -> str:
    """Whether the figures can be trusted: a report is only published when every check held."""
    return report.messages.ngettext(
        "All {rows} rows of the three workbooks are accounted for, and every check held; {count} warning",
        "All {rows} rows of the three workbooks are accounted for, and every check held; {count} warnings",
        report.issues.filter(pl.col("severity") == "warning").height,
        rows=int(report.row_counts["rows"].sum()),
    )
