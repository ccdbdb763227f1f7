"""Is what people see what was published? For people and for alarms."""

import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.publication.manifest import (
    Manifest,
    describe_baseline,
    month_before,
    published_months,
    read_manifest,
    revision_folder,
)
from tasks.publication.publisher import show
from tasks.storage.protocol import Storage


@dataclass(frozen=True)
class Verdict:
    """What was found for one month.

    Attributes:
        manifest: What counts, or None where the month was never published.
        faults: Sentences, one for each file that is not what the manifest says; none when all are.
        remark: That the month before was corrected since, which is no fault; empty where it was not.
    """

    manifest: Manifest | None
    faults: list[str]
    remark: str = ""


def verify_month(storage: Storage, month: str, *, repair: bool) -> Verdict:
    """Read back every file of a month's revision, and every name that people open.

    Args:
        storage: Where it was published.
        month: The label of the snapshot.
        repair: Bring the names that people open to the committed revision first. A revision's own file is never
            touched: where one is damaged, the store's versions can help, or a shown name that is still whole.
    """
    published = read_manifest(storage, month)
    if published is None:
        return Verdict(None, [f"{month} was never published at {storage.address('')}."])
    manifest = published.manifest
    own_faults = [
        f"{storage.address(file['key'])} {fault}."
        for name, file in manifest.files.items()
        if (fault := _fault(storage, file["key"], manifest, name))
    ]
    # A damaged revision must not be copied over a name that still holds the right file.
    if repair and not own_faults:
        for name in manifest.files:
            if _fault(storage, name, manifest, name):
                storage.copy(manifest.files[name]["key"], name)
        manifest = show(storage, published, month)
    remedy = "restore the revision's own file first" if own_faults else "run verify with --repair"
    shown_faults = [
        f"{storage.address(name)} {fault}: {remedy}."
        for name in manifest.files
        if (fault := _fault(storage, name, manifest, name))
    ]
    before = month_before(storage, published_months(storage), month)
    return Verdict(manifest, own_faults + shown_faults, describe_baseline(manifest, before))


def _fault(storage: Storage, key: str, manifest: Manifest, name: str) -> str | None:
    expected = manifest.stored(name)
    with tempfile.TemporaryDirectory() as folder:
        found = storage.download(key, Path(folder) / "file")
    if found is None:
        return "is missing"
    if found.size != expected.size:
        return f"has {found.size:,} bytes instead of {expected.size:,}"
    return None if found.sha256 == expected.sha256 else "has another content than the manifest says"


@dataclass(frozen=True)
class MonthLine:
    """One published month in a list.

    Attributes:
        month: The label of the snapshot.
        revision: What counts; 0 where nothing was committed.
        revenue: Its revenue, EUR.
        compared_with: The month it was compared with and its revision.
        orphans: What was stored for it and never committed.
        is_outdated: Whether another result stands before it now than the one it was compared with.
    """

    month: str
    revision: int
    revenue: Decimal
    compared_with: str
    orphans: tuple[str, ...]
    is_outdated: bool = False


def list_months(storage: Storage) -> list[MonthLine]:
    """Every month with a manifest or a stored revision, in order.

    An orphan is a stored revision that no manifest knows: of a run that died before its commit, or is running now. It
    does no harm, and a run on the same inputs will use it.
    """
    stored: dict[str, set[str]] = {}
    for key in storage.keys("revisions/"):
        match key.split("/"):
            case [_, month, result, _]:
                stored.setdefault(month, set()).add(result)
    lines = []
    before: Manifest | None = None
    for month in sorted({*published_months(storage), *stored}):
        published = read_manifest(storage, month)
        orphans = stored.get(month, set())
        if published is None:
            lines.append(MonthLine(month, 0, Decimal(0), "", tuple(sorted(orphans))))
            continue
        manifest = published.manifest
        known = {_folder_name(month, revision) for revision in manifest.history()}
        compared_with = f"{manifest.baseline['month']} r{manifest.baseline['revision']}" if manifest.baseline else "-"
        line = MonthLine(
            month, manifest.revision, manifest.headline().revenue, compared_with, tuple(sorted(orphans - known)),
            is_outdated=describe_baseline(manifest, before) != "",
        )  # fmt: skip
        lines.append(line)
        before = manifest
    return lines


def _folder_name(month: str, revision: dict[str, Any]) -> str:
    return PurePosixPath(revision_folder(month, revision["identity"], revision["baseline"])).name
