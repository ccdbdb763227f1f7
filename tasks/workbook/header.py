"""Find the sheet of a source, and the row with its headings."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.domain.cell_values import BLANKS, INVISIBLE
from tasks.domain.sources import COLUMNS, SOURCES, Source, required_columns

SEARCHED_ROWS = 50

Grid = Sequence[tuple[int, Mapping[str, str]]]
"""The first rows of a sheet: number of the row, and its titles by letter of the column; no empty cells."""


@dataclass(frozen=True)
class Header:
    """One row of a sheet, read as a header.

    Attributes:
        sheet: Name of the sheet.
        row: Its number as Excel shows it; 0 if the sheet is empty.
        titles: The texts of the row, by letter of the column.
        named: The letters of the columns with each declared name.
        missing: The required columns that the row does not have.
        belongs_to: Another source, if a row of the sheet has all of its required columns.
    """

    sheet: str
    row: int
    titles: dict[str, str]
    named: dict[str, list[str]]
    missing: list[str]
    belongs_to: Source | None = None

    def letters(self) -> dict[str, str]:
        """The letter of each declared column, if none appears more than once."""
        return {column: letter for column, (letter,) in self.named.items()}


def trim_title(title: str) -> str:
    """The title without blanks and invisible characters around it."""
    return title.strip(BLANKS + INVISIBLE)


def normal_title(title: str) -> str:
    """The form in which titles are compared: trimmed, in Unicode NFKC, without case.

    Accents and look-alike letters of other scripts count as different.
    """
    return trim_title(unicodedata.normalize("NFKC", title)).casefold()


def find_header(sheet: str, grid: Grid, source: Source) -> Header:
    """The first row with all required columns of the source, or else the row that is most similar to a header.

    Args:
        sheet: Name of the sheet.
        grid: Its first rows.
        source: Which sheet it should be; the header says if it belongs to another source.
    """
    headers = [_read_as_header(sheet, row, titles, source) for row, titles in grid if titles]
    if complete := next((header for header in headers if not header.missing), None):
        return complete
    closest = min(headers, key=distance, default=Header(sheet, 0, {}, {}, required_columns(source)))
    rows = [set(map(normal_title, titles.values())) for _, titles in grid]
    others = (other for other in SOURCES if any(row >= set(required_columns(other)) for row in rows))
    return replace(closest, belongs_to=next(others, None))


def distance(header: Header) -> tuple[int, int]:
    """How far a row is from a header: by its missing columns, then by its number of titles."""
    return len(header.missing), -len(header.titles)


def readable(headers: Sequence[Header]) -> Header | None:
    """The header of the only sheet with all required columns, each declared column once; else None."""
    complete = [header for header in headers if not header.missing]
    return complete[0] if len(complete) == 1 and all(len(one) == 1 for one in complete[0].named.values()) else None


def _read_as_header(sheet: str, row: int, titles: Mapping[str, str], source: Source) -> Header:
    names = {normal_title(column): column for column in COLUMNS[source]}
    named: dict[str, list[str]] = {}
    for letter, title in titles.items():
        if column := names.get(normal_title(title)):
            named.setdefault(column, []).append(letter)
    return Header(
        sheet, row, dict(titles), named, [column for column in required_columns(source) if column not in named]
    )
