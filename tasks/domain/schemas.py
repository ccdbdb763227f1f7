"""Every frame's contract: the one place where a column is defined.

A sheet schema lists the columns read from one source, as people typed them. A result schema states what the rows
handed from stage to stage mean, with type, key, range and unit. Casting, validation, the order of the columns in the
CSV files and the headings of the workbook are all read from here.
"""

from typing import Any, Literal, get_args

import dataframely as dy
import polars as pl

Source = Literal["erp", "liaison", "web"]
SOURCES: tuple[Source, ...] = get_args(Source)

MONEY = pl.Decimal(18, 2)
"""A price in EUR, rounded half up to cents."""

REVENUE = pl.Decimal(38, 2)
"""A product of price and units, or a sum of them, in EUR."""

EXCEL_LIMIT = 10**13
"""Amounts from here on do not fit Excel's fifteen digits with two of them behind the point."""


def kind_of(column: str) -> str:
    """The staged column that holds the kinds of `column`'s cells."""
    return f"{column}__kind"


def _source_column(description: str, *, required: bool = False) -> dy.String:
    return dy.String(nullable=True, metadata={"required": required}, description=description)


class ErpSheet(dy.Schema):
    """One row per product in the ERP."""

    product_id = _source_column("The ERP's key of the product", required=True)
    onsale_web = _source_column("1 when the product is sold online, else 0")
    price = _source_column("Selling price of one bottle, EUR", required=True)
    stock_quantity = _source_column("Bottles in stock")
    stock_status = _source_column("instock or outofstock")


class LiaisonSheet(dy.Schema):
    """One row per product of the ERP, with its key in the web shop."""

    product_id = _source_column("The ERP's key of the product", required=True)
    id_web = _source_column("The web shop's sku of the same product; empty when it is not sold online", required=True)


class WebSheet(dy.Schema):
    """One row per post of the web shop: products, their pictures, and padding."""

    sku = _source_column("The shop's key of the product", required=True)
    post_type = _source_column("product, attachment, …; only product counts", required=True)
    post_title = _source_column("Name of the wine as the shop shows it", required=True)
    total_sales = _source_column("Units sold so far: the shop's own running counter", required=True)
    post_status = _source_column("publish, draft, trash, …")
    post_date = _source_column("When the post was first published")


SHEETS: dict[Source, type[dy.Schema]] = {"erp": ErpSheet, "liaison": LiaisonSheet, "web": WebSheet}


def required_columns(source: Source) -> list[str]:
    """The columns without which a sheet is not the sheet of `source`."""
    return [name for name, column in SHEETS[source].columns().items() if (column.metadata or {})["required"]]


class CleanedRow(dy.Schema):
    """One row per row of a sheet: read, judged by itself and among the rows of its key."""

    row = dy.UInt32(primary_key=True, description="Row as Excel numbers it")
    key = dy.String(nullable=True, min_length=1, description="The row's own key as it is spelled")
    rule = dy.String(nullable=True, description="The rule that excludes the row; null for an accepted row")
    rule_column = dy.String(nullable=True, description="The column that the rule is about")
    has_sales = dy.Bool(description="Whether something is lost without the row: a price, sales, or a named product")
    is_contradicted = dy.Bool(description="Whether another row of the key has other facts")
    other_row = dy.UInt32(nullable=True, description="The first row that this one contradicts")

    @dy.rule()
    def contradicts_another_row(cls) -> pl.Expr:  # noqa: N805 - how dataframely declares a rule
        """A contradiction names another row."""
        return ~pl.col("is_contradicted") | (pl.col("other_row").is_not_null() & (pl.col("other_row") != pl.col("row")))


def _accepts_one_row_per(*key: str) -> pl.Expr:
    is_accepted = pl.col("rule").is_null()
    return ~is_accepted | (pl.col(key[0]).is_not_null() & (is_accepted.sum().over(key) == 1))


class CleanedErp(CleanedRow):
    """One row per row of the ERP's sheet."""

    product_key = dy.String(nullable=True, min_length=1, description="The key as it is compared")
    is_on_sale = dy.Bool(nullable=True, description="The flag; null where it is neither 0 nor 1")
    price = dy.Decimal(18, 2, nullable=True, description="EUR to the cent")
    price__fault = dy.String(nullable=True)
    onsale_web__fault = dy.String(nullable=True)
    stock_quantity = dy.Int64(nullable=True, description="The count, also below 0; null where it is no whole number")
    stock_quantity__fault = dy.String(nullable=True)
    stock_status__fault = dy.String(nullable=True)

    @dy.rule()
    def accepts_one_row_per_key(cls) -> pl.Expr:  # noqa: N805
        """Every accepted row has a key that no other accepted row has."""
        return _accepts_one_row_per("product_key")

    @dy.rule()
    def price_is_above_0_or_at_fault(cls) -> pl.Expr:  # noqa: N805
        """A row with a key has a price or a fault of its price, and never both."""
        is_price = (pl.col("price") > 0).fill_null(value=False)
        return pl.col("key").is_null() | (is_price == pl.col("price__fault").is_null())


class CleanedLiaison(CleanedRow):
    """One row per row of the liaison's sheet."""

    product_key = dy.String(nullable=True, min_length=1, description="The key of the ERP as it is compared")
    web_key = dy.String(nullable=True, min_length=1, description="The key of the shop as it is compared")

    @dy.rule()
    def accepts_one_row_per_pair(cls) -> pl.Expr:  # noqa: N805
        """Every accepted row has a product, and a pair of keys that no other accepted row has."""
        return _accepts_one_row_per("product_key", "web_key")


class CleanedWeb(CleanedRow):
    """One row per row of the shop's sheet."""

    web_key = dy.String(nullable=True, min_length=1, description="The key as it is compared")
    is_product = dy.Bool(description="Whether the row is a product that is not ignored")
    detail = dy.String(nullable=True, description="The type or status of a row ignored for it")
    post_title = dy.String(nullable=True, description="Decoded")
    post_date = dy.Date(nullable=True, description="Null where the cell is no date")
    total_sales = dy.Int64(nullable=True, description="The shop's counter; null where it is no whole number")
    total_sales__fault = dy.String(nullable=True)
    post_status__fault = dy.String(nullable=True)
    post_date__fault = dy.String(nullable=True)

    @dy.rule()
    def accepts_one_row_per_key(cls) -> pl.Expr:  # noqa: N805
        """Every accepted row is a product with a key that no other accepted row has."""
        return _accepts_one_row_per("web_key") & (pl.col("rule").is_not_null() | pl.col("is_product"))

    @dy.rule()
    def counter_is_from_0_or_at_fault(cls) -> pl.Expr:  # noqa: N805
        """A product has units or a fault of its counter, and never both."""
        is_count = (pl.col("total_sales") >= 0).fill_null(value=False)
        return ~pl.col("is_product") | (is_count == pl.col("total_sales__fault").is_null())


CLEANED: dict[Source, type[CleanedRow]] = {"erp": CleanedErp, "liaison": CleanedLiaison, "web": CleanedWeb}


def _shown(heading: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - metadata is free-form
    return {"heading": heading, **more}


class WineSales(dy.Schema):
    """One row per product that is in the ERP, linked, and a product of the web shop."""

    product_id = dy.String(
        primary_key=True,
        min_length=1,
        metadata=_shown("Product"),
        description="Key in the ERP, as the ERP spells it",
    )
    sku = dy.String(min_length=1, unique=True, metadata=_shown("SKU"), description="Key in the web shop")
    post_title = dy.String(
        nullable=True,
        metadata=_shown("Wine", null="where the shop has no title"),
        description="Title in the web shop, decoded",
    )
    post_date = dy.Date(
        nullable=True,
        metadata=_shown("Added on", null="where the shop's workbook has no date"),
        description="The day the product was added to the web shop",
    )
    total_sales = dy.Int64(
        min=0,
        metadata=_shown("Sold to date", unit="bottles"),
        description="The shop's counter at the time of its export",
    )
    price = dy.Decimal(
        18,
        2,
        min_exclusive=0,
        metadata=_shown("Price (€)", unit="EUR"),
        description="Price in the ERP, half up to cents",
    )
    stock_quantity = dy.Int64(
        nullable=True,
        metadata=_shown("In stock", unit="bottles", null="where the ERP gives no count"),
        description="Bottles in stock by the ERP; below 0 where more was sold than was there",
    )


class JoinedWine(WineSales):
    """One row per live link, before errors stop the run: the ERP product, its link and its web product.

    A product with two live links, or a sku with two products, has a row for each; its price or units may be at fault.
    """

    product_id = dy.String(min_length=1)
    sku = dy.String(min_length=1)
    total_sales = dy.Int64(nullable=True)
    price = dy.Decimal(18, 2, nullable=True)
    product_key = dy.String(primary_key=True)
    web_key = dy.String(primary_key=True)
    erp_row = dy.UInt32()
    liaison_row = dy.UInt32(unique=True)
    web_row = dy.UInt32()


class WineRevenue(WineSales):
    """One row per joined product, with its revenue; revenue descending, then product_id by code point."""

    revenue = dy.Decimal(
        38,
        2,
        min=0,
        metadata=_shown("Total revenue to date (€)", unit="EUR"),
        description="price x total_sales, exact",
    )


class Wine(WineRevenue):
    """One row per joined product, classified by the z-score of its price."""

    z_score = dy.Float64(
        metadata=_shown("z-score"), description="Population z-score of the price among all joined products"
    )
    is_premium = dy.Bool(metadata=_shown("Premium"), description="z_score is above the premium threshold")


WINE_FILE_COLUMNS = ["product_id", "sku", "post_title", "total_sales", "price", "revenue", "z_score"]
"""Columns of the wine CSV files, in order: the file's own name says which class it holds."""


PRODUCT_STATUSES = pl.Enum(["continuing", "new", "newly_linked"])
"""How a product relates to the previous snapshot.

`continuing` is in both snapshots. `new` was added to the shop since then, so its whole counter was sold in the period.
`newly_linked` is older than that, so its counter is history and its units of the period are unknown.
"""


def _source_row(source: Source) -> dy.UInt32:
    return dy.UInt32(
        nullable=True,
        metadata=_shown(f"Row in {source}", null="where it was not recorded"),
        description=f"The product's row in the {source} workbook, as Excel numbers it",
    )


class SnapshotFacts(dy.Schema):
    """The base facts of one snapshot: one row per joined product; revenue descending, then product_id by code point.

    These are the columns that later snapshots are compared with.
    """

    month = dy.String(
        regex=r"^[0-9]{4}-[0-9]{2}$", metadata=_shown("Month"), description="The label of the snapshot, YYYY-MM"
    )
    export_date = dy.Date(metadata=_shown("Exported on"), description="The day the three workbooks were exported")
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
    revenue = dy.Decimal(
        18, 2, min=0, metadata=_shown("Total revenue to date (€)", unit="EUR"), description="price x total_sales, exact"
    )
    z_score = Wine.z_score
    is_premium = Wine.is_premium


class Snapshot(SnapshotFacts):
    """The published table of one snapshot: its base facts, and what was sold in the period.

    The columns of the period are there for convenience. No later run reads them, since they follow from the counters of
    the earlier snapshots.
    """

    period_days = dy.Int32(
        nullable=True,
        min=1,
        metadata=_shown("Days", unit="days", null="in a first snapshot"),
        description="Days since the previous snapshot's export date",
    )
    status = dy.Enum(
        PRODUCT_STATUSES.categories,
        nullable=True,
        metadata=_shown("Status", null="in a first snapshot"),
        description="continuing, new or newly_linked",
    )
    sold_units = dy.Int64(
        nullable=True,
        metadata=_shown("Sold", unit="bottles", null="in a first snapshot, and for a newly linked product"),
        description="Units sold in the period; below 0 where orders were cancelled",
    )
    sold_value = dy.Decimal(
        18,
        2,
        nullable=True,
        metadata=_shown("Sold (€)", unit="EUR", null="in a first snapshot, and for a newly linked product"),
        description="sold_units x price",
    )


class PeriodWine(Wine):
    """One row per joined product with what happened to it in the period; rows in the order of `WineRevenue`.

    In a first snapshot there is no period: every column that needs an earlier snapshot is empty.
    """

    post_date = Snapshot.post_date
    rank = dy.Int64(min=1, metadata=_shown("Rank"), description="Rank by total revenue to date, from 1")
    revenue_share = dy.Float64(
        nullable=True,
        min=0,
        max=1,
        metadata=_shown("Share of revenue", null="where no product has revenue"),
        description="revenue / the revenue of all products",
    )
    period_days = Snapshot.period_days
    status = Snapshot.status
    sold_units = Snapshot.sold_units
    sold_value = dy.Decimal(
        38, 2, nullable=True, metadata=Snapshot.sold_value.metadata, description="sold_units x price"
    )
    price_before = dy.Decimal(
        18,
        2,
        nullable=True,
        metadata=_shown("Price before (€)", unit="EUR", null="without a row in the previous snapshot"),
        description="Price in the previous snapshot",
    )
    total_sales_before = dy.Int64(
        nullable=True,
        min=0,
        metadata=_shown("Units before", unit="bottles", null="without a row in the previous snapshot"),
        description="The shop's counter in the previous snapshot",
    )
    revenue_before = dy.Decimal(
        38,
        2,
        nullable=True,
        metadata=_shown("Total revenue before (€)", unit="EUR", null="without a row in the previous snapshot"),
        description="Total revenue to date in the previous snapshot",
    )
    was_premium = dy.Bool(
        nullable=True,
        metadata=_shown("Was premium", null="without a row in the previous snapshot"),
        description="Class in the previous snapshot",
    )
    price_effect = dy.Decimal(
        38,
        2,
        nullable=True,
        metadata=_shown("Price effect (€)", unit="EUR", null="without a row in the previous snapshot"),
        description="(price - price_before) x total_sales_before: change of the total revenue without a sale",
    )
    pace = dy.Float64(
        nullable=True,
        min=0,
        metadata=_shown("Per week", unit="bottles per week", null="where no units of any period are known"),
        description="Units per week over the last 90 days, or over 365 where nothing was sold in those",
    )
    pace_days = dy.Int64(
        nullable=True,
        min=1,
        metadata=_shown("Pace over", unit="days", null="where no units of any period are known"),
        description="The days that the pace is computed over",
    )
    weeks_of_cover = dy.Float64(
        nullable=True,
        min=0,
        metadata=_shown("Weeks of cover", unit="weeks", null="without sales, or without a count of stock"),
        description="stock_quantity / pace; 0 without stock",
    )
    at_risk = dy.Decimal(
        38,
        2,
        nullable=True,
        min=0,
        metadata=_shown("At risk (€ per week)", unit="EUR per week", null="with 8 weeks of cover or more, or none"),
        description="pace x price of a wine with fewer than 8 weeks of cover",
    )
    stock_value = dy.Decimal(
        38,
        2,
        nullable=True,
        min=0,
        metadata=_shown("Stock at selling price (€)", unit="EUR", null="where the ERP gives no count"),
        description="stock_quantity x price; 0 without stock",
    )
    is_dormant = dy.Bool(
        nullable=True,
        metadata=_shown("Dormant", null="where fewer than 90 days of sales are known, or no count of stock"),
        description="In stock, and no sale in the last 365 days of snapshots",
    )


class DelistedWine(dy.Schema):
    """One row per product of the previous snapshot that is not in this one, with its values then; by revenue then."""

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

    start = dy.Date(metadata=_shown("From"), description="Export date of the snapshot before")
    end = dy.Date(primary_key=True, metadata=_shown("To"), description="Export date of the snapshot that ends it")
    days = dy.Int32(min=1, metadata=_shown("Days", unit="days"), description="Days from start to end")
    units = dy.Int64(metadata=_shown("Bottles", unit="bottles"), description="Units sold, cancellations deducted")
    value = dy.Decimal(38, 2, metadata=_shown("Sold (€)", unit="EUR"), description="Those units at the prices at end")
    premium_units = dy.Int64(metadata=_shown("Premium bottles", unit="bottles"), description="Of these, premium wines")
    premium_value = dy.Decimal(38, 2, metadata=_shown("Premium (€)", unit="EUR"), description="Of these, premium wines")
    is_current = dy.Bool(metadata=_shown("This period"), description="The period that ends with this snapshot")
    is_last_year = dy.Bool(
        metadata=_shown("Last year"), description="The period that ends within 10 days of the same date last year"
    )


class DataIssue(dy.Schema):
    """One row per rejected row and per issue, with the address that a person can open."""

    file = dy.String(metadata=_shown("File"), description="Name of the workbook")
    sheet = dy.String(nullable=True, metadata=_shown("Sheet"), description="Name of the sheet")
    row = dy.UInt32(nullable=True, metadata=_shown("Row"), description="Row as Excel numbers it")
    cell = dy.String(nullable=True, metadata=_shown("Cell"), description="Address as Excel shows it")
    column = dy.String(nullable=True, metadata=_shown("Column"), description="Name of the column")
    value = dy.String(nullable=True, metadata=_shown("Value"), description="Content of the cell, shortened")
    rule = dy.String(metadata=_shown("Rule"), description="Code of the rule in the catalogue of issues")
    severity = dy.Enum(["error", "warning", "info"], metadata=_shown("Severity"))
    disposition = dy.Enum(
        ["used", "ignored", "rejected"],
        nullable=True,
        metadata=_shown("Outcome"),
        description="What became of the row",
    )
    key = dy.String(nullable=True, metadata=_shown("Key"), description="Key of the row, where it has one")
    other = dy.String(
        nullable=True, metadata=_shown("Other cell"), description="Address and value of the cell that it contradicts"
    )
    remedy = dy.String(metadata=_shown("What to do"))


def headings(schema: type[dy.Schema]) -> dict[str, str]:
    """Column name to the heading that people read."""
    return {name: (column.metadata or {})["heading"] for name, column in schema.columns().items()}


DISPOSITIONS = pl.Enum(["used", "ignored", "rejected"])
"""What becomes of an input row; read = used + ignored + rejected, for every workbook."""


class LedgerRow(dy.Schema):
    """One row per data row of the three sheets: what became of it, and why."""

    source = dy.Enum(SOURCES, primary_key=True)
    row = dy.UInt32(primary_key=True, description="Row as Excel numbers it")
    disposition = dy.Enum(DISPOSITIONS.categories)
    rule = dy.String(nullable=True, description="Code in the catalogue of issues; empty for a used row")
    column = dy.String(nullable=True, description="The column that decided it; empty for a used row")
    detail = dy.String(nullable=True, description="The post type or status of a row ignored for it")
    key = dy.String(nullable=True, description="Key of the row, where it has one")
    units = dy.Int64(nullable=True, description="Units that a rejected row of the web shop carries")


class RowCount(dy.Schema):
    """One row per source, disposition, reason and detail."""

    source = dy.Enum(SOURCES)
    disposition = dy.Enum(DISPOSITIONS.categories)
    rule = dy.String(nullable=True)
    detail = dy.String(nullable=True)
    rows = dy.Int64(min=1, description="Number of rows")
    units = dy.Int64(nullable=True, description="Units that these rejected rows carry")
