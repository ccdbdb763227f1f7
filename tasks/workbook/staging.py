"""From an .xlsx file to a staged table: every cell as text, with its kind and the row it stands in."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.domain.issues import DataRefused, Issue, issue_frame
from tasks.domain.schemas import CELL_KINDS, SHEETS, Source, kind_of
from tasks.workbook.header import Header, choose_sheet, comparable, find_header
from tasks.workbook.kinds import kinds_of_cells
from tasks.workbook.package import Package, UnreadableWorkbookError, Worksheet, open_package, reading
from tasks.workbook.sheet_text import first_rows, read_sheet_text
from tasks.workbook.stored_cells import read_cells


@dataclass(frozen=True)
class StagedWorkbook:
    """One workbook as a staged table, and where its columns came from.

    Attributes:
        source: What the workbook is.
        file: The name that people know it by.
        sheet: The sheet that was read.
        columns: Declared column to its letters in Excel; an absent optional column is not in it.
        absent: Optional declared columns that the sheet lacks.
        rows: Rows below the header, down to the last one with content.
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


def stage_workbook(workbook: Path, source: Source, file: str, staged: Path) -> StagedWorkbook:
    """Write the sheet of `source` in `workbook` to the Parquet file `staged`.

    The table has `row`, the number of the row that Excel shows; for every declared column its text and,
    under `kind_of(column)`, the kind of each cell (both null throughout for an absent optional column); and
    every other column of the sheet as text. Blank rows are kept.

    Args:
        workbook: The .xlsx file.
        source: Which of the three workbooks it is.
        file: The name that people know it by.
        staged: The Parquet file to write.

    Raises:
        DataRefused: The workbook cannot be read as this source; its issues say why.
    """
    sheet = None
    try:
        with open_package(workbook) as package:
            package.verify_checksums()
            texts = _read_visible_sheets(workbook, package)
            headers = [find_header(sheet.name, first_rows(text), source) for sheet, text in texts]
            header = choose_sheet(headers, source, file)
            sheet = header.sheet
            worksheet, text = texts[headers.index(header)]
            del texts  # the other sheets may be large
            declared = _read_declared_columns(package, worksheet, text, header)
    except UnreadableWorkbookError as error:
        where = file if sheet is None else f"{file} [{sheet}]"
        issue = Issue(file, "not-a-workbook", sheet=sheet, cell=error.cell, value=error.value)
        raise DataRefused(f"{where} {error.reason}.", issue_frame([issue])) from None

    table = _table(declared, text, header, source)
    if table.is_empty():
        issue = Issue(file, "no-rows", sheet=header.sheet, row=header.row)
        raise DataRefused(f"{file} [{header.sheet}] has a header and no row below it.", issue_frame([issue]))
    table.write_parquet(staged)
    return StagedWorkbook(
        source=source,
        file=file,
        sheet=header.sheet,
        columns={column: letters for column, (letters,) in header.places.items()},
        absent=tuple(column for column in SHEETS[source].columns() if column not in header.places),
        rows=table.height,
        path=staged,
    )


def _read_visible_sheets(workbook: Path, package: Package) -> list[tuple[Worksheet, pl.DataFrame]]:
    visible = [sheet for sheet in package.worksheets() if sheet.visible]
    if not visible:
        raise UnreadableWorkbookError("has no visible sheet", "no visible sheet")
    return [(sheet, read_sheet_text(workbook, sheet.name)) for sheet in visible]


def _read_declared_columns(
    package: Package, worksheet: Worksheet, text: pl.DataFrame, header: Header
) -> dict[str, pl.DataFrame]:
    """Declared column to text and kind of its cells below the header."""
    letters = {column: letters for column, (letters,) in header.places.items()}
    with reading(worksheet.member):
        stored = read_cells(lambda: package.open(worksheet.member), list(letters.values()))
    below = pl.col("row") > header.row
    text, stored = text.filter(below), stored.filter(below)
    return {column: kinds_of_cells(text, stored, letter) for column, letter in letters.items()}


def _table(declared: dict[str, pl.DataFrame], text: pl.DataFrame, header: Header, source: Source) -> pl.DataFrame:
    """The staged table: from the row below the header to the last one with content."""
    other = _other_columns(text, header, source)
    rest = text.filter(pl.col("row") > header.row).select("row", **{title: letter for letter, title in other.items()})
    last = max([_last_row(rest), *map(_last_row, declared.values())])
    # The Excel reader stops before rows that hold nothing but formulas without a result.
    table = pl.DataFrame({"row": pl.int_range(header.row + 1, last + 1, dtype=pl.UInt32, eager=True)})
    for column in SHEETS[source].columns():
        if column in declared:
            cells = declared[column].rename({"text": column, "kind": kind_of(column)})
            table = table.join(cells, on="row", how="left", maintain_order="left")
        else:
            absent = pl.lit(None)
            table = table.with_columns(
                absent.cast(pl.String).alias(column), absent.cast(CELL_KINDS).alias(kind_of(column))
            )
    return table.join(rest, on="row", how="left", maintain_order="left")


def _last_row(cells: pl.DataFrame) -> int:
    """The number of the last row with content; 0 without any."""
    # A frame of no column but the row has no content, and no expression could say so.
    content = pl.any_horizontal(pl.exclude("row").is_not_null()) if cells.width > 1 else pl.lit(value=False)
    return int(cells.filter(content).select(pl.col("row").max().fill_null(0)).item())


def _other_columns(text: pl.DataFrame, header: Header, source: Source) -> dict[str, str]:
    """Letters of the columns that are not declared, to a name for each that is not taken yet."""
    declared = {letter for letters in header.places.values() for letter in letters}
    taken = {"row", *map(comparable, SHEETS[source].columns())}
    taken |= {comparable(kind_of(column)) for column in SHEETS[source].columns()}
    below = text.filter(pl.col("row") > header.row)
    names = {}
    for letter in text.columns[1:]:
        title = header.titles.get(letter)
        if letter in declared or (title is None and below[letter].is_null().all()):
            continue
        name = title or f"column {letter}"
        if comparable(name) in taken:
            name = f"{name} (column {letter})"
        taken.add(comparable(name))
        names[letter] = name
    return names
