"""An HTTP service on loopback that records what it is sent and answers as a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Request:
    """What came in; header names are lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back; a status of 0 drops the connection without an answer.

    With ``piece_after`` the body comes byte by byte, each after the event or that many seconds.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    piece_after: tuple[threading.Event, float] | None = None


# Called with each request and how many came before it.
Behaviour: TypeAlias = Callable[[Request, int], Reply]


@dataclass(slots=True)
class Service:
    """A running service. ``received`` grows with every request, also of those it refuses."""

    url: str = ""
    received: list[Request] = field(default_factory=list)
    behaviour: Behaviour = lambda _request, _before: Reply()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answers(self, *replies: Reply) -> None:
        """These replies, one after the other; the last for all that follow."""
        start = len(self.received)
        self.behaviour = lambda _request, before: replies[min(before - start, len(replies) - 1)]

    @property
    def keys(self) -> list[str]:
        """The Idempotency-Keys, in the order in which they came."""
        return [request.headers.get("idempotency-key", "") for request in self.received]

    @property
    def events(self) -> list[str]:
        """The events of mlmon's own JSON, in the order in which they came."""
        return [request.json["event"] for request in self.received]


@contextmanager
def service(tls: Any = None) -> Iterator[Service]:
    """Start a service on a free port of 127.0.0.1; ``tls`` is the server's SSL context."""
    running = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.path, headers, self.rfile.read(length))
            with running.lock:
                before = len(running.received)
                running.received.append(request)
            reply = running.behaviour(request, before)
            if reply.status == 0:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if reply.piece_after is None:
                self.wfile.write(reply.body)
                return
            over, seconds = reply.piece_after
            with suppress(OSError):  # who gave up has closed the connection
                for number in range(len(reply.body)):
                    over.wait(seconds)
                    self.wfile.write(reply.body[number : number + 1])

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    running.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
