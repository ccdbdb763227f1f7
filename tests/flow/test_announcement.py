"""What is announced of a month: events on a real Prefect server, and an e-mail through a real mail server."""

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL
from prefect_email import EmailServerCredentials
from prefect_server import free_port, wait_until

from flows.monthly_sales import monthly_sales
from tasks.announcement import mail
from tasks.announcement.events import DUE, PUBLISHED, UNCHANGED
from tasks.domain.issues import DataRefused, WrongArgument

SAMPLE = Path(__file__).parents[2] / "data" / "2025-05"

pytestmark = pytest.mark.usefixtures("prefect_server")


def events(destination: Path) -> list[dict[str, Any]]:
    """All events of months at a destination, in their order."""
    EventsWorker.drain_all(timeout=10)
    search = {"filter": {"event": {"prefix": ["monthly-sales."]}, "order": "ASC"}, "limit": 50}
    found = httpx.post(f"{PREFECT_API_URL.value()}/events/filter", json=search, timeout=30).raise_for_status().json()
    return [event for event in found["events"] if event["resource"]["destination"].startswith(str(destination))]


def names(destination: Path, count: int) -> list[str]:
    """Their names; the server stores them a moment after they are sent."""
    return wait_until(
        lambda: (found := [event["event"] for event in events(destination)]) and len(found) >= count and found,
        30,
        "the events",
    )


class Inbox:
    """What a mail server received, or what it answers instead."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as aiosmtpd calls it
        self.contents.append(envelope.content)
        return self.answer


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A mail server, and its credentials in the block of the flow; TLS and login: tests/integration/test_mail.py."""
    inbox, port = Inbox(), free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    EmailServerCredentials(smtp_server="127.0.0.1", smtp_type="INSECURE", smtp_port=port).save(
        mail.BLOCK, overwrite=True
    )
    yield inbox
    controller.stop()


def test_a_missing_mail_server_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with get_client(sync_client=True) as client:
        assert client.read_block_documents_by_type("email-server-credentials") == []
    with pytest.raises(WrongArgument, match="has no block email-server-credentials/monthly-sales"):
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path), email_to="chef@b.example")
    assert list(tmp_path.iterdir()) == []


def test_a_published_month_is_announced_with_its_figures_and_an_unchanged_one_is_not(
    tmp_path: Path, inbox: Inbox
) -> None:
    for _ in range(2):
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path), email_to="chef@b.example")
    assert names(tmp_path, 2) == [PUBLISHED, UNCHANGED]
    published = events(tmp_path)[0]
    payload = published["payload"]
    assert (payload["month"], payload["revision"]) == ("2025-05", 1)
    assert (
        payload["figures"]["revenue"]
        == json.loads((tmp_path / "manifests/2025-05.json").read_text())["figures"]["revenue"]
    )
    assert f"{tmp_path}/sales_reports/sales_report_2025-05.xlsx" in payload["addresses"]
    assert payload["subject"].endswith(payload["headline"])
    assert payload["headline"] in payload["body"]
    (content,) = inbox.contents
    assert b"sales_report_2025-05.xlsx" in content


def test_a_revision_that_is_committed_twice_is_announced_once(tmp_path: Path) -> None:
    """As by two runs at once: the server ignores an event whose id it has."""
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))
    shutil.rmtree(tmp_path / "manifests")
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))
    assert names(tmp_path, 2) == [PUBLISHED, UNCHANGED]


def test_a_mail_server_that_refuses_is_a_warning_and_the_month_is_published(
    tmp_path: Path, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.answer = "554 no"
    with caplog.at_level(logging.WARNING):
        published = monthly_sales(
            month="2025-05", source=str(SAMPLE), destination=str(tmp_path), email_to="chef@b.example"
        )
    assert published.outcome == "published"
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [warning for warning in warnings if warning.startswith("The e-mail was not sent, and is not tried again: ")]


@pytest.mark.parametrize("dry_run", [True, False])
def test_neither_a_dry_run_nor_a_refused_month_announces_anything(
    tmp_path: Path, inbox: Inbox, *, dry_run: bool
) -> None:
    source = tmp_path / "raw"
    shutil.copytree(SAMPLE, source)
    if not dry_run:
        (source / "web.xlsx").unlink()
    given = {"month": "2025-05", "source": str(source), "destination": str(tmp_path / "prod")}
    try:
        monthly_sales(**given, email_to="chef@b.example", dry_run=dry_run)
    except DataRefused:
        assert not dry_run
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path / "prod"))
    assert names(tmp_path, 1) == [PUBLISHED]
    assert inbox.contents == []


@pytest.mark.parametrize("scheduled", [True, False])
def test_a_month_is_due_when_a_schedule_made_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, scheduled: bool
) -> None:
    found = FlowRunContext.get

    def as_scheduled() -> Any:
        context = found()
        if context and context.flow_run:
            context.flow_run.auto_scheduled = scheduled
        return context

    monkeypatch.setattr(FlowRunContext, "get", as_scheduled)
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path))
    assert names(tmp_path, 1 + scheduled) == [DUE, PUBLISHED][not scheduled :]
