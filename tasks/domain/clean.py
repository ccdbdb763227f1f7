"""From cells to keys, money and counts: one function per source.

Every row of the sheet stays, with its row number. A cleaned row either stands for its product (`rule` is null) or says
why it does not (`rule`, a code of the catalogue, and `rule_column`). What is wrong with a cell stands beside it;
whether that stops the run is decided after the join, when it is known which products take part.

Common columns of the three results:

- `row`: as Excel numbers it; `key`: the row's own key as it is spelled; `product_key`, `web_key`: keys as compared;
- `rule`, `rule_column`: why the row does not stand for its product;
- `<column>__fault`, `<column>__contradiction`: codes of what is wrong with the cell;
- `is_carrying`: the row has a price or sales, or is a named product, which is lost where its key or type is missing;
- `other_row`: the row that a contradicting one contradicts; `detail`: the type or status of a row ignored for it.
"""

import polars as pl

from tasks.domain.cells import (
    comparable,
    count_fault,
    is_blank,
    is_unreadable_key,
    price_fault,
    read_count,
    read_date,
    read_key,
    read_money,
    read_title,
    trimmed,
)
from tasks.domain.schemas import kind_of

_NO_ROW = pl.lit(None, pl.UInt32)


def clean_erp(raw_erp: pl.LazyFrame) -> pl.LazyFrame:
    """Products of the ERP with their price.

    Args:
        raw_erp: The staged sheet, see `ErpSheet`.

    Returns:
        All rows, in order. `price` is EUR to the cent, null where `price__fault` says why; `is_on_sale` is null where
        the flag is neither 0 nor 1, `stock_quantity` where it is no count. Of the rows of one key the smallest by
        content stands for the product.
    """
    flag, fault = pl.col("flag"), pl.col("stock_fault")
    is_flag = flag.is_between(0, 1)
    status = trimmed("stock_status").str.to_lowercase()
    mismatch = (status == "instock") != (pl.col("stock_count") > 0)
    return (
        raw_erp.with_columns(
            key=read_key("product_id"),
            price_read=read_money("price"),
            is_carrying=~is_blank("price"),
            flag=read_count("onsale_web"),
            stock_count=read_count("stock_quantity"),
            stock_fault=count_fault("stock_quantity"),
        )
        .with_columns(
            product_key=comparable(pl.col("key")),
            price__fault=pl.when(pl.col("key").is_not_null() | pl.col("is_carrying")).then(price_fault("price")),
            is_on_sale=pl.when(is_flag).then(flag == 1),
            stock_read=pl.when(fault.is_null()).then("stock_count"),
            onsale_web__fault=pl.when(~is_blank("onsale_web") & ~is_flag.fill_null(value=False)).then(
                pl.lit("unknown-flag")
            ),
            stock_quantity__fault=pl.when(~is_blank("stock_quantity") & fault.is_not_null()).then(
                pl.lit("stock-not-a-count")
            ),
            stock_status__fault=pl.when(mismatch).then(pl.lit("stock-status-mismatch")),
        )
        .with_columns(
            _first_rule(
                ("blank-row", None, _all_blank("product_id", "price", "onsale_web", "stock_quantity", "stock_status")),
                ("no-key", "product_id", is_blank("product_id")),
                ("unreadable-key", "product_id", is_unreadable_key("product_id", pl.col("key"))),
            )
        )
        .pipe(
            _keep_one_row_per_key,
            key="product_key",
            facts=["price_read", "price__fault"],
            fact_column="price",
            details=["onsale_web", "stock_quantity", "stock_status"],
        )
        .select(
            "row", "key", "product_key", "is_on_sale", "is_carrying", "rule", "rule_column", "other_row",
            "price__fault", "price__contradiction", "onsale_web__fault", "stock_quantity__fault", "stock_status__fault",
            price="price_read", stock_quantity="stock_read",
        )
    )  # fmt: skip


def clean_liaison(raw_liaison: pl.LazyFrame) -> pl.LazyFrame:
    """Links from products of the ERP to products of the shop.

    Args:
        raw_liaison: The staged sheet, see `LiaisonSheet`.

    Returns:
        All rows, in order. `web_key` is null for a product without a link. Exact repetitions of a pair are set aside;
        a product may still have several links, which the join judges by what they lead to.
    """
    return (
        raw_liaison.with_columns(
            key=read_key("product_id"), web_key=comparable(read_key("id_web")), is_carrying=pl.lit(value=False)
        )
        .with_columns(
            comparable(pl.col("key")).alias("product_key"),
            *_first_rule(
                ("blank-row", None, _all_blank("product_id", "id_web")),
                ("no-key", "product_id", is_blank("product_id")),
                ("unreadable-key", "product_id", is_unreadable_key("product_id", pl.col("key"))),
                ("unreadable-key", "id_web", is_unreadable_key("id_web", pl.col("web_key"))),
            ),
        )
        .pipe(_keep_one_row_per_pair)
        .select("row", "key", "product_key", "web_key", "is_carrying", "rule", "rule_column", other_row=_NO_ROW)
    )


def clean_web(raw_web: pl.LazyFrame) -> pl.LazyFrame:
    """Products of the shop with their units sold.

    Args:
        raw_web: The staged sheet, see `WebSheet`.

    Returns:
        All rows, in order; only rows with `is_product` are products that count. `total_sales` is the shop's counter,
        null where `total_sales__fault` says why; `post_title` is decoded; `post_date` is null where its cell is no
        date. Of the rows of one sku an unpublished one is ignored where another is published, and of the others the
        smallest by content stands for the product.
    """
    post_type, post_status = _word("post_type"), _word("post_status")
    has_sales = ~is_blank("total_sales") & (pl.col("sales_read") != 0).fill_null(value=True)
    has_title = pl.col("title_read").is_not_null()
    is_product, has_no_type = pl.col("type_read") == "product", pl.col("type_read").is_null()
    is_unreadable = is_unreadable_key("sku", pl.col("key"))
    return (
        raw_web.with_columns(
            key=read_key("sku"),
            type_read=post_type,
            sales_read=read_count("total_sales"),
            title_read=read_title("post_title"),
            date_read=read_date("post_date"),
            is_unpublished=(post_status != "publish").fill_null(value=False),
        )
        .with_columns(
            web_key=comparable(pl.col("key")),
            has_sales=has_sales,
            # A product whose type is missing has a name; a note below the table has not.
            is_carrying=has_sales | (has_no_type & pl.col("key").is_not_null() & has_title),
        )
        .with_columns(
            _first_rule(
                ("blank-row", None, _all_blank("sku", "post_type", "total_sales", "post_title")),
                ("unreadable-key", "sku", has_no_type & is_unreadable & ~pl.col("has_sales")),
                ("blank-post-type", "post_type", has_no_type & (~is_blank("sku") | pl.col("has_sales"))),
                ("blank-row", None, has_no_type),
                ("sellable-post-type", "post_type", (pl.col("type_read") == "product_variation") & pl.col("has_sales")),
                ("other-post-type", "post_type", ~is_product),
                ("no-key", "sku", is_blank("sku")),
                ("unreadable-key", "sku", is_unreadable),
            ),
        )
        .pipe(_ignore_unpublished_twins)
        .with_columns(total_sales__fault=pl.when("is_product").then(count_fault("total_sales")))
        .pipe(
            _keep_one_row_per_key,
            key="web_key",
            facts=["sales_read", "total_sales__fault"],
            fact_column="total_sales",
            details=["post_title", "post_status", "post_date"],
        )
        .with_columns(
            post_status__fault=pl.when("is_product", "is_unpublished", "has_sales", pl.col("rule").is_null()).then(
                pl.lit("unpublished-product")
            ),
            post_date__fault=pl.when("is_product", ~is_blank("post_date"), pl.col("date_read").is_null()).then(
                pl.lit("not-a-date")
            ),
            detail=pl.when(pl.col("rule") == "other-post-type")
            .then("type_read")
            .when(pl.col("rule") == "unpublished-twin")
            .then(post_status),
        )
        .select(
            "row", "key", "web_key", "is_product", "is_carrying", "rule", "rule_column", "other_row", "detail",
            "total_sales__fault", "total_sales__contradiction", "post_status__fault", "post_date__fault",
            total_sales="sales_read", post_title="title_read", post_date="date_read",
        )
    )  # fmt: skip


def _word(column: str) -> pl.Expr:
    """A text such as a type or a status, in lower case; null where there is none."""
    is_readable = pl.col(kind_of(column)).is_in(["number", "text"])
    return pl.when(is_readable).then(trimmed(column).str.to_lowercase())


def _ignore_unpublished_twins(posts: pl.LazyFrame) -> pl.LazyFrame:
    """A product that is trashed, a draft or otherwise unpublished does not count beside a published one."""
    is_twin = pl.col("rule").is_null() & pl.col("is_unpublished") & pl.col("has_published")
    products = posts.filter(pl.col("rule").is_null() & ~pl.col("is_unpublished"))
    published = products.select("web_key", has_published=pl.lit(value=True)).unique()
    return posts.join(published, on="web_key", how="left").with_columns(
        is_product=(pl.col("type_read") == "product").fill_null(value=False) & ~is_twin.fill_null(value=False),
        rule=pl.when(is_twin).then(pl.lit("unpublished-twin")).otherwise("rule"),
        rule_column=pl.when(is_twin).then(pl.lit("post_status")).otherwise("rule_column"),
    )


def _all_blank(*columns: str) -> pl.Expr:
    return pl.all_horizontal(is_blank(column) for column in columns)


def _first_rule(*cases: tuple[str, str | None, pl.Expr]) -> list[pl.Expr]:
    """`rule` and `rule_column` of the first case that holds; null where none does."""
    case = pl.coalesce(*(pl.when(holds).then(number) for number, (_, _, holds) in enumerate(cases)))
    codes, columns = ({number: case[part] for number, case in enumerate(cases)} for part in (0, 1))
    return [
        case.replace_strict(texts, return_dtype=pl.String).alias(name)
        for name, texts in (("rule", codes), ("rule_column", columns))
    ]


def _keep_one_row_per_pair(links: pl.LazyFrame) -> pl.LazyFrame:
    """Set aside the rows that repeat a link; which one stays is decided by content and never by position."""
    judged = (
        links.filter(pl.col("rule").is_null())
        .pipe(_of_several, "product_key", "web_key")
        .sort("key", trimmed("id_web"), "row", nulls_last=True)
        .with_columns(is_later=pl.int_range(pl.len()).over("product_key", "web_key") > 0)
        .select("row", repetition=pl.when("is_later").then(pl.lit("repetition")))
    )
    return _with_repetitions(links, judged, "product_id")


def _keep_one_row_per_key(
    rows: pl.LazyFrame, *, key: str, facts: list[str], fact_column: str, details: list[str]
) -> pl.LazyFrame:
    """Let one row stand for each key, chosen by content and never by position.

    Rows of a key with the same facts repeat one another. Rows with different facts contradict one another: each of
    them says so in `<fact_column>__contradiction`, besides the faults of its own cell.
    """
    content = pl.struct(*(trimmed(column) for column in details), "key")
    differs = pl.struct(facts).ne_missing(pl.struct(facts).first().over(key))
    judged = (
        rows.filter(pl.col("rule").is_null() & pl.col(key).is_not_null())
        .pipe(_of_several, key)
        .sort(facts[0], *(trimmed(column) for column in details), "key", "row", nulls_last=True)
        .with_columns(
            is_first=pl.int_range(pl.len()).over(key) == 0,
            differs=differs,
            is_same_content=content == content.first().over(key),
        )
        .with_columns(is_contradicted=pl.col("differs").any().over(key))
        .select(
            "row",
            pl.when("differs")
            .then(pl.col("row").first().over(key))
            .otherwise(pl.col("row").filter("differs").first().over(key))
            .alias("other_row"),
            pl.when("is_contradicted").then(pl.lit("contradicting-rows")).alias(f"{fact_column}__contradiction"),
            repetition=pl.when(~pl.col("is_first")).then(
                pl.when("is_contradicted")
                .then(pl.lit("contradicting-rows"))
                .when("is_same_content")
                .then(pl.lit("repetition"))
                .otherwise(pl.lit("differing-repetition"))
            ),
        )
    )
    return _with_repetitions(rows, judged, fact_column)


def _of_several(rows: pl.LazyFrame, *key: str) -> pl.LazyFrame:
    """The rows whose key another row has as well: mostly few, and only these need to be brought into an order."""
    return rows.filter(pl.len().over(key) > 1)


def _with_repetitions(rows: pl.LazyFrame, judged: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """All rows in order, those with a `repetition` set aside for it."""
    return (
        rows.join(judged, on="row", how="left")
        .with_columns(
            rule=pl.coalesce("rule", "repetition"),
            rule_column=pl.coalesce("rule_column", pl.when(pl.col("repetition").is_not_null()).then(pl.lit(column))),
        )
        .sort("row")
    )
