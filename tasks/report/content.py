"""What the report shows of a month, and its frames with the words of the run's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

import polars as pl

from tasks.domain.figures import SnapshotSummary
from tasks.domain.inventory import list_dormant, list_reorder
from tasks.domain.issues import lines
from tasks.domain.parameters import Parameters
from tasks.domain.period import CHANGES, Period, list_changes, select_trend
from tasks.domain.rules import RULES
from tasks.domain.sources import COLUMNS, SOURCES, Source
from tasks.messages import Messages, mark, messages_in
from tasks.report.cells import FORBIDDEN, REPLACEMENT
from tasks.report.issue_words import translate_words
from tasks.workbook.fetch import FetchedWorkbook

SheetKey = Literal["summary", "products", "premium", "stock", "changes", "checks", "about", "chart_data"]

SHEET_NAMES: dict[SheetKey, str] = {
    "summary": mark("Summary"),
    "products": mark("Products"),
    "premium": mark("Premium wines"),
    "stock": mark("Stock"),
    "changes": mark("Changes"),
    "checks": mark("Data checks"),
    "about": mark("About"),
    "chart_data": mark("Chart data"),
}

SOURCE_NAMES: Mapping[Source, str] = {"erp": mark("ERP"), "liaison": mark("Link table"), "web": mark("Web shop")}
DISPOSITIONS = {"used": mark("used"), "ignored": mark("ignored"), "rejected": mark("rejected")}
SEVERITY_NAMES = {"error": mark("error"), "warning": mark("warning"), "info": mark("info")}
PREMIUM, ORDINARY = mark("Premium"), mark("Ordinary")

STOCK_STATES = {
    "out": mark("out of stock"),
    "reorder": mark("reorder"),
    "dormant": mark("dormant"),
    "unknown": mark("no count"),
}

_ANOTHER = mark("another row")
"""The cell that a sentence mentions, where it is about many rows."""


@dataclass(frozen=True)
class Report:
    """Everything that the report shows of a snapshot.

    Attributes:
        parameters: The parameters of the run.
        summary: All figures.
        period: The frames of the period; without an earlier snapshot, the products alone.
        row_counts: What became of the input rows (`RowCount`).
        issues: Rejected rows and issues (`DataIssue`).
        missing: Products of the web shop that sold and are in no figure: `post_title`, `units`, `rule`.
        workbooks: The workbooks that the result was made from.
    """

    parameters: Parameters
    summary: SnapshotSummary
    period: Period
    row_counts: pl.DataFrame
    issues: pl.DataFrame
    missing: pl.DataFrame
    workbooks: Sequence[FetchedWorkbook]

    @property
    def messages(self) -> Messages:
        """The messages in the language of the run."""
        return messages_in(self.parameters.language)

    @property
    def export_date(self) -> date:
        """The day on which the workbooks were exported."""
        return self.parameters.export_date

    @cached_property
    def wines(self) -> pl.DataFrame:
        """One row per product (`PeriodWine`), by revenue."""
        return self.period.wines.collect()

    @cached_property
    def trend(self) -> pl.DataFrame:
        """One row per period of the trend (`PeriodTotal`), oldest first."""
        return select_trend(self.period.totals).collect()

    @cached_property
    def changes(self) -> pl.DataFrame:
        """One row per product and kind of change, the kind in words."""
        changes, words = list_changes(self.period).collect(), {name: one.word for name, one in CHANGES.items()}
        return changes.with_columns(_translated(changes["change"], words, self.messages).alias("change"))

    @cached_property
    def products(self) -> pl.DataFrame:
        """All products with their class and their changes in words."""
        changes = self.changes.group_by("product_id").agg(pl.col("change").str.join(", ").alias("changes"))
        premium = pl.lit(self.messages.gettext(PREMIUM))
        return self.wines.join(changes, on="product_id", how="left", maintain_order="left").with_columns(
            class_mark=pl.when("is_premium").then(premium)
        )

    @cached_property
    def stock(self) -> pl.DataFrame:
        """Products whose stock needs a look: what to reorder by sales at risk, then dormant stock by value.

        A count below 0 is shown as 0, so that the total counts bottles; the data checks show the count itself.
        """
        wines, is_out = self.wines.lazy(), pl.col("stock_quantity") <= 0
        lists = [
            list_reorder(wines).with_columns(state=pl.when(is_out).then(pl.lit("out")).otherwise(pl.lit("reorder"))),
            list_out_of_stock(wines).with_columns(state=pl.lit("out")) if self.summary.period is None else None,
            list_dormant(wines).with_columns(state=pl.lit("dormant")),
            wines.filter(pl.col("stock_quantity").is_null()).with_columns(state=pl.lit("unknown")),
        ]
        listed = pl.concat(rows for rows in lists if rows is not None).collect()
        return listed.with_columns(
            _translated(listed["state"], STOCK_STATES, self.messages).alias("state"),
            pl.col("stock_quantity").clip(lower_bound=0),
            is_alert=pl.col("state").is_in(["out", "reorder"]),
        )

    @cached_property
    def counts(self) -> pl.DataFrame:
        """Rows by source, disposition and reason, below how many were read."""
        text, order = self.messages, pl.col("source").cast(pl.Enum(SOURCES))
        read = self.row_counts.group_by("source").agg(pl.col("rows").sum()).with_columns(is_read=pl.lit(value=True))
        counts = pl.concat(
            [read, self.row_counts.with_columns(is_read=pl.lit(value=False))], how="diagonal_relaxed"
        ).sort(order, ~pl.col("is_read"), "disposition", "rule", "detail")
        severity = counts["rule"].replace_strict({code: rule.severity for code, rule in RULES.items()}, default=None)
        reasons = [
            None if is_read else reason(rule, detail, text)
            for rule, detail, is_read in counts.select("rule", "detail", "is_read").iter_rows()
        ]
        return counts.select(
            _translated(counts["source"], SOURCE_NAMES, text).alias("source"),
            pl.when("is_read").then(pl.lit(text.gettext(mark("read"))))
            .otherwise(_translated(counts["disposition"], DISPOSITIONS, text)).alias("outcome"),
            "rows",
            pl.col("units").alias("rejected_units"),
            _translated(severity, SEVERITY_NAMES, text).alias("severity"),
            "rule",
            pl.Series("reason", reasons, pl.String),
            pl.Series("remedy", [remedy(code, text) for code in counts["rule"]], pl.String),
        )  # fmt: skip

    @cached_property
    def listed_issues(self) -> pl.DataFrame:
        """The issues in words."""
        text, issues = self.messages, word_issues(self.issues, self.messages)
        return issues.with_columns(
            _translated(issues["severity"], SEVERITY_NAMES, text).alias("severity"),
            _translated(issues["disposition"], DISPOSITIONS, text).alias("outcome"),
        )

    @cached_property
    def translated_issues(self) -> pl.DataFrame:
        """The issues (`DataIssue`) with their words in the language of the run."""
        return translate_words(self.issues, self.messages)


def word_issues(issues: pl.DataFrame, text: Messages) -> pl.DataFrame:
    """The issues in this language, with the `problem`, which names the other cell, and `of`, which names the key."""
    sentences = {code: text.gettext(rule.sentence) for code, rule in RULES.items()}
    another = pl.col("other").fill_null(text.gettext(_ANOTHER))
    problem = pl.col("rule").replace(sentences).str.replace("{other}", another, literal=True)
    of = {True: text.gettext(mark("of sku {key}")), False: text.gettext(mark("of product {key}"))}
    is_of_the_shop = pl.col("column").is_in(list(COLUMNS["web"])).fill_null(value=False)
    return translate_words(issues, text).with_columns(
        problem.alias("problem"), is_of_the_shop.replace_strict(of, return_dtype=pl.String).alias("of")
    )


def refusal_lines(issues: pl.DataFrame, text: Messages) -> list[str]:
    """What a terminal shows of refused data: the errors, at most twenty of a kind, then how much there is in all."""
    errors = issues.filter(pl.col("severity") == "error")
    more = text.gettext(mark("… and {rest} more like this ({rule}: {count} in all)."))
    last = refusal_sentence(errors.height, text)
    if others := issues.height - errors.height:
        last += " " + text.ngettext(
            "Besides, {count} warning or rejected row.", "Besides, {count} warnings and rejected rows.", others
        )
    return [*lines(word_issues(errors, text), more), last]


def refusal_sentence(errors: int, text: Messages) -> str:
    """How many errors stopped the run."""
    return text.ngettext(
        "Refused, nothing is published: {count} error.", "Refused, nothing is published: {count} errors.", errors
    )


def sheet_name(key: SheetKey, text: Messages) -> str:
    """The name on the sheet's tab."""
    name = SHEET_NAMES[key]
    return text.gettext(name)


def list_out_of_stock(wines: pl.LazyFrame) -> pl.LazyFrame:
    """The wines that sold and have no bottle left, by total revenue to date: a first snapshot has no pace."""
    return wines.filter((pl.col("stock_quantity") <= 0) & (pl.col("total_sales") > 0))


def reason(rule: str | None, detail: str | None, text: Messages) -> str:
    """Why rows have their disposition, as a sentence."""
    if rule is None:
        return text.gettext(mark("No problem found"))
    sentence = f"{text.gettext(RULES[rule].subject)} {problem(rule, text)}"
    return sentence if detail is None else f"{sentence} ({detail})"


def problem(rule: str, text: Messages) -> str:
    """What is wrong, as the end of a sentence that begins with an address."""
    sentence = RULES[rule].sentence
    return text.gettext(sentence).replace("{other}", text.gettext(_ANOTHER))


def remedy(rule: str | None, text: Messages) -> str | None:
    """What to do about rows with this reason."""
    return None if rule is None else text.gettext(RULES[rule].remedy)


def _translated(values: pl.Series, names: Mapping[Any, str], text: Messages) -> pl.Series:
    translations = {name: text.gettext(message) for name, message in names.items()}
    return values.cast(pl.String).replace_strict(translations, default=None, return_dtype=pl.String)


def title(limit: int, text: Messages) -> pl.Expr:
    """The wine's title on one line; where it is longer than the limit, without its middle: the vintage is its end."""
    line = pl.col("post_title").fill_null("").str.replace_all(r"\s+", " ").str.strip_chars()
    line = line.str.replace_all(FORBIDDEN, REPLACEMENT)
    cut = line.str.head(limit - 18).str.replace(r"\s+\S*$", "") + " … " + line.str.tail(15).str.replace(r"^\S*\s+", "")
    untitled = text.gettext(mark("Product {product_id}")).replace("{product_id}", "{}")
    return (
        pl.when(line == "")
        .then(pl.format(untitled, "product_id"))
        .when(line.str.len_chars() > limit)
        .then(cut)
        .otherwise(line)
    )
