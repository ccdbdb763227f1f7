"""Why a workbook cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tasks.domain import rules

_SHOWN_LENGTH = 40


@dataclass(eq=False)
class UnreadableWorkbookError(Exception):
    """The file cannot be read as a workbook.

    Attributes:
        rule: The code of the rule that it breaks.
        value: What was found, in a few words.
        cell: The address at which reading failed, when it was at a cell.
        sheet: The sheet at which reading failed, when it was at a sheet.
    """

    rule: str
    value: str | None = None
    cell: str | None = None
    sheet: str | None = None


def damaged(value: str) -> UnreadableWorkbookError:
    """The file is a damaged .xlsx workbook."""
    return UnreadableWorkbookError(rules.DAMAGED_WORKBOOK.code, value)


def too_large(value: str, cell: str | None = None) -> UnreadableWorkbookError:
    """The workbook is too large to be read."""
    return UnreadableWorkbookError(rules.TOO_LARGE_WORKBOOK.code, value, cell)


def unreadable_cell(cell: str, content: str, fault: str) -> UnreadableWorkbookError:
    """An ambiguous cell, such as `unreadable_cell("B2", "abc", "is stored as a number")`."""
    shown = content if len(content) <= _SHOWN_LENGTH else f"{content[: _SHOWN_LENGTH - 1]}…"
    return UnreadableWorkbookError(rules.UNREADABLE_CELL.code, f"{shown} ({fault})", cell)


@contextmanager
def at_sheet(name: str) -> Iterator[None]:
    """Add the sheet's name to what cannot be read in it."""
    try:
        yield
    except UnreadableWorkbookError as error:
        error.sheet = name
        raise
