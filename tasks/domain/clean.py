"""From cells to keys, money and counts: one function per source.

Every row of the sheet stays, with its row number. A cleaned row either stands for its product (`rule` is null) or says
why it does not (`rule`, a code of the catalogue, and `rule_column`). What is wrong with a cell stands beside it;
whether that stops the run is decided after the join, when it is known which products take part.

Common columns of the three results:

- `row`: as Excel numbers it; `key`: the row's own key as it is spelled; `product_key`, `web_key`: keys as compared;
- `rule`, `rule_column`: why the row does not stand for its product;
- `<column>__fault`, `<column>__contradiction`: codes of what is wrong with the cell;
- `is_carrying`: a row without a readable key has a price or sales all the same.
"""

import polars as pl

from tasks.domain.cells import (
    comparable,
    count_fault,
    is_blank,
    is_unreadable_key,
    price_fault,
    read_count,
    read_key,
    read_money,
    read_title,
    trimmed,
)
from tasks.domain.schemas import kind_of


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
            price__fault=price_fault("price"),
            is_carrying=~is_blank("price"),
            flag=read_count("onsale_web"),
            stock_count=read_count("stock_quantity"),
            stock_fault=count_fault("stock_quantity"),
        )
        .with_columns(
            product_key=comparable(pl.col("key")),
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
            "row", "key", "product_key", "is_on_sale", "is_carrying", "rule", "rule_column",
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
        .select("row", "key", "product_key", "web_key", "is_carrying", "rule", "rule_column")
    )


def clean_web(raw_web: pl.LazyFrame) -> pl.LazyFrame:
    """Products of the shop with their units sold.

    Args:
        raw_web: The staged sheet, see `WebSheet`.

    Returns:
        All rows, in order; only rows with `is_product` are products. `total_sales` is the shop's counter, null where
        `total_sales__fault` says why; `post_title` is decoded; `post_type` is lower case. Of the rows of one sku the
        smallest by content stands for the product.
    """
    is_readable_type = pl.col(kind_of("post_type")).is_in(["number", "text"])
    post_type = pl.when(is_readable_type).then(trimmed("post_type").str.to_lowercase())
    has_sales = ~is_blank("total_sales") & (pl.col("sales_read") != 0).fill_null(value=True)
    is_product = pl.col("type_read") == "product"
    return (
        raw_web.with_columns(
            key=read_key("sku"),
            type_read=post_type,
            sales_read=read_count("total_sales"),
            title_read=read_title("post_title"),
        )
        .with_columns(web_key=comparable(pl.col("key")), is_carrying=has_sales)
        .with_columns(
            _first_rule(
                ("blank-row", None, _all_blank("sku", "post_type", "total_sales", "post_title")),
                (
                    "blank-post-type",
                    "post_type",
                    pl.col("type_read").is_null() & (~is_blank("sku") | pl.col("is_carrying")),
                ),
                ("blank-row", None, pl.col("type_read").is_null()),
                (
                    "sellable-post-type",
                    "post_type",
                    (pl.col("type_read") == "product_variation") & pl.col("is_carrying"),
                ),
                ("other-post-type", "post_type", ~is_product),
                ("no-key", "sku", is_blank("sku")),
                ("unreadable-key", "sku", is_unreadable_key("sku", pl.col("key"))),
            ),
            is_product=is_product.fill_null(value=False),
        )
        .with_columns(total_sales__fault=pl.when("is_product").then(count_fault("total_sales")))
        .pipe(
            _keep_one_row_per_key,
            key="web_key",
            facts=["sales_read", "total_sales__fault"],
            fact_column="total_sales",
            details=["post_title"],
        )
        .select(
            "row", "key", "web_key", "is_product", "is_carrying", "rule", "rule_column",
            "total_sales__fault", "total_sales__contradiction",
            post_type="type_read", total_sales="sales_read", post_title="title_read",
        )
    )  # fmt: skip


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
    judged = (
        rows.filter(pl.col("rule").is_null() & pl.col(key).is_not_null())
        .pipe(_of_several, key)
        .sort(facts[0], *(trimmed(column) for column in details), "key", "row", nulls_last=True)
        .with_columns(
            is_first=pl.int_range(pl.len()).over(key) == 0,
            is_contradicted=pl.struct(facts).n_unique().over(key) > 1,
            is_same_content=content == content.first().over(key),
        )
        .select(
            "row",
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
