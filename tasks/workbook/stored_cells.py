"""What a sheet's own XML says of each cell: its type, its formula, and its number as it was stored.

The Excel reader gives text only: it rounds numbers to nine decimals, and turns error cells and formulas without a
result into nothing. This reading brings both back, for the columns that matter; and it copies the XML of their cells,
so that the Excel reader gets to see only these, whatever else the sheet holds and however far out.

Two readers do the same work. The fast one is a regular expression for the one way in which nearly every program writes
cells; it gives up on anything else. The exact one is an XML parser, many times slower, and takes over then.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from operator import itemgetter
from typing import IO

import polars as pl

from tasks.two_at_once import two_at_once
from tasks.workbook.addresses import COLUMNS, LAST_ROW, column_index, column_letter
from tasks.workbook.package import CHUNK, UnreadableWorkbookError, local_name, too_large, xml_parser

MOST_COLUMNS = 1_024
"""Columns in which titles are looked for."""

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
_FOUND_CELL = STORED_CELL | {"xml": pl.String}
"""Beside it the cell's XML from behind its address on."""


@dataclass(frozen=True)
class StoredCells:
    """The cells of some columns of a sheet, in the order of its XML.

    Attributes:
        cells: `STORED_CELL`.
        columns: Their letters.
        xml: The same cells as XML, in pieces. Their columns are moved together, as A, B and so on: the Excel reader
            makes a table of all columns between the first and the last.
        lowest: The cell, of any column, that is the last one to hold anything: its letters and its row.
    """

    cells: pl.DataFrame
    columns: Sequence[str]
    xml: list[bytes]
    lowest: tuple[str, int]


# A row takes some kilobytes; where no row ends in megabytes, the parser needs less memory.
_LONGEST_ROW = 4 * CHUNK
_LONGEST_TEXT = CHUNK
"""Characters of a cell; a spreadsheet allows 32,767."""
_DEEPEST = 100
"""Elements inside each other; a worksheet has some ten."""
_BATCH = 100_000

_ROWS_BEGIN, _ROW_END, _ROWS_END = b"<sheetData>", b"</row>", b"</sheetData>"
_PREFIXED_DIALECT = re.compile(rb"xmlns:\w+\s*=\s*[\"'][^\"']*/spreadsheetml/(?:2006/)?main[\"']")
_CELL_BEGINS = b'<c r="'
_ADDRESS_OF_CELL = re.compile(b'<c r="([A-Z]+)([0-9]+)"')
_ADDRESS = re.compile("([A-Za-z]{1,3})([0-9]{1,7})")

# In these patterns blanks mean nothing: \x20 is one.
_OTHER_DIALECT = r"""(?x)
  <[!?] | xmlns | </sheetData>  # comments, CDATA, instructions, other names for the tags, an end before the end
  | <c(?:[^\x20] | \x20[^r] | \x20r[^=] | \x20r=[^"] | \x20r="(?:  # a cell without an address first, or with an odd one
    [^A-Z] | [A-Z]{4} | [A-Z]{1,3}(?:[^A-Z1-9] | [1-9][0-9]{7} | [1-9][0-9]{0,6}[^0-9"])
  ))"""

# A cell of the wanted columns; what follows its address is null where something else stands there. At every character
# it is clear which part of the pattern comes next: then groups are found many times faster.
_CELL = r"""(?x)<c\x20r="(%s)([1-9][0-9]{0,6})"
  (
    (?:\x20(?:s="[0-9]+"|t="([a-zA-Z]+)"|[cv]m="[0-9]+")?)*
    (?:
      />
    |
      ><
      (?:(f)(?:[^<>"/]|"[^"<]*")*(?:/>|>[^<]*</f>)<)?
      (?:(v)(?:\x20(?:xml:space="preserve")?)?(?:/>|>([^<]*)</v>)<)?
      (?:/c>|(is>)[^<]*<(?:[^c/][^<]*<)*/(?:[^c][^<]*<(?:[^c/][^<]*<)*/)*c>)
    )
  )?"""
_GROUPS = ("column", "row", "xml", "type", "formula", "has_value", "value", "inline")


def read_cells(open_sheet: Callable[[], IO[bytes]], columns: Sequence[str]) -> StoredCells:
    """The cells of these columns.

    Args:
        open_sheet: Opens the XML from its beginning; called again when the exact reader has to take over.
        columns: Letters of the wanted columns.
    """
    with open_sheet() as stream:
        stored = read_cells_by_pattern(stream, columns)
    if stored is not None:
        return stored
    with open_sheet() as stream:
        return read_cells_by_parser(stream, columns)


def read_first_cells(open_sheet: Callable[[], IO[bytes]], rows: int) -> StoredCells:
    """All cells of the first rows, up to the first cell below them.

    Raises:
        UnreadableWorkbookError: A cell stands beyond the columns in which titles are looked for.
    """
    reader = _CellReader(None, rows)
    with open_sheet() as stream:
        while not reader.done and (chunk := stream.read(CHUNK // 16)):
            reader.feed(chunk)
    found = reader.take()
    columns = sorted(found["column"].unique(), key=column_index)
    return StoredCells(found.drop("xml"), columns, [_xml(found, columns)], reader.lowest)


def read_cells_by_pattern(stream: IO[bytes], columns: Sequence[str]) -> StoredCells | None:
    """The cells by regular expression, or None when the sheet is not written in the common dialect."""
    read = partial(_read_rows, columns=columns, pattern=_CELL % "|".join(columns))
    frames, xml, lowest = [pl.DataFrame(schema=STORED_CELL)], [], ("", 0)
    for part in two_at_once(read, _whole_rows(stream)):
        if part is None:
            return None
        frames.append(part.cells)
        xml += part.xml
        lowest = max(lowest, part.lowest, key=itemgetter(1))
    return StoredCells(pl.concat(frames), columns, xml, lowest)


def _read_rows(rows: bytes | None, columns: Sequence[str], pattern: str) -> StoredCells | None:
    wanted = None if rows is None else _cells(rows, pattern)
    if rows is None or wanted is None:
        return None
    raw = wanted.str.extract_groups(f"^{pattern}$").struct.unnest()
    raw.columns = list(_GROUPS)
    if raw.select(_is_for_the_parser().any()).item():
        return None
    found = _found_cells(raw)
    return StoredCells(found.drop("xml"), columns, [_xml(found, columns)], _last_with_content(rows))


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


def _cells(rows: bytes, pattern: str) -> pl.Series | None:
    """The cells that fit the pattern; None where one stands outside the grid, or anything can hide or imitate one."""
    try:
        text = pl.Series([rows.decode()])
    except UnicodeDecodeError:
        return None
    if text.str.contains(_OTHER_DIALECT).item():
        return None
    return text.str.extract_all(pattern).explode().drop_nulls()


def _is_for_the_parser() -> pl.Expr:
    """Whether the pattern does not understand a cell, or would not read it as the parser does."""
    is_text = pl.col("type").is_in(TEXT_TYPES)
    is_inline = pl.col("inline").is_not_null() & (pl.col("type") != _INLINE).fill_null(value=True)
    # The parser resolves references such as &#49;, the pattern does not.
    is_escaped = pl.col("value").str.contains("&", literal=True) & ~is_text.fill_null(value=False)
    is_unknown = ~pl.col("type").is_in(_TYPES.categories)
    return pl.col("xml").is_null() | is_inline | is_escaped.fill_null(value=False) | is_unknown.fill_null(value=False)


def _last_with_content(rows: bytes) -> tuple[str, int]:
    """Letters and row of the last cell that holds anything; programs write cells from top to bottom."""
    content = max(rows.rfind(b"<v"), rows.rfind(b"<is>"))
    cell = _ADDRESS_OF_CELL.match(rows, max(0, rows.rfind(_CELL_BEGINS, 0, max(0, content))))
    return (cell[1].decode(), int(cell[2])) if cell else ("", 0)


def _xml(found: pl.DataFrame, columns: Sequence[str]) -> bytes:
    """The cells as XML, their columns moved together."""
    letters = pl.col("column").replace_strict({letter: column_letter(i) for i, letter in enumerate(columns)})
    cells = found.select(pl.concat_str(pl.lit('<c r="'), letters, "row", pl.lit('"'), "xml").str.join(""))
    return str(cells.item()).encode()


def read_cells_by_parser(stream: IO[bytes], columns: Sequence[str]) -> StoredCells:
    """The cells by XML parser, whatever the dialect.

    Raises:
        expat.ExpatError: The XML is broken.
        UnreadableWorkbookError: A cell stands outside the grid, or holds more than any cell.
    """
    reader = _CellReader(columns)
    frames, xml = [pl.DataFrame(schema=STORED_CELL)], []
    last = False
    while not last:
        chunk = stream.read(CHUNK)
        last = not chunk
        reader.feed(chunk, last=last)
        if last or len(reader.cells) >= _BATCH:
            found = reader.take()
            xml.append(_xml(found, columns))
            frames.append(found.drop("xml"))
    return StoredCells(pl.concat(frames), columns, xml, reader.lowest)


@dataclass
class _Cell:
    """A wanted cell while its XML goes by; `xml` is what follows its address, written anew."""

    column: str
    row: int
    type: str | None
    xml: list[str]
    length: int = 0
    formula: str | None = None
    value: list[str] | None = None

    def write(self, xml: str) -> None:
        self.xml.append(xml)
        self.length += len(xml)
        if self.length > _LONGEST_TEXT:
            cell = f"{self.column}{self.row}"
            raise too_large(f"holds more in {cell} than any spreadsheet can", "a text too long", cell)

    def groups(self) -> tuple[str | None, ...]:
        """What `_GROUPS` names."""
        has_value, value = (None, None) if self.value is None else ("v", "".join(self.value))
        return (self.column, str(self.row), "".join(self.xml), self.type, self.formula, has_value, value, None)


class _CellReader:
    """Collects cells from parser events; rows and cells without an address follow the ones before them.

    The XML of a cell is written anew: no prefixes, references or sections that only this document explains.
    """

    def __init__(self, columns: Sequence[str] | None, rows: int = LAST_ROW) -> None:
        """Collect the cells of these columns, or of all, up to the first one below these rows."""
        self.cells: list[tuple[str | None, ...]] = []
        self.lowest = ("", 0)
        self.done = False
        self._wanted = None if columns is None else frozenset(columns)
        self._rows = rows
        self._row = 0
        self._column = -1
        self._depth = 0
        self._in_rows = False
        self._in_value = False
        self._cell: _Cell | None = None
        self._parser = xml_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        self._parser.Parse(chunk, last)

    def take(self) -> pl.DataFrame:
        raw = pl.DataFrame(self.cells, schema=dict.fromkeys(_GROUPS, pl.String), orient="row")
        self.cells.clear()
        unknown = raw.filter(~pl.col("type").is_in(_TYPES.categories))
        if unknown.height:
            letters, row, name = unknown.select("column", "row", "type").row(0)
            cell = f"{letters}{row}"
            raise UnreadableWorkbookError(
                f'cannot be read: {cell} is of the unknown type "{name[:20]}"', name[:20], cell, "unreadable-cell"
            )
        return _found_cells(raw)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local_name(tag)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise too_large(f"has more than {_DEEPEST} elements of XML inside each other", "XML nested too deeply")
        if name == "sheetData":
            self._in_rows = True
        elif not self._in_rows:
            return
        elif name == "row":
            number = attributes.get("r", str(self._row + 1))
            self._row, self._column = _row_number(number, number), -1
        elif name == "c":
            self._start_cell(attributes)
        else:
            self._start_content(name, attributes)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        address = attributes.pop("r", "")
        if address:
            parts = _ADDRESS.fullmatch(address)
            if parts is None:
                raise _impossible(address)
            self._column, self._row = column_index(parts[1].upper()), _row_number(parts[2], address)
        else:
            self._column += 1
        letters = column_letter(self._column)
        if self._column >= COLUMNS:
            raise _impossible(address or f"{letters}{self._row}")
        self.done |= self._row > self._rows
        if self.done or not (self._wanted is None or letters in self._wanted):
            return
        if self._column >= MOST_COLUMNS and self._wanted is None:
            cell = f"{letters}{self._row}"
            raise too_large(f"reaches out to {cell}: more than {MOST_COLUMNS:,} columns", f"up to {cell}", cell)
        self._cell = _Cell(letters, self._row, attributes.get("t") or None, [f"{_written(attributes)}>"])
        self._parser.CharacterDataHandler = self._text

    def _start_content(self, name: str, attributes: dict[str, str]) -> None:
        if name in {"v", "is"} and self._row > self.lowest[1]:
            self.lowest = (column_letter(self._column), self._row)
        if self._cell is None:
            return
        self._cell.write(f"<{name}{_written(attributes)}>")
        if name == "f":
            self._cell.formula = name
        elif name == "v":
            self._cell.value, self._in_value = [], True

    def _text(self, text: str) -> None:
        if self._cell is not None:
            self._cell.write(escape(text, quote=False))
            if self._in_value and self._cell.value is not None:
                self._cell.value.append(text)

    def _end(self, tag: str) -> None:
        name = local_name(tag)
        self._depth -= 1
        if name == "sheetData":
            self._in_rows = False
        if self._cell is None:
            return
        self._cell.write(f"</{name}>")
        if name == "v":
            self._in_value = False
        elif name == "c":
            self.cells.append(self._cell.groups())
            self._cell = None
            self._parser.CharacterDataHandler = None


def _written(attributes: dict[str, str]) -> str:
    """Attributes as XML; of those with a namespace workbooks have only `xml:space`."""
    names = {name: f"xml:{local_name(name)}" if " " in name else name for name in attributes}
    return "".join(f' {names[name]}="{escape(value)}"' for name, value in attributes.items())


def _row_number(digits: str, address: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(LAST_ROW))):
        raise _impossible(address)
    if not 1 <= int(digits) <= LAST_ROW:
        raise _impossible(address)
    return int(digits)


def _impossible(address: str) -> UnreadableWorkbookError:
    shown = address[:20]
    return UnreadableWorkbookError(f'cannot be read: it has a cell at "{shown}", where no spreadsheet has one', shown)


def _found_cells(raw: pl.DataFrame) -> pl.DataFrame:
    """`_FOUND_CELL` from what the readers collect: null stands for what the cell does not have."""
    type_ = pl.col("type").fill_null("n")
    value = pl.when(type_.is_in(TEXT_TYPES)).then(pl.lit("")).otherwise(pl.col("value").fill_null(""))
    return raw.select(
        "column",
        pl.col("row").cast(pl.UInt32),
        type_.cast(_TYPES),
        pl.col("formula").is_not_null(),
        pl.when(pl.col("has_value").is_not_null() | (type_ == _INLINE)).then(value).alias("value"),
        "xml",
    )
