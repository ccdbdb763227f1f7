"""The month's files: their names for people, and where they stand before they are published."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ReportFiles:
    """The month's files in the run's own folder, by the names that people open.

    Attributes:
        workbook: The sales report.
        premium: The premium wines.
        ordinary: The ordinary wines.
        issues: The rejected rows and issues.
        folder: Where they stand.
    """

    workbook: str
    premium: str
    ordinary: str
    issues: str
    folder: Path

    @property
    def names(self) -> tuple[str, str, str, str]:
        """The names in the order in which they are published."""
        return (self.workbook, self.premium, self.ordinary, self.issues)

    def path(self, name: str) -> Path:
        """Where the file stands."""
        return self.folder / name


def wine_files(month: str) -> dict[str, bool]:
    """Names of the month's two files of products, and whether each holds the premium ones."""
    return {f"wines/premium_wines_{month}.csv": True, f"wines/ordinary_wines_{month}.csv": False}


def report_files(folder: Path, month: str) -> ReportFiles:
    """Names of the month's files; their folders exist afterwards."""
    premium, ordinary = wine_files(month)
    files = ReportFiles(
        workbook=f"sales_reports/sales_report_{month}.xlsx",
        premium=premium,
        ordinary=ordinary,
        issues=f"quality/data_issues_{month}.csv",
        folder=folder,
    )
    for name in files.names:
        files.path(name).parent.mkdir(parents=True, exist_ok=True)
    return files
