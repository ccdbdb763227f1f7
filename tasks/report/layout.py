"""Every sheet of tables, declared once: the writer, the audit and the headings iterate over these declarations.

A column more is one line here. Its heading comes from the schema of its frame, unless the report adds the column.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import polars as pl

from tasks.domain.inventory import REORDER_WEEKS
from tasks.domain.issues import DataIssue, DataRefused
from tasks.domain.schemas import PeriodWine, headings
from tasks.messages import NumberKind, mark
from tasks.report.about import definitions
from tasks.report.cells import ROW_LIMIT
from tasks.report.content import Report, SheetKey, sheet_name

Kind = Literal["text", "state", "mark"] | NumberKind

_HEADINGS = {**headings(DataIssue), **headings(PeriodWine)}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name in the frame.
        width: In characters.
        kind: Format and alignment.
        total: What is above the heading: the sum or the number of the rows that a filter leaves.
        own_heading: The heading in English, where the schema of the frame has none or another.
        needs_period: Only shown where there is an earlier snapshot.
    """

    name: str
    width: float
    kind: Kind = "text"
    total: Literal["sum", "count"] | None = None
    own_heading: str = ""
    needs_period: bool = False

    @property
    def heading(self) -> str:
        """The heading in English."""
        return self.own_heading or _HEADINGS[self.name]


class PlacedTable(NamedTuple):
    """A table and the rows of the sheet that it takes, counted from 0."""

    table: "Table"
    title_row: int
    total_row: int
    header_row: int
    first_row: int


@dataclass(frozen=True)
class Table:
    """Rows below headings.

    Attributes:
        columns: From the first column of the sheet on.
        frame: One row per row.
        title: Above it, where a sheet has several tables.
        marked: A column of flags for the rows that are emphasised.
        emphasis: How these look.
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
        key: Which sheet it is.
        title: Above everything.
        note: How to read it.
        tables: Never empty.
        frozen_columns: How many columns stay on the screen: those up to the name.
        printed_rows: How many rows of its tables are printed; None: not one, the sheet is made for the screen.
    """

    key: SheetKey
    title: str
    note: str
    tables: tuple[Table, ...]
    frozen_columns: int = 0
    printed_rows: int | None = None

    def placed(self) -> Iterator[PlacedTable]:
        """The tables with their rows on the sheet: title and note take the first two."""
        row = 2 if self.title else 0
        for table in self.tables:
            title_row = row
            total_row = title_row + bool(table.title)
            header_row = total_row + table.has_totals
            yield PlacedTable(table, title_row, total_row, header_row, header_row + 1)
            row = header_row + table.frame.height + 2


_RANK = Column("rank", 6, "count")
_PRODUCT_ID = Column("product_id", 9)
_SKU = Column("sku", 13)
_WINE = Column("post_title", 54)
_SOLD = Column("sold_units", 8, "change", "sum", mark("Sold in the period"), needs_period=True)
_SOLD_VALUE = Column("sold_value", 12, "money change", "sum", mark("Sold in the period (€)"), needs_period=True)
_TO_DATE = Column("total_sales", 9, "count", "sum")
_PRICE = Column("price", 11, "money")
_REVENUE = Column("revenue", 14, "money", "sum")
_SHARE = Column("revenue_share", 10, "percent")
_Z_SCORE = Column("z_score", 8, "score")
_STOCK = Column("stock_quantity", 8, "count", "sum")
_PACE = Column("pace", 9, "score", needs_period=True)
_WEEKS = Column("weeks_of_cover", 9, "decimal", needs_period=True)
_STOCK_VALUE = Column("stock_value", 14, "money", "sum")

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
    Column("at_risk", 12, "money", "sum", needs_period=True), _STOCK_VALUE, _SOLD, _TO_DATE, _PRICE, _REVENUE,
)  # fmt: skip

CHANGES = (
    Column("change", 18, own_heading=mark("Change")), _PRODUCT_ID, _SKU, _WINE,
    replace(_SOLD, total=None), replace(_SOLD_VALUE, total=None), Column("price_before", 11, "money"), _PRICE,
    Column("price_effect", 13, "money change"), Column("total_sales_before", 9, "count"),
    replace(_TO_DATE, total=None), Column("revenue_before", 14, "money"), replace(_REVENUE, total=None),
)  # fmt: skip

ROW_COUNTS = (
    Column("source", 22, own_heading=mark("Workbook")), Column("outcome", 13, own_heading=mark("Outcome")),
    Column("rows", 8, "count", own_heading=mark("Rows")),
    Column("rejected_units", 9, "count", own_heading=mark("Bottles sold")), Column("severity", 14),
    Column("rule", 22), Column("reason", 44, own_heading=mark("Reason")), Column("remedy", 44),
)  # fmt: skip

ISSUES = (
    Column("file", 22), Column("sheet", 13), Column("row", 8, "count"), Column("cell", 9), Column("column", 14),
    Column("value", 22), Column("problem", 44, own_heading=mark("What is wrong")), Column("remedy", 44),
    Column("severity", 11), Column("outcome", 11, own_heading=mark("Outcome")), Column("key", 14), Column("rule", 22),
)  # fmt: skip

DEFINITIONS = (
    Column("term", 34, own_heading=mark("Term")), Column("meaning", 112, own_heading=mark("Meaning")),
)  # fmt: skip

TABLES = (PRODUCTS, PREMIUM_WINES, STOCK, CHANGES, ROW_COUNTS, ISSUES, DEFINITIONS)
"""The columns of every table, for who looks for all headings."""

_UP_TO_THE_WINE = 4
_ROWS_ABOVE = 4
"""Title, note, totals and headings."""

TABLE_LIMIT = ROW_LIMIT - _ROWS_ABOVE
"""Rows that a sheet has room for."""


def table_sheets(report: Report) -> list[Sheet]:
    """The sheets of tables in their order; one whose table would be empty is not there.

    Raises:
        DataRefused: There are more products than a sheet has rows.
    """
    if report.wines.height > TABLE_LIMIT:
        raise DataRefused(
            f"{report.wines.height:,} products do not fit a sheet, which holds {TABLE_LIMIT:,} of them.", report.issues
        )
    premium = report.products.filter("is_premium")
    sheets = [
        _wine_sheet(report, "products", Table(PRODUCTS, report.products, marked="is_premium")),
        _wine_sheet(report, "premium", Table(PREMIUM_WINES, premium)),
        _wine_sheet(report, "stock", Table(STOCK, report.stock, marked="is_alert", emphasis="alert")),
        _wine_sheet(report, "changes", Table(CHANGES, report.changes)),
        _checks(report),
        Sheet(
            "about",
            "",
            "",
            (Table(DEFINITIONS, definitions(report), marked="is_section", emphasis="section"),),
            1,
            _PRINTED_ROWS,
        ),
    ]
    return [_titled(sheet, report) for sheet in sheets if sheet.tables[0].frame.height]


_PRINTED_ROWS = 40


def _wine_sheet(report: Report, key: SheetKey, table: Table) -> Sheet:
    """A sheet with one table of wines; columns that need a period are shown where there is one."""
    has_period = report.summary.period is not None
    columns = tuple(column for column in table.columns if has_period or not column.needs_period)
    note = _NOTES[key](report)
    if table.frame.height > _PRINTED_ROWS:
        first = report.messages.number(_PRINTED_ROWS)
        note += " " + report.messages.gettext(mark("Printed: the first {rows} rows."), rows=first)
    return Sheet(key, "", note, (replace(table, columns=columns),), _UP_TO_THE_WINE, _PRINTED_ROWS)


def _checks(report: Report) -> Sheet:
    """How many rows have which disposition and why, then the rows and cells themselves; made for the screen."""
    text, counts, issues = report.messages, report.counts, report.listed_issues
    shown = issues.head(TABLE_LIMIT - counts.height - 3)
    note = text.gettext(
        mark("Every row of the three workbooks is used, ignored or rejected; here is how many and why.")
    )
    if shown.height < issues.height:
        cut = mark("The first {shown} of {all} rows and cells: a sheet holds no more.")
        note += " " + text.gettext(cut, shown=text.number(shown.height), all=text.number(issues.height))
    tables = [Table(ROW_COUNTS, counts, text.gettext(mark("Rows of the three workbooks")))]
    if shown.height:
        tables.append(Table(ISSUES, shown, text.gettext(mark("Rows and cells to look at"))))
    return Sheet("checks", "", note, tuple(tables))


def _titled(sheet: Sheet, report: Report) -> Sheet:
    text = report.messages
    day = text.long_date(report.export_date)
    name = sheet_name(sheet.key, text)
    return replace(sheet, title=text.gettext(mark("{sheet} · snapshot of {date}"), sheet=name, date=day))


def _products_note(report: Report) -> str:
    return report.messages.gettext(mark("By total revenue to date, highest first. The totals follow the filters."))


def _premium_note(report: Report) -> str:
    text, figures = report.messages, report.summary.figures
    return text.ngettext(
        "{count} wine is priced above {price} (z-score above {score}); its share of the total revenue is {share}.",
        "{count} wines are priced above {price} (z-score above {score}); their share of the total revenue is {share}.",
        figures.premium,
        price=text.money(figures.threshold_price),
        score=text.score(report.parameters.premium_threshold),
        share=text.percent(figures.premium_revenue / figures.revenue if figures.revenue else 0),
    )


def _stock_note(report: Report) -> str:
    """The order of the rows, and how many counts are below 0 or missing."""
    text, inventory = report.messages, report.summary.inventory
    if report.summary.period is None:
        sentences = [text.gettext(mark("Wines that sold and are out of stock, by total revenue to date."))]
    else:
        order = mark(
            "Wines that sell and have fewer than {weeks} weeks of cover, by sales at risk; "
            "then dormant stock, by value."
        )
        sentences = [text.gettext(order, weeks=text.number(REORDER_WEEKS))]
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
    text, period = report.messages, report.summary.period
    if period is None:
        return ""
    return text.gettext(
        mark("From {start} to {end}. A product has one row for each thing that changed."),
        start=text.long_date(period.sold.start),
        end=text.long_date(period.sold.end),
    )


_NOTES = {"products": _products_note, "premium": _premium_note, "stock": _stock_note, "changes": _changes_note}
