"""Two shops through the docker pool: a container for each month, two at a time, and one of them killed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from deployed import BUCKET, Deployed
from many_months import write_months
from prefect_server import wait_until

SHOPS = ("lyon", "paris")
MONTHS = [f"2024-{number:02}" for number in range(1, 13)]
KILLED = MONTHS[len(MONTHS) // 2]


def backfill(*arguments: str) -> list[str]:
    """The command line for all months of both shops."""
    months = ("--from", MONTHS[0], "--to", MONTHS[-1], "--shops", ",".join(SHOPS))
    return [sys.executable, "-m", "flows.cli", "backfill", *months, *arguments]


@pytest.fixture(scope="module")
def one_after_the_other(tmp_path_factory: pytest.TempPathFactory, deployed: Deployed) -> dict[str, bytes]:
    """What the same months give on this machine without a container, one run at a time."""
    folder = tmp_path_factory.mktemp("backfill")
    client = deployed.s3.client("administrator")
    for shop in SHOPS:
        write_months(folder / "raw", shop, MONTHS)
        for path in (folder / "raw" / shop).rglob("*.xlsx"):
            month = path.parent.name.replace("-", "/")
            client.put_object(Bucket=BUCKET, Key=f"raw/{shop}/{month}/{path.name}", Body=path.read_bytes())
    places = ("--source", f"{folder}/raw/{{shop}}/{{month}}", "--destination", f"{folder}/prod/{{shop}}")
    done = deployed.command(*backfill(*places, "--processes", "1"), timeout=1200)
    assert done.returncode == 0, done.stderr
    return {str(path.relative_to(folder)): path.read_bytes() for path in (folder / "prod").rglob("*") if path.is_file()}


def published(deployed: Deployed) -> dict[str, bytes]:
    """What stands in the bucket for the two shops."""
    return {key: content for key, content in deployed.published().items() if key.split("/")[1] in SHOPS}


def runs(deployed: Deployed) -> list[dict[str, Any]]:
    """The runs of containers of all backfills so far, in the order of their starts."""
    found = {"flow_runs": {"tags": {"all_": ["backfill"]}, "deployment_id": {"is_null_": False}}}
    return deployed.ask("flow_runs/filter", found | {"sort": "START_TIME_ASC"})


def most_at_once(ended: list[dict[str, Any]]) -> int:
    """How many of these runs went on at the same moment, at most."""
    changes = sorted([(run["start_time"], 1) for run in ended] + [(run["end_time"], -1) for run in ended])
    counts, running = [0], 0
    for _, change in changes:
        running += change
        counts.append(running)
    return max(counts)


def outcomes(stdout: str) -> dict[str, list[str]]:
    """By shop, what came of its months in order."""
    rows = [line.replace("not run", "not-run").split() for line in stdout.splitlines()[1:]]
    return {shop: [row[2] for row in rows if row[0] == shop] for shop in SHOPS}


@pytest.mark.long
def test_a_killed_container_loses_nothing_and_the_next_backfill_only_does_what_is_missing(
    deployed: Deployed, one_after_the_other: dict[str, bytes]
) -> None:
    command = backfill(
        "--deployment", "monthly-sales/backfill",
        "--source", f"s3://{BUCKET}/raw/{{shop}}/{{month:%Y/%m}}", "--destination", f"s3://{BUCKET}/prod/{{shop}}",
    )  # fmt: skip
    running = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], env=deployed.environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def container_of_the_month() -> list[str]:
        for run in runs(deployed):
            if "lyon" in run["tags"] and run["parameters"]["month"] == KILLED and run["state"]["type"] == "RUNNING":
                label = f"label=io.prefect.flow-run-id={run['id']}"
                return deployed.command("docker", "ps", "--quiet", "--filter", label).stdout.split()
        return []

    (container,) = wait_until(container_of_the_month, 600, f"the container of lyon {KILLED}")
    assert deployed.command("docker", "kill", "--signal", "KILL", container).returncode == 0
    stdout, stderr = running.communicate(timeout=1200)
    assert running.returncode == 3, stdout + stderr
    before = MONTHS.index(KILLED)
    done = {
        "lyon": ["published"] * before + ["failed"] + ["not-run"] * (len(MONTHS) - before - 1),
        "paris": ["published"] * len(MONTHS),
    }
    assert outcomes(stdout) == done
    assert "Crashed: " in stdout
    first_runs, first = runs(deployed), published(deployed)
    assert len(first_runs) == before + 1 + len(MONTHS)
    assert first.items() <= one_after_the_other.items()

    again = deployed.command(*command, timeout=1200)
    assert again.returncode == 0, again.stdout + again.stderr
    assert outcomes(again.stdout) == {
        shop: ["unchanged" if outcome == "published" else "published" for outcome in of_shop]
        for shop, of_shop in done.items()
    }
    assert published(deployed) == one_after_the_other
    assert most_at_once(runs(deployed)) == 2
