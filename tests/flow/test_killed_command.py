"""The whole command, killed or terminated in the middle of a publication on a real S3 server."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from fault_proxy import Call, CutBefore, Delay, FaultProxy, Request
from hostile.spoiled import SAMPLE
from prefect.client.orchestration import get_client
from prefect.client.schemas.sorting import FlowRunSort
from publishing import s3_environment
from s3_server import S3Server


@pytest.fixture(scope="module")
def undisturbed(s3: S3Server, prefect_server: str) -> dict[str, bytes]:
    """Everything in the bucket after a run that nothing disturbed."""
    bucket = s3.make_bucket("undisturbed")
    assert start(s3, s3.endpoint, bucket, prefect_server).wait(timeout=120) == 0
    return s3.objects(bucket)


def start(s3: S3Server, endpoint: str, bucket: str, api: str) -> subprocess.Popen[bytes]:
    """Start `monthly-sales run` on the sample month."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", "--month", "2025-05", "--source", str(SAMPLE),
         "--destination", f"s3://{bucket}/prod"],
        env=s3_environment(endpoint, s3.keys["publisher"]) | {"PREFECT_API_URL": api},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def is_put(key: str) -> Callable[[Request], bool]:
    """Whether a request writes a key that contains these letters."""
    return lambda request: request.method == "PUT" and key in request.path


@pytest.mark.parametrize(
    ("bucket", "moment"),
    [
        pytest.param("while-storing", is_put("ordinary_wines"), id="while it stores", marks=pytest.mark.long),
        pytest.param("while-committing", is_put("manifests/"), id="as it commits", marks=pytest.mark.long),
        pytest.param("while-showing", is_put("prod/wines/ordinary_wines"), id="while it shows", marks=pytest.mark.long),
    ],
)
def test_a_killed_run_leaves_no_half_and_the_next_one_continues(
    s3: S3Server, undisturbed: dict[str, bytes], prefect_server: str, bucket: str, moment: Callable[[Request], bool]
) -> None:
    s3.make_bucket(bucket)
    with FaultProxy(s3.endpoint) as proxy:
        run = start(s3, proxy.endpoint, bucket, prefect_server)

        def kill() -> None:
            run.kill()
            run.wait()

        proxy.plan(lambda _, seen: Call(kill, then=CutBefore()) if moment(seen) else None)
        run.wait(timeout=120)
    assert run.returncode == -signal.SIGKILL
    names = {key for key in s3.objects(bucket) if not key.startswith("prod/revisions/")}
    assert not names or "prod/manifests/2025-05.json" in names

    assert start(s3, s3.endpoint, bucket, prefect_server).wait(timeout=120) == 0
    assert s3.objects(bucket) == undisturbed


def test_a_run_that_is_terminated_ends_within_ten_seconds(s3: S3Server, prefect_server: str) -> None:
    bucket = s3.make_bucket("terminated")
    with FaultProxy(s3.endpoint) as proxy:
        run = start(s3, proxy.endpoint, bucket, prefect_server)
        stopped: list[float] = []

        def stop() -> None:
            stopped.append(time.monotonic())
            run.terminate()

        slow = is_put("sales_report")
        proxy.plan(lambda _, seen: Call(stop, then=Delay(12)) if slow(seen) and not stopped else None)
        run.wait(timeout=120)
        seconds = time.monotonic() - stopped[0]
    assert seconds < 10
    assert run.returncode != 0
    assert not [key for key in s3.objects(bucket) if "manifests" in key]
    with get_client(sync_client=True) as client:
        state = client.read_flow_runs(limit=1, sort=FlowRunSort.START_TIME_DESC)[0].state_name
    assert state in ("Crashed", "Cancelled")
