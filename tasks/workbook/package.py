"""The .xlsx file as a zip archive: is it one, is it of a sound size, are its bytes intact, which sheets has it."""

import posixpath
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.parsers import expat

from tasks.workbook.likeness import ZIP_MAGIC, likeness_of_archive, likeness_of_file

CHUNK = 1024 * 1024

MEGABYTE = 1024 * 1024
LARGEST_INFLATED = 1536 * MEGABYTE
"""All parts together; a sheet with its last row filled, of 28 columns with texts, takes 1,100 MB."""
MOST_MEMBERS = 2_000
MOST_STRINGS = 4_000_000
_LONGEST_STRING = 2 * MEGABYTE
"""Bytes in the table of texts from the end of one to the end of the next; a spreadsheet allows 32,767 characters."""
HIGHEST_RATIO = 100
"""Inflated to packed size; sheets are packed to a tenth, rows of empty cells to a fortieth."""
_SMALL = MEGABYTE

_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_STRINGS = "xl/sharedstrings.xml"
_COMMON_PARTS = ("[content_types].xml", "_rels/.rels", _WORKBOOK, _RELATIONS, _STRINGS, "xl/styles.xml")
_END_OF_ARCHIVE = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 65_535
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_PASSWORD_FLAG = 1
_FIRST_TAG = re.compile(rb"<[^!?]")
_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error)


class UnreadableWorkbookError(Exception):
    """The file cannot be read as a workbook.

    Attributes:
        reason: Follows the file's name in a sentence: `is a web page (HTML), not an .xlsx workbook`.
        value: What was found, in a few words.
        cell: The address at which reading failed, when it was at a cell.
        rule: The code of the fault in the catalogue of issues.
        sheet: The sheet that is meant, where it is one.
    """

    def __init__(
        self, reason: str, value: str, cell: str | None = None, rule: str = "not-a-workbook", sheet: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value
        self.cell = cell
        self.rule = rule
        self.sheet = sheet


class _DocumentTypeError(Exception):
    """The XML declares a document type, which no workbook has and which could define entities."""


@dataclass(frozen=True)
class Worksheet:
    """One sheet of a workbook, in the order of its tabs."""

    name: str
    member: str
    visible: bool


class Package:
    """An opened .xlsx archive; use it as `with open_package(path) as package`."""

    def __init__(self, archive: zipfile.ZipFile, file: IO[bytes]) -> None:
        self._archive = archive
        self._file = file
        self._members = {_folded(name): name for name in archive.namelist()}

    def open(self, member: str) -> IO[bytes]:
        """The member as a stream; reading it to its end checks its checksum."""
        try:
            return self._archive.open(self._members[_folded(member)])
        except KeyError:
            raise _damaged(f"has no part {member}", f"no {member}") from None

    def parts_of_all_sheets(self) -> list[str]:
        """The names of the parts that the Excel reader needs of every sheet: texts, styles, and the list of sheets."""
        return [self._members[part] for part in _COMMON_PARTS if part in self._members]

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

    def verify(self) -> int:
        """Inflate every member, because the Excel reader trusts sizes and ignores checksums.

        Returns:
            The size of all members, in bytes really inflated.

        Raises:
            UnreadableWorkbookError: A member is damaged, larger than a workbook's, or not what it is declared to be.
        """
        self._verify_declared()
        inflated = 0
        for entry in self._archive.infolist():
            with reading(entry.filename):
                inflated += self._verify_member(entry)
        return inflated

    def _verify_declared(self) -> None:
        """Sizes and names as the archive declares them, before a byte is inflated."""
        entries = self._archive.infolist()
        if len(entries) > MOST_MEMBERS:
            raise too_large(f"holds {len(entries):,} parts, a workbook at most {MOST_MEMBERS:,}", f"{len(entries)}")
        # Readers differ in which of two equal names they take, so neither could be trusted.
        for name, times in Counter(map(_folded, self._archive.namelist())).items():
            if times > 1:
                raise _damaged(f"holds the part {name} {times} times", f"{times} x {name}")
        if sum(entry.compress_size for entry in entries) > self._file.seek(0, 2):
            raise _damaged("holds parts that lie on top of each other", "overlapping parts")
        for entry in entries:
            if entry.file_size > max(_SMALL, HIGHEST_RATIO * entry.compress_size):
                raise too_large(
                    f"unpacks {entry.filename} to more than {HIGHEST_RATIO} times its size",
                    f"{entry.compress_size:,} to {entry.file_size:,} bytes",
                )
        inflated = sum(entry.file_size for entry in entries)
        if inflated > LARGEST_INFLATED:
            raise too_large(
                f"unpacks to {inflated // MEGABYTE:,} MB, a workbook to at most {LARGEST_INFLATED // MEGABYTE:,} MB",
                f"{inflated:,} bytes",
            )

    def _verify_member(self, entry: zipfile.ZipInfo) -> int:
        """Inflate one member without trusting its header; a size that is not the declared one is damage."""
        size = checksum = strings = string = 0
        beginning = True
        for chunk in self._inflate(entry):
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
            if size > entry.file_size:
                break
            if beginning and b"<!DOCTYPE" in _prolog(chunk):
                raise _document_type(entry.filename)
            beginning = False
            if _folded(entry.filename) == _STRINGS:
                strings += chunk.count(b"<si")
                end = max(chunk.rfind(b"si>"), chunk.rfind(b"si/>"))
                string = string + len(chunk) if end < 0 else len(chunk) - end
                if string > _LONGEST_STRING:
                    raise too_large("holds a text longer than any spreadsheet can", "a text too long")
        if size != entry.file_size or checksum != entry.CRC:
            raise zipfile.BadZipFile
        if strings > MOST_STRINGS:
            raise too_large(f"holds more than {MOST_STRINGS:,} texts", f"{strings:,} texts")
        return size

    def _inflate(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        """The member's bytes, up to the end of its packed form whatever size is declared."""
        self._file.seek(entry.header_offset)
        magic, name_length, extra_length = _LOCAL_HEADER.unpack(self._file.read(_LOCAL_HEADER.size))
        if magic != b"PK\x03\x04" or entry.flag_bits & _PASSWORD_FLAG:
            raise zipfile.BadZipFile
        start = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        if entry.compress_type == zipfile.ZIP_STORED:
            yield from _pieces(self._file, start, entry.compress_size)
            return
        if entry.compress_type != zipfile.ZIP_DEFLATED:
            raise NotImplementedError
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        for piece in _pieces(self._file, start, entry.compress_size):
            packed = piece
            while packed and not unpacker.eof:
                yield unpacker.decompress(packed, CHUNK)
                packed = unpacker.unconsumed_tail
        while not unpacker.eof and (rest := unpacker.decompress(unpacker.unconsumed_tail, CHUNK)):
            yield rest
        if not unpacker.eof or unpacker.unused_data:
            raise zipfile.BadZipFile

    def _elements(self, member: str) -> list[tuple[str, dict[str, str]]]:
        elements: list[tuple[str, dict[str, str]]] = []
        parser = xml_parser()
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
    if not workbook.exists():
        raise UnreadableWorkbookError("is not there", "no file", rule="missing-workbook")
    if not workbook.is_file():
        raise _something_else("a folder" if workbook.is_dir() else "a device")
    with workbook.open("rb") as file:
        beginning = file.read(512)
        if not beginning.startswith(ZIP_MAGIC):
            raise _something_else(likeness_of_file(workbook, beginning))
        file.seek(max(0, file.seek(0, 2) - _END_SIZE - _LONGEST_COMMENT))
        if _END_OF_ARCHIVE not in file.read():
            raise _damaged("is only the beginning of a workbook, such as a half-finished upload", "no end")
        with reading():
            archive = zipfile.ZipFile(file)
        with archive:
            names = set(map(_folded, archive.namelist()))
            if _WORKBOOK not in names:
                raise _something_else(likeness_of_archive(names))
            yield Package(archive, file)


@contextmanager
def reading(member: str | None = None) -> Iterator[None]:
    """Turn what zip and XML readers raise into one error that people can read."""
    where = f" at {member}" if member else ""
    try:
        yield
    except _BROKEN_ARCHIVE:
        raise _damaged(f"is damaged or incomplete{where}", f"damaged{where}") from None
    except _DocumentTypeError:
        raise _document_type(member or _WORKBOOK) from None
    except expat.ExpatError:
        raise _damaged(f"holds broken XML{where}", f"broken XML{where}") from None


def xml_parser() -> expat.XMLParserType:
    """A parser that names tags with their namespace and takes no document type, hence no entities."""

    def refuse(*_: object) -> None:
        raise _DocumentTypeError

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    return parser


def local_name(tag: str) -> str:
    """An expat tag without its namespace."""
    return tag.rpartition(" ")[2]


def too_large(reason: str, value: str, cell: str | None = None) -> UnreadableWorkbookError:
    """The refusal of a workbook that would cost more than it could be worth."""
    return UnreadableWorkbookError(reason, value, cell, "too-large-workbook")


def _pieces(file: IO[bytes], start: int, size: int) -> Iterator[bytes]:
    """A stretch of the file; others may move its position in between."""
    end = start + size
    while start < end:
        file.seek(start)
        piece = file.read(min(CHUNK, end - start))
        if not piece:
            raise EOFError
        start += len(piece)
        yield piece


def _prolog(beginning: bytes) -> bytes:
    """What stands before the first element of an XML part."""
    first = _FIRST_TAG.search(beginning)
    return beginning[: first.start()] if first else beginning


def _folded(name: str) -> str:
    # The format compares part names without regard to case, and so does the Excel reader.
    return name.lower()


def _damaged(reason: str, value: str) -> UnreadableWorkbookError:
    return UnreadableWorkbookError(reason, value)


def _document_type(member: str) -> UnreadableWorkbookError:
    return _damaged(f"declares a document type at {member}, which no workbook does", "DOCTYPE")


def _something_else(likeness: str) -> UnreadableWorkbookError:
    return UnreadableWorkbookError(f"is {likeness}, not an .xlsx workbook", likeness)
