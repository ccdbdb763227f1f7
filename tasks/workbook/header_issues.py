"""What is wrong with a header, all at once."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from tasks.domain import rules
from tasks.domain.issues import DataRefused, Issue, issue_frame, shortened
from tasks.domain.sources import COLUMNS, SOURCES, Source, required_columns
from tasks.workbook.header import Header, closeness, normal_title

_SHOWN_NAMES = 12
_SHOWN_CHARACTERS = 5


def refuse_headers(headers: Sequence[Header], source: Source, file: str) -> NoReturn:
    """Say why none of the visible sheets, or more than one, is the sheet of `source`; see `header.readable`.

    Raises:
        DataRefused: Always; all that is wrong with the header is in it.
    """
    complete = [header for header in headers if not header.missing]
    if len(complete) > 1:
        names = [header.sheet for header in complete]
        raise DataRefused(
            f"{file} has {len(complete)} sheets with the columns of {source}: {_quoted(names)}.",
            issue_frame(
                Issue(file, rules.SEVERAL_SHEETS.code, sheet=header.sheet, row=header.row, value=_quoted(names))
                for header in complete
            ),
        )
    header = complete[0] if complete else max(headers, key=closeness)
    if header.belongs_to in SOURCES:
        columns = ", ".join(required_columns(header.belongs_to))
        raise DataRefused(
            f"{file} [{header.sheet}] has the columns of the {header.belongs_to} workbook, not of {source}: {columns}.",
            issue_frame(
                [
                    Issue(
                        file,
                        rules.OTHER_SOURCE.code,
                        sheet=header.sheet,
                        value=f"columns of {header.belongs_to}: {columns}",
                    )
                ]
            ),
        )
    _refuse_faults(header, source, file)


def _refuse_faults(header: Header, source: Source, file: str) -> NoReturn:
    missing, doubled = header.missing, header.doubled()
    found = _names(header.titles.values())
    issues = [
        Issue(
            file,
            rules.MISSING_COLUMN.code,
            sheet=header.sheet,
            row=header.row or None,
            column=column,
            value=f"found: {found}",
            remedy=_renaming(column, header, source),
        )
        for column in missing
    ]
    issues += [
        Issue(
            file,
            rules.DOUBLED_COLUMN.code,
            sheet=header.sheet,
            row=header.row,
            cell=f"{letter}{header.row}",
            column=column,
            value=header.titles[letter],
        )
        for column, letters in doubled.items()
        for letter in letters
    ]
    faults = []
    if missing:
        faults.append(f"has no column{'s' if len(missing) > 1 else ''} {_quoted(missing)}")
    for column, letters in doubled.items():
        cells = " and ".join(f"{letter}{header.row}" for letter in letters)
        faults.append(f'names the column "{column}" {len(letters)} times: {cells}')
    sentence = f"{file} [{header.sheet}] {'; it '.join(faults)}"
    raise DataRefused(f"{sentence}; found: {found}." if missing else f"{sentence}.", issue_frame(issues))


def _renaming(column: str, header: Header, source: Source) -> str | None:
    """What to do about a missing column when another one is probably meant; else what the catalogue says."""
    declared = {normal_title(name) for name in COLUMNS[source]}
    others = {
        normal_title(title): f'"{_visible(title)}" ({letter}{header.row}{_odd_characters(title)})'
        for letter, title in header.titles.items()
        if normal_title(title) not in declared
    }
    nearest = get_close_matches(column, others, n=1)
    return f'Rename {others[nearest[0]]} to "{column}", then run again.' if nearest else None


def _visible(title: str) -> str:
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in shortened(title))


def _odd_characters(title: str) -> str:
    """The characters of a title that nobody sees or that look like others, by their code points."""
    codes = dict.fromkeys(f"U+{ord(character):04X}" for character in title if not character.isascii())
    return f", with {', '.join(list(codes)[:_SHOWN_CHARACTERS])}" if codes else ""


def _names(titles: Iterable[str]) -> str:
    names = [shortened(title) for title in titles]
    shown = ", ".join(names[:_SHOWN_NAMES]) or "nothing"
    return shown if len(names) <= _SHOWN_NAMES else f"{shown} and {len(names) - _SHOWN_NAMES} more"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
