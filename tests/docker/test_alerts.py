"""Every bad end of a month, really produced: each sends one message, which names the month and the next step."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from deployed import BUCKET, LEASE, SLOW, Deployed
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_server import wait_until
from project import read_config
from receiver import Receiver, receiver

pytestmark = pytest.mark.long  # waits for time-outs, some ten minutes in all

START = 90
"""Seconds until a run must have begun. On a machine with ten times too much to do a container took fifty."""

SILENCE = 40
"""Seconds without a heartbeat; one comes each 30."""

# A flow of the same name, with another time-out.
HELD = """python -c "
import os, time
from prefect import flow
from prefect.flow_engine import load_flow_run, run_flow
run = load_flow_run(os.environ['PREFECT__FLOW_RUN_ID'])
held = flow(name='monthly-sales', flow_run_name='monthly-sales-' + run.parameters['month'], timeout_seconds={seconds})
run_flow(held(lambda month: time.sleep(600)), flow_run=run, parameters={{'month': run.parameters['month']}})
" """


@pytest.fixture(scope="module")
def messages(deployed: Deployed) -> Iterator[Receiver]:
    """What the alerts send, with durations of seconds."""
    with receiver() as server:
        block = CustomWebhookNotificationBlock(
            name="alerts",
            url=f"http://127.0.0.1:{server.server_port}",
            json_data={"subject": "{{subject}}", "body": "{{body}}"},
        )
        with temporary_settings({PREFECT_API_URL: deployed.api}):
            block.save("alerts")
        done = deployed.command(
            "make",
            "bootstrap",
            f"BOOTSTRAP=--start {START} --silence {SILENCE}",
            "MONTHLY_SALES_NOTIFY=custom-webhook/alerts",
        )
        assert 'Automation "monthly-sales: a run ended badly" made.' in done.stdout, done.stdout + done.stderr
        yield server


def start(deployed: Deployed, deployment: str, month: str, **given: Any) -> str:
    """Make a run of a deployment; its id."""
    job_variables = {name: given.pop(name) for name in ("command", "image", "env") if name in given}
    found = deployed.ask(f"deployments/name/monthly-sales/{deployment}")
    body = {"job_variables": job_variables}
    if "state" in given:
        body["state"] = given.pop("state")
    body["parameters"] = {"month": month, **given}
    # On a busy machine the server's SQLite may be locked for a moment.
    return wait_until(lambda: deployed.ask(f"deployments/{found['id']}/create_flow_run", body)["id"], 60, "a run")


def state(deployed: Deployed, run: str) -> dict[str, Any]:
    return deployed.ask(f"flow_runs/{run}")["state"]


def wait_for(deployed: Deployed, run: str, *names: str, seconds: float = 120) -> None:
    wait_until(lambda: state(deployed, run)["name"] in names, seconds, f"{names} of {run}")


def container(deployed: Deployed, run: str) -> str:
    label = f"label=io.prefect.flow-run-id={run}"
    return deployed.command("docker", "ps", "--quiet", "--filter", label).stdout.strip()


def alerts(messages: Receiver) -> list[dict[str, str]]:
    """The messages about months that were not published."""
    return [message for message in messages.messages if message["subject"].startswith("monthly-sales ")]


def next_alert(messages: Receiver, known: int) -> dict[str, str]:
    """The alert that comes after those that are known."""
    wait_until(lambda: len(alerts(messages)) > known, 3 * START, "an alert")
    return alerts(messages)[known]


REFUSED = 'erp.xlsx [Sheet1] C2, price: "n/a" is not a number. Correct the cell, then run again.'


def test_each_bad_end_sends_one_message_that_names_the_month_and_the_next_step(
    deployed: Deployed, messages: Receiver
) -> None:
    count = 0

    def expect(month: str, ended: str, *texts: str, deployment: str = "backfill") -> None:
        nonlocal count
        message = next_alert(messages, count)
        count += 1
        assert message["subject"] == f"monthly-sales {month}: {ended}"
        for text in (*texts, f"Deployment: monthly-sales/{deployment}", "Next: "):
            assert text in message["body"], message["body"]
        assert "None" not in message["body"]

    def again(month: str, deployment: str = "backfill") -> str:
        return f"run the month again: .venv/bin/prefect deployment run 'monthly-sales/{deployment}' -p month={month}"

    assert start(deployed, "backfill", "2025-06", destination=f"s3://{BUCKET}/prod/elsewhere")
    expect("2025-06", "the run ended Failed", REFUSED, "Correct the workbooks", again("2025-06"))

    assert start(deployed, "backfill", "2025-05", destination="s3://no-such-bucket/prod")
    expect("2025-05", "the run ended Failed", "no-such-bucket", "Remove the cause", again("2025-05"))

    image = f"{deployed.environment['MONTHLY_SALES_IMAGE']}:no-such-tag"
    assert start(deployed, "backfill", "2025-01", image=image)
    expect("2025-01", "the run ended Crashed", "could not start the container", again("2025-01"))

    unreachable = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_CLIENT_MAX_RETRIES": "0"}
    run = start(deployed, "backfill", "2025-02", env=unreachable)
    log = f"docker logs $(docker ps --all --quiet --filter label=io.prefect.flow-run-id={run})"
    expect(
        "2025-02", "the run ended Crashed", "status code 1", "cannot reach the Prefect server", log, again("2025-02")
    )
    assert "127.0.0.1:9" in deployed.command("sh", "-c", f"{log} 2>&1").stdout

    run = start(deployed, "backfill", "2025-03", command=SLOW)
    wait_for(deployed, run, "Running")
    deployed.command("docker", "kill", container(deployed, run))
    expect("2025-03", "the run ended Crashed", "status code 137", "mem_limit", "OOMKilled", again("2025-03"))

    assert start(deployed, "backfill", "2025-04", command=HELD.format(seconds=2))
    expect("2025-04", "the run ended TimedOut", "exceeded timeout", "so it hung", again("2025-04"))

    run = start(deployed, "backfill", "2025-08", command=SLOW)
    wait_for(deployed, run, "Running")
    deployed.prefect("flow-run", "cancel", run)
    expect("2025-08", "the run ended Cancelled", "If nobody meant to cancel it", again("2025-08"))
    wait_until(lambda: not container(deployed, run), 60, "the end of the container")

    deployed.prefect("work-pool", "pause", "docker-pool")
    late = start(deployed, "docker", "2025-05")
    worker = ".venv/bin/prefect worker start --pool docker-pool"
    expect("2025-05", "not started", "no worker took it", worker, deployment="docker")
    deployed.prefect("work-pool", "resume", "docker-pool")
    wait_for(deployed, late, "Completed")

    run = start(deployed, "docker", "2025-09", command="sleep 600")
    expect("2025-09", "not started", "its container does not run", "docker ps --all", deployment="docker")
    # Without an event, so without a message.
    httpx.delete(f"{deployed.api}/flow_runs/{run}", timeout=30).raise_for_status()
    deployed.command("docker", "rm", "--force", container(deployed, run))

    assert deployed.run("2025-05", "backfill")["state"]["type"] == "COMPLETED"
    # What was to be an alert would be one by now.
    time.sleep(START)
    assert len(alerts(messages)) == count == 9, messages.messages
    # The good runs: the late one published the month, and the other one found it published.
    (news,) = [message for message in messages.messages if message not in alerts(messages)]
    assert news["subject"].startswith("Wine sales · snapshot of 15 May 2025: ")
    assert f"s3://{BUCKET}/prod/sales_reports/sales_report_2025-05.xlsx" in news["body"]


def test_when_a_machine_is_gone_the_missing_heartbeats_end_the_run(deployed: Deployed, messages: Receiver) -> None:
    """A process in place of a container, which no worker watches."""
    known = len(alerts(messages))
    # No worker takes a run that is pending.
    run = start(deployed, "backfill", "2025-10", state={"type": "PENDING"})
    environment = deployed.environment | {"PREFECT__FLOW_RUN_ID": run, "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
    held = subprocess.Popen([sys.executable, *shlex.split(HELD.format(seconds=600))[1:]], env=environment)
    wait_for(deployed, run, "Running")
    held.kill()
    held.wait()
    message = next_alert(messages, known)
    assert message["subject"] == "monthly-sales 2025-10: the run ended Crashed"
    assert "Is the machine of the worker running, and its worker?" in message["body"]
    time.sleep(SILENCE)
    assert len(alerts(messages)) == known + 1


@pytest.mark.parametrize("stated", [True, False], ids=["as prefect.yaml states it", "not stated"])
def test_a_run_whose_container_starts_slowly_keeps_its_slot(deployed: Deployed, *, stated: bool) -> None:
    """Without `grace_period_seconds` the second run takes the slot, and the first is cancelled in silence."""
    found = deployed.ask("deployments/name/monthly-sales/docker")
    options = found["concurrency_options"]
    assert options["grace_period_seconds"] == read_config()["definitions"]["one_at_a_time"]["grace_period_seconds"]
    # Long enough for the second run to take a slot that was released.
    slowly = f"sh -c 'sleep {LEASE + (20 if stated else 90)}; exec prefect flow-run execute'"

    def change(body: dict[str, Any]) -> None:
        address = f"{deployed.api}/deployments/{found['id']}"
        wait_until(lambda: httpx.patch(address, json=body, timeout=30).is_success, 60, "the change")

    try:
        if not stated:
            change({"concurrency_options": {"collision_strategy": options["collision_strategy"]}})
        first = start(deployed, "docker", "2025-05", command=slowly)
        wait_for(deployed, first, "Pending", "Submitting")
        second = start(deployed, "docker", "2025-05", **({} if stated else {"command": SLOW}))
        ended = ("Completed", "Cancelled", "Failed", "Crashed")
        wait_for(deployed, first, *ended, seconds=240)
        assert state(deployed, first)["name"] == ("Completed" if stated else "Cancelled")
        if not stated:
            deployed.command("docker", "kill", container(deployed, second))
        wait_for(deployed, second, *ended, seconds=180)
        assert state(deployed, second)["name"] == ("Completed" if stated else "Crashed")
    finally:
        change({"concurrency_options": options})
