"""The whole month through a real Prefect server, from workbooks to published files; what needs no server, without."""

import hashlib
import json
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hostile.spoiled import SAMPLE, SpoiledMonth, files_in, put, run_flow, spoiled_month
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.client.schemas.sorting import FlowRunSort

from flows.monthly_sales import monthly_sales
from tasks import run, stages
from tasks.domain.issues import DataRefused, OutsideFailure, WrongArgument
from tasks.publication.publisher import PublishedMonth, publish_month

FILES = [
    "manifests/2025-05.json",
    "quality/data_issues_2025-05.csv",
    "sales_reports/sales_report_2025-05.xlsx",
    "tables/wines_2025-05.parquet",
    "wines/ordinary_wines_2025-05.csv",
    "wines/premium_wines_2025-05.csv",
]


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


def shown_in(folder: Path) -> dict[str, bytes]:
    """What people see: everything but the revisions and what was refused."""
    return {key: file for key, file in files_in(folder).items() if not key.startswith(("revisions/", "refused/"))}


def manifest(reports: Path, month: str = "2025-05") -> dict[str, Any]:
    return json.loads((reports / f"manifests/{month}.json").read_text())


@dataclass(frozen=True)
class Ended:
    """The run of the sample month through the server."""

    reports: Path
    published: PublishedMonth
    run: FlowRun


@pytest.fixture(scope="module")
def sample(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    assert prefect_server
    reports = tmp_path_factory.mktemp("sample")
    published = monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(reports))
    return Ended(reports, published, last_run())


def test_the_sample_month_is_published_whole(sample: Ended) -> None:
    figures = sample.published.figures
    assert (figures.products, figures.units, figures.revenue) == (210, 1059, Decimal("25236.60"))
    assert (figures.premium, figures.ordinary) == (11, 199)
    assert list(shown_in(sample.reports)) == FILES
    assert (sample.run.name, sample.run.state_name) == ("monthly-sales-2025-05", "Completed")
    assert set(task_states(sample.run).values()) == {"Completed"}
    assert list(task_states(sample.run))[-2:] == ["publish", "announce"]


def test_the_manifest_names_every_file_by_its_sha256_and_counts_every_row_by_its_disposition(sample: Ended) -> None:
    files, now = shown_in(sample.reports), manifest(sample.reports)
    del files["manifests/2025-05.json"]
    assert {name: file["sha256"] for name, file in now["files"].items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert all((sample.reports / file["key"]).read_bytes() == files[name] for name, file in now["files"].items())
    for rows in now["rows"].values():
        assert rows["read"] == rows["used"] + sum(rows["ignored"].values()) + sum(rows["rejected"].values())
    assert now["rows"]["web"]["ignored"] == {"blank-row": 24, "other-post-type: attachment": 210}
    assert now["figures"]["revenue"] == "25236.60"
    assert [facts["file"] for facts in now["inputs"].values()] == ["erp.xlsx", "liaison.xlsx", "web.xlsx"]


def test_the_same_month_gives_the_same_bytes_through_the_server_and_without_it(sample: Ended, tmp_path: Path) -> None:
    run_flow(SAMPLE, tmp_path)
    assert files_in(tmp_path) == files_in(sample.reports)


@pytest.mark.usefixtures("prefect_server")
def test_the_graph_of_a_run_reads_from_left_to_right(tmp_path: Path) -> None:
    """At most three edges for two tasks, and none from a validation."""
    run_flow(SAMPLE.parent / "2025-04", tmp_path, month="2025-04")
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))
    tasks = tasks_of(last_run())
    names = {task.id: task.name for task in tasks}
    edges = {(names[one.id], task.name) for task in tasks for values in task.task_inputs.values() for one in values}
    assert len(edges) <= 1.5 * len(tasks), sorted(edges)
    assert not [edge for edge in edges if edge[0].startswith(("validate", "audit"))]
    assert {("check-published", "convert-erp"), ("convert-erp", "clean-erp"), ("clean-erp", "join-sources")} <= edges
    assert {("join-sources", "compute-revenue"), ("write-reports", "publish"), ("publish", "announce")} <= edges


def test_the_same_month_again_computes_nothing_and_shows_what_is_published(sample: Ended) -> None:
    before = files_in(sample.reports)
    (sample.reports / FILES[2]).write_bytes(b"changed by hand")
    again = monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(sample.reports))
    assert again.sentence == "2025-05 is already published (revision 1), nothing changed."
    assert files_in(sample.reports) == before
    assert list(task_states(last_run())) == ["fetch-workbooks", "check-published", "show-published"]


@pytest.mark.usefixtures("prefect_server")
def test_the_real_month_gives_the_known_figures(tmp_path: Path, real_workbooks: Path) -> None:
    figures = monthly_sales(month="2025-05", source=str(real_workbooks), destination=str(tmp_path)).figures
    assert (figures.products, figures.units, figures.revenue) == (714, 2865, Decimal("70568.60"))
    assert (figures.premium, figures.ordinary) == (30, 684)


@pytest.mark.usefixtures("prefect_server")
def test_a_bad_price_fails_the_run_with_its_cell_and_publishes_nothing(tmp_path: Path, caplog) -> None:
    source = spoiled_month(tmp_path / "source", put("erp", "price", "n/a"))
    with caplog.at_level(logging.INFO), pytest.raises(DataRefused):
        monthly_sales(month="2025-05", source=str(source), destination=str(tmp_path / "reports"))
    run = last_run()
    sentence = (
        '1 error, nothing is published. erp.xlsx [Sheet1] C2, price: "n/a" is not a number. '
        "Correct the cell, then run again."
    )
    assert run.state_name == "Failed"
    assert run.state.message == f"Flow run encountered an exception: DataRefused: {sentence}"
    states = task_states(run)
    assert states.pop("validate-join") == "Failed"
    assert set(states.values()) == {"Completed"}
    assert "compute-revenue" not in states
    assert shown_in(tmp_path / "reports") == {}
    logged = [one.getMessage() for one in caplog.records if one.name.startswith(("prefect.flow", "prefect.task"))]
    assert logged.count(sentence) == 1
    with get_client(sync_client=True) as client:
        logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])))
    assert not [log.message for log in logs if "Traceback" in log.message]


@pytest.mark.usefixtures("prefect_server")
def test_without_a_month_the_run_uses_the_month_in_which_it_was_due(tmp_path: Path) -> None:
    published = monthly_sales(source=str(SAMPLE), destination=str(tmp_path), dry_run=True)
    assert published.month == f"{datetime.now(ZoneInfo('Europe/Paris')):%Y-%m}"
    assert last_run().name == f"monthly-sales-{published.month}"


@pytest.mark.usefixtures("prefect_server")
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


def test_the_form_explains_every_parameter() -> None:
    properties = monthly_sales.parameters.properties
    assert all(field.get("description") for field in properties.values())
    assert {field["type"] for field in properties.values()} == {"string", "number", "boolean"}


# --- what needs no server


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A destination where the sample month is published."""
    run_flow(SAMPLE, tmp_path / "reports")
    return tmp_path / "reports"


def test_a_refused_month_leaves_the_last_one_unchanged(reports: Path, tmp_path: Path) -> None:
    before = files_in(reports)
    source = spoiled_month(tmp_path / "source", put("erp", "price", 0))
    with pytest.raises(DataRefused):
        run_flow(source, reports)
    after = files_in(reports)
    assert {key: after[key] for key in before} == before
    issues, about = [key for key in after if key not in before]
    assert [key.rpartition("_")[0] for key in (issues, about)] == ["refused/2025-05/data_issues", "refused/2025-05/run"]
    assert b"not-above-zero" in after[issues]
    facts = json.loads(after[about])
    assert facts["parameters"]["export_date"] == "2025-05-15"
    assert facts["workbooks"]["erp"] == hashlib.sha256((source / "erp.xlsx").read_bytes()).hexdigest()
    assert {path.name for path in tmp_path.iterdir()} == {"reports", "source"}, "a run leaves no folder"


def test_a_corrected_month_is_a_new_revision_that_says_what_changed(reports: Path, tmp_path: Path) -> None:
    first = manifest(reports)
    corrected = run_flow(spoiled_month(tmp_path / "source", put("erp", "price", 14.2)), reports)
    second = manifest(reports)
    assert second["revision"] == 2
    assert second["earlier_revisions"] == [
        {"revision": 1, "id": first["id"], "earlier_snapshots": [], "figures": first["figures"]}
    ]
    assert all((reports / file["key"]).exists() for file in first["files"].values())
    assert corrected.sentence == (
        "2025-05 is published (revision 2). Since revision 1: total revenue to date €25,236.60 → €25,250.60."
    )


def test_an_export_that_was_not_renewed_is_refused_unless_it_is_accepted(tmp_path: Path) -> None:
    run_flow(SAMPLE, tmp_path, month="2025-04")
    with pytest.raises(DataRefused) as refused:
        run_flow(SAMPLE, tmp_path)
    assert str(refused.value) == (
        "1 error, nothing is published. web.xlsx is the same as for 2025-04: the shop did not renew it. "
        "Export the shop's workbook again; or run with --accept-unusual if nothing was sold."
    )
    run_flow(SAMPLE, tmp_path, accept_unusual=True)
    now = manifest(tmp_path)
    assert now["accepted"] == ["stale-export"]
    listed = pl.read_csv(tmp_path / "quality/data_issues_2025-05.csv", infer_schema=False).filter(rule="stale-export")
    assert listed.select("file", "severity", "other").rows() == [("web.xlsx", "warning", "2025-04")]
    (april,) = now["earlier_snapshots"]
    assert (april["month"], april["revision"]) == ("2025-04", 1)


def test_a_month_is_compared_with_the_month_before_it(tmp_path: Path) -> None:
    """Two bottles of one wine were sold since, and nothing else changed."""
    reports = tmp_path / "reports"
    run_flow(SAMPLE, reports, month="2025-04", language="fr")
    sold = spoiled_month(tmp_path / "source", put("web", "total_sales", 16))
    run_flow(sold, reports, month="2025-06")
    before, now = manifest(reports, "2025-04"), manifest(reports, "2025-06")
    assert [earlier["id"] for earlier in now["earlier_snapshots"]] == [before["id"]]
    assert (now["period"]["sold"]["units"], now["period"]["sold"]["value"]) == (2, "26.40")
    assert Decimal(now["figures"]["revenue"]) - Decimal(before["figures"]["revenue"]) == Decimal("26.40")
    assert now["files"]["wines/premium_wines_2025-06.csv"]["key"].split("/")[2] == now["id"]
    shown = files_in(reports)
    run_flow(sold, reports, month="2025-06")
    assert files_in(reports) == shown


def test_a_dry_run_does_everything_up_to_the_audit_and_writes_nothing(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    checked = run_flow(SAMPLE, reports, dry_run=True)
    assert not reports.exists()
    assert checked.sentence == "2025-05 is checked, nothing was published: it would be revision 1."
    assert checked.figures.revenue == Decimal("25236.60")

    run_flow(SAMPLE, reports)
    before = files_in(reports)
    again = run_flow(SAMPLE, reports, dry_run=True)
    assert again.sentence == "2025-05 is already published (revision 1), nothing changed."
    checked = run_flow(spoiled_month(tmp_path / "source", put("erp", "price", 14.2)), reports, dry_run=True)
    assert checked.sentence.startswith(
        "2025-05 is checked, nothing was published: it would be revision 2. "
        "Since revision 1: total revenue to date €25,236.60 → "
    )
    assert files_in(reports) == before


def test_a_dry_run_of_refused_data_writes_nothing_either_and_logs_where_its_issues_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(run, "get_run_logger", lambda: logging.getLogger("run"))
    source = spoiled_month(tmp_path / "source", put("erp", "price", 0))
    with pytest.raises(DataRefused):
        run_flow(source, tmp_path / "reports", dry_run=True)
    assert not (tmp_path / "reports").exists()
    (logged,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "not-above-zero" in Path(logged.removeprefix("All issues are listed in ")).read_text("utf-8")


def without_links(missing: int) -> Any:
    """The last links are cut off."""

    def spoil(month: SpoiledMonth) -> None:
        del month.rows("liaison")[-missing:]

    return spoil


def test_a_share_above_the_limit_is_refused_and_published_with_a_warning_when_it_is_accepted(tmp_path: Path) -> None:
    source, reports = spoiled_month(tmp_path / "source", without_links(40)), tmp_path / "reports"
    with pytest.raises(DataRefused, match=r"products of the shop without a product of the ERP"):
        run_flow(source, reports)
    run_flow(source, reports, accept_unusual=True)
    assert "unmatched" in (reports / "quality/data_issues_2025-05.csv").read_text(encoding="utf-8-sig")
    assert manifest(reports)["parameters"]["accept_unusual"] is True
    assert manifest(reports)["accepted"] == ["unmatched"]


def test_a_wrong_month_fails_the_run(tmp_path: Path) -> None:
    with pytest.raises(WrongArgument, match="is not a month"):
        run_flow(SAMPLE, tmp_path, month="2025-13")
    assert files_in(tmp_path) == {}


def test_a_destination_that_cannot_be_written_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where a folder should be")
    with pytest.raises(OutsideFailure, match=r"cannot write .*: a part of the path is a file\."):
        run_flow(SAMPLE, tmp_path / "reports")
