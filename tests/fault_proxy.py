"""A proxy between an S3 client and its server that loses, spoils and holds up requests exactly when told.

It passes bytes on as they came, Host header and `Expect: 100-continue` included, so that signatures stay valid.
"""

import contextlib
import http.client
import io
import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import BinaryIO, NoReturn, Self
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape


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


Action = Respond | CutBefore | CutAfter | CutMidBody | Silent | Delay | Corrupt | Call


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
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._log: list[Request] = []
        self._actions: dict[int, Action] = {}
        self._rule: Rule | None = None
        self._errors: list[Exception] = []
        self._connections: set[socket.socket] = set()
        proxy = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                proxy._serve(self.request)

        self._server = _Server(("127.0.0.1", 0), Connection)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        # It polls for its end; 0.5 s, the default, is how long each test would then wait.
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()  # waits for the threads of all connections
        if self._errors and error is None:
            raise self._errors[0]

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

    def _arrived(self, head: bytes) -> tuple[Request, Action | None]:
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        parts = urlsplit(target)
        with self._lock:
            request = Request(len(self._log) + 1, method, unquote(parts.path), parts.query, _headers(head))
            self._log.append(request)
            action = self._actions.get(request.number)
            if action is None and self._rule is not None:
                action = self._rule(request.number, request)
            return request, action

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self._connections.add(client)
        try:
            with client.makefile("rb") as stream:
                while not self._closing.is_set() and (head := _head(stream)):
                    request, action = self._arrived(head)
                    if not self._exchange(_Exchange(self._target, client, stream, head, request), action):
                        break
        except _Lost:
            pass  # what a client or server that is gone deserves: its connection is closed
        except Exception as error:  # noqa: BLE001 (raised again at the end: a thread cannot fail a test)
            self._errors.append(error)
        finally:
            with self._lock:
                self._connections.discard(client)

    def _exchange(self, exchange: "_Exchange", action: Action | None) -> bool:
        """Deal with one request; False if its connection cannot carry another."""
        match action:
            case Call(function, after=False, then=then):
                function()
                return self._exchange(exchange, then)
            case Respond(status, code):
                return exchange.answer(exchange.made_up(status, code))
            case CutBefore():
                raise _Lost
            case Silent():
                exchange.wait_for_hang_up()
            case CutMidBody() if exchange.has_body:
                exchange.forward_half()
            case Delay(seconds):
                self._closing.wait(seconds)
        return exchange.answer(_spoilt(exchange.forward(), action))


def _spoilt(answer: "_Answer", action: Action | None) -> "_Answer":
    """What the client gets of an answer."""
    match action:
        case Call(function):
            function()
        case CutAfter():
            raise _Lost
        case CutMidBody():
            return answer.halved()
        case Corrupt():
            return answer.corrupted()
    return answer


class _Server(socketserver.ThreadingTCPServer):
    # Race tests connect faster than one thread accepts.
    request_queue_size = 128


class _Lost(Exception):
    """The other side is gone."""


@dataclass(frozen=True)
class _Answer:
    """What the server said: raw head, body without the frames of chunks."""

    head: bytes
    body: bytes
    reusable: bool

    def halved(self) -> "_Answer":
        return _Answer(self.head, self.body[: len(self.body) // 2], reusable=False)

    def corrupted(self) -> "_Answer":
        middle = len(self.body) // 2
        body = self.body[:middle] + bytes([self.body[middle] ^ 1]) + self.body[middle + 1 :]
        return _Answer(self.head, body, self.reusable)


@dataclass(frozen=True)
class _Exchange:
    target: tuple[str, int]
    client: socket.socket
    stream: BinaryIO
    head: bytes
    request: Request

    @property
    def has_body(self) -> bool:
        headers = self.request.headers
        return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers

    def forward(self) -> _Answer:
        """Pass the request on and fetch the answer."""
        with self._server() as (server, answers):
            refusal = self._ask_permission(answers)
            if refusal is not None:
                return refusal
            # A server that refuses a request early need not read all of it.
            with contextlib.suppress(ConnectionError):
                server.sendall(self._read_body())
            return self._read_answer(_head(answers), answers)

    def forward_half(self) -> NoReturn:
        """Pass the head and half of the body on, and hang up."""
        with self._server() as (server, answers):
            if self._ask_permission(answers) is None:
                body = self._read_body()
                server.sendall(body[: len(body) // 2])
        raise _Lost

    def answer(self, answer: _Answer) -> bool:
        with _network():
            self.client.sendall(answer.head + answer.body)
        return answer.reusable

    def made_up(self, status: int, code: str) -> _Answer:
        if not self._expects_permission:
            # Closing on unread bytes would reset the connection and might take the answer with it.
            with _network():
                self._read_body()
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>Made up by the test.</Message>"
            f"<Resource>{escape(self.request.path)}</Resource><RequestId>{self.request.number}</RequestId></Error>"
        ).encode()
        head = (
            f"HTTP/1.1 {status} {http.client.responses.get(status, '')}\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        ).encode()
        return _Answer(head, b"" if self.request.method == "HEAD" else body, reusable=False)

    def wait_for_hang_up(self) -> NoReturn:
        with _network():
            while self.stream.read1(65536):
                pass
        raise _Lost

    @contextlib.contextmanager
    def _server(self) -> Iterator[tuple[socket.socket, BinaryIO]]:
        """A connection that has heard the head."""
        with _network(), socket.create_connection(self.target, timeout=30) as server, server.makefile("rb") as answers:
            server.sendall(self.head)
            yield server, answers

    def _ask_permission(self, answers: BinaryIO) -> _Answer | None:
        """Let the server answer the client's `Expect: 100-continue`: None if the body may come."""
        if not self._expects_permission:
            return None
        interim = _head(answers)
        if interim.startswith(b"HTTP/1.1 100"):
            self.client.sendall(interim)
            return None
        # The client now keeps its body or is sending it already: its connection cannot be read any further.
        return replace(self._read_answer(interim, answers), reusable=False)

    @property
    def _expects_permission(self) -> bool:
        return self.request.headers.get("expect", "").lower() == "100-continue"

    def _read_body(self) -> bytes:
        headers = self.request.headers
        if "transfer-encoding" in headers:
            return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in _chunks(self.stream)) + b"0\r\n\r\n"
        return _exactly(self.stream, int(headers.get("content-length", 0)))

    def _read_answer(self, head: bytes, stream: BinaryIO) -> _Answer:
        if not head:
            raise _Lost
        headers = _headers(head)
        reusable = headers.get("connection", "").lower() != "close"
        if self.request.method == "HEAD" or head.split(b" ", 2)[1] in {b"204", b"304"}:
            return _Answer(head, b"", reusable)
        if "content-length" in headers:
            return _Answer(head, _exactly(stream, int(headers["content-length"])), reusable)
        body = b"".join(_chunks(stream)) if "transfer-encoding" in headers else stream.read()
        # With its length instead of frames, a body can be cut and changed wherever one likes.
        lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(b"transfer-encoding:")]
        head = b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""])
        return _Answer(head, body, reusable)


@contextlib.contextmanager
def _network() -> Iterator[None]:
    """Tell what befalls a connection from what a test's own function raises."""
    try:
        yield
    except OSError as error:
        raise _Lost from error


def _head(stream: BinaryIO) -> bytes:
    """The raw start line and headers up to the empty line; nothing if the other side hung up."""
    lines = []
    with _network():
        while line := stream.readline():
            lines.append(line)
            if line == b"\r\n":
                return b"".join(lines)
    return b""


def _headers(head: bytes) -> dict[str, str]:
    message = http.client.parse_headers(io.BytesIO(head.split(b"\r\n", 1)[1]))
    return {name.lower(): text for name, text in message.items()}


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while size := int(stream.readline().partition(b";")[0] or b"0", 16):
        yield _exactly(stream, size)
        stream.readline()
    # Trailers, which S3 clients do not send: theirs are inside the body, as aws-chunked.
    while stream.readline().strip():
        pass


def _exactly(stream: BinaryIO, size: int) -> bytes:
    body = stream.read(size)
    if len(body) < size:
        raise _Lost
    return body
