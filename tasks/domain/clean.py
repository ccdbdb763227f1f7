"""From cells to keys, money and counts: one function per source.

Every row of the sheet is kept, with its row number. A cleaned row is accepted (`rule` is null) or excluded by its rule.
What is wrong with a cell is in a column next to it; whether that stops the run is decided after the join, when it is
known which products are joined.
"""

import dataframely as dy
import polars as pl

from tasks.domain.cell_values import (
    comparable,
    is_blank,
    read_count,
    read_date,
    read_key,
    read_money,
    read_title,
    trimmed,
)
from tasks.domain.rules import cell_faults, codes, first_rule
from tasks.domain.sources import Source, kind_of

_TRUE = pl.lit(value=True)


class CleanedRow(dy.Schema):
    """One row per row of a sheet: read, and checked by itself and with the other rows of its key.

    A column `<column>__fault` has the rule that the cell breaks.
    """

    row = dy.UInt32(primary_key=True, description="Row as Excel numbers it")
    key = dy.String(nullable=True, min_length=1, description="The row's own key as it is spelled")
    rule = dy.String(nullable=True, description="The rule that excludes the row; null for an accepted row")
    rule_column = dy.String(nullable=True, description="The column that the rule is about")
    has_sales = dy.Bool(description="Whether something is lost without the row: a price, sales, or a named product")
    is_contradicted = dy.Bool(description="Whether another row of the key has other facts")
    other_row = dy.UInt32(nullable=True, description="The first row that this one contradicts")

    @dy.rule()
    def contradicts_another_row(cls) -> pl.Expr:  # noqa: N805 - how dataframely declares a rule
        """A contradicted row has the number of another row."""
        return ~pl.col("is_contradicted") | (pl.col("other_row").is_not_null() & (pl.col("other_row") != pl.col("row")))


def _accepts_one_row_per(*key: str) -> pl.Expr:
    is_accepted = pl.col("rule").is_null()
    return ~is_accepted | (pl.col(key[0]).is_not_null() & (is_accepted.sum().over(key) == 1))


class CleanedErp(CleanedRow):
    """One row per row of the ERP's sheet."""

    product_key = dy.String(nullable=True, min_length=1, description="The key as it is compared")
    is_on_sale = dy.Bool(nullable=True, description="The flag; null where it is neither 0 nor 1")
    price = dy.Decimal(18, 2, nullable=True, description="EUR to the cent")
    product_id__fault = dy.String(nullable=True)
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
    product_id__fault = dy.String(nullable=True)
    id_web__fault = dy.String(nullable=True)

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
    sku__fault = dy.String(nullable=True)
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


def accepted(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The cleaned rows that no rule excludes."""
    return rows.filter(pl.col("rule").is_null())


def clean_erp(raw_erp: pl.LazyFrame) -> pl.LazyFrame:
    """Products of the ERP with their price.

    Args:
        raw_erp: The staged sheet.

    Returns:
        All rows, in order (`CleanedErp`). Of the rows of one key the smallest by content is accepted.
    """
    flag = read_count("onsale_web")
    return (
        raw_erp.with_columns(
            key=read_key("product_id"),
            price_read=read_money("price"),
            has_sales=~is_blank("price"),
            is_on_sale=pl.when(flag.is_between(0, 1)).then(flag == 1),
            stock_read=read_count("stock_quantity"),
            status_read=_word("stock_status"),
        )
        .with_columns(product_key=comparable(pl.col("key")))
        .pipe(_judge_rows, "erp")
        .pipe(_judge_cells, "erp")
        .pipe(
            _accept_one_row_per_key,
            "erp",
            ["product_key"],
            facts=["price_read", "price__fault"],
            content=["price_read", *map(trimmed, ("onsale_web", "stock_quantity", "stock_status")), "key"],
        )
        .with_columns(price="price_read", stock_quantity="stock_read")
        .select(CleanedErp.column_names())
    )


def clean_liaison(raw_liaison: pl.LazyFrame) -> pl.LazyFrame:
    """Links from products of the ERP to products of the shop.

    Args:
        raw_liaison: The staged sheet.

    Returns:
        All rows, in order (`CleanedLiaison`). `web_key` is null for a product without a link. Of the rows of one pair
        of keys one is accepted; a product may still have several links, which are checked after the join.
    """
    return (
        raw_liaison.with_columns(
            key=read_key("product_id"), web_key=comparable(read_key("id_web")), has_sales=pl.lit(value=False)
        )
        .with_columns(product_key=comparable(pl.col("key")))
        .pipe(_judge_rows, "liaison")
        .pipe(_judge_cells, "liaison")
        .pipe(
            _accept_one_row_per_key,
            "liaison",
            ["product_key", "web_key"],
            facts=["product_key"],
            content=["key", trimmed("id_web")],
        )
        .select(CleanedLiaison.column_names())
    )


def clean_web(raw_web: pl.LazyFrame) -> pl.LazyFrame:
    """Products of the shop with their units sold.

    Args:
        raw_web: The staged sheet.

    Returns:
        All rows, in order (`CleanedWeb`). Of the rows of one sku an unpublished one is ignored where another is
        published, and of the others the smallest by content is accepted.
    """
    post_status = _word("post_status")
    is_sold = ~is_blank("total_sales") & (pl.col("sales_read") != 0).fill_null(value=True)
    is_product = pl.col("type_read").eq_missing("product")
    # A product without a type has a title; a note below the table has none.
    is_named = pl.col("type_read").is_null() & pl.col("key").is_not_null() & pl.col("title_read").is_not_null()
    rows = raw_web.with_columns(
        key=read_key("sku"),
        type_read=_word("post_type"),
        sales_read=read_count("total_sales"),
        title_read=read_title("post_title"),
        date_read=read_date("post_date"),
        is_unpublished=(post_status != "publish").fill_null(value=False),
    ).with_columns(web_key=comparable(pl.col("key")), has_sales=is_sold | is_named)
    published = rows.filter(is_product & ~pl.col("is_unpublished")).select("web_key", has_published=_TRUE).unique()
    return (
        rows.join(published, on="web_key", how="left")
        .pipe(_judge_rows, "web")
        .with_columns(is_product=is_product & ~pl.col("is_ignored"))
        .pipe(_judge_cells, "web")
        .pipe(
            _accept_one_row_per_key,
            "web",
            ["web_key"],
            facts=["sales_read", "total_sales__fault"],
            content=["sales_read", *map(trimmed, ("post_title", "post_status", "post_date")), "key"],
        )
        .with_columns(
            detail=pl.when("is_ignored").then(pl.when(is_product).then(post_status).otherwise("type_read")),
            total_sales="sales_read",
            post_title="title_read",
            post_date="date_read",
        )
        .select(CleanedWeb.column_names())
    )


def _word(column: str) -> pl.Expr:
    """A text such as a type or a status, in lower case; null if there is none."""
    is_readable = pl.col(kind_of(column)).is_in(["number", "text"])
    return pl.when(is_readable).then(trimmed(column).str.to_lowercase())


def _judge_rows(rows: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    judged = rows.with_columns(judged=first_rule("row", source)).unnest("judged")
    return judged.with_columns(is_ignored=pl.col("rule").is_in(codes(disposition="ignored")).fill_null(value=False))


def _judge_cells(rows: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    return rows.with_columns(fault.alias(f"{column}__fault") for column, fault in cell_faults(source).items())


def _accept_one_row_per_key(
    rows: pl.LazyFrame, source: Source, key: list[str], *, facts: list[str], content: list[str | pl.Expr]
) -> pl.LazyFrame:
    """Exclude all rows of a key but the first in the order of their content; the order in the sheet does not matter.

    Rows with the same facts are repetitions. Rows with different facts contradict each other: each of them has the
    number of the first row that it contradicts.
    """
    fact, row = pl.struct(facts), pl.col("row")
    several = (
        rows.filter(pl.col("rule").is_null())
        .filter(pl.len().over(key) > 1)  # usually few, and only these are sorted
        .sort(*content, "row", nulls_last=True)
        .with_columns(
            is_later=pl.int_range(pl.len()).over(key) > 0,
            differs=fact.ne_missing(fact.first().over(key)),
            is_same_content=pl.struct(content).eq_missing(pl.struct(content).first().over(key)),
        )
        .with_columns(is_contradicted=pl.col("differs").any().over(key))
        .select(
            "row",
            "is_contradicted",
            other_row=pl.when("differs").then(row.first().over(key)).otherwise(row.filter("differs").first().over(key)),
            choice=first_rule("choice", source),
        )
    )
    choice = pl.col("choice").struct
    return (
        rows.join(several, on="row", how="left")
        .with_columns(
            rule=pl.coalesce("rule", choice.field("rule")),
            rule_column=pl.coalesce("rule_column", choice.field("rule_column")),
            is_contradicted=pl.col("is_contradicted").fill_null(value=False),
        )
        .sort("row")
    )
