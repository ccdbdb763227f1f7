"""The invariants between two snapshots: every product once, every cent and every unit explained.

Each check returns one sentence for each inconsistency. Sums are exact; the earlier snapshot is read from the history
itself, not from the result of the comparison.
"""

from collections import Counter
from datetime import date
from typing import Any

import polars as pl

from tasks.domain.cell_values import comparable
from tasks.domain.checks import check_contract, in_words
from tasks.domain.figures import SnapshotSummary
from tasks.domain.period import Period
from tasks.domain.schemas import DelistedWine, PeriodTotal, PeriodWine


def check_period(
    wines: pl.LazyFrame, history: pl.LazyFrame, export_date: date, period: Period, summary: SnapshotSummary
) -> list[str]:
    """Every product of both snapshots is compared exactly once, and the parts of each total add up to it.

    Args:
        wines: The products of this snapshot (`Wine` with `post_date`).
        history: The rows of earlier snapshots (`Snapshot`).
        export_date: The day this snapshot was exported.
        period: The result of their comparison.
        summary: The figures of the snapshot.
    """
    now = wines.collect()
    before = history.filter(pl.col("export_date") < export_date)
    before = before.filter(pl.col("export_date") == pl.col("export_date").max())
    then = before.select("product_id", "total_sales", "revenue").collect()
    compared, delisted, totals = period.wines.collect(), period.delisted.collect(), period.totals.collect()
    if broken := [
        *check_contract("products: ", period.wines, PeriodWine),
        *check_contract("delisted products: ", period.delisted, DelistedWine),
        *check_contract("periods: ", period.totals, PeriodTotal),
    ]:
        return broken
    sentences = []
    if not compared.select(now.columns).equals(now):
        sentences.append("the compared products are not the products that were classified")
    sentences += _check_products(then, compared, delisted)
    sentences += _check_totals(totals, compared, export_date)
    if (summary.period is None) != then.is_empty():
        sentences.append("there are figures of a period without an earlier snapshot, or none with one")
    elif summary.period is not None:
        sentences += _check_figures(now, then, compared, summary)
    return sentences


def _check_products(then: pl.DataFrame, compared: pl.DataFrame, delisted: pl.DataFrame) -> list[str]:
    """Whether the products of the previous snapshot are those that continue and those that were delisted."""
    continuing = compared.filter(pl.col("status") == "continuing")
    before, after = _keys(then), _keys(continuing) + _keys(delisted)
    newcomers = _keys(compared.filter(pl.col("status").ne_missing(pl.lit("continuing"))))
    sentences = []
    if before != after:
        wrong = (before - after) + (after - before)
        sentences.append(
            f"{in_words(wrong.total(), 'product')} of the previous snapshot missing or repeated, "
            f'the first is "{min(wrong)}"'
        )
    if known := newcomers & before:
        sentences.append(
            f'{in_words(known.total(), "product")} of the previous snapshot called new, the first is "{min(known)}"'
        )
    if not then.is_empty() and (unknown := compared["status"].null_count()):
        sentences.append(f"{in_words(unknown, 'product')} without a status")
    return sentences


def _keys(rows: pl.DataFrame) -> Counter[str]:
    return Counter(rows.select(comparable(pl.col("product_id"))).to_series())


def _check_totals(totals: pl.DataFrame, compared: pl.DataFrame, export_date: date) -> list[str]:
    """Whether the periods follow each other without a gap, and the last one is the sum of the products."""
    if totals.is_empty():
        return []
    sentences = []
    if totals["start"].to_list()[1:] != totals["end"].to_list()[:-1]:
        sentences.append("the periods of the trend do not follow each other")
    last = totals.row(-1, named=True)
    if (last["end"], last["is_current"], totals["is_current"].sum()) != (export_date, True, 1):
        sentences.append("the last period of the trend is not this one")
    premium = compared.filter("is_premium")
    for name, rows, column in (
        ("units", compared, "sold_units"),
        ("value", compared, "sold_value"),
        ("premium_units", premium, "sold_units"),
        ("premium_value", premium, "sold_value"),
    ):
        added = _total(rows, column)
        if last[name] != added:
            sentences.append(f"{name} of the period is {last[name]:,}, its products add up to {added:,}")
    return sentences


def _check_figures(
    now: pl.DataFrame, then: pl.DataFrame, compared: pl.DataFrame, summary: SnapshotSummary
) -> list[str]:
    """Whether the change of each total is the sum of its parts."""
    period = summary.period
    if period is None:
        return []
    sentences = []
    change = now.height - then.height
    parts = period.new_products + period.newly_linked_products - period.delisted_products
    if change != parts:
        sentences.append(f"the number of products changed by {change:,}, its parts add up to {parts:,}")
    sold_units = period.sold.units + period.newly_linked_units - period.delisted_units
    revenue = period.sold.value + period.price_effect + period.newly_linked_revenue - period.delisted_revenue
    for what, column, stated, explained in (
        ("units", "total_sales", period.units_before, sold_units),
        ("revenue", "revenue", period.revenue_before, revenue),
    ):
        before, after = _total(then, column), _total(now, column)
        if stated != before:
            sentences.append(f"{what} before is {stated:,}, the previous snapshot adds up to {before:,}")
        if after - before != explained:
            sentences.append(f"{what} changed by {after - before:,}, its parts add up to {explained:,}")
    sold, cancelled = compared.filter(pl.col("sold_units") > 0), compared.filter(pl.col("sold_units") < 0)
    if _total(sold, "sold_units") - period.cancelled_units != period.sold.units:
        sentences.append("units sold less units cancelled are not the units of the period")
    if -_total(cancelled, "sold_value") != period.cancelled_value:
        sentences.append("the value of the cancellations is not that of the products")
    return sentences


def _total(rows: pl.DataFrame, column: str) -> Any:  # noqa: ANN401 - units or exact EUR
    return rows[column].sum()
