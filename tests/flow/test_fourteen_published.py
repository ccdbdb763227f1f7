"""Fourteen snapshots published one after the other: what people and programs read is what the shop really sold."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from reference_period import Reference
from shop import EXPORTS, draw_shop, export, write_workbooks

from flows.monthly_sales import monthly_sales
from tasks.domain.issues import DataRefused
from tasks.publication.history import HISTORY_DAYS

pytestmark = pytest.mark.usefixtures("prefect_server")


class Published:
    """The last of the snapshots as it is published, and the same figures computed independently."""

    def __init__(self, folder: Path) -> None:
        products = draw_shop()
        for day in EXPORTS:
            write_workbooks(products, day, folder / f"{day:%Y-%m}")
            monthly_sales(
                month=f"{day:%Y-%m}",
                export_date=f"{day}",
                source=str(folder / "{month}"),
                destination=str(folder / "reports"),
            )
        self.reports = folder / "reports"
        oldest = EXPORTS[-1] - timedelta(days=HISTORY_DAYS)
        self.reference = Reference([export(products, day) for day in EXPORTS if day >= oldest])

    def expected(self) -> dict[str, Any]:
        reference = self.reference
        return {
            "figures": reference.to_date(),
            "period": reference.period(),
            "comparisons": reference.comparisons(),
            "inventory": reference.inventory(),
        }


@pytest.fixture(scope="module")
def published(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Published:  # noqa: ARG001 - it runs
    return Published(tmp_path_factory.mktemp("fourteen"))


def flat(figures: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested figures with their path as name, money and dates as text."""
    named: dict[str, Any] = {}
    for name, value in figures.items():
        if isinstance(value, dict):
            named |= flat(value, f"{prefix}{name}.")
        else:
            named[f"{prefix}{name}"] = f"{value:.2f}" if isinstance(value, Decimal) else value
            if isinstance(value, date):
                named[f"{prefix}{name}"] = f"{value}"
    return named


def test_the_manifest_has_every_figure(published: Published) -> None:
    manifest = json.loads((published.reports / "manifests" / f"{EXPORTS[-1]:%Y-%m}.json").read_text(encoding="utf-8"))
    expected = flat(published.expected())
    found = flat(manifest)
    assert len(expected) >= 40
    assert {name: found.get(name) for name in expected} == expected


def test_the_table_has_every_product(published: Published) -> None:
    table = pl.read_parquet(published.reports / "tables" / f"wines_{EXPORTS[-1]:%Y-%m}.parquet")
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
    rows = list(workbook(published)["Products"].values)
    head = next(row for row in rows if "Product" in row)
    columns = {heading: index for index, heading in enumerate(head) if heading}
    listed = {row[columns["Product"]]: row for row in rows[rows.index(head) + 1 :] if row[columns["Product"]]}
    assert set(listed) == set(published.reference.now)
    for key, row in listed.items():
        expected = published.reference.product(key)
        for heading, name in (
            ("Sold in the period", "sold_units"),
            ("Sold in the period (€)", "sold_value"),
            ("Per week", "pace"),
            ("Weeks of cover", "weeks_of_cover"),
        ):
            value = expected[name]
            found = row[columns[heading]]
            assert found == (value if value is None else pytest.approx(float(value))), (key, heading)


def test_the_summary_shows_the_figures_of_the_period(published: Published) -> None:
    shown = {cell for row in workbook(published)["Summary"].values for cell in row if cell is not None}
    period, comparisons = published.reference.period(), published.reference.comparisons()
    sold = period["sold"]
    for amount in (
        sold["value"],
        sold["units"],
        round(sold["value"] / sold["units"], 2),
        sold["premium_value"],
        comparisons["last_365"]["value"],
        published.reference.to_date()["revenue"],
    ):
        assert float(amount) in {value for value in shown if isinstance(value, int | float)}


def test_the_artifact_shows_the_figures_of_the_period(published: Published) -> None:
    with get_client(sync_client=True) as client:
        artifacts = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["monthly-summary"])),
            sort=ArtifactSort.CREATED_DESC,
            limit=1,
        )
    text = artifacts[0].data.replace("\\", "")
    period, comparisons = published.reference.period(), published.reference.comparisons()
    inventory = published.reference.inventory()
    for figure in (
        f"€{period['sold']['value']:,.2f}",
        f"**{period['sold']['units']}**",
        f"€{comparisons['last_365']['value']:,.2f}",
        f"€{published.reference.to_date()['revenue']:,.2f}",
        f"{abs(comparisons['previous']['value']):.1%}",
        f"{inventory['reorder']} wines with fewer than 8 weeks of cover",
        f"€{inventory['at_risk']:,.2f} per week",
        f"{period['newly_linked_products']} newly linked" if period["newly_linked_products"] else "",
        f"{period['delisted_products']} delisted" if period["delisted_products"] else "",
    ):
        assert figure in text


def workbook(published: Published) -> openpyxl.Workbook:
    return openpyxl.load_workbook(published.reports / "sales_reports" / f"sales_report_{EXPORTS[-1]:%Y-%m}.xlsx")


def test_an_older_export_is_refused_unless_it_is_accepted(published: Published) -> None:
    """The export of two snapshots before, delivered again under the next label."""
    folder = published.reports.parent
    later = {
        "month": "2025-07",
        "export_date": "2025-07-15",
        "source": str(folder / f"{EXPORTS[-3]:%Y-%m}"),
        "destination": str(published.reports),
        "dry_run": True,
    }
    with pytest.raises(DataRefused) as refused:
        monthly_sales(**later)
    errors = refused.value.issues.filter(severity="error")
    assert "counters-fell" in set(errors["rule"])
    assert "the export is probably an older one" in str(refused.value)
    assert monthly_sales(**later, accept_unusual=True).month == "2025-07"
