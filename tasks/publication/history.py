"""The earlier snapshots that a month is compared with, and their tables."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from tasks.domain.issues import OutsideFailure
from tasks.domain.schemas import SnapshotFacts
from tasks.map_in_order import REQUESTS_AT_ONCE, map_in_order
from tasks.publication.manifest import AnySnapshot, EarlierSnapshot, read_earlier_snapshot
from tasks.storage.protocol import Storage

HISTORY_DAYS = 760
"""A month is compared with the snapshots that were exported in this many days before it.

The last 365 days are compared with the 365 before them, which begin with the snapshot within 10 days of the same date
two years ago: 741 days before at most. The trend and the pace need less.
"""


def earlier_snapshots(
    storage: Storage, months: Sequence[str], month: str, export_date: date
) -> tuple[EarlierSnapshot, ...]:
    """The snapshots of the last `HISTORY_DAYS` before this one, oldest first.

    Args:
        storage: Where they are published.
        months: All published months, in order.
        month: The label of this snapshot; snapshots with an earlier label were exported earlier.
        export_date: The day on which it was exported.

    Raises:
        OutsideFailure: A manifest cannot be read.
    """
    newest_first = [earlier for earlier in reversed(months) if earlier < month]
    found: list[EarlierSnapshot] = []
    for snapshot in map_in_order(partial(read_earlier_snapshot, storage), newest_first, REQUESTS_AT_ONCE):
        if snapshot is not None:
            found.append(snapshot)
            if not select_earlier([snapshot], export_date):
                break
    return tuple(reversed(select_earlier(found, export_date)))


def select_earlier(snapshots: Sequence[AnySnapshot], export_date: date) -> list[AnySnapshot]:
    """The earlier snapshots that a snapshot of this date is compared with, in their order."""
    since = export_date - timedelta(days=HISTORY_DAYS)
    return [snapshot for snapshot in snapshots if snapshot.export_date >= since]


def fetch_tables(storage: Storage, snapshots: Sequence[EarlierSnapshot], folder: Path) -> list[Path]:
    """Copy the tables of the snapshots into the folder, in the order of the snapshots.

    Raises:
        OutsideFailure: A table is missing, or its content differs from its manifest.
    """

    def fetch(snapshot: EarlierSnapshot) -> Path:
        table, path = snapshot.table(), folder / f"snapshot_{snapshot.month}.parquet"
        fetched = storage.download(table.key, path)
        if fetched is None or not fetched.has_same_content(table.facts()):
            raise OutsideFailure(
                f"{storage.address(table.key)}, which the month is compared with, "
                f"{'is missing' if fetched is None else 'is not what its manifest says'}. Restore it: see "
                f"`monthly-sales verify --month {snapshot.month}`, and the runbook."
            )
        return path

    return list(map_in_order(fetch, snapshots, REQUESTS_AT_ONCE))


def scan_tables(tables: list[Path]) -> pl.LazyFrame:
    """The rows of all tables (`SnapshotFacts`), table after table; a column that a table does not have is null."""
    schema = SnapshotFacts.create_empty().schema
    if not tables:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(tables, schema=schema, missing_columns="insert", extra_columns="ignore")
