"""The columns of products and periods: the one place where a column that is published or shown is defined.

A schema states what the rows of a stage mean, with type, key, range and unit of each column. Validation, the tables and
CSV files, the headings of the workbook and data/dictionary.md are read from here. The contracts of earlier stages are
next to their functions: `clean`, `join`, `ledger` and `issues`.
"""

from typing import Any

import dataframely as dy
import polars as pl

from tasks.domain.sources import Source

PRODUCT_STATUSES = pl.Enum(["continuing", "new", "newly_linked"])
"""How a product relates to the previous snapshot.

`continuing` is in both snapshots. `new` was added to the shop since then, so its whole counter was sold in the period.
`newly_linked` is older than that, so its counter is history and its units of the period are unknown.
"""

_FIRST = "in a first snapshot"
_UNKNOWN_PERIOD = "in a first snapshot, and for a newly linked product"
_NOT_BEFORE = "without a row in the previous snapshot"
_NO_UNITS = "where no units of any period are known"


def about(heading: str, meaning: str | None = None, unit: str | None = None, empty: str | None = None) -> Any:  # noqa: ANN401 - keywords of any column
    """How a column is described: heading, meaning, unit, and when it is empty (never, without `empty`)."""
    facts = {"heading": heading, "unit": unit, "null": empty}
    known = {name: fact for name, fact in facts.items() if fact is not None}
    return {"description": meaning, "metadata": known, "nullable": empty is not None}


def headings(schema: type[dy.Schema]) -> dict[str, str]:
    """Column name to the heading that people read."""
    return {name: (column.metadata or {})["heading"] for name, column in schema.columns().items()}


class WineSales(dy.Schema):
    """One row per product that is in the ERP, linked, and a product of the web shop."""

    product_id = dy.String(primary_key=True, min_length=1, **about("Product", "Key in the ERP, as the ERP spells it"))
    sku = dy.String(min_length=1, unique=True, **about("SKU", "Key in the web shop"))
    post_title = dy.String(**about("Wine", "Title in the web shop, decoded", empty="where the shop has no title"))
    post_date = dy.Date(
        **about(
            "Added on", "The day the product was added to the web shop", empty="where the shop's workbook has no date"
        )
    )
    total_sales = dy.Int64(min=0, **about("Sold to date", "The shop's counter at the time of its export", "bottles"))
    price = dy.Decimal(18, 2, min_exclusive=0, **about("Price (€)", "Price in the ERP, half up to cents", "EUR"))
    stock_quantity = dy.Int64(
        **about(
            "In stock",
            "Bottles in stock by the ERP; below 0 where more was sold than was there",
            "bottles",
            "where the ERP gives no count",
        )
    )


_REVENUE = about("Total revenue to date (€)", "price x total_sales, exact", "EUR")


class WineRevenue(WineSales):
    """One row per joined product, with its revenue; revenue descending, then product_id by code point."""

    revenue = dy.Decimal(38, 2, min=0, **_REVENUE)


class Wine(WineRevenue):
    """One row per joined product, classified by the z-score of its price."""

    z_score = dy.Float64(**about("z-score", "Population z-score of the price among all joined products"))
    is_premium = dy.Bool(**about("Premium", "z_score is above the premium threshold"))


def _source_row(source: Source) -> dy.UInt32:
    meaning = f"The product's row in the {source} workbook, as Excel numbers it"
    return dy.UInt32(**about(f"Row in {source}", meaning, empty="where it was not recorded"))


class SnapshotFacts(dy.Schema):
    """The base facts of one snapshot: one row per joined product; revenue descending, then product_id by code point.

    These are the columns that later snapshots are compared with.
    """

    month = dy.String(regex=r"^[0-9]{4}-[0-9]{2}$", **about("Month", "The label of the snapshot, YYYY-MM"))
    export_date = dy.Date(**about("Exported on", "The day the three workbooks were exported"))
    product_id = Wine.product_id
    sku = Wine.sku
    erp_row = _source_row("erp")
    liaison_row = _source_row("liaison")
    web_row = _source_row("web")
    post_title = Wine.post_title
    post_date = Wine.post_date
    total_sales = Wine.total_sales
    price = Wine.price
    stock_quantity = Wine.stock_quantity
    revenue = dy.Decimal(18, 2, min=0, **_REVENUE)
    z_score = Wine.z_score
    is_premium = Wine.is_premium


_SOLD_VALUE = about("Sold (€)", "sold_units x price", "EUR", _UNKNOWN_PERIOD)


class Snapshot(SnapshotFacts):
    """The published table of one snapshot: its base facts, and what was sold in the period.

    The columns of the period are there for convenience. No later run reads them, since they follow from the counters of
    the earlier snapshots.
    """

    period_days = dy.Int32(min=1, **about("Days", "Days since the previous snapshot's export date", "days", _FIRST))
    status = dy.Enum(PRODUCT_STATUSES.categories, **about("Status", "continuing, new or newly_linked", empty=_FIRST))
    sold_units = dy.Int64(
        **about("Sold", "Units sold in the period; below 0 where orders were cancelled", "bottles", _UNKNOWN_PERIOD)
    )
    sold_value = dy.Decimal(18, 2, **_SOLD_VALUE)


class PeriodWine(Wine):
    """One row per joined product with what happened to it in the period; rows in the order of `WineRevenue`.

    In a first snapshot there is no period: every column that needs an earlier snapshot is empty.
    """

    post_date = Snapshot.post_date
    rank = dy.Int64(min=1, **about("Rank", "Rank by total revenue to date, from 1"))
    revenue_share = dy.Float64(
        min=0,
        max=1,
        **about("Share of revenue", "revenue / the revenue of all products", empty="where no product has revenue"),
    )
    period_days = Snapshot.period_days
    status = Snapshot.status
    sold_units = Snapshot.sold_units
    sold_value = dy.Decimal(38, 2, **_SOLD_VALUE)
    price_before = dy.Decimal(18, 2, **about("Price before (€)", "Price in the previous snapshot", "EUR", _NOT_BEFORE))
    total_sales_before = dy.Int64(
        min=0, **about("Units before", "The shop's counter in the previous snapshot", "bottles", _NOT_BEFORE)
    )
    revenue_before = dy.Decimal(
        38, 2, **about("Total revenue before (€)", "Total revenue to date in the previous snapshot", "EUR", _NOT_BEFORE)
    )
    was_premium = dy.Bool(**about("Was premium", "Class in the previous snapshot", empty=_NOT_BEFORE))
    price_effect = dy.Decimal(
        38,
        2,
        **about(
            "Price effect (€)",
            "(price - price_before) x total_sales_before: change of the total revenue without a sale",
            "EUR",
            _NOT_BEFORE,
        ),
    )
    pace = dy.Float64(
        min=0,
        **about(
            "Per week",
            "Units per week over the last 90 days, or over 365 where nothing was sold in those",
            "bottles per week",
            _NO_UNITS,
        ),
    )
    pace_days = dy.Int64(min=1, **about("Pace over", "The days that the pace is computed over", "days", _NO_UNITS))
    weeks_of_cover = dy.Float64(
        min=0,
        **about(
            "Weeks of cover",
            "stock_quantity / pace; 0 without stock",
            "weeks",
            "without sales, or without a count of stock",
        ),
    )
    at_risk = dy.Decimal(
        38,
        2,
        min=0,
        **about(
            "At risk (€ per week)",
            "pace x price of a wine with fewer than 8 weeks of cover",
            "EUR per week",
            "with 8 weeks of cover or more, or none",
        ),
    )
    stock_value = dy.Decimal(
        38,
        2,
        min=0,
        **about(
            "Stock at selling price (€)",
            "stock_quantity x price; 0 without stock",
            "EUR",
            "where the ERP gives no count",
        ),
    )
    is_dormant = dy.Bool(
        **about(
            "Dormant",
            "In stock, and no sale in the last 365 days of snapshots",
            empty="where fewer than 90 days of sales are known, or no count of stock",
        )
    )


class DelistedWine(dy.Schema):
    """One row per product of the previous snapshot that is not in this one, with its earlier values, by revenue."""

    product_id = Wine.product_id
    sku = Wine.sku
    post_title = Wine.post_title
    total_sales = Wine.total_sales
    price = Wine.price
    revenue = Wine.revenue
    is_premium = Wine.is_premium
    stock_quantity = Wine.stock_quantity


class PeriodTotal(dy.Schema):
    """One row per period between two successive snapshots, oldest first; price and class are those at its end."""

    start = dy.Date(**about("From", "Export date of the snapshot before"))
    end = dy.Date(primary_key=True, **about("To", "Export date of the snapshot that ends it"))
    days = dy.Int32(min=1, **about("Days", "Days from start to end", "days"))
    units = dy.Int64(**about("Bottles", "Units sold, cancellations deducted", "bottles"))
    value = dy.Decimal(38, 2, **about("Sold (€)", "Those units at the prices at end", "EUR"))
    premium_units = dy.Int64(**about("Premium bottles", "Of these, premium wines", "bottles"))
    premium_value = dy.Decimal(38, 2, **about("Premium (€)", "Of these, premium wines", "EUR"))
    is_current = dy.Bool(**about("This period", "The period that ends with this snapshot"))
    is_last_year = dy.Bool(**about("Last year", "The period that ends within 10 days of the same date last year"))
