"""Many months at once: the monthly flow, once for each month of each shop.

The months of a shop run one after the other, shops side by side; `tasks/domain/backfill.py` says why. Each month is a
run of its own in a fresh process: here, or in a container that the work pool of a deployment starts. So a month that
takes too much memory or is killed takes no other with it, and starting the process, some 3 s, is what that costs.
Nothing is remembered between two backfills: a month that stands as it was asked for is found so by its own run.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
from prefect import State, Task, flow, get_client, get_run_logger
from prefect.artifacts import acreate_table_artifact
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Completed, Crashed, Failed, Pending

from flows.monthly_sales import monthly_sales
from tasks.domain.backfill import Line, Outcome, Shop, count_outcomes, failed_line, not_run_lines, table_rows
from tasks.domain.issues import OutsideFailure, WrongArgument
from tasks.publication.manifest import Published, read_published
from tasks.storage.location import Location

ROWS_SHOWN = 1000
"""A dashboard shows a table of this length; of a longer one it is given the months that are missing."""

SECONDS_TO_START = 90
SECONDS_TO_STOP = 10
SECONDS_BETWEEN_LOOKS = 5

Parameters = dict[str, Any]


class Runner(Protocol):
    """Where the runs of the months take place.

    Attributes:
        at_once: How many at the same time.
        goes_on: Whether a run goes on when the backfill is interrupted.
    """

    at_once: int
    goes_on: bool

    async def run(self, label: str, shop: str, parameters: Parameters) -> State:
        """Run a month to its end and return its last state."""


@dataclass
class Processes:
    """Runs on this machine, each in a process of its own."""

    at_once: int
    api: str
    goes_on: bool = False

    async def run(self, label: str, shop: str, parameters: Parameters) -> State:
        """See `Runner`; what has begun is stopped when the backfill is interrupted."""
        # Shows the run in the picture of the backfill, as Prefect itself does it for a deployment.
        shown = await Task(fn=monthly_sales.fn, name=label).create_run(
            parameters=parameters, flow_run_context=FlowRunContext.get()
        )
        async with get_client() as client:
            run = await client.create_flow_run(
                monthly_sales,
                parameters=parameters,
                tags=_tags(shop),
                parent_task_run_id=shown.id,
                state=Pending(),
            )
            # As a worker starts it in a container. A session of its own: Ctrl-C is for the backfill, which stops it.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "prefect.engine", str(run.id)),
                env=os.environ
                | {"PREFECT_API_URL": self.api, "PREFECT__FLOW_ENTRYPOINT": "flows.monthly_sales.monthly_sales"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                await _stop(process)
                with suppress(httpx.HTTPError):
                    await _last_state(client, run, "its process was stopped with the backfill")
                raise
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return await _last_state(client, run, f"its process was ended by {how}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), SECONDS_TO_STOP)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _last_state(client: PrefectClient, run: FlowRun, otherwise: str) -> State:
    """The state in which a run left the server; a process that was killed could not tell its own."""
    state = (await client.read_flow_run(run.id)).state
    if state is None or not state.is_final():
        state = Crashed(message=f"{otherwise}.")
        await client.set_flow_run_state(run.id, state, force=True)
    return state


@dataclass
class Containers:
    """Runs of a deployment, wherever its work pool starts them."""

    deployment: str
    at_once: int
    goes_on: bool = True

    async def run(self, label: str, shop: str, parameters: Parameters) -> State:  # noqa: ARG002 - Prefect labels it
        """See `Runner`; a container goes on when the backfill is interrupted."""
        run = await arun_deployment(
            self.deployment, parameters=parameters, tags=_tags(shop), poll_interval=SECONDS_BETWEEN_LOOKS
        )
        return run.state or Crashed(message="it has no state.")


def _tags(shop: str) -> list[str]:
    return ["backfill", *([shop] if shop else [])]


def own_server() -> str:
    """The address of Prefect's own local server, which this process starts and ends: one for all runs."""
    from prefect.server.api.server import SubprocessASGIServer  # noqa: PLC0415 - the whole server, seldom needed

    server = SubprocessASGIServer()
    server.start(timeout=SECONDS_TO_START)
    return server.api_url


def find_deployment(name: str) -> tuple[Parameters, int | None]:
    """The parameters a deployment gives its runs, and how many runs its work queue lets go on at once.

    Raises:
        WrongArgument: The server knows no deployment of this name.
    """
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(name)
        except (ObjectNotFound, ValueError):
            raise WrongArgument(f'--deployment: the server knows no "{name}".') from None
        queue = client.read_work_queue(deployment.work_queue_id) if deployment.work_queue_id else None
    return deployment.parameters, queue.concurrency_limit if queue else None


@dataclass
class Backfill:
    """Months of shops, and what came of them so far.

    Attributes:
        shops: The shops with their places.
        months: The months of each, in order.
        parameters: What else the runs are told.
        runner: Where they take place.
        aws_credentials: Block with which the destinations are read.
        lines: By shop and month; complete at any moment, also when the server is lost or the command is interrupted.
        is_interrupted: Whether it was told to stop.
        is_lost: Whether the server stopped to answer: then nothing more is asked of it.
    """

    shops: Sequence[Shop]
    months: Sequence[str]
    parameters: Parameters
    runner: Runner
    aws_credentials: str = ""
    is_interrupted: bool = False
    is_lost: bool = False
    _lines: dict[tuple[str, str], Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for shop in self.shops:
            self._note(*(Line(shop.name, month, "not run", reason="It was not begun.") for month in self.months))

    @property
    def lines(self) -> list[Line]:
        """A line for each month of each shop."""
        return list(self._lines.values())

    def _note(self, *lines: Line) -> None:
        self._lines.update({(line.shop, line.month): line for line in lines})

    async def run(self) -> None:
        """Run all of it as a Prefect flow, which shows the months' runs and ends with their table."""
        name = f"backfill-{self.months[0]}-{self.months[-1]}"
        backfill = flow(name="backfill", flow_run_name=name, persist_result=False)(self._flow)
        await backfill(self.months[0], self.months[-1], [shop.name for shop in self.shops], return_state=True)

    async def _flow(self, first: str, last: str, shops: list[str]) -> State[None]:  # noqa: ARG002 - the run's page
        """Run the monthly flow for every month from the first to the last, for each of the shops."""
        gate = asyncio.Semaphore(self.runner.at_once)
        running = asyncio.gather(*(self._run_shop(shop, gate) for shop in self.shops))
        for told_to_stop in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(told_to_stop, running.cancel)
        try:
            await running
        except asyncio.CancelledError:
            self.is_interrupted = True
        counts = count_outcomes(self.lines)
        if self.is_lost:
            raise OutsideFailure(f"The Prefect server does not answer any more: {counts}.")
        await self._show(counts)
        if self.is_interrupted:
            return Cancelled(message=f"Interrupted: {counts}.")
        if all(line.is_published for line in self.lines):
            return Completed(message=f"{counts}.")
        return Failed(message=f"Not every month is published: {counts}.")

    async def _show(self, counts: str) -> None:
        lines, which = self.lines, "All months."
        if len(lines) > ROWS_SHOWN:
            lines = [line for line in lines if not line.is_published][:ROWS_SHOWN]
            which = f"The first {ROWS_SHOWN:,} months that are not published."
        await acreate_table_artifact(table_rows(lines), key="backfill", description=f"{counts}. {which}")

    async def _run_shop(self, shop: Shop, gate: asyncio.Semaphore) -> None:
        for position, month in enumerate(self.months):
            async with gate:
                if self.is_lost:
                    return
                line = await self._run_month(shop, month)
            self._note(line)
            get_run_logger().info(line.sentence())
            if not line.is_published:
                self._note(*not_run_lines(shop.name, self.months[position + 1 :], month))
                return

    async def _run_month(self, shop: Shop, month: str) -> Line:
        places = {"source": shop.source, "destination": shop.destination}
        target = Location(shop.destination, self.aws_credentials)
        try:
            before = await _published(target, month)
            try:
                state = await self.runner.run(
                    f"{shop.name} {month}".strip(), shop.name, self.parameters | places | {"month": month}
                )
            except asyncio.CancelledError:
                goes_on = Line(shop.name, month, "running", reason="Its run goes on; run the backfill again later.")
                stopped = Line(shop.name, month, "failed", reason="Its run was stopped.")
                self._note(goes_on if self.runner.goes_on else stopped)
                raise
            if not state.is_completed():
                return failed_line(shop.name, month, state.name or state.type.value, state.message or "")
            after = await _published(target, month)
        except OutsideFailure as failure:
            return Line(shop.name, month, "failed", reason=str(failure))
        except httpx.HTTPStatusError as error:
            return Line(shop.name, month, "failed", reason=f"The Prefect server refused a request: {error}.")
        except httpx.TransportError as error:  # Prefect's client has tried for a minute
            self.is_lost = True
            reason = str(error) or type(error).__name__
            return Line(shop.name, month, "failed", reason=f"The Prefect server does not answer: {reason}.")
        if after is None or after.manifest is None:
            return Line(shop.name, month, "failed", reason=f"Its run published nothing at {shop.destination}.")
        outcome: Outcome = "unchanged" if before and before.revision == after.revision else "published"
        return Line(shop.name, month, outcome, after.revision, after.manifest.figures.revenue)


async def _published(target: Location, month: str) -> Published | None:
    """The month as it is published, by any run."""

    def read() -> Published | None:
        return read_published(target.open(), month)

    # A thread without this flow's context, in which a block would be loaded in another way.
    return await asyncio.get_running_loop().run_in_executor(None, read)
