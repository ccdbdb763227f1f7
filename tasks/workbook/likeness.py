"""What kind of file it is, if it is not an .xlsx workbook, in everyday words."""

import mmap
from collections.abc import Collection
from pathlib import Path

_OLE_MAGIC = bytes.fromhex("D0CF11E0")
ZIP_MAGIC = b"PK"

_TEXT_BEGINNINGS = {
    b"<!doctype html": "a web page (HTML)",
    b"<html": "a web page (HTML)",
    b"<?xml": "an XML file",
    b"%pdf": "a PDF file",
}
MEMBERS_OF_OTHERS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument file (such as .ods)",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a PowerPoint presentation",
}


def likeness_of_file(workbook: Path, beginning: bytes) -> str:
    """The kind of a file that is not a zip archive."""
    if not beginning:
        return "an empty file"
    if beginning.startswith(_OLE_MAGIC):
        return _likeness_of_container(workbook)
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, words in _TEXT_BEGINNINGS.items():
        if start.startswith(magic):
            return words
    return "a file of an unknown kind" if b"\0" in beginning else "a text or CSV file"


def likeness_of_archive(members: Collection[str]) -> str:
    """The kind of a zip archive without a workbook, by the names of its members in lower case."""
    known = (words for member, words in MEMBERS_OF_OTHERS.items() if member in members)
    return next(known, "a zip archive without a workbook")


def _likeness_of_container(workbook: Path) -> str:
    # An encrypted .xlsx has the container of the old formats; only a name in it distinguishes them.
    with workbook.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        encrypted = content.find("EncryptedPackage".encode("utf-16-le")) >= 0
    return "a password-protected workbook" if encrypted else "an old .xls workbook"
