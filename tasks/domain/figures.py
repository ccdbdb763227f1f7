"""The month's headline figures."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal


@dataclass(frozen=True)
class Figures:
    """The month in eight numbers.

    Attributes:
        products: Products that are in all three workbooks.
        units: Units sold of them, the shop's counter at its export.
        revenue: Their revenue, EUR.
        premium: How many of them are premium wines.
        ordinary: How many are not.
        premium_revenue: Revenue of the premium wines, EUR.
        threshold_price: Mean price plus threshold times its standard deviation, EUR; wines above it are premium.
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


@dataclass(frozen=True)
class Sold:
    """What was sold between two snapshots, cancelled orders deducted.

    Attributes:
        start: Export date of the first snapshot.
        end: Export date of the last one.
        days: Days from start to end.
        units: Units sold; may be below 0. Units of newly linked and of delisted products are unknown and not in it.
        value: Those units at the price of the snapshot that counted them, EUR.
        premium_units: Units of the premium wines among them, by their class in the snapshot that counted them.
        premium_value: Value of the premium wines, EUR.
    """

    start: date
    end: date
    days: int
    units: int
    value: Decimal
    premium_units: int
    premium_value: Decimal

    @property
    def price_per_bottle(self) -> Decimal | None:
        """Mean price of a bottle sold, EUR, half up to cents; None where no bottle was sold."""
        return (self.value / self.units).quantize(Decimal("0.01"), ROUND_HALF_UP) if self.units > 0 else None


@dataclass(frozen=True)
class PeriodFigures:
    """What changed between the previous snapshot and this one.

    Every change of the total is explained, exactly: revenue - revenue_before = sold.value + price_effect
    + newly_linked_revenue - delisted_revenue, and units - units_before = sold.units + newly_linked_units
    - delisted_units.

    Attributes:
        sold: What was sold in the period: continuing products by their counters, new ones with their whole counter.
        products_sold: Products that sold at least one unit.
        products_before: Products of the previous snapshot.
        units_before: Units to date then.
        revenue_before: Total revenue to date then, EUR.
        premium_before: Premium wines then.
        cancelled_products: Products whose counter fell.
        cancelled_units: Units by which they fell, above 0; already deducted from `sold`.
        cancelled_value: These at today's prices, EUR, above 0; already deducted from `sold`.
        new_products: Products that were added to the shop in the period.
        new_units: Units that these sold; part of `sold`.
        new_value: Value of these, EUR; part of `sold`.
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
    products_before: int
    units_before: int
    revenue_before: Decimal
    premium_before: int
    cancelled_products: int
    cancelled_units: int
    cancelled_value: Decimal
    new_products: int
    new_units: int
    new_value: Decimal
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


MissingReason = Literal["first_snapshot", "history_too_short", "snapshot_missing"]
"""Why there is nothing to compare with.

`first_snapshot`: there is no earlier snapshot. `history_too_short`: the earlier snapshots do not go back far enough.
`snapshot_missing`: they do, and none of them was exported within 10 days of the date that is needed.
"""


@dataclass(frozen=True)
class PeriodComparison:
    """What was sold, compared with an earlier period.

    Changes are fractions: -0.216 is 21.6 % less. A change is None where there is nothing to compare with, or where the
    earlier figure is not above 0.

    Attributes:
        before: What was sold in the earlier period; None where it is unknown.
        missing: Why it is unknown; None where it is known.
        is_per_day: The lengths differ by more than 3 days, so the changes of value, units and premium compare rates
            per day. The price per bottle needs none.
        value: Change of the value sold.
        units: Change of the units sold.
        price_per_bottle: Change of the mean price of a bottle sold.
        premium_value: Change of the value of premium wines sold.
    """

    before: Sold | None = None
    missing: MissingReason | None = None
    is_per_day: bool = False
    value: float | None = None
    units: float | None = None
    price_per_bottle: float | None = None
    premium_value: float | None = None


@dataclass(frozen=True)
class Comparisons:
    """The period and the last 365 days, each compared with what went before.

    Attributes:
        previous: The period against the period before it.
        last_year: The period against the one that ended within 10 days of the same date last year.
        last_365: What was sold since the snapshot nearest to the same date last year, within 10 days of it; `days` says
            how many days these are. None where there is no such snapshot.
        last_365_missing: Why it is unknown; None where it is known.
        year_before: The last 365 days against those before them.
    """

    previous: PeriodComparison
    last_year: PeriodComparison
    last_365: Sold | None
    last_365_missing: MissingReason | None
    year_before: PeriodComparison


@dataclass(frozen=True)
class InventoryFigures:
    """The stock by the ERP's counts, and what sells of it.

    Attributes:
        out_of_stock: Products with no bottle left that sold at least one unit to date.
        out_of_stock_selling: Those of them that still sell, by their pace; None in a first snapshot.
        reorder: Products that sell and have fewer than 8 weeks of cover, those out of stock included; None in a first
            snapshot.
        at_risk: What these sell in a week, EUR; None in a first snapshot.
        dormant: Products in stock without a sale in the last 365 days of snapshots; None where the snapshots cover
            fewer than 90 days.
        dormant_units: Bottles of these; None likewise.
        dormant_value: These bottles at their selling price, EUR; None likewise.
        below_zero: Products whose count of stock is below 0; they count as out of stock.
        unknown: Products without a count of stock; they are in none of the others.
    """

    out_of_stock: int
    out_of_stock_selling: int | None
    reorder: int | None
    at_risk: Decimal | None
    dormant: int | None
    dormant_units: int | None
    dormant_value: Decimal | None
    below_zero: int
    unknown: int


Direction = Literal["rose", "fell", "unchanged"]


@dataclass(frozen=True)
class News:
    """The facts of the headline, one sentence: "Sales fell 22 % on the period before; no premium bottle was sold; …".

    Attributes:
        sales: How the value sold moved against the period before (per day where the lengths differ by more than 3
            days); None where there is no period before. `unchanged` where the change rounds to 0 %.
        change: By how much, as a fraction above 0; None where `sales` is None or the period before sold nothing.
        premium_units: Premium bottles sold in the period; None in a first snapshot.
        out_of_stock_selling: Wines that still sell and are out of stock; None in a first snapshot.
    """

    sales: Direction | None
    change: float | None
    premium_units: int | None
    out_of_stock_selling: int | None


@dataclass(frozen=True)
class SnapshotSummary:
    """All figures of a snapshot. Every surface reads them from here.

    Attributes:
        figures: To date: products, units, total revenue, premium.
        period: What changed since the previous snapshot; None in a first snapshot.
        comparisons: The period against earlier ones.
        inventory: The stock.
        news: The facts of the headline.
    """

    figures: Figures
    period: PeriodFigures | None
    comparisons: Comparisons
    inventory: InventoryFigures
    news: News
