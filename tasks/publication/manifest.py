"""The month's manifest: the one file that says which revision counts, what it contains, and what it was made from.

Later versions of the code read it. A new field has a default, and so has a new figure in `tasks/domain/figures.py`:
figures are written and read as they are declared there. An unknown field is ignored. `SCHEMA_VERSION` is raised only
when the meaning of a field changes. Runs of later months read only `EarlierSnapshot` of it.
"""

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, model_validator

from tasks.domain.comparisons import Comparisons
from tasks.domain.figures import Figures, PeriodFigures, SnapshotSummary
from tasks.domain.inventory import InventoryFigures
from tasks.domain.issues import OutsideFailure
from tasks.domain.parameters import Parameters
from tasks.report.files import table_name
from tasks.storage.protocol import Document, Storage, StoredFile

SCHEMA_VERSION = 2
FOLDER = "manifests/"


def manifest_key(month: str) -> str:
    """The key of the month's manifest."""
    return f"{FOLDER}{month}.json"


class Record(BaseModel):
    """A part of a manifest. Unknown fields were written by a later version, and are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Input(Record):
    """A workbook that was read: its name at the source, its size and its sha256."""

    file: str
    size: int
    sha256: str


class PublishedFile(Record):
    """The revision's own copy of a file: its key, size and sha256."""

    key: str
    size: int
    sha256: str

    def facts(self) -> StoredFile:
        """Size and sha256, to compare with what is stored."""
        return StoredFile(self.size, self.sha256)


class SnapshotReference(Record, extra="allow"):
    """An earlier snapshot that a result was computed with."""

    month: str
    revision: int
    id: str


class RevisionFigures(Record, extra="allow"):
    """The figures that are compared between two revisions of a month; others are kept unchanged."""

    revenue: Decimal | None = None
    units: int | None = None
    products: int | None = None
    premium: int | None = None


class Revision(Record, extra="allow"):
    """One committed revision: its number, and the id of its result (see `identity.result_id`)."""

    revision: int
    id: str
    earlier_snapshots: tuple[SnapshotReference, ...] = ()
    figures: RevisionFigures = RevisionFigures()


class EarlierSnapshot(Record):
    """The part of an earlier month's manifest that a run reads.

    Attributes:
        schema_version: Version of the manifest's format.
        month: The label of the snapshot.
        export_date: The day on which its workbooks were exported.
        revision: Number of the revision that counts, from 1.
        id: The id of the result, see `identity.result_id`.
        inputs: Each source's workbook.
        files: Each file by the name that people open.
    """

    schema_version: int
    month: str
    export_date: date
    revision: int
    id: str
    inputs: dict[str, Input]
    files: dict[str, PublishedFile]

    @model_validator(mode="after")
    def _has_what_later_months_read(self) -> Self:
        if "web" not in self.inputs or table_name(self.month) not in self.files:
            raise ValueError("the web workbook or the table of the month is missing in it")
        return self

    def reference(self) -> SnapshotReference:
        """The reference to this result in the manifest of a later month."""
        return SnapshotReference(month=self.month, revision=self.revision, id=self.id)

    def table(self) -> PublishedFile:
        """The table of the snapshot's base facts."""
        return self.files[table_name(self.month)]


class Manifest(EarlierSnapshot):
    """The revision of a month that counts.

    Attributes:
        report_version: `REPORT_VERSION` of the code that wrote the files.
        parameters: The parameters of the run, without month and export date.
        rows: For each source: rows read and used, rows ignored and rejected by reason.
        figures: The figures to date.
        period: What changed since the previous snapshot; None in a first one.
        comparisons: The period compared with earlier ones.
        inventory: The stock.
        accepted: Codes of the rules for which the month would have been refused without `accept_unusual`.
        earlier_snapshots: The snapshots that the result was computed with, oldest first.
        earlier_revisions: All revisions before this one.
    """

    report_version: int
    parameters: dict[str, JsonValue]
    rows: dict[str, dict[str, JsonValue]]
    figures: Figures
    period: PeriodFigures | None = None
    comparisons: Comparisons
    inventory: InventoryFigures
    accepted: tuple[str, ...] = ()
    earlier_snapshots: tuple[SnapshotReference, ...] = ()
    earlier_revisions: tuple[Revision, ...] = ()

    def to_bytes(self) -> bytes:
        """The manifest as it is stored: the same manifest gives the same bytes."""
        return f"{self.model_dump_json(indent=2)}\n".encode()

    def summary(self) -> SnapshotSummary:
        """All figures of the snapshot."""
        return SnapshotSummary(self.figures, self.period, self.comparisons, self.inventory)

    def run_parameters(self) -> Parameters:
        """The parameters of the run, without those that this version does not know."""
        known = {field.name for field in fields(Parameters)}
        values = {name: value for name, value in self.parameters.items() if name in known}
        return Parameters(month=self.month, export_date=self.export_date, **values)  # type: ignore[arg-type]

    def as_revision(self) -> Revision:
        """The entry of this revision in later ones."""
        fields = set(Revision.model_fields)
        return Revision.model_validate(self.model_dump(mode="json", include=fields))


@dataclass(frozen=True)
class Published:
    """A month that has a manifest.

    Attributes:
        version: The version of the manifest's file, for the next compare-and-swap.
        revisions: All its revisions, the one that counts last.
        manifest: The revision that counts; None in schema version 1, of which only the list of revisions is read.
    """

    version: str
    revisions: tuple[Revision, ...]
    manifest: Manifest | None

    @property
    def revision(self) -> int:
        """The number of the revision that counts."""
        return self.revisions[-1].revision


class _Header(Record):
    schema_version: int
    month: str


class _RevisionOfVersion1(Record):
    revision: int
    identity: str


class _ManifestOfVersion1(_RevisionOfVersion1):
    earlier_revisions: tuple[_RevisionOfVersion1, ...]

    def revisions(self) -> tuple[Revision, ...]:
        return tuple(Revision(revision=each.revision, id=each.identity) for each in (*self.earlier_revisions, self))


Model = TypeVar("Model", bound=BaseModel)


def read_published(storage: Storage, month: str) -> Published | None:
    """The month as it is published, or None where it never was. Reads schema version 1 as well.

    Raises:
        OutsideFailure: The file is not the manifest of the month, or a newer version of this program wrote it.
    """
    document = storage.read(manifest_key(month))
    if document is None:
        return None
    address = storage.address(manifest_key(month))
    if _schema_version(document, month, address) == 1:
        revisions = _parse(_ManifestOfVersion1, document, month, address).revisions()
        return Published(document.version, revisions, None)
    manifest = _parse(Manifest, document, month, address)
    return Published(document.version, (*manifest.earlier_revisions, manifest.as_revision()), manifest)


def read_manifest(storage: Storage, month: str) -> Manifest | None:
    """The month's manifest, or None where the month was never published.

    Raises:
        OutsideFailure: See `read_published`; or the manifest has schema version 1.
    """
    return _read(storage, month, Manifest)


def read_earlier_snapshot(storage: Storage, month: str) -> EarlierSnapshot | None:
    """The part that a later month reads; None and errors as for `read_manifest`."""
    return _read(storage, month, EarlierSnapshot)


AnySnapshot = TypeVar("AnySnapshot", EarlierSnapshot, Manifest)


def _read(storage: Storage, month: str, model: type[AnySnapshot]) -> AnySnapshot | None:
    document = storage.read(manifest_key(month))
    if document is None:
        return None
    address = storage.address(manifest_key(month))
    if _schema_version(document, month, address) == 1:
        raise OutsideFailure(
            f"{address} has schema version 1, which has no table to compare with. Run {month} again: "
            "a new revision replaces it."
        )
    return _parse(model, document, month, address)


def _schema_version(document: Document, month: str, address: str) -> int:
    header = _parse(_Header, document, month, address)
    if header.schema_version > SCHEMA_VERSION:
        raise OutsideFailure(
            f"{address} was written by a newer version of monthly-sales: it has schema version "
            f"{header.schema_version}, and this version reads up to {SCHEMA_VERSION}. Upgrade monthly-sales."
        )
    if header.month != month:
        raise OutsideFailure(f"{address} is not the manifest of {month}: its month is {header.month}.")
    return header.schema_version


def _parse(model: type[Model], document: Document, month: str, address: str) -> Model:
    try:
        return model.model_validate_json(document.content)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{'.'.join(map(str, first['loc']))}: " if first["loc"] else ""
        raise OutsideFailure(
            f"{address} is not the manifest of {month}: {where}{first['msg']}. Restore an earlier version of the file."
        ) from None


def published_months(storage: Storage) -> list[str]:
    """The months that have a manifest, in order."""
    names = [key.removeprefix(FOLDER) for key in storage.keys(FOLDER)]
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))
