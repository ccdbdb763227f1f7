"""The figures that every surface shows: workbook, terminal, dashboard and notification iterate over them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from tasks.domain.comparisons import Comparisons, MissingReason, PeriodComparison, Sold
from tasks.domain.figures import Figures, PeriodFigures, SnapshotSummary
from tasks.domain.inventory import REORDER_WEEKS, YEAR_DAYS, InventoryFigures
from tasks.domain.parameters import Language, Parameters
from tasks.domain.period import CHANGES
from tasks.domain.rules import NO_KEY, RULES, UNLINKED_SALES, UNREADABLE_KEY
from tasks.messages import Messages, NumberKind, mark, messages_in
from tasks.report.content import SOURCE_NAMES, Report, SheetKey, reason, title

UNKNOWN = "\N{EN DASH}"
"""In place of a figure that is not known."""

_NAMED = 3
"""Products that a sentence names; more of them are counted."""
_TITLE_LENGTH = 60

_MISSING: dict[MissingReason, str] = {
    "first_snapshot": mark("no earlier snapshot"),
    "history_too_short": mark("history too short"),
    "snapshot_missing": mark("no snapshot then"),
}


@dataclass(frozen=True)
class Tile:
    """A headline figure.

    Attributes:
        label: What it is.
        value: How much; None where it is unknown.
        kind: How it is shown.
        notes: What belongs to it, and how it changed.
        text: The value as text.
    """

    label: str
    value: Decimal | int | None
    kind: NumberKind
    notes: tuple[str, ...] = ()
    text: str = UNKNOWN


@dataclass(frozen=True)
class Line:
    """A sentence below the figures.

    Attributes:
        label: What it is about.
        text: The sentence.
        sheet: The sheet that shows more.
        is_alert: Whether it needs a hand.
    """

    label: str
    text: str
    sheet: SheetKey | None = None
    is_alert: bool = False


@dataclass(frozen=True)
class Headline:
    """The figures of a snapshot in words, the same on every surface.

    Attributes:
        title: Which snapshot it is.
        period: From when to when the sales are, by dates and days.
        news: One sentence.
        tiles: The figures, each with its changes.
        lines: What changed, what to reorder, what does not sell, and what is missing from the figures.
        language: The language of all of it.
    """

    title: str
    period: str
    news: str
    tiles: tuple[Tile, ...]
    lines: tuple[Line, ...]
    language: Language

    def sentences(self) -> list[str]:
        """Everything below the title as lines of plain text."""
        text = messages_in(self.language)
        values = {
            tile.label: text.gettext(mark("; ")).join([tile.text, *filter(None, tile.notes)]) for tile in self.tiles
        }
        labelled = [*values.items(), *((line.label, line.text) for line in self.lines)]
        message = mark("{label}: {text}")
        return [
            self.period,
            self.news,
            *(text.gettext(message, label=label, text=value) if label else value for label, value in labelled),
        ]


def headline(report: Report) -> Headline:
    """The headline of a snapshot with what is missing from its figures."""
    shown = summary_headline(report.summary, report.parameters)
    return replace(shown, lines=(*shown.lines, *_missing_lines(report)))


def summary_headline(summary: SnapshotSummary, parameters: Parameters) -> Headline:
    """The headline as far as figures alone give it."""
    text = messages_in(parameters.language)
    period = summary.period
    tiles = _tiles_to_date(summary, text) if period is None else _tiles_of_the_period(summary, period, text)
    lines = (
        [] if period is None else [_changes_line(period, text)],
        _stock_lines(summary.inventory, text),
    )
    return Headline(
        title=text.gettext(mark("Wine sales · snapshot of {date}"), date=text.long_date(parameters.export_date)),
        period=_period_sentence(period, text),
        news=_news(summary, text),
        tiles=tuple(replace(tile, text=_spelled(tile, text)) for tile in tiles),
        lines=tuple(line for some in lines for line in some),
        language=parameters.language,
    )


def _spelled(tile: Tile, text: Messages) -> str:
    if tile.value is None:
        return UNKNOWN
    return text.money(Decimal(tile.value)) if tile.kind == "money" else text.number(tile.value)


def _period_sentence(period: PeriodFigures | None, text: Messages) -> str:
    if period is None:
        return text.gettext(mark("first snapshot: figures to date"))
    start, end = period.sold.start, period.sold.end
    return text.ngettext(
        "sold from {start} to {end} ({count} day)",
        "sold from {start} to {end} ({count} days)",
        period.sold.days,
        start=text.day(start) if start.year == end.year else text.long_date(start),
        end=text.long_date(end),
    )


def _news(summary: SnapshotSummary, text: Messages) -> str:
    if summary.period is None:
        return text.ngettext(
            "First snapshot: {revenue} of total revenue to date, from {units} bottles of {count} wine.",
            "First snapshot: {revenue} of total revenue to date, from {units} bottles of {count} wines.",
            summary.figures.products,
            revenue=text.money(summary.figures.revenue),
            units=text.number(summary.figures.units),
        )
    facts = [_sales_fact(summary, summary.period, text)]
    if summary.news.premium_units is not None:
        facts.append(_premium_fact(summary.news.premium_units, text))
    if summary.news.out_of_stock_selling:
        facts.append(
            text.ngettext(
                "{count} wine that still sells is out of stock",
                "{count} wines that still sell are out of stock",
                summary.news.out_of_stock_selling,
            )
        )
    return text.gettext(mark("; ")).join(facts) + "."


def _sales_fact(summary: SnapshotSummary, period: PeriodFigures, text: Messages) -> str:
    change, per_day = summary.news.change, summary.comparisons.previous.is_per_day
    if summary.news.sales == "unchanged":
        return text.gettext(mark("Sales per day are unchanged") if per_day else mark("Sales are unchanged"))
    if summary.news.sales is None or change is None:
        return text.ngettext(
            "{value} sold from {count} bottle", "{value} sold from {count} bottles", period.sold.units,
            value=text.money(period.sold.value),
        )  # fmt: skip
    sentences = {
        ("fell", False): mark("Sales fell {change} on the period before"),
        ("rose", False): mark("Sales rose {change} on the period before"),
        ("fell", True): mark("Sales per day fell {change} on the period before"),
        ("rose", True): mark("Sales per day rose {change} on the period before"),
    }
    return text.gettext(sentences[summary.news.sales, per_day], change=text.percent(change, 0))


def _premium_fact(units: int, text: Messages) -> str:
    if units < 0:
        return text.ngettext(
            "{count} more premium bottle was cancelled than sold",
            "{count} more premium bottles were cancelled than sold",
            -units,
        )
    if units == 0:
        return text.gettext(mark("no premium bottle was sold"))
    return text.ngettext("{count} premium bottle was sold", "{count} premium bottles were sold", units)


# Tiles


def _tiles_of_the_period(summary: SnapshotSummary, period: PeriodFigures, text: Messages) -> list[Tile]:
    sold, against = period.sold, _compared(summary.comparisons, text)

    def changes(figure: str) -> tuple[str, str]:
        return tuple(_change(one, figure, when, text) for one, when in against)  # type: ignore[return-value]

    def values(spelled: Callable[[Sold], str]) -> tuple[str, str]:
        return tuple(_value(one, spelled, when, text) for one, when in against)  # type: ignore[return-value]

    wines = text.ngettext("{count} wine sold", "{count} wines sold", period.products_sold)
    cancelled = text.ngettext("{count} bottle cancelled", "{count} bottles cancelled", period.cancelled_units)
    return [
        Tile(text.gettext(mark("Sold")), sold.value, "money", (wines, *changes("value"))),
        Tile(text.gettext(mark("Bottles")), sold.units, "count", (cancelled, *changes("units"))),
        Tile(
            text.gettext(mark("Price per bottle")),
            sold.price_per_bottle,
            "money",
            (text.gettext(mark("list price")), *values(lambda one: _price(one, text))),
        ),
        Tile(
            text.gettext(mark("Premium sold")),
            sold.premium_value,
            "money",
            (_bottles(sold.premium_units, text), *values(lambda one: _premium(one, text))),
        ),
        _last_days(summary.comparisons, text),
        _total_to_date(summary.figures, text),
    ]


def _compared(compared: Comparisons, text: Messages) -> tuple[tuple[PeriodComparison, str], ...]:
    return (
        (compared.previous, text.gettext(mark("period before"))),
        (compared.last_year, text.gettext(mark("last year"))),
    )


def _change(one: PeriodComparison, figure: str, when: str, text: Messages) -> str:
    """A relative change: +5.1% on last year."""
    change: float | None = getattr(one, figure)
    if change is None:
        return _unknown(one.missing, when, text) if figure == "value" else ""
    message = mark("{change} per day on {when}") if one.is_per_day else mark("{change} on {when}")
    return text.gettext(message, change=text.percent_change(change), when=when)


def _value(one: PeriodComparison, spelled: Callable[[Sold], str], when: str, text: Messages) -> str:
    """What it was then: last year: €23.20."""
    if one.before is None:
        return ""
    return text.gettext(mark("{when}: {value}"), when=when, value=spelled(one.before))


def _unknown(missing: MissingReason | None, when: str, text: Messages) -> str:
    return text.gettext(mark("{when}: {value}"), when=when, value=_why(missing, text))


def _why(missing: MissingReason | None, text: Messages) -> str:
    return text.gettext(_MISSING[missing]) if missing else UNKNOWN


def _price(sold: Sold, text: Messages) -> str:
    return text.money(sold.price_per_bottle) if sold.price_per_bottle is not None else UNKNOWN


def _premium(sold: Sold, text: Messages) -> str:
    return text.gettext(
        mark("{count}, {value}"), count=text.number(sold.premium_units), value=text.money(sold.premium_value, 0)
    )


def _bottles(units: int, text: Messages) -> str:
    return text.ngettext("{count} bottle", "{count} bottles", units)


def _last_days(compared: Comparisons, text: Messages) -> Tile:
    """What was sold since about the same date last year."""
    year = compared.last_365
    if year is None:
        label = text.ngettext("Last {count} day", "Last {count} days", YEAR_DAYS)
        return Tile(label, None, "money", (_why(compared.last_365_missing, text),))
    label = text.ngettext("Last {count} day", "Last {count} days", year.days)
    change = _change(compared.year_before, "value", text.gettext(mark("year before")), text)
    return Tile(label, year.value, "money", (_bottles(year.units, text), change))


def _total_to_date(figures: Figures, text: Messages) -> Tile:
    share = figures.premium_revenue / figures.revenue if figures.revenue else Decimal(0)
    premium = text.ngettext(
        "{count} premium, {share} of total",
        "{count} premium, {share} of total",
        figures.premium,
        share=text.percent(share),
    )
    threshold = text.gettext(mark("premium above {price}"), price=text.money(figures.threshold_price))
    notes = (_bottles(figures.units, text), premium, threshold)
    return Tile(text.gettext(mark("Total revenue to date")), figures.revenue, "money", notes)


def _tiles_to_date(summary: SnapshotSummary, text: Messages) -> list[Tile]:
    figures, inventory = summary.figures, summary.inventory
    price = (figures.revenue / figures.units).quantize(Decimal("0.01"), ROUND_HALF_UP) if figures.units else None
    share = figures.premium_revenue / figures.revenue if figures.revenue else Decimal(0)
    premium = text.gettext(mark("{share} from premium wines"), share=text.percent(share))
    ordinary = text.ngettext("{count} ordinary wine", "{count} ordinary wines", figures.ordinary)
    threshold = text.gettext(mark("premium above {price}"), price=text.money(figures.threshold_price))
    return [
        Tile(text.gettext(mark("Total revenue to date")), figures.revenue, "money", (premium,)),
        Tile(text.gettext(mark("Bottles to date")), figures.units, "count"),
        Tile(text.gettext(mark("Price per bottle")), price, "money", (text.gettext(mark("list price")),)),
        Tile(text.gettext(mark("Premium wines")), figures.premium, "count", (threshold,)),
        Tile(text.gettext(mark("Products")), figures.products, "count", (ordinary,)),
        Tile(
            text.gettext(mark("Out of stock")),
            inventory.out_of_stock,
            "count",
            (text.gettext(mark("wines that have sold")),),
        ),
    ]


# Lines


def _changes_line(period: PeriodFigures, text: Messages) -> Line:
    counts = [(change, getattr(period, change.figure)) for change in CHANGES.values()]
    label = text.gettext(mark("Changes"))
    if not any(count for _, count in counts):
        return Line(label, text.gettext(mark("No product, price or class changed.")))
    sentence = " · ".join(text.ngettext(one.one, one.many, count) for one, count in counts if count)
    if period.new_without_date:
        sentence += " · " + text.gettext(
            mark("without post_date, every product that was not there before counts as new")
        )
    return Line(label, sentence, "changes")


def _stock_lines(inventory: InventoryFigures, text: Messages) -> list[Line]:
    """What to reorder and what is dormant, as far as it is known."""
    lines = []
    if inventory.reorder is not None and inventory.at_risk is not None:
        sentence = text.ngettext(
            "{count} wine with fewer than {weeks} weeks of cover, {out} of them out of stock; "
            "at risk: {value} per week",
            "{count} wines with fewer than {weeks} weeks of cover, {out} of them out of stock; "
            "at risk: {value} per week",
            inventory.reorder,
            weeks=text.number(REORDER_WEEKS),
            out=text.number(inventory.out_of_stock_selling or 0),
            value=text.money(inventory.at_risk),
        )
        lines.append(Line(text.gettext(mark("Reorder")), sentence, "stock", is_alert=inventory.reorder > 0))
    label = text.gettext(mark("Dormant"))
    if inventory.dormant == 0:
        lines.append(Line(label, text.gettext(mark("No wine in stock is dormant."))))
    elif inventory.dormant and inventory.dormant_units is not None and inventory.dormant_value is not None:
        wines = text.ngettext("{count} wine", "{count} wines", inventory.dormant)
        value = text.gettext(mark("{value} at selling price"), value=text.money(inventory.dormant_value))
        lines.append(Line(label, ", ".join([wines, _bottles(inventory.dormant_units, text), value]), "stock"))
    return lines


def _missing_lines(report: Report) -> list[Line]:
    """What needs a hand: products with sales that are in no figure, by name, then rows by reason."""
    text, missing = report.messages, report.missing
    label = text.gettext(mark("Not in these figures"))
    named = [_missing_products(rows, rule, text) for (rule,), rows in missing.group_by("rule", maintain_order=True)]
    rejected = report.row_counts.filter(pl.col("disposition") == "rejected").sort("rows", descending=True)
    known = {("web", rule) for rule in missing["rule"]}
    reasons = [
        text.ngettext(
            "{reason} ({workbook}: {count} row)",
            "{reason} ({workbook}: {count} rows)",
            rows,
            reason=reason(rule, detail, text),
            workbook=text.gettext(SOURCE_NAMES[source]),
        )
        for source, rule, detail, rows in rejected.select("source", "rule", "detail", "rows").iter_rows()
        if RULES[rule].severity != "info" and (source, rule) not in known
    ]
    sentences = [" · ".join(parts) for parts in (named, reasons) if parts]
    if not sentences:
        return [Line(label, text.gettext(mark("Nothing that needs a hand: no sale is missing.")))]
    return [Line("" if index else label, one, "checks", is_alert=True) for index, one in enumerate(sentences)]


def _missing_products(missing: pl.DataFrame, rule: object, text: Messages) -> str:
    """The products of the web shop that are missing for one reason, the first of them by name."""
    named = missing.head(_NAMED).select(title(_TITLE_LENGTH, text).alias("title"), "units")
    names = [f"{name} ({_bottles(units, text)})" for name, units in named.iter_rows()]
    if missing.height > _NAMED:
        names.append(text.ngettext("{count} more", "{count} more", missing.height - _NAMED))
    values = {"names": ", ".join(names)}
    if rule == NO_KEY.code:
        return text.ngettext(
            "{count} shop product with sales and no sku: {names}",
            "{count} shop products with sales and no sku: {names}",
            missing.height,
            **values,
        )
    if rule == UNREADABLE_KEY.code:
        return text.ngettext(
            "{count} shop product with sales and a sku that is not a key: {names}",
            "{count} shop products with sales and a sku that is not a key: {names}",
            missing.height,
            **values,
        )
    if rule == UNLINKED_SALES.code:
        return text.ngettext(
            "{count} shop product with sales and no product of the ERP: {names}",
            "{count} shop products with sales and no product of the ERP: {names}",
            missing.height,
            **values,
        )
    why = reason(str(rule), None, text)
    return text.ngettext(
        "{count} shop product with sales ({reason}): {names}",
        "{count} shop products with sales ({reason}): {names}",
        missing.height,
        reason=why,
        **values,
    )
