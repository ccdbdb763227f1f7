"""The .xlsx file as a zip archive: checks that it is one, that its sizes are plausible, and the checksums of parts."""

import posixpath
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from tasks.domain import rules
from tasks.workbook.faults import UnreadableWorkbookError, damaged, too_large
from tasks.workbook.likeness import ZIP_MAGIC, likeness_of_file

CHUNK = 1024 * 1024

MEGABYTE = 1024 * 1024
LARGEST_INFLATED = 1536 * MEGABYTE
"""All parts together; a sheet with its last row filled, of 28 columns with texts, has 1,100 MB."""
MOST_MEMBERS = 2_000
HIGHEST_RATIO = 100
"""Inflated to packed size; sheets shrink to a tenth, rows of empty cells to a fortieth."""
_SMALL = MEGABYTE

_END_OF_ARCHIVE = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 65_535
_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error)


class Archive:
    """The parts of an opened .xlsx archive, by their normalized names; use it as `with open_archive(path)`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        self._entries = {part_name(entry.filename): entry for entry in entries}
        self._times = Counter(part_name(entry.filename) for entry in entries)

    def __contains__(self, part: str) -> bool:
        return part in self._entries

    def names(self) -> list[str]:
        """The normalized names of all parts."""
        return list(self._entries)

    def size(self, part: str) -> int:
        """The size of a part in bytes, 0 if it is missing; no more than that is read."""
        return self._entries[part].file_size if part in self else 0

    def open(self, part: str) -> IO[bytes]:
        """The part as a stream; reading it to its end verifies its size and its checksum."""
        if part not in self:
            raise damaged(f"no {part}")
        if self._times[part] > 1:  # programs differ in which one they read
            raise damaged(f"{self._times[part]} x {part}")
        entry = self._entries[part]
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise NotImplementedError
        return self._archive.open(entry)

    def verify(self, part: str) -> None:
        """Read the part to its end, for its checksum.

        Raises:
            UnreadableWorkbookError: It is damaged.
        """
        with reading_archive(part), self.open(part) as stream:
            while stream.read(CHUNK):
                pass


def part_name(path: str) -> str:
    """A part's name in the form in which names are compared.

    The format ignores case; programs also write back-slashes, `./`, `../`, `%20` and a leading slash.
    """
    return posixpath.normpath("/" + unquote(path).replace("\\", "/")).lstrip("/").lower()


@contextmanager
def open_archive(workbook: Path) -> Iterator[Archive]:
    """The archive of `workbook`, its declared sizes verified.

    Raises:
        UnreadableWorkbookError: The file is something else, damaged or too large.
    """
    with workbook.open("rb") as file:
        beginning = file.read(512)
        if not beginning.startswith(ZIP_MAGIC):
            raise UnreadableWorkbookError(rules.NOT_A_WORKBOOK.code, likeness_of_file(workbook, beginning))
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT))
        if _END_OF_ARCHIVE not in file.read():
            raise damaged("end of the file")  # such as a half-finished upload
        with reading_archive():
            archive = zipfile.ZipFile(file)
        with archive:
            _verify_declared(archive.infolist(), size)
            yield Archive(archive)


@contextmanager
def reading_archive(part: str = "the table of contents") -> Iterator[None]:
    """Turn the errors of the zip reader into one that people understand."""
    try:
        yield
    except _BROKEN_ARCHIVE:
        raise damaged(part) from None


def _verify_declared(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse an archive by its declared sizes, before a byte is inflated; no more than these sizes is ever read."""
    if len(entries) > MOST_MEMBERS:
        raise too_large(f"{len(entries):,} parts")
    if sum(entry.compress_size for entry in entries) > size:
        raise damaged("overlapping parts")
    for entry in entries:
        if entry.file_size > max(_SMALL, HIGHEST_RATIO * entry.compress_size):
            raise too_large(f"{entry.compress_size:,} to {entry.file_size:,} bytes")
    if (inflated := sum(entry.file_size for entry in entries)) > LARGEST_INFLATED:
        raise too_large(f"{inflated:,} bytes")
