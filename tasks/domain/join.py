"""From three cleaned sources to one row per product."""

from typing import NamedTuple

import dataframely as dy
import polars as pl
import polars.selectors as cs

from tasks.domain.clean import accepted
from tasks.domain.schemas import WineSales


class Cleaned(NamedTuple):
    """The cleaned rows of the three sources (`CleanedErp`, `CleanedLiaison`, `CleanedWeb`)."""

    erp: pl.LazyFrame
    liaison: pl.LazyFrame
    web: pl.LazyFrame


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


def join_sources(cleaned: Cleaned) -> pl.LazyFrame:
    """One row per live link: the ERP product, its link and its web product all exist.

    Args:
        cleaned: The cleaned rows. Accepted rows are unique on `product_key` (erp), `web_key` (web) and on the pair.

    Returns:
        `JoinedWine`, in no promised order: the columns of `WineSales`, the keys as compared and the row in each source.
    """
    declared = cs.by_name(*JoinedWine.column_names(), require_all=False)
    erp = accepted(cleaned.erp).select(declared, product_id="key", erp_row="row")
    links = accepted(cleaned.liaison).select(declared, liaison_row="row")
    web = accepted(cleaned.web).select(declared, sku="key", web_row="row")
    return (
        links.join(erp, on="product_key", how="inner")
        .join(web, on="web_key", how="inner")
        .select(JoinedWine.column_names())
    )
