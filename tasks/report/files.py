"""The names of the month's files."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ReportFiles:
    """The month's files in the run's own folder, by the names that people open.

    Attributes:
        workbook: The sales report.
        premium: The premium wines.
        ordinary: The ordinary wines.
        table: The base facts of the snapshot, for later months and for analysis.
        issues: The rejected rows and issues.
        folder: The folder that contains them.
    """

    workbook: str
    premium: str
    ordinary: str
    table: str
    issues: str
    folder: Path

    @property
    def names(self) -> tuple[str, str, str, str, str]:
        """The names in the order in which they are published."""
        return (self.workbook, self.premium, self.ordinary, self.table, self.issues)

    def path(self, name: str) -> Path:
        """The path of the file."""
        return self.folder / name


def table_name(month: str) -> str:
    """The name of the table of the month's base facts."""
    return f"tables/wines_{month}.parquet"


def report_files(folder: Path, month: str) -> ReportFiles:
    """The names of the month's files; makes their folders."""
    files = ReportFiles(
        workbook=f"sales_reports/sales_report_{month}.xlsx",
        premium=f"wines/premium_wines_{month}.csv",
        ordinary=f"wines/ordinary_wines_{month}.csv",
        table=table_name(month),
        issues=f"quality/data_issues_{month}.csv",
        folder=folder,
    )
    for name in files.names:
        files.path(name).parent.mkdir(parents=True, exist_ok=True)
    return files
