"""The month's manifest: the one file that says which revision counts, what it holds, and what it was made from."""

import json
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from tasks.domain.figures import Figures, MonthSummary
from tasks.domain.issues import OutsideFailure
from tasks.domain.schemas import SOURCES
from tasks.publication.identity import REPORT_VERSION
from tasks.storage.protocol import Storage, StoredFile
from tasks.workbook.fetch import FetchedWorkbook

SCHEMA_VERSION = 1
FOLDER = "manifests/"


def manifest_key(month: str) -> str:
    """The key of the month's manifest."""
    return f"{FOLDER}{month}.json"


@dataclass(frozen=True)
class Manifest:
    """One committed revision of a month.

    Attributes:
        month: The label of the snapshot.
        revision: Its number, from 1.
        identity: What it was made from, see `identity.result_identity`.
        parameters: What the run was told.
        figures: The headline figures; money as text with two places, since a JSON number is a float to most readers.
        rows: For each source: rows read, used, and set aside by reason.
        inputs: For each source: file, size and sha256.
        files: For each name that people open: the key of the revision's own file, its size and sha256.
        baseline: Month, revision and identity of the month before that was published when this one was; or None.
        earlier_revisions: Revision, identity and figures of all that came before.
    """

    month: str
    revision: int
    identity: str
    parameters: dict[str, Any]
    figures: dict[str, Any]
    rows: dict[str, Any]
    inputs: dict[str, Any]
    files: dict[str, Any]
    baseline: dict[str, Any] | None
    earlier_revisions: list[dict[str, Any]]
    report_version: int = REPORT_VERSION
    schema_version: int = field(default=SCHEMA_VERSION)

    def to_bytes(self) -> bytes:
        """The manifest as it is stored: the same manifest gives the same bytes."""
        return (json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode()

    def reference(self) -> dict[str, Any]:
        """How another month names this one."""
        return {"month": self.month, "revision": self.revision, "identity": self.identity}

    def history(self) -> list[dict[str, Any]]:
        """All revisions, this one last."""
        mine = {"revision": self.revision, "identity": self.identity, "figures": self.figures}
        return [*self.earlier_revisions, mine]

    def stored(self, name: str) -> StoredFile:
        """Size and sha256 of the file that people open under this name."""
        return StoredFile(self.files[name]["size"], self.files[name]["sha256"])

    def headline(self) -> Figures:
        """The headline figures as numbers."""
        return read_figures(self.figures)


def read_figures(figures: dict[str, Any]) -> Figures:
    """Figures as a manifest holds them, back to numbers."""
    numbers: dict[str, Any] = {n: Decimal(v) if isinstance(v, str) else v for n, v in figures.items()}
    return Figures(**numbers)


@dataclass(frozen=True)
class Published:
    """A manifest with the version of the file it was read from."""

    manifest: Manifest
    version: str


def read_manifest(storage: Storage, month: str) -> Published | None:
    """The month's manifest, or None where the month was never published.

    Raises:
        OutsideFailure: The file is no manifest of this schema.
    """
    document = storage.read(manifest_key(month))
    if document is None:
        return None
    try:
        manifest = Manifest(**json.loads(document.content))
        is_ours = (manifest.schema_version, manifest.month) == (SCHEMA_VERSION, month) and _is_whole(manifest)
    except (ValueError, TypeError, ArithmeticError, AttributeError, KeyError):
        is_ours = False
    if not is_ours:
        place = storage.address(manifest_key(month))
        raise OutsideFailure(f"{place} is not a manifest of schema version {SCHEMA_VERSION} for {month}.")
    return Published(manifest, document.version)


def _is_whole(manifest: Manifest) -> bool:
    """Whether all that is read of a manifest later is there and of its kind; some of it raises where it is not."""
    figures = [read_figures(revision["figures"]) for revision in manifest.history()]
    files = [manifest.stored(name) for name in manifest.files]
    return (
        isinstance(manifest.revision, int)
        and all(isinstance(each.revenue, Decimal) and isinstance(each.units, int) for each in figures)
        and all(isinstance(file.size, int) and isinstance(file.sha256, str) for file in files)
        and all(isinstance(revision["identity"], str) for revision in manifest.history())
        and isinstance(manifest.inputs["web"]["sha256"], str)
    )


def published_months(storage: Storage) -> list[str]:
    """The months that have a manifest, in order."""
    names = [key.removeprefix(FOLDER) for key in storage.keys(FOLDER)]
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def month_before(storage: Storage, month: str) -> Manifest | None:
    """The last published month before this one, whatever lies between."""
    earlier = [published for published in published_months(storage) if published < month]
    before = read_manifest(storage, earlier[-1]) if earlier else None
    return before.manifest if before else None


def first_revision(
    summary: MonthSummary,
    identity: str,
    workbooks: list[FetchedWorkbook],
    files: dict[str, Any],
    baseline: Manifest | None,
) -> Manifest:
    """The manifest of a result that no revision came before; the publisher numbers it anew where one did."""
    parameters = asdict(summary.parameters)
    return Manifest(
        month=parameters.pop("month"),
        revision=1,
        identity=identity,
        parameters=parameters,
        figures={name: _plain(value) for name, value in asdict(summary.figures).items()},
        rows={source: _rows(summary.row_counts.filter(source=source)) for source in SOURCES},
        inputs={
            book.source: {"file": book.file, "size": book.facts.size, "sha256": book.facts.sha256} for book in workbooks
        },
        files=files,
        baseline=baseline.reference() if baseline else None,
        earlier_revisions=[],
    )


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value


def _rows(counts: pl.DataFrame) -> dict[str, Any]:
    """Rows read, used, and set aside by reason; a reason that has details is split by them."""
    rows: dict[str, Any] = {"read": counts["rows"].sum(), "used": 0, "ignored": {}, "rejected": {}}
    for count in counts.iter_rows(named=True):
        if count["disposition"] == "used":
            rows["used"] = count["rows"]
        else:
            reason = count["rule"] if count["detail"] is None else f"{count['rule']}: {count['detail']}"
            rows[count["disposition"]][reason] = count["rows"]
    return rows
