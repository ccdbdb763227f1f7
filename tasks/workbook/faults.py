"""Why a workbook cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.domain import rules


class UnreadableWorkbookError(Exception):
    """The file cannot be read as a workbook.

    Attributes:
        reason: Follows the file's name in a sentence: `is a web page (HTML), not an .xlsx workbook`.
        rule: The code of the fault in the catalogue of issues.
        value: What was found, in a few words.
        cell: The address at which reading failed, when it was at a cell.
        sheet: The sheet at which reading failed, when it was at a sheet.
    """

    def __init__(
        self, reason: str, rule: str, value: str | None = None, cell: str | None = None, sheet: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rule = rule
        self.value = value
        self.cell = cell
        self.sheet = sheet


def something_else(likeness: str) -> UnreadableWorkbookError:
    """The file is no .xlsx workbook but what `likeness` says."""
    return UnreadableWorkbookError(f"is {likeness}, not an .xlsx workbook", rules.NOT_A_WORKBOOK.code, likeness)


def damaged(reason: str, value: str | None = None) -> UnreadableWorkbookError:
    """The file is an .xlsx workbook whose bytes are not those that were written."""
    return UnreadableWorkbookError(reason, rules.DAMAGED_WORKBOOK.code, value)


def too_large(reason: str, value: str, cell: str | None = None) -> UnreadableWorkbookError:
    """Reading the workbook would cost more than it could be worth."""
    return UnreadableWorkbookError(reason, rules.TOO_LARGE_WORKBOOK.code, value, cell)


def unreadable_cell(cell: str, content: str, fault: str) -> UnreadableWorkbookError:
    """A cell whose content has no certain meaning, such as `unreadable_cell("B2", "abc", "is stored as a number")`."""
    shown = content if len(content) <= _SHOWN_LENGTH else f"{content[: _SHOWN_LENGTH - 1]}…"
    return UnreadableWorkbookError(
        f'cannot be read: "{shown}" in {cell} {fault}', rules.UNREADABLE_CELL.code, f"{shown} ({fault})", cell
    )


_SHOWN_LENGTH = 40


@contextmanager
def at_sheet(name: str) -> Iterator[None]:
    """Add the sheet's name to what cannot be read in it."""
    try:
        yield
    except UnreadableWorkbookError as error:
        error.sheet = name
        raise
