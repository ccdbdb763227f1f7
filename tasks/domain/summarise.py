"""All figures of a snapshot, from its frames: the one place where they are added up."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import polars as pl

from tasks.domain.figures import (
    Comparisons,
    Direction,
    InventoryFigures,
    MissingReason,
    News,
    PeriodComparison,
    PeriodFigures,
    SnapshotSummary,
    Sold,
)
from tasks.domain.period import CHANGES, NEAR_DAYS, Period, same_date_last_year
from tasks.domain.premium import compute_figures

COMPARABLE_DAYS = 3
"""Periods whose lengths differ by more days than this are compared by their rates per day."""

UNCHANGED = 0.005
"""A change below this rounds to 0 %: the headline calls the sales unchanged."""


def summarise_snapshot(period: Period, premium_threshold: float) -> SnapshotSummary:
    """All figures of the snapshot.

    Args:
        period: Its frames, see `period.compare_snapshots`.
        premium_threshold: The threshold that its wines were classified with.
    """
    wines, delisted, totals = period.wines.collect(), period.delisted.collect(), period.totals.collect()
    periods = [Sold(**row) for row in totals.select(*Sold.__dataclass_fields__).iter_rows(named=True)]
    comparisons = compare_periods(periods)
    figures = _period_figures(wines, delisted, periods[-1]) if periods else None
    inventory = compute_inventory(wines)
    return SnapshotSummary(
        figures=compute_figures(wines, premium_threshold),
        period=figures,
        comparisons=comparisons,
        inventory=inventory,
        news=_news(figures, comparisons, inventory),
    )


def _period_figures(wines: pl.DataFrame, delisted: pl.DataFrame, sold: Sold) -> PeriodFigures:
    changed = {name: wines.filter(change.condition) for name, change in CHANGES.items() if change.condition is not None}
    continuing = wines.filter(pl.col("status") == "continuing")
    new, newly_linked, cancelled = changed["new"], changed["newly_linked"], changed["cancelled"]
    return PeriodFigures(
        sold=sold,
        products_sold=wines.filter(pl.col("sold_units") > 0).height,
        products_before=continuing.height + delisted.height,
        units_before=_count(continuing["total_sales_before"]) + _count(delisted["total_sales"]),
        revenue_before=_amount(continuing["revenue_before"]) + _amount(delisted["revenue"]),
        premium_before=continuing.filter("was_premium").height + delisted.filter("is_premium").height,
        cancelled_products=cancelled.height,
        cancelled_units=-_count(cancelled["sold_units"]),
        cancelled_value=-_amount(cancelled["sold_value"]),
        new_products=new.height,
        new_units=_count(new["sold_units"]),
        new_value=_amount(new["sold_value"]),
        new_without_date=new["post_date"].null_count(),
        newly_linked_products=newly_linked.height,
        newly_linked_units=_count(newly_linked["total_sales"]),
        newly_linked_revenue=_amount(newly_linked["revenue"]),
        delisted_products=delisted.height,
        delisted_units=_count(delisted["total_sales"]),
        delisted_revenue=_amount(delisted["revenue"]),
        repriced_products=changed["repriced"].height,
        price_effect=_amount(continuing["price_effect"]),
        newly_premium=changed["newly_premium"].height,
        no_longer_premium=changed["no_longer_premium"].height,
    )


def _count(units: pl.Series) -> int:
    return sum(units)  # Polars would wrap what 64 bits do not hold


def _amount(euros: pl.Series) -> Decimal:
    return Decimal(euros.sum())


def compute_inventory(wines: pl.DataFrame) -> InventoryFigures:
    """The stock of all products in a few figures.

    Args:
        wines: One row per product (`PeriodWine`).
    """
    stock = pl.col("stock_quantity")
    is_out = stock <= 0
    reorder, dormant = wines.filter(pl.col("at_risk").is_not_null()), wines.filter("is_dormant")
    has_pace = wines["pace"].null_count() < wines.height
    # Known for no product that is in stock: the snapshots do not cover enough days.
    has_dormant = wines.filter(stock > 0)["is_dormant"].null_count() < wines.filter(stock > 0).height
    return InventoryFigures(
        out_of_stock=wines.filter(is_out & (pl.col("total_sales") > 0)).height,
        out_of_stock_selling=wines.filter(is_out & (pl.col("pace") > 0)).height if has_pace else None,
        reorder=reorder.height if has_pace else None,
        at_risk=_amount(reorder["at_risk"]) if has_pace else None,
        dormant=dormant.height if has_dormant else None,
        dormant_units=_count(dormant["stock_quantity"]) if has_dormant else None,
        dormant_value=_amount(dormant["stock_value"]) if has_dormant else None,
        below_zero=wines.filter(stock < 0).height,
        unknown=wines["stock_quantity"].null_count(),
    )


class _Found(NamedTuple):
    """An earlier date or period, or why there is none."""

    sold: Sold | None
    missing: MissingReason | None = None


def compare_periods(periods: list[Sold]) -> Comparisons:
    """The last period and the last 365 days, each against what went before.

    Args:
        periods: What was sold in each period, oldest first, without a gap; none in a first snapshot.
    """
    if not periods:
        nothing = PeriodComparison(missing="first_snapshot")
        return Comparisons(nothing, nothing, None, "first_snapshot", nothing)
    current = periods[-1]
    previous = _Found(periods[-2]) if len(periods) > 1 else _Found(None, "history_too_short")
    anniversary = same_date_last_year(current.end)
    year = _since(periods, anniversary, current.end)
    before = _since(periods, same_date_last_year(anniversary), year.sold.start) if year.sold else year
    return Comparisons(
        previous=_compare(current, previous),
        last_year=_compare(current, _ending_near(periods, anniversary)),
        last_365=year.sold,
        last_365_missing=year.missing,
        year_before=_compare(year.sold, before) if year.sold else PeriodComparison(missing=year.missing),
    )


def _ending_near(periods: list[Sold], day: date) -> _Found:
    """The period that ends within 10 days of the day."""
    end = _nearest((period.end for period in periods), day)
    if end is None:
        # A snapshot that is near and the oldest ends no period that is known.
        return _Found(None, _why(periods, day, reach=-NEAR_DAYS))
    return _Found(next(period for period in periods if period.end == end))


def _since(periods: list[Sold], day: date, end: date) -> _Found:
    """What was sold up to the end since the snapshot within 10 days of the day."""
    start = _nearest((period.start for period in periods if period.end <= end), day)
    if start is None:
        return _Found(None, _why(periods, day, reach=NEAR_DAYS))
    return _Found(_add(period for period in periods if start <= period.start and period.end <= end))


def _nearest(dates: Iterable[date], day: date) -> date | None:
    """Of the dates within 10 days of the day the nearest; of two equally near, the later."""
    near = [one for one in dates if abs((one - day).days) <= NEAR_DAYS]
    return min(near, key=lambda one: (abs((one - day).days), -one.toordinal()), default=None)


def _why(periods: list[Sold], day: date, reach: int) -> MissingReason:
    return "history_too_short" if (periods[0].start - day).days >= reach else "snapshot_missing"


def _add(periods: Iterable[Sold]) -> Sold:
    every = list(periods)
    return Sold(
        start=every[0].start,
        end=every[-1].end,
        days=sum(period.days for period in every),
        units=sum(period.units for period in every),
        value=sum((period.value for period in every), Decimal("0.00")),
        premium_units=sum(period.premium_units for period in every),
        premium_value=sum((period.premium_value for period in every), Decimal("0.00")),
    )


def _compare(now: Sold, earlier: _Found) -> PeriodComparison:
    before = earlier.sold
    if before is None:
        return PeriodComparison(missing=earlier.missing)
    is_per_day = abs(now.days - before.days) > COMPARABLE_DAYS
    rate = Fraction(before.days, now.days) if is_per_day else Fraction(1)
    has_prices = now.units > 0 and before.units > 0
    return PeriodComparison(
        before=before,
        is_per_day=is_per_day,
        value=_change(Fraction(now.value) * rate, Fraction(before.value)),
        units=_change(now.units * rate, Fraction(before.units)),
        price_per_bottle=_change(Fraction(now.value) / now.units, Fraction(before.value) / before.units)
        if has_prices
        else None,
        premium_value=_change(Fraction(now.premium_value) * rate, Fraction(before.premium_value)),
    )


def _change(now: Fraction, before: Fraction) -> float | None:
    return float(now / before - 1) if before > 0 else None


def _news(figures: PeriodFigures | None, comparisons: Comparisons, inventory: InventoryFigures) -> News:
    if figures is None:
        return News(None, None, None, None)
    against, sold = comparisons.previous, figures.sold
    direction: Direction | None = None
    if against.before is not None:
        more = float(sold.value - against.before.value) if against.value is None else against.value
        is_unchanged = more == 0 if against.value is None else abs(more) < UNCHANGED
        direction = "unchanged" if is_unchanged else "rose" if more > 0 else "fell"
    return News(
        sales=direction,
        change=None if against.value is None else abs(against.value),
        premium_units=sold.premium_units,
        out_of_stock_selling=inventory.out_of_stock_selling,
    )
