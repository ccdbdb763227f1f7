"""Process several items at a time with threads: while libraries in Rust and C compute, or while requests wait."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

REQUESTS_AT_ONCE = 8
"""A request to a store takes most of its time waiting."""


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], threads: int = 2) -> Iterator[Result]:
    """The results in the order of the items; only a few of them are in memory at a time.

    If one fails, those that have started are waited for; an interrupted run does not wait for them.
    """
    pool = ThreadPoolExecutor(threads)
    try:
        started: deque[Future[Result]] = deque()
        for item in items:
            started.append(pool.submit(function, item))
            if len(started) > threads:  # one more is always waiting
                yield started.popleft().result()
        for future in started:
            yield future.result()
    except Exception:
        pool.shutdown(cancel_futures=True)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
