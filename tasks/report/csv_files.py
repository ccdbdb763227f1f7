"""The month as CSV files: UTF-8, line feed, a header, and nothing that a spreadsheet would execute.

The standard dialect has commas and decimal points. The French one is what Excel expects in France:
semicolons, decimal commas and a byte order mark. The names of the columns are the same in both.

A text that a spreadsheet would take for a formula gets an apostrophe in front. A text that begins with an apostrophe
gets one as well, so that reading takes away exactly one from every text that begins with it, and nothing is ambiguous.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tasks.domain.issues import DataIssue
from tasks.domain.parameters import CsvDialect
from tasks.domain.schemas import PeriodWine

WINE_COLUMNS = ["product_id", "sku", "post_title", "total_sales", "price", "revenue", "z_score"]
"""The columns of the files of wines, in their order (`PeriodWine`); the name of the file says which class it lists."""

_DECLARED = {name: PeriodWine.columns()[name] for name in WINE_COLUMNS}

_GUARD = "'"
_GUARDED = r"^[=+\-@\t\r'\x{FE62}\x{FE63}\x{FE66}\x{FE6B}\x{FF0B}\x{FF0D}\x{FF1D}\x{FF20}]"
"""Includes the small and full-width forms of `= + - @`, which some versions of Excel run as formulas."""

_Z_PLACES = 6

_POINTS: dict[CsvDialect, str] = {"standard": "[.]", "french": ","}
_SEPARATORS: dict[CsvDialect, str] = {"standard": ",", "french": ";"}


class UnexpectedContent(ValueError):
    """A file has other columns or another spelling than it was written with."""


def write_wines(path: Path, wines: pl.DataFrame, dialect: CsvDialect = "standard") -> None:
    """Write the products of one class; money with two places, z-scores with six."""
    z_score = pl.col("z_score").round(_Z_PLACES)
    # A tiny negative score would be spelled -0.000000.
    positive_zero = pl.when(z_score == 0).then(0.0).otherwise(z_score)
    _write(path, wines.select(WINE_COLUMNS).with_columns(positive_zero.alias("z_score")), dialect)


def read_wines(path: Path, dialect: CsvDialect = "standard") -> pl.DataFrame:
    """Read what `write_wines` wrote: the same rows, z-scores rounded to six places.

    Raises:
        UnexpectedContent: Other columns, or a number in another spelling.
    """
    texts = _read(path, WINE_COLUMNS, dialect)
    numbers = {name: column for name, column in _DECLARED.items() if column.dtype.is_numeric()}
    for name, column in numbers.items():
        is_spelled = pl.col(name).str.contains(_spelling(column, _POINTS[dialect])).fill_null(value=column.nullable)
        wrong = texts.remove(is_spelled)
        if wrong.height:
            raise UnexpectedContent(f'{name}: "{wrong[name][0]!s}" is not spelled as it was written.')
    with_points = texts.with_columns(pl.col(numbers.keys()).str.replace(",", ".", literal=True))
    return with_points.cast({name: column.dtype for name, column in _DECLARED.items()})


def _spelling(column: dy.Column, point: str) -> str:
    """How a number is spelled. Checked before the cast, which would round what has more places."""
    kind = column.dtype
    places = kind.scale if isinstance(kind, pl.Decimal) else _Z_PLACES if kind.is_float() else 0
    has_minimum = any(getattr(column, bound, None) is not None for bound in ("min", "min_exclusive"))
    return f"^{'' if has_minimum else '-?'}[0-9]+{f'{point}[0-9]{{{places}}}' if places else ''}$"


def write_issues(path: Path, issues: pl.DataFrame, dialect: CsvDialect = "standard") -> None:
    """Write all rejected rows and issues."""
    _write(path, issues.select(DataIssue.column_names()), dialect)


def read_issues(path: Path, dialect: CsvDialect = "standard") -> pl.DataFrame:
    """Read what `write_issues` wrote, every column as text.

    Raises:
        UnexpectedContent: Other columns.
    """
    return _read(path, DataIssue.column_names(), dialect)


def _write(path: Path, frame: pl.DataFrame, dialect: CsvDialect) -> None:
    texts = pl.col(pl.String)
    guarded = frame.with_columns(
        pl.when(texts.str.contains(_GUARDED)).then(pl.lit(_GUARD) + texts).otherwise(texts).name.keep()
    )
    # Polars leaves a lone carriage return unquoted, which many readers take for the end of the row.
    returns = any(guarded[name].str.contains("\r").any() for name in guarded.select(texts).columns)
    guarded.write_csv(
        path,
        separator=_SEPARATORS[dialect],
        decimal_comma=dialect == "french",
        include_bom=dialect == "french",
        float_precision=_Z_PLACES,
        line_terminator="\n",
        quote_style="non_numeric" if returns else "necessary",
    )


def _read(path: Path, columns: list[str], dialect: CsvDialect) -> pl.DataFrame:
    texts = pl.read_csv(path, infer_schema=False, separator=_SEPARATORS[dialect])
    if texts.columns != columns:
        raise UnexpectedContent(f"the header is {', '.join(texts.columns)} instead of {', '.join(columns)}.")
    return texts.with_columns(pl.all().str.strip_prefix(_GUARD))
