"""A process that reads one workbook: run as `python -m tasks.workbook.reader REQUEST`, see `limited_process`.

Nothing in it can harm the run: it holds itself to its limits before it looks at the workbook, and ends when its
parent does. It imports little, because it is started for every workbook.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from tasks.workbook.header import SEARCHED_ROWS, Header, find_header, readable
from tasks.workbook.kinds import kinds_of_cells
from tasks.workbook.limits import Limits
from tasks.workbook.package import Package, UnreadableWorkbookError, Worksheet, open_package, reading, too_large
from tasks.workbook.sheet_text import first_rows, read_text
from tasks.workbook.stored_cells import StoredCells, read_cells, read_first_cells

_FEW_ROWS = 100_000
_ROWS_PER_CELL = 8
_MOST_SHEETS = 200


@dataclass(frozen=True)
class Request:
    """What to read.

    Attributes:
        workbook: The .xlsx file.
        staged: The Parquet file to write.
        columns: Declared column to the name of the column that holds the kinds of its cells.
        required: The declared columns without which a sheet is not meant.
        others: The required columns of the other sources, to tell a workbook in the wrong place.
        kinds: The kinds of cells.
        limits: See `Limits`.
    """

    workbook: str
    staged: str
    columns: dict[str, str]
    required: list[str]
    others: dict[str, list[str]]
    kinds: list[str]
    limits: dict[str, float]


def main() -> None:
    """Read the workbook that the first argument asks for, and print one answer as JSON."""
    request = Request(**json.loads(sys.argv[1]))
    limits = Limits(**request.limits)
    limits.hold()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = read_workbook(request, limits)
    except UnreadableWorkbookError as error:
        answer = {"fault": vars(error)}
    except OSError as error:
        answer = {"outside": [error.errno, error.strerror or str(error), error.filename and str(error.filename)]}
    except MemoryError:
        sys.exit("MemoryError")
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # nothing is left to do, and threads of libraries would only cost time


def read_workbook(request: Request, limits: Limits | None = None) -> dict[str, Any]:
    """Write the declared columns of the sheet that has them all to `request.staged`.

    Args:
        request: What to read.
        limits: What to hold this process to, once the size of the workbook is known.

    Returns:
        `headers` of the visible sheets, as `Header`; and `rows` of the table, null where no sheet is the one.

    Raises:
        UnreadableWorkbookError: The file cannot be read as a workbook.
    """
    with open_package(Path(request.workbook)) as package:
        inflated = package.verify()
        if limits is not None:
            limits.hold(inflated)
        visible = _visible_sheets(package)
        headers = [_header(package, worksheet, request) for worksheet in visible]
        header = readable(headers)
        rows = None
        if header is not None:
            chosen = visible[headers.index(header)]
            with _of(chosen):
                rows = _write_table(*_read_columns(package, chosen, header, request), header, request)
    return {"headers": [asdict(header) for header in headers], "rows": rows}


def _visible_sheets(package: Package) -> list[Worksheet]:
    visible = [sheet for sheet in package.worksheets() if sheet.visible]
    if not visible:
        raise UnreadableWorkbookError("has no visible sheet", "no visible sheet")
    if len(visible) > _MOST_SHEETS:
        raise too_large(f"has {len(visible):,} visible sheets, of which {_MOST_SHEETS} can be searched", "sheets")
    return visible


@contextmanager
def _of(worksheet: Worksheet) -> Iterator[None]:
    """Name the sheet in what cannot be read of it."""
    try:
        with reading(worksheet.member):
            yield
    except UnreadableWorkbookError as error:
        error.sheet = worksheet.name
        raise


def _header(package: Package, worksheet: Worksheet, request: Request) -> Header:
    with _of(worksheet):
        stored = read_first_cells(partial(package.open, worksheet.member), SEARCHED_ROWS)
        text = read_text(package, worksheet, stored, _scratch(request))
    return find_header(worksheet.name, first_rows(text), request.columns, request.required, request.others)


def _read_columns(
    package: Package, worksheet: Worksheet, header: Header, request: Request
) -> tuple[dict[str, pl.DataFrame], int]:
    """Declared column to text and kind of its cells below the header; and the last row with content in any column."""
    letters = {column: letter for column, (letter,) in header.places.items()}
    stored = read_cells(partial(package.open, worksheet.member), list(letters.values()))
    _refuse_far_cell(stored)
    text = read_text(package, worksheet, stored, _scratch(request))
    below = pl.col("row") > header.row
    text, cells = text.filter(below), stored.cells.filter(below)
    return {column: kinds_of_cells(text, cells, letter) for column, letter in letters.items()}, stored.lowest[1]


def _scratch(request: Request) -> Path:
    return Path(f"{request.staged}.xlsx")


def _refuse_far_cell(stored: StoredCells) -> None:
    """The table reaches down to the last row, however empty; a cell far below the others is there by mistake."""
    letters, row = stored.lowest
    if row > max(_FEW_ROWS, _ROWS_PER_CELL * stored.cells.height):
        raise too_large(
            f"reaches down to {letters}{row}, far below its table",
            f"{stored.cells.height:,} cells down to {letters}{row}",
            f"{letters}{row}",
        )


def _write_table(columns: dict[str, pl.DataFrame], last: int, header: Header, request: Request) -> int:
    """The staged table, from the row below the header to the last one with content; gives its number of rows.

    A formula that was never calculated is content, though it stores nothing; empty texts alone are no table.
    """
    lowest = max(_last_row(cells) for cells in columns.values())
    last = max(last, lowest) if lowest else 0
    table = pl.DataFrame({"row": pl.int_range(header.row + 1, last + 1, dtype=pl.UInt32, eager=True)})
    for column, kind in request.columns.items():
        if column in columns:
            cells = columns.pop(column).rename({"text": column, "kind": kind})
            table = table.join(cells, on="row", how="left", maintain_order="left")
        else:
            table = table.with_columns(pl.lit(None, pl.String).alias(column), pl.lit(None, pl.String).alias(kind))
    table = table.with_columns(pl.col(*request.columns.values()).cast(pl.Enum(request.kinds)))
    table.write_parquet(request.staged)
    return table.height


def _last_row(cells: pl.DataFrame) -> int:
    """The number of the last row with any content; 0 without any."""
    return int(cells.filter(pl.col("kind").is_not_null()).select(pl.col("row").max().fill_null(0)).item())


def _end_with_parent() -> None:
    """Wait on the pipe whose other end the parent holds, to be closed by the kernel however the parent ends."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
