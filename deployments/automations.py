"""The automations of the Prefect server: which event sends which message. `bootstrap.py` creates them.

A month that ends without being published sends one message: the month, the deployment, what happened and what to do
next. Prefect's plans limit the number of automations, so one covers all bad ends; its text depends on the state.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from tasks.announcement.events import DUE, PREFIX, PUBLISHED, UNCHANGED
from tasks.domain.issues import MonthNotPublished

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
_OUR_FLOWS = {"prefect.resource.role": "flow", "prefect.resource.name": [FLOW, "backfill"]}
# A run from a terminal sends no alert: the person who started it sees how it ended.
_A_DEPLOYMENT = {"prefect.resource.role": "deployment"}
# Months of a backfill wait in their own queue for each other.
_THE_DEFAULT_QUEUE = {"prefect.resource.role": "work-queue", "prefect.resource.name": "default"}
_OUR_MONTHS = {"prefect.resource.id": f"{PREFIX}.*"}

# Jinja. The name of a run contains the month once it runs; before that, a parameter or the due time gives the month.
_NAMES = """\
{% set given, own = flow_run.parameters, flow_run.name.removeprefix(flow.name ~ '-') -%}
{% if given.first %}{% set month = given.first ~ ' to ' ~ given.last -%}
{% elif own != flow_run.name %}{% set month = own -%}
{% else %}{% set month = given.month or flow_run.expected_start_time.strftime('%Y-%m') %}{% endif -%}
{% set state, message = flow_run.state, flow_run.state.message or '' -%}
"""
_RUN_AGAIN = """
To run it again: .venv/bin/prefect deployment run '{{ flow.name }}/{{ deployment.name }}' \
{% if given.first %}-p first={{ given.first }} -p last={{ given.last }}{% else %}-p month={{ month }}{% endif %}"""
_RUN = """

Deployment: {{ flow.name }}/{{ deployment.name }}
Run: {{ flow_run.name }} ({{ flow_run.id }}){% if flow_run|ui_url %}
{{ flow_run|ui_url }}{% endif %}"""


def _alert(block: UUID, what: str, body: str, names: str = _NAMES) -> SendNotification:
    """A message about a run that did not publish its month; the texts are templates."""
    subject = names + "{{ flow.name }} {{ month }}: " + what
    return SendNotification(block_document_id=block, subject=subject, body=names + body + _RUN)


_NO_HEARTBEATS = "No heartbeats: the machine that ran it is gone, or has no connection to the Prefect server."


def _crash_silent_runs(silence: timedelta) -> AutomationCore:
    return AutomationCore(
        name=f"{FLOW}: crash runs without heartbeats",
        description="A container that was killed together with its machine cannot report its end.",
        trigger=EventTrigger(
            match=_RUNS,
            # Runs of a deployment send heartbeats as often as prefect.yaml states.
            match_related=[_OUR_FLOWS, _A_DEPLOYMENT],
            after={"prefect.flow-run.Running", "prefect.flow-run.heartbeat"},
            # Another heartbeat, or any change of state.
            expect={"prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            within=silence,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=_NO_HEARTBEATS)],
    )


_BAD_END = """\
The run of {{ month }} ended {{ state.name }}.{% if message %}
What happened: {{ message }}{% endif %}
{% if 'DataRefused' in message -%}
Next: correct the workbooks. Every error is on the page of the run, in the artifact refused-issues.
{%- elif state.name == 'TimedOut' -%}
A run takes minutes, so it hung.
Next: look at its log, which shows the last stage.
{%- elif state.type.value == 'CANCELLED' -%}
Next: nothing, if it was cancelled on purpose.
{%- elif state.type.value == 'FAILED' -%}
Next: remove the cause that the message names.
{%- elif 'No heartbeats' in message -%}
Next: is the machine of the worker running, and its worker? Start them.
{%- elif 'status code 137' in message -%}
The container was killed, or needed more memory than its mem_limit in prefect.yaml allows.
Next: if `docker inspect` says OOMKilled, raise the limit and `make deploy`.
{%- elif 'status code' in message -%}
The container ended before it could report a reason, most often because it cannot reach the Prefect server.
Next: read the reason in the container's own log, on the machine of the worker:
docker logs $(docker ps --all --quiet --filter label=io.prefect.flow-run-id={{ flow_run.id }})
{%- else -%}
The worker could not start the container.
Next: does the image exist, and may the machine pull it?
{%- endif %}"""


def _bad_end(block: UUID) -> AutomationCore:
    return AutomationCore(
        name=f"{FLOW}: a run ended badly",
        description="It was refused, failed, timed out, crashed or was cancelled.",
        trigger=EventTrigger(
            match={
                **_RUNS,
                "prefect.state-type": ["FAILED", "CRASHED", "CANCELLED"],
                # Not for a backfill whose month ended badly: the run of that month has sent the message.
                "prefect.state-message": f"!Flow run encountered an exception: {MonthNotPublished.__name__}*",
            },
            match_related=[_OUR_FLOWS, _A_DEPLOYMENT],
            expect={"prefect.flow-run.*"},
            posture=Posture.Reactive,
        ),
        actions=[_alert(block, "the run ended {{ state.name }}", _BAD_END + _RUN_AGAIN)],
    )


_WAITS = {"prefect.flow-run.Late", "prefect.flow-run.Pending"}
_BEGAN_OR_ENDED = {
    f"prefect.flow-run.{state}"
    for state in (
        "AwaitingConcurrencySlot",
        "Running",
        "Completed",
        "Failed",
        "TimedOut",
        "Crashed",
        "Cancelling",
        "Cancelled",
    )
}


def _not_started(start: timedelta, block: UUID) -> AutomationCore:
    waited = f"{start.total_seconds() / 60:g} minutes"
    body = f"""\
The run of {{{{ month }}}} {{% if state.name == 'Late' -%}}
was due {waited} ago, and no worker took it.
Next: start a worker of the pool, and the run begins:
.venv/bin/prefect worker start --pool {{{{ flow_run.work_pool_name }}}}
{{%- else -%}}
was taken by a worker {waited} ago, and its container does not run.
Next: can the worker's machine pull the image? Look at the worker's log and at `docker ps --all`;
on ECS, at the stopped tasks of the cluster. The run begins when its container does.
{{%- endif %}}"""
    return AutomationCore(
        name=f"{FLOW}: a run does not start",
        description=f"It is late, or was taken by a worker, and does not run within {waited}.",
        trigger=EventTrigger(
            match=_RUNS,
            match_related=[_OUR_FLOWS, _THE_DEFAULT_QUEUE],
            after=_WAITS,
            # When a worker takes a late run, the time starts again.
            expect=_WAITS | _BEGAN_OR_ENDED,
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            within=start,
        ),
        actions=[_alert(block, "not started", body)],
    )


def _overdue(publication: timedelta, block: UUID) -> AutomationCore:
    waited = f"{publication.total_seconds() / 86400:g} days"
    body = f"""\
{{{{ month }}}} is not published, {waited} after its scheduled run began.
Destination: {{{{ event.resource.labels['destination'] }}}}
Next: the page of the run says what is missing. Correct it.{_RUN_AGAIN}"""
    return AutomationCore(
        name=f"{FLOW}: a month is overdue",
        description=f"Its scheduled run began {waited} ago, and the month is not published at its destination.",
        trigger=EventTrigger(
            match=_OUR_MONTHS,
            after={DUE},
            expect={PUBLISHED, UNCHANGED},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            within=publication,
        ),
        actions=[_alert(block, "overdue", body, _NAMES + "{% set month = event.resource.labels['month'] %}")],
    )


def _published(block: UUID) -> AutomationCore:
    subject, body = "{{ event.payload.subject }}", "{{ event.payload.body }}"
    return AutomationCore(
        name=f"{FLOW}: a month is published",
        description="The run that committed a revision sends the event; a run that changed nothing does not.",
        trigger=EventTrigger(match=_OUR_MONTHS, expect={PUBLISHED}, posture=Posture.Reactive),
        actions=[SendNotification(block_document_id=block, subject=subject, body=body)],
    )


def differs(found: Any, wanted: AutomationCore) -> bool:  # noqa: ANN401 - the client's Automation
    """Whether an automation on the server differs from the wanted one; the ids that the server adds do not count."""
    return any(getattr(found, part) != getattr(wanted, part) for part in ("trigger", "actions", "description"))
