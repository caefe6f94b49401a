"""What the service is told when it starts."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from edgeseg.errors import OptionError

SEGMENT_ROUTE = "/v1/segment"
LIVE_ROUTE, READY_ROUTE, METRICS_ROUTE = "/live", "/ready", "/metrics"
OWN_ROUTES = (SEGMENT_ROUTE, "/docs", "/openapi.json", LIVE_ROUTE, READY_ROUTE, METRICS_ROUTE)
_USUAL_PIXELS = 512 * 512
"""Of a slice, when as many come as may; where slices are larger there may be fewer."""
MAX_PREDICT_BYTES = 1_500_000
"""The largest request that Vertex AI passes on to a container."""
_ROUTE = re.compile(r"/[\w./:@-]*", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,512}=*")
ANY_HOST = "*"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")


UNPACKED_TIMES = 16
"""How many times as large as the largest body what is packed in one request may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one request may hold: bytes of all its files unpacked, slices, pixels, and seconds to unpack."""

    unpacked_bytes: int
    max_slices: int
    max_pixels: int
    all_pixels: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where the service listens, and what it bounds.

    Attributes:
        host: address to listen on.
        port: likewise; 0 takes a free one.
        health_route: of a liveness check, beside `/health`.
        predict_route: of the Vertex AI contract.
        workers: threads that segment, each with a session of its own and one thread in it; 0 takes one per core.
        waiting: requests that may wait beside those being worked on; the next is refused with 429.
        max_body_bytes: of one request.
        max_held_bytes: of the bodies of all requests together.
        max_slices: in one request.
        max_pixels: of one slice.
        timeout_s: from the first byte of a request to its answer.
        idle_s: what headers may take in all, and the longest silence in a body or while an answer is taken.
        grace_s: what requests that are under way get when the service is told to stop.
        drain_s: how long it goes on taking requests after that, while `/ready` already says no.
        metrics: whether `/metrics` is there.
        token: what requests must bring as `Authorization: Bearer ...`; None asks for none. Health needs none.
        hosts: names that requests may be sent to, beside those of the loopback and `host`; `*` stands for all.
        origins: web pages that may call the service from a browser, such as `https://viewer.example`.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    health_route: str = "/health"
    predict_route: str = "/predict"
    workers: int = 0
    waiting: int = 32
    max_body_bytes: int = 32 << 20
    max_held_bytes: int = 256 << 20
    max_slices: int = 256
    max_pixels: int = 1 << 22
    timeout_s: float = 60.0
    idle_s: float = 10.0
    grace_s: float = 30.0
    drain_s: float = 0.0
    metrics: bool = False
    token: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be served."""
        if not 0 <= self.port <= 65535:
            raise OptionError(f"the port is {self.port}; a port lies between 0 and 65535")
        least = {"workers": 0, "waiting": 0, "max_body_bytes": 1 << 10, "max_slices": 1, "max_pixels": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise OptionError(f"{name} is {getattr(self, name)}; at least {low} is needed")
        if self.max_held_bytes < max(self.max_body_bytes, MAX_PREDICT_BYTES):
            raise OptionError(
                f"{self.max_held_bytes} bytes may be held and one request may have {self.max_body_bytes}; hold as much "
                f"as one request at least, and {MAX_PREDICT_BYTES}"
            )
        for name in ("timeout_s", "idle_s", "grace_s"):
            if not 0.1 <= getattr(self, name) <= 86400:
                raise OptionError(f"{name} is {getattr(self, name)}; it lies between 0.1 and 86400 seconds")
        if not 0.0 <= self.drain_s <= 3600:
            raise OptionError(f"drain_s is {self.drain_s}; it lies between 0 and 3600 seconds")
        _require_access(self.token, self.origins)
        _require_hosts(self.hosts)
        _require_routes(self.health_route, self.predict_route)

    @property
    def bounds(self) -> Bounds:
        """What one request may hold."""
        return Bounds(
            unpacked_bytes=UNPACKED_TIMES * self.max_body_bytes,
            max_slices=self.max_slices,
            max_pixels=self.max_pixels,
            all_pixels=_USUAL_PIXELS * self.max_slices,
            seconds=self.timeout_s,
        )

    @property
    def threads(self) -> int:
        """How many requests are worked on at once."""
        return self.workers or len(os.sched_getaffinity(0))


def _require_access(token: str | None, origins: tuple[str, ...]) -> None:
    if token is not None and not _TOKEN.fullmatch(token):
        raise OptionError(
            f"the token has {len(token)} characters; 16 to 512 letters, digits and - . _ ~ + / are needed, such as: "
            "openssl rand -hex 32"
        )
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise OptionError(
                f"the origin is '{origin}'; name each one whole and alone, without a path or *: https://viewer.example"
            )


def _require_hosts(hosts: tuple[str, ...]) -> None:
    for host in hosts:
        if host != ANY_HOST and not _HOST.fullmatch(host):
            raise OptionError(
                f"the host to allow is '{host}'; name each one alone, without http:// and port: scans.example; or * "
                "for all, where something before the service checks the name"
            )


def _require_routes(health: str, predict: str) -> None:
    for route in (health, predict):
        if not _ROUTE.fullmatch(route):
            raise OptionError(
                f"a route is '{route}'; it begins with '/' and holds letters, digits and . _ : @ / - alone"
            )
        if route in OWN_ROUTES:
            raise OptionError(f"a route is '{route}', which the service uses itself; choose another one")
    if predict in (health, "/health"):
        raise OptionError(f"'{predict}' is both the route of health and of predictions; choose two")
