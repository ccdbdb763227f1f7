"""Notify people of a published month, at most once for each revision."""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import httpx
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
from prefect.exceptions import PrefectException

from tasks.domain.issues import OutsideFailure, WrongArgument
from tasks.messages import Messages, messages_in
from tasks.publication.publisher import PublishedMonth
from tasks.results import WrittenReport
from tasks.run import Run
from tasks.storage.local import file_facts
from tasks.storage.protocol import ConflictError, Link

LINK_DAYS = 7
"""The longest that S3 allows."""


class Message(NamedTuple):
    """A notification."""

    subject: str
    body: str


def check_block_name(name: str) -> None:
    """Refuse what cannot be the name of a block, before anything is asked of a server.

    Raises:
        WrongArgument: It is not `type/name`.
    """
    kind, _, own = name.partition("/")
    if name and not (kind and own):
        raise WrongArgument(
            f'"{name}" is not the name of a notification block. Write it as type/name, such as '
            "slack-webhook/monthly-sales."
        )


def notification_block(name: str) -> NotificationBlock | None:
    """The block of this name; None for no name.

    Raises:
        WrongArgument: There is no such block, or it cannot notify.
        OutsideFailure: The Prefect server does not answer.
    """
    check_block_name(name)
    if not name:
        return None
    try:
        block = Block.load(name)
    except (ValueError, PrefectException):
        raise WrongArgument(f'There is no block "{name}" on the Prefect server, or it is not complete.') from None
    except (httpx.HTTPError, RuntimeError) as error:
        reason = type(error).__name__
        raise OutsideFailure(f'the block "{name}" cannot be read from the Prefect server: {reason}.') from None
    if not isinstance(block, NotificationBlock):
        raise WrongArgument(f'The block "{name}" sends no notifications. Name one that does, such as a Slack webhook.')
    return block


def notify_once(block: NotificationBlock, published: PublishedMonth, written: WrittenReport, run: Run) -> str:
    """Send the notification of this revision unless it was sent before, and return a sentence about it.

    The marker is written first, so of two runs that publish the same revision one sends the message. If the run is
    killed between the marker and the message, no message is sent.

    Raises:
        OutsideFailure: The destination does not take the marker; nothing is sent.
        Exception: Whatever the block raises; it is not tried again.
    """
    marker = run.folder / "notified"
    marker.write_text(f"{published.month}, revision {published.revision}\n", encoding="utf-8")
    try:
        run.destination.create(f"notified/{published.month}/{published.revision}", marker, file_facts(marker))
    except ConflictError:
        return f"Revision {published.revision} of {published.month} was notified before."
    links = [(name, run.destination.link(name, LINK_DAYS)) for name in written.files.names]
    message = compose(published, links, messages_in(run.parameters.language))
    sending: object = block.notify(message.body, message.subject)
    if isinstance(sending, Coroutine):  # Prefect's own blocks send here and now, others may be asynchronous
        asyncio.run(sending)
    return f"Revision {published.revision} of {published.month} is notified."


def compose(published: PublishedMonth, links: Sequence[tuple[str, Link | None]], text: Messages) -> Message:
    """The notification in plain text: the news, the figures with their changes, and where the files are.

    Args:
        published: What was published.
        links: Each file that people open, with a link where the store has one.
        text: The language of the run.
    """
    body = [published.sentence, "", *published.headline.sentences(), ""]
    if any(link for _, link in links):
        body += [f"{PurePosixPath(name).name}: {link.url}" for name, link in links if link]
        body += [_validity([link for _, link in links if link], text)]
    else:
        body += list(published.addresses)
    return Message(f"{published.headline.title}: {published.headline.news}", "\n".join(body))


def _validity(links: Sequence[Link], text: Messages) -> str:
    if any(link.ends_with_credentials for link in links):
        return text.gettext(
            "Anyone who has a link can open the file, until the credentials of the run expire: some hours."
        )
    return text.ngettext(
        "Anyone who has a link can open the file, for {count} day.",
        "Anyone who has a link can open the file, for {count} days.",
        LINK_DAYS,
    )
