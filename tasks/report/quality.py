"""The sheets about the data: what became of the rows, and each row and cell to look at."""

import polars as pl

from tasks.domain.figures import MonthSummary
from tasks.domain.schemas import SOURCES
from tasks.report.sheets import Column, Sheet
from tasks.report.words import Words

COUNT_COLUMNS = [
    Column("source", 20),
    Column("disposition", 13),
    Column("reason", 75, "title"),
    Column("rows", 10, "count"),
    Column("rejected_units", 12, "count"),
]

ISSUE_COLUMNS = [
    Column("file", 21),
    Column("sheet", 11),
    Column("row", 9, "count"),
    Column("cell", 9),
    Column("column", 16),
    Column("value", 24, "title"),
    Column("problem", 40, "title"),
    Column("rule", 22),
    Column("severity", 10),
    Column("disposition", 11),
    Column("key", 13),
    Column("other", 16),
    Column("remedy", 44, "title"),
]


def write_quality(sheet: Sheet, summary: MonthSummary) -> None:
    """Write how many rows of each workbook were used, ignored and rejected, and why."""
    words, month = sheet.words, summary.parameters.month
    counts = counted_rows(summary.row_counts, words)
    sheet.table(words.sheet_title(words.QUALITY, month), words.QUALITY_NOTE, COUNT_COLUMNS, counts, marked="is_total")
    sheet.print_setup(month)


def counted_rows(row_counts: pl.DataFrame, words: Words) -> pl.DataFrame:
    """The counts as `COUNT_COLUMNS`: for each workbook all rows, then why they became what they are."""
    rows: list[tuple[str, str | None, str, int, int | None, bool]] = []
    for source in SOURCES:
        counts = row_counts.filter(pl.col("source") == source).sort("disposition", "rule", "detail")
        if counts.is_empty():
            continue
        name, total = words.SOURCES[source], int(counts["rows"].sum())
        rows.append((name, None, words.rows_read(total), total, None, True))
        for disposition, rule, detail, number, units in counts.select(
            "disposition", "rule", "detail", "rows", "units"
        ).iter_rows():
            rows.append((name, words.DISPOSITIONS[disposition], words.reason(rule, detail), number, units, False))
    return pl.DataFrame(
        rows,
        schema={
            "source": pl.String, "disposition": pl.String, "reason": pl.String, "rows": pl.Int64,
            "rejected_units": pl.Int64, "is_total": pl.Boolean,
        },
        orient="row",
    )  # fmt: skip


def write_issues(sheet: Sheet, summary: MonthSummary, issues: pl.DataFrame) -> None:
    """Write the rejected rows and the issues with their addresses, errors marked."""
    words, month = sheet.words, summary.parameters.month
    note = words.issues_note(issues.height) if issues.height else words.NO_ISSUES
    shown = told_issues(issues, words).with_columns(is_error=issues["severity"] == "error")
    sheet.table(words.sheet_title(words.ISSUES, month), note, ISSUE_COLUMNS, shown, marked="is_error")
    sheet.print_setup(month)


def told_issues(issues: pl.DataFrame, words: Words) -> pl.DataFrame:
    """The issues in the language of the report, with what is wrong as a sentence."""
    rules = issues["rule"].unique().to_list()
    return issues.with_columns(
        pl.col("severity").cast(pl.String).replace(words.SEVERITIES),
        pl.col("disposition").cast(pl.String).replace(words.DISPOSITIONS),
        pl.col("remedy").replace(words.REMEDIES),
        problem=pl.col("rule").replace_strict({rule: words.problem(rule) for rule in rules}, return_dtype=pl.String),
    )
