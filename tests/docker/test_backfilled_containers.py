"""Two shops, each a deployment with its own backfill, side by side on the docker pool; one container is killed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from deployed import BUCKET, Deployed
from many_months import write_months
from prefect_server import wait_until

SHOPS = ("lyon", "paris")
MONTHS = [f"2024-{number:02}" for number in range(1, 7)]
KILLED = MONTHS[3]


def backfill(*arguments: str) -> list[str]:
    """The command line for all months of a shop."""
    return [sys.executable, "-m", "flows.cli", "backfill", "--first", MONTHS[0], "--last", MONTHS[-1], *arguments]


@pytest.fixture(scope="module")
def locally(tmp_path_factory: pytest.TempPathFactory, deployed: Deployed) -> dict[str, bytes]:
    """What the same months give on this machine, as sub-flows of one process."""
    folder = tmp_path_factory.mktemp("backfill")
    client = deployed.s3.client("administrator")
    for shop in SHOPS:
        write_months(folder / "raw", shop, MONTHS)
        for path in (folder / "raw" / shop).rglob("*.xlsx"):
            month = path.parent.name.replace("-", "/")
            client.put_object(Bucket=BUCKET, Key=f"raw/{shop}/{month}/{path.name}", Body=path.read_bytes())
        locations = ("--source", f"{folder}/raw/{shop}/{{month}}", "--destination", f"{folder}/prod/{shop}")
        done = deployed.command(*backfill(*locations), timeout=1200)
        assert done.returncode == 0, done.stderr
    return {str(path.relative_to(folder)): path.read_bytes() for path in (folder / "prod").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def shops(deployed: Deployed) -> dict[str, str]:
    """A deployment for each shop, as the runbook copies it; by shop its id."""
    model = deployed.ask("deployments/name/monthly-sales/backfill")
    copied = ("flow_id", "work_pool_name", "work_queue_name", "job_variables", "pull_steps", "entrypoint", "path",
              "enforce_parameter_schema", "parameter_openapi_schema")  # fmt: skip
    ids = {}
    for shop in SHOPS:
        locations = {
            "source": f"s3://{BUCKET}/raw/{shop}/{{month:%Y/%m}}",
            "destination": f"s3://{BUCKET}/prod/{shop}",
        }
        body = {name: model[name] for name in copied} | {"name": shop, "parameters": model["parameters"] | locations}
        answer = httpx.post(f"{deployed.api}/deployments/", json=body, timeout=30).raise_for_status()
        ids[shop] = answer.json()["id"]
    return ids


def published(deployed: Deployed) -> dict[str, bytes]:
    """What is in the bucket for the two shops."""
    return {key: content for key, content in deployed.published().items() if key.split("/")[1] in SHOPS}


def runs(deployed: Deployed, *deployments: str) -> list[dict[str, Any]]:
    """The runs of these deployments so far, in the order of their starts."""
    found = {"flow_runs": {"deployment_id": {"any_": deployments}}}
    return deployed.ask("flow_runs/filter", found | {"sort": "START_TIME_ASC"})


def most_at_once(ended: list[dict[str, Any]]) -> int:
    """How many of these runs were running at the same moment, at most."""
    changes = sorted([(run["start_time"], 1) for run in ended] + [(run["end_time"], -1) for run in ended])
    counts, running = [0], 0
    for _, change in changes:
        running += change
        counts.append(running)
    return max(counts)


def outcomes(stderr: str) -> list[str]:
    """What came of the months, in order."""
    lines = stderr.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Month "))
    rows = [line.replace("not run", "not-run").split() for line in lines[first + 1 : first + 1 + len(MONTHS)]]
    return [row[1] for row in rows]


@pytest.mark.long
def test_a_killed_container_loses_nothing_and_the_next_backfill_only_does_what_is_missing(
    deployed: Deployed, locally: dict[str, bytes], shops: dict[str, str]
) -> None:
    commands = {shop: backfill("--deployment", f"monthly-sales/{shop}") for shop in SHOPS}
    running = {
        shop: subprocess.Popen(
            command, cwd=Path(__file__).parents[2], env=deployed.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for shop, command in commands.items()
    }  # fmt: skip

    def container_of_the_month() -> list[str]:
        for run in runs(deployed, shops["lyon"]):
            if run["parameters"]["month"] == KILLED and run["state"]["type"] == "RUNNING":
                label = f"label=io.prefect.flow-run-id={run['id']}"
                return deployed.command("docker", "ps", "--quiet", "--filter", label).stdout.split()
        return []

    (container,) = wait_until(container_of_the_month, 600, f"the container of lyon {KILLED}")
    assert deployed.command("docker", "kill", "--signal", "KILL", container).returncode == 0
    before = MONTHS.index(KILLED)
    done = {
        "lyon": ["published"] * before + ["failed"] + ["not-run"] * (len(MONTHS) - before - 1),
        "paris": ["published"] * len(MONTHS),
    }
    for shop, code in (("lyon", 3), ("paris", 0)):
        _, stderr = running[shop].communicate(timeout=1200)
        assert running[shop].returncode == code, stderr
        assert outcomes(stderr) == done[shop]
        assert ("ended Crashed: " in stderr) == (shop == "lyon")
    first = published(deployed)
    assert len(runs(deployed, *shops.values())) == before + 1 + len(MONTHS)
    assert first.items() <= locally.items()

    for shop, command in commands.items():
        again = deployed.command(*command, timeout=1200)
        assert again.returncode == 0, again.stderr
        assert outcomes(again.stderr) == [
            "unchanged" if outcome == "published" else "published" for outcome in done[shop]
        ]
    assert published(deployed) == locally
    assert most_at_once(runs(deployed, *shops.values())) == 2
