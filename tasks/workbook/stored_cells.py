"""What a sheet's own XML says about each cell: its type, its formula, and the number as it was stored.

The Excel reader gives text only: it rounds numbers to nine decimals, and turns error cells and formulas
without a result into nothing. This second pass brings both back, for the columns that matter.

Two readers do the same work. The fast one is a regular expression for the one way in which nearly every
program writes cells; it counts what it sees and gives up on anything else. The exact one is an XML parser,
some ten times slower, and takes over then.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO
from xml.parsers import expat

import polars as pl

from tasks.domain.issues import column_letter
from tasks.workbook.package import CHUNK, local_name

STORED_CELL = {
    "column": pl.String,
    "row": pl.UInt32,
    "type": pl.String,
    "formula": pl.Boolean,
    "value": pl.String,
}
"""One row per cell: `type` is the attribute t ("n" when absent), `value` the text of <v>, null without a <v>.

A cell of text has the value "" for any text, and text kept in the cell itself counts as its <v>: the Excel
reader gives text well.
"""

_INLINE = "inlineStr"
TEXT_TYPES = ("s", "str", _INLINE)

# A row of all 16,384 columns takes about a megabyte; more without the end of a row is another dialect.
_LONGEST_ROW = 16 * CHUNK
_BATCH = 100_000

_ROWS_BEGIN, _ROW_END, _ROWS_END = b"<sheetData>", b"</row>", b"</sheetData>"
_PREFIXED_DIALECT = re.compile(rb"xmlns:\w+\s*=\s*[\"'][^\"']*/spreadsheetml/(?:2006/)?main[\"']")
_CELL_BEGINS = b'<c r="'

# The last group is how the cell goes on after what was understood; it is empty when something else stands there.
_CELL = rb"""<c\ r="(%s)([1-9][0-9]*)"
  (?:\ s="[0-9]+")?(?:\ t="([a-zA-Z]+)")?(?:\ s="[0-9]+")?(?:\ [cv]m="[0-9]+")*
  (?:
    \ ?(?=/>)
  |
    >
    (?:(<f)(?:[^<>"]|"[^"<]*")*(?:/>|>[^<]*</f>))?
    (?:(<v)(?:\ xml:space="preserve")?(?:\ ?/>|>([^<]*)</v>))?
  )?
  (/>|</c>|<is>|)"""


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
    pattern = re.compile(_CELL % "|".join(columns).encode(), re.VERBOSE)
    frames = []
    for rows in _whole_rows(stream):
        if rows is None or not _is_common(rows):
            return None
        found = pattern.findall(rows)
        if not found:
            continue
        letters, numbers, types, formulas, values, texts, ends = zip(*found, strict=True)
        if any(
            end == b"" or (end == b"<is>" and type_ != _INLINE.encode())
            for end, type_ in set(zip(ends, types, strict=True))
        ):
            return None
        frames.append(
            _stored_cells(
                column=_strings(letters),
                row=_strings(numbers),
                type=_strings(types),
                formula=pl.Series(map(bool, formulas)),
                has_value=pl.Series(map(bool, values)),
                value=_strings(texts),
            )
        )
    cells = pl.concat([pl.DataFrame(schema=STORED_CELL), *frames])
    # The parser resolves references such as &#49;, the pattern does not.
    escaped = cells["value"].str.contains("&", literal=True).any()
    return None if escaped else cells


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
        end = pending.rfind(_ROW_END) if begun else -1
        if end >= 0:
            yield pending[: end + len(_ROW_END)]
            pending = pending[end + len(_ROW_END) :]
        elif len(pending) > _LONGEST_ROW:
            yield None
            return
    last, ends, _ = pending.partition(_ROWS_END)
    yield last if begun and ends else None


def _is_common(rows: bytes) -> bool:
    """Whether every cell begins as the pattern expects, and nothing in the rows can hide or imitate one."""
    return (
        rows.count(b"<c") == rows.count(_CELL_BEGINS)
        and b"<!" not in rows  # comments and CDATA
        and b"<?" not in rows
        and b"xmlns" not in rows
        and _ROWS_END not in rows
    )


def _strings(values: Iterable[bytes]) -> pl.Series:
    return pl.Series(values, dtype=pl.Binary).cast(pl.String)


def read_cells_by_parser(stream: IO[bytes], columns: Sequence[str]) -> pl.DataFrame:
    """The cells by XML parser, whatever the dialect.

    Raises:
        expat.ExpatError: The XML is broken.
    """
    reader = _CellReader(columns)
    frames = [pl.DataFrame(schema=STORED_CELL)]
    while chunk := stream.read(CHUNK):
        reader.feed(chunk)
        if len(reader.cells) >= _BATCH:
            frames.append(reader.take())
    reader.feed(b"", last=True)
    return pl.concat([*frames, reader.take()])


class _CellReader:
    """Collects cells from parser events; rows and cells without an address follow the ones before them."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.cells: list[tuple[str, int, str, bool, bool, str]] = []
        self._wanted = frozenset(columns)
        self._row = 0
        self._column = -1
        self._in_rows = False
        self._type: str | None = None
        self._formula = False
        self._value: list[str] | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        self._parser.Parse(chunk, last)

    def take(self) -> pl.DataFrame:
        if not self.cells:
            return pl.DataFrame(schema=STORED_CELL)
        names = ("column", "row", "type", "formula", "has_value", "value")
        columns = zip(names, map(pl.Series, zip(*self.cells, strict=True)), strict=True)
        self.cells.clear()
        return _stored_cells(**dict(columns))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local_name(tag)
        if name == "sheetData":
            self._in_rows = True
        elif not self._in_rows:
            return
        elif name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = -1
        elif name == "c":
            self._start_cell(attributes)
        elif self._type is not None and name == "f":
            self._formula = True
        elif self._type is not None and name == "v":
            self._value = []
            self._parser.CharacterDataHandler = self._value.append

    def _start_cell(self, attributes: dict[str, str]) -> None:
        letters = attributes.get("r", "").rstrip("0123456789").upper()
        if letters:
            self._column = _column_index(letters)
            self._row = int(attributes["r"][len(letters) :])
        else:
            self._column += 1
            letters = column_letter(self._column)
        self._letters = letters
        self._type = attributes.get("t", "") if letters in self._wanted else None
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


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = 26 * index + ord(letter) - ord("A") + 1
    return index - 1


def _stored_cells(**columns: pl.Series) -> pl.DataFrame:
    """The columns of `STORED_CELL` from those the readers collect, where `has_value` tells <v></v> from none."""
    type_ = pl.when(pl.col("type") == "").then(pl.lit("n")).otherwise("type")
    value = pl.when(pl.col("type").is_in(TEXT_TYPES)).then(pl.lit("")).otherwise("value")
    has_value = pl.col("has_value") | (pl.col("type") == _INLINE)
    return (
        pl.DataFrame(columns)
        .with_columns(type=type_, value=pl.when(has_value).then(value))
        .select(pl.col(name).cast(dtype) for name, dtype in STORED_CELL.items())
    )
