"""From three cleaned sources to one row per product, and what became of every other row."""

from typing import NamedTuple

import polars as pl

from tasks.domain.issues import RULES, SEVERITIES, SHOWN_VALUE_LENGTH
from tasks.domain.schemas import DISPOSITIONS, SOURCES, Source

_SOURCE = pl.Enum(SOURCES)

IGNORED = ["blank-row", "other-post-type", "unpublished-twin"]
"""Why a row is ignored: nothing is missing without it."""

_OTHER_COLUMN = {
    "contradicting-rows": pl.col("column"), "shared-sku": pl.lit("product_id"), "several-skus": pl.lit("id_web"),
}  # fmt: skip
"""The column of the cell that an issue's own cell contradicts, by rule."""


class Cleaned(NamedTuple):
    """The cleaned rows of the three sources, see `clean`."""

    erp: pl.LazyFrame
    liaison: pl.LazyFrame
    web: pl.LazyFrame


def standing(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows that stand for their product."""
    return rows.filter(pl.col("rule").is_null())


def counts_once() -> pl.Expr:
    """Whether a row of the shop is a product whose units are counted: not one that repeats another row."""
    has_no_key = pl.col("key").is_null()
    return pl.col("is_product") & (pl.col("rule").is_null() | has_no_key)


def join_sources(cleaned: Cleaned) -> pl.LazyFrame:
    """One row per live link: the ERP product, its link and its web product all exist.

    Args:
        cleaned: The cleaned rows. Standing rows are unique on `product_key` (erp), `web_key` (web) and on the pair.

    Returns:
        The columns of `WineSales`, in no promised order, with the keys as compared and the row in each source.
        `price` and `total_sales` are null where their cells are at fault. A product with two live links, or a sku
        with two products, has a row for each, which `is_one_of_several` and `is_sku_shared` tell.
    """
    erp = standing(cleaned.erp).select("product_key", "price", "stock_quantity", product_id="key", erp_row="row")
    links = standing(cleaned.liaison).select("product_key", "web_key", liaison_row="row")
    web = standing(cleaned.web).select("web_key", "post_title", "post_date", "total_sales", sku="key", web_row="row")
    return (
        links.join(erp, on="product_key", how="inner")
        .join(web, on="web_key", how="inner")
        .with_columns(is_sku_shared=pl.len().over("web_key") > 1, is_one_of_several=pl.len().over("product_key") > 1)
        .select(
            "product_id", "sku", "post_title", "post_date", "total_sales", "price", "stock_quantity",
            "product_key", "web_key", "erp_row", "liaison_row", "web_row", "is_sku_shared", "is_one_of_several",
        )
    )  # fmt: skip


def settle_rows(cleaned: Cleaned, joined: pl.LazyFrame) -> pl.LazyFrame:
    """What became of every row of the three sheets.

    Args:
        cleaned: The cleaned rows.
        joined: The live links, see `join_sources`.

    Returns:
        One row per input row (`LedgerRow`): used, ignored with its kind, or rejected with a reason.
    """
    ends_in = {"erp": "erp_row", "liaison": "liaison_row", "web": "web_row"}
    known_products = standing(cleaned.erp).select("product_key", is_known_product=pl.lit(value=True))
    reasons = {
        "erp": _reason(
            ("on-sale-unlinked", "onsale_web", pl.col("is_on_sale")),
            ("not-sold-online", "onsale_web", ~pl.col("is_on_sale")),
            ("no-partner", "product_id", pl.lit(value=True)),
        ),
        "liaison": _reason(
            ("no-web-id", "id_web", pl.col("web_key").is_null()),
            ("unknown-product", "product_id", pl.col("is_known_product").is_null()),
            ("unknown-web-id", "id_web", pl.lit(value=True)),
        ),
        "web": _reason(("unlinked-sales", "sku", pl.lit(value=True))),
    }
    frames: dict[Source, pl.LazyFrame] = {
        "erp": cleaned.erp.with_columns(detail=pl.lit(None, pl.String), units=pl.lit(None, pl.Int64)),
        "liaison": cleaned.liaison.join(known_products, on="product_key", how="left").with_columns(
            detail=pl.lit(None, pl.String), units=pl.lit(None, pl.Int64)
        ),
        "web": cleaned.web.with_columns(units=pl.when(counts_once()).then("total_sales")),
    }
    return pl.concat(
        [
            frame.join(joined.select(row=ends_in[source]).unique(), on="row", how="left", coalesce=False)
            .with_columns(is_used=pl.col("row_right").is_not_null())
            .with_columns(reason=pl.when(~pl.col("is_used") & pl.col("rule").is_null()).then(reasons[source]))
            .with_columns(
                rule=pl.coalesce("rule", pl.col("reason").struct.field("rule")),
                column=pl.coalesce("rule_column", pl.col("reason").struct.field("column")),
            )
            .select(
                pl.lit(source, _SOURCE).alias("source"),
                "row",
                pl.when("is_used")
                .then(pl.lit("used"))
                .when(pl.col("rule").is_in(IGNORED))
                .then(pl.lit("ignored"))
                .otherwise(pl.lit("rejected"))
                .cast(DISPOSITIONS)
                .alias("disposition"),
                "rule",
                "column",
                "detail",
                "key",
                pl.when(~pl.col("is_used")).then("units").alias("units"),
            )
            .sort("row")
            for source, frame in frames.items()
        ]
    )


def _reason(*cases: tuple[str, str, pl.Expr]) -> pl.Expr:
    return pl.coalesce(
        *(pl.when(holds).then(pl.struct(rule=pl.lit(code), column=pl.lit(column))) for code, column, holds in cases)
    )


def count_rows(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """The ledger in a few lines (`RowCount`): rows per source, disposition, reason and detail."""
    return (
        ledger.group_by("source", "disposition", "rule", "detail")
        .agg(
            rows=pl.len().cast(pl.Int64),
            units=pl.when(pl.col("units").is_not_null().any()).then(pl.col("units").sum()),
        )
        .sort("source", "disposition", "rule", "detail")
    )


def collect_issues(cleaned: Cleaned, joined: pl.LazyFrame, ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Every issue of every row, and one line for each rejected row.

    Args:
        cleaned: The cleaned rows with their faults.
        joined: The live links: a fault of a product that takes part is an error, elsewhere a warning.
        ledger: What became of each row, see `settle_rows`.

    Returns:
        One row per source, row, column and rule, with `severity`, `disposition`, `key`, the price or units `carried`
        by a rejected row that lacks a key or a partner, and the `other_row` that it contradicts; `locate_issues` adds
        the addresses and the values.
    """
    is_carrier = pl.col("rule").is_in(["no-key", "unlinked-sales"])
    nothing = pl.lit(None, pl.String)
    carries = {
        "erp": pl.when(is_carrier).then(pl.format("{} EUR", "price")).alias("carried"),
        "liaison": nothing.alias("carried"),
        "web": pl.when(is_carrier).then(pl.format("{} units", "total_sales")).alias("carried"),
    }
    live = {
        "erp": joined.select("product_key").unique(),
        "liaison": joined.select("product_key").unique(),
        "web": joined.select("web_key").unique(),
    }
    found = []
    for source, rows in zip(SOURCES, cleaned, strict=True):
        key = "web_key" if source == "web" else "product_key"
        judged = rows.join(live[source].with_columns(is_joined=pl.lit(value=True)), on=key, how="left").with_columns(
            pl.lit(source, _SOURCE).alias("source")
        )
        faults = [name for name in rows.collect_schema().names() if name.endswith(("__fault", "__contradiction"))]
        found += [
            judged.filter(pl.col(fault).is_not_null()).select(
                "source",
                "row",
                "is_joined",
                "is_carrying",
                column=pl.lit(fault.split("__")[0]),
                rule=fault,
                other_row="other_row",
                carried=nothing,
            )
            for fault in faults
        ]
        found.append(
            ledger.filter((pl.col("source") == source) & (pl.col("disposition") == "rejected"))
            .join(judged.select("row", "is_joined", "is_carrying", "other_row", carries[source]), on="row", how="left")
            .select("source", "row", "is_joined", "is_carrying", "column", "rule", "other_row", "carried")
        )
    found += [
        joined.filter(is_at_fault).select(
            pl.lit("liaison", _SOURCE).alias("source"),
            row="liaison_row",
            is_joined=pl.lit(value=True),
            is_carrying=pl.lit(value=False),
            column=pl.lit("id_web"),
            rule=pl.lit(rule),
            other_row=_another_link(key),
            carried=nothing,
        )
        for is_at_fault, rule, key in (
            ("is_sku_shared", "shared-sku", "web_key"), ("is_one_of_several", "several-skus", "product_key"),
        )
    ]  # fmt: skip
    return (
        pl.concat(found)
        .with_columns(other_row=pl.when(pl.col("rule").is_in(_OTHER_COLUMN)).then("other_row"))
        .unique(["source", "row", "column", "rule"])
        .with_columns(severity=_severity())
        .join(ledger.select("source", "row", "disposition", "key"), on=["source", "row"], how="left")
        .sort("severity", "source", "row", "column", "rule")
        .select("source", "row", "column", "rule", "severity", "disposition", "key", "carried", "other_row")
    )


def _another_link(key: str) -> pl.Expr:
    """The row of the first other link with the same key, by content."""
    row = pl.col("liaison_row")
    links = row.sort_by("product_key", "web_key")
    first, second = links.first().over(key), links.get(1, null_on_oob=True).over(key)
    return pl.when(row == first).then(second).otherwise(first)


def _severity() -> pl.Expr:
    """The catalogue's severity, softened to a warning where its condition does not hold."""
    rule = pl.col("rule")
    severity = rule.replace_strict({code: entry.severity for code, entry in RULES.items()}, return_dtype=pl.String)
    condition = rule.replace_strict(
        {code: entry.error_only_if for code, entry in RULES.items()}, return_dtype=pl.String
    )
    is_softened = ((condition == "joined") & pl.col("is_joined").is_null()) | (
        (condition == "carrying") & ~pl.col("is_carrying")
    )
    return (
        pl.when(is_softened.fill_null(value=False))
        .then(pl.lit("warning"))
        .otherwise(severity)
        .cast(pl.Enum(SEVERITIES))
    )


def locate_issues(issues: pl.LazyFrame, raw: dict[Source, pl.LazyFrame], places: pl.DataFrame) -> pl.LazyFrame:
    """Give every issue the address that a person can open, the value that stands there, and the remedy.

    Args:
        issues: Issues per source, row, column and rule, see `collect_issues`.
        raw: The staged sheets.
        places: One row per source and column: `file`, `sheet` and the column's `letter`; a row with a null column
            stands for the sheet itself.

    Returns:
        One row per issue (`DataIssue`), errors first, then by source, row and column.
    """
    values = pl.concat(
        [
            frame.select("row", *(name for name in columns if name in frame.collect_schema().names()))
            .unpivot(index="row", variable_name="column", value_name="value")
            .with_columns(pl.lit(source, _SOURCE).alias("source"))
            for source, frame in raw.items()
            for columns in [places.filter(pl.col("source") == source)["column"].drop_nulls().to_list()]
        ]
    )
    remedy = {code: entry.remedy for code, entry in RULES.items()}
    other_column = pl.coalesce(pl.when(pl.col("rule") == rule).then(column) for rule, column in _OTHER_COLUMN.items())
    others = values.join(places.lazy(), on=["source", "column"]).select(
        "source", other_row="row", other_column="column", other_letter="letter", other_value="value"
    )
    return (
        issues.join(values, on=["source", "row", "column"], how="left")
        .join(places.lazy(), on=["source", "column"], how="left", nulls_equal=True)
        .with_columns(other_column=other_column)
        .join(others, on=["source", "other_row", "other_column"], how="left")
        .sort("severity", "source", "row", "column", "rule")
        .select(
            "file",
            "sheet",
            "row",
            pl.concat_str("letter", "row").alias("cell"),
            "column",
            pl.coalesce("carried", _shown("value")).alias("value"),
            "rule",
            "severity",
            "disposition",
            "key",
            pl.format('{}{}, "{}"', "other_letter", "other_row", _shown("other_value").fill_null("")).alias("other"),
            pl.col("rule").replace_strict(remedy, return_dtype=pl.String).alias("remedy"),
        )
    )


def _shown(column: str) -> pl.Expr:
    """The value on one line, shortened as `issues.shortened` does it."""
    one_line = pl.col(column).str.replace_all(r"\s+", " ")
    is_long = one_line.str.len_chars() > SHOWN_VALUE_LENGTH
    return pl.when(is_long).then(one_line.str.head(SHOWN_VALUE_LENGTH - 1) + "…").otherwise(one_line)
