"""The Prefect server of a command: the configured one, or Prefect's own; a server that fails is reported at once."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.request import getproxies

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import (
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    get_current_settings,
    temporary_settings,
)

from tasks.domain.issues import OutsideFailure

SECONDS_TO_ANSWER = 10


@contextmanager
def prefect_server(say: Callable[[str], None]) -> Iterator[None]:
    """Run on the configured server, or on Prefect's own.

    Args:
        say: Shows a line to the user.

    Raises:
        OutsideFailure: No server is configured and none may be started, or it does not answer.
    """
    # A server on this machine is never behind a proxy.
    exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, [exempt, "127.0.0.1", "localhost"]))
    settings = get_current_settings()
    server = settings.api.url
    if server:
        _ask(server)
    elif settings.server.ephemeral.enabled:
        _check_home(settings.home)
        say("No PREFECT_API_URL is set: starting Prefect's own local server, which takes some seconds.")
        _start_own()
    else:
        raise OutsideFailure("no PREFECT_API_URL is set, and a server of its own is switched off for this run.")
    try:
        # Only runs of a deployment need heartbeats, and the end of a run waits for them, up to a second.
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield
    except httpx.HTTPError as error:
        raise OutsideFailure(f"{_named(server)} does not answer any more: {_reason(error)}.") from None


def _named(server: str | None) -> str:
    return f"the Prefect server at {server}" if server else "Prefect's own local server"


def _check_home(home: Path) -> None:
    """Refuse a folder in which Prefect cannot write its database: it would wait for two minutes."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise OutsideFailure(
            f"cannot write to {home}, where Prefect keeps its database: {error.strerror}. "
            "Set PREFECT_HOME to another folder, or PREFECT_API_URL to a server."
        ) from None


def _start_own() -> None:
    try:
        with get_client(sync_client=True) as client:
            client.hello()
    except (RuntimeError, httpx.HTTPError) as error:
        raise OutsideFailure(f"Prefect's own local server does not start: {_reason(error)}.") from None


def _ask(server: str) -> None:
    """Send one request to see whether the server answers."""
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
            client = get_client(httpx_settings={"timeout": SECONDS_TO_ANSWER}, sync_client=True)
            with client:
                answer = client.hello()
    except httpx.HTTPStatusError as error:
        raise OutsideFailure(f"{_named(server)} {_refused(server, error.response.status_code)}") from None
    except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
        raise OutsideFailure(f"{_named(server)} does not answer: {_reason(error)}.{_proxy(server)}") from None
    if "json" not in answer.headers.get("content-type", ""):
        raise OutsideFailure(f"{_named(server)} answers with a web page.{_api(server)}{_proxy(server)}")


def _refused(server: str, status: int) -> str:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"refuses the credentials ({status}): set PREFECT_API_AUTH_STRING, or PREFECT_API_KEY."
    if status == HTTPStatus.NOT_FOUND:
        return f"has no API there ({status}).{_api(server)}"
    return f"answers with an error ({status} {HTTPStatus(status).phrase}).{_proxy(server)}"


def _api(server: str) -> str:
    return "" if server.rstrip("/").endswith("/api") else f" The address must end in /api: {server.rstrip('/')}/api."


def _proxy(server: str) -> str:
    """A sentence about the proxy that is used for the server, if there is one."""
    proxies, url = getproxies(), httpx.URL(server)
    proxy = proxies.get(url.scheme) or proxies.get("all")
    exempt = [host.strip() for host in proxies.get("no", "").split(",")]
    if not proxy or url.host in exempt:
        return ""
    without_password = httpx.URL(proxy).copy_with(userinfo=b"")
    return f" It is reached through the proxy {without_password}; NO_PROXY={url.host} bypasses it."


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
