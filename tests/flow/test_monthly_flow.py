"""The whole month through a real Prefect server, from workbooks to published files."""

import hashlib
import json
import logging
import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import polars as pl
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.client.schemas.sorting import FlowRunSort

from flows.monthly_sales import monthly_sales
from tasks import stages
from tasks.domain.issues import DataRefused, OutsideFailure, WrongArgument
from tasks.publication.publisher import PublishedMonth, publish_month

SAMPLE = Path(__file__).parents[2] / "data" / "2025-05"
FILES = [
    "manifests/2025-05.json",
    "quality/data_issues_2025-05.csv",
    "sales_reports/sales_report_2025-05.xlsx",
    "tables/wines_2025-05.parquet",
    "wines/ordinary_wines_2025-05.csv",
    "wines/premium_wines_2025-05.csv",
]

pytestmark = pytest.mark.usefixtures("prefect_server")


def last_run() -> FlowRun:
    """The newest run, as the server knows it."""
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(limit=1, sort=FlowRunSort.START_TIME_DESC)[0]


def tasks_of(run: FlowRun) -> list[TaskRun]:
    """The run's tasks in the order of their starts."""
    with get_client(sync_client=True) as client:
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])))
    return sorted(tasks, key=lambda task: task.start_time or run.created)


def task_states(run: FlowRun) -> dict[str, str]:
    """Task name to state name, in the order of their starts."""
    return {task.name: task.state_name or "" for task in tasks_of(run)}


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, by its path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def shown_in(folder: Path) -> dict[str, bytes]:
    """What people see: everything but the revisions and what was refused."""
    return {key: file for key, file in files_in(folder).items() if not key.startswith(("revisions/", "refused/"))}


def sample_with(tmp_path: Path, workbook: str, cells: dict[str, object]) -> Path:
    """A copy of the sample month in which some cells of one workbook are changed."""
    folder = tmp_path / "source"
    folder.mkdir()
    for path in SAMPLE.glob("*.xlsx"):
        (folder / path.name).write_bytes(path.read_bytes())
    book = openpyxl.load_workbook(folder / workbook)
    for cell, value in cells.items():
        book.active[cell] = value
    book.save(folder / workbook)
    return folder


def row_of_a_sold_product() -> int:
    """A row of the sample's ERP workbook whose product is in the figures."""
    used = {link.value for link, web in openpyxl.load_workbook(SAMPLE / "liaison.xlsx").active["A2:B400"] if web.value}
    erp = openpyxl.load_workbook(SAMPLE / "erp.xlsx").active
    return next(row for row in range(2, erp.max_row) if erp.cell(row, 1).value in used and erp.cell(row, 2).value == 1)


def test_the_sample_month_is_published_whole(tmp_path: Path) -> None:
    published = monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))

    figures = published.figures
    assert (figures.products, figures.units, figures.revenue) == (210, 1059, Decimal("25236.60"))
    assert (figures.premium, figures.ordinary) == (11, 199)
    assert list(shown_in(tmp_path)) == FILES
    run = last_run()
    assert (run.name, run.state_name) == ("monthly-sales-2025-05", "Completed")
    assert set(task_states(run).values()) == {"Completed"}
    assert list(task_states(run))[-2:] == ["publish", "announce"]


def test_the_manifest_names_every_file_by_its_sha256_and_every_row_by_its_fate(tmp_path: Path) -> None:
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))

    files = shown_in(tmp_path)
    manifest = json.loads(files.pop("manifests/2025-05.json"))
    assert {name: file["sha256"] for name, file in manifest["files"].items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert all((tmp_path / file["key"]).read_bytes() == files[name] for name, file in manifest["files"].items())
    for rows in manifest["rows"].values():
        assert rows["read"] == rows["used"] + sum(rows["ignored"].values()) + sum(rows["rejected"].values())
    assert manifest["rows"]["web"]["ignored"] == {"blank-row": 24, "other-post-type: attachment": 210}
    assert manifest["figures"]["revenue"] == "25236.60"
    assert {source: facts["file"] for source, facts in manifest["inputs"].items()} == {
        "erp": "erp.xlsx", "liaison": "liaison.xlsx", "web": "web.xlsx",
    }  # fmt: skip


def test_the_same_month_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for place in ("once", "twice"):
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path / place))
    assert files_in(tmp_path / "once") == files_in(tmp_path / "twice")


def test_the_real_month_gives_the_known_figures(tmp_path: Path, real_workbooks: Path) -> None:
    figures = monthly_sales(month="2025-05", source=str(real_workbooks), destination=str(tmp_path)).figures

    assert (figures.products, figures.units, figures.revenue) == (714, 2865, Decimal("70568.60"))
    assert (figures.premium, figures.ordinary) == (30, 684)
    rows = json.loads((tmp_path / "manifests/2025-05.json").read_text())["rows"]
    ignored, rejected = ({s: sum(rows[s][fate].values()) for s in rows} for fate in ("ignored", "rejected"))
    assert {source: counts["used"] for source, counts in rows.items()} == {"erp": 714, "liaison": 714, "web": 714}
    assert ignored == {"erp": 0, "liaison": 0, "web": 797}
    assert rejected == {"erp": 111, "liaison": 111, "web": 2}


def test_a_bad_price_fails_the_run_with_its_cell_and_publishes_nothing(tmp_path: Path, caplog) -> None:
    row = row_of_a_sold_product()
    source = sample_with(tmp_path, "erp.xlsx", {f"C{row}": "n/a"})

    with caplog.at_level(logging.INFO), pytest.raises(DataRefused):
        monthly_sales(month="2025-05", source=str(source), destination=str(tmp_path / "reports"))

    run = last_run()
    sentence = (
        f'1 error, nothing is published. erp.xlsx [Sheet1] C{row}, price: "n/a" is not a number. '
        "Correct the cell, then run again."
    )
    assert run.state_name == "Failed"
    assert run.state.message == f"Flow run encountered an exception: DataRefused: {sentence}"
    states = task_states(run)
    assert states.pop("validate-join") == "Failed"
    assert set(states.values()) == {"Completed"}
    assert "compute-revenue" not in states
    assert shown_in(tmp_path / "reports") == {}
    told = [
        record.getMessage() for record in caplog.records if record.name.startswith(("prefect.flow", "prefect.task"))
    ]
    assert told.count(sentence) == 1
    with get_client(sync_client=True) as client:
        logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])))
    assert not [log.message for log in logs if "Traceback" in log.message]


def test_a_refused_month_leaves_the_last_one_as_it_was(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(reports))
    before = files_in(reports)
    source = sample_with(tmp_path, "web.xlsx", {"A1": "article"})
    with pytest.raises(DataRefused, match=re.escape('web.xlsx [Sheet1], sku: "found: ')):
        monthly_sales(month="2025-05", source=str(source), destination=str(reports))
    after = files_in(reports)
    assert {key: after[key] for key in before} == before
    assert [key.rpartition("_")[0] for key in after if key not in before] == [
        "refused/2025-05/data_issues",
        "refused/2025-05/run",
    ]


def test_the_same_month_again_computes_nothing_and_changes_nothing(tmp_path: Path) -> None:
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))
    before = files_in(tmp_path)
    (tmp_path / FILES[2]).write_bytes(b"changed by hand")
    again = monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))
    assert again.sentence == "2025-05 is already published (revision 1), nothing changed."
    assert files_in(tmp_path) == before
    assert list(task_states(last_run())) == ["fetch-workbooks", "check-published", "show-published"]


def test_a_corrected_month_is_a_new_revision_that_says_what_changed(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(reports))
    first = json.loads((reports / "manifests/2025-05.json").read_text())
    row = row_of_a_sold_product()
    price = openpyxl.load_workbook(SAMPLE / "erp.xlsx").active[f"C{row}"].value
    corrected = sample_with(tmp_path, "erp.xlsx", {f"C{row}": price + 1})
    sold = monthly_sales(month="2025-05", source=str(corrected), destination=str(reports))

    second = json.loads((reports / "manifests/2025-05.json").read_text())
    assert second["revision"] == 2
    assert second["earlier_revisions"] == [
        {"revision": 1, "id": first["id"], "earlier_snapshots": [], "figures": first["figures"]}
    ]
    assert all((reports / file["key"]).exists() for file in first["files"].values())
    was, now = (f"{Decimal(manifest['figures']['revenue']):,}" for manifest in (first, second))
    assert was != now
    assert (
        sold.sentence == f"2025-05 is published (revision 2). Since revision 1: total revenue to date €{was} → €{now}."
    )


def test_an_export_that_was_not_renewed_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    monthly_sales(month="2025-04", source=str(SAMPLE), destination=str(tmp_path))
    with pytest.raises(DataRefused) as refused:
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))
    assert str(refused.value) == (
        "1 error, nothing is published. web.xlsx is the same as for 2025-04: the shop did not renew it. "
        "Export the shop's workbook again; or run with --accept-unusual if nothing was sold."
    )
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path), accept_unusual=True)
    manifest = json.loads((tmp_path / "manifests/2025-05.json").read_text())
    assert manifest["accepted"] == ["stale-export"]
    listed = pl.read_csv(tmp_path / "quality/data_issues_2025-05.csv", infer_schema=False).filter(rule="stale-export")
    assert listed.select("file", "severity", "other").rows() == [("web.xlsx", "warning", "2025-04")]
    (april,) = manifest["earlier_snapshots"]
    assert (april["month"], april["revision"]) == ("2025-04", 1)


def test_a_month_is_compared_with_the_month_before_it(tmp_path: Path) -> None:
    """Two bottles of one wine were sold since, and nothing else changed."""
    reports = tmp_path / "reports"
    monthly_sales(month="2025-04", source=str(SAMPLE), destination=str(reports), language="fr")
    shop = openpyxl.load_workbook(SAMPLE / "web.xlsx").active
    column = {cell.value: cell.column_letter for cell in shop[1]}
    row, units = next(
        (row, shop[f"{column['total_sales']}{row}"].value)
        for row in range(2, shop.max_row)
        if shop[f"{column['post_type']}{row}"].value == "product" and shop[f"{column['total_sales']}{row}"].value
    )
    sold = sample_with(tmp_path, "web.xlsx", {f"{column['total_sales']}{row}": units + 2})
    monthly_sales(month="2025-06", source=str(sold), destination=str(reports))
    before, now = (json.loads((reports / f"manifests/{month}.json").read_text()) for month in ("2025-04", "2025-06"))
    assert [earlier["id"] for earlier in now["earlier_snapshots"]] == [before["id"]]
    assert now["period"]["sold"]["units"] == 2
    grown = Decimal(now["figures"]["revenue"]) - Decimal(before["figures"]["revenue"])
    assert Decimal(now["period"]["sold"]["value"]) == grown > 0
    assert now["files"]["wines/premium_wines_2025-06.csv"]["key"].split("/")[2] == now["id"]
    shown = files_in(reports)
    monthly_sales(month="2025-06", source=str(sold), destination=str(reports))
    assert files_in(reports) == shown


def test_the_faults_of_two_workbooks_are_told_together(tmp_path: Path) -> None:
    source = sample_with(tmp_path, "web.xlsx", {"A1": "article"})
    book = openpyxl.load_workbook(source / "erp.xlsx")
    book.active["C1"] = "prix"
    book.save(source / "erp.xlsx")
    with pytest.raises(DataRefused) as refused:
        monthly_sales(month="2025-05", source=str(source), destination=str(tmp_path / "reports"))
    assert refused.value.issues["file"].to_list() == ["erp.xlsx", "web.xlsx"]


def test_a_run_leaves_no_folder_and_a_refused_one_stores_its_issues_with_what_they_were_found_in(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path / "reports"))
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
    source = sample_with(tmp_path, "erp.xlsx", {f"C{row_of_a_sold_product()}": 0})
    with pytest.raises(DataRefused):
        monthly_sales(month="2025-05", source=str(source), destination=str(tmp_path / "reports"))
    assert {path.name for path in tmp_path.iterdir()} == {"reports", "source"}
    issues, about = sorted((tmp_path / "reports/refused/2025-05").iterdir())
    assert "not-above-zero" in issues.read_text()
    facts = json.loads(about.read_text())
    assert facts["parameters"]["export_date"] == "2025-05-15"
    assert facts["workbooks"]["erp"] == hashlib.sha256((source / "erp.xlsx").read_bytes()).hexdigest()


def test_a_dry_run_does_everything_up_to_the_audit_and_writes_nothing(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    checked = monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(reports), dry_run=True)
    assert not reports.exists()
    assert checked.sentence == "2025-05 is checked, nothing was published: it would be revision 1."
    assert checked.figures.revenue == Decimal("25236.60")
    assert list(task_states(last_run()))[-3:] == ["audit-reports", "publish", "announce"]

    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(reports))
    before = files_in(reports)
    again = monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(reports), dry_run=True)
    assert again.sentence == "2025-05 is already published (revision 1), nothing changed."
    row = row_of_a_sold_product()
    price = openpyxl.load_workbook(SAMPLE / "erp.xlsx").active[f"C{row}"].value
    corrected = sample_with(tmp_path, "erp.xlsx", {f"C{row}": price + 1})
    checked = monthly_sales(month="2025-05", source=str(corrected), destination=str(reports), dry_run=True)
    assert checked.sentence.startswith(
        "2025-05 is checked, nothing was published: it would be revision 2. "
        "Since revision 1: total revenue to date €25,236.60 → "
    )
    assert files_in(reports) == before


def test_a_dry_run_of_refused_data_writes_nothing_either(tmp_path: Path) -> None:
    source = sample_with(tmp_path, "web.xlsx", {"A1": "article"})
    with pytest.raises(DataRefused):
        monthly_sales(month="2025-05", source=str(source), destination=str(tmp_path / "reports"), dry_run=True)
    assert not (tmp_path / "reports").exists()


def test_a_share_above_the_limit_is_refused_and_published_with_a_warning_when_it_is_accepted(tmp_path: Path) -> None:
    source = sample_without_links(tmp_path, 40)
    with pytest.raises(DataRefused, match=r"products of the shop without a product of the ERP"):
        monthly_sales(month="2025-05", source=str(source), destination=str(tmp_path / "reports"))
    monthly_sales(month="2025-05", source=str(source), destination=str(tmp_path / "reports"), accept_unusual=True)
    issues = (tmp_path / "reports/quality/data_issues_2025-05.csv").read_text(encoding="utf-8-sig")
    assert "unmatched" in issues
    manifest = json.loads((tmp_path / "reports/manifests/2025-05.json").read_text())
    assert manifest["parameters"]["accept_unusual"] is True
    assert manifest["accepted"] == ["unmatched"]


def sample_without_links(tmp_path: Path, missing: int) -> Path:
    """A copy of the sample month from whose link table the last rows are cut off."""
    folder = sample_with(tmp_path, "liaison.xlsx", {})
    book = openpyxl.load_workbook(folder / "liaison.xlsx")
    book.active.delete_rows(book.active.max_row - missing + 1, missing)
    book.save(folder / "liaison.xlsx")
    return folder


def test_the_graph_of_a_run_reads_from_left_to_right(tmp_path: Path) -> None:
    """At most three edges for two tasks, and none from a validation."""
    for month in ("2025-04", "2025-05"):
        monthly_sales(month=month, source=str(SAMPLE.parent / month), destination=str(tmp_path))
    tasks = tasks_of(last_run())
    names = {task.id: task.name for task in tasks}
    edges = {(names[one.id], task.name) for task in tasks for values in task.task_inputs.values() for one in values}
    assert len(edges) <= 1.5 * len(tasks), sorted(edges)
    assert not [edge for edge in edges if edge[0].startswith(("validate", "audit"))]
    assert {("check-published", "convert-erp"), ("convert-erp", "clean-erp"), ("clean-erp", "join-sources")} <= edges
    assert {("join-sources", "compute-revenue"), ("write-reports", "publish"), ("publish", "announce")} <= edges


def test_without_a_month_the_run_takes_the_month_it_was_due_in(tmp_path: Path) -> None:
    published = monthly_sales(source=str(SAMPLE), destination=str(tmp_path))
    assert published.month == f"{datetime.now(ZoneInfo('Europe/Paris')):%Y-%m}"
    assert last_run().name == f"monthly-sales-{published.month}"


@pytest.mark.parametrize("month", ["2025-13", "05/2025", "2025-05\n", "../2025"])
def test_a_month_that_is_none_fails_the_run(tmp_path: Path, month: str) -> None:
    with pytest.raises(WrongArgument, match="is not a month"):
        monthly_sales(month=month, source=str(SAMPLE), destination=str(tmp_path))
    assert files_in(tmp_path) == {}


def test_a_destination_that_cannot_be_written_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where a folder should be")
    with pytest.raises(OutsideFailure, match=r"cannot write .*: a part of the path is a file\."):
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path / "reports"))


def test_the_form_explains_every_parameter() -> None:
    properties = monthly_sales.parameters.properties
    assert all(field.get("description") for field in properties.values())
    assert {field["type"] for field in properties.values()} == {"string", "number", "boolean"}


def test_a_run_whose_revision_was_overtaken_shows_what_counts_and_none_of_its_own_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*published: Any) -> PublishedMonth:
        ours = publish_month(*published)
        return replace(ours, outcome="superseded", headline=replace(ours.headline, title="The later revision"))

    monkeypatch.setattr(stages, "publish_month", overtaken)
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))
    with get_client(sync_client=True) as client:
        shown = client.read_artifacts(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[last_run().id])))
    (summary,) = shown
    assert (summary.key, summary.data.splitlines()[0]) == ("monthly-summary", "# The later revision")
    assert "Best sellers" not in summary.data
    assert "Wines with the most revenue" not in summary.data
    assert last_run().tags == ["superseded"]
