"""The plan of a run: what is published at its destination before it computes anything."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tasks.domain import rules
from tasks.domain.issues import DataRefused, Issue, WrongArgument, issue_frame
from tasks.domain.parameters import Parameters
from tasks.domain.sources import Source
from tasks.publication.history import earlier_snapshots
from tasks.publication.identity import result_id
from tasks.publication.manifest import (
    EarlierSnapshot,
    Published,
    published_months,
    read_published,
)
from tasks.storage.protocol import Storage
from tasks.workbook.fetch import FetchedWorkbook


@dataclass(frozen=True)
class Plan:
    """What is known before anything is computed.

    Attributes:
        result_id: The id of the result.
        workbooks: The three workbooks.
        published: The month as it is published now; None if it is not.
        earlier: The earlier snapshots that it is compared with, oldest first.
        accepted: The issues that were accepted because of `accept_unusual`.
    """

    result_id: str
    workbooks: Mapping[Source, FetchedWorkbook]
    published: Published | None
    earlier: tuple[EarlierSnapshot, ...]
    accepted: tuple[Issue, ...] = ()

    @property
    def is_published(self) -> bool:
        """Whether the same result is already published, so that there is nothing to compute."""
        return self.published is not None and self.published.revisions[-1].id == self.result_id

    @property
    def previous(self) -> EarlierSnapshot | None:
        """The previous snapshot; None for a first snapshot."""
        return self.earlier[-1] if self.earlier else None


def plan_publication(storage: Storage, parameters: Parameters, workbooks: Mapping[Source, FetchedWorkbook]) -> Plan:
    """Read what is published, and refuse an export that was not renewed.

    Raises:
        DataRefused: The web workbook is the one of the previous snapshot, byte for byte, without `accept_unusual`.
        WrongArgument: The export date is not between those of the snapshots before and after.
        OutsideFailure: The destination cannot be read.
    """
    published = read_published(storage, parameters.month)
    months = published_months(storage)
    earlier = earlier_snapshots(storage, months, parameters.month, parameters.export_date)
    new_id = result_id(parameters, workbooks.values(), [snapshot.id for snapshot in earlier])
    plan = Plan(new_id, workbooks, published, earlier)
    if plan.is_published:
        return plan
    _check_export_date(storage, months, parameters, plan.previous)
    web = workbooks["web"]
    if plan.previous is None or plan.previous.inputs["web"].sha256 != web.facts.sha256:
        return plan
    stale = Issue(web.file, rules.STALE_EXPORT.code, other=plan.previous.month)
    if parameters.accept_unusual:
        return replace(plan, accepted=(stale,))
    raise DataRefused(issue_frame([stale]))


def _check_export_date(
    storage: Storage, months: list[str], parameters: Parameters, previous: EarlierSnapshot | None
) -> None:
    """Refuse an export date that is not after the previous snapshot's and before the next one's."""
    label = min((month for month in months if month > parameters.month), default=None)
    # A month of schema version 1 is not a snapshot, so its export date does not count.
    after = read_published(storage, label) if label else None
    following = after.manifest if after else None
    for snapshot, is_wrong, side in (
        (previous, previous and parameters.export_date <= previous.export_date, "after"),
        (following, following and parameters.export_date >= following.export_date, "before"),
    ):
        if snapshot and is_wrong:
            raise WrongArgument(
                f"export_date: {parameters.export_date} is not {side} {snapshot.export_date}, the export date of "
                f"{snapshot.month}. Correct it; where that of {snapshot.month} is wrong, run {snapshot.month} again."
            )
