"""The month as a workbook, in the language of its parameters.

The same frames give the same bytes: nothing here reads a clock, and XlsxWriter dates the entries of its archive with a
constant.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from tasks.domain.figures import MonthSummary
from tasks.domain.issues import DataRefused
from tasks.report import contradictions, sheets
from tasks.report.about import write_about
from tasks.report.charts import ChartData
from tasks.report.look import Look, workbook_options
from tasks.report.movements import write_changes, write_stock
from tasks.report.products import shown_products, write_premium, write_revenue
from tasks.report.quality import write_issues, write_quality
from tasks.report.rows import RowsWorkbook
from tasks.report.sheets import Sheet
from tasks.report.summary import write_summary
from tasks.report.words import LANGUAGES
from tasks.workbook.fetch import FetchedWorkbook

_CREATED = datetime(2000, 1, 1, tzinfo=UTC)


def write_workbook(
    path: Path,
    summary: MonthSummary,
    wines: pl.DataFrame,
    gone: pl.DataFrame,
    issues: pl.DataFrame,
    inputs: Sequence[FetchedWorkbook],
) -> None:
    """Write the month's workbook; on a fault there is no file.

    Args:
        path: The file to write; an existing one is replaced.
        summary: The month, the rules it was judged by, and its figures.
        wines: All products of both classes (`ComparedWine`), by revenue; the order is kept.
        gone: Products of the month before that are none any more (`GoneWine`).
        issues: Rejected rows and issues (`DataIssue`); cut where the sheet ends, and the sheet says so.
        inputs: The workbooks that the month was made from.

    Raises:
        DataRefused: There are more products than a sheet has rows.
        CellNotWritten: XlsxWriter refused a cell.
    """
    if wines.height > sheets.TABLE_LIMIT:
        raise DataRefused(contradictions.too_many_products(wines.height, sheets.TABLE_LIMIT), issues)
    words = LANGUAGES[summary.parameters.language]
    shown = shown_products(wines, summary.figures.revenue, words)
    # Rows go to files of this folder as soon as they are written, so that memory does not grow with the month.
    with TemporaryDirectory() as row_files:
        try:
            with RowsWorkbook(path, {**workbook_options(), "constant_memory": True, "tmpdir": row_files}) as workbook:
                workbook.set_properties(
                    {"title": words.title(summary.parameters.month), "author": words.AUTHOR, "created": _CREATED}
                )
                look = Look(workbook, words.CELL_LOCALE)
                front, revenue, premium, stock, changes, quality, faults, about, chart_data = (
                    Sheet(workbook.add_worksheet(name), look, words)
                    for name in (
                        words.SUMMARY, words.REVENUE, words.PREMIUM, words.STOCK, words.CHANGES, words.QUALITY,
                        words.ISSUES, words.ABOUT, words.CHART_DATA,
                    )
                )  # fmt: skip
                data = ChartData(chart_data)
                write_summary(workbook, front, data, summary, wines, shown)
                write_revenue(revenue, summary, shown)
                write_premium(workbook, premium, data, summary, shown)
                write_stock(stock, summary, wines)
                write_changes(changes, summary, wines, gone)
                write_quality(quality, summary)
                write_issues(faults, summary, issues)
                write_about(about, summary, inputs)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
