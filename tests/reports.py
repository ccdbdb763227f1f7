"""Reports of snapshots of a few products, written and audited, without a flow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
from openpyxl.worksheet.worksheet import Worksheet
from snapshots import Exported, Row, compare

from tasks.domain.issues import Issue, issue_frame
from tasks.domain.ledger import RowCount
from tasks.domain.parameters import Language, Parameters
from tasks.domain.sources import SOURCES
from tasks.report.audit import audit_files
from tasks.report.content import Report
from tasks.report.csv_files import write_issues, write_wines
from tasks.report.files import ReportFiles, report_files
from tasks.report.writer import write_workbook
from tasks.storage.local import file_facts
from tasks.workbook.fetch import FetchedWorkbook

FIRST = Exported(
    date(2025, 3, 14),
    [
        Row("4334", "49.00", 88, stock=12),
        Row("4402", "176.00", 9, stock=8),
        Row("4144", "49.00", 6, stock=0),
        Row("4729", "8.60", 0, stock=25),
        *[Row(f"5{number:03}", f"{number + 10}.00", 0, stock=0) for number in range(12)],
    ],
)
SECOND = Exported(
    date(2025, 4, 15),
    [
        Row("4334", "49.00", 92, stock=8),
        Row("4402", "176.00", 12, stock=5),
        Row("4144", "49.00", 9, stock=0),
        Row("4729", "8.60", 0, stock=25),
        Row("9999", "20.00", 5),
        *[Row(f"5{number:03}", f"{number + 10}.00", 0, stock=0) for number in range(12)],
    ],
)
THIRD = Exported(
    date(2025, 5, 15),
    [
        Row("4334", "49.00", 96, stock=4),
        Row("4402", "180.00", 13, stock=2),
        Row("4144", "49.00", 8, stock=-1),
        Row("4729", "8.60", 0, stock=25),
        Row("bon-25", "19.99", 10, stock=None, added=date(2025, 5, 2)),
        *[Row(f"5{number:03}", f"{number + 10}.00", 0, stock=0) for number in range(12)],
    ],
)
"""In the last period bon-25 is new, 9999 is delisted, 4402 has a new price, and bottles of 4144 were cancelled."""

SNAPSHOTS = {"first": (FIRST,), "second": (FIRST, SECOND), "third": (FIRST, SECOND, THIRD), "gap": (FIRST, THIRD)}

COUNTS = (
    ("erp", "used", None, None, 17, None),
    ("erp", "rejected", "not-sold-online", None, 108, None),
    ("liaison", "used", None, None, 17, None),
    ("liaison", "rejected", "unknown-web-id", None, 20, None),
    ("web", "used", None, None, 17, None),
    ("web", "ignored", "other-post-type", "attachment", 714, None),
    ("web", "rejected", "no-key", None, 2, 13),
)
ISSUES = (
    Issue("web.xlsx", "no-key", sheet="Sheet1", row=355, cell="B355", column="sku", disposition="rejected"),
    Issue("erp.xlsx", "not-above-zero", sheet="S", row=9, cell="C9", column="price", value="=cmd", key="'4233"),
    Issue("erp.xlsx", "absent-column", column="stock_status"),
)
MISSING = (("Vin sans sku 2019", 10, "no-key"), ("Autre vin sans sku", 3, "no-key"))
_MISSING_SCHEMA = {"product_id": pl.String, "post_title": pl.String, "units": pl.Int64, "rule": pl.String}


def report_of(snapshots: Sequence[Exported], folder: Path, language: Language = "en") -> Report:
    """The report of the last snapshot; its three workbooks are files of a few bytes."""
    compared, last = compare(*snapshots), snapshots[-1]
    parameters = Parameters(f"{last.day:%Y-%m}", last.day, last.threshold, language)
    books = []
    for source in SOURCES:
        path = folder / f"{source}.xlsx"
        path.write_bytes(source.encode())
        books.append(FetchedWorkbook(source, path.name, path, file_facts(path)))
    counts = pl.DataFrame(COUNTS, schema=RowCount.create_empty().schema, orient="row")
    missing = pl.DataFrame([("", *row) for row in MISSING], schema=_MISSING_SCHEMA, orient="row")
    return Report(parameters, compared.summary, compared.period, counts, issue_frame(ISSUES), missing, books)


def titled(report: Report, titles: Sequence[str | None]) -> Report:
    """The report with these titles for its first products."""
    wines = report.wines
    kept = wines["post_title"].to_list()[len(titles) :]
    column = pl.Series("post_title", [*titles, *kept], pl.String)
    return replace(report, period=report.period._replace(wines=wines.with_columns(column).lazy()))


@dataclass
class Written:
    """A report with its files."""

    report: Report
    files: ReportFiles

    @property
    def workbook(self) -> Path:
        return self.files.path(self.files.workbook)

    def open(self) -> openpyxl.Workbook:
        return openpyxl.load_workbook(self.workbook)

    def sheet(self, name: str) -> Worksheet:
        return self.open()[name]

    def texts(self, name: str) -> list[str]:
        """All texts of a sheet, row by row."""
        return [cell for row in self.sheet(name).values for cell in row if isinstance(cell, str)]

    def table(self, name: str, header: str = "Product") -> list[dict[str, object]]:
        """The rows below the headings of a sheet."""
        rows = list(self.sheet(name).values)
        at = next(index for index, row in enumerate(rows) if header in row)
        return [dict(zip(rows[at], row, strict=True)) for row in rows[at + 1 :]]

    def audit(self) -> list[str]:
        return audit_files(self.files, self.report)


def write(report: Report, folder: Path) -> Written:
    """The files of a report."""
    files, dialect = report_files(folder / "files", report.parameters.month), report.parameters.csv_dialect
    write_workbook(files.path(files.workbook), report)
    write_wines(files.path(files.premium), report.wines.filter("is_premium"), dialect)
    write_wines(files.path(files.ordinary), report.wines.remove("is_premium"), dialect)
    write_issues(files.path(files.issues), report.worded_issues, dialect)
    return Written(report, files)
