"""The texts of a workbook: what `<si>` and `<is>` contain, and the table of the texts that cells share."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO
from xml.parsers import expat

import polars as pl

from tasks.workbook.archive import CHUNK
from tasks.workbook.faults import too_large
from tasks.workbook.xml_parts import is_plain_utf8, local_name, namespace, nesting_limit, xml_parser

LONGEST_TEXT = 1024 * 1024
"""Characters of a text; a spreadsheet allows 32,767."""
XML_BLANKS = " \t\r\n"
_MOST_TEXTS = 4_000_000

_NOT_LITERAL = r"[&\r\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]"
"""What XML replaces, or forbids, in a text."""
_EMPTY, _BEGIN, _END = b"<si/>", b"<si>", b"</si>"
_PLAIN_ITEM = r'^(\s*<si>)(?:<t(\x20xml:space="preserve")?(?:/>|>([^<]*)</t>))?$'
_CODE_OF_CHARACTER = re.compile("_x([0-9A-Fa-f]{4})_")


class ItemText:
    """Collects the text of one `<si>` or `<is>` from the parser's events inside it: its runs, without pronunciation."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._run: list[str] | None = None
        self._is_preserved = False
        self._pronunciations = 0
        self._length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "rPh":
            self._pronunciations += 1
        elif name == "t" and not self._pronunciations:
            self._run, self._is_preserved = [], attributes.get(_SPACE) == "preserve"

    def add(self, text: str) -> None:
        if self._run is not None:
            self._run.append(text)
            self._length += len(text)
            if self._length > LONGEST_TEXT:
                raise too_large("a text too long")

    def end(self, name: str) -> None:
        if name == "rPh":
            self._pronunciations -= 1
        elif name == "t" and self._run is not None:
            run, self._run = "".join(self._run), None
            self._texts.append(unescaped(run if self._is_preserved else run.strip(XML_BLANKS)))

    def text(self) -> str:
        return "".join(self._texts)


_SPACE = "http://www.w3.org/XML/1998/namespace space"


def read_shared_texts(open_part: Callable[[], IO[bytes]]) -> pl.Series:
    """All shared texts, in the order in which cells count them from 0.

    Args:
        open_part: Opens the part from its beginning; called again when the XML parser has to take over.

    Raises:
        expat.ExpatError: The XML is broken.
        UnreadableWorkbookError: There are more texts, or a longer one, than any workbook has.
    """
    with open_part() as stream:
        texts = _read_by_pattern(stream)
    if texts is None:
        with open_part() as stream:
            texts = pl.Series(_parse_items(iter(lambda: stream.read(CHUNK), b"")), dtype=pl.String)
    return texts


def decoded(raw: pl.Series) -> pl.Series | None:
    """Pieces of XML between tags as the text that they mean, None where one is no XML."""
    return _replaced(raw, raw.str.contains(_NOT_LITERAL), '<si><t xml:space="preserve">' + raw + "</t></si>")


def unescaped(text: str) -> str:
    """The text with the characters that the format writes as codes, `_x000D_`, since XML cannot have them."""
    if "_x" not in text:
        return text
    plain = _CODE_OF_CHARACTER.sub(lambda code: chr(int(code[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # pairs of codes are one character


def changed_where(mask: pl.Series, texts: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """The texts, the few of them that the mask selects changed one by one."""
    mask = mask.fill_null(value=False)
    return texts.scatter(mask.arg_true(), [change(text) for text in texts.filter(mask)]) if mask.any() else texts


def _read_by_pattern(stream: IO[bytes]) -> pl.Series | None:
    """The texts by regular expression, None where the table is not written in the common dialect."""
    parts = [pl.Series(dtype=pl.String)]
    for items in _whole_items(stream):
        texts = None if items is None else _texts_of(items)
        if texts is None:
            return None
        parts.append(texts)
        _limit_texts(sum(map(len, parts)))
    return pl.concat(parts)


def _whole_items(stream: IO[bytes]) -> Iterator[bytes | None]:
    """The items in chunks that cut none in two; None where the XML is another dialect."""
    pending, begun = b"", False
    while chunk := stream.read(CHUNK):
        pending = (pending + chunk).replace(_EMPTY, _BEGIN + _END)
        if not begun:
            head, begins, rest = pending.partition(_BEGIN)
            begun, pending = bool(begins), begins + rest if begins else pending
            if begun and not is_plain_utf8(head):
                yield None
        end = pending.rfind(_END) + len(_END)
        if begun and end >= len(_END):
            yield pending[:end]
            pending = pending[end:]
        if len(pending) > LONGEST_TEXT + CHUNK:
            raise too_large("a text too long")
    if not begun or pending.strip() != b"</sst>":
        yield None


def _texts_of(items: bytes) -> pl.Series | None:
    try:
        text = items.removesuffix(_END).decode()
    except UnicodeDecodeError:
        return None
    if "<!" in text or "<?" in text:
        return None
    item = pl.Series([text]).str.split(_END.decode()).explode()
    begin, is_preserved, raw = item.str.extract_groups(_PLAIN_ITEM).struct.unnest().get_columns()
    trimmed = pl.select(
        pl.when(is_preserved.is_null()).then(raw.str.strip_chars(XML_BLANKS)).otherwise(raw)
    ).to_series()
    is_complex = begin.is_null() | raw.str.contains(_NOT_LITERAL).fill_null(value=False)
    return _replaced(trimmed.fill_null(""), is_complex, item + "</si>")


def _replaced(texts: pl.Series, is_complex: pl.Series, items: pl.Series) -> pl.Series | None:
    """The texts decoded, the complex ones from their XML; None where it is not one item each."""
    texts = changed_where(texts.str.contains("_x", literal=True) & ~is_complex, texts, unescaped)
    complex_ = items.filter(is_complex)
    if not len(complex_):
        return texts
    try:
        parsed = _parse_items(["<sst>", *complex_, "</sst>"])
    except expat.ExpatError:
        return None
    if len(parsed) != len(complex_):
        return None
    return texts.scatter(is_complex.arg_true(), parsed)


def _parse_items(chunks: Iterable[bytes | str]) -> list[str]:
    """The texts of the items of a table, by XML parser."""
    texts: list[str] = []
    path: list[str] = []
    item: ItemText | None = None

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal item
        nesting_limit(path)
        path.append(tag)
        if item is not None:
            item.start(local_name(tag), attributes)
        elif len(path) == 2 and (namespace(tag), local_name(tag)) == (namespace(path[0]), "si"):  # noqa: PLR2004
            item = ItemText()
            parser.CharacterDataHandler = item.add

    def end(tag: str) -> None:
        nonlocal item
        path.pop()
        if len(path) == 1 and item is not None:
            texts.append(item.text())
            _limit_texts(len(texts))
            item = parser.CharacterDataHandler = None
        elif item is not None:
            item.end(local_name(tag))

    parser = xml_parser()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    for chunk in chunks:
        parser.Parse(chunk, False)  # noqa: FBT003 - the C function has no keywords
    parser.Parse(b"", True)  # noqa: FBT003
    return texts


def _limit_texts(count: int) -> None:
    if count > _MOST_TEXTS:
        raise too_large(f"more than {_MOST_TEXTS:,} texts")
