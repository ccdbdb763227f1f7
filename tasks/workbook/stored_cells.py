"""What a sheet's own XML says: how far it reaches, and each cell's type, formula, and number as it was stored.

The Excel reader gives text only: it rounds numbers to nine decimals, and turns error cells and formulas
without a result into nothing. This second pass brings both back, for the columns that matter.

Two readers do the same work. The fast one is a regular expression for the one way in which nearly every
program writes cells; it counts what it sees and gives up on anything else. The exact one is an XML parser,
many times slower, and takes over then.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import IO

import polars as pl

from tasks.workbook.addresses import COLUMNS, LAST_ROW, column_index, column_letter
from tasks.workbook.package import CHUNK, UnreadableWorkbookError, local_name, xml_parser

_INLINE = "inlineStr"
TEXT_TYPES = ("s", "str", _INLINE)
_TYPES = pl.Enum(["n", *TEXT_TYPES, "b", "d", "e"])

STORED_CELL: dict[str, pl.DataType | type[pl.DataType]] = {
    "column": pl.String,
    "row": pl.UInt32,
    "type": _TYPES,
    "formula": pl.Boolean,
    "value": pl.String,
}
"""One row per cell: `type` is the attribute t ("n" when absent), `value` the text of <v>, null without a <v>.

A cell of text has the value "" for any text, and text kept in the cell itself counts as its <v>: the Excel
reader gives text well.
"""

# A row takes some kilobytes; where no row ends in megabytes, the parser needs less memory.
_LONGEST_ROW = 4 * CHUNK
_BATCH = 100_000

_ROWS_BEGIN, _ROW_END, _ROWS_END = b"<sheetData>", b"</row>", b"</sheetData>"
_PREFIXED_DIALECT = re.compile(rb"xmlns:\w+\s*=\s*[\"'][^\"']*/spreadsheetml/(?:2006/)?main[\"']")
_CELL_BEGINS = '<c r="'
_HIDES_CELLS = "<[!?]|xmlns|</sheetData>"
"""Comments, CDATA, instructions, other names for the tags, and an end before the end."""

_ADDRESS = re.compile("([A-Za-z]{1,3})([0-9]{1,7})")
_COMMON_ADDRESS = r'^([A-Z]{1,3})([1-9][0-9]{0,6})"'

# A cell from behind <c r=" on. The last group is how the cell goes on after what was understood; where it is null
# beside an address, something else stands there. Blanks in the pattern mean nothing: \x20 is one.
_CELL = r"""(?x)^(%s)([1-9][0-9]{0,6})"
  (?:
    (?:\x20s="[0-9]+")?(?:\x20t="([a-zA-Z]+)")?(?:\x20s="[0-9]+")?(?:\x20[cv]m="[0-9]+")*
    (?:
      \x20?/>
    |
      >
      (?:(<f)(?:[^<>"]|"[^"<]*")*(?:/>|>[^<]*</f>))?
      (?:(<v)(?:\x20xml:space="preserve")?(?:\x20?/>|>([^<]*)</v>))?
      (?:</c>|(<is>))
    )()
  )?"""
_GROUPS = ("column", "row", "type", "formula", "has_value", "value", "inline", "understood")


@dataclass(frozen=True)
class Extent:
    """How far the cells of a sheet reach, whatever its declared dimension says.

    Attributes:
        cells: Number of cells that are stored.
        rows: The highest row number; 0 without any cell.
        columns: The highest column, counted from 1.
        lowest: The address of a cell in the highest row.
        widest: The address of a cell in the highest column.
    """

    cells: int = 0
    rows: int = 0
    columns: int = 0
    lowest: str = ""
    widest: str = ""

    @property
    def area(self) -> int:
        """Places in the table that the Excel reader makes of it, which it stores all."""
        return self.rows * self.columns

    def __or__(self, other: "Extent") -> "Extent":
        lower, wider = max(self, other, key=lambda one: one.rows), max(self, other, key=lambda one: one.columns)
        return Extent(self.cells + other.cells, lower.rows, wider.columns, lower.lowest, wider.widest)


def measure(open_sheet: Callable[[], IO[bytes]]) -> Extent:
    """How far the cells of the sheet reach, every one of them looked at.

    Raises:
        UnreadableWorkbookError: A cell has an address that no spreadsheet has.
    """
    with open_sheet() as stream:
        extent = _measure_by_pattern(stream)
    if extent is not None:
        return extent
    with open_sheet() as stream:
        return _parse(stream, _CellReader(())).extent


def _measure_by_pattern(stream: IO[bytes]) -> Extent | None:
    extent = Extent()
    for rows in _whole_rows(stream):
        cells = None if rows is None else _cells(rows)
        if cells is None:
            return None
        if cells.is_empty():
            continue
        address = cells.str.extract_groups(_COMMON_ADDRESS).struct.unnest()
        letters, numbers = address["1"], address["2"].cast(pl.UInt32)
        lowest = numbers.arg_max()
        if letters.has_nulls() or lowest is None:
            return None
        last = max(letters.unique(), key=column_index)
        width, height = column_index(last) + 1, numbers[lowest]
        if width > COLUMNS or height > LAST_ROW:
            return None
        first_in_it = numbers[(letters == last).arg_max() or 0]
        extent |= Extent(len(cells), height, width, f"{letters[lowest]}{height}", f"{last}{first_in_it}")
    return extent


def read_cells(open_sheet: Callable[[], IO[bytes]], columns: Sequence[str]) -> pl.DataFrame:
    """The cells of these columns as the sheet's XML stores them (`STORED_CELL`), in the order of the XML.

    Args:
        open_sheet: Opens the XML from its beginning; called again when the exact reader has to take over.
        columns: Letters of the wanted columns.
    """
    with open_sheet() as stream:
        cells = read_cells_by_pattern(stream, columns)
    if cells is not None:
        return cells
    with open_sheet() as stream:
        return read_cells_by_parser(stream, columns)


def read_cells_by_pattern(stream: IO[bytes], columns: Sequence[str]) -> pl.DataFrame | None:
    """The cells by regular expression, or None when the sheet is not written in the common dialect."""
    pattern = _CELL % "|".join(columns)
    frames = [pl.DataFrame(schema=STORED_CELL)]
    for rows in _whole_rows(stream):
        cells = None if rows is None else _cells(rows)
        if cells is None:
            return None
        found = cells.str.extract_groups(pattern).struct.unnest()
        found.columns = list(_GROUPS)
        found = found.filter(pl.col("column").is_not_null())
        is_inline = pl.col("inline").is_not_null()
        is_other = pl.col("understood").is_null() | (is_inline & (pl.col("type") != _INLINE).fill_null(value=True))
        # The parser resolves references such as &#49;, the pattern does not.
        is_escaped = pl.col("value").str.contains("&", literal=True) & ~pl.col("type").is_in(TEXT_TYPES).fill_null(
            value=False
        )
        if found.select((is_other | is_escaped.fill_null(value=False)).any()).item():
            return None
        frames.append(
            _stored_cells(
                found.with_columns(
                    pl.col("type").fill_null(""),
                    pl.col("formula", "has_value").is_not_null(),
                    pl.col("value").fill_null(""),
                )
            )
        )
    return pl.concat(frames)


def _whole_rows(stream: IO[bytes]) -> Iterator[bytes | None]:
    """The rows of the sheet in chunks that cut none in two; None where the XML is another dialect."""
    pending = b""
    begun = False
    while chunk := stream.read(CHUNK):
        pending += chunk
        if not begun:
            head, begins, rest = pending.partition(_ROWS_BEGIN)
            if begins:
                if b"<!" in head or _PREFIXED_DIALECT.search(head):
                    yield None
                    return
                begun, pending = True, rest
            elif len(pending) > _LONGEST_ROW:
                yield None
                return
        end = pending.rfind(_ROW_END) if begun else -1
        if end >= 0:
            yield pending[: end + len(_ROW_END)]
            pending = pending[end + len(_ROW_END) :]
        elif len(pending) > _LONGEST_ROW:
            yield None
            return
    last, ends, _ = pending.partition(_ROWS_END)
    yield last if begun and ends else None


def _cells(rows: bytes) -> pl.Series | None:
    """Each cell from its address on; None where one begins otherwise, or anything can hide or imitate one."""
    try:
        text = pl.Series([rows.decode()])
    except UnicodeDecodeError:
        return None
    if text.str.contains(_HIDES_CELLS).item():
        return None
    cells = text.str.split(_CELL_BEGINS).explode()[1:]
    return cells if rows.count(b"<c") == len(cells) else None


def read_cells_by_parser(stream: IO[bytes], columns: Sequence[str]) -> pl.DataFrame:
    """The cells by XML parser, whatever the dialect.

    Raises:
        expat.ExpatError: The XML is broken.
    """
    reader = _parse(stream, _CellReader(columns))
    return pl.concat([*reader.frames, reader.take()])


def _parse(stream: IO[bytes], reader: "_CellReader") -> "_CellReader":
    while chunk := stream.read(CHUNK):
        reader.feed(chunk)
        if len(reader.cells) >= _BATCH:
            reader.frames.append(reader.take())
    reader.feed(b"", last=True)
    return reader


class _CellReader:
    """Collects cells from parser events; rows and cells without an address follow the ones before them."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.cells: list[tuple[str, int, str, bool, bool, str]] = []
        self.frames = [pl.DataFrame(schema=STORED_CELL)]
        self._count = 0
        self._extent = Extent()
        self._wanted = frozenset(columns)
        self._row = 0
        self._column = -1
        self._in_rows = False
        self._type: str | None = None
        self._formula = False
        self._value: list[str] | None = None
        self._parser = xml_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    @property
    def extent(self) -> Extent:
        return replace(self._extent, cells=self._count)

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        self._parser.Parse(chunk, last)

    def take(self) -> pl.DataFrame:
        cells = pl.DataFrame(
            self.cells,
            schema={
                "column": pl.String, "row": pl.UInt32, "type": pl.String,
                "formula": pl.Boolean, "has_value": pl.Boolean, "value": pl.String,
            },
            orient="row",
        )  # fmt: skip
        self.cells.clear()
        return _stored_cells(cells)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local_name(tag)
        if name == "sheetData":
            self._in_rows = True
        elif not self._in_rows:
            return
        elif name == "row":
            number = attributes.get("r", str(self._row + 1))
            self._row, self._column = _row_number(number, number), -1
        elif name == "c":
            self._start_cell(attributes)
        elif self._type is not None and name == "f":
            self._formula = True
        elif self._type is not None and name == "v":
            self._value = []
            self._parser.CharacterDataHandler = self._value.append

    def _start_cell(self, attributes: dict[str, str]) -> None:
        if address := attributes.get("r"):
            parts = _ADDRESS.fullmatch(address)
            if parts is None:
                raise _impossible(address)
            self._column, self._row = column_index(parts[1].upper()), _row_number(parts[2], address)
        else:
            self._column += 1
        if self._column >= COLUMNS:
            raise _impossible(address or f"{column_letter(self._column)}{self._row}")
        self._letters = column_letter(self._column)
        self._count += 1
        if self._row > self._extent.rows or self._column >= self._extent.columns:
            shown = f"{self._letters}{self._row}"
            self._extent |= Extent(0, self._row, self._column + 1, shown, shown)
        self._type = attributes.get("t", "") if self._letters in self._wanted else None
        self._formula, self._value = False, None

    def _end(self, tag: str) -> None:
        name = local_name(tag)
        if name == "v":
            self._parser.CharacterDataHandler = None
        elif name == "c" and self._type is not None:
            text = "".join(self._value or ())
            self.cells.append((self._letters, self._row, self._type, self._formula, self._value is not None, text))
            self._type = None
        elif name == "sheetData":
            self._in_rows = False


def _row_number(digits: str, address: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(LAST_ROW))):
        raise _impossible(address)
    if not 1 <= int(digits) <= LAST_ROW:
        raise _impossible(address)
    return int(digits)


def _impossible(address: str) -> UnreadableWorkbookError:
    shown = address[:20]
    return UnreadableWorkbookError(f'cannot be read: it has a cell at "{shown}", where no spreadsheet has one', shown)


def _stored_cells(cells: pl.DataFrame) -> pl.DataFrame:
    """The columns of `STORED_CELL` from those the readers collect, where `has_value` tells <v></v> from none."""
    type_ = pl.when(pl.col("type") == "").then(pl.lit("n")).otherwise("type")
    unknown = cells.filter(~type_.is_in(_TYPES.categories.to_list()))
    if unknown.height:
        letters, row, name = unknown.select("column", "row", "type").row(0)
        raise UnreadableWorkbookError(
            f'cannot be read: {letters}{row} is of the unknown type "{name[:20]}"', name[:20], f"{letters}{row}"
        )
    value = pl.when(pl.col("type").is_in(TEXT_TYPES)).then(pl.lit("")).otherwise("value")
    has_value = pl.col("has_value") | (pl.col("type") == _INLINE)
    return cells.with_columns(type=type_, value=pl.when(has_value).then(value)).select(
        pl.col(name).cast(dtype) for name, dtype in STORED_CELL.items()
    )
