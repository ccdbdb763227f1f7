"""The published month by e-mail, with the workbook attached, for people who do not open the destination."""

import mimetypes
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

import httpx

from tasks.announcement.news import news_body, news_subject
from tasks.domain.issues import OutsideFailure, WrongArgument
from tasks.domain.parameters import Language
from tasks.messages import mark, messages_in
from tasks.publication.publisher import PublishedMonth
from tasks.report.files import ReportFiles

if TYPE_CHECKING:
    from prefect_email import EmailServerCredentials

BLOCK = "monthly-sales"
"""The block email-server-credentials/monthly-sales on the Prefect server."""

LARGEST_ATTACHMENT = 10_000_000
"""In bytes. Mail servers refuse messages above 10 to 25 MB, and the encoding adds a third to an attachment."""

SECONDS_TO_ANSWER = 30


@dataclass(frozen=True)
class Mailing:
    """The recipients of the published workbook, and the mail server.

    Attributes:
        recipients: Their addresses.
        server: The credentials of the mail server.
    """

    recipients: tuple[str, ...]
    server: "EmailServerCredentials"


@dataclass(frozen=True)
class Mail:
    """One message.

    Attributes:
        subject: One line.
        body: Plain text.
        workbook: The file to attach.
        workbook_address: Where the file is published; it is in the message.
        message_id: The same for the same revision, so that mail programs show it once.
        language: The language of the message.
    """

    subject: str
    body: str
    workbook: Path
    workbook_address: str
    message_id: str
    language: Language = "en"


def month_mail(published: PublishedMonth, files: ReportFiles) -> Mail:
    """The message about a published month."""
    (address,) = [one for one in published.addresses if one.endswith(files.workbook)]
    return Mail(
        subject=news_subject(published),
        body=news_body(published),
        workbook=files.path(files.workbook),
        workbook_address=address,
        message_id=f"<{uuid5(NAMESPACE_URL, f'{address}/{published.revision}')}@monthly-sales>",
        language=published.headline.language,
    )


def parse_recipients(addresses: str) -> tuple[str, ...]:
    """The addresses in a text, separated by commas.

    Raises:
        WrongArgument: One of them is not an e-mail address.
    """
    recipients = tuple(address.strip() for address in addresses.split(",") if address.strip())
    for address in recipients:
        name, at, host = address.rpartition("@")
        if not (name and at and host) or any(sign in address for sign in ' \t\r\n<>"'):
            raise WrongArgument(f'email_to: "{address}" is not an e-mail address. Separate several by commas.')
    return recipients


def find_mailing(addresses: str) -> Mailing | None:
    """The recipients and the mail server of a run; None without recipients.

    Raises:
        WrongArgument: An address is not an e-mail address, or the server has no block with the credentials.
        OutsideFailure: The Prefect server does not answer.
    """
    recipients = parse_recipients(addresses)
    if not recipients:
        return None
    from prefect_email import EmailServerCredentials  # noqa: PLC0415 - only for runs that send

    try:
        return Mailing(recipients, EmailServerCredentials.load(BLOCK))
    except ValueError:
        raise WrongArgument(
            f"email_to: the Prefect server has no block email-server-credentials/{BLOCK}. Make it in the dashboard "
            "under Blocks."
        ) from None
    except (httpx.HTTPError, RuntimeError) as error:
        reason = type(error).__name__
        raise OutsideFailure(
            f"the Prefect server did not return the credentials of the mail server: {reason}."
        ) from None


def compose(mail: Mail, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """The message with its attachment; without it if the workbook is too large."""
    message = EmailMessage()
    message["From"], message["To"] = sender, ", ".join(recipients)
    message["Subject"], message["Date"], message["Message-ID"] = mail.subject, formatdate(), mail.message_id
    size, text = mail.workbook.stat().st_size, messages_in(mail.language)
    is_attached, address = size <= LARGEST_ATTACHMENT, mail.workbook_address
    if is_attached:
        last = text.gettext("The workbook is attached, and published as {address}", address=address)
    else:
        too_large = mark("The workbook has {size} MB, too much for an e-mail: {address}")
        last = text.gettext(too_large, size=round(size / 1e6), address=address)
    message.set_content(f"{mail.body}\n\n{last}\n")
    if not is_attached:
        return message
    kind, _, subtype = (mimetypes.guess_type(mail.workbook.name)[0] or "application/octet-stream").partition("/")
    message.add_attachment(mail.workbook.read_bytes(), maintype=kind, subtype=subtype, filename=mail.workbook.name)
    return message


def send(mail: Mail, mailing: Mailing) -> None:
    """Send the message through the server of a credentials block.

    Prefect's own task sets no time-out, date or id.

    Raises:
        OSError: The server does not answer, or refuses (`smtplib.SMTPException` is an OSError).
    """
    server = mailing.server
    host = getattr(server.smtp_server, "value", str(server.smtp_server))
    user = server.username or ""
    message = compose(mail, user if "@" in user else f"monthly-sales@{host}", mailing.recipients)
    with _connect(server, host) as connection:
        if user:
            connection.login(user, server.password.get_secret_value())
        connection.send_message(message)


def _connect(server: "EmailServerCredentials", host: str) -> smtplib.SMTP:
    kind = getattr(server.smtp_type, "name", str(server.smtp_type))
    port = server.smtp_port or int(getattr(server.smtp_type, "value", 0))
    context = ssl.create_default_context()
    if not server.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if kind == "SSL":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS_TO_ANSWER, context=context)
    connection = smtplib.SMTP(host, port, timeout=SECONDS_TO_ANSWER)
    if kind == "STARTTLS":
        connection.starttls(context=context)
    return connection
