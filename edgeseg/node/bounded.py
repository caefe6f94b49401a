"""What a peer may take before anything of it is believed: addresses, connections, bytes and time.

pynetdicom reads a PDU as long as its head says, waits for it without end, and keeps what comes faster than it is
answered; so the socket itself counts.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from socketserver import TCPServer
from typing import Any

from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

_MOST_PDU_BYTES, _PDU_S, _BLOCK = 1 << 20, 30.0, 1 << 16
_SLACK_BYTES = 2 << 20
_SPARE_CONNECTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one peer may take.

    Attributes:
        knows: whether an address may connect at all.
        refused: is told of a peer that was refused, by a fixed word.
        connections: that may be open at once.
        held_bytes: that one connection may bring before it is answered.
        idle_s: the longest silence.
        whole_s: the longest that a connection may last.
    """

    knows: Callable[[str], bool]
    refused: Callable[[str], None]
    connections: int
    held_bytes: int
    idle_s: float
    whole_s: float


class BoundedSocket(AssociationSocket):  # type: ignore[misc]
    """Ends the connection of a peer that takes more than it may; `answered` begins to count anew."""

    bounds: Bounds
    held_bytes: int = 0
    since: float = 0.0

    def answered(self) -> None:
        """Say that what was brought has been dealt with."""
        self.held_bytes = 0

    def recv(self, nr_bytes: int) -> bytearray:
        """Read so many bytes.

        Raises:
            OSError: when that is too many, or takes too long; pynetdicom then closes the connection.
        """
        bounds, now = self.bounds, time.monotonic()
        self.held_bytes += nr_bytes
        if nr_bytes > _MOST_PDU_BYTES or self.held_bytes > bounds.held_bytes + _SLACK_BYTES:
            raise self._ended("large")
        if now - self.since > bounds.whole_s:
            raise self._ended("long")
        found, end = bytearray(), now + min(_PDU_S, bounds.idle_s)
        while len(found) < nr_bytes:
            left = end - time.monotonic()
            if self.socket is None or left <= 0:
                raise self._ended("slow")
            self.socket.settimeout(left)
            if not (read := self.socket.recv(min(_BLOCK, nr_bytes - len(found)))):
                break
            found += read
        if self.socket is not None:
            self.socket.settimeout(bounds.idle_s)
        return found

    def _ended(self, why: str) -> OSError:
        self.bounds.refused(why)
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
        return ConnectionAbortedError(why)


class BoundedHandler(RequestHandler):  # type: ignore[misc]
    """Gives each connection a bounded socket."""

    def _create_association(self) -> Any:
        made = super()._create_association()
        found: Any = made.dul.socket
        found.__class__ = BoundedSocket
        found.bounds = self.server.bounds
        found.since = time.monotonic()
        found.socket.settimeout(found.bounds.idle_s)
        return made


class BoundedServer(ThreadedAssociationServer):  # type: ignore[misc]
    """Refuses addresses that it does not know, and more connections than it may have."""

    bounds: Bounds
    daemon_threads = True
    request_queue_size = 64
    """Connections that wait to be accepted; beyond socketserver's 5 a peer's first word is dropped for a second."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Begin without connections."""
        self._starting, self._lock = 0, threading.Lock()
        super().__init__(*given, **named)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether a connection is taken at all."""
        if not self.bounds.knows(str(client_address[0])):
            self.bounds.refused("address")
            return False
        with self._lock:
            if len(self.active_associations) + self._starting >= self.bounds.connections + _SPARE_CONNECTIONS:
                self.bounds.refused("busy")
                return False
            self._starting += 1  # its association is counted only when its thread runs
        return True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Start the association of a connection that was taken."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._starting -= 1

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; the handshake of TLS is made later, by the thread of the connection."""
        found, address = self.socket.accept()
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context: ssl.SSLContext | None = self.ssl_context
        if context is not None:
            found = context.wrap_socket(found, server_side=True, do_handshake_on_connect=False)
        return found, address

    def shutdown(self) -> None:
        """Stop, and close the socket."""
        TCPServer.shutdown(self)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that failed; the standard way prints a traceback with its address."""
        self.bounds.refused("broken")
