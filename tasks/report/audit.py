"""Reads the written files back and compares them with the results they were written from.

Nothing of the writer's is reused but its words and what a text becomes in a cell: tables are found by their headings,
read by another library, and compared column by column, order included.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import fastexcel
import polars as pl

from tasks.domain.figures import CsvDialect, Figures, MonthSummary
from tasks.domain.schemas import WINE_FILE_COLUMNS, DataIssue, Wine, headings
from tasks.report import words
from tasks.report.cells import ROW_LIMIT, cell_frame
from tasks.report.csv_files import read_issues, read_wines

_COMPARED = ["product_id", "sku", "post_title", "total_sales", "price", "revenue"]
_TOTALS = ["total_sales", "revenue"]
_Z_TOLERANCE = 5.1e-7
"""Half of the sixth place, and what a float may be off there."""

_SHARE_TOLERANCE = 1e-8
"""The share is no exact decimal, and the reader keeps nine places of a number that it hands over as text."""

_UNREADABLE = (OSError, ValueError, pl.exceptions.PolarsError, fastexcel.FastExcelError)


def audit_files(
    workbook: Path,
    premium: Path,
    ordinary: Path,
    issues_csv: Path,
    wines: pl.DataFrame,
    gone: pl.DataFrame,  # noqa: ARG001 - shown on no sheet yet
    issues: pl.DataFrame,
    summary: MonthSummary,
) -> list[str]:
    """Compare the files with the results.

    Args:
        workbook: The workbook as it is on disk.
        premium: The CSV file of the premium wines.
        ordinary: The CSV file of the ordinary wines.
        issues_csv: The CSV file of the issues.
        wines: What they should hold (`ComparedWine`), in this order.
        gone: Products of the month before that are none any more (`GoneWine`).
        issues: What they should hold (`DataIssue`), in this order.
        summary: What the Summary should say.

    Returns:
        Sentences, one per contradiction; none when all agree. A file that cannot be read is a contradiction too.
    """
    dialect = summary.parameters.csv_dialect
    ordinary_wines = wines.filter(~pl.col("is_premium"))
    return [
        *_audit_workbook(workbook, wines, issues, summary.figures),
        *_readable(premium.name, lambda: _audit_wines_csv(premium, wines.filter("is_premium"), dialect)),
        *_readable(ordinary.name, lambda: _audit_wines_csv(ordinary, ordinary_wines, dialect)),
        *_readable(issues_csv.name, lambda: _audit_issues_csv(issues_csv, issues, dialect)),
    ]


def _readable(name: str, audit: Callable[[], list[str]]) -> list[str]:
    try:
        return audit()
    except _UNREADABLE as fault:
        return [words.unreadable(name, fault)]


# Workbook


def _audit_workbook(path: Path, wines: pl.DataFrame, issues: pl.DataFrame, figures: Figures) -> list[str]:
    premium = wines.filter("is_premium")
    parts: dict[str, Callable[[str, pl.DataFrame], list[str]]] = {
        words.SUMMARY: lambda where, cells: _audit_summary(where, cells, figures),
        words.REVENUE: lambda where, cells: _audit_products(where, cells, wines, with_class=True),
        words.PREMIUM: lambda where, cells: _audit_products(where, cells, premium, with_class=False),
        words.QUALITY: lambda where, cells: _audit_quality(where, cells, issues),
    }
    found: list[str] = []
    for sheet, audit in parts.items():
        where = words.place(path.name, sheet)
        found += _readable(where, lambda: audit(where, _cells(path, sheet)))  # noqa: B023 - called at once
    return found


def _cells(path: Path, sheet: str) -> pl.DataFrame:
    """All cells of a sheet as text; an empty text is an empty cell."""
    cells = fastexcel.read_excel(path).load_sheet(sheet, header_row=None, dtypes="string").to_polars()
    return cells.with_columns(pl.all().replace("", None))


def _header_row(cells: pl.DataFrame, expected: Mapping[str, str]) -> tuple[int, dict[str, str]] | None:
    """The first row that holds all headings, and for each name the column under its heading."""
    wanted = set(expected.values())
    for index, row in enumerate(cells.iter_rows()):
        if wanted <= set(row):
            return index, {name: cells.columns[row.index(heading)] for name, heading in expected.items()}
    return None


def _audit_products(where: str, cells: pl.DataFrame, wines: pl.DataFrame, *, with_class: bool) -> list[str]:
    names = [*_COMPARED, "is_premium"] if with_class else _COMPARED
    shown = headings(Wine)
    header = _header_row(cells, {name: shown[name] for name in names})
    if header is None:
        return [words.no_header(where)]
    index, columns = header
    table = cells.slice(index + 1).select(pl.col(column).alias(name) for name, column in columns.items())
    expected = wines.with_columns(
        pl.when("is_premium").then(pl.lit(words.PREMIUM_MARK)).alias("is_premium"),
    ).select(names)
    found = _differences(where, _as_stored(table, expected), _as_cells(expected))

    totals = cells.row(index - 1, named=True) if index else {}
    for name in _TOTALS:
        total = totals.get(columns[name])
        sum_of_rows = float(wines[name].sum())
        if _number(total) != sum_of_rows:
            found.append(words.wrong_figure(where, f"{words.TOTAL_SHOWN}, {shown[name]}", total, sum_of_rows))
    return found


def _audit_quality(where: str, cells: pl.DataFrame, issues: pl.DataFrame) -> list[str]:
    header = _header_row(cells, headings(DataIssue))
    if header is None:
        return [words.no_header(where)]
    index, columns = header
    table = cells.slice(index + 1).select(pl.col(column).alias(name) for name, column in columns.items())
    room = ROW_LIMIT - index - 1
    return _differences(where, table, _as_cells(_texts(issues.head(room))))


def _audit_summary(where: str, cells: pl.DataFrame, figures: Figures) -> list[str]:
    tiles = _tiles(cells)
    share = float(figures.premium_revenue / figures.revenue) if figures.revenue else 0.0
    expected = {
        words.REVENUE_LABEL: (float(figures.revenue), None),
        words.UNITS_LABEL: (figures.units, None),
        words.PRODUCTS_LABEL: (figures.products, None),
        words.PREMIUM_LABEL: (figures.premium, words.ordinary_note(figures)),
        words.THRESHOLD_LABEL: (float(figures.threshold_price), words.cheapest_note(figures)),
        words.PREMIUM_SHARE_LABEL: (share, words.premium_revenue_note(figures)),
    }
    found = []
    for label, (value, note) in expected.items():
        shown, shown_note = tiles.get(label, (None, None))
        number = _number(shown)
        tolerance = _SHARE_TOLERANCE if label == words.PREMIUM_SHARE_LABEL else 0
        same = number is not None and math.isclose(number, value, rel_tol=0, abs_tol=tolerance)
        if not same:
            found.append(words.wrong_figure(where, label, shown, value))
        if note is not None and shown_note != note:
            found.append(words.wrong_figure(where, label, shown_note, note))
    return found


def _tiles(cells: pl.DataFrame) -> dict[str | None, tuple[str | None, str | None]]:
    """Under each text of the row of labels, the two cells below it."""
    for index, row in enumerate(cells.iter_rows()):
        if words.REVENUE_LABEL in row and index + 2 < cells.height:
            return dict(zip(row, zip(cells.row(index + 1), cells.row(index + 2), strict=True), strict=True))
    return {}


# CSV files


def _audit_wines_csv(path: Path, wines: pl.DataFrame, dialect: CsvDialect) -> list[str]:
    return _differences(path.name, read_wines(path, dialect), wines.select(WINE_FILE_COLUMNS))


def _audit_issues_csv(path: Path, issues: pl.DataFrame, dialect: CsvDialect) -> list[str]:
    return _differences(path.name, read_issues(path, dialect), _texts(issues))


# Comparing


def _texts(issues: pl.DataFrame) -> pl.DataFrame:
    return issues.select(DataIssue.column_names()).cast(pl.String)


def _as_cells(expected: pl.DataFrame) -> pl.DataFrame:
    """Results as cells hold them: texts that fit, an empty one being an empty cell; numbers as floats."""
    return cell_frame(expected).with_columns(
        pl.col(pl.String).replace("", None), pl.col(pl.Decimal, pl.Int64).cast(pl.Float64)
    )


def _as_stored(table: pl.DataFrame, expected: pl.DataFrame) -> pl.DataFrame:
    """The cells as floats where the results are numbers; what is no number becomes null and so differs."""
    numbers = [name for name in expected.columns if expected[name].dtype.is_numeric()]
    return table.with_columns(pl.col(numbers).cast(pl.Float64, strict=False))


def _differences(where: str, found: pl.DataFrame, expected: pl.DataFrame) -> list[str]:
    """One sentence for a wrong number of rows, else one per column that differs."""
    if found.height != expected.height:
        return [words.wrong_length(where, found.height, expected.height)]
    sentences = []
    for name in expected.columns:
        there, right = found[name], expected[name]
        differs = (there - right).abs() > _Z_TOLERANCE if name == "z_score" else there.ne_missing(right)
        if differs.any():
            rows = differs.arg_true()
            first = rows[0]
            sentences.append(words.wrong_values(where, name, len(rows), first + 1, there[first], right[first]))
    return sentences


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
