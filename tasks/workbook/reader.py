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

from tasks.workbook.header import Header, find_header, readable
from tasks.workbook.kinds import kinds_of_cells
from tasks.workbook.limits import Limits
from tasks.workbook.package import Package, UnreadableWorkbookError, Worksheet, open_package, reading, too_large
from tasks.workbook.sheet_text import first_rows, read_sheet_text
from tasks.workbook.stored_cells import Extent, measure, read_cells

LARGEST_AREA = 32_000_000
"""Places of a sheet, 32 bytes each in the Excel reader: 500,000 rows of 64 columns."""
MOST_COLUMNS = 1_024
_SMALL_AREA = 1_000_000
_PLACES_PER_CELL = 8
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
        headers, worksheet, text = [], None, pl.DataFrame()
        visible = _visible_sheets(package)
        for worksheet in visible:
            with _of(worksheet):
                _refuse_far_cells(measure(partial(package.open, worksheet.member)))
                text = read_sheet_text(Path(request.workbook), worksheet.name)
            headers.append(
                find_header(worksheet.name, first_rows(text), request.columns, request.required, request.others)
            )
        header = readable(headers)
        rows = None
        if header is not None:
            chosen = visible[headers.index(header)]
            with _of(chosen):
                if chosen is not worksheet:  # only one is held at a time, and of most workbooks it is this one
                    text = read_sheet_text(Path(request.workbook), chosen.name)
                letters = {column: letter for column, (letter,) in header.places.items()}
                last = _last_row(text, pl.exclude("row"))
                text = text.select("row", *letters.values())
                columns = _read_columns(package, chosen, text, header.row, letters)
            rows = _write_table(columns, header, last, request)
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


def _refuse_far_cells(extent: Extent) -> None:
    """The Excel reader makes a table down to the last row and out to the last column, however empty."""
    reach = " and ".join(dict.fromkeys([extent.lowest, extent.widest]))
    cell = extent.lowest if extent.lowest == extent.widest else None
    if extent.area > max(_SMALL_AREA, _PLACES_PER_CELL * extent.cells):
        raise too_large(
            f"holds {extent.cells:,} cells and reaches out to {reach}, far outside its table",
            f"{extent.cells:,} cells up to {reach}",
            cell,
        )
    if extent.columns > MOST_COLUMNS:
        raise too_large(
            f"reaches out to {extent.widest}: more than {MOST_COLUMNS:,} columns",
            f"up to {extent.widest}",
            extent.widest,
        )
    if extent.area > LARGEST_AREA:
        raise too_large(
            f"reaches out to {reach}: more than {LARGEST_AREA:,} cells, empty ones included",
            f"{extent.cells:,} cells up to {reach}",
            cell,
        )


def _read_columns(
    package: Package, worksheet: Worksheet, text: pl.DataFrame, header_row: int, letters: dict[str, str]
) -> dict[str, pl.DataFrame]:
    """Declared column to text and kind of its cells below the header."""
    stored = read_cells(partial(package.open, worksheet.member), list(letters.values()))
    below = pl.col("row") > header_row
    text, stored = text.filter(below), stored.filter(below)
    return {column: kinds_of_cells(text, stored, letter) for column, letter in letters.items()}


def _write_table(columns: dict[str, pl.DataFrame], header: Header, last: int, request: Request) -> int:
    """The staged table, from the row below the header to the last one with content; gives its number of rows.

    The Excel reader stops before rows that hold nothing but formulas without a result.
    """
    last = max([last, *(_last_row(cells, pl.col("text", "kind")) for cells in columns.values())])
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


def _last_row(cells: pl.DataFrame, content: pl.Expr) -> int:
    """The number of the last row with any content; 0 without any."""
    return int(cells.filter(pl.any_horizontal(content.is_not_null())).select(pl.col("row").max().fill_null(0)).item())


def _end_with_parent() -> None:
    """Wait on the pipe whose other end the parent holds, to be closed by the kernel however the parent ends."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
