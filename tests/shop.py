"""A shop over fourteen months, order by order: what was really sold is known, and snapshots show its counters.

The snapshots are 25 to 35 days apart, but for one that came late and one that is missing. Products are introduced, old
ones are linked for the first time, some are delisted and come back, prices change, stock is refilled, orders are
cancelled.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from many_months import write_workbook
from snapshots import Exported, Row

EXPORTS = [
    date(2024, 4, 12),
    date(2024, 5, 14),
    date(2024, 6, 10),
    date(2024, 7, 15),
    date(2024, 8, 14),
    # September is missing.
    date(2024, 10, 16),
    date(2024, 11, 12),
    date(2024, 12, 17),
    date(2025, 1, 24),  # late
    date(2025, 2, 18),
    date(2025, 3, 17),
    date(2025, 4, 14),
    date(2025, 5, 16),
    date(2025, 6, 12),
]
OPENED = date(2018, 3, 1)
CROSSING = {7: (5900, 14800), 8: (14800, 5900)}
"""Products whose new price crosses the premium threshold, from one price to another, in cents."""


@dataclass
class Product:
    """A product of the shop with everything that happened to it."""

    key: str
    added: date
    prices: list[tuple[date, int]]
    """From which day on, in cents."""
    listed: list[tuple[date, date]]
    """From which day to before which day it is in all three workbooks."""
    orders: list[tuple[date, int]] = field(default_factory=list)
    """Day and bottles; below 0 for a cancelled order."""
    deliveries: list[tuple[date, int]] = field(default_factory=list)
    has_count: bool = True

    def price(self, day: date) -> int:
        return [cents for since, cents in self.prices if since <= day][-1]

    def units(self, until: date, after: date = date.min) -> int:
        """Bottles ordered after a day and until another, cancelled ones deducted."""
        return sum(bottles for day, bottles in self.orders if after < day <= until)

    def stock(self, day: date) -> int | None:
        if not self.has_count:
            return None
        return sum(bottles for delivered, bottles in self.deliveries if delivered <= day) - self.units(day)

    def is_listed(self, day: date) -> bool:
        return any(first <= day < last for first, last in self.listed)


def draw_shop(seed: int = 13) -> list[Product]:
    """Ninety products and all that happened to them until the last export."""
    rng = random.Random(seed)
    return [_draw_product(rng, number) for number in range(90)]


def _draw_product(rng: random.Random, number: int) -> Product:
    first, last = EXPORTS[0], EXPORTS[-1]
    days = (last - first).days
    kind = rng.choices(["old", "introduced", "linked late", "delisted", "returns"], [60, 15, 10, 10, 5])[0]
    kind = "old" if number in CROSSING else kind
    middle = first + timedelta(days=rng.randrange(30, days - 30))
    added = middle if kind == "introduced" else OPENED + timedelta(days=rng.randrange(2000))
    end = date.max
    listed = {
        "old": [(added, end)],
        "introduced": [(added, end)],
        "linked late": [(middle, end)],
        "delisted": [(added, middle)],
        "returns": [(added, middle), (middle + timedelta(days=rng.randrange(40, 120)), end)],
    }[kind]
    cents = rng.choice([690, 890, 1250, 1790, 2420, 3600, 5900, 14800 if rng.random() < 0.4 else 990])
    prices = [(date.min, cents)]
    if rng.random() < 0.3:
        change = rng.choice([-150, -50, 40, 110, 250])
        prices.append((first + timedelta(days=rng.randrange(days)), cents + change))
    if number in CROSSING:
        prices = [(date.min, CROSSING[number][0]), (date(2024, 12, 1), CROSSING[number][1])]
    product = Product(f"{number + 3800}", added, prices, listed, has_count=rng.random() > 0.04)
    _draw_orders(rng, product, last)
    return product


def _draw_orders(rng: random.Random, product: Product, last: date) -> None:
    """Orders from the day it was added; some of them cancelled; a wine that stopped selling, and one that never did."""
    first = max(product.added, EXPORTS[0] - timedelta(days=400))
    rate = rng.choice([0.0, 0.0, 0.01, 0.02, 0.05, 0.1, 0.25])
    stops = rng.choice([None, None, None, date(2024, 6, 1), date(2025, 2, 1)])
    bottles = 0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if rng.random() < rate and (stops is None or day < stops):
            ordered = rng.choice([1, 1, 1, 2, 3, 6])
            product.orders.append((day, ordered))
            if rng.random() < 0.08:
                product.orders.append((min(day + timedelta(days=rng.randrange(1, 40)), last), -ordered))
            bottles += ordered
    product.deliveries = [(date.min, rng.choice([0, bottles // 2, bottles, bottles + 12, bottles + 60]))]
    if rng.random() < 0.4:
        product.deliveries.append((EXPORTS[0] + timedelta(days=rng.randrange(400)), rng.choice([6, 12, 36])))


def export(products: list[Product], day: date) -> Exported:
    """The snapshot that the three workbooks would give on this day."""
    return Exported(
        day,
        [
            Row(product.key, f"{product.price(day) / 100:.2f}", product.units(day), product.stock(day), product.added)
            for product in products
            if product.is_listed(day)
        ],
    )


def write_workbooks(products: list[Product], day: date, folder: Path) -> None:
    """The three workbooks that the shop exported on this day."""
    folder.mkdir(parents=True)
    listed = [product for product in products if product.is_listed(day)]
    stocks = {product.key: product.stock(day) for product in listed}
    write_workbook(
        folder / "erp.xlsx",
        [
            {
                "product_id": int(product.key),
                "onsale_web": 1,
                "price": product.price(day) / 100,
                "stock_quantity": stocks[product.key],
                "stock_status": "instock" if (stocks[product.key] or 0) > 0 else "outofstock",
            }
            for product in listed
        ],
    )
    write_workbook(
        folder / "liaison.xlsx",
        [{"product_id": int(product.key), "id_web": f"w{product.key}"} for product in listed],
    )
    write_workbook(
        folder / "web.xlsx",
        [
            {
                "sku": f"w{product.key}",
                "post_type": "product",
                "post_title": f"Château {product.key}",
                "post_date": f"{product.added} 10:00:00",
                "total_sales": product.units(day),
            }
            for product in listed
        ],
    )
