"""What the stages return.

Prefect draws an edge of the run's graph from the task that returned an object, or a field of it, to each task that
receives that object. So results are not nested: what a later stage needs is a field of an earlier result.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tasks.domain.join import Cleaned
from tasks.domain.period import Period
from tasks.domain.sources import Source
from tasks.report.content import Report
from tasks.report.files import ReportFiles
from tasks.workbook.fetch import FetchedWorkbook
from tasks.workbook.staging import StagedWorkbook

Workbooks = Mapping[Source, FetchedWorkbook]
"""The run's copies of the three workbooks."""


@dataclass(frozen=True)
class CleanedSource(StagedWorkbook):
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
    """The three sources joined, and the disposition of every row.

    Attributes:
        erp: The cleaned rows of the ERP.
        liaison: The cleaned links.
        web: The cleaned rows of the shop.
        sales: One row per joined product (`WineSales`).
        ledger: One row per row of the three workbooks with its disposition.
        issues: Every issue of the three workbooks and of the month as a whole (`DataIssue`).
        missing: The products of the web shop that have sales and are in no figure, see `ledger.list_missing_sales`.
        columns: File, sheet and letter of every declared column, see `StagedWorkbook.columns`.
    """

    erp: pl.LazyFrame
    liaison: pl.LazyFrame
    web: pl.LazyFrame
    sales: pl.LazyFrame
    ledger: pl.LazyFrame
    issues: pl.LazyFrame
    missing: pl.LazyFrame
    columns: pl.DataFrame

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
    """The snapshot, compared with earlier ones.

    Attributes:
        classified: One row per product (`Wine`).
        wines: One row per product (`PeriodWine`).
        delisted: One row per delisted product (`DelistedWine`).
        totals: One row per period (`PeriodTotal`).
        history: The rows of the earlier snapshots (`SnapshotFacts`).
    """

    classified: pl.LazyFrame
    wines: pl.LazyFrame
    delisted: pl.LazyFrame
    totals: pl.LazyFrame
    history: pl.LazyFrame

    @property
    def period(self) -> Period:
        """The frames of the period."""
        return Period(self.wines, self.delisted, self.totals)

    @property
    def size(self) -> str:
        """How many products it has."""
        return _rows(self.wines)


@dataclass(frozen=True, kw_only=True)
class SnapshotReport(Report):
    """What the report shows, see `Report`, and what is published for later months.

    Attributes:
        snapshot: The base facts of the snapshot (`Snapshot`).
    """

    snapshot: pl.LazyFrame


@dataclass(frozen=True, kw_only=True)
class WrittenReport(SnapshotReport):
    """What the report shows, and the files that contain it.

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
