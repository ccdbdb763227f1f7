"""Nothing is imported before it is needed: what a command has loaded when it ends, seen in a fresh process."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hostile.spoiled import SAMPLE
from publishing import s3_environment
from s3_server import S3Server

WATCHED = {"prefect", "polars", "fastexcel", "xlsxwriter", "scipy.stats", "prefect_aws", "boto3", "botocore"}
"""Modules that take the time."""

# A module that Python imports at each start where it is on the path; at the end it writes down what has been loaded.
WITNESS = """
import atexit, os, sys
def write():
    if "flows.cli" in sys.orig_argv:
        with open(os.environ["LOADED"], "w") as file:
            file.write("\\n".join(name for name in sys.modules if sys.modules[name] is not None))
atexit.register(write)
"""


def loaded(folder: Path, *arguments: object, server: str = "", environment: Mapping[str, str] = os.environ) -> set[str]:
    """Which of the watched modules a command has loaded when it ends well."""
    (folder / "sitecustomize.py").write_text(WITNESS, encoding="utf-8")
    written = folder / "loaded.txt"
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, arguments)],
        env={**environment, "PREFECT_API_URL": server, "PYTHONPATH": str(folder), "LOADED": str(written)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    modules = set(written.read_text(encoding="utf-8").split())
    assert "argparse" in modules, "the witness saw nothing"
    return modules & WATCHED


def test_a_month_on_this_machine_loads_nothing_of_aws_and_only_the_classification_loads_scipy(
    tmp_path: Path, prefect_server: str
) -> None:
    """A month that is published already, read back and listed, needs no z-score."""
    month, destination = ("--month", "2025-05"), ("--destination", tmp_path / "reports")
    run = ("run", *month, "--source", SAMPLE, *destination)
    there = loaded(tmp_path, *run, server=prefect_server)
    assert there >= {"prefect", "polars", "scipy.stats"}
    assert not there & {"prefect_aws", "boto3", "botocore"}
    assert "scipy.stats" not in loaded(tmp_path, *run, server=prefect_server)
    for command in (("verify", *month), ("list",)):
        there = loaded(tmp_path, *command, *destination)
        assert not there & {"prefect", "scipy.stats", "xlsxwriter", "fastexcel", "boto3", "botocore", "prefect_aws"}


def test_a_month_on_s3_loads_its_client(tmp_path: Path, prefect_server: str, s3: S3Server, bucket: str) -> None:
    for path in SAMPLE.glob("*.xlsx"):
        s3.client().put_object(Bucket=bucket, Key=f"raw/{path.name}", Body=path.read_bytes())
    month, destination = ("--month", "2025-05"), ("--destination", f"s3://{bucket}/reports")
    environment = s3_environment(s3.endpoint, s3.keys["publisher"])
    run = ("run", *month, "--source", f"s3://{bucket}/raw", *destination)
    there = loaded(tmp_path, *run, server=prefect_server, environment=environment)
    assert there >= {"boto3", "scipy.stats"}
    assert "prefect_aws" not in there, "only credentials in a block need it"
    there = loaded(tmp_path, "list", *destination, environment=environment)
    assert not there & {"prefect", "prefect_aws", "scipy.stats"}
