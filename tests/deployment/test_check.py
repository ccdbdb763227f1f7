"""What Prefect deploys without a warning and deployments/check.py refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from check import check
from project import ROOT, read_config

VARIABLES = {"MONTHLY_SALES_IMAGE": "ghcr.io/bottleneck/monthly-sales", "MONTHLY_SALES_BUCKET": "bottleneck"}


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def test_the_project_s_own_file_may_be_deployed() -> None:
    assert check(read_config()) == []


@pytest.mark.parametrize("value", [pytest.param(None, id="unset"), pytest.param("", id="empty")])
@pytest.mark.parametrize("name", VARIABLES)
def test_an_environment_variable_without_a_value_is_refused(
    name: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    assert check(read_config()) == [f"The environment variable {name} is not set or empty, and prefect.yaml needs it."]


@pytest.mark.parametrize(
    ("deployment", "work_pool", "sentence"),
    [
        pytest.param(
            "docker",
            {"name": "docker-pool", "job_variables": {"imagee": "x"}},
            "Deployment docker: imagee is not a job variable of docker workers; did you mean image?",
            id="misspelt",
        ),
        pytest.param(
            "ecs",
            {"name": "ecs-pool", "job_variables": {"mem_limit": "2g"}},
            "Deployment ecs: mem_limit is not a job variable of ecs workers.",
            id="of another worker",
        ),
        pytest.param(
            "ecs",
            {"name": "fargate"},
            "Deployment ecs: fargate is not named after a type of worker, such as docker-pool.",
            id="pool of no type",
        ),
    ],
)
def test_a_job_variable_that_the_worker_ignores_is_refused(
    deployment: str, work_pool: dict[str, object], sentence: str
) -> None:
    config = read_config()
    changed = next(each for each in config["deployments"] if each["name"] == deployment)
    changed["work_pool"] = work_pool
    assert check(config) == [sentence]


@pytest.mark.parametrize(
    ("bucket", "code", "output", "errors"),
    [
        pytest.param("bottleneck", 0, "prefect.yaml may be deployed.\n", "", id="sound"),
        pytest.param(
            "",
            1,
            "",
            "The environment variable MONTHLY_SALES_BUCKET is not set or empty, and prefect.yaml needs it.\n",
            id="wrong",
        ),
    ],
)
def test_the_command_prints_each_problem_on_a_line_and_fails(
    tmp_path: Path, bucket: str, code: int, output: str, errors: str
) -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "deployments" / "check.py")],
        cwd=tmp_path,
        env=os.environ | {"MONTHLY_SALES_BUCKET": bucket},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (code, output, errors)
