"""The sheet about the data: what became of the rows, then each row and cell to look at."""

import polars as pl
from xlsxwriter.utility import xl_range

from tasks.domain.figures import Parameters
from tasks.domain.schemas import SOURCES, DataIssue, headings
from tasks.report import words
from tasks.report.cells import ROW_LIMIT
from tasks.report.sheets import Column, Sheet

_WIDTHS = {
    "file": 21, "sheet": 11, "row": 8, "cell": 9, "column": 15, "value": 24, "problem": 40,
    "rule": 21, "severity": 10, "disposition": 10, "key": 13, "remedy": 44,
}  # fmt: skip
_HEADINGS = headings(DataIssue) | {"problem": words.PROBLEM}

ISSUE_COLUMNS = [
    Column(name, _HEADINGS[name], width, "count" if name == "row" else "text") for name, width in _WIDTHS.items()
]
_REASON, _ROWS, _UNITS = 2, 7, 8
"""Columns of the counts; the reason has the narrow ones after it for itself."""

_COUNT_ORDER = ["source", "disposition", "rule", "detail"]


def write_quality(sheet: Sheet, parameters: Parameters, row_counts: pl.DataFrame, issues: pl.DataFrame) -> None:
    """Write the counts and below them the issues, as many as the sheet holds."""
    sheet.widths(ISSUE_COLUMNS)
    sheet.text(0, 0, words.quality_title(parameters.month), "title")
    sheet.text(1, 0, words.quality_sentence(), "note")
    after_counts = _write_counts(sheet, 3, row_counts)
    header_row = _write_issues(sheet, after_counts + 1, issues)
    sheet.print_setup(parameters.month, header_row=header_row)


def _write_counts(sheet: Sheet, row: int, row_counts: pl.DataFrame) -> int:
    """The counts by workbook, what became of the rows, and why; returns the row after them."""
    for column in range(_UNITS + 1):
        heading = {0: words.WORKBOOK, 1: words.ROW_IS, _REASON: words.REASON, _ROWS: words.ROWS, _UNITS: words.UNITS}
        style = "header right" if column >= _ROWS else "header"
        sheet.text(row, column, heading.get(column, ""), style)
    row += 1
    for source in SOURCES:
        counts = row_counts.filter(pl.col("source") == source).sort(_COUNT_ORDER)
        if counts.is_empty():
            continue
        _write_count(
            sheet,
            row,
            [words.SOURCE_NAMES[source], "", words.rows_read(int(counts["rows"].sum()))],
            None,
            None,
            "total",
        )
        row += 1
        for disposition, rule, detail, rows, units in counts.select(
            "disposition", "rule", "detail", "rows", "units"
        ).iter_rows():
            _write_count(
                sheet, row, ["", words.DISPOSITION_NAMES[disposition], words.reason(rule, detail)], rows, units, "cell"
            )
            row += 1
    return row


def _write_count(sheet: Sheet, row: int, texts: list[str], rows: int | None, units: int | None, word: str) -> None:
    for column, text in enumerate(texts):
        if text:
            sheet.text(row, column, text, f"{word} text")
        else:
            sheet.blanks(row, range(column, column + 1), f"{word} text")
    sheet.blanks(row, range(len(texts), _ROWS), f"{word} text")
    for column, number in ((_ROWS, rows), (_UNITS, units)):
        if number is None:
            sheet.blanks(row, range(column, column + 1), f"{word} text")
        else:
            sheet.number(row, column, number, f"{word} count")


def _write_issues(sheet: Sheet, row: int, issues: pl.DataFrame) -> int:
    """The issues, their errors marked; returns the row of their headings."""
    sheet.text(row, 0, words.ISSUES, "section")
    header_row = row + 2
    shown = issues.head(ROW_LIMIT - header_row - 1)
    if issues.is_empty():
        sheet.text(row + 1, 0, words.NO_ISSUES, "note")
    elif shown.height < issues.height:
        sheet.text(row + 1, 0, words.issues_cut(shown.height, issues.height), "section")
    sheet.header(header_row, ISSUE_COLUMNS)
    told = shown.with_columns(
        pl.col("rule")
        .replace_strict({rule: words.problem(rule) for rule in shown["rule"].unique()}, return_dtype=pl.String)
        .alias("problem"),
        pl.col("severity", "disposition").cast(pl.String),
        (pl.col("severity") == "error").alias("is_error"),
    )
    sheet.rows(header_row + 1, ISSUE_COLUMNS, told, marked="is_error")
    if shown.height:
        last_row = header_row + shown.height
        sheet.worksheet.autofilter(header_row, 0, last_row, len(ISSUE_COLUMNS) - 1)
        cells = xl_range(header_row + 1, 0, last_row, len(ISSUE_COLUMNS) - 1)
        sheet.worksheet.ignore_errors({"number_stored_as_text": cells})
    return header_row
