"""Many months, of one shop or of several: which are wanted, in which order, and what came of each.

A month is compared with the one published before it. So the months of a shop run in order, and where one is not
published the shop's later ones are not run: compared with an older month, they would have to be made again as soon as
the missing one is repaired. Other shops go on.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from tasks.domain.issues import DataRefused, OutsideFailure, WrongArgument
from tasks.domain.month import MONTH

Outcome = Literal["published", "unchanged", "refused", "failed", "running", "not run"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_SHOP = re.compile(r"[A-Za-z0-9_-]+")
_RAISED = re.compile(r"Flow run encountered an exception: (\w+): (.*)", re.DOTALL)


@dataclass(frozen=True)
class Shop:
    """One shop and where its months are.

    Attributes:
        name: As it stands in `--shops`; empty where there is but one.
        source: With `{shop}` filled in; `{month}` is left to the flow.
        destination: With `{shop}` filled in.
    """

    name: str
    source: str
    destination: str


@dataclass(frozen=True)
class Line:
    """What came of one month of one shop.

    Attributes:
        shop: Empty where there is but one.
        month: `YYYY-MM`.
        outcome: `published` by this run or found `unchanged`; `refused` data; `failed` for another reason; still
            `running` when the command was interrupted; or `not run`.
        revision: The revision that counts, where the month is published.
        revenue: Its revenue, EUR.
        reason: Why it is not published, in one sentence.
    """

    shop: str
    month: str
    outcome: Outcome
    revision: int | None = None
    revenue: Decimal | None = None
    reason: str = ""

    @property
    def is_published(self) -> bool:
        """Whether the month stands at the destination as it was asked for."""
        return self.outcome in ("published", "unchanged")

    def sentence(self) -> str:
        """The line as a log tells it."""
        label = f"{self.shop} {self.month}".strip()
        if self.revision is None or self.revenue is None:
            return f"{label} {self.outcome}: {self.reason}"
        return f"{label} {self.outcome} (revision {self.revision}), {self.revenue:,.2f} EUR"


def months_between(first: str, last: str) -> list[str]:
    """Every month from the first to the last, both of them included.

    Raises:
        WrongArgument: One of them is not a month, or the first comes after the last.
    """
    for option, month in (("--from", first), ("--to", last)):
        if not MONTH.fullmatch(month):
            raise WrongArgument(f'{option}: "{month}" is not a month. Write it as YYYY-MM, such as 2024-01.')
    if first > last:
        raise WrongArgument(f"--from {first} comes after --to {last}.")
    start, end = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (first, last))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(start, end + 1)]


def shops_of(names: str, source: str, destination: str) -> list[Shop]:
    """The shops, each with its own places.

    Args:
        names: `lyon,paris`; or empty, for one shop that is not named.
        source: Must hold `{month}`, or every month would be made from the same workbooks; and `{shop}` where shops are
            named, or all of them would be.
        destination: Must hold `{shop}` where shops are named, or one shop would replace the other.

    Raises:
        WrongArgument: A place misses one of these or has it without a shop; or a name is empty, stands twice, or holds
            anything but letters, digits, - and _, which could lead out of a place.
    """
    if "{month" not in source:
        raise WrongArgument(f'--source: "{source}" holds no {{month}}: every month would be made from the same files.')
    places = {"--source": source, "--destination": destination}
    if not names:
        for option, place in places.items():
            if "{shop}" in place:
                raise WrongArgument(f'{option}: "{place}" holds {{shop}}. Name the shops with --shops.')
        return [Shop("", source, destination)]
    for option, place in places.items():
        if "{shop}" not in place:
            raise WrongArgument(f'{option}: "{place}" holds no {{shop}}, so the shops would share it.')
    shops = names.split(",")
    for name, count in Counter(shops).items():
        if not _SHOP.fullmatch(name):
            raise WrongArgument(f'--shops: "{name}" is not a name. Use letters, digits, - and _, with a comma between.')
        if count > 1:
            raise WrongArgument(f'--shops: "{name}" stands there more than once.')
    return [Shop(name, *(place.replace("{shop}", name) for place in places.values())) for name in shops]


def failed_line(shop: str, month: str, state: str, message: str) -> Line:
    """The line of a run that did not complete.

    Args:
        shop: Whose month it is.
        month: The month.
        state: Name of the run's last state: Failed, Crashed, TimedOut, Cancelled.
        message: What that state says; for an exception its kind and its sentence.
    """
    if raised := _RAISED.fullmatch(message):
        kind, sentence = raised[1], " ".join(raised[2].split())
        if kind == DataRefused.__name__:
            return Line(shop, month, "refused", reason=sentence)
        is_told = kind in (OutsideFailure.__name__, WrongArgument.__name__)
        return Line(shop, month, "failed", reason=sentence if is_told else f"{kind}: {sentence}")
    return Line(shop, month, "failed", reason=f"{state}: {' '.join(message.split()) or 'it did not say why.'}")


def not_run_lines(shop: str, months: Iterable[str], missing: str) -> list[Line]:
    """The lines of the months after one that was not published."""
    return [Line(shop, month, "not run", reason=f"{missing} comes first.") for month in months]


def count_outcomes(lines: Iterable[Line]) -> str:
    """`5 published, 1 refused, 2 not run`."""
    counts = Counter(line.outcome for line in lines)
    return ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in OUTCOMES if counts[outcome])


def table_rows(lines: Iterable[Line]) -> list[dict[str, str]]:
    """The lines as people see them, by column."""
    return [
        {
            "Shop": line.shop,
            "Month": line.month,
            "Outcome": line.outcome,
            "Revision": "" if line.revision is None else str(line.revision),
            "Revenue (EUR)": "" if line.revenue is None else f"{line.revenue:,.2f}",
            "What went wrong": line.reason,
        }
        for line in lines
    ]


def text_table(lines: Sequence[Line]) -> str:
    """The table for a terminal, without columns in which nothing stands."""
    rows = table_rows(lines)
    columns = [name for name in rows[0] if any(row[name] for row in rows)]
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in columns}

    def cell(name: str, value: str) -> str:
        return value.rjust(widths[name]) if name.startswith("Rev") else value.ljust(widths[name])

    header = {name: name for name in columns}
    return "\n".join("  ".join(cell(name, row[name]) for name in columns).rstrip() for row in (header, *rows))
