"""What Prefect would deploy without a word and deployments/check.py refuses, on the project's own prefect.yaml."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from check import check

ROOT = Path(__file__).parents[2]
OWN = (ROOT / "prefect.yaml").read_text(encoding="utf-8")
ENVIRONMENT = {"MONTHLY_SALES_IMAGE": "ghcr.io/bottleneck/monthly-sales", "MONTHLY_SALES_BUCKET": "bottleneck"}
NOW = datetime(2025, 6, 20, tzinfo=UTC)
CRON = 'cron: "0 9 15 * *"'
PARIS = "timezone: Europe/Paris"
SCHEDULE = f"""\
    schedules:
      - {CRON} # the 15th of each month at 09:00, when the three exports of the month are there
        {PARIS}
"""


@pytest.fixture(autouse=True)
def project_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    # Entrypoints are looked for from here, as Prefect does.
    monkeypatch.chdir(ROOT)


def faults(folder: Path, old: str = "", new: str = "") -> list[str]:
    """The check's sentences on the project's own file with one passage replaced, where it first stands."""
    assert old in OWN, f"the case is out of date: {old} is not in prefect.yaml"
    path = folder / "prefect.yaml"
    path.write_text(OWN.replace(old, new, 1), encoding="utf-8")
    return check(path, ENVIRONMENT, NOW)


def test_the_project_s_own_file_may_be_deployed(tmp_path: Path) -> None:
    assert faults(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            "    schedules:",
            "    shedules:",
            "deployments[docker].shedules is not a key that Prefect knows; did you mean schedules?\n"
            "No deployment has a schedule.",
            id="shedules",
        ),
        pytest.param(
            "concurrency_limit:",
            "concurency_limit:",
            "deployments[docker].concurency_limit is not a key that Prefect knows; did you mean concurrency_limit?",
            id="concurency_limit",
        ),
        pytest.param(
            "collision_strategy",
            "colision_strategy",
            "deployments[docker].concurrency_limit.colision_strategy is not a key that Prefect knows; "
            "did you mean collision_strategy?",
            id="inside concurrency_limit",
        ),
        pytest.param(
            "work_queue_name:",
            "work_queue:",
            "deployments[backfill].work_pool.work_queue is not a key that Prefect knows; did you mean work_queue_name?",
            id="inside work_pool",
        ),
        pytest.param(
            "timezone:",
            "time_zone:",
            "deployments[docker].schedules[0].time_zone is not a key that Prefect knows; did you mean timezone?",
            id="inside schedules",
        ),
        pytest.param(
            "name: bottleneck-monthly-sales",
            "project: bottleneck-monthly-sales",
            "project is not a key that Prefect knows.",
            id="at the top, like nothing that is known",
        ),
        pytest.param(
            "limit: 1,",
            "limit: one,",
            "deployments[docker].concurrency_limit.limit: Input should be a valid integer, "
            "unable to parse string as an integer.",
            id="a word for a number",
        ),
    ],
)
def test_a_key_that_prefect_would_pass_over_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert "\n".join(faults(tmp_path, old, new)) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            '        image: "{{ built.image }}"\n        env',
            '        imagee: "{{ built.image }}"\n        env',
            "deployments[ecs].work_pool.job_variables.imagee is not a variable of ecs workers; did you mean image?",
            id="imagee",
        ),
        pytest.param(
            "        memory: 2048",
            "        mem_limit: 2g",
            "deployments[ecs].work_pool.job_variables.mem_limit is not a variable of ecs workers.",
            id="a variable of the docker worker",
        ),
        pytest.param(
            "name: ecs-pool",
            "name: fargate",
            "deployments[ecs].work_pool.name: fargate is not named after a type of worker, such as docker-pool.",
            id="pool of no type",
        ),
        pytest.param(
            "work_queue_name: backfill",
            "work_queue_name: backfil",
            "deployments[backfill].work_pool.work_queue_name: backfil has no limit in definitions.queue_limits; "
            "did you mean backfill?",
            id="queue without a limit",
        ),
    ],
)
def test_what_the_pool_would_not_look_at_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert "\n".join(faults(tmp_path, old, new)) == expected


def test_a_setting_that_prefect_does_not_have_is_refused_wherever_it_is_used(tmp_path: Path) -> None:
    assert faults(tmp_path, "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "PREFECT_SERVER_ALLOW_EPHEMERAL") == [
        f"deployments[{name}].work_pool.job_variables.env.PREFECT_SERVER_ALLOW_EPHEMERAL is not a setting of Prefect; "
        "did you mean PREFECT_SERVER_ALLOW_EPHEMERAL_MODE?"
        for name in ("docker", "backfill", "ecs")
    ]


@pytest.mark.parametrize(
    ("old", "new", "place", "fault"),
    [
        pytest.param(
            "name: backfill\n",
            "name: backfill\n    name: refill\n",
            "name: refill",
            "the key name stands twice.",
            id="key that stands twice",
        ),
        pytest.param(
            "deployments:\n",
            "deployments: [\n",
            "- <<: *flow",
            "expected the node content, but found '-'.",
            id="not YAML",
        ),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_with_the_line(
    tmp_path: Path, old: str, new: str, place: str, fault: str
) -> None:
    before, found, _ = OWN.replace(old, new, 1).partition(place)
    assert found
    line = before.count("\n") + 1
    assert faults(tmp_path, old, new) == [f"prefect.yaml, line {line}: {fault}"]


def test_a_file_without_deployments_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, "deployments:\n", "deployment:\n") == ["prefect.yaml has no deployments."]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert check(tmp_path / "prefect.yaml", ENVIRONMENT, NOW) == [
        "prefect.yaml cannot be read: No such file or directory."
    ]


@pytest.mark.parametrize("value", [pytest.param(None, id="unset"), pytest.param("", id="empty")])
@pytest.mark.parametrize(
    ("variable", "places"),
    [
        ("MONTHLY_SALES_IMAGE", ["build[1].prefect_docker.deployments.steps.build_docker_image.image_name"]),
        (
            "MONTHLY_SALES_BUCKET",
            [
                f"deployments[{name}].parameters.{key}"
                for name in ("docker", "backfill", "ecs")
                for key in ("source", "destination")
            ],
        ),
    ],
)
def test_an_environment_variable_without_a_value_is_refused(
    variable: str, value: str | None, places: list[str]
) -> None:
    environment = {name: text for name, text in (ENVIRONMENT | {variable: value}).items() if text is not None}
    assert check(ROOT / "prefect.yaml", environment, NOW) == [
        f"{place} needs the environment variable {variable}, which is not set or empty." for place in places
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            'image_name: "{{ built.image_name }}"',
            'image_name: "{{ picture.image_name }}"',
            "push[0].prefect_docker.deployments.steps.push_docker_image.image_name asks for picture.image_name, "
            "which no step gives; did you mean built.image_name?",
            id="result of no step",
        ),
        pytest.param(
            'tag: "{{ built.tag }}"',
            'tag: "{{ version.tag }}"',
            "push[0].prefect_docker.deployments.steps.push_docker_image.tag asks for version.tag, "
            "which no step gives; did you mean version.stdout?",
            id="result of another step",
        ),
        pytest.param(
            "steps.push_docker_image",
            "steps.publish_docker_image",
            "push: there is no step prefect_docker.deployments.steps.publish_docker_image.",
            id="no such step",
        ),
        pytest.param(
            "prefect.deployments.steps.set_working_directory",
            "prefect_git.set_working_directory",
            "pull: there is no step prefect_git.set_working_directory.",
            id="no such package",
        ),
        pytest.param(
            "directory: /opt/monthly-sales",
            "folder: /opt/monthly-sales",
            "pull: prefect.deployments.steps.set_working_directory does not take folder.\n"
            "pull: prefect.deployments.steps.set_working_directory needs directory.",
            id="option of another name",
        ),
        pytest.param(
            "      id: version\n",
            "      id: version\n      script: date\n  - prefect.deployments.steps.run_shell_script:\n      id: tag\n",
            "build: prefect.deployments.steps.run_shell_script cannot have the id tag, which is the name of a result.",
            id="id that a result overwrites",
        ),
    ],
)
def test_a_step_that_could_not_be_taken_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert "\n".join(faults(tmp_path, old, new)) == expected


@pytest.mark.parametrize(
    ("entrypoint", "reason"),
    [
        pytest.param(
            "flows/monthly_sales.py:monthly_sale",
            "Flow function with name 'monthly_sale' not found in 'flows/monthly_sales.py'.",
            id="no such flow",
        ),
        pytest.param(
            "flows/monthly_sales.py:LONGEST_RUN_SECONDS",
            "Function with name 'LONGEST_RUN_SECONDS' is not a flow. Make sure that it is decorated with '@flow'.",
            id="no flow",
        ),
        pytest.param(
            "flows/monthly.py:monthly_sales",
            f"[Errno 2] No such file or directory: '{ROOT / 'flows' / 'monthly.py'}'.",
            id="no such file",
        ),
    ],
)
def test_an_entrypoint_that_leads_to_no_flow_is_refused(tmp_path: Path, entrypoint: str, reason: str) -> None:
    assert faults(tmp_path, "flows/monthly_sales.py:monthly_sales", entrypoint) == [
        f"deployments[{name}].entrypoint: {entrypoint} gives no flow: {reason}"
        for name in ("docker", "backfill", "ecs")
    ]


def test_an_entrypoint_that_does_not_import_is_refused_with_the_reason(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("import no_such_package\n", encoding="utf-8")
    assert faults(tmp_path, "flows/monthly_sales.py", str(script)) == [
        f"deployments[{name}].entrypoint: {script}:monthly_sales gives no flow: No module named 'no_such_package'."
        for name in ("docker", "backfill", "ecs")
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param(
            "      source:",
            "      sorce:",
            "sorce is not a parameter of the flow; did you mean source?",
            id="no such parameter",
        ),
        pytest.param(
            "      aws_credentials: monthly-sales",
            "      aws_credentials: monthly-sales\n      premium_threshold: high",
            "premium_threshold: Input should be a valid number, unable to parse string as a number.",
            id="word for a number",
        ),
        pytest.param(
            "      aws_credentials: monthly-sales",
            "      aws_credentials: monthly-sales\n      month: 202505",
            "month: Input should be a valid string.",
            id="number for a month",
        ),
    ],
)
def test_a_parameter_that_the_flow_would_not_take_is_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert faults(tmp_path, old, new) == [
        f"deployments[{name}].parameters.{fault}" for name in ("docker", "backfill", "ecs")
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param(
            SCHEDULE,
            f"    schedules:\n      - {CRON}\n",
            "0 9 15 * * in UTC fires at 2025-07-15 11:00 in Paris, and 2025-07-15 09:00 is due.",
            id="no time zone",
        ),
        pytest.param(
            PARIS,
            "timezone: America/New_York",
            "0 9 15 * * in America/New_York fires at 2025-07-15 15:00 in Paris, and 2025-07-15 09:00 is due.",
            id="another time zone",
        ),
        pytest.param(
            PARIS,
            "timezone: Etc/GMT-2",
            "0 9 15 * * in Etc/GMT-2 fires at 2025-11-15 08:00 in Paris, and 2025-11-15 09:00 is due.",
            id="summer time all year",
        ),
        pytest.param(
            PARIS,
            "timezone: Europe/Pariis",
            'Invalid timezone: "Europe/Pariis" (specify in IANA tzdata format, for example, America/New_York).',
            id="no time zone of the world",
        ),
        pytest.param(
            CRON,
            'cron: "0 9 1 * *"',
            "0 9 1 * * in Europe/Paris fires at 2025-07-01 09:00 in Paris, and 2025-07-15 09:00 is due.",
            id="another day",
        ),
        pytest.param(
            CRON,
            'cron: "0 21 15 * *"',
            "0 21 15 * * in Europe/Paris fires at 2025-07-15 21:00 in Paris, and 2025-07-15 09:00 is due.",
            id="another hour",
        ),
        pytest.param(
            CRON,
            'cron: "30 9 15 * *"',
            "30 9 15 * * in Europe/Paris fires at 2025-07-15 09:30 in Paris, and 2025-07-15 09:00 is due.",
            id="another minute",
        ),
        pytest.param(
            CRON,
            'cron: "0 9 15 1-11 *"',
            "0 9 15 1-11 * in Europe/Paris fires at 2026-01-15 09:00 in Paris, and 2025-12-15 09:00 is due.",
            id="a month left out",
        ),
        pytest.param(
            CRON,
            'cron: "0 9 15 * MON"',
            "0 9 15 * MON in Europe/Paris fires at 2025-06-23 09:00 in Paris, and 2025-07-15 09:00 is due.",
            id="or each Monday",
        ),
        pytest.param(
            CRON,
            'cron: "0 9 31 2 *"',
            "0 9 31 2 * in Europe/Paris fires never again, and 2025-07-15 09:00 is due.",
            id="never",
        ),
        pytest.param(CRON, "cron: at nine", 'Invalid cron string: "at nine".', id="no cron"),
        pytest.param(
            SCHEDULE,
            "    schedules:\n      - interval: 2592000\n",
            "a schedule of months is a cron, such as 0 9 15 * *.",
            id="each thirty days",
        ),
    ],
)
def test_a_schedule_that_misses_the_15th_at_nine_in_paris_is_refused(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    assert faults(tmp_path, old, new) == [f"deployments[docker].schedules: {fault}"]


def test_deployments_that_nothing_would_ever_start_are_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, SCHEDULE, "    schedules: []\n") == ["No deployment has a schedule."]


def test_a_schedule_under_prefect_s_older_key_is_looked_at_too(tmp_path: Path) -> None:
    older = "    schedule: { cron: 0 8 15 * *, timezone: Europe/Paris }\n"
    assert "\n".join(faults(tmp_path, SCHEDULE, older)) == (
        "deployments[docker].schedules: 0 8 15 * * in Europe/Paris fires at 2025-07-15 08:00 in Paris, "
        "and 2025-07-15 09:00 is due."
    )


@pytest.mark.parametrize(
    ("image", "code", "output", "errors"),
    [
        pytest.param("ghcr.io/bottleneck/monthly-sales", 0, "prefect.yaml may be deployed.\n", "", id="sound"),
        pytest.param(
            "",
            1,
            "",
            "build[1].prefect_docker.deployments.steps.build_docker_image.image_name needs the environment variable "
            "MONTHLY_SALES_IMAGE, which is not set or empty.\n",
            id="wrong",
        ),
    ],
)
def test_the_command_prints_each_fault_on_a_line_and_fails(
    tmp_path: Path, image: str, code: int, output: str, errors: str
) -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "deployments" / "check.py")],
        cwd=tmp_path,
        env=os.environ | ENVIRONMENT | {"MONTHLY_SALES_IMAGE": image},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (code, output, errors)
