"""The months of a backfill and their outcomes.

A month is compared with the ones published before it. So the months run in order, and after one that is not published
the later ones are not run: they would have to be run again once it is.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from tasks.domain.issues import WrongArgument
from tasks.domain.month import MONTH

OutcomeName = Literal["published", "unchanged", "refused", "failed", "stopped", "not run"]
OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)


@dataclass(frozen=True)
class MonthOutcome:
    """The outcome of one month.

    Attributes:
        month: `YYYY-MM`.
        outcome: `published` by this backfill or found `unchanged`; `refused` data; `failed` for another reason;
            `stopped` with the backfill; or `not run`.
        revision: The revision that counts, where the month is published.
        revenue: Its revenue, EUR.
        reason: Why it is not published, in one sentence.
    """

    month: str
    outcome: OutcomeName
    revision: int | None = None
    revenue: Decimal | None = None
    reason: str = ""

    def sentence(self) -> str:
        """The line in a log."""
        if self.revision is None or self.revenue is None:
            return f"{self.month} {self.outcome}: {self.reason}"
        return f"{self.month} {self.outcome} (revision {self.revision}), {self.revenue:,.2f} EUR"


def months_to_run(first: str, last: str) -> list[str]:
    """Every month from the first to the last, both of them included.

    Raises:
        WrongArgument: One of them is not a month, or the first comes after the last.
    """
    for name, month in (("first", first), ("last", last)):
        if not MONTH.fullmatch(month):
            raise WrongArgument(f'{name}: "{month}" is not a month. Write it as YYYY-MM, such as 2024-01.')
    if first > last:
        raise WrongArgument(f"first: {first} comes after {last}.")
    start, end = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (first, last))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(start, end + 1)]


def check_source(source: str) -> None:
    """Refuse a source that gives every month the same workbooks.

    Raises:
        WrongArgument: It has no `{month}`.
    """
    if "{month" not in source:
        raise WrongArgument(f'source: "{source}" has no {{month}}, so every month would be made from the same files.')


def whole_table(lines: Sequence[MonthOutcome], months: Sequence[str]) -> list[MonthOutcome]:
    """The lines of the months that were run, and of those that were not."""
    missing = months[len(lines) :]
    return [*lines, *(MonthOutcome(month, "not run", reason=f"{lines[-1].month} comes first.") for month in missing)]


def count_outcomes(lines: Iterable[MonthOutcome]) -> str:
    """`5 published, 1 refused, 2 not run`."""
    counts = Counter(line.outcome for line in lines)
    return ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in OUTCOMES if counts[outcome])


def table_rows(lines: Iterable[MonthOutcome]) -> list[dict[str, object]]:
    """The lines as people see them, by column."""
    return [
        {
            "Month": line.month,
            "Outcome": line.outcome,
            "Revision": "" if line.revision is None else str(line.revision),
            "Revenue (EUR)": "" if line.revenue is None else f"{line.revenue:,.2f}",
            "What went wrong": line.reason,
        }
        for line in lines
    ]


def text_table(lines: Sequence[MonthOutcome]) -> str:
    """The table for a terminal, without empty columns."""
    rows = [{name: str(value) for name, value in row.items()} for row in table_rows(lines)]
    columns = [name for name in rows[0] if any(row[name] for row in rows)]
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in columns}

    def cell(name: str, value: str) -> str:
        return value.rjust(widths[name]) if name.startswith("Rev") else value.ljust(widths[name])

    header = {name: name for name in columns}
    return "\n".join("  ".join(cell(name, row[name]) for name in columns).rstrip() for row in (header, *rows))
