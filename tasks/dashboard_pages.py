"""What the dashboard shows of a run, as text and tables in the language of the run; nothing here knows Prefect.

Titles, cells and file names come from people and from shops: in Markdown each of them is text, whatever it contains.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars as pl

from tasks.domain.period import BEST_SELLERS, list_best_sellers
from tasks.domain.rules import RULES, SEVERITIES
from tasks.domain.sources import SOURCES
from tasks.messages import Messages, mark
from tasks.report.content import (
    DISPOSITIONS,
    SEVERITY_NAMES,
    SOURCE_NAMES,
    Report,
    reason,
    remedy,
    title,
    word_issues,
)
from tasks.report.headline import Headline, headline

LONGEST_TABLE = 500
"""Rows of a table that a page shows in a moment."""

BAR_WIDTH = 8
_TITLE_LENGTH = 72
_EIGHTHS = " ▏▎▍▌▋▊▉"

_MARKS = re.compile(r"([\\`*_\[\]<>&|~#!$])")
_LINK_STARTS = re.compile(r"(?=://|@)|(?<=www)(?=\.)", re.IGNORECASE)
_CELL_LINKS = re.compile(rf"(?<=<)|(?<=\])(?=[(\[:])|{_LINK_STARTS.pattern}", re.IGNORECASE)
_JOINER = "\N{WORD JOINER}"


def month_markdown(outcome: str, addresses: Sequence[str], report: Report) -> str:
    """The snapshot on one page.

    Args:
        outcome: What was published, in a sentence.
        addresses: Where the files are.
        report: What the report shows.
    """
    messages, shown = report.messages, headline(report)
    return "\n\n".join(
        [
            *_top(outcome, shown),
            *_wines(report),
            "## " + messages.gettext(mark("Rows of the three workbooks")),
            _rows(report),
            *_files(addresses, messages),
        ]
    )


def unchanged_markdown(outcome: str, addresses: Sequence[str], shown: Headline, messages: Messages) -> str:
    """The snapshot of a run that found it published already."""
    return "\n\n".join([*_top(outcome, shown), *_files(addresses, messages)])


def _top(outcome: str, shown: Headline) -> list[str]:
    """The news, the figures with their changes, and the sentences below them."""
    width = max(len(tile.notes) for tile in shown.tiles)
    rows = [
        ["", shown.period, *[""] * width],
        ["---", "---:", *["---"] * width],
        *(
            [
                tile.label,
                f"**{plain(tile.text)}**",
                *map(plain, tile.notes),
                *[""] * (width - len(tile.notes)),
            ]
            for tile in shown.tiles
        ),
    ]
    lines = [
        f"- **{line.label}** {plain(line.text)}" if line.label else f"- {plain(line.text)}" for line in shown.lines
    ]
    return [f"# {shown.title}", plain(outcome), f"**{plain(shown.news)}**", _table(rows), "\n".join(lines)]


def _wines(report: Report) -> list[str]:
    """The best sellers of the period as a table with bars; to date where there is no earlier snapshot."""
    messages = report.messages
    if report.summary.period is None:
        wines, units, value = report.wines.head(BEST_SELLERS), "total_sales", "revenue"
        heading = messages.gettext(mark("Wines with the most revenue to date"))
    else:
        wines, units, value = list_best_sellers(report.wines.lazy()).collect(), "sold_units", "sold_value"
        heading = messages.gettext(mark("Best sellers of the period"))
    top = wines.select(title(_TITLE_LENGTH, messages).alias("title"), units, value).rows()
    most = max((amount for _, _, amount in top), default=Decimal(0))
    rows = [
        [messages.gettext(mark("Wine")), messages.gettext(mark("Bottles")), "€", ""],
        ["---", "---:", "---:", "---"],
        *(
            [plain(name), messages.number(sold), messages.money(amount), bar(amount, most)]
            for name, sold, amount in top
        ),
    ]
    return [f"## {heading}", _table(rows)]


def _rows(report: Report) -> str:
    messages = report.messages
    rows = [
        [
            messages.gettext(mark("Workbook")),
            messages.gettext(mark("read")),
            *map(messages.gettext, DISPOSITIONS.values()),
        ],
        ["---", *["---:"] * (1 + len(DISPOSITIONS))],
    ]
    for source in SOURCES:
        of = report.row_counts.filter(source=source)
        counts = [int(of.filter(disposition=one)["rows"].sum()) for one in DISPOSITIONS]
        rows.append([messages.gettext(SOURCE_NAMES[source]), *map(messages.number, (sum(counts), *counts))])
    return _table(rows)


def _files(addresses: Sequence[str], messages: Messages) -> list[str]:
    return ["## " + messages.gettext(mark("Files")), "\n".join(f"- {code(address)}" for address in addresses)]


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def quality_title(report: Report) -> str:
    """What the table of data checks shows."""
    return report.messages.gettext(
        mark("Every row of the three workbooks is used, ignored or rejected; here is how many and why.")
    )


def quality_table(report: Report) -> list[dict[str, object]]:
    """How many rows have which disposition, and which cells need a look; what stops a run first."""
    messages, sources = report.messages, {book.file: book.source for book in report.workbooks}
    grouped = report.translated_issues.group_by("file", "disposition", "rule", "severity", maintain_order=True).len(
        "rows"
    )
    found = [
        row | {"source": sources.get(row["file"]), "units": None, "detail": None}
        for row in grouped.iter_rows(named=True)
    ]
    severities = {(row["source"], row["rule"]): row["severity"] for row in found}
    counted = [
        row
        | {
            "severity": severities.get((row["source"], row["rule"]))
            or (RULES[row["rule"]].severity if row["rule"] else "")
        }
        for row in report.row_counts.iter_rows(named=True)
    ]
    known = {(row["source"], row["rule"]) for row in counted}
    rows = [*counted, *(row for row in found if (row["source"], row["rule"]) not in known)]
    order = (*SEVERITIES.categories, "")
    # What costs sales comes first within its severity.
    ordered = sorted(rows, key=lambda row: (order.index(row["severity"]), -(row["units"] or 0)))
    return [_quality_row(row, messages) for row in ordered]


def _quality_row(row: Mapping[str, object], messages: Messages) -> dict[str, object]:
    rule, source = row["rule"], row["source"]
    detail = row["detail"] and cell(str(row["detail"]))
    return {
        messages.gettext(mark("Workbook")): (
            messages.gettext(SOURCE_NAMES[source]) if source in SOURCES else cell(str(row.get("file", source)))
        ),
        messages.gettext(mark("Outcome")): _named(DISPOSITIONS, row["disposition"], messages),
        messages.gettext(mark("Reason")): reason(rule, detail, messages),  # type: ignore[arg-type]
        messages.gettext(mark("Severity")): _named(SEVERITY_NAMES, row["severity"], messages),
        messages.gettext(mark("Rows")): row["rows"],
        messages.gettext(mark("Bottles sold")): "" if row["units"] is None else row["units"],
        messages.gettext(mark("What to do")): remedy(str(rule), messages) if rule else "",
    }


def _named(names: Mapping[str, str], value: object, messages: Messages) -> str:
    return messages.gettext(names[str(value)]) if value else ""


def issue_table(issues: pl.DataFrame, listed: str, messages: Messages) -> list[dict[str, object]]:
    """Issues of refused data, what to do in the first columns; where they are too many, the last row says so.

    Args:
        issues: Issues of one severity (`DataIssue`).
        listed: Where the full list is.
        messages: The language of the run.
    """
    headings = [
        messages.gettext(one)
        for one in (
            mark("Severity"), mark("Cell"), mark("What is wrong"), mark("What to do"), mark("Value"), mark("Column"),
        )
    ]  # fmt: skip
    table: list[dict[str, object]] = [
        dict(zip(headings, (
            _named(SEVERITY_NAMES, issue["severity"], messages), _address(issue), cell(issue["problem"]),
            issue["remedy"], "" if issue["value"] is None else cell(issue["value"]),
            cell(issue["column"] or ""),
        ), strict=True))
        for issue in word_issues(issues.head(LONGEST_TABLE), messages).iter_rows(named=True)
    ]  # fmt: skip
    if issues.height > LONGEST_TABLE:
        rest = messages.ngettext(
            "… and {count} issue more. All of them are in {file}",
            "… and {count} issues more. All of them are in {file}",
            issues.height - LONGEST_TABLE,
            file=listed,
        )
        table.append({heading: rest if heading == headings[1] else "" for heading in headings})
    return table


def _address(issue: Mapping[str, object]) -> str:
    """File, sheet and cell as Excel shows them: erp.xlsx [Sheet1] C2."""
    sheet = f"[{issue['sheet']}]" if issue["sheet"] else ""
    return cell(" ".join(str(part) for part in (issue["file"], sheet, issue["cell"]) if part))


def bar(value: Decimal, most: Decimal) -> str:
    """A bar as long as the value's share of the greatest one, in eighths of a character."""
    eighths = int(value / most * BAR_WIDTH * 8) if most else 0
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def one_line(value: str) -> str:
    """The value without line breaks, control and direction characters, which could make it look like another."""
    visible = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in value)
    return re.sub(" +", " ", "".join(c for c in visible if unicodedata.category(c) != "Cf")).strip(" ")


def plain(value: str) -> str:
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
