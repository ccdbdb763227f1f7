"""The last sheet: what the figures mean, and what they were made from."""

import polars as pl

from tasks.domain.comparisons import COMPARABLE_DAYS
from tasks.domain.inventory import DORMANT_DAYS, PACE_DAYS, REORDER_WEEKS, YEAR_DAYS
from tasks.domain.period import NEAR_DAYS
from tasks.messages import Value, mark
from tasks.report.content import SOURCE_NAMES, Report

# fmt: off
_DEFINITIONS = (
    (mark("Snapshot"), mark(
        "The three workbooks of one export. total_sales is the shop's counter at the export; the month is the "
        "label of the snapshot, not a calendar period.")),
    (mark("Period"), mark(
        "From the export date of the previous snapshot to the export date of this one.")),
    (mark("Sold in the period"), mark(
        "The counter now less the counter in the previous snapshot, for a product in both; the whole counter of a"
        " new product. In euros: times the price in this snapshot, the ERP's list price. Discounts, refunds and "
        "VAT are not in the workbooks.")),
    (mark("New, newly linked"), mark(
        "A product that is not in the previous snapshot is new when it was added to the shop since then. "
        "Otherwise it is newly linked: its counter is history, and what it sold in the period is unknown. Without"
        " post_date in the web workbook it counts as new, unless an earlier snapshot had it: then it is newly "
        "linked.")),
    (mark("Cancellations"), mark(
        "The shop lowers its counter when an order is cancelled, trashed or deleted, not when it is refunded. "
        "They are deducted from what was sold. Unpaid orders on hold count as sold.")),
    (mark("Delisted"), mark(
        "In the previous snapshot and not in this one. What it sold since then is unknown, and its revenue to "
        "date is no longer in the total.")),
    (mark("Total revenue to date"), mark(
        "Counter times price, to the cent: everything that the shop ever sold of the product, at today's price.")),
    (mark("Price effect"), mark(
        "Change of the total revenue by a new price of units sold before. No bottle was sold by it.")),
    (mark("Premium"), mark(
        "The z-score of the price is above {score}: the price is more than {score} standard deviations above the "
        "mean price of all products (population standard deviation).")),
    (mark("Pace, per week"), mark(
        "Bottles sold per week over the last {pace_days} days of snapshots; where nothing was sold in them, over "
        "{year_days}; where the history is shorter, over what there is.")),
    (mark("Weeks of cover, at risk"), mark(
        "Stock divided by pace; 0 without stock. At risk is what a wine with fewer than {weeks} weeks of cover "
        "sells in a week, in euros.")),
    (mark("Dormant"), mark(
        "In stock, and no sale in the last {year_days} days of snapshots, or in all of them where these cover at "
        "least {dormant_days} days.")),
    (mark("Comparisons"), mark(
        "With the previous period, and with the one that ended within {near_days} days of the same date last "
        "year. Where their lengths differ by more than {comparable_days} days, rates per day are compared.")),
    (mark("Product"), mark(
        "A product that is in the ERP, in the link table and in the web shop. Only these are counted.")),
)
# fmt: on


def definitions(report: Report) -> pl.DataFrame:
    """Terms with their meanings, section by section: `term`, `meaning`, `is_section`."""
    text = report.messages
    limits: dict[str, Value] = {
        "score": text.score(report.parameters.premium_threshold),
        "pace_days": PACE_DAYS,
        "year_days": YEAR_DAYS,
        "weeks": REORDER_WEEKS,
        "dormant_days": DORMANT_DAYS,
        "near_days": NEAR_DAYS,
        "comparable_days": COMPARABLE_DAYS,
    }
    sections = {
        mark("Made from these workbooks"): [
            (
                text.gettext(SOURCE_NAMES[book.source]),
                text.gettext(
                    "{file}, {size} bytes, SHA-256 {sha256}",
                    file=book.file,
                    size=book.facts.size,
                    sha256=book.facts.sha256,
                ),
            )
            for book in report.workbooks
        ],
        mark("With these settings"): _settings(report),
        mark("What the figures mean"): [
            (text.gettext(term), text.gettext(meaning, **limits)) for term, meaning in _DEFINITIONS
        ],
    }
    rows = [
        row
        for title, lines in sections.items()
        for row in [(text.gettext(title), None, True), *((*line, False) for line in lines)]
    ]
    return pl.DataFrame(rows, schema={"term": pl.String, "meaning": pl.String, "is_section": pl.Boolean}, orient="row")


def _settings(report: Report) -> list[tuple[str, str]]:
    text, parameters, period = report.messages, report.parameters, report.summary.period
    first = text.gettext("None: this is the first snapshot.")
    return [
        (text.gettext("Month (label of the snapshot)"), parameters.month),
        (text.gettext("Export date"), text.long_date(parameters.export_date)),
        (text.gettext("Previous snapshot"), text.long_date(period.sold.start) if period else first),
        (text.gettext("Premium threshold (z-score)"), text.score(parameters.premium_threshold)),
        (text.gettext("Language"), parameters.language),
    ]
