"""What is wrong with a header, all at once."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from tasks.domain import rules
from tasks.domain.issues import Issue, shortened
from tasks.domain.sources import COLUMNS, Source, required_columns
from tasks.workbook.header import Header, distance, normal_title

_SHOWN_NAMES = 12
_SHOWN_CHARACTERS = 5


def header_issues(headers: Sequence[Header], source: Source, file: str) -> list[Issue]:
    """Why none of the visible sheets, or more than one, is the sheet of `source`; see `header.readable`."""
    complete = [header for header in headers if not header.missing]
    if len(complete) > 1:
        names = ", ".join(f'"{header.sheet}"' for header in complete)
        return [Issue(file, rules.SEVERAL_SHEETS.code, sheet=one.sheet, row=one.row, value=names) for one in complete]
    header = complete[0] if complete else min(headers, key=distance)
    if header.belongs_to is not None:
        columns = f"columns of {header.belongs_to}: {', '.join(required_columns(header.belongs_to))}"
        return [Issue(file, rules.OTHER_SOURCE.code, sheet=header.sheet, value=columns)]
    missing = [
        Issue(
            file,
            rules.MISSING_COLUMN.code,
            sheet=header.sheet,
            row=header.row or None,
            column=column,
            value=f"found: {_names(header.titles.values())}",
            remedy=_renaming(column, header, source),
        )
        for column in header.missing
    ]
    doubled = [
        Issue(
            file,
            rules.DOUBLED_COLUMN.code,
            sheet=header.sheet,
            row=header.row,
            cell=f"{letter}{header.row}",
            column=column,
            value=header.titles[letter],
        )
        for column, letters in header.named.items()
        if len(letters) > 1
        for letter in letters
    ]
    return missing + doubled


def _renaming(column: str, header: Header, source: Source) -> str | None:
    """The remedy for a missing column if there is a similar title; else None, for the rule's own remedy."""
    declared = {normal_title(name) for name in COLUMNS[source]}
    others = {
        normal_title(title): f'"{_visible(title)}" ({letter}{header.row}{_odd_characters(title)})'
        for letter, title in header.titles.items()
        if normal_title(title) not in declared
    }
    nearest = get_close_matches(column, others, n=1)
    return f'Rename {others[nearest[0]]} to "{column}", then run again.' if nearest else None


def _visible(title: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shortened(title))


def _odd_characters(title: str) -> str:
    """The code points of the characters of a title that are invisible or look like others."""
    codes = dict.fromkeys(f"U+{ord(character):04X}" for character in title if not character.isascii())
    return f", with {', '.join(list(codes)[:_SHOWN_CHARACTERS])}" if codes else ""


def _names(titles: Iterable[str]) -> str:
    names = [shortened(title) for title in titles]
    shown = ", ".join(names[:_SHOWN_NAMES]) or "nothing"
    return shown if len(names) <= _SHOWN_NAMES else f"{shown} and {len(names) - _SHOWN_NAMES} more"
