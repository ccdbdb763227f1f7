"""A proxy between an S3 client and its server that loses, spoils and holds up requests exactly when told.

It passes on what was signed as it came, the Host header included, so that signatures stay valid.
"""

import contextlib
import http.client
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn, Self
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Respond:
    """Answer in the server's stead, with an error as S3 words it; the server hears nothing."""

    status: int
    code: str


@dataclass(frozen=True)
class CutBefore:
    """Close the connection; the server hears nothing."""


@dataclass(frozen=True)
class CutAfter:
    """Let the server do its work and answer, then close the connection: the answer is lost."""


@dataclass(frozen=True)
class CutMidBody:
    """Close the connection in the middle: of the request's body if it has one, otherwise of the answer's."""


@dataclass(frozen=True)
class Silent:
    """Keep the connection open and never answer; the server hears nothing."""


@dataclass(frozen=True)
class SilentMidBody:
    """Send half of the answer, and then nothing more, but keep the connection open."""


@dataclass(frozen=True)
class Delay:
    """Wait before passing the request on."""

    seconds: float


@dataclass(frozen=True)
class Corrupt:
    """Change one byte in the middle of the answer's body."""


@dataclass(frozen=True)
class Call:
    """Call a function, on a thread of the proxy, while the client waits.

    To kill a client before a request, the function has to wait for its end, and `then` is `CutBefore()`:
    otherwise the server still hears of it.

    Attributes:
        function: Called without arguments. What it raises comes out where the proxy ends.
        after: Not before the server hears of the request, but once it has answered.
        then: What happens to the request after a call before it; passed on, if None.
    """

    function: Callable[[], object]
    after: bool = False
    then: "Action | None" = None


Action = Respond | CutBefore | CutAfter | CutMidBody | Silent | SilentMidBody | Delay | Corrupt | Call


@dataclass(frozen=True)
class Request:
    """A request as it arrived.

    Attributes:
        number: 1 for the first one since the proxy started or was reset.
        method: GET, PUT, HEAD …
        path: Bucket and key, without the escapes of a URL.
        query: As in the URL.
        headers: By lower-case name.
    """

    number: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)

    @property
    def bucket(self) -> str:
        return self.path.lstrip("/").partition("/")[0]

    @property
    def key(self) -> str:
        return self.path.lstrip("/").partition("/")[2]

    @property
    def conditions(self) -> dict[str, str]:
        """If-Match and its like, those for the source of a copy included."""
        return {name: text for name, text in self.headers.items() if re.match(r"(x-amz-copy-source-)?if-", name)}


Rule = Callable[[int, Request], Action | None]


class FaultProxy:
    """Stands at `endpoint` before the server at another endpoint, from entering the context to leaving it.

    Requests are numbered from 1 in the order in which their heads have arrived. Without a rule they pass unharmed.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.errors: list[BaseException] = []
        self._lock = threading.RLock()
        self._log: list[Request] = []
        self._actions: dict[int, Action] = {}
        self._rule: Rule | None = None
        self._server = _Server(("127.0.0.1", 0), partial(_Connection, self))
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        # It polls for its end; 0.5 s, the default, is how long each test would then wait.
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self.errors and kind is None:
            raise self.errors[0]

    @property
    def log(self) -> list[Request]:
        """The requests so far, in the order of their numbers."""
        with self._lock:
            return list(self._log)

    def on(self, number: int, action: Action) -> None:
        """Do this to the request of that number."""
        with self._lock:
            self._actions[number] = action

    def plan(self, rule: Rule | None) -> None:
        """Ask a function, one request at a time, what to do to those that `on` does not name."""
        with self._lock:
            self._rule = rule

    def reset(self) -> None:
        """Forget log and rules; the next request is number 1."""
        with self._lock:
            self._log.clear()
            self._actions.clear()
            self._rule = None

    def arrived(self, method: str, target: str, headers: Mapping[str, str]) -> Action | None:
        parts = urlsplit(target)
        with self._lock:
            request = Request(len(self._log) + 1, method, unquote(parts.path), parts.query, headers)
            self._log.append(request)
            action = self._actions.get(request.number)
            return self._rule(request.number, request) if action is None and self._rule else action


class _Lost(Exception):
    """The connection ends here."""


class _Server(ThreadingHTTPServer):
    # Race tests connect faster than one thread accepts.
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Close the connection; its thread cannot fail a test."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, proxy: FaultProxy, *of_a_handler: Any) -> None:
        self.proxy = proxy
        super().__init__(*of_a_handler)

    def log_message(self, *_: object) -> None:
        pass

    def handle_expect_100(self) -> bool:
        """Leave the client waiting with its body until it is clear what happens to the request."""
        return True

    def do_GET(self) -> None:
        headers = {name.lower(): text for name, text in self.headers.items()}
        try:
            self._exchange(self.proxy.arrived(self.command, self.path, headers))
        except (_Lost, OSError, http.client.HTTPException):
            raise  # what a client or server that is gone deserves: its connection is closed
        except Exception as error:
            self.proxy.errors.append(error)
            raise

    do_DELETE = do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 (names of http.server)

    def _exchange(self, action: Action | None) -> None:
        match action:
            case Call(function, after=False, then=then):
                self._call(function)
                self._exchange(then)
            case Respond(status, code):
                self._body()  # closing on unread bytes would reset the connection and might take the answer with it
                body = f"<Error><Code>{code}</Code><Message>Made up by the test.</Message></Error>".encode()
                head = {"Content-Type": "application/xml", "Content-Length": str(len(body)), "Connection": "close"}
                self._answer(status, head, b"" if self.command == "HEAD" else body)
            case CutBefore():
                raise _Lost
            case Silent():
                self._wait_for_hang_up()
            case Delay(seconds):
                time.sleep(seconds)
                self._pass_on(None)
            case _:
                self._pass_on(action)

    def _pass_on(self, action: Action | None) -> None:
        body = self._body()
        with contextlib.closing(http.client.HTTPConnection(self.proxy.target, timeout=30)) as server:
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, text in self.headers.items():
                if name.lower() != "expect":
                    server.putheader(name, text)
            server.endheaders()
            if action == CutMidBody() and body:
                server.send(body[: len(body) // 2])
                raise _Lost
            with contextlib.suppress(ConnectionError):  # a server that refuses early need not read all of it
                server.send(body)
            answer = server.getresponse()
            head, content = dict(answer.headers.items()), answer.read()
        if self.command != "HEAD" and answer.status not in {204, 304}:
            head.pop("Transfer-Encoding", None)
            head["Content-Length"] = str(len(content))
        self._pass_back(action, answer.status, head, content)

    def _pass_back(self, action: Action | None, status: int, head: dict[str, str], body: bytes) -> None:
        """What the client gets of an answer."""
        middle = len(body) // 2
        match action:
            case Call(function):
                self._call(function)
            case CutAfter():
                raise _Lost
            case CutMidBody() | SilentMidBody():
                self._answer(status, head, body[:middle])
                if action == SilentMidBody():
                    self._wait_for_hang_up()
                raise _Lost
            case Corrupt():
                body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
        self._answer(status, head, body)

    def _call(self, function: Callable[[], object]) -> None:
        try:
            function()
        except Exception as error:
            self.proxy.errors.append(error)
            raise _Lost from error

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            raise _Lost
        return body

    def _answer(self, status: int, head: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, text in head.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def _wait_for_hang_up(self) -> NoReturn:
        while self.rfile.read1(65536):
            pass
        raise _Lost
