"""A Prefect server as a program."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait for a condition and return what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := holds():
                return found
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    pytest.fail(f"{what}: not within {seconds} seconds")


@contextmanager
def prefect_server(folder: Path) -> Iterator[str]:
    """The API address of a fresh server that keeps everything in a folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    environment = {
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_API_URL": url,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=os.environ | environment,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: server.poll() is None and httpx.get(f"{url}/health").is_success, 90, "the Prefect server")
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)
