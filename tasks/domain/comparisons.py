"""What was sold in each period, and how the last one compares with earlier ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from tasks.domain.money import mean_price
from tasks.domain.period import NEAR_DAYS, same_date_last_year

COMPARABLE_DAYS = 3
"""Periods whose lengths differ by more days than this are compared by their rates per day."""


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
        """See `money.mean_price`."""
        return mean_price(self.value, self.units)


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
    """The period and the last 365 days, each compared with an earlier one.

    Attributes:
        previous: The period against the period before it.
        last_year: The period against the one that ended within 10 days of the same date last year.
        last_365: What was sold since the snapshot nearest to the same date last year, within 10 days of it, in `days`
            days. None where there is no such snapshot.
        last_365_missing: Why it is unknown; None where it is known.
        year_before: The last 365 days against those before them.
    """

    previous: PeriodComparison
    last_year: PeriodComparison
    last_365: Sold | None
    last_365_missing: MissingReason | None
    year_before: PeriodComparison


class _Found(NamedTuple):
    """An earlier date or period, or why there is none."""

    sold: Sold | None
    missing: MissingReason | None = None


def compare_periods(periods: list[Sold]) -> Comparisons:
    """Compare the last period and the last 365 days with earlier ones.

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
        # The oldest snapshot ends no known period, even if it is near.
        return _Found(None, _why(periods, day, reach=-NEAR_DAYS))
    return _Found(next(period for period in periods if period.end == end))


def _since(periods: list[Sold], day: date, end: date) -> _Found:
    """What was sold up to the end since the snapshot within 10 days of the day."""
    start = _nearest((period.start for period in periods if period.end <= end), day)
    if start is None:
        return _Found(None, _why(periods, day, reach=NEAR_DAYS))
    return _Found(_add(period for period in periods if start <= period.start and period.end <= end))


def _nearest(dates: Iterable[date], day: date) -> date | None:
    """The nearest date within 10 days; the later one of two equally near."""
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
