"""Real servers on loopback to look at, and a probe that finds them under a name that looks public."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from chekt_mcp.domain.endpoint.public_address import why_not_public
from chekt_mcp.network.guard import AddressGuard
from chekt_mcp.network.look import Patience
from chekt_mcp.network.tls_contexts import Trust, public_authorities
from chekt_mcp.network.tls_probe import TlsProbe
from endpoint_certificates import HOST, Authority, Identity

LOOPBACK = "127.0.0.1"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
BRIEF = Patience(connect=5, answer=0.2, whole=10)


class Resolver:
    """Answers each question with the next of its answers, and the last one from then on."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def loopback_is_public(address: str) -> str | None:
    """The one exception that the tests make, by a constructor's parameter."""
    return None if address == LOOPBACK else why_not_public(address)


def probe(trust: Trust = public_authorities, resolver: Resolver | None = None, patience: Patience = BRIEF) -> TlsProbe:
    """Return a probe for which every name is on loopback, and loopback is public."""
    return TlsProbe(AddressGuard(resolver or Resolver([LOOPBACK]), loopback_is_public), trust, patience)


@dataclass
class Server:
    """A server's port, how often it was contacted, and what it was sent, through its TLS if it has any.

    It runs in threads, with OpenSSL on the socket itself: asyncio's servers swallow the alerts that real ones send.
    """

    context: ssl.SSLContext | None
    answer: bytes | None
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listener.getsockname()[1]

    def url(self, path: str = "/chekt", host: str = HOST) -> str:
        return f"https://{host}:{self.port}{path}"

    def start(self) -> None:
        self._threads[0].start()

    def stop(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                opened, _ = self._listener.accept()
                self.connections += 1
                self._threads.append(threading.Thread(target=self._serve, args=(opened,)))
                self._threads[-1].start()

    def _serve(self, opened: socket.socket) -> None:
        opened.settimeout(10)
        with suppress(OSError), opened:
            if self.context is None:
                self._reply(opened)
            else:
                self._wrapped(opened, self.context)

    def _wrapped(self, opened: socket.socket, context: ssl.SSLContext) -> None:
        """Speak TLS; an alert reaches the other side, since what that still sends is read before closing."""
        with opened.dup() as line:
            try:
                with context.wrap_socket(opened, server_side=True) as secure:
                    self._reply(secure)
            except ssl.SSLError:
                line.shutdown(socket.SHUT_WR)
                while line.recv(8192):
                    pass

    def _reply(self, opened: socket.socket) -> None:
        if request := opened.recv(8192):
            self.requests.append(request)
            if self.answer is None:
                self._over.wait(10)
            else:
                opened.sendall(self.answer)


@contextmanager
def serving(context: ssl.SSLContext | None, answer: bytes | None = NO_CONTENT) -> Iterator[Server]:
    """Answer every request with `answer`, never with None. Without a context: no TLS."""
    server = Server(context, answer)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def speaking(identity: Identity, folder: Path, version: ssl.TLSVersion, *, up_to: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a server's context for some versions of TLS."""
    context = identity.context(folder)
    with warnings.catch_warnings():  # old versions are deprecated, which is the point
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = version, up_to
    return context


def identity_and_trust(*hosts: str) -> tuple[Identity, Trust]:
    """Return a server's good certificate for `hosts` and what makes it trusted."""
    authority = Authority()
    return authority.issue(*(hosts or (HOST,))), authority.trusted
