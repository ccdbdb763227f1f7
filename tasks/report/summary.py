"""The first sheet: the month on one page.

The page has two halves of six columns, alternately wide and narrow: a headline figure takes a pair, a table a half, and
texts run on into empty cells to their right instead of merged ones.
"""

from dataclasses import dataclass
from decimal import Decimal

import polars as pl
from xlsxwriter import Workbook

from tasks.domain.figures import Comparison, Figures, MonthSummary
from tasks.domain.revenue import carrying_products
from tasks.domain.rules import RULES, SEVERITIES
from tasks.domain.stock import list_stock
from tasks.report.charts import ChartData, price_chart, short_title, top_premium_chart, top_products_chart
from tasks.report.sheets import Sheet
from tasks.report.words import Words

_WIDE, _NARROW = 21.0, 9.0
_COLUMNS = 12
_HALF = 6
_HALF_PIXELS = 3 * (152 + 68)
_ROW_PIXELS = 20
_CHART_ROWS = 16
_GAP_PIXELS = 9
_LONG_FIGURE = 12
"""Characters of a headline figure that is set in a smaller size."""

_SELLERS = 5
_SELLER_LENGTH = 52
_REASONS = 5


@dataclass(frozen=True)
class Tile:
    """A headline figure: what it is, how much, how it changed and one remark."""

    label: str
    value: int | Decimal
    kind: str
    change: str | None
    note: str


def tiles(summary: MonthSummary, wines: pl.DataFrame, words: Words) -> list[Tile]:
    """The six headline figures; without a month to compare with, none has a change."""
    figures, before = summary.figures, summary.comparison
    carrying = carrying_products(wines["revenue"])
    unsold = wines.filter(pl.col("total_sales") == 0).height
    changes = _changes(figures, before, carrying, words) if before else [None] * 6
    tiles: list[tuple[str, int | Decimal, str, str]] = [
        (words.REVENUE_LABEL, figures.revenue, "money", words.revenue_note(figures)),
        (words.UNITS_LABEL, figures.units, "count", words.unsold_note(unsold)),
        (words.PRODUCTS_LABEL, figures.products, "count", words.classes_note(figures)),
        (words.CARRYING_LABEL, carrying, "count", words.carrying_note(Decimal(carrying) / figures.products)),
        (words.PREMIUM_LABEL, figures.premium, "count", words.threshold_note(figures)),
        (
            words.PREMIUM_SHARE_LABEL,
            share_of(figures.premium_revenue, figures.revenue),
            "share",
            words.amount(figures.premium_revenue),
        ),
    ]
    return [
        Tile(label, value, kind, change, note)
        for (label, value, kind, note), change in zip(tiles, changes, strict=True)
    ]


def _changes(figures: Figures, before: Comparison, carrying: int, words: Words) -> list[str | None]:
    def changed(number: int) -> str:
        return words.signed(words.number(number)) if number else words.no_change()

    revenue, units = figures.revenue - before.revenue_before, figures.units - before.units_before
    share = share_of(figures.premium_revenue, figures.revenue)
    share_before = share_of(before.premium_revenue_before, before.revenue_before)
    return [
        words.change(words.amount(revenue), revenue, before.revenue_before) if revenue else words.no_change(),
        words.change(words.number(units), Decimal(units), Decimal(before.units_before)) if units else words.no_change(),
        words.products_change(changed(figures.products - before.products_before), before),
        changed(carrying - before.carrying_before),
        words.premium_change(changed(figures.premium - before.premium_before), before),
        words.points(share, share_before),
    ]


def share_of(part: Decimal, whole: Decimal) -> Decimal:
    """A part as a share of 1; of nothing, none."""
    return part / whole if whole else Decimal(0)


def write_summary(
    workbook: Workbook, sheet: Sheet, data: ChartData, summary: MonthSummary, wines: pl.DataFrame, shown: pl.DataFrame
) -> None:
    """Write headline figures, what changed, the stock, charts and what is missing, on one landscape page.

    Args:
        workbook: Makes the charts.
        sheet: The sheet, empty.
        data: Takes the numbers of the charts.
        summary: The month.
        wines: All products (`ComparedWine`), by revenue.
        shown: The same as the other sheets show them.
    """
    words, month = sheet.words, summary.parameters.month
    sheet.widths([_WIDE, _NARROW] * (_COLUMNS // 2))
    sheet.text(0, 0, words.title(month), "title")
    sheet.text(1, 0, words.since(summary.comparison) if summary.comparison else words.FIRST_MONTH, "news")
    sheet.text(2, 0, words.snapshot_note(month), "note")
    row = _write_tiles(sheet, 4, tiles(summary, wines, words))
    row = _write_halves(sheet, row + 1, _left(summary, wines, words), _right(summary, wines, words))
    _insert_charts(workbook, sheet, data, row + 1, summary.figures, shown)
    last = _write_missing(sheet, row + 1 + _CHART_ROWS, summary.row_counts.filter(pl.col("disposition") == "rejected"))
    sheet.print_setup(month, pages_high=1)
    sheet.worksheet.print_area(0, 0, last, _COLUMNS - 1)
    sheet.worksheet.activate()


def _write_tiles(sheet: Sheet, row: int, headlines: list[Tile]) -> int:
    """The figures, a pair of columns each; returns the row after them."""
    sheet.worksheet.set_row_pixels(row - 1, _GAP_PIXELS)
    sheet.worksheet.set_row_pixels(row + 1, 30)
    _write_pairs(sheet, row, [tile.label for tile in headlines], "tile label")
    for index, tile in enumerate(headlines):
        length = len(sheet.words.number(tile.value, 2 if tile.kind == "money" else 0))
        style = f"{'long tile' if length > _LONG_FIGURE else 'tile'} {tile.kind}"
        sheet.number(row + 1, 2 * index, tile.value, style)
        sheet.blanks(row + 1, range(2 * index + 1, 2 * index + 2), "tile note")
    row += 2
    if changes := [tile.change for tile in headlines if tile.change is not None]:
        _write_pairs(sheet, row, changes, "tile delta")
        row += 1
    _write_pairs(sheet, row, [tile.note for tile in headlines], "tile note")
    sheet.worksheet.set_row_pixels(row + 1, _GAP_PIXELS)
    return row + 1


def _write_pairs(sheet: Sheet, row: int, texts: list[str], style: str) -> None:
    for index, text in enumerate(texts):
        sheet.text(row, 2 * index, text, style)
        sheet.blanks(row, range(2 * index + 1, 2 * index + 2), style)


# The two halves


Value = str | int | Decimal | None
Cells = list[tuple[Value, str]]
"""Values and styles of neighbouring cells; None carries the style on."""


def _left(summary: MonthSummary, wines: pl.DataFrame, words: Words) -> list[Cells]:
    """How one month's revenue became the other's; without a month before, what each class brings."""
    figures, before, month = summary.figures, summary.comparison, summary.parameters.month
    title = words.bridge_title(before.month, month) if before else words.BY_CLASS
    headings = (words.PRODUCTS_HEADING, words.UNITS_HEADING, words.REVENUE_HEADING)
    lines: list[Cells] = [
        [(title, "section")],
        [
            (None, "line header"),
            (None, "line header"),
            *[(heading, "header right") for heading in headings],
        ],
    ]
    if before is None:
        premium = wines.filter("is_premium")
        premium_units = int(premium["total_sales"].sum())
        ordinary_revenue = figures.revenue - figures.premium_revenue
        lines += [
            _line(words.PREMIUM_MARK, figures.premium, premium_units, figures.premium_revenue),
            _line(words.ORDINARY, figures.ordinary, figures.units - premium_units, ordinary_revenue),
            _line(words.ALL_PRODUCTS, figures.products, figures.units, figures.revenue, "total"),
        ]
        return lines
    return [
        *lines,
        _line(words.month_name(before.month), before.products_before, before.units_before, before.revenue_before),
        _line(words.SOLD_SINCE, None, before.units_sold, before.sold_value, "change"),
        _line(words.PRICE_EFFECT, before.repriced, None, before.price_effect, "change"),
        _line(words.NEW_PRODUCTS, before.new_products, before.new_units, before.new_revenue, "change"),
        _line(words.GONE_PRODUCTS, before.gone_products, -before.gone_units, -before.gone_revenue, "change"),
        _line(words.FALLEN_COUNTERS, before.fallen_products, -before.fallen_units, -before.fallen_value, "change"),
        _line(words.month_name(month), figures.products, figures.units, figures.revenue, "total"),
        [(words.fallen_warning(before), "alert") if before.fallen_products else (words.price_effect_note(), "note")],
    ]


def _line(label: str, products: int | None, units: int | None, revenue: Decimal, kind: str = "cell") -> Cells:
    word = "total" if kind == "total" else "cell"
    count, money = ("change", "money change") if kind == "change" else ("count", "money")
    return [
        (label, f"{word} text"), (None, f"{word} text"),
        (products, f"{word} count"), (units, f"{word} {count}"), (revenue, f"{word} {money}"),
    ]  # fmt: skip


def _right(summary: MonthSummary, wines: pl.DataFrame, words: Words) -> list[Cells]:
    """The stock in figures, and the best sellers that are out or nearly."""
    stock = summary.stock
    figures = [
        ("sold_out", stock.sold_out, words.sold_out_note(stock)),
        ("nearly_out", stock.nearly_out, words.nearly_out_note()),
        ("idle", stock.idle, words.idle_note(stock)),
        *([("unknown", stock.unknown, words.unknown_note())] if stock.unknown else []),
    ]
    lines: list[Cells] = [[(words.STOCK_SECTION, "section")]]
    for state, number, note in figures:
        name = words.STOCK_STATES[state]
        lines.append(
            [
                (name[0].upper() + name[1:], "cell text"),
                (number, "cell strong"),
                (note, "cell text"),
                *[(None, "cell text")] * 3,
            ]
        )
    out = (
        list_stock(wines, None)
        .filter(pl.col("state").is_in(["sold_out", "nearly_out"]))
        .sort("rank")
        .head(_SELLERS)
        .select(short_title(words, _SELLER_LENGTH).alias("title"), "stock_quantity", "revenue")
    )
    if out.is_empty():
        return [*lines, [(words.NO_SELLER_OUT, "note")]]
    lines.append(
        [
            (words.SELLERS_LEFT, "line header"),
            *[(None, "line header")] * 2,
            (words.LEFT_HEADING, "header right"),
            (words.REVENUE_HEADING, "header right"),
            (None, "line header"),
        ]
    )
    for title, left, revenue in out.iter_rows():
        lines.append(
            [
                (title, "cell text"),
                *[(None, "cell text")] * 2,
                (left, "cell count"),
                (revenue, "cell money"),
                (None, "cell text"),
            ]
        )
    return lines


def _write_halves(sheet: Sheet, row: int, left: list[Cells], right: list[Cells]) -> int:
    """Both halves side by side; returns the row after the longer one."""
    for index in range(max(len(left), len(right))):
        for first, lines in ((0, left), (_HALF, right)):
            for column, (value, style) in enumerate(lines[index] if index < len(lines) else [], start=first):
                if value is None:
                    sheet.blanks(row + index, range(column, column + 1), style)
                elif isinstance(value, str):
                    sheet.text(row + index, column, value, style)
                else:
                    sheet.number(row + index, column, value, style)
    return row + max(len(left), len(right))


# Charts and what is missing


def _insert_charts(
    workbook: Workbook, sheet: Sheet, data: ChartData, row: int, figures: Figures, shown: pl.DataFrame
) -> None:
    second = (
        top_premium_chart(workbook, data, sheet, shown)
        if figures.premium_revenue
        else price_chart(workbook, data, sheet.words, shown, figures.threshold_price)
    )
    for column, (chart, description) in ((0, top_products_chart(workbook, data, sheet, shown)), (_HALF, second)):
        chart.set_size({"width": _HALF_PIXELS - 10, "height": _CHART_ROWS * _ROW_PIXELS - 10})
        sheet.worksheet.insert_chart(row, column, chart, {"description": description})


def _write_missing(sheet: Sheet, row: int, rejected: pl.DataFrame) -> int:
    """Rejected rows by reason, what matters most first; returns the last row."""
    words = sheet.words
    sheet.text(row, 0, words.MISSING, "section")
    row += 1
    if rejected.is_empty():
        sheet.text(row, 0, words.NOTHING_MISSING)
        return row
    sheet.text(row, 0, words.missing_summary(int(rejected["rows"].sum()), int(rejected["units"].sum())), "news")
    row += 1
    rows, units = _COLUMNS - 4, _COLUMNS - 2
    header = {
        0: ("source", "line header"),
        1: ("reason", "line header"),
        rows: ("rows", "header right"),
        units: ("rejected_units", "header right"),
    }
    _write_cells(
        sheet, row, {column: (words.HEADINGS[name], style) for column, (name, style) in header.items()}, "line header"
    )

    order = by_weight(rejected)
    for source, rule, detail, number, carried in (
        order.head(_REASONS).select("source", "rule", "detail", "rows", "units").iter_rows()
    ):
        row += 1
        cells: dict[int, tuple[Value, str]] = {
            0: (words.SOURCES[source], "cell text"),
            1: (words.reason(rule, detail), "cell text"),
            rows: (number, "cell count"),
            units: (carried, "cell count"),
        }
        _write_cells(sheet, row, cells, "cell text")
    if order.height > _REASONS:
        row += 1
        sheet.text(row, 0, words.other_reasons(order.height - _REASONS), "note")
    return row


def _write_cells(sheet: Sheet, row: int, cells: dict[int, tuple[Value, str]], style: str) -> None:
    """Write a row across the page; the style goes through the columns that hold nothing."""
    _write_halves(sheet, row, [[cells.get(column, (None, style)) for column in range(_COLUMNS)]], [])


def by_weight(rejected: pl.DataFrame) -> pl.DataFrame:
    """Reasons that cost units first, then those that somebody should act on, then the expected ones."""
    severities = {rule: SEVERITIES.index(RULES[rule].severity) for rule in rejected["rule"].drop_nulls().unique()}
    severity = pl.col("rule").replace_strict(severities, default=len(SEVERITIES), return_dtype=pl.Int8)
    return rejected.sort(
        pl.col("units").fill_null(0),
        severity,
        "rows",
        "source",
        "rule",
        "detail",
        descending=[True, False, True, False, False, False],
    )
