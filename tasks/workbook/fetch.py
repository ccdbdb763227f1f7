"""Find the month's three workbooks and copy each of them once."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tasks.domain import rules
from tasks.domain.issues import DataRefused, Issue, OutsideFailure, issue_frame
from tasks.domain.month import fill_month
from tasks.domain.sources import SOURCES, Source
from tasks.map_in_order import map_in_order
from tasks.storage.location import Location
from tasks.storage.protocol import Storage, StoredFile


@dataclass(frozen=True)
class FetchedWorkbook:
    """The run's copy of one workbook.

    Attributes:
        source: Which of the three workbooks it is.
        file: Its original name.
        path: The run's own copy.
        facts: Size and sha256 of the copy.
    """

    source: Source
    file: str
    path: Path
    facts: StoredFile


@dataclass(frozen=True)
class WorkbookLocations:
    """Where a month's workbooks are.

    Attributes:
        folder: Contains exactly one visible .xlsx whose name contains `erp`, one `liaison` and one `web`.
        named: Workbooks whose location is given.
    """

    folder: Location
    named: dict[Source, Location]


def workbook_locations(month: str, folder: str, aws_credentials: str = "", **named: str) -> WorkbookLocations:
    """The locations with the month filled in; a workbook without a path is looked for in the folder.

    Raises:
        WrongArgument: A path has an unknown placeholder, or an unknown kind.
    """
    paths = {source: fill_month(named[source], month) for source in SOURCES if named[source]}
    locations = WorkbookLocations(
        Location(fill_month(folder, month), aws_credentials),
        {source: Location(path, aws_credentials) for source, path in paths.items()},
    )
    for location in (locations.folder, *locations.named.values()):
        location.check()
    return locations


def fetch_workbooks(locations: WorkbookLocations, target: Path) -> dict[Source, FetchedWorkbook]:
    """Copy the workbooks in parallel into the run's own folder; all later stages read the copies.

    Args:
        locations: Where the workbooks are.
        target: The run's own folder.

    Raises:
        DataRefused: A workbook is missing, not the only one, or given for two sources; all issues are reported at once.
        OutsideFailure: The folder cannot be read.
    """
    folder = locations.folder.open()
    listed = folder.names() if len(locations.named) < len(SOURCES) else []

    def fetch(source: Source) -> FetchedWorkbook | Issue:
        if named := locations.named.get(source):
            parent, name = named.parent()
            storage, names = parent.open(), [name]
            wanted = named.address
        else:
            storage, names = folder, [name for name in listed if _is_workbook_of(source, name)]
            wanted = f"{source} workbook in {locations.folder.address}"
        if len(names) > 1:
            return Issue(wanted, rules.SEVERAL_WORKBOOKS.code, value=", ".join(map(_readable, names)))
        path = target / f"{source}.xlsx"
        facts = _copy(storage, names[0], path) if names else None
        if facts is None:
            return Issue(wanted, rules.MISSING_WORKBOOK.code)
        return FetchedWorkbook(source, _readable(names[0]), path, facts)

    found = list(map_in_order(fetch, SOURCES, len(SOURCES)))
    fetched = [book for book in found if isinstance(book, FetchedWorkbook)]
    if issues := [issue for issue in found if isinstance(issue, Issue)] + _same_workbooks(fetched):
        raise DataRefused(issue_frame(issues))
    return {book.source: book for book in fetched}


def _readable(name: str) -> str:
    """The name of a file; bytes that are not UTF-8 are replaced."""
    return os.fsencode(name).decode(errors="replace")


def _same_workbooks(fetched: Iterable[FetchedWorkbook]) -> list[Issue]:
    """The workbooks that are given for more than one source; an empty file is another issue."""
    names = defaultdict(list)
    for book in fetched:
        if book.facts.size:
            names[book.facts.sha256].append(f"{book.file} ({book.source})")
    return [Issue(" and ".join(same), rules.SAME_WORKBOOK.code) for same in names.values() if len(same) > 1]


def _copy(storage: Storage, name: str, path: Path) -> StoredFile | None:
    """One consistent version of a workbook; None if there is none."""
    copied = storage.download(name, path)
    now = storage.facts(name) if copied else None
    if copied and (now is None or now.version != copied.version):
        raise OutsideFailure(
            f"{storage.address(name)} was replaced while it was copied. Run again when it is finished."
        )
    return copied


def _is_workbook_of(source: Source, name: str) -> bool:
    """Whether a visible workbook's name contains the source; `~$…` is the lock file of an open workbook."""
    return name.lower().endswith(".xlsx") and not name.startswith((".", "~$")) and source in name.lower()
