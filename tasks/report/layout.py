"""Every sheet of tables, declared once: the writer, the audit and the headings iterate over these declarations.

A new column is one line here. Its heading comes from the schema of its frame, unless it has its own.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, NamedTuple

import polars as pl
from xlsxwriter.utility import xl_range

from tasks.domain.inventory import REORDER_WEEKS
from tasks.domain.issues import DataIssue
from tasks.domain.schemas import PeriodWine, headings
from tasks.messages import Messages, NumberKind, mark
from tasks.report.about import definitions
from tasks.report.cells import ROW_LIMIT
from tasks.report.content import Report, SheetKey, sheet_name
from tasks.report.styles import header_style

Kind = Literal["text", "state", "mark"] | NumberKind
CellValue = str | int | float | Decimal | None

_HEADINGS = {**headings(DataIssue), **headings(PeriodWine)}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name in the frame.
        width: In characters.
        kind: Format and alignment.
        total: What is above the heading: nothing, or the sum of the rows that the filter shows.
        own_heading: The heading in English, if it is not that of the schema.
        needs_period: Only shown if there is an earlier snapshot.
    """

    name: str
    width: float
    kind: Kind = "text"
    total: Literal["", "sum"] = ""
    own_heading: str = ""
    needs_period: bool = False

    @property
    def heading(self) -> str:
        """The heading in English."""
        return self.own_heading or _HEADINGS[self.name]


class Cell(NamedTuple):
    """A cell outside the rows of a table, or several that are merged.

    Attributes:
        row: Counted from 0.
        column: Counted from 0.
        value: A text, a number, or nothing.
        style: See `styles`.
        columns: How many cells are merged.
        link: The sheet that it links to.
        formula: The formula of the number.
    """

    row: int
    column: int
    value: CellValue
    style: str
    columns: int = 1
    link: SheetKey | None = None
    formula: str = ""


class PlacedTable(NamedTuple):
    """A table on its sheet.

    Attributes:
        table: The table.
        top: Its first row, counted from 0: title, totals and headings come before the rows.
    """

    table: "Table"
    top: int

    @property
    def header_row(self) -> int:
        """The row of the headings."""
        return self.top + bool(self.table.title) + self.table.has_totals

    @property
    def rows(self) -> range:
        """The rows below the headings."""
        return range(self.header_row + 1, self.header_row + 1 + self.table.frame.height)

    def cells(self, text: Messages) -> Iterator[Cell]:
        """Title, totals and headings; the totals are above the headings, out of reach of filters and sorting."""
        table = self.table
        if table.title:
            yield Cell(self.top, 0, table.title, "section")
        for index, column in enumerate(table.columns if table.has_totals else ()):
            value: CellValue = text.gettext("Total of the rows shown") if column.name == "post_title" else None
            style, formula = "total text", ""
            if column.total:
                value, style = total(table.frame[column.name]), f"total {column.kind}"
                formula = f"=SUBTOTAL(109,{xl_range(self.rows[0], index, self.rows[-1], index)})"
            yield Cell(self.header_row - 1, index, value, style, formula=formula)
        for index, column in enumerate(table.columns):
            yield Cell(self.header_row, index, text.gettext(column.heading), header_style(column.kind))


def total(values: pl.Series) -> float:
    """The sum of a column; that of floats is exact, so it is the same in every version of Python."""
    known = values.drop_nulls()
    return math.fsum(known) if known.dtype.is_float() else float(known.sum())


@dataclass(frozen=True)
class Table:
    """Rows below headings.

    Attributes:
        columns: From the first column of the sheet on.
        frame: One row per row.
        title: Above it, if the sheet has several tables.
        marked: A column of flags for the rows that are emphasised.
        emphasis: The style of these rows.
    """

    columns: tuple[Column, ...]
    frame: pl.DataFrame
    title: str = ""
    marked: str | None = None
    emphasis: Literal["premium", "alert", "section"] = "premium"

    @property
    def has_totals(self) -> bool:
        """Whether there is a row of totals above the headings."""
        return any(column.total for column in self.columns)


@dataclass(frozen=True)
class Sheet:
    """A sheet of tables, one below the other.

    Attributes:
        key: Its key.
        title: Its first row.
        note: Its second row: how to read it.
        tables: Never empty.
        frozen_columns: How many columns do not scroll: those up to the name.
        printed_rows: How many rows of its tables are printed; 0: it is not printed.
    """

    key: SheetKey
    title: str
    note: str
    tables: tuple[Table, ...]
    frozen_columns: int = 0
    printed_rows: int = 0

    def placed(self) -> Iterator[PlacedTable]:
        """The tables with their rows on the sheet: title and note take the first two."""
        top = 2 if self.title else 0
        for table in self.tables:
            placed = PlacedTable(table, top)
            yield placed
            top = placed.rows.stop + 1

    def cells(self) -> Iterator[Cell]:
        """Title and note."""
        if self.title:
            yield Cell(0, 0, self.title, "title")
        if self.note:
            yield Cell(1, 0, self.note, "note")

    def last_printed_row(self) -> int:
        """The last row of the sheet that is printed."""
        left = self.printed_rows
        for placed in self.placed():
            shown = placed.rows[:left]
            left -= len(shown)
            if not left:
                break
        return shown[-1]


_RANK = Column("rank", 7, "count")
_PRODUCT_ID = Column("product_id", 9)
_SKU = Column("sku", 13)
_WINE = Column("post_title", 54)
_SOLD = Column("sold_units", 9, "change", "sum", mark("Sold in the period"), needs_period=True)
_SOLD_VALUE = Column("sold_value", 13, "money change", "sum", mark("Sold in the period (€)"), needs_period=True)
_TO_DATE = Column("total_sales", 10, "count", "sum")
_PRICE = Column("price", 12, "money")
_REVENUE = Column("revenue", 15, "money", "sum")
_SHARE = Column("revenue_share", 11, "percent")
_Z_SCORE = Column("z_score", 9, "score")
_STOCK = Column("stock_quantity", 9, "count", "sum")
_PACE = Column("pace", 10, "score", needs_period=True)
_WEEKS = Column("weeks_of_cover", 10, "decimal", needs_period=True)
_STOCK_VALUE = Column("stock_value", 15, "money", "sum")

PRODUCTS = (
    _RANK, _PRODUCT_ID, _SKU, _WINE, Column("class_mark", 10, "mark", own_heading=mark("Class")),
    _SOLD, _SOLD_VALUE, _TO_DATE, _PRICE, _REVENUE, _SHARE, _Z_SCORE, _STOCK, _PACE, _WEEKS,
    Column("changes", 18, own_heading=mark("Changes"), needs_period=True),
)  # fmt: skip

PREMIUM_WINES = (
    _RANK, _PRODUCT_ID, _SKU, _WINE, _SOLD, _SOLD_VALUE, _TO_DATE, _PRICE, _REVENUE, _SHARE, _Z_SCORE, _STOCK, _WEEKS,
)  # fmt: skip

STOCK = (
    Column("state", 13, "state", own_heading=mark("State")), _PRODUCT_ID, _SKU, _WINE, _STOCK, _PACE, _WEEKS,
    Column("at_risk", 13, "money", "sum", needs_period=True), _STOCK_VALUE, _SOLD, _TO_DATE, _PRICE, _REVENUE,
)  # fmt: skip

CHANGED_PRODUCTS = (
    Column("change", 18, own_heading=mark("Change")), _PRODUCT_ID, _SKU, _WINE,
    replace(_SOLD, total=""), replace(_SOLD_VALUE, total=""), Column("price_before", 12, "money"), _PRICE,
    Column("price_effect", 14, "money change"), Column("total_sales_before", 10, "count"),
    replace(_TO_DATE, total=""), Column("revenue_before", 15, "money"), replace(_REVENUE, total=""),
)  # fmt: skip

ROW_COUNTS = (
    Column("source", 22, own_heading=mark("Workbook")), Column("outcome", 13, own_heading=mark("Outcome")),
    Column("rows", 9, "count", own_heading=mark("Rows")),
    Column("rejected_units", 10, "count", own_heading=mark("Bottles sold")), Column("severity", 14),
    Column("rule", 22), Column("reason", 44, own_heading=mark("Reason")), Column("remedy", 44),
)  # fmt: skip

ISSUES = (
    Column("file", 22), Column("sheet", 13), Column("row", 9, "count"), Column("cell", 9), Column("column", 14),
    Column("value", 22), Column("problem", 44, own_heading=mark("What is wrong")), Column("remedy", 44),
    Column("severity", 11), Column("outcome", 11, own_heading=mark("Outcome")), Column("key", 14), Column("rule", 22),
)  # fmt: skip

DEFINITIONS = (
    Column("term", 34, own_heading=mark("Term")), Column("meaning", 112, own_heading=mark("Meaning")),
)  # fmt: skip

TABLES = (PRODUCTS, PREMIUM_WINES, STOCK, CHANGED_PRODUCTS, ROW_COUNTS, ISSUES, DEFINITIONS)
"""The columns of all tables."""

HEADINGS = {column.name: column.heading for table in TABLES for column in table}
"""The heading of each column in English."""

TABLE_LIMIT = ROW_LIMIT - 4
"""Rows that a sheet has room for, below title, note, totals and headings."""

_UP_TO_THE_WINE = 4
_PRINTED_ROWS = 40


def table_sheets(report: Report) -> list[Sheet]:
    """The sheets of tables in their order, without empty ones."""
    wines: dict[SheetKey, Table] = {
        "products": Table(PRODUCTS, report.products, marked="is_premium"),
        "premium": Table(PREMIUM_WINES, report.products.filter("is_premium")),
        "stock": Table(STOCK, report.stock, marked="is_alert", emphasis="alert"),
        "changes": Table(CHANGED_PRODUCTS, report.changes),
    }
    about = Table(DEFINITIONS, definitions(report), marked="is_section", emphasis="section")
    return [
        *(_wine_sheet(report, key, table) for key, table in wines.items() if table.frame.height),
        _checks(report),
        Sheet("about", _title("about", report), "", (about,)),
    ]


def _title(key: SheetKey, report: Report) -> str:
    text = report.messages
    return text.gettext("{sheet} · snapshot of {date}", sheet=sheet_name(key, text), date=report.parameters.export_date)


def _wine_sheet(report: Report, key: SheetKey, table: Table) -> Sheet:
    """A sheet with one table of wines; without a period, the columns that need one are left out."""
    has_period = report.summary.period is not None
    columns = tuple(column for column in table.columns if has_period or not column.needs_period)
    note = _printed(_NOTES[key](report), table.frame.height, report)
    return Sheet(key, _title(key, report), note, (replace(table, columns=columns),), _UP_TO_THE_WINE, _PRINTED_ROWS)


def _printed(note: str, rows: int, report: Report) -> str:
    """The note of a sheet; if not all of its rows are printed, with their number."""
    if rows <= _PRINTED_ROWS:
        return note
    return f"{note} " + report.messages.gettext("Printed: the first {rows} rows.", rows=_PRINTED_ROWS)


def _checks(report: Report) -> Sheet:
    """How many rows have which disposition and why, then the rows and cells themselves."""
    text, counts, issues = report.messages, report.counts, report.listed_issues
    shown = issues.head(TABLE_LIMIT - counts.height - 3)
    note = text.gettext(CHECKS_NOTE)
    if shown.height < issues.height:
        cut = mark("The first {shown} of {all} rows and cells: a sheet holds no more.")
        note += " " + text.gettext(cut, shown=shown.height, all=issues.height)
    tables = [Table(ROW_COUNTS, counts, text.gettext("Rows of the three workbooks"))]
    if shown.height:
        tables.append(Table(ISSUES, shown, text.gettext("Rows and cells to look at")))
    note = _printed(note, counts.height + shown.height, report)
    return Sheet("checks", _title("checks", report), note, tuple(tables), printed_rows=_PRINTED_ROWS)


CHECKS_NOTE = mark("Every row of the three workbooks is used, ignored or rejected; here is how many and why.")


def _products_note(report: Report) -> str:
    return report.messages.gettext("By total revenue to date, highest first. The totals follow the filters.")


def _premium_note(report: Report) -> str:
    text, figures = report.messages, report.summary.figures
    return text.ngettext(
        "{count} wine is priced above {price} (z-score above {score}); its share of the total revenue is {share}.",
        "{count} wines are priced above {price} (z-score above {score}); their share of the total revenue is {share}.",
        figures.premium,
        price=figures.threshold_price,
        score=text.score(report.parameters.premium_threshold),
        share=text.percent(figures.premium_share),
    )


def _stock_note(report: Report) -> str:
    """The order of the rows, and how many counts are below 0 or missing."""
    text, inventory = report.messages, report.summary.inventory
    order = mark(
        "Wines that sell and have fewer than {weeks} weeks of cover, by sales at risk; then dormant stock, by value."
    )
    if report.summary.period is None:
        order = mark("Wines that sold and are out of stock, by total revenue to date.")
    sentences = [text.gettext(order, weeks=REORDER_WEEKS)]
    if inventory.below_zero:
        sentences.append(
            text.ngettext(
                "{count} wine has a stock below 0; it counts as out of stock.",
                "{count} wines have a stock below 0; they count as out of stock.",
                inventory.below_zero,
            )
        )
    if inventory.unknown:
        sentences.append(text.ngettext("{count} wine has no count.", "{count} wines have no count.", inventory.unknown))
    return " ".join(sentences)


def _changes_note(report: Report) -> str:
    period = report.summary.period
    if period is None:
        return ""
    note = mark("From {start} to {end}. A product has one row for each thing that changed.")
    return report.messages.gettext(note, start=period.sold.start, end=period.sold.end)


_NOTES: dict[SheetKey, Callable[[Report], str]] = {
    "products": _products_note, "premium": _premium_note, "stock": _stock_note, "changes": _changes_note,
}  # fmt: skip
