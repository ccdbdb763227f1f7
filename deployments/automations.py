"""The automations of the Prefect server: which events make which message. `bootstrap.py` creates them.

A month that ends without being published sends one message, which states the month, the deployment, what happened and
what to do next. Plans limit the number of automations, so the text comes from the state of the run.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from tasks.announcement.events import DUE, PREFIX, PUBLISHED, UNCHANGED

FLOW = "monthly-sales"


@dataclass(frozen=True)
class Durations:
    """How long something may take before it is an alert.

    Attributes:
        silence: Without a heartbeat of a run.
        start: From the due time of a run, or from the moment a worker took it, until it runs.
        publication: From the start of a scheduled run until its month is published.
    """

    silence: timedelta
    start: timedelta
    publication: timedelta


def alarms(durations: Durations, block: UUID | None) -> list[AutomationCore]:
    """All automations; without a notification block only the one that ends runs whose container is gone."""
    automations = [_crash_silent_runs(durations.silence)]
    if block:
        automations += [_bad_end(block), _not_started(durations.start, block), _overdue(durations.publication, block)]
        automations += [_published(block)]
    return automations


_RUNS = {"prefect.resource.id": "prefect.flow-run.*"}
_OUR_FLOW = {"prefect.resource.role": "flow", "prefect.resource.name": FLOW}
# A run from someone's terminal is no alert: who started it reads how it ended.
_A_DEPLOYMENT = {"prefect.resource.role": "deployment"}


def _crash_silent_runs(silence: timedelta) -> AutomationCore:
    return AutomationCore(
        name=f"{FLOW}: crash runs without heartbeats",
        description="A container that was killed together with its machine cannot report its end.",
        trigger=EventTrigger(
            match=_RUNS,
            # Runs of a deployment send heartbeats as often as prefect.yaml states.
            match_related=[_OUR_FLOW, _A_DEPLOYMENT],
            after={"prefect.flow-run.Running", "prefect.flow-run.heartbeat"},
            # Another heartbeat, or any change of state, whatever the state's name.
            expect={"prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            within=silence,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=_NO_HEARTBEATS)],
    )


_NO_HEARTBEATS = "No heartbeats: the machine that ran it is gone, or has no connection to the Prefect server."

# The run's name contains the month once it runs. Before, the month is its parameter, or that of its due time.
_MONTH = (
    "{% set named = flow_run.name.removeprefix('" + FLOW + "-') %}"
    "{% set month = named if named != flow_run.name else"
    " flow_run.parameters.month or flow_run.expected_start_time.strftime('%Y-%m') %}"
)
_RUN = (
    "Deployment: " + FLOW + "/{{ deployment.name }}\n"
    "Run: {{ flow_run.name }} ({{ flow_run.id }})"
    "{% if flow_run|ui_url %}\n{{ flow_run|ui_url }}{% endif %}"
)
_RUN_OF = ".venv/bin/prefect deployment run '" + FLOW + "/{{ deployment.name }}' -p month="
_AGAIN = f"run the month again: {_RUN_OF}{{{{ month }}}}"
_CONTAINER_LOG = "docker logs $(docker ps --all --quiet --filter label=io.prefect.flow-run-id={{ flow_run.id }})"

# What ended the run, and the next step for it; the first condition that holds.
_NEXT_STEPS = (
    (
        "'DataRefused' in message",
        "Correct the workbooks: every error is on the page of the run, in the artifact refused-issues. Then " + _AGAIN,
    ),
    (
        "name == 'TimedOut'",
        "A run takes minutes, so it hung. The log of the run shows the last stage. Then " + _AGAIN,
    ),
    (
        "type == 'CANCELLED'",
        "If nobody meant to cancel it, " + _AGAIN,
    ),
    (
        "type == 'CRASHED' and 'status code 137' in message",
        "The container was killed, or needed more memory than its mem_limit in prefect.yaml allows: raise it and "
        "`make deploy` if `docker inspect` says OOMKilled. Then " + _AGAIN,
    ),
    (
        "type == 'CRASHED' and 'No heartbeats' in message",
        "Is the machine of the worker running, and its worker? Start them, then " + _AGAIN,
    ),
    (
        "type == 'CRASHED' and 'status code' in message",
        "The container ended before it could report a reason, most often because it cannot reach the Prefect server. "
        "The reason is only in its own log, on the machine of the worker: " + _CONTAINER_LOG + "\nThen " + _AGAIN,
    ),
    (
        "type == 'CRASHED'",
        "The worker could not start the container. Does the image exist, and may the machine pull it? Then " + _AGAIN,
    ),
    (
        "true",
        "Remove the cause that the message names, then " + _AGAIN,
    ),
)


def _first_that_holds(cases: tuple[tuple[str, str], ...]) -> str:
    """A Jinja text."""
    (first, text), *others = cases
    others_text = "".join(f"{{% elif {condition} %}}{other}" for condition, other in others)
    return f"{{% if {first} %}}{text}{others_text}{{% endif %}}"


def _bad_end(block: UUID) -> AutomationCore:
    set_names = (
        _MONTH + "{% set message = flow_run.state.message or 'no message' %}"
        "{% set name = flow_run.state.name %}{% set type = flow_run.state.type.value %}"
    )
    return AutomationCore(
        name=f"{FLOW}: a run ended badly",
        description="It was refused, failed, timed out, crashed or was cancelled; whatever the name of its state.",
        trigger=EventTrigger(
            match={**_RUNS, "prefect.state-type": ["FAILED", "CRASHED", "CANCELLED"]},
            match_related=[_OUR_FLOW, _A_DEPLOYMENT],
            expect={"prefect.flow-run.*"},
            posture=Posture.Reactive,
        ),
        actions=[
            SendNotification(
                block_document_id=block,
                subject=_MONTH + FLOW + " {{ month }}: the run ended {{ flow_run.state.name }}",
                body=set_names
                + "The run of {{ month }} ended {{ name }}.\n"
                + "What happened: {{ message }}\n"
                + f"Next: {_first_that_holds(_NEXT_STEPS)}\n\n{_RUN}",
            )
        ],
    )


_BEGAN_OR_ENDED = {
    f"prefect.flow-run.{state}"
    for state in ("AwaitingConcurrencySlot", "Running", "Completed", "Failed", "Crashed", "Cancelling", "Cancelled")
}
_WAITS = {"prefect.flow-run.Late", "prefect.flow-run.Pending"}


_START_A_WORKER = (
    "start a worker of the pool, and the run begins: "
    ".venv/bin/prefect worker start --pool {{ flow_run.work_pool_name }}"
)
_LOOK_AT_WORKER = (
    "on the machine of the worker, look at the worker's log and at `docker ps --all` (on ECS, at the stopped tasks of "
    "the cluster): can it pull the image? The run begins when its container does."
)


def _not_started(start: timedelta, block: UUID) -> AutomationCore:
    waited = f"{start.total_seconds() / 60:g} minutes"
    late = f"was due {waited} ago, and no worker took it.\nNext: {_START_A_WORKER}"
    pending = f"was taken by a worker {waited} ago, and its container does not run.\nNext: {_LOOK_AT_WORKER}"
    return AutomationCore(
        name=f"{FLOW}: a run does not start",
        description=f"It is late, or was taken by a worker, and does not run within {waited}.",
        trigger=EventTrigger(
            match=_RUNS,
            # Months of a backfill wait in their queue for each other.
            match_related=[_OUR_FLOW, {"prefect.resource.role": "work-queue", "prefect.resource.name": "default"}],
            after=_WAITS,
            # A late run that a worker takes at last has the whole time again.
            expect=_WAITS | _BEGAN_OR_ENDED,
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            within=start,
        ),
        actions=[
            SendNotification(
                block_document_id=block,
                subject=_MONTH + FLOW + " {{ month }}: not started",
                body=_MONTH
                + "The run of {{ month }} "
                + _first_that_holds((("flow_run.state.name == 'Late'", late), ("true", pending)))
                + f"\n\n{_RUN}",
            )
        ],
    )


def _overdue(publication: timedelta, block: UUID) -> AutomationCore:
    waited = f"{publication.total_seconds() / 86400:g} days"
    month = "{{ event.resource.labels['month'] }}"
    return AutomationCore(
        name=f"{FLOW}: a month is overdue",
        description=f"Its scheduled run began {waited} ago, and the month is not published at its destination.",
        trigger=EventTrigger(
            match={"prefect.resource.id": f"{PREFIX}.*"},
            after={DUE},
            expect={PUBLISHED, UNCHANGED},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            within=publication,
        ),
        actions=[
            SendNotification(
                block_document_id=block,
                subject=f"{FLOW} {month}: overdue",
                body=f"{month} is not published, {waited} after its scheduled run began.\n"
                f"Destination: {{{{ event.resource.labels['destination'] }}}}\n"
                "Next: the page of the run says what is missing. Correct it, then run the month again: "
                f"{_RUN_OF}{month}\n\n{_RUN}",
            )
        ],
    )


def _published(block: UUID) -> AutomationCore:
    return AutomationCore(
        name=f"{FLOW}: a month is published",
        description="The run that committed a revision sends the event; a run that changed nothing does not.",
        trigger=EventTrigger(
            match={"prefect.resource.id": f"{PREFIX}.*"}, expect={PUBLISHED}, posture=Posture.Reactive
        ),
        actions=[
            SendNotification(
                block_document_id=block,
                subject="{{ event.payload.subject }}",
                body="{{ event.payload.body }}",
            )
        ],
    )


def differs(found: Any, wanted: AutomationCore) -> bool:  # noqa: ANN401 - the client's Automation
    """Whether an automation on the server is not the wanted one; the server adds ids of its own."""
    return any(getattr(found, part) != getattr(wanted, part) for part in ("trigger", "actions", "description"))
