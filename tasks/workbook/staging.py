"""From an .xlsx file to a staged table: every cell as text, with its kind and its row."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.domain import rules
from tasks.domain.issues import DataRefused, Issue, issue_frame
from tasks.domain.sources import COLUMNS, SOURCE, Source
from tasks.workbook.faults import UnreadableWorkbookError
from tasks.workbook.header import Header, readable
from tasks.workbook.header_issues import header_issues
from tasks.workbook.limited_process import WorkbookReader
from tasks.workbook.reader import Request


@dataclass(frozen=True)
class StagedWorkbook:
    """One workbook as a staged table, with the locations of its columns.

    Attributes:
        raw: The staged table, one row per row of the sheet below the header.
        columns: `source`, `file`, `sheet` and `letter` of every declared `column`. An optional column that the sheet
            lacks has no letter; a row without a column is for the sheet itself.
    """

    raw: pl.LazyFrame
    columns: pl.DataFrame

    @property
    def size(self) -> str:
        """How many rows it has."""
        return f"{self.raw.select(pl.len()).collect().item():,} rows"


def stage_workbook(
    workbook: Path, source: Source, file: str, staged: Path, reader: WorkbookReader | None = None
) -> StagedWorkbook:
    """Write the sheet of `source` in `workbook` to the Parquet file `staged`.

    The table has `row`, the number of the row that Excel shows; and for every declared column its text and,
    under `kind_of(column)`, the kind of each cell (both null throughout for an absent optional column). Blank rows
    are kept, other columns are not.

    Any file is either read correctly or refused. The sizes of all parts are checked before one is opened, and the
    checksum of each part that is read. No cell may be outside the grid or far below the table. An Excel reader reads
    each cell again and must agree. All of this happens in a separate process with limited memory and time.

    Args:
        workbook: The .xlsx file.
        source: Which of the three workbooks it is.
        file: The name of the original file.
        staged: The Parquet file to write.
        reader: A reader that is shared with other workbooks; without one, a new reader is used.

    Raises:
        DataRefused: The workbook cannot be read as this source; its issues say why.
        OSError: The staged table cannot be written.
    """
    request = Request(str(workbook.absolute()), str(staged.absolute()), source)
    try:
        with nullcontext(reader) if reader else WorkbookReader() as used:
            answer = used.read(request)
    except UnreadableWorkbookError as error:
        issue = Issue(file, error.rule, sheet=error.sheet, cell=error.cell, value=error.value)
        raise DataRefused(issue_frame([issue])) from None
    headers = [Header(**header) for header in answer["headers"]]
    header = readable(headers)
    if header is None:
        raise DataRefused(issue_frame(header_issues(headers, source, file)))
    if not answer["rows"]:
        raise DataRefused(issue_frame([Issue(file, rules.NO_ROWS.code, sheet=header.sheet, row=header.row)]))
    letters = header.letters()
    columns = pl.DataFrame(
        [(source, file, header.sheet, column, letters.get(column or "")) for column in (None, *COLUMNS[source])],
        schema={"source": SOURCE, **dict.fromkeys(("file", "sheet", "column", "letter"), pl.String)},
        orient="row",
    )
    return StagedWorkbook(pl.scan_parquet(staged), columns)
