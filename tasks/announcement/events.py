"""Events of a month on the Prefect server. The automations of deployments/automations.py react to them."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from prefect.context import FlowRunContext
from prefect.events import emit_event

from tasks.storage.protocol import Storage

PREFIX = "monthly-sales"
DUE = f"{PREFIX}.due"
"""A scheduled run of the month began."""

PUBLISHED = f"{PREFIX}.published"
"""A run committed a revision of the month."""

UNCHANGED = f"{PREFIX}.unchanged"
"""A run found its month published already."""


def emit_due(month: str, destination: Storage) -> None:
    """Send `DUE` from a run that a schedule started; a run by hand or of a backfill sends nothing."""
    context = FlowRunContext.get()
    if context and context.flow_run and context.flow_run.auto_scheduled:
        emit_month_event(DUE, month, destination.address(""))


def emit_month_event(
    event: str, month: str, destination: str, payload: dict[str, Any] | None = None, key: str = ""
) -> None:
    """Send an event. Prefect adds the run, its flow and its deployment as related resources.

    Args:
        event: `DUE`, `PUBLISHED` or `UNCHANGED`.
        month: The month's label.
        destination: Where it is published; events of one month at one destination have the same resource.
        payload: What an automation can put into a message.
        key: Identifies the event: the server ignores a second one with the same key. Empty: it ignores none.
    """
    resource = {
        "prefect.resource.id": f"{PREFIX}.{month}.{destination}",
        "prefect.resource.name": f"{month} at {destination}",
        "month": month,
        "destination": destination,
    }
    emit_event(event, resource, payload=payload or {}, id=uuid5(NAMESPACE_URL, f"{event}/{key}") if key else None)
