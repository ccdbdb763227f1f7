"""All figures of a snapshot: what they mean, and how they are computed. The manifest has all of them.

Later versions read the figures of earlier ones, so a new one has a default.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import polars as pl

from tasks.domain.comparisons import Comparisons, Sold, compare_periods
from tasks.domain.inventory import InventoryFigures, compute_inventory
from tasks.domain.money import mean_price, total_amount, total_units
from tasks.domain.period import CHANGES, Period
from tasks.domain.premium import premium_price

UNCHANGED_BELOW = 0.005
"""A change below this rounds to 0 %: the headline calls the sales unchanged."""


@dataclass(frozen=True)
class Figures:
    """The figures to date.

    Attributes:
        products: Products that are in all three workbooks.
        units: Units sold of them, the shop's counter at its export.
        revenue: Their revenue, EUR.
        premium: How many of them are premium wines.
        ordinary: How many are not.
        premium_revenue: Revenue of the premium wines, EUR.
        threshold_price: Mean price plus threshold times the standard deviation, EUR; wines above it are premium.
        cheapest_premium: Price of the cheapest premium wine, EUR; None where there is none.
    """

    products: int
    units: int
    revenue: Decimal
    premium: int
    ordinary: int
    premium_revenue: Decimal
    threshold_price: Decimal
    cheapest_premium: Decimal | None

    @property
    def premium_share(self) -> Decimal:
        """The share of the premium wines in the revenue; 0 where there is none."""
        return self.premium_revenue / self.revenue if self.revenue else Decimal(0)

    @property
    def price_per_bottle(self) -> Decimal | None:
        """See `money.mean_price`."""
        return mean_price(self.revenue, self.units)


def compute_figures(wines: pl.DataFrame, premium_threshold: float) -> Figures:
    """The figures to date.

    Args:
        wines: One row per product (`Wine`); at least one.
        premium_threshold: The threshold that they were classified with.
    """
    premium = wines.filter("is_premium")
    return Figures(
        products=wines.height,
        units=int(wines["total_sales"].sum()),
        revenue=total_amount(wines["revenue"]),
        premium=premium.height,
        ordinary=wines.height - premium.height,
        premium_revenue=total_amount(premium["revenue"]),
        threshold_price=premium_price(wines["price"], premium_threshold).quantize(Decimal("0.01"), ROUND_HALF_UP),
        cheapest_premium=premium["price"].min(),  # type: ignore[arg-type]
    )


@dataclass(frozen=True)
class PeriodFigures:
    """What changed between the previous snapshot and this one.

    Every change of the total is explained, exactly: revenue - revenue_before = sold.value + price_effect
    + newly_linked_revenue - delisted_revenue, and units - units_before = sold.units + newly_linked_units
    - delisted_units.

    Attributes:
        sold: What was sold in the period: continuing products by their counters, new ones with their whole counter.
        products_sold: Products that sold at least one unit.
        units_before: Units to date then.
        revenue_before: Total revenue to date then, EUR.
        cancelled_units: Units by which counters fell, above 0; already deducted from `sold`.
        cancelled_value: These at today's prices, EUR, above 0; already deducted from `sold`.
        new_products: Products that were added to the shop in the period.
        new_without_date: How many of the new products have no `post_date` and only count as new for lack of it.
        newly_linked_products: Older products that were not in the previous snapshot; their sales are unknown.
        newly_linked_units: Units to date of these.
        newly_linked_revenue: Total revenue to date of these, EUR.
        delisted_products: Products of the previous snapshot that are not in this one.
        delisted_units: Units to date that leave the total with them.
        delisted_revenue: Revenue to date that leaves the total with them, EUR.
        repriced_products: Continuing products whose price changed.
        price_effect: Change of the total revenue by new prices of units sold before, EUR; may be below 0.
        newly_premium: Continuing products that are premium now and were not.
        no_longer_premium: Continuing products that were premium and are not now.
    """

    sold: Sold
    products_sold: int
    units_before: int
    revenue_before: Decimal
    cancelled_units: int
    cancelled_value: Decimal
    new_products: int
    new_without_date: int
    newly_linked_products: int
    newly_linked_units: int
    newly_linked_revenue: Decimal
    delisted_products: int
    delisted_units: int
    delisted_revenue: Decimal
    repriced_products: int
    price_effect: Decimal
    newly_premium: int
    no_longer_premium: int


def _period_figures(wines: pl.DataFrame, delisted: pl.DataFrame, sold: Sold) -> PeriodFigures:
    changed = {name: wines.filter(change.condition) for name, change in CHANGES.items() if change.condition is not None}
    continuing = wines.filter(pl.col("status") == "continuing")
    new, newly_linked, cancelled = changed["new"], changed["newly_linked"], changed["cancelled"]
    return PeriodFigures(
        sold=sold,
        products_sold=wines.filter(pl.col("sold_units") > 0).height,
        units_before=total_units(continuing["total_sales_before"]) + total_units(delisted["total_sales"]),
        revenue_before=total_amount(continuing["revenue_before"]) + total_amount(delisted["revenue"]),
        cancelled_units=-total_units(cancelled["sold_units"]),
        cancelled_value=-total_amount(cancelled["sold_value"]),
        new_products=new.height,
        new_without_date=new["post_date"].null_count(),
        newly_linked_products=newly_linked.height,
        newly_linked_units=total_units(newly_linked["total_sales"]),
        newly_linked_revenue=total_amount(newly_linked["revenue"]),
        delisted_products=delisted.height,
        delisted_units=total_units(delisted["total_sales"]),
        delisted_revenue=total_amount(delisted["revenue"]),
        repriced_products=changed["repriced"].height,
        price_effect=total_amount(continuing["price_effect"]),
        newly_premium=changed["newly_premium"].height,
        no_longer_premium=changed["no_longer_premium"].height,
    )


Direction = Literal["rose", "fell", "unchanged"]


@dataclass(frozen=True)
class SnapshotSummary:
    """All figures of a snapshot. Every surface reads them from here.

    Attributes:
        figures: To date: products, units, total revenue, premium.
        period: What changed since the previous snapshot; None in a first snapshot.
        comparisons: The period against earlier ones.
        inventory: The stock.
    """

    figures: Figures
    period: PeriodFigures | None
    comparisons: Comparisons
    inventory: InventoryFigures

    @property
    def direction(self) -> Direction | None:
        """The change of the value sold on the period before, per day where the lengths differ; None without one."""
        before, change = self.comparisons.previous.before, self.comparisons.previous.value
        if self.period is None or before is None:
            return None
        if change is None:  # nothing was sold in the period before
            change = float(self.period.sold.value - before.value)
            is_unchanged = change == 0
        else:
            is_unchanged = abs(change) < UNCHANGED_BELOW
        return "unchanged" if is_unchanged else "rose" if change > 0 else "fell"


def summarise_snapshot(period: Period, premium_threshold: float) -> SnapshotSummary:
    """All figures of the snapshot.

    Args:
        period: Its frames, see `period.compare_snapshots`.
        premium_threshold: The threshold that its wines were classified with.
    """
    wines, delisted, totals = period.wines.collect(), period.delisted.collect(), period.totals.collect()
    periods = [Sold(**row) for row in totals.select(*Sold.__dataclass_fields__).iter_rows(named=True)]
    return SnapshotSummary(
        figures=compute_figures(wines, premium_threshold),
        period=_period_figures(wines, delisted, periods[-1]) if periods else None,
        comparisons=compare_periods(periods),
        inventory=compute_inventory(wines),
    )
