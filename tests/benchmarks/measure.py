"""A command in a fresh process: its seconds, CPU seconds and memory, descendants included; and a bound on memory."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SAMPLE_SECONDS = 0.02
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Measured:
    """One run of a command.

    Attributes:
        seconds: From start to end.
        cpu: User and system seconds of the process and of all descendants that were waited for.
        peak: Bytes: the highest sum of resident memory over the process and its descendants, looked at every 20 ms.
            Pages that several of them share count more than once.
        log: What it wrote on stderr.
    """

    seconds: float
    cpu: float
    peak: int
    log: str


def measure(command: Sequence[object], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command that must succeed.

    Raises:
        RuntimeError: It failed; the message ends with what it wrote.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command],
        env=bare_environment() | dict(environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    log: list[bytes] = []
    reader = threading.Thread(target=lambda: log.append(process.stderr.read()))
    reader.start()
    peak = 0
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        peak = max(peak, sum(map(_resident, _tree(process.pid))))
        time.sleep(_SAMPLE_SECONDS)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    reader.join()
    process.stderr.close()
    text = b"".join(log).decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{text[-2000:]}")
    used = ended[2]
    # The kernel's own mark of the largest single process catches what falls between two looks.
    return Measured(seconds, used.ru_utime + used.ru_stime, max(peak, used.ru_maxrss * 1024), text)


def bare_environment() -> dict[str, str]:
    """This environment without what makes Python slower than it is for users, or Prefect talk to a user's server."""
    unwanted = ("PYTHONDONTWRITEBYTECODE", "PREFECT_API_URL")
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def _tree(root: int) -> list[int]:
    """The process and its descendants."""
    found = [root]
    for pid in found:
        try:
            threads = list(Path(f"/proc/{pid}/task").iterdir())
            found += [int(child) for thread in threads for child in (thread / "children").read_text().split()]
        except OSError:
            continue  # it has just ended
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


class NoBound(RuntimeError):
    """This machine does not let us bound the memory of a group of processes."""


@contextmanager
def memory_bound(limit: int) -> Iterator[list[str]]:
    """The beginning of a command line that runs the rest of it in at most `limit` bytes, its descendants included.

    A control group is the one bound that holds for a whole process tree and counts used memory: `ulimit -v` counts
    the address space that allocators reserve and never touch. What does not fit is ended. As root we make a group
    of our own, as a container engine does (version 1 or 2); elsewhere systemd is asked for one.

    Raises:
        NoBound: Neither is to be had here.
    """
    try:
        group = _own_group(limit)
    except OSError as error:
        if subprocess.run(["systemd-run", "--user", "--scope", "true"], capture_output=True, check=False).returncode:
            raise NoBound(f"no control group can be made here: {error}") from None
        yield ["systemd-run", "--user", "--scope", "--quiet", f"--property=MemoryMax={limit}", "-p", "MemorySwapMax=0"]
        return
    try:
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        group.rmdir()


def _own_group(limit: int) -> Path:
    is_first_version = (_CGROUP / "memory" / "memory.limit_in_bytes").exists()
    group = (_CGROUP / "memory" if is_first_version else _CGROUP) / f"monthly-sales-{os.getpid()}"
    group.mkdir()
    try:
        if is_first_version:
            (group / "memory.limit_in_bytes").write_text(str(limit))
        else:
            (group / "memory.max").write_text(str(limit))
            (group / "memory.swap.max").write_text("0")
    except OSError:
        group.rmdir()
        raise
    return group
