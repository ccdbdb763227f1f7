"""Reads the written files back, with other libraries than those that wrote them, and compares them with the results.

Every cell of the workbook is compared: the declared page and tables give the expected value of each address, and any
other content is an inconsistency. The CSV files are compared column by column, in their order.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import fastexcel
import polars as pl
import polars.selectors as cs
from xlsxwriter.utility import xl_col_to_name

from tasks.domain.issues import DataIssue
from tasks.domain.parameters import CsvDialect
from tasks.map_in_order import map_in_order
from tasks.messages import Messages
from tasks.report.cells import cell_frame, cell_text
from tasks.report.content import Report, sheet_name
from tasks.report.csv_files import WINE_COLUMNS, read_issues, read_wines
from tasks.report.files import ReportFiles
from tasks.report.layout import Cell, Sheet, table_sheets
from tasks.report.summary import chart_data, summary_page
from tasks.storage.local import file_facts
from tasks.workbook.fetch import FetchedWorkbook

_TOLERANCE = 5.1e-7
"""The CSV files have six decimal places of a z-score, and the reader of the workbook gives nine of any number."""

_SHOWN = 3
"""How many wrong cells of a sheet are listed."""

_UNREADABLE = (OSError, ValueError, pl.exceptions.PolarsError, fastexcel.FastExcelError)

_Audit = tuple[str, Callable[[], list[str]]]


def audit_files(files: ReportFiles, report: Report) -> list[str]:
    """Compare the files with the results.

    Args:
        files: The files as they are on disk.
        report: What they should contain.

    Returns:
        A sentence per inconsistency; none when all agree. A file that cannot be read is an inconsistency too.
    """
    dialect, wines = report.parameters.csv_dialect, report.wines
    workbook = files.path(files.workbook)
    audits: list[_Audit] = [(f"{workbook.name} [{name}]", audit) for name, audit in _sheet_audits(workbook, report)]
    for name, expected in ((files.premium, wines.filter("is_premium")), (files.ordinary, wines.remove("is_premium"))):
        path = files.path(name)
        audits.append((path.name, partial(_audit_wines_csv, path, expected, dialect)))
    audits += [(book.file, partial(_audit_input, book)) for book in report.workbooks]
    issues = files.path(files.issues)
    audits.append((issues.name, partial(_audit_issues_csv, issues, report.worded_issues, dialect)))
    return [sentence for found in map_in_order(_run, audits) for sentence in found]


def _run(audit: _Audit) -> list[str]:
    name, find = audit
    try:
        return [f"{name}{sentence}" for sentence in find()]
    except _UNREADABLE as fault:
        return [f"{name} cannot be read back: {fault}"]


def _audit_input(book: FetchedWorkbook) -> list[str]:
    """Whether the copy that was read is the one that the report lists."""
    found = file_facts(book.path)
    return [] if found.has_same_content(book.facts) else [f" has the SHA-256 {found.sha256}, not {book.facts.sha256}."]


# The workbook


def _sheet_audits(path: Path, report: Report) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    text, page = report.messages, summary_page(report)
    name, data = sheet_name("summary", text), chart_data(page)
    yield name, lambda: _wrong_cells(_read(path, sheet_name("summary", text)), page.cells)
    for sheet in (*table_sheets(report), *([data] if data else [])):
        name = sheet_name(sheet.key, text)
        yield name, partial(_audit_sheet, path, name, sheet, text)


def _read(path: Path, name: str) -> pl.DataFrame:
    """All cells of a sheet as text, from A1 on; an empty text is an empty cell."""
    cells = fastexcel.read_excel(path).load_sheet(name, header_row=None, dtypes="string").to_polars()
    return cells.with_columns(pl.all().replace("", None))


def _audit_sheet(path: Path, name: str, sheet: Sheet, text: Messages) -> list[str]:
    """The columns of every table as a whole, and every other cell of the sheet on its own."""
    cells, rest = _read(path, name), list(sheet.cells())
    found, outside = [], set(range(cells.height))
    for placed in sheet.placed():
        columns, rows = placed.table.columns, cells.slice(placed.rows.start, len(placed.rows))
        there = rows.select(
            pl.col(letter).alias(column.name) for letter, column in zip(rows.columns, columns, strict=False)
        )
        right = _as_cells(placed.table.frame.select(column.name for column in columns))
        found += _outside(rows.select(rows.columns[len(columns) :]), placed.rows.start, len(columns))
        found += _differences(_as_stored(there, right), right)
        rest += placed.cells(text)
        outside -= set(placed.rows)
    return [*_wrong_cells(cells, rest, outside), *found]


def _outside(cells: pl.DataFrame, first_row: int, first_column: int) -> list[str]:
    """A sentence for the first cell with content to the right of a table."""
    for index, column in enumerate(cells):
        if column.null_count() < column.len():
            row = int(column.is_not_null().arg_true()[0])
            address = f"{xl_col_to_name(first_column + index)}{first_row + row + 1}"
            return [f", {address}: {column[row]} is to the right of the table."]
    return []


def _wrong_cells(cells: pl.DataFrame, expected: Iterable[Cell], rows: set[int] | None = None) -> list[str]:
    """A sentence for each wrong cell, empty ones included."""
    there = {
        (row, column): value
        for row in (range(cells.height) if rows is None else rows)
        for column, value in enumerate(cells.row(row))
        if value is not None
    }
    right = {(cell.row, cell.column): cell.value for cell in expected if cell.value is not None and cell.value != ""}
    wrong = [at for at in sorted(there.keys() | right.keys()) if not _is_same(there.get(at), right.get(at))]
    shown = []
    for row, column in wrong[:_SHOWN]:
        address = f"{xl_col_to_name(column)}{row + 1}"
        shown.append(f", {address}: {there.get((row, column))!s} instead of {right.get((row, column))!s}.")
    return shown if len(wrong) <= _SHOWN else [*shown, f": {len(wrong) - _SHOWN:,} more cells differ."]


def _is_same(there: object, right: object) -> bool:
    if isinstance(right, int | float | Decimal):
        try:
            return math.isclose(float(str(there)), float(right), rel_tol=1e-12, abs_tol=1e-8)
        except ValueError:
            return False
    return there == (cell_text(right) if isinstance(right, str) else right)


def _as_cells(expected: pl.DataFrame) -> pl.DataFrame:
    """The results as cells contain them: texts that fit, null for an empty one, and numbers as floats."""
    return cell_frame(expected).with_columns(pl.col(pl.String).replace("", None), cs.numeric().cast(pl.Float64))


def _as_stored(there: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """The cells as floats where the results are numbers; anything else becomes null and so differs."""
    numbers = [name for name in there.columns if right.schema[name].is_numeric()]
    return there.with_columns(pl.col(numbers).cast(pl.Float64, strict=False))


# CSV files


def _audit_wines_csv(path: Path, wines: pl.DataFrame, dialect: CsvDialect) -> list[str]:
    return _differences(read_wines(path, dialect), wines.select(WINE_COLUMNS))


def _audit_issues_csv(path: Path, issues: pl.DataFrame, dialect: CsvDialect) -> list[str]:
    return _differences(read_issues(path, dialect), issues.select(DataIssue.column_names()).cast(pl.String))


# Comparing columns


def _differences(found: pl.DataFrame, expected: pl.DataFrame) -> list[str]:
    """One sentence for a wrong number of rows, else one per column that differs."""
    if found.height != expected.height:
        return [f" has {found.height:,} rows where the results have {expected.height:,}."]
    sentences = []
    for name in expected.columns:
        if name not in found.columns:
            sentences.append(f", {name}: the column is missing.")
            continue
        there, right = found[name], expected[name]
        differs = there.ne_missing(right)
        if right.dtype.is_float():
            differs &= ((there - right).abs() > _TOLERANCE).fill_null(value=True)
        if differs.any():
            rows = differs.arg_true()
            first = rows[0]
            cells = "1 cell differs" if len(rows) == 1 else f"{len(rows):,} cells differ"
            sentences.append(
                f", {name}: {cells} from the results; the first is in row {first + 1:,} of the table, with "
                f"{there[first]!s} instead of {right[first]!s}."
            )
    return sentences
