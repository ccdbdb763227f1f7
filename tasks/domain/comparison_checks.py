"""The invariants between two snapshots: every product once, every cent and every unit explained.

Each check returns one sentence for each inconsistency. Sums are integers; the earlier snapshot is read from the history
itself, not from the result of the comparison.
"""

from collections import Counter
from datetime import date
from decimal import Decimal

import polars as pl

from tasks.domain.cell_values import comparable
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
        *_check_contract("product", PeriodWine, compared),
        *_check_contract("delisted product", DelistedWine, delisted),
        *_check_contract("period", PeriodTotal, totals),
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


def _check_contract(
    row: str, contract: type[PeriodWine | DelistedWine | PeriodTotal], frame: pl.DataFrame
) -> list[str]:
    _, failures = contract.filter(frame)
    return [f"{_n(count, row)} against the rule {rule}" for rule, count in sorted(failures.counts().items())]


def _check_products(then: pl.DataFrame, compared: pl.DataFrame, delisted: pl.DataFrame) -> list[str]:
    """Whether the products of the previous snapshot are those that continue and those that were delisted."""
    continuing = compared.filter(pl.col("status") == "continuing")
    before, after = _keys(then), _keys(continuing) + _keys(delisted)
    newcomers = _keys(compared.filter(pl.col("status").ne_missing(pl.lit("continuing"))))
    sentences = []
    if before != after:
        wrong = (before - after) + (after - before)
        sentences.append(
            f'{_n(wrong.total(), "product")} of the previous snapshot missing or repeated, the first is "{min(wrong)}"'
        )
    if known := newcomers & before:
        sentences.append(
            f'{_n(known.total(), "product")} of the previous snapshot called new, the first is "{min(known)}"'
        )
    if not then.is_empty() and (unknown := compared["status"].null_count()):
        sentences.append(f"{_n(unknown, 'product')} without a status")
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
        added = sum(_integers(rows[column]))
        if _integer(last[name]) != added:
            sentences.append(
                f"{name} of the period is {last[name]:,}, its products add up to {_like(last[name], added)}"
            )
    return sentences


def _check_figures(
    now: pl.DataFrame, then: pl.DataFrame, compared: pl.DataFrame, summary: SnapshotSummary
) -> list[str]:
    """Whether the change of each total is the sum of its parts."""
    period = summary.period
    if period is None:
        return []
    sentences = []
    more, less = period.new_products + period.newly_linked_products, period.delisted_products
    if now.height - then.height != more - less:
        change = now.height - then.height
        sentences.append(f"the number of products changed by {change:,}, its parts add up to {more - less:,}")
    bridges = (
        (
            "units",
            "total_sales",
            period.units_before,
            period.sold.units + period.newly_linked_units - period.delisted_units,
        ),
        (
            "revenue",
            "revenue",
            period.revenue_before,
            period.sold.value + period.price_effect + period.newly_linked_revenue - period.delisted_revenue,
        ),
    )
    for what, column, stated_before, parts in bridges:
        before, after = sum(_integers(then[column])), sum(_integers(now[column]))
        if _integer(stated_before) != before:
            sentences.append(
                f"{what} before is {stated_before:,}, the previous snapshot adds up to {_like(stated_before, before)}"
            )
        if after - before != _integer(parts):
            sentences.append(f"{what} changed by {_like(parts, after - before)}, its parts add up to {parts:,}")
    sold, cancelled = compared.filter(pl.col("sold_units") > 0), compared.filter(pl.col("sold_units") < 0)
    if sum(sold["sold_units"]) - period.cancelled_units != period.sold.units:
        sentences.append("units sold less units cancelled are not the units of the period")
    if -sum(_integers(cancelled["sold_value"])) != _integer(period.cancelled_value):
        sentences.append("the value of the cancellations is not that of the products")
    return sentences


def _integers(column: pl.Series) -> list[int]:
    """Units, or money in whole cents; without nulls."""
    known = column.drop_nulls()
    return (known.to_physical() if known.dtype.is_decimal() else known).to_list()


def _integer(value: Decimal | int) -> int:
    return int(value.scaleb(2)) if isinstance(value, Decimal) else value


def _like(value: Decimal | int, integer: int) -> str:
    """The integer in the unit of the value: money in EUR."""
    return f"{Decimal(integer).scaleb(-2) if isinstance(value, Decimal) else integer:,}"


def _n(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
