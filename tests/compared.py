"""Months of a few products beside one another, without a file or a flow; every check between them must hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from tasks.domain.comparison import ComparedMonth, compare_wines, compute_comparison, gone_wines
from tasks.domain.comparison_checks import check_comparison
from tasks.domain.figures import Comparison, MonthSummary
from tasks.domain.parameters import Parameters
from tasks.domain.premium import classify_wines, compute_figures
from tasks.domain.revenue import compute_revenue
from tasks.domain.schemas import MONEY, SOURCES, PublishedWine
from tasks.domain.stock import compute_stock
from tasks.publication.manifest import EarlierSnapshot


@dataclass(frozen=True)
class Product:
    """A product of a month: its key, price, the shop's counter, and its bottles in stock."""

    key: str
    price: str
    units: int
    stock: int | None = 24


def wines_of(products: Sequence[Product], premium_threshold: float = 2.0) -> pl.LazyFrame:
    """The products as the rules classify them."""
    sales = pl.LazyFrame(
        {
            "product_id": [product.key for product in products],
            "sku": [f"w{product.key}" for product in products],
            "post_title": [f"Château {product.key}" for product in products],
            "post_date": None,
            "total_sales": [product.units for product in products],
            "price": [Decimal(product.price) for product in products],
            "stock_quantity": [product.stock for product in products],
        },
        schema={
            **dict.fromkeys(("product_id", "sku", "post_title"), pl.String),
            "post_date": pl.Date,
            "total_sales": pl.Int64,
            "price": MONEY,
            "stock_quantity": pl.Int64,
        },
    )
    return classify_wines(compute_revenue(sales), premium_threshold).collect().lazy()


def published(wines: pl.LazyFrame) -> pl.LazyFrame:
    """The products as the month after finds them, the premium ones first."""
    return wines.select(PublishedWine.column_names()).sort("is_premium", descending=True, maintain_order=True)


@dataclass
class Compared:
    """A month beside the one before it."""

    wines: pl.LazyFrame
    before: pl.LazyFrame | None
    month: ComparedMonth
    summary: MonthSummary

    @property
    def comparison(self) -> Comparison:
        assert self.summary.comparison is not None
        return self.summary.comparison

    def rows(self, *columns: str) -> list[tuple[object, ...]]:
        """These columns of the compared products, in their order."""
        return self.month.wines.select(columns).collect().rows()


def compare(
    now: pl.LazyFrame,
    before: pl.LazyFrame | None,
    parameters: Parameters | None = None,
    before_month: str = "2025-04",
    previous: EarlierSnapshot | None = None,
) -> Compared:
    """Take a month through the comparison."""
    before_month, before_id = (previous.month, previous.id) if previous else (before_month, "0" * 64)
    parameters = parameters or Parameters("2025-05", date(2025, 5, 15))
    month = ComparedMonth(
        compare_wines(now, before).collect().lazy(),
        gone_wines(now, before).collect().lazy(),
    )
    wines, gone = month.wines.collect(), month.gone.collect()
    comparison = None if before is None else compute_comparison(parameters.month, wines, gone, before_month, before_id)
    counts = pl.DataFrame(
        [(source, "used", None, None, wines.height) for source in SOURCES],
        ["source", "disposition", "rule", "detail", "rows"],
        orient="row",
    )
    figures = compute_figures(wines, parameters.premium_threshold)
    summary = MonthSummary(
        parameters, figures, compute_stock(wines), comparison, counts, previous and previous.export_date
    )
    assert check_comparison(now, before, month, summary) == []
    return Compared(now, before, month, summary)
