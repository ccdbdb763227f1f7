"""What Prefect alone costs: a flow of as many tasks as the month has, none of which does anything.

It sends no heartbeats, as a month that is run by hand: the end of a flow waits for them, up to a second.
"""

import sys

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings


@task(cache_policy=NO_CACHE, persist_result=False)
def nothing() -> None:
    """A task."""


@flow(persist_result=False)
def empty(tasks: int) -> None:
    """The tasks, one after the other."""
    for _ in range(tasks):
        nothing()


if __name__ == "__main__":
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        empty(int(sys.argv[1]))
