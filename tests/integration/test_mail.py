"""The month's e-mail through a real mail server with TLS and login."""

import email
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from prefect_email import EmailServerCredentials

from tasks.announcement import mail
from tasks.announcement.mail import Mail, Mailing, parse_recipients, send
from tasks.domain.issues import WrongArgument

if TYPE_CHECKING:
    from email.message import EmailMessage

# With SSL from the first word on, aiosmtpd does not know that it is encrypted.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
RECIPIENTS = ("chef@bottleneck.example", "vins@bottleneck.example")
USER, PASSWORD = "reports@bottleneck.example", "correct horse"


class Inbox:
    """What a mail server received."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as aiosmtpd calls it
        self.messages.append(email.message_from_bytes(envelope.content, policy=default))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
    accepted = isinstance(login, LoginPassword) and (login.login, login.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=accepted, handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem, traditional = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    private = key.private_bytes(pem, traditional, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(pem))
    return path


@pytest.fixture(params=["STARTTLS", "SSL"])
def server(request: pytest.FixtureRequest, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A mail server that wants TLS and a login, its inbox, and the block with its credentials."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    inbox = Inbox()
    options = {"hostname": "127.0.0.1", "port": 0, "authenticator": authenticate, "auth_required": True}
    if request.param == "SSL":
        options |= {"ssl_context": context, "auth_require_tls": False}
    else:
        options |= {"tls_context": context, "require_starttls": True}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        options["port"] = probe.getsockname()[1]
    controller = Controller(inbox, **options)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    controller.start()
    yield (
        inbox,
        EmailServerCredentials(
            username=USER,
            password=PASSWORD,
            smtp_server="127.0.0.1",
            smtp_type=request.param,
            smtp_port=options["port"],
        ),
    )
    controller.stop()


def month_mail(folder: Path, content: bytes = b"PK workbook") -> Mail:
    workbook = folder / "sales_report_2025-05.xlsx"
    workbook.write_bytes(content)
    return Mail(
        subject="Wine sales, snapshot of 15 May 2025: sales fell 22 %",
        body="Sold: €2,466.40",
        workbook=workbook,
        workbook_address="s3://bottleneck/prod/sales_reports/sales_report_2025-05.xlsx",
        message_id="<2025-05.1.0123456789ab@monthly-sales>",
    )


def test_the_workbook_is_attached_and_every_recipient_receives_it(tmp_path: Path, server: Any) -> None:
    inbox, credentials = server
    send(month_mail(tmp_path), Mailing(RECIPIENTS, credentials))
    (message,) = inbox.messages
    assert inbox.recipients == [*RECIPIENTS]
    assert (message["From"], message["Subject"]) == (USER, "Wine sales, snapshot of 15 May 2025: sales fell 22 %")
    assert message["Message-ID"] == "<2025-05.1.0123456789ab@monthly-sales>"
    assert message["Date"].datetime.timestamp() == pytest.approx(time.time(), abs=60)
    (workbook,) = message.iter_attachments()
    assert workbook.get_filename() == "sales_report_2025-05.xlsx"
    assert workbook.get_content_type() == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert workbook.get_content() == b"PK workbook"
    assert message.get_body().get_content().replace("\r\n", "\n") == (
        "Sold: €2,466.40\n\nThe workbook is attached, and published as "
        "s3://bottleneck/prod/sales_reports/sales_report_2025-05.xlsx\n"
    )


@pytest.mark.parametrize(("size", "attached"), [(mail.LARGEST_ATTACHMENT, True), (mail.LARGEST_ATTACHMENT + 1, False)])
def test_a_workbook_that_is_too_large_is_named_by_its_address(tmp_path: Path, size: int, *, attached: bool) -> None:
    message = mail.compose(month_mail(tmp_path, bytes(size)), USER, RECIPIENTS)
    assert len([*message.iter_attachments()]) == attached
    text = message.get_body().get_content()
    assert ("too much for an e-mail" in text) is not attached
    assert "s3://bottleneck/prod/sales_reports/sales_report_2025-05.xlsx" in text


def test_the_message_is_in_the_language_of_the_run(tmp_path: Path) -> None:
    message = mail.compose(replace(month_mail(tmp_path), language="fr"), USER, RECIPIENTS)
    assert "Le classeur est joint, et publié sous s3://" in message.get_body().get_content()


def test_a_wrong_password_is_an_error_of_the_server(tmp_path: Path, server: Any) -> None:
    inbox, credentials = server
    wrong = credentials.model_copy(update={"password": type(credentials.password)("guess")})
    with pytest.raises(OSError, match="535"):
        send(month_mail(tmp_path), Mailing(RECIPIENTS, wrong))
    assert inbox.messages == []


def test_a_certificate_of_an_unknown_authority_is_refused(
    tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, credentials = server
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ssl.SSLCertVerificationError):
        send(month_mail(tmp_path), Mailing(RECIPIENTS, credentials))
    assert inbox.messages == []


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SECONDS_TO_ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        credentials = EmailServerCredentials(smtp_server="127.0.0.1", smtp_type="INSECURE", smtp_port=port)
        with pytest.raises(OSError, match="timed out"):
            send(month_mail(tmp_path), Mailing(RECIPIENTS, credentials))


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", ()),
        ("chef@bottleneck.example", ("chef@bottleneck.example",)),
        (" a@b.example , c@d.example,", ("a@b.example", "c@d.example")),
    ],
)
def test_recipients_are_separated_by_commas(text: str, addresses: tuple[str, ...]) -> None:
    assert parse_recipients(text) == addresses


@pytest.mark.parametrize("text", ["chef", "@host", "chef@", "a@b c@d", "Chef <chef@b.example>", "a@b\nBcc: c@d"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(WrongArgument, match="is not an e-mail address"):
        parse_recipients(text)
