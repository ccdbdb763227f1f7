"""Announce a published month: the text of messages, and the events that contain it."""

from dataclasses import asdict
from typing import Any

import pydantic

from tasks.announcement.events import PUBLISHED, UNCHANGED, emit_month_event
from tasks.publication.publisher import PublishedMonth
from tasks.storage.protocol import Storage


def emit_published(published: PublishedMonth, destination: Storage) -> None:
    """Send `PUBLISHED`, once for each revision: the server ignores a second event of the same id."""
    address, headline = destination.address(""), published.headline
    payload = {
        "subject": news_subject(published),
        "body": news_body(published),
        "month": published.month,
        "revision": published.revision,
        "period": headline.period,
        "headline": headline.news,
        "figures": pydantic.TypeAdapter(dict[str, Any]).dump_python(asdict(published.figures), mode="json"),
        "addresses": list(published.addresses),
        "link": published.link,
    }
    emit_month_event(
        PUBLISHED, published.month, address, payload, key=f"{address}{published.month}/{published.revision}"
    )


def emit_unchanged(published: PublishedMonth, destination: Storage) -> None:
    """Send `UNCHANGED`: the month is not overdue."""
    emit_month_event(UNCHANGED, published.month, destination.address(""))


def news_subject(published: PublishedMonth) -> str:
    """A published month in one line."""
    return f"{published.headline.title}: {published.headline.news}"


def news_body(published: PublishedMonth) -> str:
    """A published month in plain text: the figures with their changes, and where the workbook and the files are."""
    addresses = filter(None, [published.link, *published.addresses])
    return "\n".join([published.sentence, "", *published.headline.sentences(), "", *addresses])
