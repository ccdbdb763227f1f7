"""The parts of a workbook, found by their relations and not by their names."""

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tasks.domain import rules
from tasks.workbook.archive import Archive, open_archive, part_name
from tasks.workbook.faults import UnreadableWorkbookError, too_large
from tasks.workbook.likeness import MEMBERS_OF_OTHERS, likeness_of_archive
from tasks.workbook.xml_parts import Element, elements, reading

_USUAL_MAIN_PART = "xl/workbook.xml"
_MOST_SHEETS = 200


@dataclass(frozen=True)
class Worksheet:
    """One sheet of a workbook.

    Attributes:
        name: Its name on the tab.
        part: The name of its part.
    """

    name: str
    part: str


@dataclass(frozen=True)
class Package:
    """An opened workbook; use it as `with open_package(path) as package`.

    Attributes:
        archive: Its parts.
        worksheets: The visible sheets with cells, in the order of their tabs.
        strings: The name of the part with the table of texts, None without one.
        styles: The name of the part with the styles, None without one.
        is_1904: Whether days are counted from 1904 instead of 1900.
        is_calculated: Whether the program that wrote the workbook calculated its formulas: the workbook has
            calculation settings, and they do not ask for a calculation when it is opened.
    """

    archive: Archive
    worksheets: tuple[Worksheet, ...]
    strings: str | None
    styles: str | None
    is_1904: bool
    is_calculated: bool

    def open(self, part: str) -> IO[bytes]:
        """The part as a stream; reading it to its end verifies it."""
        return self.archive.open(part)

    def size(self) -> int:
        """The size in bytes of all parts that may be read."""
        parts = [sheet.part for sheet in self.worksheets]
        return sum(map(self.archive.size, {*parts, self.strings or "", self.styles or ""}))


@contextmanager
def open_package(workbook: Path) -> Iterator[Package]:
    """The parts of `workbook`.

    Raises:
        UnreadableWorkbookError: The file is something else, damaged, too large, or has no visible sheet.
    """
    with open_archive(workbook) as archive:
        yield _resolved(archive)


def _resolved(archive: Archive) -> Package:
    main = _first(_relations(archive, ""), "officeDocument") or _USUAL_MAIN_PART
    if main not in archive or main in MEMBERS_OF_OTHERS:
        raise UnreadableWorkbookError(rules.NOT_A_WORKBOOK.code, likeness_of_archive(archive.names()))
    relations = _relations(archive, main)
    with reading(main), archive.open(main) as stream:
        book = elements(stream)
    return Package(
        archive,
        _visible_sheets(book, relations),
        strings=_first(relations, "sharedStrings") or _usual(archive, main, "sharedstrings.xml"),
        styles=_first(relations, "styles") or _usual(archive, main, "styles.xml"),
        is_1904=any(element.name == "workbookPr" and element.is_true("date1904") for element in book),
        is_calculated=any(element.name == "calcPr" and not element.is_true("fullCalcOnLoad") for element in book),
    )


@dataclass(frozen=True)
class _Relation:
    """A relation to another part; `type` is the last word of its address, which is the same in all dialects."""

    type: str
    part: str


def _relations(archive: Archive, part: str) -> dict[str, _Relation]:
    """The relations of a part by their id; "" is the archive itself."""
    folder, name = posixpath.split(part)
    declared = posixpath.join(folder, "_rels", f"{name}.rels")
    if declared not in archive:
        return {}
    with reading(declared), archive.open(declared) as stream:
        found = [element.attributes for element in elements(stream) if element.name == "Relationship"]
    return {
        relation.get("Id", ""): _Relation(
            relation.get("Type", "").rpartition("/")[2],
            part_name(posixpath.join("/", folder, relation.get("Target", "").replace("\\", "/"))),
        )
        for relation in found
        if relation.get("TargetMode") != "External"
    }


def _first(relations: dict[str, _Relation], kind: str) -> str | None:
    return next((relation.part for relation in relations.values() if relation.type == kind), None)


def _usual(archive: Archive, main: str, name: str) -> str | None:
    """A part without a relation but with the usual name, which some programs read."""
    part = posixpath.join(posixpath.dirname(main), name)
    return part if part in archive else None


def _visible_sheets(book: list[Element], relations: dict[str, _Relation]) -> tuple[Worksheet, ...]:
    """The sheets with cells; those of charts, macros and dialogs are left out, and those without a part."""
    visible = []
    for sheet in book:
        if (sheet.parent, sheet.name) == ("sheets", "sheet") and sheet.attributes.get("state", "visible") == "visible":
            # Transitional and strict files differ in the namespace of r:id, and only in that.
            identity = next((id_ for name, id_ in sheet.attributes.items() if name.endswith("/relationships id")), "")
            relation = relations.get(identity)
            if relation is not None and relation.type == "worksheet":
                visible.append(Worksheet(sheet.attributes.get("name", ""), relation.part))
    if not visible:
        raise UnreadableWorkbookError(rules.NO_VISIBLE_SHEET.code)
    if len(visible) > _MOST_SHEETS:
        raise too_large(f"{len(visible):,} visible sheets")
    return tuple(visible)
