"""From an .xlsx file to a staged table: every cell as text, with its kind and its row."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.domain import rules
from tasks.domain.issues import DataRefused, Issue, issue_frame
from tasks.domain.sources import COLUMNS, SOURCES, Source, kind_of, required_columns
from tasks.workbook.faults import UnreadableWorkbookError
from tasks.workbook.header import Header, readable
from tasks.workbook.header_issues import refuse_headers
from tasks.workbook.limited_process import WorkbookReader
from tasks.workbook.reader import Request


@dataclass(frozen=True)
class StagedWorkbook:
    """One workbook as a staged table, and where its columns came from.

    Attributes:
        source: What the workbook is.
        file: The name that people know it by.
        sheet: The sheet that was read.
        columns: Declared column to its letters in Excel; an absent optional column is not in it.
        absent: Optional declared columns that the sheet lacks.
        rows: Rows below the header, down to the last one with content in any column.
        path: The Parquet file.
    """

    source: Source
    file: str
    sheet: str
    columns: dict[str, str]
    absent: tuple[str, ...]
    rows: int
    path: Path

    def scan(self) -> pl.LazyFrame:
        """The staged table, one row per row of the sheet below the header."""
        return pl.scan_parquet(self.path)


def stage_workbook(
    workbook: Path, source: Source, file: str, staged: Path, reader: WorkbookReader | None = None
) -> StagedWorkbook:
    """Write the sheet of `source` in `workbook` to the Parquet file `staged`.

    The table has `row`, the number of the row that Excel shows; and for every declared column its text and,
    under `kind_of(column)`, the kind of each cell (both null throughout for an absent optional column). Blank rows
    are kept, other columns are not.

    Whatever the file contains, it is read or refused: the sizes of all parts are verified before one is opened, and the
    checksum of each part that is read; no cell may be outside the grid or far below the table; each cell is read again
    by an Excel reader, which has to agree; and all of it happens in a process of its own, whose memory and time are
    bounded by the size of what is read.

    Args:
        workbook: The .xlsx file.
        source: Which of the three workbooks it is.
        file: The name that people know it by.
        staged: The Parquet file to write.
        reader: The reader of other workbooks as well; without one the workbook has a reader of its own.

    Raises:
        DataRefused: The workbook cannot be read as this source; its issues say why.
        OSError: The staged table cannot be written.
    """
    request = Request(
        workbook=str(workbook.absolute()),
        staged=str(staged.absolute()),
        columns={column: kind_of(column) for column in COLUMNS[source]},
        required=required_columns(source),
        others={other: required_columns(other) for other in SOURCES if other != source},
    )
    try:
        with nullcontext(reader) if reader else WorkbookReader() as used:
            answer = used.read(request)
    except UnreadableWorkbookError as error:
        issue = Issue(file, error.rule, sheet=error.sheet, cell=error.cell, value=error.value)
        where = file if error.sheet is None else f"{file} [{error.sheet}]"
        raise DataRefused(f"{where} {error.reason}.", issue_frame([issue])) from None
    headers = [Header(**header) for header in answer["headers"]]
    header = readable(headers)
    if header is None:
        refuse_headers(headers, source, file)
    if not answer["rows"]:
        issue = Issue(file, rules.NO_ROWS.code, sheet=header.sheet, row=header.row)
        raise DataRefused(f"{file} [{header.sheet}] has a header and no row below it.", issue_frame([issue]))
    return StagedWorkbook(
        source=source,
        file=file,
        sheet=header.sheet,
        columns=header.letters(),
        absent=tuple(column for column in COLUMNS[source] if column not in header.named),
        rows=answer["rows"],
        path=staged,
    )
