"""Many months of one destination, in order: the monthly flow for each, here or through a deployment.

Here, each month is a sub-flow in this process; through a deployment, a run of its own wherever the work pool starts it.
No state is kept between two backfills: the run of a published month finds it unchanged.
"""

import asyncio
from dataclasses import fields, replace
from typing import Any

from prefect import State, flow, get_client, get_run_logger
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound, TerminationSignal
from prefect.states import Cancelled, Completed

from flows.monthly_sales import monthly_sales
from flows.options import BackfillOptions, EveryMonthOptions, takes
from tasks.dashboard import Artifact, only_warned, show_artifacts
from tasks.domain.issues import DataRefused, MonthNotPublished, OutsideFailure, WrongArgument
from tasks.domain.month_outcomes import (
    MonthOutcome,
    check_source,
    count_outcomes,
    months_to_run,
    table_rows,
    text_table,
    whole_table,
)
from tasks.publication.manifest import read_published

SECONDS_BETWEEN_POLLS = 5


@flow(name="backfill", flow_run_name="backfill-{first}-{last}", persist_result=False)
@takes(BackfillOptions)
def backfill(options: BackfillOptions) -> State[None]:
    """Run the months in order; a month that is not published ends the backfill with the state of its run.

    After SIGINT or SIGTERM no new month starts, and the backfill ends as Cancelled. Every end shows the table.
    """
    months = months_to_run(options.first, options.last)
    given = _given(options)
    if options.deployment:
        options = replace(options, **(_parameters_of(options.deployment) | given))
    check_source(options.source)

    lines: list[MonthOutcome] = []
    try:
        for month in months:
            lines.append(_run_month(month, options, given))
            get_run_logger().info(lines[-1].sentence())
    except (KeyboardInterrupt, TerminationSignal):
        continues = " Its run continues; run the backfill again later." if options.deployment else ""
        lines.append(MonthOutcome(month, "stopped", reason=f"The backfill was interrupted.{continues}"))
        return Cancelled(message=f"Interrupted: {count_outcomes(whole_table(lines, months))}.")
    except Exception as error:
        reason = str(error) or type(error).__name__
        lines.append(MonthOutcome(month, "refused" if isinstance(error, DataRefused) else "failed", reason=reason))
        raise
    finally:
        _show(whole_table(lines, months))
    return Completed(message=f"{count_outcomes(lines)}.")


def _given(options: BackfillOptions) -> dict[str, Any]:
    """The parameters of every month that are not left to their defaults."""
    shared = {field.name: field.default for field in fields(EveryMonthOptions)}
    return {name: value for name, default in shared.items() if (value := getattr(options, name)) != default}


def _parameters_of(deployment: str) -> dict[str, Any]:
    """The parameters that a deployment passes to its runs.

    Raises:
        WrongArgument: The server has no deployment of this name.
    """
    with get_client(sync_client=True) as client:
        try:
            parameters = client.read_deployment_by_name(deployment).parameters
        except (ObjectNotFound, ValueError):
            raise WrongArgument(f'deployment: the server has no "{deployment}".') from None
    return {field.name: parameters[field.name] for field in fields(EveryMonthOptions) if field.name in parameters}


def _run_month(month: str, options: BackfillOptions, given: dict[str, Any]) -> MonthOutcome:
    """Run one month to its end; its outcome is read from its manifest, whichever process published it.

    A month that is published already keeps its export date.
    """
    before = read_published(options.location.open(), month)
    if before and before.manifest:
        given = given | {"export_date": before.manifest.export_date.isoformat()}
    if options.deployment:
        parameters = given | {"month": month}
        run = asyncio.run(
            arun_deployment(options.deployment, parameters=parameters, poll_interval=SECONDS_BETWEEN_POLLS)
        )
        if run.state is None or not run.state.is_completed():
            how = f"{run.state.name}: {run.state.message}" if run.state else "without a state."
            raise MonthNotPublished(f"{month} is not published, its run {run.name} ended {how}")
    else:
        monthly_sales(month=month, **given)
    after = read_published(options.location.open(), month)
    if after is None or after.manifest is None:
        raise OutsideFailure(f"the run of {month} published nothing at {options.destination}.")
    is_unchanged = before is not None and before.revision == after.revision
    return MonthOutcome(
        month, "unchanged" if is_unchanged else "published", after.revision, after.manifest.figures.revenue
    )


def _show(lines: list[MonthOutcome]) -> None:
    logger = get_run_logger()
    logger.info("%s", text_table(lines))
    with only_warned("The run's page does not show the table", logger):
        show_artifacts(Artifact("backfill", f"{count_outcomes(lines)}.", table_rows(lines)))
