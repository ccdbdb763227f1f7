"""deployments/bootstrap.py and deployments/deploy.py on a real Prefect server."""

import os
import re
import subprocess
import sys
import time
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
from prefect.events.worker import EventsWorker
from prefect.flow_engine import run_flow
from prefect.states import Cancelled, Completed, Crashed, Failed, Late, Pending, Running, State
from project import ROOT, read_config, used_deployments
from receiver import Receiver, receiver

from tasks.announcement.events import DUE, PUBLISHED, UNCHANGED, emit_month_event

DOCKER, BACKFILL, BACKFILLS = "monthly-sales/docker", "monthly-sales/backfill", "backfill/docker"
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
    durations = bootstrap.parse_durations([*arguments])
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


def test_bootstrap_reports_what_it_makes_and_makes_it_once(api: str, client: SyncPrefectClient) -> None:
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
    (earlier, *_) = automations.alarms(bootstrap.parse_durations([]), None)
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


@pytest.fixture
def deployed(client: SyncPrefectClient) -> dict[str, Any]:
    """Ids of the deployments of prefect.yaml, without schedules: these need no more than flows of the same names."""
    for _ in bootstrap.make_pool(client, "docker-pool", {}):
        """It exists from here on."""
    flows = {name: client.create_flow_from_name(name) for name in ("monthly-sales", "backfill")}
    return {
        name: client.create_deployment(flows[name.split("/")[0]], name.split("/")[1], work_pool_name="docker-pool")
        for name in (DOCKER, BACKFILL, BACKFILLS)
    }


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
        deploy.update_schedules(client, file, {"monthly-sales", "backfill"})
        return deploy.read_schedules(client, {"monthly-sales", "backfill"})

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


# The shortest time that Prefect accepts for what is expected and does not come.
SECONDS = 10


@pytest.fixture(scope="module")
def messages(api: str) -> Iterator[Receiver]:
    """What the automations send, with their shortest durations."""
    assert api
    with receiver() as server, get_client(sync_client=True) as client:
        CustomWebhookNotificationBlock(
            name="messages",
            url=f"http://127.0.0.1:{server.server_port}",
            json_data={"subject": "{{subject}}", "body": "{{body}}"},
        ).save("messages")
        durations = [option for name in ("silence", "start", "publication") for option in (f"--{name}", str(SECONDS))]
        made(client, *durations, MONTHLY_SALES_NOTIFY="custom-webhook/messages")
        yield server


def after(messages: Receiver, known: int, count: int) -> list[dict[str, str]]:
    """The messages after those that are known: this many, and no other in the time that one would take."""
    deadline = time.monotonic() + 60
    while len(messages.messages) < known + count and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(SECONDS)
    found = messages.messages[known:]
    assert len(found) == count, "\n".join(message["subject"] for message in found)
    return found


def emit_in_a_run(client: SyncPrefectClient, deployment: Any, *events: tuple[str, str, str]) -> None:
    """Events as the flow emits them, from a run of a deployment: name, month, destination."""
    EventsWorker.drain_all(timeout=10)  # one that earlier tests of this process started sends to their server

    @flow(name="monthly-sales")
    def emitting() -> None:
        for event, month, destination in events:
            emit_month_event(
                event, month, destination, {"subject": f"news of {month}", "body": f"{month} is published."}
            )

    run = client.create_flow_run_from_deployment(deployment, state=Pending())
    run_flow(emitting, flow_run=client.read_flow_run(run.id))
    EventsWorker.drain_all(timeout=10)


def test_only_a_publication_of_the_same_month_and_destination_keeps_a_month_from_being_overdue(
    client: SyncPrefectClient, deployed: dict[str, Any], messages: Receiver
) -> None:
    known = len(messages.messages)
    lyon, paris = "s3://lyon/prod", "s3://paris/prod"
    emit_in_a_run(
        client,
        deployed[DOCKER],
        *((DUE, month, lyon) for month in ("2025-05", "2025-06", "2025-07")),
        # The month itself, in its own time or by an earlier run.
        (PUBLISHED, "2025-06", lyon),
        (UNCHANGED, "2025-07", lyon),
        # A backfill of an earlier month, and the same month of another shop.
        (PUBLISHED, "2024-01", lyon),
        (PUBLISHED, "2025-05", paris),
    )
    *news, overdue = after(messages, known, 4)
    assert sorted(message["subject"] for message in news) == [
        f"news of {month}" for month in ("2024-01", "2025-05", "2025-06")
    ]
    assert overdue["subject"] == "monthly-sales 2025-05: overdue"
    assert f"Destination: {lyon}\n" in overdue["body"]
    assert ".venv/bin/prefect deployment run 'monthly-sales/docker' -p month=2025-05" in overdue["body"]
    assert "None" not in overdue["body"]


def exception(text: str) -> str:
    """The message of a run that an exception ended."""
    return f"Flow run encountered an exception: {text}"


def exit_code(code: int) -> str:
    """The message of a run whose container ended."""
    return f"Flow run infrastructure exited with non-zero status code {code}."


# Each as Prefect reports it (tests/docker/test_alerts.py really produces them), and its next step.
BAD_ENDS = {
    "2025-01": (Failed(message=exception("DataRefused: erp.xlsx C2")), "correct the workbooks"),
    "2025-02": (Failed(message=exception("OutsideFailure: no bucket")), "remove the cause that the message names"),
    "2025-03": (Failed(name="TimedOut", message="Flow run exceeded timeout"), "so it hung"),
    "2025-04": (Cancelled(), "nothing, if it was cancelled on purpose"),
    "2025-05": (Crashed(message=exit_code(137)), "OOMKilled"),
    "2025-06": (Crashed(message=exit_code(1)), "in the container's own log"),
    "2025-07": (Crashed(message="No such image"), "does the image exist"),
}


def test_each_bad_end_sends_one_message_that_names_the_month_and_the_next_step(
    client: SyncPrefectClient, deployed: dict[str, Any], messages: Receiver
) -> None:
    known = len(messages.messages)
    expected: dict[str, tuple[str, ...]] = {}

    def run(deployment: str, state: State[Any], subject: str = "", next_step: str = "", **parameters: str) -> None:
        """Put a new run into a state; the message that this is to send."""
        new = client.create_flow_run_from_deployment(deployed[deployment], parameters=parameters, state=Pending())
        client.set_flow_run_state(new.id, state, force=True)
        given = "".join(f" -p {name}={value}" for name, value in parameters.items())
        again = f"To run it again: .venv/bin/prefect deployment run '{deployment}'{given}\n"
        if subject:
            expected[subject] = (
                f"Deployment: {deployment}\n", str(new.id), next_step, "Next: " if "not started" in subject else again,
            )  # fmt: skip

    for month, (state, next_step) in BAD_ENDS.items():
        run(DOCKER, state, f"monthly-sales {month}: the run ended {state.name}", next_step, month=month)
    gone = "is the machine of the worker running"
    run(DOCKER, Running(), "monthly-sales 2025-08: the run ended Crashed", gone, month="2025-08")
    run(DOCKER, Late(), "monthly-sales 2025-09: not started", "start a worker of the pool", month="2025-09")
    run(DOCKER, Pending(), "monthly-sales 2025-10: not started", "can the worker's machine pull", month="2025-10")
    several = {"first": "2024-01", "last": "2025-05"}
    killed, killed_next = BAD_ENDS["2025-05"]
    run(BACKFILLS, killed, "backfill 2024-01 to 2025-05: the run ended Crashed", killed_next, **several)
    # The run of the month has sent the message.
    run(BACKFILLS, Failed(message=exception("MonthNotPublished: 2024-02 is not published, its run x ended")), **several)
    run(DOCKER, Completed(), month="2025-11")

    found = {message["subject"]: message["body"] for message in after(messages, known, len(expected))}
    assert found.keys() == expected.keys()
    for subject, texts in expected.items():
        for text in texts:
            assert text in found[subject], found[subject]
        assert "None" not in found[subject]
