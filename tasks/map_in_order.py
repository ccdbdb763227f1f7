"""Process the pieces of a large input with two threads; libraries in Rust and C let both run at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The results in the order of the items; only a few of them are in memory at a time."""
    with ThreadPoolExecutor(2) as pool:
        started: deque[Future[Result]] = deque()
        for item in items:
            started.append(pool.submit(function, item))
            if len(started) > 2:  # noqa: PLR2004 - one is always ready to begin
                yield started.popleft().result()
        for future in started:
            yield future.result()
