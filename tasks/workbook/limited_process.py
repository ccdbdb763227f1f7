"""Start the reader of a workbook as a process of its own, and make of every end it can have an answer or an error."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tasks.domain import rules
from tasks.workbook.faults import UnreadableWorkbookError
from tasks.workbook.reader import Request

_ROOT = Path(__file__).parents[2]
_OUT_OF_TIME = (signal.SIGXCPU, signal.SIGALRM)
_OUT_OF_MEMORY = ("annot allocate memory", "memory allocation of", "Failed to allocate", "MemoryError", "unable to map")


def read_in_limited_process(request: Request) -> dict[str, Any]:
    """The answer of `reader.read_workbook`, given by a process with bounded memory and time.

    Raises:
        UnreadableWorkbookError: The workbook cannot be read, or the process did not live to say so.
        OSError: A disk or folder failed, not the workbook.
    """
    # The pipe says nothing: the kernel closes it when this process ends, and the reader ends then.
    theirs, ours = os.pipe()
    try:
        process = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-P", "-S", "-m", "tasks.workbook.reader", json.dumps(asdict(request))],
            stdin=theirs,
            capture_output=True,
            check=False,
            env=_environment(),
            cwd=_ROOT,
            start_new_session=True,
        )
    finally:
        os.close(theirs)
        os.close(ours)
    answer = json.loads(process.stdout) if process.returncode == 0 else _fault_of(process)
    if "outside" in answer:
        raise OSError(*answer["outside"])
    if "fault" in answer:
        raise UnreadableWorkbookError(**answer["fault"])
    return dict(answer)


def _environment() -> dict[str, str]:
    """What the reader needs to import what this process would, and no secret."""
    paths = [str(_ROOT), *(path for path in sys.path if path)]
    kept = {name: os.environ[name] for name in ("PYTHONHOME", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        # A thread per processor would take memory and no time off: the workbooks are read side by side.
        "POLARS_MAX_THREADS": "2",
        # Give freed memory back, for the limit counts what is held.
        "_RJEM_MALLOC_CONF": "retain:false",
        "RUST_BACKTRACE": "0",
    }


def _fault_of(process: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """Why the reader gave no answer."""
    said = process.stderr.decode(errors="replace")
    if -process.returncode in _OUT_OF_TIME:
        reason, value = "takes far longer to read than a workbook of its size", "out of time"
    elif any(words in said for words in _OUT_OF_MEMORY):
        reason, value = "takes far more memory to read than a workbook of its size", "out of memory"
    else:
        ended = signal.Signals(-process.returncode).name if process.returncode < 0 else f"exit {process.returncode}"
        reason, value = f"brought the Excel reader down ({ended})", ended
    return {"fault": {"reason": reason, "value": value, "rule": rules.READER_FAILED.code}}
