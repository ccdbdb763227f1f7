"""The charts of the workbook. Their numbers are on the hidden sheet."""

from dataclasses import dataclass
from typing import Literal

import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.chart import Chart

from tasks.domain.comparisons import COMPARABLE_DAYS
from tasks.messages import Messages, mark
from tasks.report import styles
from tasks.report.content import ORDINARY, PREMIUM, Report, TopWines, sheet_name, title
from tasks.report.layout import Column, PlacedTable, Table
from tasks.report.past_the_api import set_language

_TITLE_LENGTH = 50
_FONT = {"name": styles.FONT, "size": 9, "color": styles.INK, "bold": False}


@dataclass(frozen=True)
class Series:
    """Bars of one kind.

    Attributes:
        name: The column of the chart's frame; its heading is the name in the legend.
        heading: The heading in English.
        fill: Their colour.
        border: The colour of their outline.
    """

    name: str
    heading: str
    fill: str
    border: str | None = None


@dataclass(frozen=True)
class ChartSpec:
    """A chart.

    Attributes:
        kind: Columns for periods, bars for wines.
        title: What it shows.
        frame: `label`, and one column of amounts in EUR per series, null where a bar is of another series.
        series: The kinds of bars.
        if_empty: The sentence if there are no bars.
    """

    kind: Literal["column", "bar"]
    title: str
    frame: pl.DataFrame
    series: tuple[Series, ...]
    if_empty: str = ""

    def table(self) -> Table:
        """Its table on the hidden sheet."""
        label = Column("label", 60, own_heading=mark("Label"))
        amounts = [Column(one.name, 14, "money", own_heading=one.heading) for one in self.series]
        return Table((label, *amounts), self.frame)

    def description(self, text: Messages) -> str:
        """The chart for screen readers: every bar with its amount."""
        amounts = self.frame.select("label", amount=pl.coalesce(one.name for one in self.series))
        bars = [f"{label}: {text.money(amount)}" for label, amount in amounts.iter_rows()]
        return text.gettext("{title}. {bars}.", title=self.title, bars="; ".join(bars).replace("\n", " "))


def trend(report: Report) -> ChartSpec:
    """What was sold in each of the last periods, by the date on which they end."""
    text, periods = report.messages, report.trend
    days = periods["days"].filter(periods["is_current"])
    # If a period is longer or shorter than this one, each bar shows its days.
    has_days = periods.filter((pl.col("days") - days.first()).abs() > COMPARABLE_DAYS).height > 0
    labels = [
        text.ngettext("{end}\n{count} day", "{end}\n{count} days", length, end=text.short_date(end)) if has_days
        else text.short_date(end)
        for end, length in periods.select("end", "days").iter_rows()
    ]  # fmt: skip
    is_current, is_last_year = pl.col("is_current"), pl.col("is_last_year")
    series = {
        Series("current", mark("This period"), styles.WINE): is_current,
        Series("last_year", mark("Same period last year"), "#FFFFFF", styles.WINE): ~is_current & is_last_year,
        Series("other", mark("Other periods"), styles.SAND): ~is_current & ~is_last_year,
    }
    title = text.gettext("Sold by period, by the date on which it ends")
    none = text.gettext("The trend starts with the next snapshot.")
    amounts = periods.with_columns(pl.Series("label", labels, pl.String))
    return _spec("column", title, amounts if periods.height > 1 else amounts.clear(), series, none)


def best_sellers(report: Report) -> ChartSpec:
    """The wines that sold the most."""
    return _bars(report.best_sellers, report.messages)


def premium_wines(report: Report) -> ChartSpec:
    """The premium wines with the most revenue to date, on their own scale."""
    return _bars(report.best_premium, report.messages)


def _bars(top: TopWines, text: Messages) -> ChartSpec:
    series = {
        Series("ordinary", ORDINARY, styles.SAND): ~pl.col("is_premium"),
        Series("premium", PREMIUM, styles.WINE): pl.col("is_premium"),
    }
    wines = top.wines.with_columns(title(_TITLE_LENGTH, text).alias("label"))
    return _spec("bar", top.heading, wines, series, top.if_empty)


def _spec(
    kind: Literal["column", "bar"], heading: str, rows: pl.DataFrame, series: dict[Series, pl.Expr], if_empty: str
) -> ChartSpec:
    """The chart of `label` and `value`, each row in the series whose condition holds; empty series are left out."""
    amounts = [pl.when(condition).then(pl.col("value")).alias(one.name) for one, condition in series.items()]
    frame = rows.select("label", *amounts)
    return ChartSpec(kind, heading, frame, tuple(one for one in series if frame[one.name].count()), if_empty)


def build_chart(workbook: Workbook, spec: ChartSpec, data: PlacedTable, text: Messages) -> Chart:
    """The chart over its table.

    Args:
        workbook: Makes the chart.
        spec: What it shows.
        data: Where its table is on the hidden sheet.
        text: The language of its texts.
    """
    sheet, last = sheet_name("chart_data", text), data.rows[-1]
    chart = workbook.add_chart({"type": spec.kind})
    set_language(chart, text.tag)
    for index, one in enumerate(spec.series, start=1):
        chart.add_series(
            {
                "name": text.gettext(one.heading),
                "categories": [sheet, data.rows[0], 0, last, 0],
                "values": [sheet, data.rows[0], index, last, index],
                "categories_data": spec.frame["label"].to_list(),
                "values_data": spec.frame[one.name].cast(pl.Float64).to_list(),
                "fill": {"color": one.fill},
                "border": {"color": one.border, "width": 1.25} if one.border else {"none": True},
                "gap": 35,
                "overlap": 100,
                "data_labels": {
                    "value": True,
                    "num_format": text.cell_format("euros"),
                    "position": "outside_end",
                    "font": _FONT,
                },
            }
        )
    _set_axes(chart, spec)
    chart.set_legend({"position": "bottom", "font": _FONT} if len(spec.series) > 1 else {"none": True})
    chart.set_title({"none": True})
    chart.set_chartarea({"border": {"none": True}, "fill": {"none": True}})
    chart.show_hidden_data()
    return chart


def _set_axes(chart: Chart, spec: ChartSpec) -> None:
    """Names on one axis; the other is not shown, since every bar has its amount."""
    quiet = {"visible": False, "major_gridlines": {"visible": False}}
    names = {
        "num_font": _FONT,
        "line": {"color": styles.LINE},
        "major_tick_mark": "none",
        "label_position": "low",
        "interval_unit": 1,
    }
    if spec.kind == "bar":
        # Bars start in the middle: the left half is for the titles.
        chart.set_plotarea(
            {"layout": {"x": 0.64, "y": 0.02, "width": 0.24, "height": 0.86 if len(spec.series) > 1 else 0.96}}
        )
        chart.set_y_axis({**names, "reverse": True})
        chart.set_x_axis({**quiet, "min": 0})
    else:
        chart.set_x_axis(names)
        chart.set_y_axis(quiet)
