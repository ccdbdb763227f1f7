"""What the automations of a deployment send, and how a test reads it."""

from collections.abc import Iterator

import pytest
from deployed import Deployed
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_server import wait_until
from receiver import Receiver, receiver

START = 90
"""Seconds until a run must have begun. On a machine with ten times too much to do a container took fifty."""

SILENCE = 75
"""Seconds without a heartbeat; one comes each 30."""


@pytest.fixture(scope="session")
def messages(deployed: Deployed) -> Iterator[Receiver]:
    """What the alerts send, with durations of seconds."""
    with receiver() as server:
        block = CustomWebhookNotificationBlock(
            name="alerts",
            url=f"http://127.0.0.1:{server.server_port}",
            json_data={"subject": "{{subject}}", "body": "{{body}}"},
        )
        with temporary_settings({PREFECT_API_URL: deployed.api}):
            block.save("alerts")
        done = deployed.command(
            "make",
            "bootstrap",
            f"BOOTSTRAP=--start {START} --silence {SILENCE}",
            "MONTHLY_SALES_NOTIFY=custom-webhook/alerts",
        )
        assert 'Automation "monthly-sales: a run ended badly" made.' in done.stdout, done.stdout + done.stderr
        yield server


def alerts(messages: Receiver) -> list[dict[str, str]]:
    """The messages about months that were not published."""
    return [message for message in messages.messages if message["subject"].startswith(("monthly-sales ", "backfill "))]


def expect(messages: Receiver, subject: str, *texts: str, deployment: str = "monthly-sales/backfill") -> None:
    """One message with this subject and these texts. It is taken out, so that what is left was not expected."""
    found = wait_until(lambda: [each for each in alerts(messages) if each["subject"] == subject], 3 * START, subject)
    messages.messages.remove(found[0])
    for text in (*texts, f"Deployment: {deployment}\n", "Next: "):
        assert text in found[0]["body"], found[0]["body"]
    assert "None" not in found[0]["body"]
