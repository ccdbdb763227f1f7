"""What is announced of a month: events on a real Prefect server, and an e-mail through a real mail server."""

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import httpx
import pytest
from aiosmtpd.controller import Controller
from hostile.spoiled import SAMPLE, put, run_flow, spoiled_month
from prefect.client.orchestration import get_client
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL
from prefect_email import EmailServerCredentials
from prefect_server import free_port, wait_until

from flows.monthly_sales import monthly_sales
from tasks.announcement import events, mail
from tasks.announcement.events import DUE, PUBLISHED, UNCHANGED
from tasks.domain.issues import DataRefused, WrongArgument

MAY = {"month": "2025-05", "source": str(SAMPLE)}
MAILED = MAY | {"email_to": "chef@b.example"}


def stored(destination: Path, count: int) -> list[dict[str, Any]]:
    """The events of months at a destination, in their order; the server stores them a moment after they are sent."""
    EventsWorker.drain_all(timeout=10)
    search = {"filter": {"event": {"prefix": ["monthly-sales."]}, "order": "ASC"}, "limit": 50}

    def found() -> list[dict[str, Any]]:
        answer = httpx.post(f"{PREFECT_API_URL.value()}/events/filter", json=search, timeout=30).raise_for_status()
        there = [one for one in answer.json()["events"] if one["resource"]["destination"].startswith(str(destination))]
        return there if len(there) >= count else []

    return wait_until(found, 30, "the events")


class Inbox:
    """What a mail server received, or what it answers instead."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as aiosmtpd calls it
        self.contents.append(envelope.content)
        return self.answer


@pytest.fixture
def inbox(prefect_server: str) -> Iterator[Inbox]:
    """A mail server, and its credentials in the block of the flow; TLS and login: tests/integration/test_mail.py."""
    assert prefect_server
    inbox, port = Inbox(), free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    block = EmailServerCredentials(smtp_server="127.0.0.1", smtp_type="INSECURE", smtp_port=port)
    block.save(mail.BLOCK, overwrite=True)
    yield inbox
    controller.stop()


@pytest.mark.usefixtures("prefect_server")
def test_a_missing_mail_server_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with get_client(sync_client=True) as client:
        assert client.read_block_documents_by_type("email-server-credentials") == []
    with pytest.raises(WrongArgument, match="has no block email-server-credentials/monthly-sales"):
        run_flow(SAMPLE, tmp_path, email_to="chef@b.example")
    assert list(tmp_path.iterdir()) == []


def test_a_month_is_announced_with_its_figures_once_and_an_unchanged_one_is_not(tmp_path: Path, inbox: Inbox) -> None:
    """A revision that is committed twice, as by two runs at once, is announced once: the event has the same id."""
    monthly_sales(destination=str(tmp_path), **MAILED)
    figures = json.loads((tmp_path / "manifests/2025-05.json").read_text())["figures"]
    shutil.rmtree(tmp_path / "manifests")
    for _ in range(2):
        monthly_sales(destination=str(tmp_path), **MAY)
    published, unchanged = stored(tmp_path, 2)
    assert (published["event"], unchanged["event"]) == (PUBLISHED, UNCHANGED)
    payload = published["payload"]
    assert (payload["month"], payload["revision"]) == ("2025-05", 1)
    assert payload["figures"]["revenue"] == figures["revenue"]
    assert f"{tmp_path}/sales_reports/sales_report_2025-05.xlsx" in payload["addresses"]
    assert payload["subject"].endswith(payload["headline"])
    assert payload["headline"] in payload["body"]
    (content,) = inbox.contents
    assert b"sales_report_2025-05.xlsx" in content


def test_a_mail_server_that_refuses_is_a_warning_and_the_month_is_published(
    tmp_path: Path, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.answer = "554 no"
    with caplog.at_level(logging.WARNING):
        published = monthly_sales(destination=str(tmp_path), **MAILED)
    assert published.outcome == "published"
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [warning for warning in warnings if warning.startswith("The e-mail was not sent, and is not tried again: ")]


def test_neither_a_dry_run_nor_a_refused_month_announces_anything(tmp_path: Path, inbox: Inbox) -> None:
    refused = spoiled_month(tmp_path / "source", put("erp", "price", 0))
    with mock.patch.object(events, "emit_event") as emitted:
        run_flow(SAMPLE, tmp_path / "prod", email_to="chef@b.example", dry_run=True)
        with pytest.raises(DataRefused):
            run_flow(refused, tmp_path / "prod", email_to="chef@b.example")
    assert emitted.call_args_list == []
    assert inbox.contents == []


@pytest.mark.parametrize("scheduled", [True, False])
def test_a_month_is_due_when_a_schedule_made_its_run(tmp_path: Path, *, scheduled: bool) -> None:
    run = SimpleNamespace(flow_run=SimpleNamespace(auto_scheduled=scheduled))
    with (
        mock.patch.object(events, "emit_event") as emitted,
        mock.patch.object(events, "FlowRunContext", SimpleNamespace(get=lambda: run)),
    ):
        run_flow(SAMPLE, tmp_path)
    assert [call.args[0] for call in emitted.call_args_list] == [DUE, PUBLISHED][not scheduled :]
