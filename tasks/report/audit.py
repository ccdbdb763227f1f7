"""Reads the written files back and compares them with the results they were written from.

Nothing of the writer's is reused but its words and what a text becomes in a cell: tables are found by their headings,
read by another library, and compared column by column, order included; what is added to the results is reckoned again.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

import fastexcel
import polars as pl

from tasks.domain.comparison import list_changes
from tasks.domain.figures import MonthSummary
from tasks.domain.parameters import CsvDialect
from tasks.domain.schemas import SOURCES, WINE_FILE_COLUMNS, DataIssue
from tasks.domain.stock import list_stock
from tasks.map_in_order import map_in_order
from tasks.report import contradictions
from tasks.report.cells import ROW_LIMIT, cell_frame
from tasks.report.csv_files import read_issues, read_wines
from tasks.report.words import LANGUAGES, Words
from tasks.workbook.fetch import FetchedWorkbook

_PRODUCT = ["product_id", "sku", "post_title", "total_sales", "price", "revenue", "share", "stock_quantity", "z_score"]
_STOCK = [
    "state", "product_id", "sku", "post_title", "stock_quantity", "stock_value", "total_sales", "price", "revenue",
]  # fmt: skip
_CHANGE = [
    "change", "product_id", "sku", "post_title", "rank_before", "rank", "total_sales_before", "total_sales",
    "sold_since", "price_before", "price", "price_effect", "revenue_before", "revenue",
]  # fmt: skip
_TOTALS = ["total_sales", "revenue", "sold_since", "sold_value", "stock_quantity", "stock_value"]

_Z_TOLERANCE = 5.1e-7
"""Half of the sixth place, and what a float may be off there."""

_SHARE_TOLERANCE = 1e-8
"""A share is no exact decimal, and the reader keeps nine places of a number that it hands over as text."""

Told = list[tuple[str, list[str | int | Decimal]]]
"""Labels of the Summary, each with the figures and texts that belong to it."""

Audit = tuple[str, Callable[[], list[str]]]
"""What is read back, and the sentences about it."""

_UNREADABLE = (OSError, ValueError, pl.exceptions.PolarsError, fastexcel.FastExcelError)


def audit_files(
    workbook: Path,
    premium: Path,
    ordinary: Path,
    issues_csv: Path,
    wines: pl.DataFrame,
    gone: pl.DataFrame,
    issues: pl.DataFrame,
    summary: MonthSummary,
    inputs: Sequence[FetchedWorkbook],
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
        inputs: The run's copies of the workbooks, which are hashed again.

    Returns:
        Sentences, one per contradiction; none when all agree. A file that cannot be read is a contradiction too.
    """
    dialect = summary.parameters.csv_dialect
    ordinary_wines = wines.filter(~pl.col("is_premium"))
    audits: list[Audit] = [
        *_sheet_audits(workbook, wines, gone, issues, summary, inputs),
        (premium.name, partial(_audit_wines_csv, premium, wines.filter("is_premium"), dialect)),
        (ordinary.name, partial(_audit_wines_csv, ordinary, ordinary_wines, dialect)),
        (issues_csv.name, partial(_audit_issues_csv, issues_csv, issues, dialect)),
    ]
    return [sentence for told in map_in_order(_told, audits) for sentence in told]


def _told(audit: Audit) -> list[str]:
    name, contradict = audit
    try:
        return contradict()
    except _UNREADABLE as fault:
        return [contradictions.unreadable(name, fault)]


# Workbook


def _sheet_audits(
    path: Path,
    wines: pl.DataFrame,
    gone: pl.DataFrame,
    issues: pl.DataFrame,
    summary: MonthSummary,
    inputs: Sequence[FetchedWorkbook],
) -> list[Audit]:
    words = LANGUAGES[summary.parameters.language]
    products = _products(wines, words)
    months_apart = summary.comparison.months_apart if summary.comparison else None
    stock = list_stock(wines, months_apart).with_columns(pl.col("state").cast(pl.String).replace(words.STOCK_STATES))
    changes = list_changes(wines, gone).select(
        _CHANGE[1:], change=pl.col("change").cast(pl.String).replace(words.CHANGE_KINDS)
    )
    tables: dict[str, tuple[pl.DataFrame, list[str]]] = {
        words.REVENUE: (products, ["rank", *_PRODUCT, "cumulative_share", "class_mark"]),
        words.PREMIUM: (products.filter("is_premium"), ["rank", *_PRODUCT]),
        words.STOCK: (stock, _STOCK),
        words.CHANGES: (changes, _CHANGE),
        words.QUALITY: (
            _counts(summary.row_counts, words),
            ["source", "disposition", "reason", "rows", "rejected_units"],
        ),
        words.ISSUES: (_told_issues(issues, words), [*DataIssue.column_names(), "problem"]),
    }
    if summary.comparison:
        tables[words.REVENUE][1].extend(["rank_change", "sold_since", "sold_value"])
        tables[words.PREMIUM][1].extend(["sold_since", "sold_value"])
        tables[words.STOCK] = (stock, [*_STOCK, "sold_since", "months_left"])

    def contradict(sheet: str) -> list[str]:
        where, cells = contradictions.place(path.name, sheet), _cells(path, sheet)
        if sheet == words.SUMMARY:
            return _audit_summary(where, cells, wines, summary, words)
        if sheet == words.ABOUT:
            return _audit_about(where, cells, summary, inputs, words)
        return _audit_table(where, cells, *tables[sheet], words)

    return [
        (contradictions.place(path.name, sheet), partial(contradict, sheet))
        for sheet in (words.SUMMARY, *tables, words.ABOUT)
    ]


def _cells(path: Path, sheet: str) -> pl.DataFrame:
    """All cells of a sheet as text; an empty text is an empty cell."""
    cells = fastexcel.read_excel(path).load_sheet(sheet, header_row=None, dtypes="string").to_polars()
    return cells.with_columns(pl.all().replace("", None))


# Tables


def _products(wines: pl.DataFrame, words: Words) -> pl.DataFrame:
    """The products with what the sheets add to them."""
    total = float(wines["revenue"].sum()) or 1.0
    gained = (pl.col("rank_before") - pl.col("rank")).cast(pl.String)
    return wines.with_columns(
        share=pl.col("revenue").cast(pl.Float64) / total,
        cumulative_share=pl.col("revenue").cum_sum().cast(pl.Float64) / total,
        rank_change=pl.when("is_new").then(pl.lit(words.NEW_MARK)).otherwise(gained),
        class_mark=pl.when("is_premium").then(pl.lit(words.PREMIUM_MARK)),
    )


def _counts(row_counts: pl.DataFrame, words: Words) -> pl.DataFrame:
    """What became of the rows of each workbook, below how many there are."""
    order = pl.col("source").cast(pl.Enum(SOURCES))
    read = row_counts.group_by("source").agg(pl.col("rows").sum()).with_columns(read=pl.lit(value=True))
    counts = pl.concat([read, row_counts.with_columns(read=pl.lit(value=False))], how="diagonal_relaxed").sort(
        order, ~pl.col("read"), "disposition", "rule", "detail"
    )
    reasons = [
        words.rows_read(rows) if is_read else words.reason(rule, detail)
        for rows, is_read, rule, detail in counts.select("rows", "read", "rule", "detail").iter_rows()
    ]
    return counts.select(
        pl.col("source").cast(pl.String).replace(dict(words.SOURCES)),
        pl.col("disposition").cast(pl.String).replace(words.DISPOSITIONS),
        pl.Series("reason", reasons, pl.String),
        "rows",
        pl.col("units").alias("rejected_units"),
    )


def _told_issues(issues: pl.DataFrame, words: Words) -> pl.DataFrame:
    told = {
        "severity": [words.SEVERITIES[one] for one in issues["severity"]],
        "disposition": [one and words.DISPOSITIONS[one] for one in issues["disposition"]],
        "remedy": [words.REMEDIES.get(one, one) for one in issues["remedy"]],
        "problem": [words.problem(one) for one in issues["rule"]],
    }
    return _texts(issues).with_columns(pl.Series(name, texts, pl.String) for name, texts in told.items())


def _audit_table(
    where: str, cells: pl.DataFrame, expected: pl.DataFrame, names: Sequence[str], words: Words
) -> list[str]:
    """The rows below the headings, and the totals above them."""
    header = _header_row(cells, {name: words.HEADINGS[name] for name in names})
    if header is None:
        return [contradictions.no_header(where)]
    index, columns = header
    right = expected.select(names).head(ROW_LIMIT - index - 1)
    table = cells.slice(index + 1).select(pl.col(column).alias(name) for name, column in columns.items())
    found = _differences(where, _as_stored(table, right), _as_cells(right))

    totals = cells.row(index - 1, named=True) if index else {}
    if words.TOTAL_SHOWN in totals.values():
        for name in (name for name in _TOTALS if name in names):
            total, sum_of_rows = totals[columns[name]], float(right[name].sum())
            if _number(total) != sum_of_rows:
                label = f"{words.TOTAL_SHOWN}, {words.HEADINGS[name]}"
                found.append(contradictions.wrong_figure(where, label, total, sum_of_rows))
    return found


def _header_row(cells: pl.DataFrame, expected: Mapping[str, str]) -> tuple[int, dict[str, str]] | None:
    """The first row that holds all headings, and for each name the column under its heading."""
    wanted = list(expected.values())
    for index, row in enumerate(cells.head(_HEADER_WITHIN).iter_rows()):
        if set(wanted) <= set(row):
            return index, {name: cells.columns[row.index(heading)] for name, heading in expected.items()}
    return None


_HEADER_WITHIN = 10


# Summary and About


def _audit_summary(
    where: str, cells: pl.DataFrame, wines: pl.DataFrame, summary: MonthSummary, words: Words
) -> list[str]:
    rows = list(cells.iter_rows())
    half = next((row.index(words.STOCK_SECTION) for row in rows if words.STOCK_SECTION in row), 0)
    below = {
        label: [rows[index + step][column] for step in (1, 2, 3) if index + step < len(rows)]
        for index, row in reversed(list(enumerate(rows)))
        for column, label in enumerate(row)
        if label is not None
    }
    beside = {
        (column, row[column]): [cell for cell in row[column + 1 : column + half] if cell is not None]
        for row in reversed(rows)
        for column in {0, half}
        if row[column] is not None
    }
    found = []
    for label, figures in _expected_tiles(wines, summary, words):
        found += _wrong_figures(where, label, below.get(label, []), figures)
    for column, label, figures in [
        *((0, *line) for line in _expected_lines(wines, summary, words)),
        *((half, *line) for line in _expected_stock(summary, words)),
    ]:
        found += _wrong_figures(where, label, beside.get((column, label), []), figures)
    sentences = set(cells.to_series(0))
    found += [
        contradictions.wrong_figure(where, "the text", "nothing", sentence)
        for sentence in _expected_sentences(summary, words)
        if sentence not in sentences
    ]
    return [*found, *_audit_missing(where, rows, summary.row_counts, words)]


def _wrong_figures(where: str, label: str, shown: Sequence[str | None], expected: Sequence[object]) -> list[str]:
    """A sentence for the first of the figures that is not what it should be."""
    padded = [*shown, *[None] * len(expected)][: len(expected)]
    for there, right in zip(padded, expected, strict=True):
        number = _number(there)
        if isinstance(right, str):
            same = there == right
        else:
            same = number is not None and math.isclose(number, float(right), rel_tol=0, abs_tol=_SHARE_TOLERANCE)  # type: ignore[arg-type]
        if not same:
            return [contradictions.wrong_figure(where, label, there, right)]
    return []


def _expected_tiles(wines: pl.DataFrame, summary: MonthSummary, words: Words) -> Told:
    """Under each label the figure, its change where there is one, and the remark."""
    figures, before = summary.figures, summary.comparison
    share = figures.premium_revenue / figures.revenue if figures.revenue else Decimal(0)
    revenue = wines["revenue"].sort(descending=True)
    reached = revenue.cum_sum() * 5 >= figures.revenue * 4
    carrying = int((~reached).sum()) + 1 if figures.revenue else 0
    tiles: Told = [
        (words.REVENUE_LABEL, [figures.revenue, words.revenue_note(figures)]),
        (words.UNITS_LABEL, [figures.units, words.unsold_note(int((wines["total_sales"] == 0).sum()))]),
        (words.PRODUCTS_LABEL, [figures.products, words.classes_note(figures)]),
        (words.CARRYING_LABEL, [carrying, words.carrying_note(Decimal(carrying) / wines.height)]),
        (words.PREMIUM_LABEL, [figures.premium, words.threshold_note(figures)]),
        (words.PREMIUM_SHARE_LABEL, [share, words.amount(figures.premium_revenue)]),
    ]
    if before is None:
        return tiles

    def changed(now: Decimal, then: Decimal, spelled: str) -> str:
        return words.change(spelled, now - then, then) if now != then else words.no_change()

    def moved(now: int, then: int) -> str:
        return words.signed(words.number(now - then)) if now != then else words.no_change()

    was_share = before.premium_revenue_before / before.revenue_before if before.revenue_before else Decimal(0)
    more = words.amount(figures.revenue - before.revenue_before)
    more_units = words.number(figures.units - before.units_before)
    changes = [
        changed(figures.revenue, before.revenue_before, more),
        changed(Decimal(figures.units), Decimal(before.units_before), more_units),
        words.products_change(moved(figures.products, before.products_before), before),
        moved(carrying, before.carrying_before),
        words.premium_change(moved(figures.premium, before.premium_before), before),
        words.points(share, was_share),
    ]
    return [(label, [value, change, note]) for (label, (value, note)), change in zip(tiles, changes, strict=True)]


def _expected_lines(wines: pl.DataFrame, summary: MonthSummary, words: Words) -> Told:
    """Beside each label of the left half, the figures from left to right."""
    figures, before = summary.figures, summary.comparison
    if before is None:
        units = int(wines.filter("is_premium")["total_sales"].sum())
        ordinary = figures.revenue - figures.premium_revenue
        return [
            (words.PREMIUM_MARK, [figures.premium, units, figures.premium_revenue]),
            (words.ORDINARY, [figures.ordinary, figures.units - units, ordinary]),
            (words.ALL_PRODUCTS, [figures.products, figures.units, figures.revenue]),
        ]
    return [
        (words.month_name(before.month), [before.products_before, before.units_before, before.revenue_before]),
        (words.SOLD_SINCE, [before.units_sold, before.sold_value]),
        (words.PRICE_EFFECT, [before.repriced, before.price_effect]),
        (words.NEW_PRODUCTS, [before.new_products, before.new_units, before.new_revenue]),
        (words.GONE_PRODUCTS, [before.gone_products, -before.gone_units, -before.gone_revenue]),
        (words.FALLEN_COUNTERS, [before.fallen_products, -before.fallen_units, -before.fallen_value]),
        (words.month_name(summary.parameters.month), [figures.products, figures.units, figures.revenue]),
    ]


def _expected_stock(summary: MonthSummary, words: Words) -> Told:
    """Beside each label of the right half, the figures from left to right."""
    stock = summary.stock
    counts: dict[str, list[str | int | Decimal]] = {
        "sold_out": [stock.sold_out, words.sold_out_note(stock)],
        "nearly_out": [stock.nearly_out, words.nearly_out_note()],
        "idle": [stock.idle, words.idle_note(stock)],
    }
    if stock.unknown:
        counts["unknown"] = [stock.unknown, words.unknown_note()]
    return [(words.STOCK_STATES[state].capitalize(), figures) for state, figures in counts.items()]


def _expected_sentences(summary: MonthSummary, words: Words) -> list[str]:
    before = summary.comparison
    if before is None:
        return [words.FIRST_MONTH]
    return [words.since(before), *([words.fallen_warning(before)] if before.fallen_products else [])]


def _audit_missing(where: str, rows: list[tuple[str | None, ...]], row_counts: pl.DataFrame, words: Words) -> list[str]:
    """The sentence about what is missing, and every reason that is named with what it carries."""
    rejected = row_counts.filter(pl.col("disposition") == "rejected")
    at = next((index for index, row in enumerate(rows) if row[0] == words.MISSING), len(rows))
    told = [[cell for cell in row if cell is not None] for row in rows[at + 1 :]]
    if rejected.is_empty():
        sentence = words.NOTHING_MISSING
    else:
        sentence = words.missing_summary(int(rejected["rows"].sum()), int(rejected["units"].sum()))
    found = [] if [sentence] in told else [contradictions.wrong_figure(where, words.MISSING, None, sentence)]
    right = [
        [words.SOURCES[source], words.reason(rule, detail), str(number), *([str(units)] if units is not None else [])]
        for source, rule, detail, number, units in rejected.select(
            "source", "rule", "detail", "rows", "units"
        ).iter_rows()
    ]
    reasons = [line for line in told[2:] if len(line) > 1]
    found += [
        contradictions.wrong_figure(where, words.MISSING, ", ".join(line), "a reason and its rows")
        for line in reasons
        if line not in right
    ]
    left_out = len(right) - len(reasons)
    if left_out and [words.other_reasons(left_out)] not in told:
        found.append(contradictions.wrong_figure(where, words.MISSING, len(reasons), len(right)))
    return found


def _audit_about(
    where: str, cells: pl.DataFrame, summary: MonthSummary, inputs: Sequence[FetchedWorkbook], words: Words
) -> list[str]:
    """The workbooks by name, size and sha256, the parameters, and the month compared with."""
    parameters, before = summary.parameters, summary.comparison
    expected = [
        *(
            (
                words.SOURCES[book.source],
                words.workbook(book.file, book.path.stat().st_size, hashlib.sha256(book.path.read_bytes()).hexdigest()),
            )
            for book in inputs
        ),
        (words.PARAMETERS["month"], words.month_name(parameters.month)),
        (words.PARAMETERS["premium_threshold"], words.score(parameters.premium_threshold)),
        (words.PARAMETERS["csv_dialect"], words.CSV_DIALECTS[parameters.csv_dialect]),
        (words.BASELINE_MONTH, words.month_name(before.month) if before else words.FIRST_MONTH),
        *([(words.BASELINE_IDENTITY, before.identity)] if before else []),
    ]
    told = set(cells.select(cells.columns[:2]).iter_rows())
    return [
        contradictions.wrong_figure(where, term, "something else", meaning)
        for term, meaning in expected
        if (term, meaning) not in told
    ]


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


_TOLERANCES = {
    "z_score": _Z_TOLERANCE,
    **dict.fromkeys(("share", "cumulative_share", "months_left"), _SHARE_TOLERANCE),
}


def _differences(where: str, found: pl.DataFrame, expected: pl.DataFrame) -> list[str]:
    """One sentence for a wrong number of rows, else one per column that differs."""
    if found.height != expected.height:
        return [contradictions.wrong_length(where, found.height, expected.height)]
    sentences = []
    for name in expected.columns:
        there, right = found[name], expected[name]
        differs = there.ne_missing(right)
        if tolerance := _TOLERANCES.get(name):
            differs &= ((there - right).abs() > tolerance).fill_null(value=True)
        if differs.any():
            rows = differs.arg_true()
            first = rows[0]
            sentences.append(contradictions.wrong_values(where, name, len(rows), first + 1, there[first], right[first]))
    return sentences


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
