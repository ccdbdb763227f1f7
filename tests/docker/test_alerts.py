"""Every bad end of a month, really produced: each sends one message with the month and the next step."""

import shlex
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
from deployed import BUCKET, LEASE, SLOW, Deployed
from prefect_server import wait_until
from project import read_config
from receiver import Receiver
from sent_messages import SILENCE, START, alerts, expect

pytestmark = pytest.mark.long  # waits for time-outs, some ten minutes in all

# A flow of the same name, with another time-out.
HELD = """python -c "
import os, time
from prefect import flow
from prefect.flow_engine import load_flow_run, run_flow
run = load_flow_run(os.environ['PREFECT__FLOW_RUN_ID'])
held = flow(name='monthly-sales', flow_run_name='monthly-sales-' + run.parameters['month'], timeout_seconds={seconds})
run_flow(held(lambda month: time.sleep(600)), flow_run=run, parameters={{'month': run.parameters['month']}})
" """


def start(deployed: Deployed, deployment: str, **given: Any) -> str:
    """Make a run of a deployment; its id."""
    job_variables = {name: given.pop(name) for name in ("command", "image", "env") if name in given}
    found = deployed.ask(f"deployments/name/{deployment}")
    body = {"job_variables": job_variables}
    if "state" in given:
        body["state"] = given.pop("state")
    body["parameters"] = given
    # On a busy machine the server's SQLite may be locked for a moment.
    return wait_until(lambda: deployed.ask(f"deployments/{found['id']}/create_flow_run", body)["id"], 60, "a run")


def state(deployed: Deployed, run: str) -> dict[str, Any]:
    return deployed.ask(f"flow_runs/{run}")["state"]


def wait_for(deployed: Deployed, run: str, *names: str, seconds: float = 120) -> None:
    wait_until(lambda: state(deployed, run)["name"] in names, seconds, f"{names} of {run}")


def container(deployed: Deployed, run: str) -> str:
    label = f"label=io.prefect.flow-run-id={run}"
    return deployed.command("docker", "ps", "--quiet", "--filter", label).stdout.strip()


def again(month: str) -> str:
    return f"To run it again: .venv/bin/prefect deployment run 'monthly-sales/backfill' -p month={month}\n"


REFUSED = 'erp.xlsx [Sheet1] C2, price: "n/a" is not a number. Correct the cell, then run again.'


def test_each_bad_end_sends_one_message_that_names_the_month_and_the_next_step(
    deployed: Deployed, messages: Receiver
) -> None:
    month_run = "monthly-sales/backfill"
    # The backfill that the refused month ends sends no message of its own.
    elsewhere = {"first": "2025-06", "last": "2025-06", "destination": f"s3://{BUCKET}/prod/elsewhere"}
    backfill = start(deployed, "backfill/docker", **elsewhere)
    expect(messages, "monthly-sales 2025-06: the run ended Failed", REFUSED, "correct the workbooks", again("2025-06"))
    wait_for(deployed, backfill, "Failed")

    start(deployed, month_run, month="2025-05", destination="s3://no-such-bucket/prod")
    expect(messages, "monthly-sales 2025-05: the run ended Failed", "no-such-bucket", "remove the cause")

    start(deployed, month_run, month="2025-01", image=f"{deployed.environment['MONTHLY_SALES_IMAGE']}:no-such-tag")
    expect(messages, "monthly-sales 2025-01: the run ended Crashed", "could not start the container", again("2025-01"))

    unreachable = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_CLIENT_MAX_RETRIES": "0"}
    run = start(deployed, month_run, month="2025-02", env=unreachable)
    log = f"docker logs $(docker ps --all --quiet --filter label=io.prefect.flow-run-id={run})\n"
    expect(messages, "monthly-sales 2025-02: the run ended Crashed", "code 1", "cannot reach the Prefect server", log)
    assert "127.0.0.1:9" in deployed.command("sh", "-c", f"{log.strip()} 2>&1").stdout

    run = start(deployed, month_run, month="2025-03", command=SLOW)
    wait_for(deployed, run, "Running")
    deployed.command("docker", "kill", container(deployed, run))
    expect(messages, "monthly-sales 2025-03: the run ended Crashed", "status code 137", "mem_limit", "OOMKilled")

    start(deployed, month_run, month="2025-04", command=HELD.format(seconds=2))
    expect(messages, "monthly-sales 2025-04: the run ended TimedOut", "exceeded timeout", "so it hung")

    run = start(deployed, month_run, month="2025-08", command=SLOW)
    wait_for(deployed, run, "Running")
    deployed.prefect("flow-run", "cancel", run)
    expect(messages, "monthly-sales 2025-08: the run ended Cancelled", "nothing, if it was cancelled on purpose")
    wait_until(lambda: not container(deployed, run), 60, "the end of the container")

    run = start(deployed, "backfill/docker", first="2025-05", last="2025-07")
    wait_for(deployed, run, "Running")
    deployed.command("docker", "kill", container(deployed, run))
    several = "prefect deployment run 'backfill/docker' -p first=2025-05 -p last=2025-07\n"
    crashed = "backfill 2025-05 to 2025-07: the run ended Crashed"
    expect(messages, crashed, "status code 137", several, deployment="backfill/docker")


def test_a_run_that_does_not_start_sends_one_message_and_a_good_run_none(
    deployed: Deployed, messages: Receiver
) -> None:
    deployed.prefect("work-pool", "pause", "docker-pool")
    late = start(deployed, "monthly-sales/docker", month="2025-05")
    worker = ".venv/bin/prefect worker start --pool docker-pool"
    not_started = "monthly-sales 2025-05: not started"
    expect(messages, not_started, "no worker took it", worker, deployment="monthly-sales/docker")
    deployed.prefect("work-pool", "resume", "docker-pool")
    wait_for(deployed, late, "Completed")

    run = start(deployed, "monthly-sales/docker", month="2025-09", command="sleep 600")
    not_started = "monthly-sales 2025-09: not started"
    texts = ("its container does not run", "docker ps --all")
    expect(messages, not_started, *texts, deployment="monthly-sales/docker")
    # Without an event, so without a message.
    httpx.delete(f"{deployed.api}/flow_runs/{run}", timeout=30).raise_for_status()
    deployed.command("docker", "rm", "--force", container(deployed, run))

    assert deployed.run("2025-05", "backfill")["state"]["type"] == "COMPLETED"
    # What was to be an alert would be one by now.
    time.sleep(START)
    # Of all good runs one published the month, and the others found it published.
    (news,) = messages.messages
    assert news["subject"].startswith("Wine sales · snapshot of 15 May 2025: ")
    assert f"s3://{BUCKET}/prod/sales_reports/sales_report_2025-05.xlsx" in news["body"]


def test_when_a_machine_is_gone_the_missing_heartbeats_end_the_run(deployed: Deployed, messages: Receiver) -> None:
    """A process in place of a container, which no worker watches."""
    # No worker takes a run that is pending.
    run = start(deployed, "monthly-sales/backfill", month="2025-10", state={"type": "PENDING"})
    environment = deployed.environment | {"PREFECT__FLOW_RUN_ID": run, "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
    held = subprocess.Popen([sys.executable, *shlex.split(HELD.format(seconds=600))[1:]], env=environment)
    wait_for(deployed, run, "Running")
    held.kill()
    held.wait()
    expect(messages, "monthly-sales 2025-10: the run ended Crashed", "is the machine of the worker running")
    time.sleep(SILENCE)
    assert alerts(messages) == []


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
        first = start(deployed, "monthly-sales/docker", month="2025-05", command=slowly)
        wait_for(deployed, first, "Pending", "Submitting")
        second = start(deployed, "monthly-sales/docker", month="2025-05", **({} if stated else {"command": SLOW}))
        ended = ("Completed", "Cancelled", "Failed", "Crashed")
        wait_for(deployed, first, *ended, seconds=240)
        assert state(deployed, first)["name"] == ("Completed" if stated else "Cancelled")
        if not stated:
            deployed.command("docker", "kill", container(deployed, second))
        wait_for(deployed, second, *ended, seconds=180)
        assert state(deployed, second)["name"] == ("Completed" if stated else "Crashed")
    finally:
        change({"concurrency_options": options})
