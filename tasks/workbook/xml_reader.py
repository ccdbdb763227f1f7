"""Read the cells of a sheet with an XML parser: any dialect, any encoding, any order of attributes."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO

import polars as pl

from tasks.domain import rules
from tasks.workbook.addresses import COLUMN_COUNT, LAST_ROW, column_index, column_letter
from tasks.workbook.archive import CHUNK
from tasks.workbook.faults import UnreadableWorkbookError, too_large, unreadable_cell
from tasks.workbook.stored_cells import CELL_TYPES, StoredCells, in_batches, stored_cells
from tasks.workbook.texts import LONGEST_TEXT, ItemText, unescaped
from tasks.workbook.xml_parts import local_name, namespace, nesting_limit, xml_parser

MOST_COLUMNS = 1_024
"""Columns in which titles are looked for."""
_ADDRESS = re.compile("([A-Za-z]{1,3})([0-9]{1,7})")
_ROW_DEPTH, _CELL_DEPTH, _CONTENT_DEPTH = 3, 4, 5
"""Elements around and including a `<row>`, a `<c>`, and a `<v>`."""


def read_first_cells(open_sheet: Callable[[], IO[bytes]], rows: int) -> pl.DataFrame:
    """All cells of the first rows (`STORED_CELL`); the sheet is read up to the first cell below them.

    Raises:
        expat.ExpatError: The XML is broken.
        UnreadableWorkbookError: A cell has content beyond the columns in which titles are looked for.
    """
    reader = _CellReader(None, rows)
    with open_sheet() as stream:
        while not reader.done and (chunk := stream.read(CHUNK // 16)):
            reader.feed(chunk)
    return reader.take()


def read_cells_by_parser(stream: IO[bytes], columns: Collection[str]) -> Iterator[StoredCells | None]:
    """The cells of these columns.

    Raises:
        expat.ExpatError: The XML is broken.
        UnreadableWorkbookError: A cell is outside the grid, of an unknown type, or contains more than any cell can.
    """
    return in_batches(_parts(stream, _CellReader(columns)))


def _parts(stream: IO[bytes], reader: "_CellReader") -> Iterator[StoredCells]:
    last = False
    while not last:
        chunk = stream.read(CHUNK)
        last = not chunk
        reader.feed(chunk, last=last)
        yield StoredCells(reader.take(), reader.lowest)


@dataclass
class _Cell:
    """A requested cell while its XML is parsed."""

    column: str
    row: int
    attributes: dict[str, str]
    formula: str | None = None
    value: list[str] | None = None
    inline: ItemText | None = None
    length: int = 0

    def start(self, name: str) -> Callable[[str], None] | None:
        """Begin one of its elements; returns the function that collects its text."""
        if name == "f":
            self.formula = name
        elif name == "v":
            self.value = []
            return partial(self._add, self.value.append)
        else:
            self.inline = ItemText()
            return partial(self._add, self.inline.add)
        return None

    def _add(self, collect: Callable[[str], None], text: str) -> None:
        self.length += len(text)
        if self.length > LONGEST_TEXT:
            raise too_large("a text too long", f"{self.column}{self.row}")
        collect(text)

    def fields(self) -> tuple[str | None, ...]:
        style, type_ = self.attributes.get("s"), self.attributes.get("t") or None
        value = None if self.value is None else unescaped("".join(self.value))
        inline = None if self.inline is None else self.inline.text()
        return (self.column, str(self.row), style, type_, self.formula, value, inline)


_FIELDS = ("column", "row", "style", "type", "formula", "value", "inline")


class _CellReader:
    """Collects cells from parser events; rows and cells without an address follow the ones before them.

    Only the elements that a spreadsheet reads are read, each inside the one where it belongs: anything else in a
    cell, such as an extension, is ignored.
    """

    def __init__(self, columns: Collection[str] | None, rows: int = LAST_ROW) -> None:
        """Collect the cells of these columns, or of all, up to the first one below these rows."""
        self.cells: list[tuple[str | None, ...]] = []
        self.lowest = ("", 0)
        self.done = False
        self._wanted = None if columns is None else frozenset(columns)
        self._rows = rows
        self._row = 0
        self._column = -1
        self._path: list[str] = []
        self._namespace = ""
        self._in_rows = False
        self._cell: _Cell | None = None
        self._parser = xml_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        self._parser.Parse(chunk, last)

    def take(self) -> pl.DataFrame:
        raw = pl.DataFrame(self.cells, schema=dict.fromkeys(_FIELDS, pl.String), orient="row")
        self.cells.clear()
        unknown = raw.filter(~pl.col("type").is_in(CELL_TYPES.categories))
        if unknown.height and self._wanted is not None:
            letters, row, name = unknown.select("column", "row", "type").row(0)
            raise unreadable_cell(f"{letters}{row}", name, "is no type of a cell")
        return stored_cells(raw.with_columns(pl.when(pl.col("type").is_in(CELL_TYPES.categories)).then("type")))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        nesting_limit(self._path)
        self._path.append(tag)
        depth, name = len(self._path), local_name(tag)
        if depth == 1:
            self._namespace = namespace(tag)
        elif namespace(tag) != self._namespace:
            return
        elif depth == _ROW_DEPTH - 1:
            self._in_rows = name == "sheetData"
        elif not self._in_rows:
            return
        elif depth == _ROW_DEPTH and name == "row":
            number = attributes.get("r", str(self._row + 1))
            self._row, self._column = _row_number(number, number), -1
        elif depth == _CELL_DEPTH and name == "c":
            self._start_cell(attributes)
        elif depth == _CONTENT_DEPTH:
            self._start_content(name)
        elif self._cell is not None and self._cell.inline is not None:
            self._cell.inline.start(name, attributes)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        address = attributes.get("r", "")
        if address:
            parts = _ADDRESS.fullmatch(address)
            if parts is None:
                raise _impossible(address)
            self._column, self._row = column_index(parts[1].upper()), _row_number(parts[2], address)
        else:
            self._column += 1
        letters = column_letter(self._column)
        if self._column >= COLUMN_COUNT:
            raise _impossible(address or f"{letters}{self._row}")
        self.done |= self._row > self._rows
        if not self.done and (self._wanted is None or letters in self._wanted):
            self._cell = _Cell(letters, self._row, attributes)

    def _start_content(self, name: str) -> None:
        if name in {"v", "is"} and self._row > self.lowest[1]:
            self.lowest = (column_letter(self._column), self._row)
        if self._cell is None or name not in {"f", "v", "is"}:
            return
        if self._column >= MOST_COLUMNS and self._wanted is None:
            cell = f"{self._cell.column}{self._row}"
            raise too_large(f"up to {cell}", cell)
        self._parser.CharacterDataHandler = self._cell.start(name)

    def _end(self, tag: str) -> None:
        depth = len(self._path)
        self._path.pop()
        if self._cell is None:
            return
        if depth == _CELL_DEPTH:
            self.cells.append(self._cell.fields())
            self._cell = None
        elif depth == _CONTENT_DEPTH:
            self._parser.CharacterDataHandler = None
        elif self._cell.inline is not None:
            self._cell.inline.end(local_name(tag))


def _row_number(digits: str, address: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(LAST_ROW))):
        raise _impossible(address)
    if not 1 <= int(digits) <= LAST_ROW:
        raise _impossible(address)
    return int(digits)


def _impossible(address: str) -> UnreadableWorkbookError:
    return UnreadableWorkbookError(rules.UNREADABLE_CELL.code, "no address of a cell", address[:20])
