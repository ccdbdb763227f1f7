"""What the dashboard shows of a run, as text and tables; nothing here knows Prefect.

Titles, cells and file names come from people and from shops: in Markdown each of them is text, whatever it holds.
"""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from tasks.domain.figures import MonthSummary
from tasks.domain.issues import shortened
from tasks.domain.rules import RULES, SEVERITIES
from tasks.domain.schemas import SOURCES, Source
from tasks.headline import Line, change_heading, counted, headline, movement, stock_sentence
from tasks.publication.publisher import PublishedMonth

TOP_WINES = 10
LONGEST_TABLE = 500
"""Rows of a table that a page shows in a moment."""

BAR_WIDTH = 8
_TITLE_LENGTH = 72
"""Room for the vintage, which stands last."""
_EIGHTHS = " ▏▎▍▌▋▊▉"

_SOURCE_NAMES: dict[Source, str] = {"erp": "ERP", "liaison": "Link table", "web": "Web shop"}
_MARKS = re.compile(r"([\\`*_\[\]<>&|~#!$])")
_LINK_STARTS = re.compile(r"(?=://|@)|(?<=www)(?=\.)", re.IGNORECASE)
_CELL_LINKS = re.compile(rf"(?<=<)|(?<=\])(?=[(\[:])|{_LINK_STARTS.pattern}", re.IGNORECASE)
_JOINER = "\N{WORD JOINER}"


def month_markdown(published: PublishedMonth, summary: MonthSummary, wines: pl.DataFrame) -> str:
    """The month on one page.

    Args:
        published: What stands at the destination.
        summary: The month's figures.
        wines: One row per product (`ComparedWine`), in its order.
    """
    comparison = summary.comparison
    since, moved = None, "There is no earlier month to compare with."
    if comparison:
        since, moved = change_heading(comparison), movement(comparison)
    return "\n\n".join([
        f"# Wine sales {published.month}",
        text(published.sentence()),
        _figures(published, headline(published.figures, comparison), since),
        text(moved),
        "## The wines with the most revenue",
        _top_wines(wines, compared=comparison is not None),
        "## Stock",
        text(stock_sentence(summary.stock)),
        "## Rows",
        _rows(summary),
        "## Files",
        _files(published),
    ])  # fmt: skip


def unchanged_markdown(published: PublishedMonth) -> str:
    """The month of a run that found it published already."""
    return "\n\n".join([
        f"# Wine sales {published.month}",
        text(published.sentence()),
        _figures(published, headline(published.figures), None),
        "## Files",
        _files(published),
    ])  # fmt: skip


def quality_table(summary: MonthSummary, issues: pl.DataFrame, files: Mapping[Source, str]) -> list[dict[str, object]]:
    """How many rows had which fate, and which cells are worth a look; what stops a run first.

    Args:
        summary: With the fate of every row.
        issues: Every issue (`DataIssue`).
        files: Name of each source's workbook.
    """
    sources = {file: source for source, file in files.items()}
    fates = summary.row_counts.select("source", "disposition", "rule", "detail", "rows", "units")
    told = {(row["source"], row["rule"]): row["severity"] for row in _issue_counts(issues, sources)}
    table = [
        _quality_row(row, told.get((row["source"], row["rule"])) or _severity(row["rule"]))
        for row in fates.iter_rows(named=True)
    ]
    known = {(row["source"], row["rule"]) for row in fates.iter_rows(named=True)}
    table += [
        _quality_row(row, row["severity"])
        for row in _issue_counts(issues, sources)
        if (row["source"], row["rule"]) not in known
    ]
    order = (*SEVERITIES, "")
    return sorted(table, key=lambda row: order.index(str(row["Severity"])))


def _issue_counts(issues: pl.DataFrame, sources: Mapping[str, Source]) -> list[dict[str, object]]:
    grouped = issues.group_by("file", "disposition", "rule", "severity", maintain_order=True).len("rows")
    return [row | {"source": sources.get(row["file"]), "units": None} for row in grouped.iter_rows(named=True)]


def _severity(rule: str | None) -> str:
    return "" if rule is None else RULES[rule].severity


def _quality_row(row: Mapping[str, object], severity: object) -> dict[str, object]:
    rule, detail = row["rule"], row.get("detail")
    source = row["source"]
    return {
        "Workbook": _SOURCE_NAMES[source] if source in SOURCES else cell(str(row.get("file", source))),
        "Row is": row["disposition"] or "",
        "Reason": "" if rule is None else cell(f"{rule}: {detail}") if detail else rule,
        "Severity": severity,
        "Rows": row["rows"],
        "Units": "" if row["units"] is None else row["units"],
        "What to do": "" if rule is None else RULES[str(rule)].remedy,
    }


def refused_table(issues: pl.DataFrame, listed: str) -> list[dict[str, object]]:
    """The issues of refused data, errors first; where they are too many, the last row says so.

    Args:
        issues: Every issue (`DataIssue`).
        listed: Where the full list is.
    """
    by_severity = issues.sort(pl.col("severity").cast(pl.Enum(SEVERITIES)).to_physical(), maintain_order=True)
    table = [
        {
            "File": cell(issue["file"]),
            "Sheet": cell(issue["sheet"] or ""),
            "Cell": issue["cell"] or "",
            "Column": issue["column"] or "",
            "Value": "" if issue["value"] is None else cell(issue["value"]),
            "What is wrong": RULES[issue["rule"]].sentence,
            "What to do": issue["remedy"],
            "Rule": issue["rule"],
            "Severity": issue["severity"],
        }
        for issue in by_severity.head(LONGEST_TABLE).iter_rows(named=True)
    ]
    if issues.height > LONGEST_TABLE:
        rest = f"… and {counted(issues.height - LONGEST_TABLE, 'issue')} more. All of them are in {listed}"
        table.append(dict.fromkeys(table[0], "") | {"File": rest})
    return table


def _figures(published: PublishedMonth, lines: list[Line], since: str | None) -> str:
    if since is None:
        rows = [f"| {line.name} | **{text(line.value)}** |" for line in lines]
        return "\n".join([f"| | {published.month} |", "| --- | ---: |", *rows])
    rows = [f"| {line.name} | **{text(line.value)}** | {text(line.change)} |" for line in lines]
    return "\n".join([f"| | {published.month} | {text(since)} |", "| --- | ---: | ---: |", *rows])


def _top_wines(wines: pl.DataFrame, *, compared: bool) -> str:
    top = wines.head(TOP_WINES).to_dicts()
    most = max((wine["revenue"] for wine in top), default=Decimal(0))
    columns = {
        "": [f"{wine['rank']}" for wine in top],
        "Was": ["new" if wine["is_new"] else f"{wine['rank_before']}" for wine in top],
        "Wine": [text(shortened(wine["post_title"] or f"Product {wine['product_id']}", _TITLE_LENGTH)) for wine in top],
        "Units": [f"{wine['total_sales']:,}" for wine in top],
        "Sold since": ["" if wine["sold_since"] is None else f"{wine['sold_since']:+,}" for wine in top],
        "EUR": [f"{wine['revenue']:,.2f}" for wine in top],
        " ": [bar(wine["revenue"], most) for wine in top],
    }
    if not compared:
        del columns["Was"], columns["Sold since"]
    rules = ["---" if heading in {"Wine", " "} else "---:" for heading in columns]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [columns, rules, *zip(*columns.values(), strict=True)])


def _rows(summary: MonthSummary) -> str:
    counts = summary.row_counts
    rows = []
    for source in SOURCES:
        of = counts.filter(source=source)
        fates = [int(of.filter(disposition=fate)["rows"].sum()) for fate in ("used", "ignored", "rejected")]
        rows.append(f"| {_SOURCE_NAMES[source]} | {' | '.join(f'{n:,}' for n in (sum(fates), *fates))} |")
    figures = summary.figures
    classes = f"{figures.premium:,} premium and {figures.ordinary:,} ordinary"
    joined = f"They make {counted(figures.products, 'product')}: {classes}."
    head = "| Workbook | Read | Used | Ignored | Rejected |\n| --- | ---: | ---: | ---: | ---: |"
    return "\n".join([head, *rows, "", joined])


def _files(published: PublishedMonth) -> str:
    return "\n".join(f"- {code(address)}" for address in published.addresses)


def bar(value: Decimal, most: Decimal) -> str:
    """A bar as long as the value's share of the greatest one, in eighths of a character."""
    eighths = int(value / most * BAR_WIDTH * 8) if most else 0
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def one_line(value: str) -> str:
    """The value without line breaks, control and direction characters, which could make it look like another."""
    visible = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in value)
    return " ".join("".join(c for c in visible if unicodedata.category(c) != "Cf").split())


def text(value: str) -> str:
    """The value as Markdown that shows just it: no mark, no HTML, and no link, not even from a bare address."""
    return _MARKS.sub(r"\\\1", _LINK_STARTS.sub(_JOINER, one_line(value)))


def cell(value: str) -> str:
    """The value for a table, which one look of the dashboard shows as Markdown and the other as it is.

    So no mark can be escaped: what could become HTML or a link is cut by a character that nobody sees.
    """
    return _CELL_LINKS.sub(_JOINER, one_line(value))


def code(value: str) -> str:
    """The value as Markdown code."""
    line = one_line(value)
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    space = " " if "`" in line else ""
    return f"{ticks}{space}{line}{space}{ticks}"
