"""The committed prefect.yaml: valid by Prefect's schema, with the parameters, steps and firing times that are meant."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import prefect.settings
import pytest
from prefect.cli.deploy._models import PrefectYamlModel
from prefect.flows import load_flow_from_entrypoint
from prefect.server.schemas.schedules import CronSchedule
from project import ROOT, read_config

PARIS = ZoneInfo("Europe/Paris")
CONFIG = read_config()
DEPLOYMENTS = {f"{each['entrypoint'].partition(':')[2]}/{each['name']}": each for each in CONFIG["deployments"]}
SCHEDULED = [name for name, each in DEPLOYMENTS.items() if "schedules" in each]


def strict_schema() -> dict[str, Any]:
    """What Prefect publishes as schemas/prefect.yaml.schema.json, made as Prefect makes it, with no other key."""
    schema = PrefectYamlModel.model_json_schema()
    for part in (schema, *schema["$defs"].values()):
        part["additionalProperties"] = False
    schema["properties"]["definitions"] = {"type": "object"}  # our own: what the YAML anchors repeat
    return schema


def problems(config: dict[str, Any]) -> list[str]:
    validator = jsonschema.Draft202012Validator(strict_schema())
    return [error.json_path for error in validator.iter_errors(config)]


def test_the_file_is_valid_by_the_schema_that_its_first_line_names() -> None:
    assert problems(CONFIG) == []
    first = (ROOT / "prefect.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=https://")
    assert first.endswith("/PrefectHQ/prefect/main/schemas/prefect.yaml.schema.json")


@pytest.mark.parametrize(
    ("change", "at"),
    [
        pytest.param(lambda docker: docker.update(shedules=docker.pop("schedules")), "$.deployments[0]", id="shedules"),
        pytest.param(
            lambda docker: docker.update(concurrency_limit={"limit": 1, "colision_strategy": "ENQUEUE"}),
            "$.deployments[0].concurrency_limit",
            id="colision_strategy",
        ),
        pytest.param(
            lambda docker: docker["schedules"][0].update(time_zone="Europe/Paris"),
            "$.deployments[0].schedules",
            id="time_zone",
        ),
        pytest.param(
            lambda docker: docker["work_pool"].update(work_queue="backfill"),
            "$.deployments[0].work_pool",
            id="work_queue",
        ),
    ],
)
def test_a_misspelt_key_is_found(change: Any, at: str) -> None:
    config = read_config()
    change(config["deployments"][0])
    assert at in problems(config)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_flow_accepts_the_parameters_of_each_deployment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    flow = load_flow_from_entrypoint(DEPLOYMENTS[name]["entrypoint"])
    parameters = DEPLOYMENTS[name]["parameters"]
    assert parameters.keys() <= flow.parameters.properties.keys()
    # Without a default, they are asked for when the run is made.
    required = dict.fromkeys(flow.parameters.required, "2025-05")
    flow.validate_parameters(required | parameters)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_each_environment_variable_of_prefect_is_a_setting_of_it(name: str) -> None:
    variables = DEPLOYMENTS[name]["work_pool"]["job_variables"]["env"]
    assert [variable for variable in variables if not hasattr(prefect.settings, variable)] == []


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_each_queue_has_a_limit(name: str) -> None:
    queue = DEPLOYMENTS[name]["work_pool"].get("work_queue_name")
    assert queue is None or queue in CONFIG["definitions"]["queue_limits"]


def firings(schedule: dict[str, Any], count: int, start: datetime) -> list[datetime]:
    cron = CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
    return [at.astimezone(PARIS) for at in asyncio.run(cron.get_dates(count, start=start))]


def schedule(slug: str) -> dict[str, Any]:
    (found,) = [each for each in CONFIG["definitions"]["schedules"] if each["slug"] == slug]
    return found


def test_a_run_is_due_on_the_15th_at_nine_in_paris_in_each_of_the_next_24_months() -> None:
    due = firings(schedule("exports-due"), 24, datetime.now(UTC))
    assert {(at.day, at.hour, at.minute) for at in due} == {(15, 9, 0)}
    months = [at.year * 12 + at.month for at in due]
    assert all(after - before == 1 for before, after in pairwise(months))
    assert {at.utcoffset() for at in due} == {PARIS.utcoffset(datetime(2025, month, 15)) for month in (1, 7)}  # noqa: DTZ001


def test_a_schedule_for_late_exports_is_ready_and_inactive() -> None:
    late = schedule("exports-late")
    assert late["active"] is False
    fired = firings(late, 24 * 5, datetime.now(UTC))
    assert {(at.day, at.hour, at.minute) for at in fired} == {(day, 9, 0) for day in range(16, 21)}


def test_the_schedules_are_stated_once_and_belong_to_one_deployment_of_each_pool() -> None:
    assert (ROOT / "prefect.yaml").read_text(encoding="utf-8").count("0 9 15 * *") == 1
    assert SCHEDULED == ["monthly_sales/docker", "monthly_sales/ecs"]
    assert all(DEPLOYMENTS[name]["schedules"] == CONFIG["definitions"]["schedules"] for name in SCHEDULED)


@pytest.mark.parametrize("name", SCHEDULED)
def test_scheduled_runs_wait_for_each_other(name: str) -> None:
    limit = DEPLOYMENTS[name]["concurrency_limit"]
    assert (limit["limit"], limit["collision_strategy"]) == (1, "ENQUEUE")


def test_the_code_of_the_image_is_used_and_each_template_is_filled_by_an_earlier_step() -> None:
    (build, push, pull) = (CONFIG[phase] for phase in ("build", "push", "pull"))
    ids = [options["id"] for step in build for options in step.values()]
    assert ids == ["version", "built"]
    assert [*push[0].values()] == [{"image_name": "{{ built.image_name }}", "tag": "{{ built.tag }}"}]
    assert [*pull[0].values()] == [{"directory": "/opt/monthly-sales"}]
    for each in CONFIG["deployments"]:
        assert each["work_pool"]["job_variables"]["image"] == "{{ built.image }}"
        assert each["version"] == "{{ version.stdout }}"


def test_a_backfill_runs_its_months_through_a_deployment_of_the_same_pool() -> None:
    for name in ("docker", "ecs"):
        backfill = DEPLOYMENTS[f"backfill/{name}"]
        flow, _, months = backfill["parameters"]["deployment"].partition("/")
        assert flow == "monthly-sales"
        assert DEPLOYMENTS[f"monthly_sales/{months}"]["work_pool"]["name"] == backfill["work_pool"]["name"]
