"""The texts of a workbook: those of `<si>` and `<is>`, and the table of shared texts."""

import re
from collections.abc import Callable, Iterable
from typing import IO
from xml.parsers import expat

import polars as pl

from tasks.workbook.archive import CHUNK
from tasks.workbook.faults import too_large
from tasks.workbook.xml_parts import local_name, namespace, nesting_limit, xml_parser

LONGEST_TEXT = 1024 * 1024
"""Characters of a text; a spreadsheet allows 32,767."""
XML_BLANKS = " \t\r\n"
_MOST_TEXTS = 4_000_000

_NOT_LITERAL = r"[&\r\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]"
"""Characters that XML replaces or forbids in a text."""
_CODE_OF_CHARACTER = re.compile("_x([0-9A-Fa-f]{4})_")


class ItemText:
    """Collects the text of one `<si>` or `<is>` from parser events: its runs, without the phonetic ones."""

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


def read_shared_texts(stream: IO[bytes]) -> pl.Series:
    """All shared texts, in the order in which cells count them from 0.

    Raises:
        expat.ExpatError: The XML is broken.
        UnreadableWorkbookError: There are too many texts, or one is too long.
    """
    return pl.Series(_parse_items(iter(lambda: stream.read(CHUNK), b"")), dtype=pl.String)


def decoded(raw: pl.Series) -> pl.Series | None:
    """The texts of pieces of XML between tags; None if one is not XML."""
    is_markup = raw.str.contains(_NOT_LITERAL).fill_null(value=False)
    texts = changed_where(raw.str.contains("_x", literal=True) & ~is_markup, raw, unescaped)
    if not is_markup.any():
        return texts
    items = '<si><t xml:space="preserve">' + raw.filter(is_markup) + "</t></si>"
    try:
        parsed = _parse_items(["<sst>", *items, "</sst>"])
    except expat.ExpatError:
        return None
    return texts.scatter(is_markup.arg_true(), parsed) if len(parsed) == len(items) else None


def unescaped(text: str) -> str:
    """The text with the characters that the format writes as codes such as `_x000D_`, because XML forbids them."""
    if "_x" not in text:
        return text
    plain = _CODE_OF_CHARACTER.sub(lambda code: chr(int(code[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # a pair of codes is one character


def changed_where(mask: pl.Series, texts: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """Change the few texts that the mask selects, one by one."""
    mask = mask.fill_null(value=False)
    return texts.scatter(mask.arg_true(), [change(text) for text in texts.filter(mask)]) if mask.any() else texts


def _parse_items(chunks: Iterable[bytes | str]) -> list[str]:
    """The texts of the items of a table."""
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
            if len(texts) > _MOST_TEXTS:
                raise too_large(f"more than {_MOST_TEXTS:,} texts")
            item = parser.CharacterDataHandler = None
        elif item is not None:
            item.end(local_name(tag))

    parser = xml_parser()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    for chunk in chunks:
        parser.Parse(chunk, False)  # noqa: FBT003 - the C function has no keywords
    parser.Parse(b"", True)  # noqa: FBT003
    return texts
