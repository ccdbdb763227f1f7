"""Safe reading of the XML in a workbook: no document type, no deep nesting, any encoding of XML."""

import re
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO
from xml.parsers import expat

from tasks.workbook.archive import CHUNK, reading_archive
from tasks.workbook.faults import damaged, too_large

_DEEPEST = 100
"""Elements inside each other; a worksheet has some ten."""
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([^\"']*)")
_PREFIXED = re.compile(rb"xmlns:\w+\s*=\s*[\"'][^\"']*/spreadsheetml/(?:2006/)?main[\"']")


class _DocumentTypeError(Exception):
    """The XML declares a document type, which could define entities; no workbook has one."""


@dataclass(frozen=True)
class Element:
    """One element of a small part.

    Attributes:
        parent: Name of the element around it.
        name: Its own, without namespace.
        attributes: By name; one of another namespace is named `namespace name`.
    """

    parent: str
    name: str
    attributes: dict[str, str]

    def is_true(self, attribute: str) -> bool:
        return self.attributes.get(attribute, "").strip() in {"1", "true", "on"}


def xml_parser() -> expat.XMLParserType:
    """A parser that prefixes tags with their namespace and refuses a document type, and with it entities."""

    def refuse(*_: object) -> None:
        raise _DocumentTypeError

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    return parser


def elements(stream: IO[bytes]) -> list[Element]:
    """The elements of a part in the namespace of the root, in the order in which they start."""
    found: list[Element] = []
    path: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        nesting_limit(path)
        if namespace(tag) == namespace(path[0] if path else tag):
            found.append(Element(local_name(path[-1]) if path else "", local_name(tag), attributes))
        path.append(tag)

    parser = xml_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    while chunk := stream.read(CHUNK):
        parser.Parse(chunk, False)  # noqa: FBT003 - the C function has no keywords
    parser.Parse(b"", True)  # noqa: FBT003
    return found


@contextmanager
def reading(part: str) -> Iterator[None]:
    """Turn the errors of zip and XML readers into one that people understand."""
    try:
        with reading_archive(part):
            yield
    except _DocumentTypeError:
        raise damaged(f"DOCTYPE in {part}") from None
    except expat.ExpatError:
        raise damaged(part) from None


def nesting_limit(path: Sized) -> None:
    """Refuse an element that is nested too deeply."""
    if len(path) >= _DEEPEST:
        raise too_large("XML nested too deeply")


def is_plain_utf8(head: bytes) -> bool:
    """Whether the XML before the first row has tags without prefixes and text in UTF-8."""
    encoding = _ENCODING.search(head)
    return b"<!" not in head and not _PREFIXED.search(head) and (not encoding or encoding[1].lower() == b"utf-8")


def namespace(tag: str) -> str:
    """The namespace of an expat tag."""
    return tag.rpartition(" ")[0]


def local_name(tag: str) -> str:
    """An expat tag without its namespace."""
    return tag.rpartition(" ")[2]
