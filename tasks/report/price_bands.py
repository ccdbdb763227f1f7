"""How many products cost how much, in equal steps counted from the premium threshold in both directions.

Counted from there, the threshold is always the edge of a band, so that no bar mixes the two classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from tasks.report.words import Words

_THRESHOLD_MARK = " "
_BANDS = 12
"""Steps that the range of interest is divided into, at most."""

_BANDS_ABOVE = 8
"""Bands above the threshold in the chart of all products; the last of them is open."""


@dataclass(frozen=True)
class PriceBands:
    """A chart's table of price bands.

    Attributes:
        step: Width of a band, EUR.
        table: One row per band, by price: `label`, `ordinary`, `premium` and `threshold`; an empty count is null.
            The row with a `threshold` is no band: it marks the place where premium begins.
    """

    step: Decimal
    table: pl.DataFrame


def all_price_bands(wines: pl.DataFrame, threshold_price: Decimal, words: Words) -> PriceBands:
    """All products by price, the threshold between the classes."""
    start = _cents(threshold_price)
    step = _round_step(start if start > 0 else _highest(wines))
    bands = _counted(wines, start, step).with_columns(pl.col("band").clip(upper_bound=_BANDS_ABOVE - 1))
    ordinary = _by_band(bands.filter(~pl.col("is_premium")))
    premium = _by_band(bands.filter("is_premium"))

    below = range(min(ordinary, default=0), 0)
    above = range(max(premium, default=-1) + 1)
    tallest = max([*ordinary.values(), *premium.values()], default=0)
    rows = [
        *((_label(words, band, start, step), ordinary.get(band), None, None) for band in below),
        (_THRESHOLD_MARK, None, None, tallest),
        *((_label(words, band, start, step, last=_BANDS_ABOVE - 1), None, premium.get(band), None) for band in above),
    ]
    return PriceBands(_euros(step), _table(rows))


def premium_price_bands(wines: pl.DataFrame, threshold_price: Decimal, words: Words) -> PriceBands:
    """The premium wines alone, up to the dearest."""
    start = _cents(threshold_price)
    step = _round_step(_highest(wines) - start)
    premium = _by_band(_counted(wines.filter("is_premium"), start, step))
    rows = [
        (_label(words, band, start, step), None, premium.get(band), None)
        for band in range(max(premium, default=-1) + 1)
    ]
    return PriceBands(_euros(step), _table(rows))


def _counted(wines: pl.DataFrame, start: int, step: int) -> pl.DataFrame:
    """Each product with its band: 0 is the first above the threshold, -1 the first below."""
    cents = (pl.col("price").cast(pl.Decimal(38, 2)) * 100).cast(pl.Int64)
    # The class decides the side, for the threshold is rounded to cents and the z-score is not.
    above = ((cents - start) // step).clip(lower_bound=0)
    below = -1 - ((start - cents) // step).clip(lower_bound=0)
    return wines.select("is_premium", band=pl.when("is_premium").then(above).otherwise(below))


def _by_band(bands: pl.DataFrame) -> dict[int, int]:
    return dict(bands.group_by("band").len().iter_rows())


def _label(words: Words, band: int, start: int, step: int, last: int | None = None) -> str:
    lower, upper = start + band * step, start + (band + 1) * step
    return words.band(_euros(max(lower, 0)), None if band == last else _euros(upper), whole=step >= _cents(Decimal(1)))


def _table(rows: Sequence[tuple[str, int | None, int | None, int | None]]) -> pl.DataFrame:
    schema = {"label": pl.String, "ordinary": pl.Int64, "premium": pl.Int64, "threshold": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _round_step(span: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, … cents that divides the span into few enough bands."""
    step, factors = 1, (2, 5, 10)
    while step * _BANDS < span:
        step = next(
            power * factor for power in [10 ** (len(str(step)) - 1)] for factor in factors if power * factor > step
        )
    return step


def _highest(wines: pl.DataFrame) -> int:
    highest = wines["price"].max()
    return _cents(highest) if isinstance(highest, Decimal) else 0


def _cents(euros: Decimal) -> int:
    return int(euros * 100)


def _euros(cents: int) -> Decimal:
    return Decimal(cents) / 100
