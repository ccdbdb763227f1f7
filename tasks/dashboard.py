"""Artifacts on the run's page."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import httpx
from prefect.client.schemas.actions import ArtifactCreate
from prefect.context import FlowRunContext, SyncClientContext, TaskRunContext

from tasks.domain.issues import MonthlySalesError

if TYPE_CHECKING:
    Logger: TypeAlias = logging.LoggerAdapter[logging.Logger] | logging.Logger
else:
    Logger = logging.Logger


@dataclass(frozen=True)
class Artifact:
    """One artifact: a text in Markdown, or a table.

    Attributes:
        key: Its name on the dashboard, the same in every month.
        description: One sentence, in Markdown.
        content: Markdown, or the rows of a table.
    """

    key: str
    description: str
    content: str | list[dict[str, object]]


def show_artifacts(*artifacts: Artifact) -> None:
    """Show artifacts on the page of this task, or of the flow where no task runs; one request for each.

    Prefect's own helpers would open a connection for each, which costs two more requests.
    """
    flow, task = FlowRunContext.get(), TaskRunContext.get()
    with SyncClientContext.get_or_create() as context:
        for artifact in artifacts:
            is_table = not isinstance(artifact.content, str)
            context.client.create_artifact(
                ArtifactCreate(
                    key=artifact.key,
                    type="table" if is_table else "markdown",
                    description=artifact.description,
                    data=json.dumps(artifact.content) if is_table else artifact.content,
                    flow_run_id=flow.flow_run.id if flow and flow.flow_run else None,
                    task_run_id=task.task_run.id if task else None,
                )
            )


def label_run(outcome: str) -> None:
    """Add the outcome to the tags of the run, so that the list of runs shows it."""
    context = FlowRunContext.get()
    if context and context.flow_run:
        with SyncClientContext.get_or_create() as client:
            client.client.update_flow_run(context.flow_run.id, tags=sorted({*context.flow_run.tags, outcome}))


@contextmanager
def only_warned(what: str, logger: Logger) -> Iterator[None]:
    """Turn an error into a warning: once a month is published, nothing fails the run.

    Of an error of a library only the type is logged: its text may contain the address of a webhook, or a link.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - any error: the month is published
        logger.warning("%s: %s", what, _reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, MonthlySalesError):
        return str(error)
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code}"
    return type(error).__name__
