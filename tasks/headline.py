"""The month's headline figures in words: the same on the terminal, in the dashboard and in a notification."""

from decimal import Decimal
from typing import NamedTuple

from tasks.domain.figures import Comparison, Figures, StockFigures


class Line(NamedTuple):
    """One headline figure.

    Attributes:
        name: What it is.
        value: How much.
        change: Against the month compared with; empty where there is none.
    """

    name: str
    value: str
    change: str


def headline(figures: Figures, comparison: Comparison | None = None) -> list[Line]:
    """The headline figures, each with its change."""
    then: tuple[Decimal | int | None, ...] = (None,) * 5
    if comparison:
        ordinary = comparison.products_before - comparison.premium_before
        then = (
            comparison.revenue_before,
            comparison.units_before,
            comparison.products_before,
            comparison.premium_before,
            ordinary,
        )
    premium = f"{figures.premium:,} above {figures.threshold_price:,.2f} EUR"
    return [
        Line("Revenue", f"{figures.revenue:,.2f} EUR", _change(figures.revenue, then[0])),
        Line("Units sold", f"{figures.units:,}", _change(figures.units, then[1])),
        Line("Products", f"{figures.products:,}", _change(figures.products, then[2])),
        Line("Premium wines", premium, _change(figures.premium, then[3])),
        Line("Ordinary wines", f"{figures.ordinary:,}", _change(figures.ordinary, then[4])),
    ]


def _change(now: Decimal | int, then: Decimal | int | None) -> str:
    if then is None:
        return ""
    if now == then:
        return "no change"
    change = f"{now - then:+,}"
    return f"{change} ({(now - then) / Decimal(then):+.1%})" if then else change


def change_heading(comparison: Comparison) -> str:
    """What the changes are against, and how far back that is."""
    if comparison.months_apart == 1:
        return f"since {comparison.month}"
    return f"since {comparison.month}, {comparison.months_apart} months before"


def movement(comparison: Comparison) -> str:
    """What moved the revenue, in one sentence."""
    parts = [f"{counted(comparison.units_sold, 'unit')} sold, {comparison.sold_value:,.2f} EUR at today's prices"]
    if comparison.repriced:
        parts.append(f"{counted(comparison.repriced, 'new price')}, {comparison.price_effect:+,.2f} EUR")
    if comparison.new_products:
        parts.append(f"{counted(comparison.new_products, 'new product')}, {comparison.new_revenue:,.2f} EUR")
    if comparison.gone_products:
        parts.append(f"{counted(comparison.gone_products, 'product')} gone, {comparison.gone_revenue:,.2f} EUR")
    if comparison.fallen_products:
        fallen = counted(comparison.fallen_products, "counter")
        parts.append(f"{fallen} fell, which a counter of sales never should: {comparison.fallen_value:,.2f} EUR")
    return f"S{change_heading(comparison)[1:]}: {'; '.join(parts)}."


def stock_sentence(stock: StockFigures) -> str:
    """What stands in the cellar, in one sentence."""
    sold_out = f"{counted(stock.sold_out, 'seller')} sold out ({stock.sold_out_revenue:,.2f} EUR of revenue so far)"
    idle = f"{counted(stock.idle_units, 'bottle')} of {counted(stock.idle, 'product')} never sold"
    unknown = f"; {counted(stock.unknown, 'product')} without a count" if stock.unknown else ""
    return f"{sold_out}, {stock.nearly_out:,} nearly; {idle}, {stock.idle_value:,.2f} EUR at selling price{unknown}."


def outcome(sentence: str, figures: Figures) -> str:
    """What happened, with the figures."""
    sold = f"{figures.revenue:,.2f} EUR from {counted(figures.units, 'unit')} of {counted(figures.products, 'product')}"
    return f"{sentence} {sold}, {counted(figures.premium, 'premium wine')}."


def counted(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
