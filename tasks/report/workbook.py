"""The month as a workbook: summary, revenue by product, premium wines, quality.

The same frames give the same bytes: nothing here reads a clock, and XlsxWriter dates the entries of its archive with a
constant.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from xlsxwriter import Workbook

from tasks.domain.figures import MonthSummary
from tasks.domain.issues import DataRefused
from tasks.report import words
from tasks.report.charts import ChartData
from tasks.report.look import WORKBOOK_OPTIONS, Look
from tasks.report.products import PRODUCT_LIMIT, ranked, write_premium, write_revenue
from tasks.report.quality import write_quality
from tasks.report.sheets import Sheet
from tasks.report.summary import write_summary
from tasks.workbook.fetch import FetchedWorkbook

_CREATED = datetime(2000, 1, 1, tzinfo=UTC)


def write_workbook(
    path: Path,
    summary: MonthSummary,
    wines: pl.DataFrame,
    gone: pl.DataFrame,  # noqa: ARG001 - shown on no sheet yet
    issues: pl.DataFrame,
    inputs: Sequence[FetchedWorkbook],  # noqa: ARG001 - shown on no sheet yet
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
    parameters, figures, row_counts = summary.parameters, summary.figures, summary.row_counts
    if wines.height > PRODUCT_LIMIT:
        raise DataRefused(words.too_many_products(wines.height, PRODUCT_LIMIT), issues)
    products = ranked(wines, figures.revenue)
    # Rows go to files of this folder as soon as they are written, so that memory does not grow with the month.
    with TemporaryDirectory() as row_files:
        try:
            with Workbook(path, {**WORKBOOK_OPTIONS, "constant_memory": True, "tmpdir": row_files}) as workbook:
                workbook.set_properties(
                    {"title": words.title(parameters.month), "author": words.AUTHOR, "created": _CREATED}
                )
                look = Look(workbook)
                front, revenue, premium, quality, chart_data = (
                    Sheet(workbook.add_worksheet(name), look)
                    for name in (words.SUMMARY, words.REVENUE, words.PREMIUM, words.QUALITY, words.CHART_DATA)
                )
                data = ChartData(chart_data)
                write_summary(workbook, front, data, parameters, figures, products, row_counts)
                write_revenue(revenue, parameters, figures, products)
                write_premium(workbook, premium, data, parameters, figures, products)
                write_quality(quality, parameters, row_counts, issues)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
