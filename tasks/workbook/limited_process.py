"""Read workbooks in processes with limited memory and time; a process that ends early is an error."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any, Self

from tasks.domain import rules
from tasks.workbook.archive import MEGABYTE
from tasks.workbook.faults import UnreadableWorkbookError
from tasks.workbook.process_limits import Limits
from tasks.workbook.reader import Request

_ROOT = Path(__file__).parents[2]
_SMALL = MEGABYTE
_OUT_OF_TIME = (signal.SIGXCPU, signal.SIGALRM)
_OUT_OF_MEMORY = ("annot allocate memory", "memory allocation of", "Failed to allocate", "MemoryError", "unable to map")


class WorkbookReader:
    """Reads workbooks, also from several threads; use it as `with WorkbookReader() as reader`.

    Small workbooks are read one after the other in one process, because starting one takes longer than reading them; a
    workbook that crashes the process does not affect the next. A large workbook has a process of its own.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._lock = Lock()
        self._shared: _Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shared is not None:
            self._shared.close()

    def read(self, request: Request) -> dict[str, Any]:
        """The answer of `reader.read_workbook`.

        Raises:
            UnreadableWorkbookError: The workbook cannot be read, or the process ended before it could report.
            OSError: A disk or folder failed, not the workbook.
        """
        workbook = Path(request.workbook)
        with ExitStack() as stack:
            if workbook.stat().st_size > _SMALL:
                process = stack.enter_context(closing(_Process(self._limits)))
            else:
                stack.enter_context(self._lock)
                if self._shared is None or self._shared.has_ended():
                    self._shared = _Process(self._limits)
                process = self._shared
            answer = process.read(request)
        if "outside" in answer:
            raise OSError(*answer["outside"])
        if "fault" in answer:
            raise UnreadableWorkbookError(**answer["fault"])
        return answer


class _Process:
    """A process that reads a workbook for each request; it ends with its parent, because its input ends."""

    def __init__(self, limits: Limits) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [
                sys.executable,
                "-P",
                "-S",
                "-c",
                "from tasks.workbook.reader import main; main()",
                json.dumps(asdict(limits)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            cwd=_ROOT,
            start_new_session=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def read(self, request: Request) -> dict[str, Any]:
        with suppress(BrokenPipeError):  # then there is no answer either
            self._requests.write(f"{json.dumps(asdict(request))}\n".encode())
            self._requests.flush()
        answer = self._answers.readline()
        return dict(json.loads(answer)) if answer.endswith(b"\n") else self._fault()

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self._requests.close()
        self._process.wait()
        self._answers.close()
        self._errors.close()

    def _fault(self) -> dict[str, Any]:
        """Why there is no answer."""
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace")
        self.close()
        if -code in _OUT_OF_TIME:
            value = "out of time"
        elif any(words in said for words in _OUT_OF_MEMORY):
            value = "out of memory"
        else:
            value = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return {"fault": {"rule": rules.READER_FAILED.code, "value": value}}


def _environment() -> dict[str, str]:
    """The environment that the reader needs to import its modules, without secrets."""
    paths = [str(_ROOT), *(path for path in sys.path if path)]
    kept = {name: os.environ[name] for name in ("PYTHONHOME", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        # More threads would need more memory and save no time: the workbooks are read in parallel.
        "POLARS_MAX_THREADS": "2",
        # Return freed memory within a second, because the limit counts what is allocated.
        "_RJEM_MALLOC_CONF": "retain:false,dirty_decay_ms:1000,muzzy_decay_ms:0",
        "RUST_BACKTRACE": "0",
    }
