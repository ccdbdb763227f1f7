"""Snapshots that cannot be right, compared with the previous one.

An older export delivered again, prices in another unit, an export that was cut off: their reports would be exact and
wrong. Such a snapshot is refused, with the products and their cells before and now; `accept_unusual` publishes it.
What is only remarkable is a warning. Busy weeks, a sale, and a new vintage of the whole range are accepted.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from tasks.domain import rules
from tasks.domain.cell_values import comparable
from tasks.domain.issues import Issue, shortened
from tasks.domain.join import Cleaned
from tasks.domain.period import Period
from tasks.domain.sources import Source

FEWEST = 10
"""With fewer products than this, nothing is refused: counters that fell, prices that changed, rows that are missing."""

NEARLY_ALL = 0.9
"""Refused if the prices of this share of the continuing products changed by one factor: cents, VAT, currency."""

SAME_FACTOR = 0.005
"""Two prices changed by the same factor when the factors differ by at most this share, or the prices by a cent."""

BULK = 0.25
"""Refused if this share of the products that sold before is missing, and no others were added in their place."""

REPLACED = 0.5
"""Missing products were replaced if this share of their number was added: a new vintage of the range."""

CENT = 0.01

FAR = 10
"""A price that changed by this factor, or a counter that fell by so many units to less than half, is remarkable."""


def find_unusual(
    period: Period, history: pl.LazyFrame, joined: pl.LazyFrame, cleaned: Cleaned, columns: pl.DataFrame
) -> list[Issue]:
    """The issues of this snapshot compared with the previous one; none for a first snapshot.

    Args:
        period: The comparison of the snapshots.
        history: The rows of earlier snapshots (`SnapshotFacts`).
        joined: The rows of each product of this snapshot, see `join.join_sources`.
        cleaned: The cleaned rows of this snapshot: the keys of its workbooks.
        columns: `file`, `sheet` and `letter` of every `source` and `column` that was read.
    """
    totals = period.totals.collect()
    if totals.is_empty():
        return []
    previous = (
        history.filter(pl.col("export_date") == totals["start"][-1])
        .select(
            "product_id",
            "sku",
            "post_title",
            "total_sales",
            "erp_row",
            "liaison_row",
            "web_row",
            key=comparable(pl.col("product_id")),
        )
        .collect()
    )
    continuing = (
        period.wines.filter(pl.col("status") == "continuing")
        .with_columns(key=comparable(pl.col("product_id")))
        .join(joined.select("product_id", "erp_row", "web_row"), on="product_id", how="left")
        .collect()
        .join(previous.select("key", "erp_row", "web_row"), on="key", how="left", suffix="_before")
        .sort("rank")
    )
    locations = _Locations(columns, totals["start"][-1])
    return [
        *_judge_counters(continuing, locations),
        *_judge_prices(continuing, locations),
        *_judge_missing(period.wines, cleaned, previous, locations),
    ]


class _Locations:
    """The cells of this snapshot and of the previous one."""

    def __init__(self, columns: pl.DataFrame, start: date) -> None:
        located = columns.select("source", "column", "file", "sheet", "letter")
        self._of = {(source, column): where for source, column, *where in located.iter_rows()}
        self.start = start

    def changed(self, rule: str, source: Source, column: str, product: dict[str, Any]) -> Issue:
        """The issue of a cell whose value differs from that in the previous snapshot."""
        file, sheet, letter = self._of[source, column]
        row = product[f"{source}_row"]
        return Issue(
            file,
            rule,
            sheet=sheet,
            row=row,
            cell=f"{letter}{row}",
            column=column,
            value=f"{product[column]}",
            disposition="used",
            key=product["sku" if source == "web" else "product_id"],
            other=f'"{product[f"{column}_before"]}" ({self._before(letter, f"{source}_row_before", product)})',
        )

    def missing(self, rule: str, source: Source, column: str, product: dict[str, Any]) -> Issue:
        """The issue of a product of the previous snapshot that the workbook does not have."""
        file, sheet, letter = self._of[source, column]
        return Issue(
            file,
            rule,
            sheet=sheet,
            column=column,
            value=product[column],
            key=product[column],
            other=self._before(letter, f"{source}_row", product),
        )

    def _before(self, letter: str, row: str, product: dict[str, Any]) -> str:
        """The product and its cell in the previous snapshot's workbook: `Château d'Yquem 2015, D17, 2025-04-15`."""
        title = product["post_title"] and shortened(product["post_title"])
        cell = None if product[row] is None else f"{letter}{product[row]}"
        return ", ".join(part for part in (title, cell, f"{self.start}") if part)


def _judge_counters(continuing: pl.DataFrame, locations: _Locations) -> Iterator[Issue]:
    """More than half of the counters that changed fell: the shop's workbook is older than the previous one.

    A product that was added to the shop again since then counts from 0 and is left out.
    """
    now, before = pl.col("total_sales"), pl.col("total_sales_before")
    is_same_post = (pl.col("post_date") < locations.start).fill_null(value=True)
    changed = continuing.filter(is_same_post & (now != before))
    fallen = changed.filter(now < before).sort(now - before, "rank")
    if fallen.height >= FEWEST and 2 * fallen.height > changed.height:
        rule = rules.COUNTERS_FELL.code
    else:
        rule = rules.COUNTER_FELL_FAR.code
        fallen = continuing.filter((before - now >= FAR) & (2 * now < before))
    for row in fallen.iter_rows(named=True):
        yield locations.changed(rule, "web", "total_sales", row)


def _judge_prices(continuing: pl.DataFrame, locations: _Locations) -> Iterator[Issue]:
    """Nearly all prices changed by one factor: they are in cents, with another tax, or in another currency."""
    now, before = pl.col("price").cast(pl.Float64), pl.col("price_before").cast(pl.Float64)
    changed = continuing.filter(pl.col("price") != pl.col("price_before")).with_columns(factor=now / before)
    factor = pl.col("factor").median()
    is_moved = (factor - 1).abs() > 2 * SAME_FACTOR
    is_alike = ((pl.col("factor") / factor - 1).abs() <= SAME_FACTOR) | ((now - before * factor).abs() <= CENT)
    moved = changed.filter(is_moved & is_alike)
    if moved.height >= FEWEST and moved.height >= NEARLY_ALL * continuing.height:
        rule = rules.PRICES_MOVED.code
    else:
        rule = rules.PRICE_JUMPED.code
        moved = changed.filter(~pl.col("factor").is_between(1 / FAR, FAR, closed="none"))
    for row in moved.iter_rows(named=True):
        yield locations.changed(rule, "erp", "price", row)


def _judge_missing(
    products_now: pl.LazyFrame, cleaned: Cleaned, previous: pl.DataFrame, locations: _Locations
) -> Iterator[Issue]:
    """Products that sold before are missing at the end of a workbook, or in bulk, and no others came in their place."""
    wines = products_now.select("status", key=comparable(pl.col("product_id"))).collect()
    added = wines.filter(pl.col("status") != "continuing").height
    products = previous.with_columns(
        web_key=comparable(pl.col("sku")),
        is_gone=~pl.col("key").is_in(wines["key"].implode()),
        has_sold=pl.col("total_sales") > 0,
    )
    enough_sold = max(FEWEST, BULK * products.filter("has_sold").height)
    erp, liaison, web = cleaned
    sources: tuple[tuple[Source, str, pl.LazyFrame], ...] = (
        ("erp", "product_id", erp.select(key="product_key")),
        ("liaison", "product_id", liaison.select("web_key", key="product_key")),
        ("web", "sku", web.filter("is_product").select("web_key")),
    )
    for source, column, present in sources:
        row = pl.col(f"{source}_row")
        absent = products.lazy().join(present, on=present.collect_schema().names(), how="anti", maintain_order="left")
        gone = absent.filter("is_gone").select("key", is_missing=pl.lit(value=True))
        ordered = (
            products.lazy()
            .join(gone, on="key", how="left")
            .sort(row)
            .with_columns(pl.col("is_missing").fill_null(value=False))
            .with_columns(is_at_end=row.is_not_null() & (~pl.col("is_missing")).cum_sum(reverse=True).eq(0))
            .collect()
        )
        for rule, missing, fewest in (
            (rules.CUT_OFF_EXPORT.code, ordered.filter("is_at_end"), FEWEST),
            (rules.MISSING_IN_BULK.code, ordered.filter("is_missing", "has_sold"), enough_sold),
        ):
            sold = missing.filter("has_sold")
            if missing.height >= fewest and not sold.is_empty() and added < REPLACED * missing.height:
                for product in sold.iter_rows(named=True):
                    yield locations.missing(rule, source, column, product)
                break
