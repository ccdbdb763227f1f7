"""Limits of memory and time for reading one workbook, enforced by the kernel."""

import resource
import signal
import time
from dataclasses import dataclass

from tasks.workbook.archive import MEGABYTE


@dataclass(frozen=True)
class Limits:
    """A fixed amount, plus an amount for each MB of the unpacked parts.

    Ordinary workbooks need up to four fifths of the memory, and a third of the time if a tenth of a processor is free.

    Attributes:
        memory: MB of private memory. Reserved addresses do not count: libraries reserve far more than they use.
        memory_per_mb: MB more for each MB.
        seconds: Seconds of one processor.
        seconds_per_mb: Seconds more for each MB.
        patience: Seconds of real time for each CPU second, for a busy machine.
    """

    memory: float = 352
    memory_per_mb: float = 4
    seconds: float = 3
    seconds_per_mb: float = 0.2
    patience: float = 20

    def apply(self, inflated: int = 0) -> None:
        """Limit this process to what `inflated` bytes need; above that, the kernel kills it or refuses memory.

        The time it has already spent on other workbooks does not count.
        """
        size = inflated / MEGABYTE
        memory = int((self.memory + self.memory_per_mb * size) * MEGABYTE)
        seconds = max(1, round(self.seconds + self.seconds_per_mb * size))
        _hold(resource.RLIMIT_DATA, memory)
        _hold(resource.RLIMIT_CPU, seconds + int(time.process_time()))
        _hold(resource.RLIMIT_CORE, 0)
        signal.setitimer(signal.ITIMER_REAL, self.patience * seconds)

    @staticmethod
    def pause() -> None:
        """Stop the timer until there is another workbook."""
        signal.setitimer(signal.ITIMER_REAL, 0)


def _hold(kind: int, limit: int) -> None:
    # Only the soft limit, so that it can be raised once the size of the workbook is known.
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
