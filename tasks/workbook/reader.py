"""A process that reads workbooks, one after the other; `limited_process` starts it.

It cannot harm the run: it limits itself before it opens a workbook, and ends when its parent does. It imports
few modules, because it is started in every run.
"""

import json
import os
import sys
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from operator import itemgetter
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import polars as pl

from tasks.domain.sources import CELL_KINDS, COLUMNS, Source, kind_of
from tasks.workbook.canonical_workbook import Calendar
from tasks.workbook.cell_kinds import kinds_of_cells, with_texts
from tasks.workbook.faults import UnreadableWorkbookError, at_sheet, too_large, unreadable_cell
from tasks.workbook.header import SEARCHED_ROWS, Grid, Header, find_header, readable, trim_title
from tasks.workbook.number_formats import NumberFormats, read_number_formats
from tasks.workbook.package import Package, Worksheet, open_package
from tasks.workbook.pattern_reader import read_cells_by_pattern
from tasks.workbook.process_limits import Limits
from tasks.workbook.second_reading import agreed, read_again
from tasks.workbook.stored_cells import StoredCells
from tasks.workbook.texts import read_shared_texts
from tasks.workbook.xml_parts import reading
from tasks.workbook.xml_reader import read_cells_by_parser, read_first_cells

_FEW_ROWS = 100_000
_ROWS_PER_CELL = 8


@dataclass(frozen=True)
class Request:
    """What to read.

    Attributes:
        workbook: The .xlsx file.
        staged: The Parquet file to write.
        source: Which of the three workbooks it is.
    """

    workbook: str
    staged: str
    source: Source


def main() -> None:
    """Answer each request, a line of JSON on stdin, by a line of JSON on stdout; the first argument has the limits."""
    limits = Limits(**json.loads(sys.argv[1]))
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_take_requests, args=(requests,), daemon=True).start()
    while True:
        answer = _answer(Request(**json.loads(requests.get())), limits)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def _answer(request: Request, limits: Limits) -> dict[str, Any]:
    limits.apply()
    try:
        return read_workbook(request, limits)
    except UnreadableWorkbookError as error:
        return {"fault": vars(error)}
    except OSError as error:
        return {"outside": [error.errno, error.strerror or str(error), error.filename and str(error.filename)]}
    except MemoryError:
        sys.exit("MemoryError")
    finally:
        limits.pause()


def _take_requests(requests: SimpleQueue[bytes]) -> None:
    """Pass the requests on; end with the parent, whose end of the pipe the kernel closes."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def read_workbook(request: Request, limits: Limits | None = None) -> dict[str, Any]:
    """Write the declared columns of the source's sheet to `request.staged`.

    Args:
        request: What to read.
        limits: The limits of this process, applied when the size of the workbook is known.

    Returns:
        `headers` of the visible sheets, as `Header`; and `rows` of the table, null if no sheet fits.

    Raises:
        UnreadableWorkbookError: The file cannot be read as a workbook.
    """
    with open_package(Path(request.workbook)) as package:
        if limits is not None:
            limits.apply(package.size())
        reader = _WorkbookReader(package, request)
        found = reader.headers()
        headers = [header for _, header in found]
        header = readable(headers)
        rows = None
        if header is not None:
            worksheet, _ = found[headers.index(header)]
            rows = _write_table(*reader.columns(worksheet, header), header, request)
    return {"headers": [asdict(header) for header in headers], "rows": rows}


class _WorkbookReader:
    """Reads the sheets of an opened workbook; shared texts and formats are read once, when they are needed."""

    def __init__(self, package: Package, request: Request) -> None:
        self._package = package
        self._request = request

    def headers(self) -> list[tuple[Worksheet, Header]]:
        """The header of each visible sheet, or the row that comes closest to it.

        A sheet that cannot be read is left out, unless it may be the sheet of the source.

        Raises:
            UnreadableWorkbookError: A sheet cannot be read, and no other has one of the columns.
        """
        found: list[tuple[Worksheet, Header]] = []
        unread: UnreadableWorkbookError | None = None
        for worksheet in self._package.worksheets:
            try:
                found.append((worksheet, self._header(worksheet)))
            except UnreadableWorkbookError as error:
                unread = unread or error
        if unread is not None and not any(header.named for _, header in found):
            raise unread
        if readable([header for _, header in found]) is None:
            for worksheet, _ in found:  # the sheet may be damaged
                with at_sheet(worksheet.name):
                    self._package.archive.verify(worksheet.part)
        return found

    def columns(self, worksheet: Worksheet, header: Header) -> tuple[dict[str, pl.DataFrame], int]:
        """Kind and text of the cells below the header, by declared column; and the last row with any content.

        Raises:
            UnreadableWorkbookError: The sheet cannot be read.
        """
        letters = header.letters()
        with at_sheet(worksheet.name), reading(worksheet.part):
            cells, last = self._cells(worksheet, header)
            calendar = Calendar(self._formats, is_1904=self._package.is_1904)
            read = read_again(cells, calendar, Path(f"{self._request.staged}.xlsx"))
            of_column = {letter: cells.filter(pl.col("column") == letter) for letter in letters.values()}
            del cells
            columns = {}
            for column, letter in letters.items():
                columns[column] = agreed(of_column.pop(letter), read, letter, calendar)
                _check_title(columns[column], header, letter)
        below = pl.col("row") > header.row
        return {column: cells.filter(below) for column, cells in columns.items()}, last

    def _header(self, worksheet: Worksheet) -> Header:
        with at_sheet(worksheet.name), reading(worksheet.part):
            cells = read_first_cells(partial(self._package.open, worksheet.part), SEARCHED_ROWS)
            grid = _grid(self._with_texts(cells))
        return find_header(worksheet.name, grid, self._request.source)

    def _cells(self, worksheet: Worksheet, header: Header) -> tuple[pl.DataFrame, int]:
        """The cells of the columns from the header on (`READ_CELL`), and the last row with any content."""
        letters = list(header.letters().values())
        with self._package.open(worksheet.part) as stream:
            read = self._with_kinds(read_cells_by_pattern(stream, letters), header)
        if read is None:
            with self._package.open(worksheet.part) as stream:
                read = self._with_kinds(read_cells_by_parser(stream, letters), header)
        if read is None:
            raise TypeError("the XML parser reads every dialect")
        return read

    def _with_kinds(self, parts: Iterable[StoredCells | None], header: Header) -> tuple[pl.DataFrame, int] | None:
        """The cells with their kinds, and the last row with any content; None if the reader gave up."""
        frames, lowest = [], ("", 0)
        for part in parts:
            if part is None:
                return None
            lowest = max(lowest, part.lowest, key=itemgetter(1))
            cells = self._with_texts(part.cells.filter(pl.col("row") >= header.row))
            frames.append(kinds_of_cells(cells, self._formats.dates(), is_calculated=self._package.is_calculated))
        cells = pl.concat(frames)
        _refuse_far_cell(cells, *lowest)
        return cells, lowest[1]

    def _with_texts(self, cells: pl.DataFrame) -> pl.DataFrame:
        has_shared = bool((cells["type"] == "s").any())
        return with_texts(cells, self._shared_texts if has_shared else pl.Series(dtype=pl.String))

    @cached_property
    def _shared_texts(self) -> pl.Series:
        part = self._package.strings
        if part is None:
            return pl.Series(dtype=pl.String)
        with reading(part), self._package.open(part) as stream:
            return read_shared_texts(stream)

    @cached_property
    def _formats(self) -> NumberFormats:
        part = self._package.styles
        if part is None:
            return NumberFormats()
        with reading(part), self._package.open(part) as stream:
            return read_number_formats(stream)


def _grid(cells: pl.DataFrame) -> Grid:
    """The titles in the first rows of a sheet."""
    rows: dict[int, dict[str, str]] = {}
    content = pl.coalesce("text", "value")
    for row, letters, text in cells.select("row", "column", content).drop_nulls().iter_rows():
        if title := trim_title(text):
            rows.setdefault(row, {})[letters] = title
    return sorted(rows.items())


def _check_title(cells: pl.DataFrame, header: Header, letters: str) -> None:
    """Whether the column begins with the title of the header, which was read in another way."""
    titles = cells.filter(pl.col("row") == header.row)["text"].to_list()
    if list(map(trim_title, titles)) != [header.titles[letters]]:
        raise unreadable_cell(f"{letters}{header.row}", header.titles[letters], "is not read in the same way twice")


def _refuse_far_cell(cells: pl.DataFrame, letters: str, row: int) -> None:
    """Refuse a cell far below all others: it is there by mistake."""
    if row > max(_FEW_ROWS, _ROWS_PER_CELL * cells.height):
        raise too_large(f"{cells.height:,} cells down to {letters}{row}", f"{letters}{row}")


def _write_table(columns: dict[str, pl.DataFrame], last: int, header: Header, request: Request) -> int:
    """Write the staged table, from the row below the header to the last one with content; returns its number of rows.

    A formula that was never calculated is content, although it stores nothing; empty texts alone are not.
    """
    lowest = max(cells.select(pl.col("row").max().fill_null(0)).item() for cells in columns.values())
    last = max(last, lowest) if lowest else 0
    table = pl.DataFrame({"row": pl.int_range(header.row + 1, last + 1, dtype=pl.UInt32, eager=True)})
    for column in COLUMNS[request.source]:
        kind = kind_of(column)
        if column in columns:
            cells = columns.pop(column).rename({"text": column, "kind": kind})
            table = table.join(cells, on="row", how="left", maintain_order="left")
        else:
            table = table.with_columns(pl.lit(None, pl.String).alias(column), pl.lit(None, CELL_KINDS).alias(kind))
    table.write_parquet(request.staged, compression="uncompressed")  # it is read again at once
    return table.height
