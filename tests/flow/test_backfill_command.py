"""`monthly-sales backfill` as it is typed, on one machine and a real Prefect server."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
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

from flows.monthly_sales import monthly_sales

Found = TypeVar("Found")
MONTHS = ["2024-01", "2024-02", "2024-03"]


def backfill(*arguments: object, server: str = "") -> subprocess.CompletedProcess[str]:
    """Type the command."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", "backfill", *map(str, arguments)],
        env=os.environ | {"PREFECT_API_URL": server}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def places(folder: Path) -> list[str]:
    """The arguments that say where the shops of this folder are."""
    return [
        "--from", MONTHS[0], "--to", MONTHS[-1],
        "--source", f"{folder}/raw/{{shop}}/{{month}}", "--destination", f"{folder}/out/{{shop}}",
    ]  # fmt: skip


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def table(stdout: str) -> list[list[str]]:
    """Shop, month and outcome of each row."""
    return [line.replace("not run", "not-run").split()[:3] for line in stdout.splitlines()[1:]]


def last_backfill() -> tuple[FlowRun, list[FlowRun]]:
    """The newest backfill as the server knows it, and the runs that it began."""
    with get_client(sync_client=True) as client:
        newest = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=50)
        whole = next(run for run in newest if run.name.startswith("backfill-"))
        parts = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[whole.id])),
            sort=FlowRunSort.START_TIME_ASC,
        )
    return whole, parts


def test_a_refused_month_ends_its_shop_and_the_others_go_on_and_the_next_backfill_does_what_is_missing(
    tmp_path: Path, prefect_server: str
) -> None:
    write_months(tmp_path / "raw", "lyon", MONTHS, broken=["2024-02"])
    write_months(tmp_path / "raw", "paris", MONTHS)
    done = backfill("--shops", "lyon,paris", *places(tmp_path), "--processes", 2, server=prefect_server)
    assert done.returncode == 1, done.stderr
    assert table(done.stdout) == [
        ["lyon", "2024-01", "published"], ["lyon", "2024-02", "refused"], ["lyon", "2024-03", "not-run"],
        ["paris", "2024-01", "published"], ["paris", "2024-02", "published"], ["paris", "2024-03", "published"],
    ]  # fmt: skip
    assert 'C2, price: "n/a" is not a number. Correct the cell, then run again.' in done.stdout.splitlines()[2]
    # A line for each month that ended, in the order of its shop, and nothing else.
    told = [line.split()[:2] for line in done.stderr.splitlines()]
    assert [month for shop, month in told if shop == "paris"] == MONTHS
    assert [month for shop, month in told if shop == "lyon"] == MONTHS[:2]
    assert len(told) == 5, done.stderr
    whole, parts = last_backfill()
    assert (whole.name, whole.state_name) == ("backfill-2024-01-2024-03", "Failed")
    assert whole.state.message == "Not every month is published: 4 published, 1 refused, 1 not run."
    assert sorted(part.state_name for part in parts) == ["Completed"] * 4 + ["Failed"]
    assert {"backfill", "lyon"} in [set(part.tags) for part in parts]
    artifact = httpx.get(f"{prefect_server}/artifacts/backfill/latest", timeout=30).json()
    assert artifact["flow_run_id"] == str(whole.id)
    shown = [list(row.values())[:3] for row in json.loads(artifact["data"])]
    assert shown[1:3] == [["lyon", "2024-02", "refused"], ["lyon", "2024-03", "not run"]]

    shutil.rmtree(tmp_path / "raw" / "lyon")
    write_months(tmp_path / "raw", "lyon", MONTHS)
    before = files_in(tmp_path / "out")
    done = backfill("--shops", "lyon,paris", *places(tmp_path), "--processes", 2, server=prefect_server)
    assert done.returncode == 0, done.stderr
    assert [row[2] for row in table(done.stdout)] == ["unchanged", "published", "published", *["unchanged"] * 3]
    after = files_in(tmp_path / "out")
    assert {key: after[key] for key in before} == before
    assert all("lyon" in key and ("2024-02" in key or "2024-03" in key) for key in after.keys() - before.keys())
    whole, _ = last_backfill()
    assert (whole.state_name, whole.state.message) == ("Completed", "2 published, 4 unchanged.")


@pytest.mark.parametrize("how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_an_interrupted_backfill_stops_its_months_and_says_what_stands(
    tmp_path: Path, prefect_server: str, how: signal.Signals
) -> None:
    write_months(tmp_path / "raw", "lyon", MONTHS)
    running = start("--shops", "lyon", *places(tmp_path), server=prefect_server)
    wait_for(lambda: processes_below(running.pid), "the process of a month")
    running.send_signal(how)
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert table(stdout) == [
        ["lyon", "2024-01", "failed"],
        ["lyon", "2024-02", "not-run"],
        ["lyon", "2024-03", "not-run"],
    ]
    assert "Its run was stopped." in stdout
    assert "Traceback" not in stderr
    assert stderr.splitlines()[-1] == "Interrupted. What was published is as it was; the same command again goes on."
    whole, parts = last_backfill()
    assert whole.state_name == "Cancelled"
    assert [part.state.is_final() for part in parts] == [True]


@pytest.mark.long
def test_what_a_deployment_has_begun_goes_on_when_its_backfill_is_interrupted(
    tmp_path: Path, prefect_server: str
) -> None:
    with get_client(sync_client=True) as client:
        parameters = {"source": f"{tmp_path}/raw/{{month}}", "destination": f"{tmp_path}/out"}
        client.create_deployment(client.create_flow(monthly_sales), "without-a-worker", parameters=parameters)

    def begun() -> list[FlowRun]:
        deployments = DeploymentFilter(name=DeploymentFilterName(any_=["without-a-worker"]))
        with get_client(sync_client=True) as client:
            return client.read_flow_runs(deployment_filter=deployments)

    arguments = ("--deployment", "monthly-sales/without-a-worker", "--from", "2024-01", "--to", "2024-02")
    running = start(*arguments, server=prefect_server)
    wait_for(begun, "the run of the first month")
    running.send_signal(signal.SIGINT)
    stdout, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert stdout.splitlines()[1:] == [
        "2024-01  running  Its run goes on; run the backfill again later.",
        "2024-02  not run  It was not begun.",
    ]
    (left,) = begun()
    assert left.state_name == "Scheduled"
    assert left.parameters == parameters | {"month": "2024-01"}


def test_a_killed_month_is_failed_and_nothing_is_half_published(tmp_path: Path, prefect_server: str) -> None:
    write_months(tmp_path / "raw", "lyon", MONTHS)
    running = start("--shops", "lyon", *places(tmp_path), server=prefect_server)
    month = wait_for(lambda: processes_below(running.pid), "the process of a month")[0]
    os.kill(month, signal.SIGKILL)
    stdout, _ = running.communicate(timeout=60)
    assert running.returncode == 3
    assert "Crashed: its process was ended by SIGKILL." in stdout.splitlines()[1]
    assert files_in(tmp_path / "out") == {}
    _, parts = last_backfill()
    assert [part.state_name for part in parts] == ["Crashed"]


@pytest.mark.long
def test_a_server_that_does_not_answer_ends_with_3_and_a_sentence(tmp_path: Path) -> None:
    write_months(tmp_path / "raw", "lyon", MONTHS)
    done = backfill("--shops", "lyon", *places(tmp_path), server="http://127.0.0.1:9/api")
    assert done.returncode == 3
    assert "the Prefect server at http://127.0.0.1:9/api does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_deployment_that_is_not_known_ends_with_2(tmp_path: Path, prefect_server: str) -> None:
    done = backfill("--deployment", "monthly-sales/backfil", *places(tmp_path), "--shops", "a", server=prefect_server)
    assert done.returncode == 2
    assert done.stderr == 'monthly-sales backfill: --deployment: the server knows no "monthly-sales/backfil".\n'


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["--source", "raw"], "holds no {month}", id="one source for every month"),
        pytest.param(["--source", "raw/{mois}{month}"], "has a placeholder that is not known", id="placeholder"),
        pytest.param(["--source", "ftp://raw/{month}"], "ftp:// is not known", id="kind of place"),
        pytest.param(["--source", "raw/{month}", "--processes", "0"], "0 is not a number from 1", id="processes"),
        pytest.param(["--source", "raw/{month}", "--shops", "../lyon"], "holds no {shop}", id="shared source"),
        pytest.param(["--processes", "2", "--deployment", "a/b"], "not allowed with", id="two places to run"),
    ],
)
def test_a_wrong_argument_ends_with_2_before_anything_is_started(arguments: list[str], sentence: str) -> None:
    done = backfill("--from", "2024-01", "--to", "2024-02", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "server" not in done.stderr


def start(*arguments: str, server: str) -> subprocess.Popen[str]:
    """Begin a backfill and return while it runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "backfill", *arguments],
        env=os.environ | {"PREFECT_API_URL": server}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def processes_below(parent: int) -> list[int]:
    """The processes that a process began and that run a month."""
    found = subprocess.run(
        ["pgrep", "--parent", str(parent), "--full", "prefect.engine"], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in found.stdout.split()]


def wait_for(found: Callable[[], list[Found]], what: str) -> list[Found]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if results := found():
            return results
        time.sleep(0.1)
    pytest.fail(f"{what} did not appear within 60 seconds")
