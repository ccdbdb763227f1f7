"""What the stages hand on.

Prefect draws an edge of the run's graph from the task that returned an object, or a field of it, to each task that is
given that object. So a stage's result has no nesting: what a later stage needs is a field of the result before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tasks.domain.figures import MonthSummary
from tasks.domain.join import Cleaned
from tasks.domain.schemas import Source
from tasks.publication.files import ReportFiles
from tasks.workbook.fetch import FetchedWorkbook

Workbooks = Mapping[Source, FetchedWorkbook]
"""The run's copies of the three workbooks."""


@dataclass(frozen=True)
class RawSource:
    """One source as it was read.

    Attributes:
        raw: The staged table, see `StagedWorkbook.scan`.
        columns: File, sheet and letter of every declared column, see `stages.locate_columns`.
    """

    raw: pl.LazyFrame
    columns: pl.DataFrame

    @property
    def size(self) -> str:
        """How many rows it has."""
        return _rows(self.raw)


@dataclass(frozen=True)
class CleanedSource(RawSource):
    """One source, read and cleaned.

    Attributes:
        rows: The cleaned rows.
    """

    rows: pl.LazyFrame

    @property
    def size(self) -> str:
        """How many rows it has."""
        return _rows(self.rows)


@dataclass(frozen=True)
class Joined:
    """The three sources joined, and what became of every row.

    Attributes:
        erp: The cleaned rows of the ERP.
        liaison: The cleaned links.
        web: The cleaned rows of the shop.
        sales: One row per joined product (`WineSales`).
        ledger: One row per row of the three workbooks with its disposition.
        issues: Every issue of the three workbooks and of the month as a whole (`DataIssue`).
    """

    erp: pl.LazyFrame
    liaison: pl.LazyFrame
    web: pl.LazyFrame
    sales: pl.LazyFrame
    ledger: pl.LazyFrame
    issues: pl.LazyFrame

    @property
    def cleaned(self) -> Cleaned:
        """The cleaned rows of the three."""
        return Cleaned(self.erp, self.liaison, self.web)

    @property
    def size(self) -> str:
        """How many products it has."""
        return _rows(self.sales)


@dataclass(frozen=True)
class Compared:
    """The products of a month next to those of the month before.

    Attributes:
        wines: One row per product (`ComparedWine`).
        gone: One row per product that is none any more (`GoneWine`).
        before: The products of the month compared with (`PublishedWine`); None for the first month.
    """

    wines: pl.LazyFrame
    gone: pl.LazyFrame
    before: pl.LazyFrame | None

    @property
    def size(self) -> str:
        """How many products it has."""
        return _rows(self.wines)


@dataclass(frozen=True)
class Results:
    """The month as it is reported.

    Attributes:
        wines: One row per product (`ComparedWine`).
        gone: One row per product that is none any more (`GoneWine`).
        before: The products of the month compared with (`PublishedWine`); None for the first month.
        issues: Every issue (`DataIssue`).
        summary: The figures.
        workbooks: The run's copies of the three workbooks.
    """

    wines: pl.LazyFrame
    gone: pl.LazyFrame
    before: pl.LazyFrame | None
    issues: pl.LazyFrame
    summary: MonthSummary
    workbooks: Workbooks


@dataclass(frozen=True)
class Report(Results):
    """The results and the files that contain them.

    Attributes:
        files: The files, in the run's own folder.
    """

    files: ReportFiles

    @property
    def size(self) -> str:
        """How many files it has."""
        return f"{len(self.files.names)} files"


def _rows(frame: pl.LazyFrame) -> str:
    return f"{frame.select(pl.len()).collect().item():,} rows"
