"""The .xlsx file as a zip archive: is it one, which sheets has it, are its bytes intact."""

import mmap
import posixpath
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.parsers import expat

CHUNK = 4 * 1024 * 1024

_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_OLE_MAGIC = bytes.fromhex("D0CF11E0")
_ZIP_MAGIC = b"PK"
_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)

_TEXT_BEGINNINGS = {
    b"<!doctype html": "a web page (HTML)",
    b"<html": "a web page (HTML)",
    b"<?xml": "an XML file",
    b"%pdf": "a PDF file",
}
_MEMBERS_OF_OTHERS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument file (such as .ods)",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a PowerPoint presentation",
}


class UnreadableWorkbookError(Exception):
    """The file cannot be read as a workbook.

    Attributes:
        reason: Follows the file's name in a sentence: `is a web page (HTML), not an .xlsx workbook`.
        value: What was found, in a few words.
        cell: The address at which reading failed, when it was at a cell.
    """

    def __init__(self, reason: str, value: str, cell: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value
        self.cell = cell


@dataclass(frozen=True)
class Worksheet:
    """One sheet of a workbook, in the order of its tabs."""

    name: str
    member: str
    visible: bool


class Package:
    """An opened .xlsx archive; use it as `with open_package(path) as package`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = {_folded(name): name for name in archive.namelist()}

    def open(self, member: str) -> IO[bytes]:
        """The member as a stream; reading it to its end checks its checksum."""
        try:
            return self._archive.open(self._members[_folded(member)])
        except KeyError:
            raise _damaged(f"has no part {member}", f"no {member}") from None

    def worksheets(self) -> list[Worksheet]:
        """The sheets that hold cells; chart and macro sheets are left out."""
        with reading():
            relations = {
                attributes.get("Id"): attributes
                for tag, attributes in self._elements(_RELATIONS)
                if tag == "Relationship"
            }
            sheets = [attributes for tag, attributes in self._elements(_WORKBOOK) if tag == "sheet"]
        worksheets = []
        for sheet in sheets:
            # Transitional and strict files differ in the namespace of r:id, and only in that.
            identity = next((value for name, value in sheet.items() if name.endswith("/relationships id")), None)
            relation = relations.get(identity, {})
            if relation.get("Type", "").endswith("/worksheet"):
                worksheets.append(
                    Worksheet(
                        name=sheet.get("name", ""),
                        member=posixpath.normpath(posixpath.join("/xl", relation.get("Target", ""))).lstrip("/"),
                        visible=sheet.get("state", "visible") == "visible",
                    )
                )
        return worksheets

    def verify_checksums(self) -> None:
        """Read every member to its end, because the Excel reader ignores checksums.

        Raises:
            UnreadableWorkbookError: A member is damaged, or two have the same name.
        """
        # Readers differ in which of two equal names they take, so neither could be trusted.
        for name, times in Counter(map(_folded, self._archive.namelist())).items():
            if times > 1:
                raise _damaged(f"holds the part {name} {times} times", f"{times} x {name}")
        for name in self._archive.namelist():
            with reading(name), self._archive.open(name) as member:
                while member.read(CHUNK):
                    pass

    def _elements(self, member: str) -> list[tuple[str, dict[str, str]]]:
        elements: list[tuple[str, dict[str, str]]] = []
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = lambda tag, attributes: elements.append((local_name(tag), attributes))
        with self.open(member) as stream:
            parser.ParseFile(stream)
        return elements


@contextmanager
def open_package(workbook: Path) -> Iterator[Package]:
    """The archive of `workbook`.

    Raises:
        UnreadableWorkbookError: The file is something else, and the error says what it looks like.
    """
    with workbook.open("rb") as file:
        beginning = file.read(512)
        if not beginning.startswith(_ZIP_MAGIC):
            raise _something_else(_likeness(workbook, beginning))
        with reading():
            archive = zipfile.ZipFile(file)
        with archive:
            names = set(map(_folded, archive.namelist()))
            if _WORKBOOK not in names:
                raise _something_else(
                    next(
                        (words for member, words in _MEMBERS_OF_OTHERS.items() if member in names),
                        "a zip archive without a workbook",
                    )
                )
            yield Package(archive)


@contextmanager
def reading(member: str | None = None) -> Iterator[None]:
    """Turn what zip and XML readers raise into one error that people can read."""
    where = f" at {member}" if member else ""
    try:
        yield
    except _BROKEN_ARCHIVE:
        raise _damaged(f"is damaged or incomplete{where}", f"damaged{where}") from None
    except expat.ExpatError:
        raise _damaged(f"holds broken XML{where}", f"broken XML{where}") from None


def local_name(tag: str) -> str:
    """An expat tag without its namespace."""
    return tag.rpartition(" ")[2]


def _folded(name: str) -> str:
    # The format compares part names without regard to case, and so does the Excel reader.
    return name.lower()


def _damaged(reason: str, value: str) -> UnreadableWorkbookError:
    return UnreadableWorkbookError(reason, value)


def _something_else(likeness: str) -> UnreadableWorkbookError:
    return UnreadableWorkbookError(f"is {likeness}, not an .xlsx workbook", likeness)


def _likeness(workbook: Path, beginning: bytes) -> str:
    if not beginning:
        return "an empty file"
    if beginning.startswith(_OLE_MAGIC):
        return _ole_likeness(workbook)
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, words in _TEXT_BEGINNINGS.items():
        if start.startswith(magic):
            return words
    return "a file of an unknown kind" if b"\0" in beginning else "a text or CSV file"


def _ole_likeness(workbook: Path) -> str:
    # An encrypted .xlsx is wrapped in the container of the old formats; only a name inside tells them apart.
    with workbook.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        encrypted = content.find("EncryptedPackage".encode("utf-16-le")) >= 0
    return "a password-protected workbook" if encrypted else "an old .xls workbook"
