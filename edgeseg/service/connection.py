"""Connections that do not outstay: who sends no headers, or takes no answer, is let go, and makes room for who asks."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_SLOW = b'{"error": "the request did not arrive in time; send it faster"}'
_SLOW_HEAD = b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n"
_SLOW_ANSWER = b"%scontent-length: %d\r\n\r\n%s" % (_SLOW_HEAD, len(_SLOW), _SLOW)


class ConnectionConfig(uvicorn.Config):
    """What uvicorn is told, and how long and how many connections may be.

    Attributes:
        idle_s: what headers may take in all, and an answer that is not taken.
        most: connections at a time; the next one takes the place of the one that has been silent longest.
    """

    def __init__(self, app: Any, *, idle_s: float, most: int, **others: Any) -> None:
        """Bound connections."""
        super().__init__(app, http=Connection, ws="none", **others)
        self.idle_s, self.most = idle_s, most


class Connection(H11Protocol):
    """One connection; its request is the gate's business from the end of the headers on."""

    config: ConnectionConfig
    _timer: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    heard_s: float = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock, and make room."""
        super().connection_made(transport)
        self.heard_s = self.loop.time()
        self._watch()
        open_ones = [one for one in self.connections if isinstance(one, Connection) and not one.transport.is_closing()]
        others = [one for one in open_ones if one is not self]
        if len(others) >= self.config.most:
            min(others, key=lambda one: (one.busy, one.heard_s)).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Go on, and see whether the headers are there."""
        self.heard_s = self.loop.time()
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        for timer in (self._timer, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Give who takes no answer a while."""
        self._stalled = self.loop.call_later(self.config.idle_s, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """The answer is being taken."""
        if self._stalled is not None:
            self._stalled.cancel()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that brings no further request, whether or not its last answer was taken."""
        super().timeout_keep_alive_handler()
        self._end()

    @property
    def busy(self) -> int:
        """0 while headers are waited for, 1 while a body arrives, 2 from then to the end of the answer."""
        return 0 if self._expects_headers else 1 if self.cycle.more_body else 2

    @property
    def _expects_headers(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn says that there is always one
        return cycle is None or cycle.response_complete

    def _watch(self) -> None:
        """Run the clock of headers from the first moment or byte of a request until its headers are there."""
        if not self._expects_headers:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
        elif self._timer is None:
            self._timer = self.loop.call_later(self.config.idle_s, self._too_slow)

    def _too_slow(self) -> None:
        if self.transport.is_closing() or not self._expects_headers:
            return
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            self.transport.write(_SLOW_ANSWER)
        self.transport.close()
        self._end()

    def _end(self) -> None:
        """See to it that a closed connection goes, though nobody takes what was still to be written."""
        self.loop.call_later(self.config.idle_s, self.transport.abort)
