"""Which sheet is meant, and in which row its columns are named."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches

from tasks.domain.issues import DataRefused, Issue, issue_frame, shortened
from tasks.domain.schemas import SHEETS, SOURCES, Source, required_columns

SEARCHED_ROWS = 50
_SHOWN_NAMES = 12

Grid = Sequence[tuple[int, Mapping[str, str]]]
"""The first rows of a sheet: number of the row, and its texts by letter of the column; no empty cells."""


@dataclass(frozen=True)
class Header:
    """One row of a sheet, read as a header.

    Attributes:
        sheet: Name of the sheet.
        row: Its number as Excel shows it; 0 when the sheet is empty.
        titles: What stands in the row, by letter of the column.
        places: Letters of the columns that bear each declared name.
        belongs_to: Another source, all of whose required columns are named in one row of a sheet that lacks some.
    """

    sheet: str
    row: int
    titles: dict[str, str]
    places: dict[str, list[str]]
    belongs_to: Source | None = None

    def missing(self, source: Source) -> list[str]:
        """The required columns that the row does not name."""
        return [column for column in required_columns(source) if column not in self.places]

    def doubled(self) -> dict[str, list[str]]:
        """The declared columns that the row names more than once, with their letters."""
        return {column: letters for column, letters in self.places.items() if len(letters) > 1}


def comparable(title: str) -> str:
    """The form in which titles are compared: trimmed, one form of each character, no case.

    Accents and look-alike letters of other scripts stay different: what only looks like a column is not it.
    """
    return unicodedata.normalize("NFKC", title).strip().casefold()


def find_header(sheet: str, grid: Grid, source: Source) -> Header:
    """The first row that names all required columns, or else the row that comes closest to it."""
    headers = [_read_as_header(sheet, row, titles, source) for row, titles in grid if titles]
    if complete := next((header for header in headers if not header.missing(source)), None):
        return complete
    closest = max(headers, key=lambda header: _closeness(header, source), default=Header(sheet, 0, {}, {}))
    return replace(closest, belongs_to=next((other for other in SOURCES if _names_columns_of(other, grid)), None))


def choose_sheet(headers: Sequence[Header], source: Source, file: str) -> Header:
    """The one sheet whose header names all required columns, each declared column once.

    Raises:
        DataRefused: There is no such sheet or more than one; all that is wrong with the header is told.
    """
    complete = [header for header in headers if not header.missing(source)]
    if len(complete) > 1:
        names = [header.sheet for header in complete]
        raise DataRefused(
            f"{file} has {len(complete)} sheets with the columns of {source}: {_quoted(names)}.",
            issue_frame(
                Issue(file, "several-sheets", sheet=header.sheet, row=header.row, value=_quoted(names))
                for header in complete
            ),
        )
    chosen = complete[0] if complete else max(headers, key=lambda header: _closeness(header, source))
    if chosen.belongs_to:
        columns = ", ".join(required_columns(chosen.belongs_to))
        raise DataRefused(
            f"{file} [{chosen.sheet}] has the columns of the {chosen.belongs_to} workbook, not of {source}: {columns}.",
            issue_frame(
                [Issue(file, "other-source", sheet=chosen.sheet, value=f"columns of {chosen.belongs_to}: {columns}")]
            ),
        )
    _refuse_faults(chosen, source, file)
    return chosen


def _read_as_header(sheet: str, row: int, titles: Mapping[str, str], source: Source) -> Header:
    declared = {comparable(column): column for column in SHEETS[source].columns()}
    places: dict[str, list[str]] = {}
    for letter, title in titles.items():
        if column := declared.get(comparable(title)):
            places.setdefault(column, []).append(letter)
    return Header(sheet, row, dict(titles), places)


def _names_columns_of(source: Source, grid: Grid) -> bool:
    columns = set(required_columns(source))
    return any(columns <= set(map(comparable, titles.values())) for _, titles in grid)


def _closeness(header: Header, source: Source) -> float:
    """How many required columns the row has, a similar name counting for less than half of one."""
    titles = [comparable(title) for title in header.titles.values()]
    similar = sum(
        max((SequenceMatcher(None, column, title).ratio() for title in titles), default=0) / 2.5
        for column in header.missing(source)
    )
    return len(required_columns(source)) - len(header.missing(source)) + similar


def _refuse_faults(header: Header, source: Source, file: str) -> None:
    missing, doubled = header.missing(source), header.doubled()
    if not missing and not doubled:
        return
    found = _names(header.titles.values())
    issues = [
        Issue(
            file,
            "missing-column",
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
            "doubled-column",
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
    declared = {comparable(name) for name in SHEETS[source].columns()}
    others = {
        comparable(title): f'"{shortened(title)}" ({letter}{header.row})'
        for letter, title in header.titles.items()
        if comparable(title) not in declared
    }
    nearest = get_close_matches(column, others, n=1)
    return f'Rename {others[nearest[0]]} to "{column}", then run again.' if nearest else None


def _names(titles: Iterable[str]) -> str:
    names = [shortened(title) for title in titles]
    shown = ", ".join(names[:_SHOWN_NAMES]) or "nothing"
    return shown if len(names) <= _SHOWN_NAMES else f"{shown} and {len(names) - _SHOWN_NAMES} more"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
