"""`monthly-sales backfill` as it is typed, on one machine and a real Prefect server."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from command import command
from hostile.spoiled import files_in
from many_months import write_months
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect_server import wait_until

from flows.backfill import backfill
from flows.monthly_sales import monthly_sales
from tasks.domain.issues import WrongArgument

MONTHS = ["2024-01", "2024-02", "2024-03"]


def start(*arguments: object, server: str) -> subprocess.Popen[str]:
    """Begin a backfill and return while it runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "backfill", *map(str, arguments)],
        env=os.environ | {"PREFECT_API_URL": server}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def places(folder: Path) -> dict[str, str]:
    """The months and the folders of a shop."""
    source = f"{folder}/raw/lyon/{{month}}"
    return {"first": MONTHS[0], "last": MONTHS[-1], "source": source, "destination": f"{folder}/out"}


def typed(folder: Path) -> list[str]:
    return [text for name, value in places(folder).items() for text in (f"--{name}", value)]


def table(stderr: str) -> list[list[str]]:
    """Month and outcome of each row of the table at the end."""
    lines = stderr.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Month "))
    return [line.replace("not run", "not-run").split()[:2] for line in lines[first + 1 : first + 1 + len(MONTHS)]]


def last_backfill() -> tuple[FlowRun, list[FlowRun]]:
    """The newest backfill as the server knows it, and the runs of its months."""
    with get_client(sync_client=True) as client:
        newest = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=50)
        whole = next(run for run in newest if run.name.startswith("backfill-"))
        parts = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[whole.id])),
            sort=FlowRunSort.START_TIME_ASC,
        )
    return whole, parts


def test_a_refused_month_ends_the_backfill_and_the_next_one_does_what_is_missing(
    tmp_path: Path, prefect_server: str
) -> None:
    write_months(tmp_path / "raw", "lyon", MONTHS, broken=["2024-02"])
    done = command("backfill", *typed(tmp_path), server=prefect_server)
    assert done.returncode == 1, done.stderr
    assert table(done.stderr) == [["2024-01", "published"], ["2024-02", "refused"], ["2024-03", "not-run"]]
    assert 'C2, price: "n/a" is not a number. Correct the cell, then run again.' in done.stderr
    assert done.stderr.splitlines()[-1].startswith("1 error, nothing is published.")
    assert "Traceback" not in done.stderr
    whole, parts = last_backfill()
    assert (whole.name, whole.state_name) == ("backfill-2024-01-2024-03", "Failed")
    assert [part.state_name for part in parts] == ["Completed", "Failed"]
    artifact = httpx.get(f"{prefect_server}/artifacts/backfill/latest", timeout=30).json()
    assert artifact["flow_run_id"] == str(whole.id)
    shown = [list(row.values())[:2] for row in json.loads(artifact["data"])]
    assert shown == [["2024-01", "published"], ["2024-02", "refused"], ["2024-03", "not run"]]

    shutil.rmtree(tmp_path / "raw")
    write_months(tmp_path / "raw", "lyon", MONTHS)
    before = files_in(tmp_path / "out")
    backfill(**places(tmp_path))
    after = files_in(tmp_path / "out")
    assert {key: after[key] for key in before} == before
    whole, _ = last_backfill()
    assert (whole.state_name, whole.state.message) == ("Completed", "2 published, 1 unchanged.")


@pytest.mark.usefixtures("prefect_server")
def test_a_deployment_that_does_not_exist_is_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(WrongArgument, match=r'^deployment: the server has no "monthly-sales/backfil".$'):
        backfill(**places(tmp_path), deployment="monthly-sales/backfil")


@pytest.mark.parametrize("how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_after_a_signal_no_new_month_starts_and_the_table_is_written(
    tmp_path: Path, prefect_server: str, how: signal.Signals
) -> None:
    write_months(tmp_path / "raw", "lyon", MONTHS)
    running = start(*typed(tmp_path), server=prefect_server)
    wait_until(lambda: list((tmp_path / "out/manifests").glob("2024-01.json")), 60, "the first month")
    time.sleep(0.5)
    running.send_signal(how)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130, stderr
    assert "not-run" in [outcome for _, outcome in table(stderr)]
    assert "The backfill was interrupted." in stderr
    assert "Traceback" not in stderr
    assert stderr.splitlines()[-1].startswith("Interrupted.")
    whole, parts = last_backfill()
    assert whole.state_name == "Cancelled"
    assert all(part.state.is_final() for part in parts)


@pytest.mark.long
def test_the_run_of_a_deployment_continues_when_its_backfill_is_interrupted(
    tmp_path: Path, prefect_server: str
) -> None:
    name = tmp_path.parent.name
    with get_client(sync_client=True) as client:
        parameters = {"source": f"{tmp_path}/raw/{{month}}", "destination": f"{tmp_path}/out"}
        client.create_deployment(client.create_flow(monthly_sales), name, parameters=parameters)

    def begun() -> list[FlowRun]:
        deployments = DeploymentFilter(name=DeploymentFilterName(any_=[name]))
        with get_client(sync_client=True) as client:
            return client.read_flow_runs(deployment_filter=deployments)

    months = ("--first", "2024-01", "--last", "2024-03")
    running = start("--deployment", f"monthly-sales/{name}", *months, server=prefect_server)
    wait_until(begun, 60, "the run of the first month")
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130, stderr
    assert table(stderr) == [["2024-01", "stopped"], ["2024-02", "not-run"], ["2024-03", "not-run"]]
    assert "Its run continues; run the backfill again later." in stderr
    (left,) = begun()
    assert left.state_name == "Scheduled"
    assert left.parameters == parameters | {"month": "2024-01"}
