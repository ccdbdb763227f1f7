"""Staged tables and whole months in a few lines, without a file or a flow."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import polars as pl

from tasks.domain import checks, clean, join, month_issues, row_issues
from tasks.domain.issues import lines
from tasks.domain.join import Cleaned
from tasks.domain.ledger import build_ledger
from tasks.domain.premium import classify_wines
from tasks.domain.revenue import compute_revenue
from tasks.domain.sources import CELL_KINDS, COLUMNS, SOURCES, Source, kind_of
from tasks.workbook.addresses import column_letter
from tasks.workbook.reader import read_workbook
from tasks.workbook.staging import StagedWorkbook, stage_workbook

_LOCATIONS = pl.DataFrame(
    [
        (source, f"{source}.xlsx", "Sheet1", column, None if column is None else column_letter(index))
        for source in SOURCES
        for index, column in enumerate([*list(COLUMNS[source]), None])
    ],
    schema={"source": pl.Enum(SOURCES), **dict.fromkeys(("file", "sheet", "column", "letter"), pl.String)},
    orient="row",
)
"""The columns of a sheet are in the order in which its schema declares them."""

Value = str | int | float | tuple[str | None, str | None] | None


def cell(value: Value) -> tuple[str | None, str | None]:
    """Kind and text of a cell: text for a string, number for a number, and (kind, text) unchanged."""
    if value is None:
        return (None, None)
    if isinstance(value, tuple):
        return value
    if isinstance(value, str):
        return ("text", value)
    return ("number", repr(value).removesuffix(".0"))


def sheet(source: Source, *rows: dict[str, Value]) -> pl.LazyFrame:
    """The staged table of these rows, numbered from 2; a column that a row does not name is an empty cell."""
    return staged(source, [(number, {c: cell(v) for c, v in row.items()}) for number, row in enumerate(rows, start=2)])


def staged(source: Source, rows: list[tuple[int, dict[str, tuple[str | None, str | None]]]]) -> pl.LazyFrame:
    """The staged table of rows that are numbered and whose cells are (kind, text)."""
    columns = list(COLUMNS[source])
    schema: dict[str, pl.DataType | type[pl.DataType]] = {"row": pl.UInt32}
    for column in columns:
        schema |= {column: pl.String, kind_of(column): CELL_KINDS}
    records = [
        (number, *(part for column in columns for part in reversed(cells.get(column, (None, None)))))
        for number, cells in rows
    ]
    return pl.DataFrame(records, schema=schema, orient="row").lazy()


def stage_here(workbook: Path, source: Source, target: Path, file: str = "") -> StagedWorkbook:
    """The workbook staged in this process, since one of its own takes half a second to start."""
    return stage_workbook(workbook, source, file or f"{source}.xlsx", target, SimpleNamespace(read=read_workbook))


@dataclass
class Month:
    """A month through the rules, as far as it goes."""

    raw: dict[Source, pl.LazyFrame]
    cleaned: Cleaned
    joined: pl.LazyFrame
    ledger: pl.LazyFrame
    issues: pl.DataFrame

    def dispositions(self, source: Source) -> list[tuple[int, str, str | None]]:
        """Row, disposition and reason of every row of a source."""
        rows = self.ledger.filter(source=source).sort("row").select("row", "disposition", "rule")
        return list(rows.collect().iter_rows())

    def errors(self) -> list[str]:
        """The lines of the issues that stop the run."""
        return lines(self.issues.filter(severity="error"))

    def stopping(self) -> set[tuple[str, int | None, str]]:
        """Source, row and rule of everything that stops the run; the month as a whole has neither source nor row."""
        found = row_issues.collect_issues(self.cleaned, self.joined, self.ledger).filter(severity="error").collect()
        stopping = set(found.select(pl.col("source").cast(pl.String), "row", "rule").iter_rows())
        whole = month_issues.judge_matches(self.cleaned, self.joined)
        if not stopping and not whole:
            whole = month_issues.judge_total(compute_revenue(self.joined))
        return stopping | {("", None, issue.rule) for issue in whole}

    def warnings(self) -> list[str]:
        """The lines of the issues that are only reported."""
        return lines(self.issues.filter(severity="warning"))

    def wines(self, premium_threshold: float = 2.0) -> pl.DataFrame:
        """The classified products."""
        return classify_wines(compute_revenue(self.joined), premium_threshold).collect()

    def revenue(self) -> Decimal:
        """The month's total."""
        return sum(self.wines()["revenue"], Decimal(0))


def month_of(raw: dict[Source, pl.LazyFrame]) -> Month:
    """Take three staged tables through cleaning and joining; every check between them must hold."""
    cleaned = Cleaned(
        *(frame.collect().lazy() for frame in (
            clean.clean_erp(raw["erp"]), clean.clean_liaison(raw["liaison"]), clean.clean_web(raw["web"]),
        ))
    )  # fmt: skip
    assert checks.check_cleaning(raw, cleaned) == []
    joined = join.join_sources(cleaned).collect().lazy()
    ledger = build_ledger(cleaned, joined).collect().lazy()
    assert checks.check_join(cleaned, joined, ledger) == []
    issues = row_issues.locate_issues(row_issues.collect_issues(cleaned, joined, ledger), raw, _LOCATIONS).collect()
    return Month(raw, cleaned, joined, ledger, issues)


def month(erp: list[dict[str, Value]], liaison: list[dict[str, Value]], web: list[dict[str, Value]]) -> Month:
    """A month of a few rows."""
    return month_of({"erp": sheet("erp", *erp), "liaison": sheet("liaison", *liaison), "web": sheet("web", *web)})


def product(number: int, *, price: Value = 10, sales: Value = 1, title: Value = "Wine") -> tuple[dict[str, Value], ...]:
    """The three rows of one sound product: erp, liaison, web."""
    return (
        {"product_id": number, "price": price, "onsale_web": 1, "stock_quantity": 5, "stock_status": "instock"},
        {"product_id": number, "id_web": number + 10_000},
        {"sku": number + 10_000, "post_type": "product", "post_title": title, "total_sales": sales},
    )
