"""What Prefect alone costs: a flow of as many tasks as the month has, none of which does anything."""

import sys

from prefect import flow, task
from prefect.cache_policies import NO_CACHE


@task(cache_policy=NO_CACHE, persist_result=False)
def nothing() -> None:
    """A task."""


@flow(persist_result=False)
def empty(tasks: int) -> None:
    """The tasks, one after the other."""
    for _ in range(tasks):
        nothing()


if __name__ == "__main__":
    empty(int(sys.argv[1]))
