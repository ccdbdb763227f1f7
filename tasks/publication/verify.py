"""Is what people see what was published? For people and for alarms."""

import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tasks.publication.manifest import Manifest, published_months, read_manifest
from tasks.publication.publisher import show
from tasks.storage.protocol import Storage


@dataclass(frozen=True)
class Verdict:
    """What was found for one month.

    Attributes:
        manifest: What counts, or None where the month was never published.
        faults: Sentences, one for each file that is not what the manifest says; none when all are.
    """

    manifest: Manifest | None
    faults: list[str]


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
        manifest = show(storage, month)
    remedy = "restore the revision's own file first" if own_faults else "run verify with --repair"
    shown_faults = [
        f"{storage.address(name)} {fault}: {remedy}."
        for name in manifest.files
        if (fault := _fault(storage, name, manifest, name))
    ]
    return Verdict(manifest, own_faults + shown_faults)


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
    """One published month in a list: what counts, and what was stored for it and never committed."""

    month: str
    revision: int
    revenue: Decimal
    orphans: tuple[str, ...]


def list_months(storage: Storage) -> list[MonthLine]:
    """Every month with a manifest or a stored revision, in order.

    An orphan is a stored revision that no manifest knows: of a run that died before its commit, or is running now. It
    does no harm, and a run on the same inputs will use it. A month of which nothing was committed has revision 0.
    """
    stored: dict[str, set[str]] = {}
    for key in storage.keys("revisions/"):
        match key.split("/"):
            case [_, month, identity, _]:
                stored.setdefault(month, set()).add(identity)
    lines = []
    for month in sorted({*published_months(storage), *stored}):
        published = read_manifest(storage, month)
        manifest = published.manifest if published else None
        known = {revision["identity"] for revision in manifest.history()} if manifest else set()
        orphans = tuple(sorted(stored.get(month, set()) - known))
        revenue = manifest.headline().revenue if manifest else Decimal(0)
        lines.append(MonthLine(month, manifest.revision if manifest else 0, revenue, orphans))
    return lines
