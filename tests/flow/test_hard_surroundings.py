"""The command in hard surroundings: names, terminals, pipes, proxies and servers that are not as they should be."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from command import command
from hostile.spoiled import SAMPLE, SpoiledMonth, put, run_flow, spoiled_month
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE, temporary_settings

from flows.server import prefect_server as connected
from tasks.domain.issues import OutsideFailure

# --- names, terminals and pipes


def test_a_workbook_whose_name_is_not_utf8_is_read_and_its_name_made_readable(tmp_path: Path) -> None:
    def rename(month: SpoiledMonth) -> None:
        month.path("web").rename(month.folder / os.fsdecode(b"web-\xe9t\xe9.xlsx"))

    run_flow(spoiled_month(tmp_path / "source", rename), tmp_path / "reports")
    manifest = (tmp_path / "reports/manifests/2025-05.json").read_text(encoding="utf-8")
    assert '"web-\N{REPLACEMENT CHARACTER}t\N{REPLACEMENT CHARACTER}.xlsx"' in manifest


def test_an_argument_that_is_not_utf8_ends_with_2() -> None:
    done = command("list", "--destination", os.fsdecode(b"caf\xe9"))
    assert done.returncode == 2
    assert done.stderr == "monthly-sales list: --destination: caf\\udce9 is not UTF-8. Rename it, or name another.\n"


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, id="LC_ALL=C"),
        pytest.param({"PYTHONIOENCODING": "cp1252"}, id="cp1252", marks=pytest.mark.long),
        pytest.param({"PYTHONIOENCODING": "ascii"}, id="ascii", marks=pytest.mark.long),
    ],
)
def test_a_value_that_the_terminal_cannot_show_is_escaped(
    tmp_path: Path, prefect_server: str, environment: dict[str, str]
) -> None:
    source = spoiled_month(tmp_path / "source", put("erp", "price", "12\N{CJK UNIFIED IDEOGRAPH-5143}"))
    places = ("--source", source, "--destination", tmp_path / "reports")
    done = command("run", "--month", "2025-05", *places, server=prefect_server, **environment)
    assert done.returncode == 1
    assert '"12\\u5143" is not a number' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
@pytest.mark.parametrize("arguments", [("--help",), ("verify", "--month", "2025-05")], ids=lambda a: a[0])
def test_a_closed_pipe_changes_nothing_but_what_is_shown(
    tmp_path: Path, arguments: tuple[str, ...], closed: str
) -> None:
    if arguments != ("--help",):
        arguments = (*arguments, "--destination", str(tmp_path))
    whole = command(*arguments)
    ours, theirs = os.pipe()
    os.close(ours)
    other = "stderr" if closed == "stdout" else "stdout"
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        **{closed: theirs, other: subprocess.PIPE}, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(theirs)
    assert done.returncode == whole.returncode
    assert getattr(done, other) == getattr(whole, other)


def test_an_unexpected_error_ends_with_4_one_sentence_and_the_file_of_its_trace(
    tmp_path: Path, prefect_server: str
) -> None:
    code = (
        "import sys, tasks.stages as stages\nfrom flows.cli import main\n"
        "def fails(*_): raise KeyError('price')\nstages.compute = fails\n"
        f"places = ['--source', {str(SAMPLE)!r}, '--destination', {str(tmp_path)!r}]\n"
        "sys.exit(main(['run', '--month', '2025-05', *places]))"
    )
    environment = os.environ | {"PREFECT_API_URL": prefect_server}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("Unexpected error, KeyError: 'price'. Please report it with the trace in ")
    trace = Path(sentence.rpartition(" ")[2].removesuffix("."))
    assert "in compute_revenue" in trace.read_text()
    trace.unlink()


# --- the Prefect server


@contextmanager
def answering(status: int, content: bytes, kind: str) -> Iterator[str]:
    """A server with the same answer to every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def refused(**settings: object) -> str:
    """The sentence with which a server is refused."""
    names = {"url": PREFECT_API_URL, "home": PREFECT_HOME, "ephemeral": PREFECT_SERVER_ALLOW_EPHEMERAL_MODE}
    changed = {names[name]: value for name, value in settings.items()}
    with temporary_settings(changed), pytest.raises(OutsideFailure) as failed, connected(lambda _: None):
        pass
    return str(failed.value)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


JSON, ENDS_IN_API = "application/json", "The address must end in /api: {url}/api."


@pytest.mark.parametrize(
    ("status", "content", "kind", "path", "sentence"),
    [
        pytest.param(401, b"{}", JSON, "/api", "refuses the credentials (401): set PREFECT_API_AUTH_STRING", id="401"),
        pytest.param(404, b"{}", JSON, "", f"has no API there (404). {ENDS_IN_API}", id="/api is missing"),
        pytest.param(404, b"{}", JSON, "/api", "has no API there (404).", id="404"),
        pytest.param(200, b"<html>", "text/html", "", f"answers with a web page. {ENDS_IN_API}", id="dashboard"),
        pytest.param(200, b"<html>", "text/html", "/api", "answers with a web page.", id="log-in page of a gateway"),
        pytest.param(502, b"<html>", "text/html", "/api", "answers with an error (502 Bad Gateway).", id="502"),
    ],
)  # fmt: skip
def test_a_server_that_is_none_is_named_with_the_cause(
    status: int, content: bytes, kind: str, path: str, sentence: str
) -> None:
    with answering(status, content, kind) as url:
        assert refused(url=url + path).startswith(f"the Prefect server at {url}{path} {sentence.format(url=url)}")


def test_a_host_that_does_not_exist_is_named() -> None:
    sentence = refused(url="http://no-such-host.invalid/api")
    assert sentence.startswith("the Prefect server at http://no-such-host.invalid/api does not answer: ")


def test_a_proxy_is_reported_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://someone:secret@127.0.0.1:9")
    sentence = refused(url="http://prefect.example/api")
    assert "It is reached through the proxy http://127.0.0.1:9; NO_PROXY=prefect.example bypasses it." in sentence
    assert "secret" not in sentence


def test_a_server_on_this_machine_is_not_asked_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, prefect_server: str
) -> None:
    assert prefect_server
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with connected(lambda _: None):
        assert "127.0.0.1" in os.environ["NO_PROXY"]


def test_a_home_that_cannot_be_written_is_named_before_anything_is_started(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    assert refused(url=None, home=tmp_path / "file" / "home", ephemeral=True) == (
        f"cannot write to {tmp_path}/file/home, where Prefect keeps its database: Not a directory. "
        "Set PREFECT_HOME to another folder, or PREFECT_API_URL to a server."
    )
