"""The sample month, spoiled in one place, and the whole flow on it without a Prefect server."""

import tempfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import openpyxl
import polars as pl
from builders import write_workbook
from frames import stage_here
from prefect import Task
from prefect.logging import disable_run_logger

from flows import monthly_sales as flow
from tasks import run as run_module
from tasks import stages
from tasks.announcement import events
from tasks.domain.issues import DataRefused
from tasks.domain.sources import SOURCES, Source
from tasks.publication.publisher import PublishedMonth
from tasks.run import Run
from tasks.workbook.fetch import FetchedWorkbook
from tasks.workbook.limited_process import WorkbookReader
from tasks.workbook.staging import StagedWorkbook

Rows = list[list[Any]]

SAMPLE = Path(__file__).parents[2] / "data" / "2025-05"
VICTIM: dict[Source, int] = {"erp": 2, "liaison": 2, "web": 144}
"""The row of one sold product: 3911, sku 15423, 14 bottles at 13.20 EUR."""


@cache
def _cells(source: Source) -> tuple[tuple[Any, ...], ...]:
    book = openpyxl.load_workbook(SAMPLE / f"{source}.xlsx", read_only=True)
    rows = tuple(book.worksheets[0].iter_rows(values_only=True))
    book.close()
    return rows


@dataclass
class SpoiledMonth:
    """The three workbooks of the sample month in a folder, to be changed before a run.

    Attributes:
        folder: The source folder of the run.
        sheets: The cells of the workbooks that are written again, header first.
        options: What is passed on to `builders.write_workbook`, by source.
    """

    folder: Path
    sheets: dict[Source, Rows] = field(default_factory=dict)
    options: dict[Source, dict[str, Any]] = field(default_factory=dict)

    def path(self, source: Source) -> Path:
        return self.folder / f"{source}.xlsx"

    def rows(self, source: Source) -> Rows:
        """The cells of a workbook, to be changed: header first, so that row n of Excel has the index n - 1."""
        if source not in self.sheets:
            self.sheets[source] = [list(row) for row in _cells(source)]
        return self.sheets[source]

    def column(self, source: Source, name: str) -> int:
        return self.rows(source)[0].index(name)

    def row(self, source: Source) -> list[Any]:
        """The row of the product that is spoiled."""
        return self.rows(source)[VICTIM[source] - 1]

    def put(self, source: Source, column: str, value: object) -> None:
        """Another value in the row of the product that is spoiled."""
        self.row(source)[self.column(source, column)] = value

    def parts(self, source: Source) -> dict[str, bytes]:
        """The parts of the workbook's archive."""
        with zipfile.ZipFile(self.path(source)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def replace_parts(self, source: Source, parts: dict[str, bytes]) -> None:
        with zipfile.ZipFile(self.path(source), "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(name, content)

    def replace_in_part(self, source: Source, part: str, old: bytes, new: bytes) -> None:
        """Change the XML itself: for what no library would write."""
        parts = self.parts(source)
        assert old in parts[part], f"{part} does not contain {old!r}"
        self.replace_parts(source, parts | {part: parts[part].replace(old, new, 1)})

    def edit(self, source: Source, change: Callable[[openpyxl.Workbook], object]) -> None:
        """Change the workbook as a program would that opens and saves it."""
        book = openpyxl.load_workbook(self.path(source))
        change(book)
        book.save(self.path(source))

    def write(self) -> None:
        """Write the workbooks whose cells were changed."""
        for source, rows in self.sheets.items():
            write_workbook(self.path(source), rows, **self.options.get(source, {}))


Spoil = Callable[[SpoiledMonth], object]


def spoiled_month(folder: Path, spoil: Spoil) -> Path:
    """A new source folder with the sample month, spoiled."""
    folder.mkdir()
    month = SpoiledMonth(folder)
    for source in SOURCES:
        month.path(source).write_bytes((SAMPLE / f"{source}.xlsx").read_bytes())
    spoil(month)
    month.write()
    return folder


def put(source: Source, column: str, value: object) -> Spoil:
    """Another value in the row of the product that is spoiled."""
    return lambda month: month.put(source, column, value)


_staged: dict[tuple[Source, str], StagedWorkbook] = {}
_staged_files = tempfile.TemporaryDirectory(prefix="staged-")


def staged(workbook: FetchedWorkbook) -> StagedWorkbook:
    """The staged workbook; the sample's own are read once, since nearly every case leaves two of them unchanged."""
    key = workbook.source, workbook.facts.sha256
    if key not in _staged:
        target = Path(_staged_files.name) / f"{len(_staged)}.parquet"
        _staged[key] = stage_here(workbook.path, workbook.source, target, workbook.file)
    book = _staged[key]
    return replace(book, columns=book.columns.with_columns(file=pl.lit(workbook.file)))


def _task_without_server(source: Source) -> Any:
    """In place of the task that converts a workbook: submitted, it is done at once."""

    def submit(workbooks: Mapping[Source, FetchedWorkbook], run: Run, reader: WorkbookReader) -> Any:
        del run, reader  # what is staged is shared
        try:
            result: StagedWorkbook | DataRefused = staged(workbooks[source])
        except DataRefused as refused:
            result = refused
        return SimpleNamespace(result=lambda **_: result)

    return SimpleNamespace(submit=submit)


def run_flow(source: Path | str, destination: Path | str, **parameters: Any) -> PublishedMonth:
    """The flow itself, its tasks called as the functions that they are; without a server, and in this process.

    Raises:
        DataRefused: As the flow does.
    """
    with ExitStack() as patches:
        for name, task in vars(flow).items():
            if isinstance(task, Task):
                patches.enter_context(mock.patch.object(flow, name, task.fn))
        patches.enter_context(mock.patch.object(stages, "_convert", _task_without_server))
        patches.enter_context(mock.patch.object(stages, "wait", return_value=None))
        if isinstance(destination, Path):
            patches.enter_context(mock.patch.object(tempfile, "tempdir", str(destination.parent)))
        for module in (stages, run_module):  # there is neither a dashboard nor a server of events
            patches.enter_context(mock.patch.object(module, "show_artifacts"))
        if not isinstance(events.emit_event, mock.Mock):
            patches.enter_context(mock.patch.object(events, "emit_event"))
        patches.enter_context(disable_run_logger())
        return flow.monthly_sales.fn(
            **{"month": "2025-05", "source": str(source), "destination": str(destination)} | parameters
        )


def archive_of(**parts: str) -> bytes:
    """A zip archive with these parts."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


def wine_files(destination: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (destination / "wines").glob("*.csv")}


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
