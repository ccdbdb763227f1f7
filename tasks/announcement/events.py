"""Events of a month on the Prefect server. The automations of deployments/automations.py react to them."""

from typing import Any

from prefect.events import emit_event

PREFIX = "monthly-sales"
DUE = f"{PREFIX}.due"
"""A scheduled run of the month began."""

PUBLISHED = f"{PREFIX}.published"
"""A run committed a revision of the month."""

UNCHANGED = f"{PREFIX}.unchanged"
"""A run found that what it was to publish is published."""


def month_resource(month: str, destination: str) -> dict[str, str]:
    """What all events of a month at one destination are about: the same id for each of them."""
    return {
        "prefect.resource.id": f"{PREFIX}.{month}.{destination}",
        "prefect.resource.name": f"{month} at {destination}",
        "month": month,
        "destination": destination,
    }


def emit_month_event(event: str, month: str, destination: str, payload: dict[str, Any] | None = None) -> None:
    """Send one of these events. Prefect adds the run, its flow and its deployment as related resources.

    Args:
        event: `DUE`, `PUBLISHED` or `UNCHANGED`.
        month: The month's label.
        destination: Where it is published, as the run's parameter gives it.
        payload: What an automation can put into a message.
    """
    emit_event(event, month_resource(month, destination), payload=payload or {})
