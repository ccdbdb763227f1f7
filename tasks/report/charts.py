"""The native charts: what they show is declared here, their numbers are a table of the hidden sheet."""

from dataclasses import dataclass
from typing import Literal

import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.chart import Chart

from tasks.domain.comparisons import COMPARABLE_DAYS
from tasks.domain.period import BEST_SELLERS, list_best_sellers
from tasks.messages import Messages, mark
from tasks.report import styles
from tasks.report.content import ORDINARY, PREMIUM, Report, sheet_name, title
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
        kind: Columns for times, bars for names.
        title: What it shows.
        frame: `label`, and one column of amounts in EUR per series, null where a bar is of another series.
        series: The kinds of bars.
        if_empty: The sentence in place of no bars.
    """

    kind: Literal["column", "bar"]
    title: str
    frame: pl.DataFrame
    series: tuple[Series, ...]
    if_empty: str = ""

    def table(self) -> Table:
        """Its numbers as a table of the hidden sheet."""
        label = Column("label", 60, own_heading=mark("Label"))
        amounts = [Column(one.name, 14, "money", own_heading=one.heading) for one in self.series]
        return Table((label, *amounts), self.frame)

    def description(self, text: Messages) -> str:
        """The chart for readers who do not see it: every bar with its amount."""
        amounts = self.frame.select("label", amount=pl.coalesce(one.name for one in self.series))
        bars = [f"{label}: {text.money(amount)}" for label, amount in amounts.iter_rows()]
        return text.gettext(mark("{title}. {bars}."), title=self.title, bars="; ".join(bars).replace("\n", " "))


def trend(report: Report) -> ChartSpec:
    """What was sold in each of the last periods, by the date on which they end."""
    text = report.messages
    periods = report.trend
    days = report.summary.period.sold.days if report.summary.period else 0
    value = pl.col("value")
    labels = [
        # The days of a period that is longer or shorter than this one.
        text.short_date(end) if abs(length - days) <= COMPARABLE_DAYS
        else text.ngettext("{end}\n{count} day", "{end}\n{count} days", length, end=text.short_date(end))
        for end, length in periods.select("end", "days").iter_rows()
    ]  # fmt: skip
    frame = periods.select(
        pl.Series("label", labels, pl.String),
        pl.when("is_current").then(value).alias("current"),
        pl.when(pl.col("is_last_year") & ~pl.col("is_current")).then(value).alias("last_year"),
        pl.when(~pl.col("is_last_year") & ~pl.col("is_current")).then(value).alias("other"),
    )
    series = (
        Series("current", mark("This period"), styles.WINE),
        Series("last_year", mark("Same period last year"), "#FFFFFF", styles.WINE),
        Series("other", mark("Other periods"), styles.SAND),
    )
    shown = tuple(one for one in series if frame[one.name].count())
    return ChartSpec("column", text.gettext(mark("Sold by period, by the date on which it ends")), frame, shown)


def best_sellers(report: Report) -> ChartSpec:
    """The wines that sold the most in the period; to date where there is no earlier snapshot."""
    text = report.messages
    if report.summary.period is None:
        return _bars(report, report.wines, "revenue", text.gettext(mark("Wines with the most revenue to date")))
    sold = list_best_sellers(report.wines.lazy()).collect()
    return _bars(report, sold, "sold_value", text.gettext(mark("Best sellers of the period")))


def premium_wines(report: Report) -> ChartSpec:
    """The premium wines with the most revenue to date, on their own scale."""
    premium = report.wines.filter("is_premium")
    return _bars(
        report, premium, "revenue", report.messages.gettext(mark("Premium wines with the most revenue to date"))
    )


def _bars(report: Report, wines: pl.DataFrame, amount: str, name: str) -> ChartSpec:
    value = pl.col(amount)
    bars = wines.filter(value > 0).head(BEST_SELLERS)
    frame = bars.select(
        title(_TITLE_LENGTH, report.messages).alias("label"),
        pl.when(~pl.col("is_premium")).then(value).alias("ordinary"),
        pl.when("is_premium").then(value).alias("premium"),
    )
    series = (Series("ordinary", ORDINARY, styles.SAND), Series("premium", PREMIUM, styles.WINE))
    shown = tuple(one for one in series if frame[one.name].count())
    return ChartSpec("bar", name, frame, shown, report.messages.gettext(mark("No sale to show.")))


def build_chart(workbook: Workbook, spec: ChartSpec, data: PlacedTable, text: Messages) -> Chart:
    """The chart over its table.

    Args:
        workbook: Makes the chart.
        spec: What it shows.
        data: Where its table is on the hidden sheet.
        text: The language of its texts.
    """
    sheet, last = sheet_name("chart_data", text), data.first_row + spec.frame.height - 1
    chart = workbook.add_chart({"type": spec.kind})
    set_language(chart, text.tag)
    for index, one in enumerate(spec.series, start=1):
        chart.add_series(
            {
                "name": text.gettext(one.heading),
                "categories": [sheet, data.first_row, 0, last, 0],
                "values": [sheet, data.first_row, index, last, index],
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
    quiet = {"visible": False, "major_gridlines": {"visible": False}}
    names = {
        "num_font": _FONT,
        "line": {"color": styles.LINE},
        "major_tick_mark": "none",
        "label_position": "low",
        "interval_unit": 1,
    }
    if spec.kind == "bar":
        # Bars start half way: the other half is for the titles, in full.
        chart.set_plotarea(
            {"layout": {"x": 0.64, "y": 0.02, "width": 0.24, "height": 0.86 if len(spec.series) > 1 else 0.96}}
        )
        chart.set_y_axis({**names, "reverse": True})
        chart.set_x_axis({**quiet, "min": 0})
    else:
        chart.set_x_axis(names)
        chart.set_y_axis(quiet)
    chart.set_legend({"position": "bottom", "font": _FONT} if len(spec.series) > 1 else {"none": True})
    chart.set_title({"none": True})
    chart.set_chartarea({"border": {"none": True}, "fill": {"none": True}})
    chart.show_hidden_data()
    return chart
