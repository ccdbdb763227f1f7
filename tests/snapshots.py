"""Snapshots of a few products in a few lines, without a file or a flow; every invariant of the comparison must hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from tasks.domain.comparison_checks import check_period
from tasks.domain.figures import SnapshotSummary, summarise_snapshot
from tasks.domain.money import MONEY
from tasks.domain.period import Period, compare_snapshots, snapshot_rows
from tasks.domain.premium import classify_wines
from tasks.domain.revenue import compute_revenue
from tasks.domain.schemas import Snapshot
from tasks.publication.history import HISTORY_DAYS


@dataclass(frozen=True)
class Row:
    """A product in a snapshot: its key, price, the shop's counter, bottles in stock, and the day it was added."""

    key: str
    price: str
    units: int
    stock: int | None = 24
    added: date | None = None


@dataclass(frozen=True)
class Exported:
    """A snapshot: the day of its export, and its products."""

    day: date
    rows: Sequence[Row]
    threshold: float = 2.0

    def wines(self) -> pl.LazyFrame:
        """Its products as the rules classify them."""
        rows = self.rows
        sales = pl.LazyFrame(
            {
                "product_id": [row.key for row in rows],
                "sku": [f"w{row.key}" for row in rows],
                "post_title": [f"Château {row.key}" for row in rows],
                "post_date": [row.added for row in rows],
                "total_sales": [row.units for row in rows],
                "price": [Decimal(row.price) for row in rows],
                "stock_quantity": [row.stock for row in rows],
            },
            schema={
                **dict.fromkeys(("product_id", "sku", "post_title"), pl.String),
                "post_date": pl.Date,
                "total_sales": pl.Int64,
                "price": MONEY,
                "stock_quantity": pl.Int64,
            },
        )
        return classify_wines(compute_revenue(sales), self.threshold).collect().lazy()


@dataclass
class Compared:
    """A snapshot compared with the earlier ones."""

    snapshot: Exported
    history: pl.LazyFrame
    period: Period
    wines: pl.DataFrame = field(init=False)
    summary: SnapshotSummary = field(init=False)

    def __post_init__(self) -> None:
        self.wines = self.period.wines.collect()
        self.summary = summarise_snapshot(self.period, self.snapshot.threshold)

    def check(self, period: Period | None = None, summary: SnapshotSummary | None = None) -> list[str]:
        """The inconsistencies, with another period or other figures in place of the right ones."""
        return check_period(
            self.snapshot.wines(), self.history, self.snapshot.day, period or self.period, summary or self.summary
        )

    def rows(self, *columns: str) -> list[tuple[object, ...]]:
        """These columns of the products, by key."""
        return self.wines.sort("product_id").select(columns).rows()


def compare(*snapshots: Exported) -> Compared:
    """Compare the last of the snapshots with the earlier ones that a month is computed with."""
    *earlier, last = snapshots
    kept = [one for one in earlier if one.day >= last.day - timedelta(days=HISTORY_DAYS)]
    tables = [table_of(one) for one in kept]
    history = pl.concat([Snapshot.create_empty(), *tables]).lazy()
    compared = Compared(last, history, compare_snapshots(last.wines(), history, last.day))
    assert compared.check() == []
    return compared


def table_of(snapshot: Exported) -> pl.DataFrame:
    """The snapshot's table of base facts."""
    wines = compare_snapshots(snapshot.wines(), Snapshot.create_empty().lazy(), snapshot.day).wines
    rows = snapshot_rows(wines, joined_rows(snapshot.rows), f"{snapshot.day:%Y-%m}", snapshot.day)
    return Snapshot.validate(rows.collect())


def joined_rows(rows: Sequence[Row]) -> pl.LazyFrame:
    """Where the products are in the three workbooks: one below the other."""
    keys = [row.key for row in rows]
    joined = pl.LazyFrame(
        {"product_id": keys, **dict.fromkeys(("erp_row", "liaison_row", "web_row"), range(2, len(keys) + 2))}
    )
    return joined.with_columns(pl.col("^.*_row$").cast(pl.UInt32))


def flat(figures: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested figures with their path as name."""
    named = {}
    for name, value in figures.items():
        named |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return named
