"""The catalogue of issue kinds, cell addresses, and the few exceptions.

Every fault that the pipeline can tell has one stable code here, with the words that say what is wrong and what to do.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import polars as pl

from tasks.domain.schemas import DataIssue, WebSheet

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

SHOWN_VALUE_LENGTH = 40
LINES_PER_RULE = 20


@dataclass(frozen=True)
class Rule:
    """One kind of issue.

    Attributes:
        sentence: Completes an address and a value: `C17, price: "-8" ` + sentence; `{other}` is the cell that the
            issue's own contradicts, with its value.
        remedy: What the person who keeps the workbook does about it.
        severity: `error` stops the run, `warning` is reported, `info` is counted.
        error_only_if: The severity `error` holds where the row's product takes part in the sales (`joined`), or where
            the row has a price or sales, or is a named product (`carrying`); elsewhere it is a warning.
        is_unusual: The error may be right all the same: the parameter `accept_unusual` makes it a warning.
    """

    sentence: str
    remedy: str
    severity: Severity
    error_only_if: Literal["joined", "carrying"] | None = None
    is_unusual: bool = False


_CORRECT = "Correct the cell, then run again."
_EXPORT = "Export the workbook again, then run again."

RULES: dict[str, Rule] = {
    # The workbooks
    "missing-workbook": Rule("is not there", "Put the workbook in the source folder, then run again.", "error"),
    "several-workbooks": Rule(
        "is not the only candidate", "Keep one workbook for this source, or name it with its own option.", "error"
    ),
    "same-workbook": Rule(
        "are one and the same file", "Put each source's own workbook in its place, then run again.", "error"
    ),
    "other-source": Rule(
        "are those of another source", "Put each source's own workbook in its place, then run again.", "error"
    ),
    "not-a-workbook": Rule("is not an .xlsx workbook", _EXPORT, "error"),
    "damaged-workbook": Rule("is damaged or incomplete", _EXPORT, "error"),
    "no-visible-sheet": Rule("has no visible sheet", "Show the sheet with the table, then run again.", "error"),
    "unreadable-cell": Rule(
        "cannot be read with certainty",
        "Type the cell again in a spreadsheet program, save the workbook, then run again.",
        "error",
    ),
    "too-large-workbook": Rule(
        "is larger than a workbook that can be read",
        "Delete what stands outside the table, or export the sheet alone into a new workbook; then run again.",
        "error",
    ),
    "reader-failed": Rule(
        "cannot be read within the memory and time that its size allows",
        "Open it in Excel and save it as a new .xlsx workbook, then run again.",
        "error",
    ),
    "missing-column": Rule("is missing", "Give the column its agreed name, then run again.", "error"),
    "doubled-column": Rule(
        "stands more than once in the header", "Rename or remove one of them, then run again.", "error"
    ),
    "several-sheets": Rule(
        "is not the only sheet with these columns", "Hide or remove the others, then run again.", "error"
    ),
    "no-rows": Rule("has a header and no row below it", _EXPORT, "error"),
    "absent-column": Rule("is not there; it is not needed for the figures", "Add it to see its checks.", "info"),
    # Keys
    "unreadable-key": Rule(
        "is not a key", "Type the key as a number or plain text, then run again.", "error", error_only_if="carrying"
    ),
    "contradicting-rows": Rule(
        "contradicts {other}",
        "Keep the right row and remove the others, then run again.",
        "error",
        error_only_if="joined",
    ),
    "differing-repetition": Rule("repeats a row with other details", "Remove the row that is out of date.", "warning"),
    "shared-sku": Rule("is also linked from {other}", "Keep the link of one product, then run again.", "error"),
    "several-skus": Rule(
        "is not the only live link of the product: there is {other}",
        "Keep one link for the product, then run again.",
        "error",
    ),
    # Money and counts
    "blank-cell": Rule("is empty", "Fill the cell, then run again.", "error", error_only_if="joined"),
    "error-cell": Rule("is an error of the spreadsheet", _CORRECT, "error", error_only_if="joined"),
    "uncalculated-formula": Rule(
        "is a formula that was never calculated",
        "Open the workbook in a spreadsheet program and save it, then run again. Until then, a formula that gives 0 "
        "is refused as well.",
        "error",
        error_only_if="joined",
    ),
    "not-a-number": Rule("is not a number", _CORRECT, "error", error_only_if="joined"),
    "ambiguous-number": Rule(
        "may mean two things: its separator may be of thousands or of decimals",
        "Type it as a number, or without that separator, then run again.",
        "error",
        error_only_if="joined",
    ),
    "not-above-zero": Rule("is not above 0", _CORRECT, "error", error_only_if="joined"),
    "negative": Rule("is below 0", _CORRECT, "error", error_only_if="joined"),
    "fractional": Rule("is not a whole number", _CORRECT, "error", error_only_if="joined"),
    "too-large": Rule("is too large for a spreadsheet", _CORRECT, "error", error_only_if="joined"),
    # Post types
    "blank-post-type": Rule(
        "is empty although the row has a sku or sales",
        "Fill in the type, then run again.",
        "error",
        error_only_if="carrying",
    ),
    "sellable-post-type": Rule(
        "is a type of its own and has sales", "Move the sales to the product itself, then run again.", "error"
    ),
    # The shop's status and date
    "unpublished-product": Rule(
        "is the status of a product that has sales",
        "Nothing to do if it was sold before it was withdrawn; else publish it again.",
        "warning",
    ),
    "not-a-date": Rule("is not a date", "Correct the date in the shop.", "warning"),
    # Stock
    "stock-not-a-count": Rule("is not a whole number from 0", "Correct the stock in the ERP.", "warning"),
    "stock-status-mismatch": Rule("contradicts the stock quantity", "Correct the stock status in the ERP.", "warning"),
    "unknown-flag": Rule("is neither 0 nor 1", "Correct the flag in the ERP.", "warning"),
    # What became of a row that is not used
    "blank-row": Rule("is a row without content", "Nothing to do.", "info"),
    "other-post-type": Rule("is not a product", "Nothing to do.", "info"),
    "unpublished-twin": Rule("is not published, and a product with the same sku is", "Nothing to do.", "info"),
    "no-key": Rule("is empty: the row cannot be joined", "Fill in the key.", "warning"),
    "repetition": Rule("repeats another row exactly", "Remove the row.", "info"),
    "no-web-id": Rule(
        "is empty: the product has no link to the shop", "Link the product if it is sold online.", "info"
    ),
    "unknown-product": Rule("is not a product of the ERP", "Correct the link.", "warning"),
    "unknown-web-id": Rule("is not a product of the web shop", "Correct or remove the link.", "warning"),
    "on-sale-unlinked": Rule("is sold online and has no product in the shop", "Link the product.", "warning"),
    "not-sold-online": Rule("is not sold online", "Nothing to do.", "info"),
    "no-partner": Rule("has no product in the shop", "Link the product if it is sold online.", "warning"),
    "unlinked-sales": Rule(
        "is not linked to a product of the ERP", "Link the product: its sales are missing.", "warning"
    ),
    # The month as a whole
    "no-product": Rule("leave not one product in all three", "Check that the three belong together.", "error"),
    "unmatched": Rule(
        "is above the limit",
        "Complete the links; or run with --accept-unusual if it is right.",
        "error",
        is_unusual=True,
    ),
    "padded-keys": Rule(
        "is above the limit: keys of one workbook begin with zeros that another one lacks",
        'Write the keys alike in all workbooks, "007" or "7", then run again.',
        "error",
    ),
    "no-sales": Rule(
        "cannot be right: the shop counts everything it ever sold",
        "Export the shop's workbook again with its sales, then run again.",
        "error",
    ),
    "revenue-too-large": Rule("is more than a spreadsheet can hold", "Check prices and sales.", "error"),
    "stale-export": Rule(
        "was not renewed by the shop since the month before",
        "Export the shop's workbook again; or run with --accept-unusual if nothing was sold.",
        "error",
        is_unusual=True,
    ),
    "rounded-key": Rule(
        "is a long number that Excel rounded, and no key",
        "Export the workbook again with this column as text, then run again.",
        "error",
    ),
    # The snapshot compared with the previous one
    "counters-fell": Rule(
        "is lower than {other}, like most counters that changed: the export is probably an older one",
        "Export the web workbook again; or run with --accept-unusual if it is right.",
        "error",
        is_unusual=True,
    ),
    "prices-moved": Rule(
        "is {other} times the same factor as nearly all prices: another unit, tax or currency",
        "Export the prices as before; or run with --accept-unusual if they are right.",
        "error",
        is_unusual=True,
    ),
    "cut-off-export": Rule(
        "is missing, and so is all that followed it before ({other}): the export is probably cut off",
        "Export the workbook whole; or run with --accept-unusual if it is right.",
        "error",
        is_unusual=True,
    ),
    "missing-in-bulk": Rule(
        "is missing, like many products that sold before ({other}): the export is probably not whole",
        "Export the workbook whole; or run with --accept-unusual if it is right.",
        "error",
        is_unusual=True,
    ),
    "counter-fell-far": Rule(
        "is far lower than {other}",
        "Nothing to do if orders were cancelled or the product was added to the shop again.",
        "warning",
    ),
    "price-jumped": Rule("is far from {other}", "Correct the price in the ERP if it is a slip.", "warning"),
    "check-failed": Rule("does not hold", "Report this: the pipeline contradicts itself.", "error"),
}


@dataclass(frozen=True)
class Issue:
    """One fault with its address; a row of `DataIssue`."""

    file: str
    rule: str
    sheet: str | None = None
    row: int | None = None
    cell: str | None = None
    column: str | None = None
    value: str | None = None
    severity: Severity | None = None
    disposition: Literal["used", "ignored", "rejected"] | None = None
    key: str | None = None
    other: str | None = None
    remedy: str | None = None


def issue_frame(issues: Iterable[Issue]) -> pl.DataFrame:
    """The issues as a `DataIssue` frame; severity and remedy come from the catalogue unless an issue has its own."""
    rows = []
    for issue in issues:
        rule = RULES[issue.rule]
        rows.append(
            asdict(issue) | {"severity": issue.severity or rule.severity, "remedy": issue.remedy or rule.remedy}
        )
    return pl.DataFrame(rows, schema=DataIssue.create_empty().schema)


def accept(issues: pl.DataFrame) -> pl.DataFrame:
    """The issues with the errors that may be right all the same as warnings."""
    unusual = [rule for rule, one in RULES.items() if one.is_unusual]
    accepted = pl.when(pl.col("rule").is_in(unusual)).then(pl.lit("warning", issues.schema["severity"]))
    return issues.with_columns(severity=accepted.otherwise("severity"))


def shortened(value: str, length: int = SHOWN_VALUE_LENGTH) -> str:
    """The value on one line, at most 40 characters or `length` of them."""
    line = " ".join(value.split())
    return line if len(line) <= length else line[: length - 1] + "…"


class MonthlySalesError(Exception):
    """Base of what a run can end with besides success; its text is a sentence for people."""


class DataRefused(MonthlySalesError):
    """The month's data cannot be published as it is.

    Attributes:
        issues: Everything that was found, as a `DataIssue` frame.
    """

    def __init__(self, sentence: str, issues: pl.DataFrame) -> None:
        self.sentence = _on_one_line(sentence)
        super().__init__(self.sentence)
        self.issues = issues

    def __reduce__(self) -> tuple[type["DataRefused"], tuple[str, pl.DataFrame]]:
        return type(self), (self.sentence, self.issues)


class OutsideFailure(MonthlySalesError):
    """A folder, disk or network did not do its part; the data was not judged."""


class WrongArgument(MonthlySalesError):
    """A parameter of the run has a value that it cannot have."""


def address(issue: dict[str, object]) -> str:
    """The location of the issue in words: `erp.xlsx [Sheet1] C17, price: "-8"`; with its key where it needs another."""
    location = _on_one_line(str(issue["file"]))
    if issue["sheet"] is not None:
        location += f" [{_on_one_line(str(issue['sheet']))}]"
    if issue["cell"] is not None:
        location += f" {issue['cell']}"
    if issue["column"] is not None:
        location += f", {issue['column']}"
        if issue["other"] is not None and issue["key"] != issue["value"]:
            key = "sku" if issue["column"] in WebSheet.columns() else "product"
            location += f" of {key} {_on_one_line(str(issue['key']))}"
    return location if issue["value"] is None else f'{location}: "{_on_one_line(str(issue["value"]))}"'


def _on_one_line(text: str) -> str:
    """The text with what a terminal would act upon or not show replaced: a workbook's author chose it."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in " ".join(text.split()))


def line(issue: dict[str, object]) -> str:
    """The issue on one line: address, what is wrong, what to do."""
    sentence = RULES[str(issue["rule"])].sentence.replace("{other}", _on_one_line(str(issue["other"])))
    return f"{address(issue)} {sentence}. {issue['remedy']}"


def lines(issues: pl.DataFrame) -> list[str]:
    """A line per issue, grouped by rule in the frame's order, at most twenty of each, with the full count."""
    shown = []
    for (rule,), group in issues.group_by("rule", maintain_order=True):
        shown += [line(issue) for issue in group.head(LINES_PER_RULE).iter_rows(named=True)]
        if group.height > LINES_PER_RULE:
            shown.append(f"… and {group.height - LINES_PER_RULE:,} more like this ({rule}: {group.height:,} in all).")
    return shown


def refusal(issues: pl.DataFrame) -> DataRefused:
    """The exception for a set of issues; its sentence counts the errors and tells the first of them.

    Args:
        issues: All issues, errors first; at least one error.
    """
    errors = issues.filter(pl.col("severity") == "error")
    first = line(errors.row(0, named=True))
    more = f" And {errors.height - 1:,} more." if errors.height > 1 else ""
    count = "1 error" if errors.height == 1 else f"{errors.height:,} errors"
    return DataRefused(f"{count}, nothing is published. {first}{more}", issues)
