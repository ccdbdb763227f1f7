"""Whether the comparison with the month before and the stock are what the products of both months give.

Like `checks`, and for it: everything is reckoned again in Python's own integers, in cents, product by product.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from itertools import accumulate
from typing import Any, NamedTuple

import polars as pl

from tasks.domain.checks import in_cents
from tasks.domain.comparison import ComparedMonth
from tasks.domain.figures import MonthSummary
from tasks.domain.schemas import Wine
from tasks.domain.stock import LOW_STOCK


class _Product(NamedTuple):
    """A product of one month: money in cents, and its place by revenue."""

    product_id: str
    units: int
    price: int
    revenue: int
    is_premium: bool
    rank: int


_Values = tuple[object, ...]
_ADDED = [
    "rank", "is_new", "rank_before", "total_sales_before", "price_before", "revenue_before", "was_premium",
    "sold_since", "sold_value", "price_effect",
]  # fmt: skip
_GONE = ["product_id", "total_sales", "price", "revenue", "is_premium", "rank"]


def check_comparison(
    wines: pl.LazyFrame, before: pl.LazyFrame | None, compared: ComparedMonth, summary: MonthSummary
) -> list[str]:
    """Every product of both months is compared once and rightly, and every figure follows from them.

    Args:
        wines: The products of the month (`Wine`).
        before: The products of the month compared with (`PublishedWine`), or None where there is none.
        compared: What the stage made of them.
        summary: Its figures.

    Returns:
        Sentences, one for each contradiction.
    """
    now = _by_key(wines)
    then = {} if before is None else _by_key(before)
    if before is not None and (doubled := before.select(pl.len()).collect().item() - len(then)):
        return [f"the month compared with has {_products(doubled)} with a key that another one has"]
    gone = [product for key, product in then.items() if key not in now]

    there = compared.wines.collect()
    sentences = []
    if not there.select(Wine.column_names()).equals(wines.collect()):
        sentences.append("the compared products are not the products that were classified")
    expected = {
        product.product_id: _beside(product, then.get(key), has_before=before is not None)
        for key, product in now.items()
    }
    sentences += _differing("compared", expected, there.select("product_id", *_ADDED))
    of_gone = {one.product_id: (one.units, one.price, one.revenue, one.is_premium, one.rank) for one in gone}
    sentences += _differing("gone", of_gone, compared.gone.select(_GONE).collect())

    pairs = [(product, then[key]) for key, product in now.items() if key in then]
    new = [product for key, product in now.items() if key not in then]
    if (summary.comparison is None) != (before is None):
        sentences.append("there is a comparison without a month compared with, or none with one")
    elif summary.comparison is not None:
        stated = asdict(summary.comparison)
        sentences += _differing_figures("comparison", stated, _figures(pairs, new, gone))
        sentences += _check_bridge(sum(one.units for one in now.values()), _cents_of(stated), "units", "units")
        sentences += _check_bridge(sum(one.revenue for one in now.values()), _cents_of(stated), "revenue", "cents")
    return [*sentences, *_differing_figures("stock", asdict(summary.stock), _stock(wines))]


def _by_key(wines: pl.LazyFrame) -> dict[str, _Product]:
    rows = in_cents(wines.select("product_id", "total_sales", "price", "revenue", "is_premium").collect()).rows()
    rows.sort(key=lambda row: (-row[3], row[0]))
    return {row[0].lower(): _Product._make((*row, rank)) for rank, row in enumerate(rows, start=1)}


def _beside(product: _Product, was: _Product | None, *, has_before: bool) -> _Values:
    """What the comparison adds to a product."""
    if was is None:
        return (product.rank, True if has_before else None, *[None] * (len(_ADDED) - 2))
    sold = product.units - was.units
    return (
        product.rank, False, was.rank, was.units, was.price, was.revenue, was.is_premium,
        sold, product.price * sold, (product.price - was.price) * was.units,
    )  # fmt: skip


def _differing(what: str, expected: Mapping[str, _Values], there: pl.DataFrame) -> list[str]:
    """Whether each product is there once, with these values."""
    found = {row[0]: row[1:] for row in in_cents(there).iter_rows()}
    wrong = [product for product in expected.keys() | found.keys() if expected.get(product) != found.get(product)]
    sentences = []
    if there.height != len(found):
        sentences.append(f"{_products(there.height - len(found))} stand more than once among the {what} ones")
    if wrong:
        sentences.append(f'{_products(len(wrong))} wrongly among the {what} ones, the first is "{min(wrong)}"')
    return sentences


def _figures(
    pairs: list[tuple[_Product, _Product]], new: list[_Product], gone: list[_Product]
) -> dict[str, int | Decimal]:
    """The figures of the comparison; money in cents."""
    then = [*(was for _, was in pairs), *gone]
    grown = [(now, now.units - was.units) for now, was in pairs if now.units > was.units]
    fallen = [(now, was.units - now.units) for now, was in pairs if now.units < was.units]
    return {
        "products_before": len(then),
        "units_before": sum(one.units for one in then),
        "revenue_before": sum(one.revenue for one in then),
        "premium_before": sum(one.is_premium for one in then),
        "premium_revenue_before": sum(one.revenue for one in then if one.is_premium),
        "carrying_before": _carrying(one.revenue for one in then),
        "units_sold": sum(units for _, units in grown),
        "sold_value": sum(now.price * units for now, units in grown),
        "price_effect": sum((now.price - was.price) * was.units for now, was in pairs),
        "repriced": sum(now.price != was.price for now, was in pairs),
        "new_products": len(new),
        "new_units": sum(one.units for one in new),
        "new_revenue": sum(one.revenue for one in new),
        "gone_products": len(gone),
        "gone_units": sum(one.units for one in gone),
        "gone_revenue": sum(one.revenue for one in gone),
        "fallen_products": len(fallen),
        "fallen_units": sum(units for _, units in fallen),
        "fallen_value": sum(now.price * units for now, units in fallen),
        "newly_premium": sum(now.is_premium and not was.is_premium for now, was in pairs),
        "no_longer_premium": sum(was.is_premium and not now.is_premium for now, was in pairs),
    }


def _carrying(revenues: Iterable[int]) -> int:
    """How many products make 80 % of the revenue: those before which less than that was made."""
    falling = sorted(revenues, reverse=True)
    made = list(accumulate(falling))
    return sum(5 * (sofar - own) < 4 * made[-1] for sofar, own in zip(made, falling, strict=True))


def _stock(wines: pl.LazyFrame) -> dict[str, int]:
    """The figures of the stock; money in cents."""
    rows = in_cents(wines.select("total_sales", "stock_quantity", "price", "revenue").collect()).rows()
    sold_out = [revenue for units, stock, _, revenue in rows if units and stock == 0]
    idle = [(stock, price) for units, stock, price, _ in rows if stock and not units]
    return {
        "sold_out": len(sold_out),
        "sold_out_revenue": sum(sold_out),
        "nearly_out": sum(1 for units, stock, *_ in rows if units and stock and stock < LOW_STOCK),
        "idle": len(idle),
        "idle_units": sum(stock for stock, _ in idle),
        "idle_value": sum(stock * price for stock, price in idle),
        "unknown": sum(1 for _, stock, *_ in rows if stock is None),
    }


def _cents_of(stated: dict[str, Any]) -> dict[str, Any]:
    return {name: int(value.scaleb(2)) if isinstance(value, Decimal) else value for name, value in stated.items()}


def _differing_figures(what: str, stated: dict[str, Any], expected: dict[str, Any]) -> Iterable[str]:
    told = _cents_of(stated)
    return [
        f"{what}: {name} is {stated[name]:,} where the products give {_shown(value, like=stated[name])}"
        for name, value in expected.items()
        if told[name] != value
    ]


def _shown(value: int, like: object) -> str:
    return f"{Decimal(value).scaleb(-2) if isinstance(like, Decimal) else value:,}"


def _check_bridge(now: int, stated: dict[str, int], total: str, unit: str) -> list[str]:
    """Whether the parts of the change add up to it."""
    sold, fallen = ("units_sold", "fallen_units") if total == "units" else ("sold_value", "fallen_value")
    parts = stated[sold] - stated[fallen] + stated[f"new_{total}"] - stated[f"gone_{total}"]
    parts += stated["price_effect"] if total == "revenue" else 0
    change = now - stated[f"{total}_before"]
    return [] if change == parts else [f"the {total} changed by {change:,} {unit}, the parts of it add up to {parts:,}"]


def _products(count: int) -> str:
    return "1 product" if count == 1 else f"{count:,} products"
