"""What stands before every route: how many requests, how large, how long; one JSON error and one line of log each.

The log has method, route, status, time and sizes. Addresses, headers, queries, names of files and messages of errors
are left out, since any of them may say who a patient is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edgeseg.service.deadline import Deadline
from edgeseg.service.metrics import Metrics
from edgeseg.service.passes import Pass, with_origins
from edgeseg.service.refusal import TOO_LARGE, TOO_MANY, TOO_SLOW, WRONG_TYPE, Refusal
from edgeseg.specs import MAX_PREDICT_BYTES, SEGMENT_ROUTE, ServeOptions
from edgeseg.specs.serve import OWN_ROUTES

LOG = logging.getLogger("edgeseg.service")
TICKET, BEGIN, _SEEN = "edgeseg.ticket", "edgeseg.begin", "edgeseg.seen"
FAULT = "a fault of edgeseg; the operator finds where in the log"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"})


class Ticket:
    """One request that may bring a body: its deadline, the bytes that came, and the work that outlasts its answer.

    It has a place, of which there are few, from the end of its body to the end of the work on it.
    """

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self.deadline, self.held_bytes, self.has_place = Deadline(seconds), 0, False
        self.work: Future[Any] | None = None

    def begin(self, work: Future[Any], ended: Callable[[], None]) -> None:
        """Note what is done for it; `ended` is called in the loop when that has ended."""
        self.work, loop = work, asyncio.get_running_loop()

        def tell(_work: Future[Any]) -> None:
            with contextlib.suppress(RuntimeError):  # the service has stopped
                loop.call_soon_threadsafe(ended)

        work.add_done_callback(tell)


class Gate:
    """An ASGI application around another."""

    def __init__(self, inner: ASGIApp, options: ServeOptions, metrics: Metrics | None = None) -> None:
        """Let requests through to `inner`, and count them in `metrics`."""
        self._inner, self._options, self._metrics = inner, options, metrics
        self._pass = Pass(options)
        self._outer = with_origins(self._answered, options.origins)
        self._most = options.threads + options.waiting
        self._limits = {SEGMENT_ROUTE: options.max_body_bytes, options.predict_route: MAX_PREDICT_BYTES}
        self._shown = {*self._limits, options.health_route, "/health", *OWN_ROUTES}
        self.under_way = self.held_bytes = 0
        self.draining = False
        if metrics is not None:
            metrics.watch(lambda: self.under_way)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        started, seen = (
            time.perf_counter(),
            _Seen(receive, send, self._limits.get(scope["path"], 0), self._options.idle_s),
        )
        await self._outer({**scope, _SEEN: seen}, receive, seen.send)
        method = scope["method"] if scope["method"] in _METHODS else "?"
        route = scope["path"] if scope["path"] in self._shown else "(other)"
        seconds = time.perf_counter() - started
        LOG.info("%s %s %s %.1f ms %d B in %d B out", method, route, seen.status, seconds * 1e3, seen.taken, seen.sent)
        if self._metrics is not None:
            self._metrics.answered(method, route, seen.status, seconds)

    async def _answered(self, scope: Scope, _receive: Receive, send: Send) -> None:
        seen: _Seen = scope[_SEEN]
        try:
            self._pass.check(scope)
            if scope["method"] == "POST" and scope["path"] in self._limits:
                await self._admitted(scope, seen, send)
            else:
                await self._inner(scope, seen.unbounded, send)
        except Refusal as refusal:
            await seen.refuse(send, refusal.status, refusal.text, refusal.headers)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            LOG.error("a fault of edgeseg: %s at %s:%s", type(error).__name__, where.filename, where.lineno)  # noqa: TRY400
            await seen.refuse(send, 500, FAULT, {})

    async def _admitted(self, scope: Scope, seen: _Seen, send: Send) -> None:
        seen.expect(scope)
        self._require_place()
        ticket = Ticket(self._options.timeout_s)
        seen.watch(ticket, lambda size: self._charge(ticket, size), lambda: self._place(ticket))
        try:
            await self._inner(
                {**scope, TICKET: ticket, BEGIN: lambda work: self._begin(ticket, work)}, seen.receive, send
            )
        finally:
            ticket.deadline.cancel()
            if ticket.work is None or ticket.work.done():
                self._free(ticket)

    def _require_place(self) -> None:
        if self.under_way >= self._most:
            raise Refusal(TOO_MANY, f"{self.under_way} requests are under way; try again in a second")

    def _charge(self, ticket: Ticket, size: int) -> None:
        """Hold what has arrived of a body; what was only announced takes no room."""
        if self.held_bytes + size > self._options.max_held_bytes:
            raise Refusal(TOO_MANY, "the bodies of all requests together are too large; try again in a second")
        self.held_bytes, ticket.held_bytes = self.held_bytes + size, ticket.held_bytes + size

    def _place(self, ticket: Ticket) -> None:
        """Give a place to a request whose body is there; until then it keeps nobody else out."""
        self._require_place()
        self.under_way, ticket.has_place = self.under_way + 1, True

    def _begin(self, ticket: Ticket, work: Future[Any]) -> None:
        ticket.begin(work, lambda: self._free(ticket))

    def _free(self, ticket: Ticket) -> None:
        """Free what a request holds when the work on it has ended, whether or not its answer is given or taken."""
        self.under_way, self.held_bytes = self.under_way - ticket.has_place, self.held_bytes - ticket.held_bytes
        ticket.has_place, ticket.held_bytes = False, 0


class _Seen:
    """Counts what goes in and out of one request, and ends a body that is too large or too slow."""

    def __init__(self, receive: Receive, send: Send, limit: int, idle_s: float) -> None:
        self.unbounded, self._send, self._limit, self._idle_s = receive, send, limit, idle_s
        self.status = self.taken = self.sent = 0
        self._more = True

    def watch(self, ticket: Ticket, arrived: Callable[[int], None], whole: Callable[[], None]) -> None:
        """Hold a body to a deadline; `arrived` is told the size of each part, `whole` when it has ended."""
        self._ticket, self._arrived, self._whole = ticket, arrived, whole

    def expect(self, scope: Scope) -> None:
        """Look at what a request says of its body: whether it is packed, and how large it is.

        Raises:
            Refusal: when it is packed, which no bound here would hold for, or too large.
        """
        said = dict(scope["headers"])
        if said.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
            raise Refusal(WRONG_TYPE, "the body is packed (Content-Encoding); send it as it is, without that header")
        stated = said.get(b"content-length", b"").decode("latin-1")
        if len(stated) >= 16 or (stated.isdecimal() and int(stated) > self._limit):
            raise self._too_large()

    async def receive(self) -> Message:
        if not self._more:
            return await self.unbounded()
        try:
            left_s = min(self._idle_s, self._ticket.deadline.left_s)
            message = await asyncio.wait_for(self.unbounded(), left_s)
        except TimeoutError as error:
            raise Refusal(TOO_SLOW, "the body did not arrive in time; send it faster, or less at a time") from error
        if message["type"] == "http.disconnect":
            return message
        size = len(message.get("body", b""))
        self.taken += size
        self._more = bool(message.get("more_body", False))
        if self.taken > self._limit:
            raise self._too_large()
        self._arrived(size)
        if not self._more:
            self._whole()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message.setdefault("headers", []).extend(
                [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
            )
        self.sent += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, send: Send, status: int, text: str, headers: dict[str, str]) -> None:
        if self.status:
            return
        body = json.dumps({"error": text}, ensure_ascii=False).encode()
        given = {"content-type": "application/json", "content-length": str(len(body)), **headers}
        pairs = [(name.lower().encode(), value.encode()) for name, value in given.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    def _too_large(self) -> Refusal:
        return Refusal(TOO_LARGE, f"the body is larger than {self._limit} bytes; send fewer slices at a time")
