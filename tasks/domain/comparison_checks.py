"""Whether the comparison with the month before and the stock are what the products of both months give.

Like `checks`, and for it: everything is reckoned again in Python's own integers, in cents, product by product.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from itertools import accumulate, compress
from operator import neg
from typing import Any, NamedTuple

import polars as pl

from tasks.domain.cells import comparable
from tasks.domain.checks import in_cents
from tasks.domain.comparison import ComparedMonth
from tasks.domain.figures import MonthSummary
from tasks.domain.schemas import Wine
from tasks.domain.stock import LOW_STOCK


class _Month(NamedTuple):
    """The products of a month, column by column: money in cents, and their places by revenue."""

    product_id: list[str]
    units: list[int]
    price: list[int]
    revenue: list[int]
    is_premium: list[bool]
    rank: list[int]
    at: dict[str, int]
    """Where a product stands in the columns, by its key without case."""


_Columns = Mapping[str, Sequence[object]]
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
    now = _read(wines)
    then = None if before is None else _read(before)
    for month, read in (("month", now), ("month compared with", then)):
        if read and (doubled := len(read.product_id) - len(read.at)):
            return [f"the {month} has {_products(doubled)} with a key that another one has"]
    was = [then.at.get(key) for key in now.at] if then else []
    gone = sorted((at for key, at in then.at.items() if key not in now.at), key=then.rank.__getitem__) if then else []

    there = compared.wines.collect()
    sentences = []
    if not there.select(Wine.column_names()).equals(wines.collect()):
        sentences.append("the compared products are not the products that were classified")
    sentences += _differing("compared", _beside(now, then, was), there.select("product_id", *_ADDED))
    sentences += _differing("gone", _gone(then, gone), compared.gone.select(_GONE).collect())

    if (summary.comparison is None) != (then is None):
        sentences.append("there is a comparison without a month compared with, or none with one")
    elif summary.comparison is not None and then is not None:
        stated = asdict(summary.comparison)
        sentences += _differing_figures("comparison", stated, _figures(now, then, was, gone))
        sentences += _check_bridge(sum(now.units), _cents_of(stated), "units", "units")
        sentences += _check_bridge(sum(now.revenue), _cents_of(stated), "revenue", "cents")
    return [*sentences, *_differing_figures("stock", asdict(summary.stock), _stock(wines))]


def _read(wines: pl.LazyFrame) -> _Month:
    compared = comparable(pl.col("product_id")).alias("key")
    rows = in_cents(wines.select("product_id", "total_sales", "price", "revenue", "is_premium", compared).collect())
    keys, units, price, revenue, is_premium, compared_keys = (column.to_list() for column in rows)
    places = range(len(keys))
    rank = [0] * len(keys)
    for place, (_, _, at) in enumerate(sorted(zip(map(neg, revenue), keys, places, strict=True)), start=1):
        rank[at] = place
    return _Month(keys, units, price, revenue, is_premium, rank, dict(zip(compared_keys, places, strict=True)))


def _beside(now: _Month, then: _Month | None, was: list[int | None]) -> _Columns:
    """What the comparison adds to each product: nothing but its place where there is no month before."""
    if then is None:
        return {"product_id": now.product_id, **dict.fromkeys(_ADDED, [None] * len(now.rank)), "rank": now.rank}
    units, price = (_of(column, was) for column in (then.units, then.price))
    sold = [None if before is None else here - before for here, before in zip(now.units, units, strict=True)]
    raised = [None if before is None else here - before for here, before in zip(now.price, price, strict=True)]
    return {
        "product_id": now.product_id,
        "rank": now.rank,
        "is_new": [at is None for at in was],
        "rank_before": _of(then.rank, was),
        "total_sales_before": units,
        "price_before": price,
        "revenue_before": _of(then.revenue, was),
        "was_premium": _of(then.is_premium, was),
        "sold_since": sold,
        "sold_value": _product(now.price, sold),
        "price_effect": _product(raised, units),
    }


def _gone(then: _Month | None, gone: list[int]) -> _Columns:
    if then is None:
        return {name: [] for name in _GONE}
    columns: list[list[Any]] = [
        then.product_id, then.units, then.price, then.revenue, then.is_premium, then.rank,
    ]  # fmt: skip
    return {name: _of(column, gone) for name, column in zip(_GONE, columns, strict=True)}


def _of(column: Sequence[Any], places: Sequence[int | None]) -> list[Any]:
    """The values at these places; None where there is none."""
    return [None if at is None else column[at] for at in places]


def _product(column: Sequence[int | None], other: Sequence[int | None]) -> list[int | None]:
    return [None if one is None or two is None else one * two for one, two in zip(column, other, strict=True)]


def _differing(what: str, expected: _Columns, there: pl.DataFrame) -> list[str]:
    """Whether each product is there once, with these values."""
    found = {column.name: column.to_list() for column in in_cents(there)}
    sentences = []
    if doubled := there.height - len(set(found["product_id"])):
        sentences.append(f"{_products(doubled)} stand more than once among the {what} ones")
    if found != expected:
        right, shown = _by_product(expected), _by_product(found)
        wrong = [product for product in right.keys() | shown.keys() if right.get(product) != shown.get(product)]
        if wrong:
            sentences.append(f'{_products(len(wrong))} wrongly among the {what} ones, the first is "{min(wrong)}"')
    return sentences


def _by_product(columns: _Columns) -> dict[Any, tuple[object, ...]]:
    return dict(zip(columns["product_id"], zip(*columns.values(), strict=True), strict=True))


def _figures(now: _Month, then: _Month, was: list[int | None], gone: list[int]) -> dict[str, int]:
    """The figures of the comparison; money in cents."""
    pairs = [(here, before) for here, before in enumerate(was) if before is not None]
    new = [here for here, before in enumerate(was) if before is None]
    moved = [(now.price[here], now.units[here] - then.units[before]) for here, before in pairs]
    repriced = [(now.price[here] - then.price[before], then.units[before]) for here, before in pairs]
    return {
        "products_before": len(then.units),
        "units_before": sum(then.units),
        "revenue_before": sum(then.revenue),
        "premium_before": sum(then.is_premium),
        "premium_revenue_before": sum(compress(then.revenue, then.is_premium)),
        "carrying_before": _carrying(then.revenue),
        "units_sold": sum(units for _, units in moved if units > 0),
        "sold_value": sum(price * units for price, units in moved if units > 0),
        "price_effect": sum(change * units for change, units in repriced),
        "repriced": sum(change != 0 for change, _ in repriced),
        "new_products": len(new),
        "new_units": sum(_of(now.units, new)),
        "new_revenue": sum(_of(now.revenue, new)),
        "gone_products": len(gone),
        "gone_units": sum(_of(then.units, gone)),
        "gone_revenue": sum(_of(then.revenue, gone)),
        "fallen_products": sum(units < 0 for _, units in moved),
        "fallen_units": -sum(units for _, units in moved if units < 0),
        "fallen_value": -sum(price * units for price, units in moved if units < 0),
        "newly_premium": sum(now.is_premium[here] and not then.is_premium[before] for here, before in pairs),
        "no_longer_premium": sum(then.is_premium[before] and not now.is_premium[here] for here, before in pairs),
    }


def _carrying(revenues: Iterable[int]) -> int:
    """How many products make 80 % of the revenue: those before which less than that was made."""
    falling = sorted(revenues, reverse=True)
    made = list(accumulate(falling))
    return sum(5 * (sofar - own) < 4 * made[-1] for sofar, own in zip(made, falling, strict=True))


def _stock(wines: pl.LazyFrame) -> dict[str, int]:
    """The figures of the stock; money in cents."""
    columns = in_cents(wines.select("total_sales", "stock_quantity", "price", "revenue").collect())
    columns = columns.with_columns(pl.col("stock_quantity").clip(lower_bound=0))
    rows = list(zip(*(column.to_list() for column in columns), strict=True))
    sold_out = [revenue for units, stock, _, revenue in rows if units and stock is not None and stock <= 0]
    idle = [(stock, price) for units, stock, price, _ in rows if stock and stock > 0 and not units]
    return {
        "sold_out": len(sold_out),
        "sold_out_revenue": sum(sold_out),
        "nearly_out": sum(1 for units, stock, *_ in rows if units and stock and 0 < stock < LOW_STOCK),
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
