"""The pipeline against an independent reference in plain Python, on generated dirty months."""

import pytest
from dirty_months import dirty_month
from frames import month_of, staged
from publishing import LONG
from reference import judge

from tasks.domain.checks import check_classification, check_revenue
from tasks.domain.premium import classify_wines
from tasks.domain.revenue import compute_revenue
from tasks.domain.sources import SOURCES

MONTHS = 2_000 if LONG else 120
BATCH = 40


@pytest.mark.parametrize("first", range(0, MONTHS, BATCH))
def test_the_pipeline_and_the_reference_agree_on_every_row_and_cent(first: int) -> None:
    for seed in range(first, first + BATCH):
        sheets = dirty_month(seed)
        expected = judge(**sheets)
        result = month_of({source: staged(source, sheets[source]) for source in SOURCES})

        errors = {(source if row else "", row, rule) for source, row, rule in expected.errors}
        assert result.stopping() == errors, f"errors of month {seed}"
        dispositions = {(s, row): (d, rule) for s in SOURCES for row, d, rule in result.dispositions(s)}
        assert dispositions == expected.dispositions, f"rows of month {seed}"
        if expected.refused:
            continue
        revenue = compute_revenue(result.joined).collect().lazy()
        wines = classify_wines(revenue, 2.0).collect()
        columns = ["product_id", "sku", "post_title", "total_sales", "price", "revenue", "is_premium", "stock_quantity"]
        assert wines.select(columns).rows() == [tuple(wine) for wine in expected.wines], f"wines of month {seed}"
        assert check_revenue(result.joined, revenue) == []
        assert check_classification(revenue, wines.lazy(), 2.0) == []
