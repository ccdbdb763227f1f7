"""Issues of the month as a whole."""

from decimal import Decimal
from fractions import Fraction

import polars as pl

from tasks.domain.clean import accepted
from tasks.domain.issues import Issue
from tasks.domain.join import Cleaned
from tasks.domain.ledger import counts_once
from tasks.domain.money import EXCEL_LIMIT
from tasks.domain.rules import NO_PRODUCT, NO_SALES, PADDED_KEYS, REVENUE_TOO_LARGE, UNMATCHED, UNMATCHED_LIMIT
from tasks.domain.sources import Source

ALL_THREE = "the three workbooks"


def judge_matches(cleaned: Cleaned, joined: pl.LazyFrame, limit: Fraction = UNMATCHED_LIMIT) -> list[Issue]:
    """The issues of a month without products, without sales, or with too many rows without a partner.

    A share above the limit usually means that rows of one workbook are missing; the issue names the workbook.
    """
    lacking, is_padded = _lacking_workbook(cleaned, joined), _is_padded(cleaned)
    above = [
        Issue(
            ALL_THREE,
            (PADDED_KEYS if is_padded else UNMATCHED).code,
            value=f"{part:,} of {whole:,} {what}, {part / whole:.2%} (limit {float(limit):.2%})",
            other=None if is_padded else source,
        )
        for source, (what, (part, whole)) in zip(
            ("web", lacking, lacking), unmatched_shares(cleaned, joined).items(), strict=True
        )
        if whole > 0 and Fraction(part, whole) > limit
    ]
    units = joined.select("total_sales").collect().to_series()
    if units.is_empty():
        return [Issue(ALL_THREE, NO_PRODUCT.code), *above]
    # The shop's counters never go back to 0: if all are 0, the export is incomplete.
    if not units.null_count() and not units.max():
        products = "1 product" if len(units) == 1 else f"{len(units):,} products"
        return [Issue(ALL_THREE, NO_SALES.code, value=f"0 units sold of {products}"), *above]
    return above


def unmatched_shares(cleaned: Cleaned, joined: pl.LazyFrame) -> dict[str, tuple[int, int]]:
    """How many links, products and units have no partner, and of how many.

    Each key of the shop counts once, with the units of its product; a row without a key counts if it has sales.
    """
    links = accepted(cleaned.liaison).filter(pl.col("web_key").is_not_null())
    dead = links.join(accepted(cleaned.web), on="web_key", how="anti")
    products = cleaned.web.filter(counts_once() & (pl.col("key").is_not_null() | pl.col("has_sales"))).select(
        "row", units=pl.col("total_sales").clip(lower_bound=0)
    )
    unused = products.join(joined.select(row="web_row"), on="row", how="anti")
    units = pl.sum("units")
    return {
        "links that lead to no product of the shop": (_one(dead), _one(links)),
        "products of the shop without a product of the ERP": (_one(unused), _one(products)),
        "units sold of products without a product of the ERP": (_one(unused, units), _one(products, units)),
    }


def _one(frame: pl.LazyFrame, figure: pl.Expr | None = None) -> int:
    """The value of the expression over the frame; without one, the number of its rows."""
    return int(frame.select(pl.len() if figure is None else figure).collect().item())


def _lacking_workbook(cleaned: Cleaned, joined: pl.LazyFrame) -> Source:
    """The workbook whose rows are missing: do most of the products without a partner have a link, or none?"""
    unused = accepted(cleaned.web).join(joined, on="web_key", how="anti")
    linked = unused.join(accepted(cleaned.liaison), on="web_key", how="semi")
    return "erp" if 2 * _one(linked) > _one(unused) else "liaison"


def _is_padded(cleaned: Cleaned) -> bool:
    """Whether most links without a partner would have one if leading zeros were ignored."""
    links = accepted(cleaned.liaison).filter(pl.col("web_key").is_not_null())
    dead, saved = 0, 0
    for key, rows in (("product_key", cleaned.erp), ("web_key", cleaned.web)):
        known = accepted(rows).select(key)
        lost = links.join(known, on=key, how="anti")
        bare = pl.col(key).str.strip_chars_start("0").alias(key)
        dead += _one(lost)
        saved += _one(lost.select(bare).join(known.select(bare), on=key, how="semi"))
    return 2 * saved > dead


def judge_total(revenue: pl.LazyFrame) -> list[Issue]:
    """A total that a spreadsheet cannot hold."""
    total = sum(revenue.select("revenue").collect()["revenue"].to_list(), Decimal(0))
    return [Issue(ALL_THREE, REVENUE_TOO_LARGE.code, value=f"{total:,} EUR")] if total >= EXCEL_LIMIT else []
