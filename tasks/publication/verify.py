"""Verify published months, and list them."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

from tasks.map_in_order import REQUESTS_AT_ONCE, map_in_order
from tasks.publication.history import select_earlier
from tasks.publication.identity import REPORT_VERSION
from tasks.publication.manifest import (
    Manifest,
    PublishedFile,
    Revision,
    published_months,
    read_manifest,
    read_published,
)
from tasks.publication.publisher import show
from tasks.storage.protocol import Storage


@dataclass(frozen=True)
class Verdict:
    """What was found for one month.

    Attributes:
        manifest: The revision that counts, or None where the month was never published.
        faults: One sentence for each file that differs from the manifest.
    """

    manifest: Manifest | None
    faults: list[str]


def verify_month(storage: Storage, month: str, *, repair: bool) -> Verdict:
    """Read back every file of a month's revision, and every name that people open.

    Args:
        storage: Where it was published.
        month: The label of the snapshot.
        repair: First copy the files of the committed revision to the names that people open. A revision's own file is
            never changed: where one is damaged, restore it from the store's versions, or from the copy that
            people open, if that is undamaged.
    """
    manifest = read_manifest(storage, month)
    if manifest is None:
        return Verdict(None, [f"{month} was never published at {storage.address('')}."])
    own_files = {file.key: file for file in manifest.files.values()}
    own_faults = [f"{storage.address(key)} {fault}." for key, fault in _faults(storage, own_files)]
    # A damaged file must not be copied over a good copy.
    if repair and not own_faults:
        for name, _ in _faults(storage, manifest.files):
            storage.copy(manifest.files[name].key, name)
        manifest = show(storage, read_published(storage, month), month)
    remedy = "restore the revision's own file first" if own_faults else "run verify with --repair"
    shown_faults = [f"{storage.address(name)} {fault}: {remedy}." for name, fault in _faults(storage, manifest.files)]
    return Verdict(manifest, own_faults + shown_faults)


def _faults(storage: Storage, files: Mapping[str, PublishedFile]) -> list[tuple[str, str]]:
    """The keys whose files differ, and how."""
    found = map_in_order(lambda key: _fault(storage, key, files[key]), files, REQUESTS_AT_ONCE)
    return [(key, fault) for key, fault in zip(files, found, strict=True) if fault]


def _fault(storage: Storage, key: str, expected: PublishedFile) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        found = storage.download(key, Path(folder) / "file")
    if found is None:
        return "is missing"
    if found.size != expected.size:
        return f"has {found.size:,} bytes instead of {expected.size:,}"
    return None if found.sha256 == expected.sha256 else "does not have the content that the manifest says"


@dataclass(frozen=True)
class MonthLine:
    """One published month in a list.

    Attributes:
        month: The label of the snapshot.
        revision: The revision that counts; 0 where nothing was committed.
        revenue: Its total revenue to date, EUR; None where nothing was committed, or in schema version 1.
        previous: The snapshot before it and its revision: `2025-04 r1`; empty for a first snapshot.
        uncommitted: Ids of results that were stored and never committed.
        would_change: Whether running the month again on the same workbooks would publish a new revision, because the
            earlier snapshots that it is computed with have changed, or an earlier version of this program wrote it.
    """

    month: str
    revision: int
    revenue: Decimal | None
    previous: str = ""
    uncommitted: tuple[str, ...] = ()
    would_change: bool = False


def list_months(storage: Storage) -> list[MonthLine]:
    """Every month with a manifest or a stored revision, in order.

    A result that was stored and never committed belongs to a run that was killed before its commit, or is running now.
    It does no harm, and a run on the same inputs will use it.
    """
    stored: dict[str, set[str]] = {}
    for key in storage.keys("revisions/"):
        match key.split("/"):
            case [_, month, folder, _]:
                stored.setdefault(month, set()).add(folder)
    months = sorted({*published_months(storage), *stored})
    read = list(map_in_order(partial(read_published, storage), months, REQUESTS_AT_ONCE))
    lines: list[MonthLine] = []
    manifests: list[Manifest] = []
    for month, published in zip(months, read, strict=True):
        revisions = published.revisions if published else ()
        uncommitted = tuple(sorted(folder for folder in stored.get(month, ()) if not _is_of(folder, revisions)))
        if published is None or published.manifest is None:
            revision = published.revision if published else 0
            lines.append(MonthLine(month, revision, None, "", uncommitted, would_change=published is not None))
            continue
        manifest = published.manifest
        earlier = select_earlier(manifests, manifest.export_date)
        changing = {line.month for line in lines if line.would_change}
        *_, previous = "", *(f"{snapshot.month} r{snapshot.revision}" for snapshot in manifest.earlier_snapshots)
        would_change = [snapshot.id for snapshot in earlier] != [snapshot.id for snapshot in manifest.earlier_snapshots]
        would_change |= any(snapshot.month in changing for snapshot in earlier)
        would_change |= manifest.report_version != REPORT_VERSION
        revenue = manifest.figures.revenue
        lines.append(MonthLine(month, manifest.revision, revenue, previous, uncommitted, would_change=would_change))
        manifests.append(manifest)
    return lines


def _is_of(folder: str, revisions: tuple[Revision, ...]) -> bool:
    """Whether the folder belongs to one of these revisions; in schema version 1 its name has a second part."""
    return folder.partition("-")[0] in {revision.id for revision in revisions}
