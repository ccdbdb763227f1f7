"""What the dashboard shows of a run, as text and tables in the language of the run; does not import Prefect.

Titles, cells and file names come from workbooks: they are escaped, so that Markdown shows them as plain text.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars as pl

from tasks.domain.sources import SOURCES
from tasks.messages import Messages, messages_in
from tasks.publication.publisher import PublishedMonth
from tasks.report.content import DISPOSITION_NAMES, SEVERITY_NAMES, SOURCE_NAMES, Report, title
from tasks.report.issue_words import word_issues
from tasks.report.layout import CHECKS_NOTE, HEADINGS

LONGEST_TABLE = 500
"""Rows of a table; the page is slow with more of them."""

BAR_WIDTH = 8
_TITLE_LENGTH = 72
_EIGHTHS = " ▏▎▍▌▋▊▉"

_MARKS = re.compile(r"([\\`*_\[\]<>&|~#!$])")
_LINK_STARTS = re.compile(r"(?=://|@)|(?<=www)(?=\.)", re.IGNORECASE)
_CELL_LINKS = re.compile(rf"(?<=<)|(?<=\])(?=[(\[:])|{_LINK_STARTS.pattern}", re.IGNORECASE)
_JOINER = "\N{WORD JOINER}"


def month_markdown(published: PublishedMonth, report: Report | None = None) -> str:
    """The snapshot on one page.

    Args:
        published: What was published.
        report: Its report; None if another run wrote it.
    """
    text = messages_in(published.headline.language)
    rows = [*_wines(report), "## " + text.gettext("Rows of the three workbooks"), _rows(report)] if report else []
    return "\n\n".join([*_top(published), *rows, *_files(published, text)])


def _top(published: PublishedMonth) -> list[str]:
    """The news, the figures with their changes, and the sentences below them."""
    shown, outcome = published.headline, plain(published.sentence)
    width = max(len(tile.notes) for tile in shown.tiles)
    rows = [
        [tile.label, f"**{plain(tile.text)}**", *map(plain, tile.notes), *[""] * (width - len(tile.notes))]
        for tile in shown.tiles
    ]
    table = _table([""] * (2 + width), "lr" + "l" * width, rows)
    lines = [
        f"- **{line.label}** {plain(line.text)}" if line.label else f"- {plain(line.text)}" for line in shown.lines
    ]
    return [f"# {shown.title}", outcome, f"**{plain(shown.news)}**", plain(shown.period), table, "\n".join(lines)]


def _wines(report: Report) -> list[str]:
    """The best sellers as a table with bars."""
    text, top = report.messages, report.best_sellers
    wines = top.wines.select(title(_TITLE_LENGTH, text).alias("title"), "units", "value").rows()
    most = max((value for *_, value in wines), default=Decimal(0))
    rows = [[plain(name), text.number(units), text.money(value), bar(value, most)] for name, units, value in wines]
    return [f"## {top.heading}", _table([text.gettext("Wine"), text.gettext("Bottles"), "€", ""], "lrrl", rows)]


def _rows(report: Report) -> str:
    text, rows = report.messages, []
    for source in SOURCES:
        of = report.row_counts.filter(source=source)
        counts = [int(of.filter(disposition=one)["rows"].sum()) for one in DISPOSITION_NAMES]
        rows.append([text.gettext(SOURCE_NAMES[source]), *map(text.number, (sum(counts), *counts))])
    headings = [text.gettext(one) for one in (HEADINGS["source"], "read", *DISPOSITION_NAMES.values())]
    return _table(headings, "lrrrr", rows)


def _files(published: PublishedMonth, text: Messages) -> list[str]:
    """A link to the workbook, if a browser can follow it, and the addresses of all files."""
    heading, words = text.gettext("Files"), text.gettext("Open the workbook")
    link = [f"[{words}]({published.link})"] if published.link else []
    return [f"## {heading}", *link, "\n".join(f"- {code(address)}" for address in published.addresses)]


def _table(headings: Sequence[str], sides: str, rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns are aligned left or right: one letter, l or r, for each."""
    rule = ["---:" if side == "r" else "---" for side in sides]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows))


def quality_title(report: Report) -> str:
    """What the table of data checks shows."""
    return report.messages.gettext(CHECKS_NOTE)


def quality_table(report: Report) -> list[dict[str, object]]:
    """How many rows have which disposition, and which cells have issues; see `Report.quality`."""
    shown = ("source", "outcome", "reason", "severity", "rows", "rejected_units", "remedy")
    return _named(report.quality.select(shown), report.messages)


def _named(rows: pl.DataFrame, messages: Messages) -> list[dict[str, object]]:
    """The rows under the headings of the sheets, escaped."""
    return [
        {
            messages.gettext(HEADINGS[name]): cell(value) if isinstance(value, str) else "" if value is None else value
            for name, value in row.items()
        }
        for row in rows.iter_rows(named=True)
    ]


def issue_table(issues: pl.DataFrame, listed: str, messages: Messages) -> list[dict[str, object]]:
    """Issues of refused data, with what to do in the first columns; the last row says how many are left out.

    Args:
        issues: Issues of one severity (`DataIssue`).
        listed: Where the full list is.
        messages: The language of the run.
    """
    worded = word_issues(issues.head(LONGEST_TABLE), messages)
    severities = {name: messages.gettext(message) for name, message in SEVERITY_NAMES.items()}
    shown = worded.select(
        pl.col("severity").cast(pl.String).replace(severities),
        pl.Series("cell", [_address(issue) for issue in worded.iter_rows(named=True)], pl.String),
        "problem", "remedy", "value", "column",
    )  # fmt: skip
    table = _named(shown, messages)
    if issues.height > LONGEST_TABLE:
        rest = messages.ngettext(
            "… and {count} issue more. All of them are in {file}",
            "… and {count} issues more. All of them are in {file}",
            issues.height - LONGEST_TABLE,
            file=listed,
        )
        shown_in = HEADINGS["cell"]
        table.append({heading: rest if heading == messages.gettext(shown_in) else "" for heading in table[0]})
    return table


def _address(issue: Mapping[str, object]) -> str:
    """File, sheet and cell as Excel shows them: erp.xlsx [Sheet1] C2."""
    sheet = f"[{issue['sheet']}]" if issue["sheet"] else ""
    return " ".join(str(part) for part in (issue["file"], sheet, issue["cell"]) if part)


def bar(value: Decimal, most: Decimal) -> str:
    """A bar as long as the value's share of the greatest one, in eighths of a character."""
    eighths = int(value / most * BAR_WIDTH * 8) if most else 0
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def one_line(value: str) -> str:
    """The value without line breaks, control and direction characters, which could disguise it."""
    visible = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in value)
    return re.sub(" +", " ", "".join(c for c in visible if unicodedata.category(c) != "Cf")).strip(" ")


def plain(value: str) -> str:
    """The value as Markdown that shows it unchanged: no formatting, no HTML, and no link, not even for an address."""
    return _MARKS.sub(r"\\\1", _LINK_STARTS.sub(_JOINER, one_line(value)))


def cell(value: str) -> str:
    """The value for a table, which one version of the dashboard shows as Markdown and the other as plain text.

    So nothing can be escaped: an invisible character breaks up what could become HTML or a link.
    """
    return _CELL_LINKS.sub(_JOINER, one_line(value))


def code(value: str) -> str:
    """The value as Markdown code."""
    line = one_line(value)
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    space = " " if "`" in line else ""
    return f"{ticks}{space}{line}{space}{ticks}"
