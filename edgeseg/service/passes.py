"""Who may call: by the names that the service goes by, not from foreign web pages, and with the token if there is one.

A browser can be led to any address of its own host or network: by a name that a foreign site lets point there, and by
pages that send requests without reading answers. Programs are not concerned; they send neither `Origin` nor
`Sec-Fetch-Site`.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Scope

from edgeseg.service.refusal import FOREIGN, NO_TOKEN, Refusal
from edgeseg.specs import ServeOptions
from edgeseg.specs.serve import ANY_HOST, LIVE_ROUTE, READY_ROUTE

_PREFLIGHT_S = 600
_LOOPBACK = "localhost"


class Pass:
    """Holds requests to names, origins and the token; health needs no token and may be asked by address."""

    def __init__(self, options: ServeOptions) -> None:
        """Keep the token's digest alone."""
        self._digest = None if options.token is None else _digest(options.token.encode())
        self._open = {"/health", LIVE_ROUTE, READY_ROUTE, options.health_route}
        self._origins = frozenset(options.origins)
        self._hosts = frozenset(name.lower() for name in (*options.hosts, options.host))
        listens = _address(options.host)
        self._by_address = listens is not None and listens.is_unspecified

    def check(self, scope: Scope) -> None:
        """Let a request through.

        Raises:
            Refusal: when it comes by a name that is not the service's, from a foreign page, or without the token.
        """
        is_open = scope["path"] in self._open
        host = _single(scope, b"host")
        if not self._is_own(host, by_address=is_open or self._by_address):
            raise Refusal(
                FOREIGN,
                "the request came by a name that is not this service's; use localhost or 127.0.0.1, or let the "
                "operator allow the name with --allow-host",
            )
        self._check_origin(scope, host or "")
        if not is_open:
            self._check_token(scope)

    def _is_own(self, host: str | None, *, by_address: bool) -> bool:
        """Whether a `Host` is one of this service; without any, no browser sent it."""
        if host is None or ANY_HOST in self._hosts:
            return True
        name = _name(host)
        address = _address(name)
        if address is not None:
            return by_address or address.is_loopback or str(address) in self._hosts
        return name == _LOOPBACK or name in self._hosts

    def _check_origin(self, scope: Scope, host: str) -> None:
        origin, site = _single(scope, b"origin"), _single(scope, b"sec-fetch-site")
        if origin in self._origins:
            return
        own = origin is None or origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")
        if not own or site == "cross-site":
            raise Refusal(
                FOREIGN,
                "the request came from a web page of another origin; let the operator allow the page with --origin",
            )

    def _check_token(self, scope: Scope) -> None:
        if self._digest is None:
            return
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, token = (given[0] if len(given) == 1 else b"").partition(b" ")
        same = hmac.compare_digest(_digest(token.strip()), self._digest)
        if not (same and scheme.lower() == b"bearer"):
            raise Refusal(NO_TOKEN, "a token is needed; send it as: Authorization: Bearer TOKEN")


def with_origins(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """Let pages of these origins call from a browser; without any, nothing is added and browsers keep all out."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=("Authorization", "Content-Type"),
        expose_headers=("Retry-After", "WWW-Authenticate"),
        max_age=_PREFLIGHT_S,
    )


def _single(scope: Scope, wanted: bytes) -> str | None:
    """Give a header that may stand once; twice it is nobody's, so it is refused as foreign."""
    given = [value for name, value in scope["headers"] if name == wanted]
    return None if not given else given[0].decode("latin-1").strip() if len(given) == 1 else "?"


def _name(host: str) -> str:
    """Take the port off a `Host`; what is none stays as it is and fits nothing."""
    try:
        parts = urlsplit(f"//{host}")
        bare = parts.hostname is not None and parts.username is None and parts.netloc == host and parts.port != 0
    except ValueError:
        return host
    return str(parts.hostname) if bare else host


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _digest(token: bytes) -> bytes:
    """Of one length, so that the time of a comparison tells nothing."""
    return hashlib.sha256(token).digest()
