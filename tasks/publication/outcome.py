"""The outcome of a run in words."""

from typing import Literal

from tasks.messages import Messages, mark
from tasks.publication.manifest import Revision

Outcome = Literal["published", "unchanged", "superseded", "checked"]


def outcome_sentence(outcome: Outcome, month: str, revision: int, change: str, text: Messages) -> str:
    """The outcome in one sentence.

    Args:
        outcome: What the run did.
        month: The label of the snapshot.
        revision: The revision that counts.
        change: What changed since the revision before; empty for the first.
        text: The language of the run.
    """
    if outcome == "unchanged":
        message = mark("{month} is already published (revision {revision}), nothing changed.")
    elif outcome == "superseded":
        message = mark("{month} was published, and another run has published revision {revision} since.")
    elif outcome == "checked":
        message = mark("{month} is checked, nothing was published: it would be revision {revision}.")
    else:
        message = mark("{month} is published (revision {revision}).")
    sentence = text.gettext(message, month=month, revision=revision)
    if outcome not in {"published", "checked"} or not change:
        return sentence
    since = mark("Since revision {revision}: {change}.")
    return f"{sentence} {text.gettext(since, revision=revision - 1, change=change)}"


def describe_change(before: Revision, after: Revision, text: Messages) -> str:
    """What differs between two revisions of a month: `total revenue to date €70,568.60 → €70,612.10, +2 products`."""
    was, now = before.figures, after.figures
    if was.revenue is None or now.revenue is None:
        return ""  # schema version 1
    changes = []
    if was.revenue != now.revenue:
        message = mark("total revenue to date {before} → {now}")
        changes.append(text.gettext(message, before=was.revenue, now=now.revenue))
    if more := (now.units or 0) - (was.units or 0):
        change = text.number_change(more)
        changes.append(text.ngettext("{change} bottle", "{change} bottles", abs(more), change=change))
    if more := (now.products or 0) - (was.products or 0):
        change = text.number_change(more)
        changes.append(text.ngettext("{change} product", "{change} products", abs(more), change=change))
    if more := (now.premium or 0) - (was.premium or 0):
        change = text.number_change(more)
        changes.append(text.ngettext("{change} premium wine", "{change} premium wines", abs(more), change=change))
    known = [snapshot.id for snapshot in before.earlier_snapshots]
    if months := [snapshot.month for snapshot in after.earlier_snapshots if snapshot.id not in known]:
        changes.append(text.gettext("compared with a new result of {months}", months=", ".join(months)))
    return ", ".join(changes) or text.gettext("the same figures to date")
