"""Publish a month in three steps, so that no failure can leave half of it: store, commit, show.

*Store* creates the files under `revisions/<month>/<id>/`, where nobody opens them. *Commit* replaces the manifest with
one compare-and-swap. *Show* copies the committed files to the names that people open. If a run is killed during that
step, each name has a whole file of a committed revision, and the next run, or `verify --repair`, completes the step.
Nothing is ever deleted.
"""

import random
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from tasks.domain.figures import Figures
from tasks.domain.issues import OutsideFailure, accepted_rules
from tasks.domain.sources import SOURCES
from tasks.map_in_order import REQUESTS_AT_ONCE, map_in_order
from tasks.messages import messages_in
from tasks.publication.identity import REPORT_VERSION
from tasks.publication.manifest import (
    SCHEMA_VERSION,
    Input,
    Manifest,
    Published,
    PublishedFile,
    Revision,
    RevisionFigures,
    manifest_key,
    read_published,
)
from tasks.publication.outcome import Outcome, describe_change, outcome_sentence
from tasks.publication.plan import Plan
from tasks.report.content import Report
from tasks.report.files import ReportFiles
from tasks.report.headline import Headline, summary_headline
from tasks.storage.local import file_facts
from tasks.storage.protocol import ConflictError, Storage

COMMIT_ATTEMPTS = 50
"""Each lost attempt is a commit of another run, so this many runs would have to publish one month at the same time."""


@dataclass(frozen=True)
class PublishedMonth:
    """What is published at the destination after a run.

    Attributes:
        month: The label of the snapshot.
        revision: The revision that counts.
        outcome: `published` by this run; `unchanged`, because it was published before; `superseded`, because another
            run has published a later revision since; `checked` by a dry run.
        sentence: The outcome in words.
        figures: The figures to date.
        headline: The figures in words; with what is missing from them, if this run wrote the report.
        addresses: The address of each file, the manifest last.
        link: A page that shows the workbook in a browser; empty where there is none.
    """

    month: str
    revision: int
    outcome: Outcome
    sentence: str
    figures: Figures
    headline: Headline = field(repr=False)
    addresses: tuple[str, ...]
    link: str = ""


def publish_month(storage: Storage, plan: Plan, files: ReportFiles, report: Report) -> PublishedMonth:
    """Store, commit and show a month.

    Args:
        storage: The destination.
        plan: The plan of the run.
        files: The audited files.
        report: Their content.

    Raises:
        OutsideFailure: The destination refuses or does not answer; the month is unchanged.
    """
    month = report.parameters.month
    stored = store(storage, files, f"revisions/{month}/{plan.result_id}")
    seen = plan.published.revision if plan.published else 0
    is_ours = commit(storage, _first_revision(plan, stored, report), seen)
    shown = show(storage, read_published(storage, month), month)
    return _outcome(storage, shown, plan.result_id, "published" if is_ours else "unchanged")


def show_month(storage: Storage, plan: Plan, month: str) -> PublishedMonth:
    """Show a month that is published already, for a run that has nothing to compute.

    Raises:
        OutsideFailure: The destination refuses or does not answer.
    """
    return _outcome(storage, show(storage, plan.published, month), plan.result_id, "unchanged")


def preview_month(plan: Plan, report: Report) -> PublishedMonth:
    """What a run would publish, for a dry run; nothing is written."""
    before = plan.published.revisions[-1] if plan.published else None
    number = before.revision + (not plan.is_published) if before else 1
    draft = Revision(
        revision=number,
        id=plan.result_id,
        earlier_snapshots=tuple(snapshot.reference() for snapshot in plan.earlier),
        figures=RevisionFigures(**asdict(report.summary.figures)),
    )
    text, month = messages_in(report.parameters.language), report.parameters.month
    outcome: Outcome = "unchanged" if plan.is_published else "checked"
    change = describe_change(before, draft, text) if before else ""
    return PublishedMonth(
        month=month,
        revision=number,
        outcome=outcome,
        sentence=outcome_sentence(outcome, month, number, change, text),
        figures=report.summary.figures,
        headline=summary_headline(report.summary, report.parameters),
        addresses=(),
    )


def store(storage: Storage, files: ReportFiles, folder: str) -> dict[str, PublishedFile]:
    """Create each file in the folder of its result, once, and read it back; in parallel.

    A file that exists already was stored by another run of the same result: one that was killed, or one that is running
    now. It is used if it has the same content.
    """

    def store_file(name: str) -> PublishedFile:
        path = files.path(name)
        facts = file_facts(path)
        key = f"{folder}/{path.name}"
        with suppress(ConflictError):  # an existing file is read back like our own
            storage.create(key, path, facts)
        found = storage.download(key, path.with_name(f"{path.name}.read_back"))
        if found is None or not found.has_same_content(facts):
            raise OutsideFailure(
                f"{storage.address(key)} does not have the content that was written. If a library or a rule has "
                "changed the files of the same inputs, raise REPORT_VERSION; otherwise the store is faulty."
            )
        return PublishedFile(key=key, size=facts.size, sha256=facts.sha256)

    return dict(zip(files.names, map_in_order(store_file, files.names, REQUESTS_AT_ONCE), strict=True))


def commit(storage: Storage, draft: Manifest, seen: int) -> bool:
    """Make the draft the month's manifest, as the revision after the one that is published.

    If the same result was committed since the run began, it is not committed again: another run on the same inputs did
    it, or this run in a request whose response was lost. A later revision of another run remains.

    Args:
        storage: The destination.
        draft: The manifest as a first revision.
        seen: The revision that was published when the run began; 0 where there was none.

    Returns:
        Whether this run committed it. After a conflict, which may be its own lost response, it is assumed to have done
        so: the month is announced twice rather than not at all.

    Raises:
        OutsideFailure: The store refuses, or other runs keep replacing the manifest.
    """
    for attempt in range(COMMIT_ATTEMPTS):
        current = read_published(storage, draft.month)
        since = [revision.id for revision in current.revisions if revision.revision > seen] if current else []
        if draft.id in since:
            return attempt > 0
        content = _numbered(draft, current).to_bytes()
        try:
            storage.compare_and_swap(manifest_key(draft.month), content, current.version if current else None)
        except ConflictError:
            time.sleep(random.uniform(0, 0.05) * attempt)  # noqa: S311 - jitter, not a secret
            continue
        return True
    raise OutsideFailure(
        f"{storage.address(manifest_key(draft.month))} was replaced {COMMIT_ATTEMPTS} times meanwhile."
    )


def _numbered(draft: Manifest, current: Published | None) -> Manifest:
    if current is None:
        return draft
    return draft.model_copy(update={"revision": current.revision + 1, "earlier_revisions": current.revisions})


def show(storage: Storage, published: Published | None, month: str) -> Manifest:
    """Copy the files of the committed revision to the names that people open, if their content differs.

    Another run may commit while this one copies. So the manifest is read again after the last copy, until it is
    unchanged, and the names have the revision that counts.

    Args:
        storage: The destination.
        published: The month as it was read last.
        month: Its label.
    """

    def show_file(shown: tuple[str, PublishedFile]) -> None:
        name, file = shown
        found = storage.facts(name)
        if found is None or not found.has_same_content(file.facts()):
            storage.copy(file.key, name)

    while published is not None and (manifest := published.manifest):
        list(map_in_order(show_file, manifest.files.items(), REQUESTS_AT_ONCE))
        version, published = published.version, read_published(storage, month)
        if published is not None and published.version == version:
            return manifest
    raise OutsideFailure(f"{storage.address(manifest_key(month))} is gone.")


def _first_revision(plan: Plan, files: dict[str, PublishedFile], report: Report) -> Manifest:
    """The manifest of the result as a first revision; `commit` gives it its number."""
    parameters, summary = asdict(report.parameters), report.summary
    return Manifest(
        schema_version=SCHEMA_VERSION,
        report_version=REPORT_VERSION,
        month=parameters.pop("month"),
        export_date=parameters.pop("export_date"),
        revision=1,
        id=plan.result_id,
        parameters=parameters,
        accepted=tuple(accepted_rules(report.issues)),
        inputs={
            source: Input(file=book.file, size=book.facts.size, sha256=book.facts.sha256)
            for source, book in plan.workbooks.items()
        },
        rows={source: _rows(report.row_counts.filter(source=source)) for source in SOURCES},
        files=files,
        figures=summary.figures,
        period=summary.period,
        comparisons=summary.comparisons,
        inventory=summary.inventory,
        earlier_snapshots=tuple(snapshot.reference() for snapshot in plan.earlier),
    )


def _rows(counts: pl.DataFrame) -> dict[str, Any]:
    """Rows read and used, and rows ignored and rejected by reason; reasons are split by their details."""
    rows: dict[str, Any] = {"read": counts["rows"].sum(), "used": 0, "ignored": {}, "rejected": {}}
    for count in counts.iter_rows(named=True):
        if count["disposition"] == "used":
            rows["used"] = count["rows"]
        else:
            reason = count["rule"] if count["detail"] is None else f"{count['rule']}: {count['detail']}"
            rows[count["disposition"]][reason] = count["rows"]
    return rows


def _outcome(storage: Storage, shown: Manifest, result_id: str, outcome: Outcome) -> PublishedMonth:
    outcome = outcome if shown.id == result_id else "superseded"
    parameters = shown.run_parameters()
    text = messages_in(parameters.language)
    earlier = shown.earlier_revisions
    change = describe_change(earlier[-1], shown.as_revision(), text) if earlier else ""
    return PublishedMonth(
        month=shown.month,
        revision=shown.revision,
        outcome=outcome,
        sentence=outcome_sentence(outcome, shown.month, shown.revision, change, text),
        figures=shown.figures,
        headline=summary_headline(shown.summary(), parameters),
        addresses=tuple(storage.address(key) for key in (*shown.files, manifest_key(shown.month))),
        link=storage.link(next(name for name in shown.files if name.endswith(".xlsx"))),
    )
