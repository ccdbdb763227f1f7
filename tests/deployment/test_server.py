"""deployments/bootstrap.py and deployments/deploy.py on a real Prefect server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from unittest import mock

import automations
import bootstrap
import deploy
import pytest
from deploy import Schedule
from prefect import flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_server import prefect_server
from project import ROOT, read_config, used_deployments

DOCKER, BACKFILL = "monthly-sales/docker", "monthly-sales/backfill"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("server")) as url, temporary_settings({PREFECT_API_URL: url}):
        yield url


@pytest.fixture
def client(api: str) -> Iterator[SyncPrefectClient]:
    assert api
    with get_client(sync_client=True) as found:
        yield found


KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


def command(api: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type the command, with no variable that the tests' own environment may contain."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MONTHLY_SALES_"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "deployments" / "bootstrap.py"), *arguments],
        env=own | {"PREFECT_API_URL": api} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def made(client: SyncPrefectClient, *arguments: str, **environment: str) -> list[str]:
    """What the same makes, without the start of a process."""
    durations = bootstrap.parse_durations([*arguments], bootstrap.default_durations(read_config()))
    with mock.patch.dict(os.environ, environment):
        return [*bootstrap.bootstrap(client, durations)]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        pytest.param(
            {"MONTHLY_SALES_NOTIFY": "slack-webhook/nobody"},
            "The server has no block slack-webhook/nobody (MONTHLY_SALES_NOTIFY): make it in the dashboard under",
            id="no such block",
        ),
        pytest.param(
            {"MONTHLY_SALES_NOTIFY": "monthly-sales"}, "The server has no block monthly-sales", id="no type/name"
        ),
        pytest.param(
            {"MONTHLY_SALES_NOTIFY": "secret/no-messages"},
            "The block secret/no-messages (MONTHLY_SALES_NOTIFY) sends no notifications",
            id="a block that sends nothing",
        ),
        pytest.param(
            {"AWS_SECRET_ACCESS_KEY": ""},
            "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither.",
            id="half of a key",
        ),
    ],
)
def test_what_is_missing_is_one_sentence_before_anything_is_made(
    client: SyncPrefectClient, environment: dict[str, str], sentence: str
) -> None:
    Secret(value="x").save("no-messages", overwrite=True)
    with pytest.raises(bootstrap.Unprepared, match=re.escape(sentence)):
        made(client, **KEYS | environment)
    assert client.read_work_pools() == []
    assert client.read_automations() == []


def test_bootstrap_says_what_it_makes_and_makes_it_once(api: str, client: SyncPrefectClient) -> None:
    refused = command(api, MONTHLY_SALES_NOTIFY="custom-webhook/alerts")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert refused.stderr.endswith(" Nothing was made.\n")
    block = CustomWebhookNotificationBlock(name="alerts", url="http://127.0.0.1:9", json_data={"text": "{{body}}"})
    block.save("alerts")
    environment = KEYS | {"MONTHLY_SALES_NOTIFY": "custom-webhook/alerts"}
    first = command(api, **environment)
    assert first.stdout.splitlines() == [
        "Work pool docker-pool made.",
        "Work queue docker-pool/backfill made.",
        "Work queue docker-pool/backfill limited to 2 runs at once.",
        "Block aws-credentials/monthly-sales saved.",
        'Automation "monthly-sales: crash runs without heartbeats" made.',
        'Automation "monthly-sales: a run ended badly" made.',
        'Automation "monthly-sales: a run does not start" made.',
        'Automation "monthly-sales: a month is overdue" made.',
        'Automation "monthly-sales: a month is published" made.',
    ], first.stderr
    second = command(api, **environment)
    assert (second.returncode, second.stdout) == (0, "Everything exists already. Nothing was made.\n"), second.stderr

    rotated = environment | {"AWS_SECRET_ACCESS_KEY": "another"}
    assert made(client, **rotated) == ["Block aws-credentials/monthly-sales saved."]
    assert made(client, "--start", "600", **rotated) == [
        'Automation "monthly-sales: a run does not start" changed.',
    ]
    (earlier, *_) = automations.alarms(bootstrap.default_durations(read_config()), None)
    client.create_automation(earlier.model_copy(update={"name": "monthly-sales: failed"}))
    assert made(client, "--start", "600", **rotated) == [
        'Automation "monthly-sales: failed" of an earlier version deleted.'
    ]
    # Docker is used, so no pool of ECS is on the front page.
    assert [pool.name for pool in client.read_work_pools()] == ["docker-pool"]


def test_a_server_that_does_not_answer_is_one_sentence() -> None:
    done = command("http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES="0")
    assert done.returncode == 1
    assert done.stderr.startswith("The Prefect server at http://127.0.0.1:9/api does not answer, or refuses: ")
    assert done.stderr.count("\n") == 1


@flow(name="monthly-sales")
def stand_in() -> None:
    """A flow of the same name: schedules need no more."""


@pytest.fixture
def deployed(client: SyncPrefectClient) -> dict[str, Any]:
    """Ids of the deployments, without schedules."""
    flow_id = client.create_flow(stand_in)
    return {name: client.create_deployment(flow_id, name.partition("/")[2]) for name in (DOCKER, BACKFILL)}


def test_the_schedules_of_the_server_equal_prefect_yaml(client: SyncPrefectClient, deployed: dict[str, Any]) -> None:
    wanted = deploy.wanted_schedules(used_deployments(read_config()))
    nothing: deploy.Schedules = {name: set() for name in deployed}
    assert wanted == nothing | {
        DOCKER: {
            Schedule("exports-due", "0 9 15 * *", "Europe/Paris", active=True),
            Schedule("exports-late", "0 9 16-20 * *", "Europe/Paris", active=False),
        }
    }

    def after(file: deploy.Schedules) -> deploy.Schedules:
        deploy.equalise(client, file, {"monthly-sales"})
        return deploy.read_schedules(client, {"monthly-sales"})

    assert after(wanted) == wanted
    moved = nothing | {BACKFILL: wanted[DOCKER]}
    assert after(moved) == moved
    assert after(wanted) == wanted
    # Changed in the dashboard: the file counts.
    for one in client.read_deployment_schedules(deployed[DOCKER]):
        client.update_deployment_schedule(deployed[DOCKER], one.id, active=not one.active)
    assert after(wanted) == wanted
    # Deployments that are no longer in the file keep no schedule.
    assert after({}) == nothing


def test_what_changed_is_said() -> None:
    due = Schedule("exports-due", "0 9 15 * *", "Europe/Paris", active=True)
    paused = due._replace(active=False)
    assert deploy.changes({DOCKER: {paused}, BACKFILL: {due}}, {DOCKER: {due}, BACKFILL: set()}) == [
        "monthly-sales/backfill: schedule exports-due (0 9 15 * *, Europe/Paris) removed",
        "monthly-sales/docker: schedule exports-due (0 9 15 * *, Europe/Paris, inactive) removed",
        "monthly-sales/docker: schedule exports-due (0 9 15 * *, Europe/Paris) added",
    ]
