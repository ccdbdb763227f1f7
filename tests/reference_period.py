"""The definitions of the period a second time, in plain Python, for tests alone.

Written from the definitions of the report, and shares nothing with the product: snapshots in, loops, dictionaries,
integers of cents and exact fractions, figures out. The names are those of the product's figures, so that the two can
be compared name by name.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from snapshots import Exported, Row


def cents(row: Row) -> int:
    return int(Decimal(row.price) * 100)


def euros(amount: int) -> Decimal:
    return Decimal(amount) / 100


def half_up(amount: Fraction) -> int:
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


class Reference:
    """All figures of the last of some snapshots, which are in the order of their export."""

    def __init__(self, snapshots: Sequence[Exported]) -> None:
        self.days = [snapshot.day for snapshot in snapshots]
        self.rows = [{row.key.lower(): row for row in snapshot.rows} for snapshot in snapshots]
        self.premium = [premium_keys(snapshot) for snapshot in snapshots]
        self.sold = [self._sold(number) for number in range(len(snapshots))]
        self.now = self.rows[-1]
        self.then = self.rows[-2] if len(self.rows) > 1 else {}

    # --- one product in one period

    def status(self, key: str, number: int) -> str | None:
        if number == 0:
            return None
        if key in self.rows[number - 1]:
            return "continuing"
        added = self.rows[number][key].added
        if added is None:
            return "newly_linked" if any(key in rows for rows in self.rows[:number]) else "new"
        return "new" if added >= self.days[number - 1] else "newly_linked"

    def _sold(self, number: int) -> dict[str, tuple[int, int]]:
        """Units and days of each product whose units of the period are known."""
        known = {}
        for key, row in self.rows[number].items():
            status = self.status(key, number)
            if status == "continuing":
                known[key] = (row.units - self.rows[number - 1][key].units, self.length(number))
            elif status == "new":
                on_sale = self.length(number) if row.added is None else max((self.days[number] - row.added).days, 0)
                known[key] = (row.units, on_sale)
        return known

    def length(self, number: int) -> int:
        return (self.days[number] - self.days[number - 1]).days

    # --- periods

    def total(self, first: int, last: int) -> dict[str, Any]:
        """What was sold in the periods that end with the snapshots from one to another."""
        total = {"units": 0, "value": 0, "premium_units": 0, "premium_value": 0}
        for number in range(first, last + 1):
            for key, (units, _) in self.sold[number].items():
                value = units * cents(self.rows[number][key])
                total["units"] += units
                total["value"] += value
                if key in self.premium[number]:
                    total["premium_units"] += units
                    total["premium_value"] += value
        return {
            "start": self.days[first - 1],
            "end": self.days[last],
            "days": (self.days[last] - self.days[first - 1]).days,
            **total,
            "value": euros(total["value"]),
            "premium_value": euros(total["premium_value"]),
        }

    def near(self, day: date) -> int | None:
        """The snapshot nearest to a day, at most ten days off; the later of two."""
        candidates = [
            (abs((one - day).days), -number) for number, one in enumerate(self.days) if abs((one - day).days) <= 10
        ]
        return -min(candidates)[1] if candidates else None

    def why(self, day: date) -> str:
        return "history_too_short" if self.days[0] >= day - timedelta(days=10) else "snapshot_missing"

    def comparisons(self) -> dict[str, Any]:
        last = len(self.days) - 1
        if last == 0:
            nothing = compare(None, None, "first_snapshot")
            return {
                "previous": nothing, "last_year": nothing, "last_365": None, "last_365_missing": "first_snapshot",
                "year_before": nothing,
            }  # fmt: skip
        now = self.total(last, last)
        a_year_ago, two_years_ago = years_before(self.days[-1], 1), years_before(self.days[-1], 2)

        near = self.near(a_year_ago)
        if near is None or near == 0:
            # The nearest may begin no period that is known while another one near by does.
            others = [n for n in range(1, last) if abs((self.days[n] - a_year_ago).days) <= 10]
            near = min(others, default=None)
        last_year = compare(now, self.total(near, near), None) if near else compare(now, None, self.why(a_year_ago))

        start = self.near(a_year_ago)
        year = self.total(start + 1, last) if start is not None else None
        if year is None:
            before = compare(None, None, self.why(a_year_ago))
        else:
            earlier = self.near(two_years_ago)
            if earlier is None or earlier >= start:
                before = compare(year, None, self.why(two_years_ago))
            else:
                before = compare(year, self.total(earlier + 1, start), None)
        return {
            "previous": compare(now, self.total(last - 1, last - 1), None)
            if last > 1
            else compare(now, None, "history_too_short"),
            "last_year": last_year,
            "last_365": year,
            "last_365_missing": None if year else self.why(a_year_ago),
            "year_before": before,
        }

    def trend(self) -> list[dict[str, Any]]:
        last = len(self.days) - 1
        periods = [self.total(number, number) for number in range(1, last + 1)]
        a_year_ago = years_before(self.days[-1], 1)
        distances = {p["end"]: abs((p["end"] - a_year_ago).days) for p in periods}
        near = [end for end, distance in distances.items() if distance <= 10]
        last_year = max((end for end in near if distances[end] == min(distances[n] for n in near)), default=None)
        return [
            {**period, "is_current": number == last, "is_last_year": period["end"] == last_year}
            for number, period in enumerate(periods, start=1)
            if number > last - 13 or period["end"] == last_year
        ]

    # --- stock

    def window(self, days: int) -> int:
        """The snapshot with which a window of so many days begins."""
        old_enough = [number for number, day in enumerate(self.days) if (self.days[-1] - day).days >= days - 10]
        return old_enough[-1] if old_enough else 0

    def known(self, key: str, since: int) -> tuple[int, int, int]:
        """Units and days of a product since a snapshot, and in how many periods they are known."""
        known = [sold[key] for sold in self.sold[since + 1 :] if key in sold]
        return sum(units for units, _ in known), sum(days for _, days in known), len(known)

    def product(self, key: str) -> dict[str, Any]:
        """What the report says about one product."""
        last, row = len(self.days) - 1, self.now[key]
        status, stock, price = self.status(key, last), row.stock, cents(row)
        units = self.sold[last][key][0] if key in self.sold[last] else None
        before = self.then.get(key)
        quarter, year = self.known(key, self.window(90)), self.known(key, self.window(365))
        bottles, days, _ = quarter if quarter[0] > 0 else year
        bottles, days, is_known = max(bottles, 0), max(days, 7), year[2] > 0
        left = None if stock is None else max(stock, 0)
        has_cover = is_known and bottles > 0 and left is not None
        weeks = Fraction(left * days, bottles * 7) if has_cover else None
        dormant: bool | None = None
        if left is not None and (left == 0 or (is_known and year[0] > 0)):
            dormant = False
        elif left is not None and is_known and year[1] >= 90:
            dormant = True
        return {
            "status": status,
            "period_days": self.length(last) if last else None,
            "sold_units": units,
            "sold_value": None if units is None else euros(units * price),
            "total_sales_before": before.units if before else None,
            "price_before": euros(cents(before)) if before else None,
            "revenue_before": euros(before.units * cents(before)) if before else None,
            "was_premium": key in self.premium[last - 1] if before else None,
            "price_effect": euros((price - cents(before)) * before.units) if before else None,
            "pace": float(Fraction(bottles * 7, days)) if is_known else None,
            "pace_days": days if is_known else None,
            "weeks_of_cover": None if weeks is None else float(weeks),
            "at_risk": euros(half_up(Fraction(price * bottles * 7, days))) if has_cover and weeks < 8 else None,
            "stock_value": None if left is None else euros(left * price),
            "is_dormant": dormant,
        }

    def inventory(self) -> dict[str, Any]:
        products = {key: self.product(key) for key in self.now}
        stocks = {key: row.stock for key, row in self.now.items() if row.stock is not None}
        out = [key for key, stock in stocks.items() if stock <= 0]
        has_pace = any(product["pace"] is not None for product in products.values())
        at_risk = [product["at_risk"] for product in products.values() if product["at_risk"] is not None]
        judged = [products[key]["is_dormant"] for key, stock in stocks.items() if stock > 0]
        dormant = [key for key, stock in stocks.items() if stock > 0 and products[key]["is_dormant"]]
        is_known = any(judged) or (bool(judged) and None not in judged)
        return {
            "out_of_stock": sum(self.now[key].units > 0 for key in out),
            "out_of_stock_selling": sum((products[key]["pace"] or 0) > 0 for key in out) if has_pace else None,
            "reorder": len(at_risk) if has_pace else None,
            "at_risk": sum(at_risk, Decimal(0)) if has_pace else None,
            "dormant": len(dormant) if is_known else None,
            "dormant_units": sum(stocks[key] for key in dormant) if is_known else None,
            "dormant_value": sum((products[key]["stock_value"] for key in dormant), Decimal(0)) if is_known else None,
            "below_zero": sum(stock < 0 for stock in stocks.values()),
            "unknown": len(self.now) - len(stocks),
        }

    # --- the period

    def period(self) -> dict[str, Any] | None:
        last = len(self.days) - 1
        if last == 0:
            return None
        statuses = {key: self.status(key, last) for key in self.now}
        both = [key for key, status in statuses.items() if status == "continuing"]
        new = [key for key, status in statuses.items() if status == "new"]
        linked = [key for key, status in statuses.items() if status == "newly_linked"]
        gone = [key for key in self.then if key not in self.now]
        sold = {key: units for key, (units, _) in self.sold[last].items()}
        fallen = [key for key, units in sold.items() if units < 0]
        now_premium, then_premium = self.premium[last], self.premium[last - 1]
        return {
            "sold": self.total(last, last),
            "products_sold": sum(units > 0 for units in sold.values()),
            "units_before": sum(row.units for row in self.then.values()),
            "revenue_before": euros(sum(row.units * cents(row) for row in self.then.values())),
            "cancelled_units": -sum(sold[key] for key in fallen),
            "cancelled_value": euros(-sum(sold[key] * cents(self.now[key]) for key in fallen)),
            "new_products": len(new),
            "new_without_date": sum(self.now[key].added is None for key in new),
            "newly_linked_products": len(linked),
            "newly_linked_units": sum(self.now[key].units for key in linked),
            "newly_linked_revenue": euros(sum(self.now[key].units * cents(self.now[key]) for key in linked)),
            "delisted_products": len(gone),
            "delisted_units": sum(self.then[key].units for key in gone),
            "delisted_revenue": euros(sum(self.then[key].units * cents(self.then[key]) for key in gone)),
            "repriced_products": sum(cents(self.now[key]) != cents(self.then[key]) for key in both),
            "price_effect": euros(
                sum((cents(self.now[key]) - cents(self.then[key])) * self.then[key].units for key in both)
            ),
            "newly_premium": sum(key in now_premium and key not in then_premium for key in both),
            "no_longer_premium": sum(key in then_premium and key not in now_premium for key in both),
        }

    def to_date(self) -> dict[str, Any]:
        premium = self.premium[-1]
        revenue = {key: row.units * cents(row) for key, row in self.now.items()}
        return {
            "products": len(self.now),
            "units": sum(row.units for row in self.now.values()),
            "revenue": euros(sum(revenue.values())),
            "premium": len(premium),
            "ordinary": len(self.now) - len(premium),
            "premium_revenue": euros(sum(revenue[key] for key in premium)),
            "cheapest_premium": min((euros(cents(self.now[key])) for key in premium), default=None),
        }

    def expected(self) -> dict[str, Any]:
        """All figures of the snapshot, as its summary has them."""
        return {
            "figures": self.to_date(),
            "period": self.period(),
            "comparisons": self.comparisons(),
            "inventory": self.inventory(),
        }


def premium_keys(snapshot: Exported) -> set[str]:
    """The products whose price is above mean + threshold x population standard deviation, compared by squares."""
    prices = [cents(row) for row in snapshot.rows]
    mean = Fraction(sum(prices), len(prices))
    variance = sum((price - mean) ** 2 for price in prices) / len(prices)
    limit = Fraction(str(snapshot.threshold)) ** 2 * variance
    return {
        row.key.lower() for row in snapshot.rows if cents(row) > mean and variance and (cents(row) - mean) ** 2 > limit
    }


def years_before(day: date, years: int) -> date:
    last_of_february = day.month == 2 and day.day == 29
    return date(day.year - years, day.month, 28 if last_of_february else day.day)


def compare(now: dict[str, Any] | None, before: dict[str, Any] | None, missing: str | None) -> dict[str, Any]:
    """Changes as fractions, by rates per day where the lengths differ by more than three days."""
    unknown = dict.fromkeys(("value", "units", "price_per_bottle", "premium_value"))
    if now is None or before is None:
        return {"before": None, "missing": missing, "is_per_day": False, **unknown}
    is_per_day = abs(now["days"] - before["days"]) > 3
    changes = {}
    for name in ("value", "units", "premium_value"):
        one, other = Fraction(now[name]), Fraction(before[name])
        if is_per_day:
            one, other = one / now["days"], other / before["days"]
        changes[name] = float((one - other) / other) if other > 0 else None
    price = None
    if now["units"] > 0 and before["units"] > 0 and before["value"] > 0:
        one, other = Fraction(now["value"]) / now["units"], Fraction(before["value"]) / before["units"]
        price = float((one - other) / other)
    return {"before": before, "missing": None, "is_per_day": is_per_day, **changes, "price_per_bottle": price}
