"""Months that were published before, read and corrected by the flow of today, and compared with new ones."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest
from hostile.spoiled import run_flow
from prefect.client.orchestration import get_client
from prefect.states import Completed

from flows import backfill as module
from flows.backfill import backfill
from flows.monthly_sales import monthly_sales
from tasks.publication.identity import REPORT_VERSION
from tasks.publication.verify import list_months, verify_month
from tasks.storage.local import LocalStorage

FIXTURE = Path(__file__).parents[1] / "fixtures" / "version_2"
SOURCE = str(FIXTURE / "source" / "{month}")

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    shutil.copytree(FIXTURE / "published", tmp_path / "reports")
    return tmp_path / "reports"


def manifest(published: Path, month: str) -> dict:
    return json.loads((published / f"manifests/{month}.json").read_text())


def shop_with_counter(folder: Path, units: int) -> Path:
    """The workbooks of May with another counter of the wine 4001."""
    shutil.copytree(FIXTURE / "source/2025-05", folder)
    book = openpyxl.load_workbook(folder / "web.xlsx")
    book.active["E2"] = units
    book.save(folder / "web.xlsx")
    return folder


def test_the_next_month_is_compared_with_what_was_published_before(published: Path, tmp_path: Path) -> None:
    may = manifest(published, "2025-05")
    june = run_flow(shop_with_counter(tmp_path / "june", 20), published, month="2025-06")
    assert june.figures.revenue - Decimal(may["figures"]["revenue"]) == 6 * Decimal("12.50")
    earlier = manifest(published, "2025-06")["earlier_snapshots"]
    assert [(each["month"], each["id"]) for each in earlier] == [
        ("2025-04", manifest(published, "2025-04")["id"]),
        ("2025-05", may["id"]),
    ]


def test_a_month_that_was_published_before_is_corrected(published: Path, tmp_path: Path) -> None:
    before = manifest(published, "2025-05")
    corrected = run_flow(shop_with_counter(tmp_path / "corrected", 15), published)
    assert corrected.sentence == (
        "2025-05 is published (revision 2). Since revision 1: total revenue to date €2,119.80 → €2,132.30, +1 bottle."
    )
    now = manifest(published, "2025-05")
    assert [(revision["revision"], revision["id"]) for revision in now["earlier_revisions"]] == [(1, before["id"])]
    assert verify_month(LocalStorage(published), "2025-05", repair=False).faults == []


def test_a_backfill_over_months_that_were_published_before_keeps_their_figures(published: Path) -> None:
    """It finds the same results where nothing has changed, and publishes new revisions where the rules have."""
    before = {month: manifest(published, month) for month in ("2025-04", "2025-05")}
    backfill(first="2025-04", last="2025-05", source=SOURCE, destination=str(published))
    for month, was in before.items():
        now = manifest(published, month)
        is_same = was["report_version"] == REPORT_VERSION
        assert (now["revision"], now["id"] == was["id"]) == (1 if is_same else 2, is_same)
        assert now["figures"]["revenue"] == was["figures"]["revenue"]
        assert verify_month(LocalStorage(published), month, repair=False).faults == []
    assert not any(line.would_change for line in list_months(LocalStorage(published)))


@pytest.fixture
def exported_on_the_22nd(published: Path) -> Path:
    """The publication with a revision of May that was exported a week late."""
    run_flow(SOURCE, published, export_date="2025-05-22")
    return published


def test_a_backfill_keeps_the_export_date_of_a_month_that_is_published(exported_on_the_22nd: Path) -> None:
    before = manifest(exported_on_the_22nd, "2025-05")
    assert before["export_date"] == "2025-05-22"
    backfill(first="2025-05", last="2025-05", source=SOURCE, destination=str(exported_on_the_22nd))
    assert manifest(exported_on_the_22nd, "2025-05") == before


def test_a_backfill_through_a_deployment_gives_its_runs_the_published_export_date(
    exported_on_the_22nd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict] = []

    async def run_deployment(_name: str, parameters: dict, **_: object) -> SimpleNamespace:
        started.append(parameters)
        run_flow(**places | parameters)
        return SimpleNamespace(state=Completed())

    places = {"source": SOURCE, "destination": str(exported_on_the_22nd)}
    monkeypatch.setattr(module, "arun_deployment", run_deployment)
    with get_client(sync_client=True) as client:
        client.create_deployment(client.create_flow(monthly_sales), "export-dates", parameters=places)
    backfill(first="2025-05", last="2025-05", deployment="monthly-sales/export-dates")
    assert started == [{"month": "2025-05", "export_date": "2025-05-22"}]
