"""Fourteen snapshots published one after the other: what people and programs read is what the shop really sold."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hostile.spoiled import run_flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from reference_period import Reference
from shop import EXPORTS, draw_shop, export, write_workbooks
from snapshots import flat

from flows.monthly_sales import monthly_sales
from tasks.domain.issues import DataRefused
from tasks.publication.history import HISTORY_DAYS

LAST = f"{EXPORTS[-1]:%Y-%m}"


class Published:
    """The last of the snapshots as it is published, and the same figures computed independently."""

    def __init__(self, folder: Path) -> None:
        products, self.reports = draw_shop(), folder / "reports"
        for day in EXPORTS:
            source = folder / f"{day:%Y-%m}"
            write_workbooks(products, day, source)
            month = {"month": source.name, "export_date": f"{day}"}
            if source.name == LAST:
                monthly_sales(source=str(source), destination=str(self.reports), **month)
            else:
                run_flow(source, self.reports, **month)
        oldest = EXPORTS[-1] - timedelta(days=HISTORY_DAYS)
        self.reference = Reference([export(products, day) for day in EXPORTS if day >= oldest])

    def sheet(self, name: str) -> list[tuple[Any, ...]]:
        return list(openpyxl.load_workbook(self.reports / f"sales_reports/sales_report_{LAST}.xlsx")[name].values)


@pytest.fixture(scope="module")
def published(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Published:
    assert prefect_server
    return Published(tmp_path_factory.mktemp("fourteen"))


def as_written(figure: Any) -> Any:
    """A figure as the manifest has it: money and dates are text."""
    if isinstance(figure, Decimal):
        return f"{figure:.2f}"
    return f"{figure}" if isinstance(figure, date) else figure


def test_the_manifest_has_every_figure(published: Published) -> None:
    manifest = flat(json.loads((published.reports / f"manifests/{LAST}.json").read_text(encoding="utf-8")))
    expected = {name: as_written(value) for name, value in flat(published.reference.expected()).items()}
    assert len(expected) >= 40
    assert {name: manifest.get(name) for name in expected} == expected


def test_the_table_has_every_product(published: Published) -> None:
    table = pl.read_parquet(published.reports / f"tables/wines_{LAST}.parquet")
    assert table.height == len(published.reference.now)
    for row in table.iter_rows(named=True):
        now, expected = published.reference.now[row["product_id"]], published.reference.product(row["product_id"])
        facts = (row["total_sales"], row["price"], row["stock_quantity"], row["post_date"])
        assert facts == (now.units, Decimal(now.price), now.stock, now.added)
        for name in ("status", "period_days", "sold_units", "sold_value"):
            assert row[name] == expected[name], (row["product_id"], name)


def test_the_tables_of_all_snapshots_are_one_history(published: Published) -> None:
    """One glob over the tables: what was sold in each period, as it was published then."""
    tables = pl.read_parquet(published.reports / "tables" / "*.parquet")
    totals = tables.group_by("export_date").agg(pl.col("sold_units", "sold_value").sum()).sort("export_date")
    trend = published.reference.trend()
    assert [row for row in totals.rows() if row[0] >= trend[0]["end"]] == [
        (period["end"], period["units"], period["value"]) for period in trend
    ]


def test_the_products_sheet_has_every_product(published: Published) -> None:
    rows = published.sheet("Products")
    head = next(row for row in rows if "Product" in row)
    columns = {heading: index for index, heading in enumerate(head) if heading}
    listed = {row[columns["Product"]]: row for row in rows[rows.index(head) + 1 :] if row[columns["Product"]]}
    assert set(listed) == set(published.reference.now)
    names = {
        "Sold in the period": "sold_units", "Sold in the period (€)": "sold_value", "Per week": "pace",
        "Weeks of cover": "weeks_of_cover",
    }  # fmt: skip
    for key, row in listed.items():
        expected = published.reference.product(key)
        for heading, name in names.items():
            value = expected[name]
            assert row[columns[heading]] == (None if value is None else pytest.approx(float(value))), (key, heading)


def test_the_summary_shows_the_figures_of_the_period(published: Published) -> None:
    shown = {cell for row in published.sheet("Summary") for cell in row if isinstance(cell, int | float)}
    figures = published.reference.expected()
    sold = figures["period"]["sold"]
    amounts = (sold["value"], sold["units"], round(sold["value"] / sold["units"], 2), sold["premium_value"])
    totals = (figures["comparisons"]["last_365"]["value"], figures["figures"]["revenue"])
    assert {float(amount) for amount in (*amounts, *totals)} <= shown


def test_the_artifact_shows_the_figures_of_the_period(published: Published) -> None:
    with get_client(sync_client=True) as client:
        chosen = ArtifactFilter(key=ArtifactFilterKey(any_=["monthly-summary"]))
        (artifact,) = client.read_artifacts(artifact_filter=chosen, sort=ArtifactSort.CREATED_DESC, limit=1)
    text, figures = artifact.data.replace("\\", ""), published.reference.expected()
    period, comparisons, inventory = (figures[name] for name in ("period", "comparisons", "inventory"))
    for figure in (
        f"€{period['sold']['value']:,.2f}",
        f"**{period['sold']['units']}**",
        f"€{comparisons['last_365']['value']:,.2f}",
        f"€{figures['figures']['revenue']:,.2f}",
        f"{abs(comparisons['previous']['value']):.1%}",
        f"{inventory['reorder']} wines with fewer than 8 weeks of cover",
        f"€{inventory['at_risk']:,.2f} per week",
        f"{period['newly_linked_products']} newly linked" if period["newly_linked_products"] else "",
        f"{period['delisted_products']} delisted" if period["delisted_products"] else "",
    ):
        assert figure in text


def test_an_older_export_is_refused_unless_it_is_accepted(published: Published) -> None:
    """The export of two snapshots before, delivered again under the next label."""
    older = published.reports.parent / f"{EXPORTS[-3]:%Y-%m}"
    later = {"month": "2025-07", "export_date": "2025-07-15", "dry_run": True}
    with pytest.raises(DataRefused) as refused:
        run_flow(older, published.reports, **later)
    assert "counters-fell" in set(refused.value.issues.filter(severity="error")["rule"])
    assert "the export is probably an older one" in str(refused.value)
    assert run_flow(older, published.reports, **later, accept_unusual=True).month == "2025-07"
