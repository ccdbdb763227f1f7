"""The figures of the Summary, declared once: workbook, terminal, dashboard and messages iterate over them.

A new figure is an entry of `OF_THE_PERIOD` or `TO_DATE`, with its path in the manifest; a new sentence is one of
`SENTENCES`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from tasks.domain.comparisons import MissingReason, PeriodComparison, Sold
from tasks.domain.figures import SnapshotSummary
from tasks.domain.inventory import REORDER_WEEKS, YEAR_DAYS
from tasks.domain.parameters import Language, Parameters
from tasks.domain.period import CHANGES
from tasks.messages import Messages, NumberKind, mark, messages_in, plural
from tasks.report.completeness import checked_sentence, missing_sentences
from tasks.report.content import Report, SheetKey

UNKNOWN = "\N{EN DASH}"
"""Shown for a figure that is unknown."""

Words = Callable[[SnapshotSummary, Messages], str]
"""A text about a snapshot; empty if it is left out."""


# What is shown


@dataclass(frozen=True)
class Tile:
    """A headline figure.

    Attributes:
        label: Its name.
        value: The figure; None if it is unknown.
        kind: How the value is shown.
        notes: The lines below it: details and changes.
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
        is_alert: Whether somebody has to do something about it.
    """

    label: str
    text: str
    sheet: SheetKey
    is_alert: bool = False


@dataclass(frozen=True)
class Headline:
    """The figures of a snapshot in words, the same on every surface.

    Attributes:
        title: The name of the snapshot.
        period: The dates and days of the period.
        news: The news in one sentence.
        tiles: The figures, each with its changes.
        lines: What changed, what to reorder, what is dormant, and what is missing from the figures.
        language: The language of the texts.
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
        tiles = [(tile.label, text.gettext("; ").join([tile.text, *filter(None, tile.notes)])) for tile in self.tiles]
        labelled = [*tiles, *((line.label, line.text) for line in self.lines)]
        lines = [text.gettext("{label}: {text}", label=label, text=of) if label else of for label, of in labelled]
        return [self.period, self.news, *lines]


# Figures


class Figure(NamedTuple):
    """A figure of the Summary.

    Attributes:
        label: Its name.
        path: Its path in the manifest and in `SnapshotSummary`.
        kind: How it is shown.
        notes: The lines below it.
    """

    label: Words
    path: str
    kind: NumberKind
    notes: tuple[Words, ...] = ()


def _at(summary: SnapshotSummary, path: str) -> Any:  # noqa: ANN401 - a figure of any type
    value: Any = summary
    for name in path.split("."):
        value = None if value is None else getattr(value, name)
    return value


def _say(message: str, **paths: str) -> Words:
    """The message with the figures at these paths; empty if one of them is unknown."""

    def words(summary: SnapshotSummary, text: Messages) -> str:
        values = {name: _at(summary, path) for name, path in paths.items()}
        return "" if None in values.values() else text.gettext(message, **values)

    return words


def _count(forms: tuple[str, str], path: str) -> Words:
    """The form that agrees with the figure at this path; empty if it is unknown."""

    def words(summary: SnapshotSummary, text: Messages) -> str:
        count = _at(summary, path)
        return "" if count is None else text.ngettext(*forms, count)

    return words


_EARLIER = {"previous": mark("period before"), "last_year": mark("last year"), "year_before": mark("year before")}
"""The comparisons of a figure, see `Comparisons`."""

_MISSING: dict[MissingReason, str] = {
    "first_snapshot": mark("no earlier snapshot"),
    "history_too_short": mark("history too short"),
    "snapshot_missing": mark("no snapshot then"),
}


def _why(missing: MissingReason | None, text: Messages) -> str:
    return text.gettext(_MISSING[missing]) if missing else UNKNOWN


def _change(figure: str, earlier: str) -> Words:
    """A relative change, as in +5.1% on last year; for the value sold, also why there is none."""

    def words(summary: SnapshotSummary, text: Messages) -> str:
        compared: PeriodComparison = getattr(summary.comparisons, earlier)
        change, when = getattr(compared, figure), text.gettext(_EARLIER[earlier])
        if change is None:
            why = _why(compared.missing, text)
            return text.gettext("{when}: {value}", when=when, value=why) if figure == "value" else ""
        message = mark("{change}/day on {when}") if compared.is_per_day else mark("{change} on {when}")
        return text.gettext(message, change=text.percent_change(change), when=when)

    return words


def _then(value: Callable[[Sold, Messages], str], earlier: str) -> Words:
    """The earlier figure, as in last year: €23.20."""

    def words(summary: SnapshotSummary, text: Messages) -> str:
        before: Sold | None = getattr(summary.comparisons, earlier).before
        when = text.gettext(_EARLIER[earlier])
        return text.gettext("{when}: {value}", when=when, value=value(before, text)) if before else ""

    return words


def _price(sold: Sold, text: Messages) -> str:
    return UNKNOWN if sold.price_per_bottle is None else text.money(sold.price_per_bottle)


def _premium(sold: Sold, text: Messages) -> str:
    return text.gettext("{count}, {value}", count=sold.premium_units, value=text.money(sold.premium_value, 0))


def _last_days(summary: SnapshotSummary, text: Messages) -> str:
    year = summary.comparisons.last_365
    return text.ngettext("Last {count} day", "Last {count} days", year.days if year else YEAR_DAYS)


def _units_of_the_year(summary: SnapshotSummary, text: Messages) -> str:
    year = summary.comparisons.last_365
    return text.ngettext(*_BOTTLES, year.units) if year else _why(summary.comparisons.last_365_missing, text)


def _year_before(summary: SnapshotSummary, text: Messages) -> str:
    return _change("value", "year_before")(summary, text) if summary.comparisons.last_365 else ""


def _premium_share(summary: SnapshotSummary, text: Messages) -> str:
    figures = summary.figures
    forms = plural("{count} premium, {share} of total", "{count} premium, {share} of total")
    return text.ngettext(*forms, figures.premium, share=text.percent(figures.premium_share))


_BOTTLES = plural("{count} bottle", "{count} bottles")
_CANCELLED, _LIST_PRICE = CHANGES["cancelled"], _say(mark("list price"))
_THRESHOLD = _say(mark("premium above {price}"), price="figures.threshold_price")

# fmt: off
OF_THE_PERIOD = (
    Figure(_say(mark("Sold")), "period.sold.value", "money", (
        _count(plural("{count} wine sold", "{count} wines sold"), "period.products_sold"),
        _change("value", "previous"), _change("value", "last_year"))),
    Figure(_say(mark("Bottles")), "period.sold.units", "count", (
        _count((_CANCELLED.one, _CANCELLED.many), f"period.{_CANCELLED.figure}"),
        _change("units", "previous"), _change("units", "last_year"))),
    Figure(_say(mark("Price per bottle")), "period.sold.price_per_bottle", "money", (
        _LIST_PRICE, _then(_price, "previous"), _then(_price, "last_year"))),
    Figure(_say(mark("Premium sold")), "period.sold.premium_value", "money", (
        _count(_BOTTLES, "period.sold.premium_units"), _then(_premium, "previous"), _then(_premium, "last_year"))),
    Figure(_last_days, "comparisons.last_365.value", "money", (_units_of_the_year, _year_before)),
    Figure(_say(mark("Total revenue to date")), "figures.revenue", "money", (
        _count(_BOTTLES, "figures.units"), _premium_share, _THRESHOLD)),
)
TO_DATE = (
    Figure(_say(mark("Total revenue to date")), "figures.revenue", "money", (_premium_share,)),
    Figure(_say(mark("Bottles to date")), "figures.units", "count"),
    Figure(_say(mark("Price per bottle")), "figures.price_per_bottle", "money", (_LIST_PRICE,)),
    Figure(_say(mark("Premium wines")), "figures.premium", "count", (_THRESHOLD,)),
    Figure(_say(mark("Products")), "figures.products", "count", (
        _count(plural("{count} ordinary wine", "{count} ordinary wines"), "figures.ordinary"),)),
    Figure(_say(mark("Out of stock")), "inventory.out_of_stock", "count", (_say(mark("wines that have sold")),)),
)
# fmt: on
"""The figures of a snapshot, and of a first one, which has no period."""


def _tile(figure: Figure, summary: SnapshotSummary, text: Messages) -> Tile:
    value = _at(summary, figure.path)
    spelled = UNKNOWN if value is None else text.money(value) if figure.kind == "money" else text.number(value)
    notes = tuple(words(summary, text) for words in figure.notes)
    return Tile(figure.label(summary, text), value, figure.kind, notes, spelled)


# Sentences


def _changed(summary: SnapshotSummary, text: Messages) -> str:
    if summary.period is None:
        return ""
    counts = [(change, getattr(summary.period, change.figure)) for change in CHANGES.values()]
    phrases = [text.ngettext(change.one, change.many, count) for change, count in counts if count]
    if summary.period.new_without_date:
        phrases.append(text.gettext("without post_date, every product that was not there before counts as new"))
    return " · ".join(phrases) or text.gettext("No product, price or class changed.")


NONE_TO_REORDER = mark("No wine that sells has fewer than {weeks} weeks of cover.")


def _to_reorder(summary: SnapshotSummary, text: Messages) -> str:
    inventory = summary.inventory
    if inventory.reorder is None or inventory.at_risk is None:
        return ""
    if inventory.reorder == 0:
        return text.gettext(NONE_TO_REORDER, weeks=REORDER_WEEKS)
    return text.ngettext(
        "{count} wine with fewer than {weeks} weeks of cover, {out} of them out of stock; at risk: {value} per week",
        "{count} wines with fewer than {weeks} weeks of cover, {out} of them out of stock; at risk: {value} per week",
        inventory.reorder,
        weeks=REORDER_WEEKS,
        out=inventory.out_of_stock_selling or 0,
        value=inventory.at_risk,
    )


def _dormant(summary: SnapshotSummary, text: Messages) -> str:
    inventory = summary.inventory
    if not inventory.dormant or inventory.dormant_units is None or inventory.dormant_value is None:
        return "" if inventory.dormant is None else text.gettext("No wine in stock is dormant.")
    wines = text.ngettext("{count} wine", "{count} wines", inventory.dormant)
    value = text.gettext("{value} at selling price", value=inventory.dormant_value)
    return ", ".join([wines, text.ngettext(*_BOTTLES, inventory.dormant_units), value])


class Sentence(NamedTuple):
    """A sentence of the Summary.

    Attributes:
        label: What it is about.
        words: The sentence; empty if it is left out.
        sheet: The sheet that shows more.
        alert: The path of a count; if it is above 0, somebody has to do something.
    """

    label: str
    words: Words
    sheet: SheetKey
    alert: str = ""


SENTENCES = (
    Sentence(mark("Changes"), _changed, "changes"),
    Sentence(mark("Reorder"), _to_reorder, "stock", alert="inventory.reorder"),
    Sentence(mark("Dormant"), _dormant, "stock"),
)


def _line(one: Sentence, summary: SnapshotSummary, text: Messages) -> Line:
    is_alert = bool(one.alert and _at(summary, one.alert))
    return Line(text.gettext(one.label), one.words(summary, text), one.sheet, is_alert)


# The news


def _sales(summary: SnapshotSummary, text: Messages) -> str:
    sold, previous, direction = _at(summary, "period.sold"), summary.comparisons.previous, summary.direction
    if direction is None or (previous.value is None and direction != "unchanged"):
        return text.ngettext(
            "{value} sold from {count} bottle", "{value} sold from {count} bottles", sold.units, value=sold.value
        )
    message = {
        "fell": mark("{sales} fell {change} on the period before"),
        "rose": mark("{sales} rose {change} on the period before"),
        "unchanged": mark("{sales} are unchanged"),
    }[direction]
    sales = text.gettext(mark("Sales per day") if previous.is_per_day else mark("Sales"))
    return text.gettext(message, sales=sales, change=text.percent(abs(previous.value or 0), 0))


def _premium_sold(summary: SnapshotSummary, text: Messages) -> str:
    units = _at(summary, "period.sold").premium_units
    if units < 0:
        return text.ngettext(
            "{count} more premium bottle was cancelled than sold",
            "{count} more premium bottles were cancelled than sold",
            -units,
        )
    if units == 0:
        return text.gettext("no premium bottle was sold")
    return text.ngettext("{count} premium bottle was sold", "{count} premium bottles were sold", units)


def _out_of_stock(summary: SnapshotSummary, text: Messages) -> str:
    forms = plural("{count} wine that still sells is out of stock", "{count} wines that still sell are out of stock")
    count = summary.inventory.out_of_stock_selling
    return text.ngettext(*forms, count) if count else ""


def _news(summary: SnapshotSummary, text: Messages) -> str:
    if summary.period is None:
        return text.ngettext(
            "First snapshot: {revenue} of total revenue to date, from {units} bottles of {count} wine.",
            "First snapshot: {revenue} of total revenue to date, from {units} bottles of {count} wines.",
            summary.figures.products,
            revenue=summary.figures.revenue,
            units=summary.figures.units,
        )
    facts = [words(summary, text) for words in (_sales, _premium_sold, _out_of_stock)]
    return text.gettext("; ").join(filter(None, facts)) + "."


def _dates(summary: SnapshotSummary, text: Messages) -> str:
    if summary.period is None:
        return text.gettext("first snapshot: figures to date")
    sold = summary.period.sold
    return text.ngettext(
        "sold from {start} to {end} ({count} day)",
        "sold from {start} to {end} ({count} days)",
        sold.days,
        start=text.day(sold.start) if sold.start.year == sold.end.year else sold.start,
        end=sold.end,
    )


def summary_headline(summary: SnapshotSummary, parameters: Parameters) -> Headline:
    """The headline from the figures alone."""
    text = messages_in(parameters.language)
    figures = TO_DATE if summary.period is None else OF_THE_PERIOD
    lines = [_line(one, summary, text) for one in SENTENCES]
    return Headline(
        title=text.gettext("Wine sales · snapshot of {date}", date=parameters.export_date),
        period=_dates(summary, text),
        news=_news(summary, text),
        tiles=tuple(_tile(figure, summary, text) for figure in figures),
        lines=tuple(line for line in lines if line.text),
        language=parameters.language,
    )


def headline(report: Report) -> Headline:
    """The headline with what is missing from the figures, and whether they can be trusted."""
    shown, text = summary_headline(report.summary, report.parameters), report.messages
    missing = missing_sentences(report)
    label, nothing = (
        text.gettext("Not in these figures"),
        text.gettext("Nothing: no sale is missing."),
    )
    lines = [Line("" if index else label, one, "checks", is_alert=True) for index, one in enumerate(missing)]
    checked = Line(text.gettext("Checked"), checked_sentence(report), "checks")
    return replace(shown, lines=(*shown.lines, *(lines or [Line(label, nothing, "checks")]), checked))
