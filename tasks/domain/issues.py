"""Issues with their addresses and wording, and the exceptions of a run."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import dataframely as dy
import polars as pl

from tasks.domain.rules import DISPOSITIONS, RULES, SEVERITIES, Disposition, Severity, codes
from tasks.domain.schemas import about
from tasks.domain.sources import COLUMNS

SHOWN_VALUE_LENGTH = 40
LINES_PER_RULE = 20
MORE = "… and {rest} more like this ({rule}: {count} in all)."
REFUSED = ("{count} error, nothing is published.", "{count} errors, nothing is published.")
AND_MORE = "And {count} more."


class DataIssue(dy.Schema):
    """One row per rejected row and per issue, with the address that a person can open."""

    file = dy.String(**about("File", "Name of the workbook"))
    sheet = dy.String(**about("Sheet", "Name of the sheet", empty="possible"))
    row = dy.UInt32(**about("Row", "Row as Excel numbers it", empty="possible"))
    cell = dy.String(**about("Cell", "Address as Excel shows it", empty="possible"))
    column = dy.String(**about("Column", "Name of the column", empty="possible"))
    value = dy.String(**about("Value", "Content of the cell, shortened", empty="possible"))
    rule = dy.String(**about("Rule", "Code of the rule in the catalogue of issues"))
    severity = dy.Enum(SEVERITIES.categories, **about("Severity"))
    disposition = dy.Enum(DISPOSITIONS.categories, **about("Outcome", "Disposition of the row", empty="possible"))
    key = dy.String(**about("Key", "Key of the row, where it has one", empty="possible"))
    other = dy.String(**about("Other cell", "Address and value of the cell that it contradicts", empty="possible"))
    remedy = dy.String(**about("What to do"))


@dataclass(frozen=True)
class Issue:
    """One issue with its address; a row of `DataIssue`."""

    file: str
    rule: str
    sheet: str | None = None
    row: int | None = None
    cell: str | None = None
    column: str | None = None
    value: str | None = None
    severity: Severity | None = None
    disposition: Disposition | None = None
    key: str | None = None
    other: str | None = None
    remedy: str | None = None


def issue_frame(issues: Iterable[Issue], *, accept_unusual: bool = False) -> pl.DataFrame:
    """The issues as a `DataIssue` frame; severity and remedy are those of the rule unless an issue has its own.

    Args:
        issues: The issues, in order.
        accept_unusual: Whether acceptable errors become warnings.
    """
    rows = []
    for issue in issues:
        rule = RULES[issue.rule]
        severity = "warning" if accept_unusual and rule.acceptable else issue.severity or rule.severity
        remedy = issue.remedy or rule.remedy.replace("{other}", str(issue.other))
        rows.append(asdict(issue) | {"severity": severity, "remedy": remedy})
    return pl.DataFrame(rows, schema=DataIssue.create_empty().schema)


def accepted_rules(issues: pl.DataFrame) -> list[str]:
    """The codes of the rules whose errors were accepted as warnings."""
    accepted = pl.col("rule").is_in(codes(acceptable=True)) & (pl.col("severity") == "warning")
    return issues.filter(accepted)["rule"].unique().sort().to_list()


def shortened(value: str, length: int = SHOWN_VALUE_LENGTH) -> str:
    """The value on one line, at most 40 characters or `length` of them."""
    line = " ".join(value.split())
    return line if len(line) <= length else line[: length - 1] + "…"


class MonthlySalesError(Exception):
    """Base of the errors of a run; the text is a sentence for people."""


class DataRefused(MonthlySalesError):
    """The month's data has errors and cannot be published.

    Attributes:
        issues: All issues (`DataIssue`), errors first; at least one error.
        sentence: The refusal in the language of the run; without it, in English.
    """

    def __init__(self, issues: pl.DataFrame, sentence: str = "") -> None:
        super().__init__(issues, sentence)
        self.issues = issues
        self.sentence = sentence

    def __str__(self) -> str:
        """The number of errors, and the first of them."""
        if self.sentence:
            return self.sentence
        errors = self.issues.filter(pl.col("severity") == "error")
        count = REFUSED[errors.height > 1].format(count=f"{errors.height:,}")
        more = [AND_MORE.format(count=f"{errors.height - 1:,}")] if errors.height > 1 else []
        return " ".join([count, line(errors.row(0, named=True)), *more])


class OutsideFailure(MonthlySalesError):
    """A folder, a disk or the network failed."""


class MonthNotPublished(OutsideFailure):
    """A month of a backfill is not published by its own run, which has reported why."""


class WrongArgument(MonthlySalesError):
    """A parameter of the run has an invalid value."""


def address(issue: dict[str, object]) -> str:
    """The address of the issue: `erp.xlsx [Sheet1] C17, price: "-8"`; with the key if it has another cell."""
    location = _on_one_line(str(issue["file"]))
    if issue["sheet"] is not None:
        location += f" [{_on_one_line(str(issue['sheet']))}]"
    if issue["cell"] is not None:
        location += f" {issue['cell']}"
    if issue["column"] is not None:
        location += f", {issue['column']}"
        if issue["other"] is not None and issue["key"] is not None and issue["key"] != issue["value"]:
            of = "of sku {key}" if issue["column"] in COLUMNS["web"] else "of product {key}"
            location += " " + str(issue.get("of") or of).replace("{key}", _on_one_line(str(issue["key"])))
    return location if issue["value"] is None else f'{location}: "{_on_one_line(str(issue["value"]))}"'


def _on_one_line(text: str) -> str:
    """The text without control characters: it comes from a workbook, and may be printed on a terminal."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in " ".join(text.split()))


def line(issue: dict[str, object]) -> str:
    """The issue on one line: address, what is wrong, what to do; in English unless it has a `problem` and `of`."""
    sentence = issue.get("problem") or RULES[str(issue["rule"])].sentence.replace("{other}", str(issue["other"]))
    return f"{address(issue)} {_on_one_line(str(sentence))}. {issue['remedy']}"


def lines(issues: pl.DataFrame, more: str = MORE) -> list[str]:
    """A line per issue, grouped by rule in the frame's order, at most twenty of each, with the full count."""
    shown = []
    for (rule,), group in issues.group_by("rule", maintain_order=True):
        shown += [line(issue) for issue in group.head(LINES_PER_RULE).iter_rows(named=True)]
        if group.height > LINES_PER_RULE:
            rest, count = f"{group.height - LINES_PER_RULE:,}", f"{group.height:,}"
            shown.append(more.format(rest=rest, rule=rule, count=count))
    return shown
