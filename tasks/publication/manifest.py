"""The month's manifest: the one file that says which revision counts, what it holds, and what it was made from."""

import json
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, TypeVar, get_args, get_type_hints

import polars as pl

from tasks.domain.figures import Comparison, Figures, MonthSummary, StockFigures
from tasks.domain.issues import OutsideFailure
from tasks.domain.parameters import CSV_DIALECTS
from tasks.domain.schemas import SOURCES
from tasks.publication.files import wine_files
from tasks.publication.identity import REPORT_VERSION
from tasks.storage.protocol import Storage, StoredFile
from tasks.workbook.fetch import FetchedWorkbook

SCHEMA_VERSION = 1
FOLDER = "manifests/"

Numbers = TypeVar("Numbers", Figures, StockFigures, Comparison)


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
        stock: What stands in the cellar (`StockFigures`), written alike.
        comparison: The month beside its baseline (`Comparison`), written alike; or None.
        rows: For each source: rows read, used, and set aside by reason.
        inputs: For each source: file, size and sha256.
        files: For each name that people open: the key of the revision's own file, its size and sha256.
        baseline: Month, revision and identity of the month before that was published when this one was; or None.
        earlier_revisions: Revision, identity, baseline and figures of all that came before.
    """

    month: str
    revision: int
    identity: str
    parameters: dict[str, Any]
    figures: dict[str, Any]
    stock: dict[str, Any]
    comparison: dict[str, Any] | None
    rows: dict[str, Any]
    inputs: dict[str, Any]
    files: dict[str, Any]
    baseline: dict[str, Any] | None
    earlier_revisions: list[dict[str, Any]]
    report_version: int = REPORT_VERSION
    schema_version: int = field(default=SCHEMA_VERSION)

    def to_bytes(self) -> bytes:
        """The manifest as it is stored: the same manifest gives the same bytes."""
        return (json.dumps(asdict(self), indent=2, ensure_ascii=False, default=str) + "\n").encode()

    def reference(self) -> dict[str, Any]:
        """How another month names this one."""
        return {"month": self.month, "revision": self.revision, "identity": self.identity}

    def history(self) -> list[dict[str, Any]]:
        """All revisions, this one last."""
        mine = {
            "revision": self.revision,
            "identity": self.identity,
            "baseline": self.baseline,
            "figures": self.figures,
        }
        return [*self.earlier_revisions, mine]

    def is_compared_with(self, month_before: "Manifest | None") -> bool:
        """Whether this month was compared with that result, or with none; a result is the same in any revision."""
        return _result(self.baseline) == (_result(month_before.reference()) if month_before else None)

    def stored(self, name: str) -> StoredFile:
        """Size and sha256 of the file that people open under this name."""
        return StoredFile(self.files[name]["size"], self.files[name]["sha256"])

    def headline(self) -> Figures:
        """The headline figures as numbers."""
        return read_numbers(Figures, self.figures)

    def in_stock(self) -> StockFigures:
        """What stands in the cellar, as numbers."""
        return read_numbers(StockFigures, self.stock)

    def compared(self) -> Comparison | None:
        """The month beside its baseline, as numbers."""
        return None if self.comparison is None else read_numbers(Comparison, self.comparison)


def _result(reference: dict[str, Any] | None) -> tuple[str, str] | None:
    return None if reference is None else (reference["month"], reference["identity"])


def revision_folder(month: str, identity: str, baseline: dict[str, Any] | None) -> str:
    """Where the files of a revision are kept: one folder for all that decides what is in them.

    The workbook tells how the month compares with its baseline, so the baseline's identity is a part of the name.
    """
    return f"revisions/{month}/{identity}{'-' + baseline['identity'][:12] if baseline else ''}"


def read_numbers(kind: type[Numbers], written: dict[str, Any]) -> Numbers:
    """Figures as a manifest holds them, back to numbers.

    Raises:
        ValueError: A figure is not of its kind.
    """
    numbers = {}
    for name, hint in get_type_hints(kind).items():
        value = written[name]
        kinds = get_args(hint) or (hint,)
        if Decimal in kinds and isinstance(value, str):
            value = Decimal(value)
        if type(value) not in kinds:
            raise ValueError(f"{name}: {value!r}")
        numbers[name] = value
    return kind(**numbers)


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
    for revision in manifest.history():
        read_numbers(Figures, revision["figures"])
    manifest.in_stock()
    manifest.compared()
    files = [manifest.stored(name) for name in manifest.files]
    references = [*manifest.history(), *(each["baseline"] for each in manifest.history() if each["baseline"])]
    return (
        all(isinstance(each["revision"], int) and isinstance(each["identity"], str) for each in references)
        and all(isinstance(each["baseline"]["month"], str) for each in manifest.history() if each["baseline"])
        and all(isinstance(file.size, int) and isinstance(file.sha256, str) for file in files)
        and all(isinstance(manifest.files[name]["key"], str) for name in wine_files(manifest.month))
        and manifest.parameters["language"] in CSV_DIALECTS
        and isinstance(manifest.inputs["web"]["sha256"], str)
    )


def published_months(storage: Storage) -> list[str]:
    """The months that have a manifest, in order."""
    names = [key.removeprefix(FOLDER) for key in storage.keys(FOLDER)]
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def month_before(storage: Storage, months: list[str], month: str) -> Manifest | None:
    """The last of these published months before this one, whatever lies between."""
    return _manifest_of(storage, max((each for each in months if each < month), default=None))


def month_after(storage: Storage, months: list[str], month: str) -> Manifest | None:
    """The first of these published months after this one, whatever lies between."""
    return _manifest_of(storage, min((each for each in months if each > month), default=None))


def _manifest_of(storage: Storage, month: str | None) -> Manifest | None:
    published = read_manifest(storage, month) if month else None
    return published.manifest if published else None


def describe_baseline(manifest: Manifest, month_before: Manifest | None) -> str:
    """Why the comparison of a published month is no longer the one that a run of today would make.

    Args:
        manifest: The month.
        month_before: The last published month before it, as it stands now.

    Returns:
        A sentence and what to do; empty where nothing has changed since.
    """
    if month_before is None or manifest.is_compared_with(month_before):
        return ""
    now, was = month_before, manifest.baseline
    if was is None:
        change = f"no month, and {now.month} stands before it now"
    elif was["month"] == now.month:
        change = f"revision {was['revision']} of {now.month}, of which revision {now.revision} stands now"
    else:
        change = f"{was['month']}, and {now.month} stands before it now"
    return f"{manifest.month} was compared with {change}: run it again with --compare-again to compare it anew."


def first_revision(
    summary: MonthSummary,
    identity: str,
    workbooks: list[FetchedWorkbook],
    files: dict[str, Any],
    baseline: dict[str, Any] | None,
) -> Manifest:
    """The manifest of a result that no revision came before; the publisher numbers it anew where one did."""
    parameters = asdict(summary.parameters)
    return Manifest(
        month=parameters.pop("month"),
        revision=1,
        identity=identity,
        parameters=parameters,
        figures=_plain(asdict(summary.figures)),
        stock=_plain(asdict(summary.stock)),
        comparison=_plain(asdict(summary.comparison)) if summary.comparison else None,
        rows={source: _rows(summary.row_counts.filter(source=source)) for source in SOURCES},
        inputs={
            book.source: {"file": book.file, "size": book.facts.size, "sha256": book.facts.sha256} for book in workbooks
        },
        files=files,
        baseline=baseline,
        earlier_revisions=[],
    )


def _plain(numbers: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in numbers.items()}


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
