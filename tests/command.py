"""`monthly-sales` as it is typed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

from flows import cli


def command(*arguments: object, server: str = "", cwd: Path | None = None, **env: str) -> CompletedProcess[str]:
    """Type the command, with a server or without."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(os.fsencode, map(str, arguments))],
        env=os.environ | {"PREFECT_API_URL": server} | env, cwd=cwd, timeout=300, check=False,
        capture_output=True, encoding="utf-8", errors="surrogateescape",
    )  # fmt: skip


def command_here(folder: Path, *arguments: object, **env: str) -> CompletedProcess[str]:
    """The same in this process, for what ends before anything is started; its output passes through a folder."""
    typed = [*map(str, arguments)]
    with (
        (folder / "stdout").open("w+") as out,
        (folder / "stderr").open("w+") as err,
        mock.patch.dict(os.environ, env),
        mock.patch.object(signal, "signal"),
        mock.patch.multiple(sys, stdout=out, stderr=err),
    ):
        try:
            code = cli.main(typed)
        except SystemExit as ended:
            code = ended.code
        sys.stdout.flush()
        sys.stderr.flush()
    stdout, stderr = (folder / "stdout").read_text(), (folder / "stderr").read_text()
    for name in ("stdout", "stderr"):
        (folder / name).unlink()
    return CompletedProcess(typed, code, stdout, stderr)
