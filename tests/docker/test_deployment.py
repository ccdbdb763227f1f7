"""Deployed for real on one machine: a Prefect server, a registry, a docker worker, containers and an S3 server."""

import json
import shlex
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
from base_image import PINNED
from deployed import BUCKET, ROOT, SLOW, Deployed, runbook
from prefect_server import wait_until
from receiver import Receiver
from sent_messages import expect

PARIS = ZoneInfo("Europe/Paris")


def test_a_month_is_published_from_inside_a_container(deployed: Deployed) -> None:
    done = deployed.command(*runbook()[3])
    assert done.returncode == 0, done.stdout + done.stderr
    assert deployed.last_run("2025-05")["state"]["type"] == "COMPLETED"
    manifest = json.loads(deployed.published()["prod/manifests/2025-05.json"])
    assert manifest["figures"]["revenue"] == "25236.60"
    monthly_sales, prod = (sys.executable, "-m", "flows.cli"), ("--destination", f"s3://{BUCKET}/prod")
    listed = deployed.command(*monthly_sales, "list", *prod)
    assert "2025-05" in listed.stdout, listed.stderr
    verified = deployed.command(*monthly_sales, "verify", "--month", "2025-05", *prod)
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.startswith("2025-05, revision 1: as published\n")


def test_a_bad_month_fails_with_its_sentence_sends_a_message_and_publishes_nothing(
    deployed: Deployed, messages: Receiver
) -> None:
    before = deployed.published()
    run = deployed.run("2025-06")
    assert run["state"]["type"] == "FAILED"
    sentence = 'erp.xlsx [Sheet1] C2, price: "n/a" is not a number. Correct the cell, then run again.'
    assert sentence in run["state"]["message"]
    ended = "monthly-sales 2025-06: the run ended Failed"
    expect(messages, ended, sentence, "correct the workbooks", deployment="monthly-sales/docker")
    after = deployed.published()
    assert {key: after[key] for key in before} == before
    assert {key.rpartition("/")[0] for key in after.keys() - before.keys()} == {"prod/refused/2025-06"}


def test_a_container_killed_midway_sends_a_message_and_leaves_the_bucket_whole_and_the_run_not_running(
    deployed: Deployed, messages: Receiver
) -> None:
    before = deployed.published()
    deployment = deployed.ask("deployments/name/monthly-sales/docker")["id"]
    slowly = {"parameters": {"month": "2025-07"}, "job_variables": {"command": SLOW}}
    run = deployed.ask(f"deployments/{deployment}/create_flow_run", slowly)["id"]
    listed = ("docker", "ps", "--quiet", "--filter", f"label=io.prefect.flow-run-id={run}")

    def containers() -> list[str]:
        return deployed.command(*listed).stdout.split()

    container = wait_until(containers, 60, "the container")[0]
    wait_until(lambda: deployed.ask(f"flow_runs/{run}")["state"]["type"] == "RUNNING", 60, "the start of the run")
    assert deployed.command("docker", "kill", "--signal", "KILL", container).returncode == 0

    def ended() -> str | None:
        kind = deployed.ask(f"flow_runs/{run}")["state"]["type"]
        return None if kind in ("PENDING", "RUNNING", "SCHEDULED") else kind

    assert wait_until(ended, 120, "the end of the killed run") == "CRASHED"
    crashed = "monthly-sales 2025-07: the run ended Crashed"
    expect(messages, crashed, "status code 137", "OOMKilled", deployment="monthly-sales/docker")
    after = deployed.published()
    assert {key: after[key] for key in before} == before
    assert "prod/manifests/2025-07.json" not in after

    assert deployed.run("2025-07", "backfill")["state"]["type"] == "COMPLETED"
    assert json.loads(deployed.published()["prod/manifests/2025-07.json"])["revision"] == 1


def test_the_next_months_are_scheduled_for_the_15th_at_nine_in_paris(deployed: Deployed) -> None:
    docker = deployed.ask("deployments/name/monthly-sales/docker")
    scheduled = wait_until(
        lambda: deployed.ask(
            "flow_runs/filter",
            {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}, "deployment_id": {"any_": [docker["id"]]}}},
        ),
        90,
        "the runs of the next months",
    )
    starts = sorted(datetime.fromisoformat(run["expected_start_time"]).astimezone(PARIS) for run in scheduled)
    assert len(starts) >= 3
    assert {(start.day, start.hour, start.minute) for start in starts} == {(15, 9, 0)}
    assert len({(start.year, start.month) for start in starts}) == len(starts)


def test_a_schedule_starts_a_run_through_the_worker(deployed: Deployed) -> None:
    backfill = deployed.ask("deployments/name/monthly-sales/backfill")
    schedule = {"schedule": {"interval": 60}, "active": True, "parameters": {"month": "2025-05"}, "slug": "each-minute"}
    httpx.post(f"{deployed.api}/deployments/{backfill['id']}/schedules", json=[schedule], timeout=30).raise_for_status()
    try:
        run = wait_until(
            lambda: deployed.ask(
                "flow_runs/filter",
                {"flow_runs": {"deployment_id": {"any_": [backfill["id"]]}, "state": {"type": {"any_": ["COMPLETED"]}},
                               "name": {"any_": ["monthly-sales-2025-05"]},
                               "tags": {"all_": ["auto-scheduled"]}}},
            ),
            180,
            "a run of the schedule",
        )[0]  # fmt: skip
    finally:
        deployed.prefect("deployment", "schedule", "clear", "monthly-sales/backfill", "--accept-yes")
    assert run["auto_scheduled"]


def test_the_secret_key_is_in_no_log_state_parameter_artifact_or_image(deployed: Deployed) -> None:
    secret = deployed.s3.keys["publisher"].secret
    kinds = ("logs", "flow_runs", "task_runs", "artifacts", "deployments")
    texts = [deployed.ask(f"{kind}/filter", {"limit": 200}) for kind in kinds]
    texts.append(deployed.ask("work_pools/docker-pool"))
    texts += [(deployed.folder / log).read_text(errors="replace") for log in ("worker.log", "server.log")]
    image = deployed.ask("deployments/name/monthly-sales/docker")["job_variables"]["image"]
    texts.append(deployed.command("docker", "history", "--no-trunc", image).stdout)
    assert "monthly-sales" in texts[-1]
    assert not [text for text in map(str, texts) if secret in text]


def test_the_runbook_removes_the_ended_containers_of_runs_and_no_others(deployed: Deployed) -> None:
    """With a label more than in the runbook: other tests may use the same engine."""
    run = deployed.run("2025-05")["id"]
    listed = deployed.command("docker", "ps", "--all", "--quiet", "--filter", f"label=io.prefect.flow-run-id={run}")
    assert listed.stdout  # as the worker labels it
    ours = f"test-of-the-runbook={run}"

    def ended(*labels: str) -> str:
        options = [option for label in (ours, *labels) for option in ("--label", label)]
        return deployed.command("docker", "create", *options, PINNED, "true").stdout.strip()

    of_a_run, other = ended(f"io.prefect.flow-run-id={run}"), ended()
    text = (ROOT / "deployments" / "README.md").read_text(encoding="utf-8")
    (typed,) = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ docker container prune ")]
    not_yet, removed = (
        deployed.command(*shlex.split(command), "--filter", f"label={ours}")
        for command in (typed, typed.partition(" --filter until=")[0])
    )
    assert (not_yet.returncode, not_yet.stdout.strip()) == (0, "Total reclaimed space: 0B"), not_yet.stderr
    assert of_a_run in removed.stdout
    assert other not in removed.stdout
    assert deployed.command("docker", "rm", other).returncode == 0
