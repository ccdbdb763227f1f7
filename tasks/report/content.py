"""The content of the report, in the language of the run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import polars as pl

from tasks.domain.figures import SnapshotSummary
from tasks.domain.inventory import list_dormant, list_reorder
from tasks.domain.parameters import Parameters
from tasks.domain.period import BEST_SELLERS, CHANGES, Period, list_best_sellers, list_changes, select_trend
from tasks.domain.row_issues import UNITS_LOST
from tasks.domain.rules import DISPOSITIONS, RULES, SEVERITIES
from tasks.domain.sources import SOURCES, Source
from tasks.messages import Messages, mark, messages_in
from tasks.report.cells import FORBIDDEN, REPLACEMENT
from tasks.report.issue_words import reason, word_issues
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
DISPOSITION_NAMES = {"used": mark("used"), "ignored": mark("ignored"), "rejected": mark("rejected")}
SEVERITY_NAMES = {"error": mark("error"), "warning": mark("warning"), "info": mark("info")}
PREMIUM, ORDINARY = mark("Premium"), mark("Ordinary")

STOCK_STATES = {
    "out": mark("out of stock"),
    "reorder": mark("reorder"),
    "dormant": mark("dormant"),
    "unknown": mark("no count"),
}


class TopWines(NamedTuple):
    """The wines of a chart, and of the same table on the dashboard.

    Attributes:
        heading: What they are.
        wines: The first of them: columns of `PeriodWine`, and their `units` and `value` (EUR).
        if_empty: The sentence if there is none.
    """

    heading: str
    wines: pl.DataFrame
    if_empty: str


@dataclass(frozen=True)
class Report:
    """Everything that the report shows of a snapshot.

    Attributes:
        parameters: The parameters of the run.
        summary: All figures.
        period: The frames of the period; without an earlier snapshot, the products alone.
        row_counts: The dispositions of the input rows (`RowCount`).
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
        words = {name: change.word for name, change in CHANGES.items()}
        return list_changes(self.period).with_columns(self._words("change", words)).collect()

    @cached_property
    def products(self) -> pl.DataFrame:
        """All products with class and changes in words; a stock below 0 is shown as 0, so that totals count bottles."""
        changes = self.changes.group_by("product_id").agg(pl.col("change").str.join(", ").alias("changes"))
        return self.wines.join(changes, on="product_id", how="left", maintain_order="left").with_columns(
            pl.col("stock_quantity").clip(lower_bound=0),
            class_mark=pl.when("is_premium").then(pl.lit(self.messages.gettext(PREMIUM))),
        )

    @cached_property
    def stock(self) -> pl.DataFrame:
        """What to reorder, by sales at risk; then dormant stock, by value; then products without a count."""
        wines, is_out = self.products.lazy(), pl.col("stock_quantity") <= 0
        lists = {
            "reorder": self.short_wines.lazy(),
            "dormant": list_dormant(wines),
            "unknown": wines.filter(pl.col("stock_quantity").is_null()),
        }
        listed = pl.concat(rows.with_columns(state=pl.lit(state)) for state, rows in lists.items())
        is_short = pl.col("state") == "reorder"
        state = pl.when(is_short & is_out).then(pl.lit("out")).otherwise("state").alias("state")
        return listed.with_columns(state, is_alert=is_short).with_columns(self._words("state", STOCK_STATES)).collect()

    @cached_property
    def short_wines(self) -> pl.DataFrame:
        """What to reorder, by sales at risk; in a first snapshot, which has no pace, what sold and is out of stock."""
        wines = self.products.lazy()
        is_out = (pl.col("stock_quantity") <= 0) & (pl.col("total_sales") > 0)
        return (wines.filter(is_out) if self.summary.period is None else list_reorder(wines)).collect()

    @cached_property
    def best_sellers(self) -> TopWines:
        """The wines that sold the most in the period; in a first snapshot, to date."""
        if self.summary.period is None:
            return self._most_revenue(self.wines, mark("Wines with the most revenue to date"))
        sold = list_best_sellers(self.wines.lazy()).with_columns(units="sold_units", value="sold_value").collect()
        return self._top(sold, mark("Best sellers of the period"))

    @cached_property
    def best_premium(self) -> TopWines:
        """The premium wines with the most revenue to date."""
        return self._most_revenue(self.wines.filter("is_premium"), mark("Premium wines with the most revenue to date"))

    def _most_revenue(self, wines: pl.DataFrame, heading: str) -> TopWines:
        sold = wines.filter(pl.col("revenue") > 0).head(BEST_SELLERS)
        return self._top(sold.with_columns(units="total_sales", value="revenue"), heading)

    def _top(self, wines: pl.DataFrame, heading: str) -> TopWines:
        return TopWines(self.messages.gettext(heading), wines, self.messages.gettext("No sale to show."))

    @cached_property
    def worded_issues(self) -> pl.DataFrame:
        """The issues (`DataIssue`) in the language of the run, with the `problem`."""
        return word_issues(self.issues, self.messages)

    @cached_property
    def listed_issues(self) -> pl.DataFrame:
        """The issues with severity and outcome in words."""
        outcome = self._words("disposition", DISPOSITION_NAMES).alias("outcome")
        return self.worded_issues.with_columns(outcome, self._words("severity", SEVERITY_NAMES))

    @cached_property
    def counts(self) -> pl.DataFrame:
        """Rows by source, disposition and reason, below how many were read; those that cost sales first."""
        counted = self._counted.filter(pl.col("file").is_null())
        read = counted.group_by("source").agg(pl.col("rows").sum(), is_read=pl.lit(value=True))
        order = [pl.col("source").cast(pl.Enum(SOURCES)), ~pl.col("is_read"), pl.col("disposition").cast(DISPOSITIONS)]
        counts = pl.concat([read, counted], how="diagonal_relaxed")
        return self._count_words(counts.sort(*order, -UNITS_LOST, "rule", "detail"))

    @cached_property
    def quality(self) -> pl.DataFrame:
        """Rows and cells by source, disposition and reason; the most severe first, then those that cost sales."""
        severity = pl.col("severity").cast(SEVERITIES)
        return self._count_words(self._counted.sort(severity, -UNITS_LOST, nulls_last=True, maintain_order=True))

    @cached_property
    def _counted(self) -> pl.DataFrame:
        """The rows by source, disposition and reason, then the other issues by file; with severities."""
        sources = {book.file: book.source for book in self.workbooks}
        source = pl.col("file").replace_strict(sources, default=None, return_dtype=pl.String)
        issues = self.worded_issues.with_columns(pl.col("severity", "disposition").cast(pl.String), source=source)
        by = ["source", "rule"]
        cells = issues.group_by(*by, "file", "disposition", "severity", maintain_order=True).agg(rows=pl.len())
        rows = self.row_counts.cast({"source": pl.String, "disposition": pl.String})
        severities = cells.unique(by, keep="first", maintain_order=True).select(*by, "severity")
        of_rule = pl.col("rule").replace_strict({code: rule.severity for code, rule in RULES.items()}, default=None)
        judged = rows.join(severities, on=by, how="left", maintain_order="left")
        counted = [judged.with_columns(pl.coalesce("severity", of_rule)), cells.join(rows, on=by, how="anti")]
        return pl.concat(counted, how="diagonal_relaxed").with_columns(is_read=pl.lit(value=False))

    def _count_words(self, counts: pl.DataFrame) -> pl.DataFrame:
        """The counts in words; a file that is not the workbook of a source has its own name."""
        text = self.messages
        reasons = [reason(rule, detail, text) for rule, detail in counts.select("rule", "detail").iter_rows()]
        remedies = {code: text.gettext(rule.remedy) for code, rule in RULES.items()}
        outcome = pl.when("is_read").then(pl.lit(text.gettext("read")))
        return counts.select(
            self._words("source", SOURCE_NAMES, pl.col("file")),
            outcome.otherwise(self._words("disposition", DISPOSITION_NAMES)).alias("outcome"),
            "rows",
            pl.col("units").alias("rejected_units"),
            self._words("severity", SEVERITY_NAMES),
            "rule",
            pl.when(~pl.col("is_read")).then(pl.Series("reason", reasons, pl.String)).alias("reason"),
            pl.col("rule").replace_strict(remedies, default=None, return_dtype=pl.String).alias("remedy"),
        )

    def _words(self, column: str, names: Mapping[Any, str], default: pl.Expr | None = None) -> pl.Expr:
        """The values of a column in words."""
        words = {name: self.messages.gettext(message) for name, message in names.items()}
        return pl.col(column).cast(pl.String).replace_strict(words, default=default, return_dtype=pl.String)


def sheet_name(key: SheetKey, text: Messages) -> str:
    """The name on the sheet's tab."""
    return text.gettext(SHEET_NAMES[key])


def title(limit: int, text: Messages) -> pl.Expr:
    """The wine's title on one line; if it is too long, without its middle, because the vintage is at the end."""
    line = pl.col("post_title").fill_null("").str.replace_all(r"\s+", " ").str.strip_chars()
    line = line.str.replace_all(FORBIDDEN, REPLACEMENT)
    cut = line.str.head(limit - 18).str.replace(r"\s+\S*$", "") + " … " + line.str.tail(15).str.replace(r"^\S*\s+", "")
    untitled = text.gettext("Product {product_id}").replace("{product_id}", "{}")
    return (
        pl.when(line == "")
        .then(pl.format(untitled, "product_id"))
        .when(line.str.len_chars() > limit)
        .then(cut)
        .otherwise(line)
    )
