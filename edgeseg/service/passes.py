"""Who may call: those with the token where one is asked for, and web pages of named origins."""

from __future__ import annotations

import hashlib
import hmac

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Scope

from edgeseg.service.refusal import NO_TOKEN, Refusal
from edgeseg.specs import ServeOptions
from edgeseg.specs.serve import LIVE_ROUTE, READY_ROUTE

_PREFLIGHT_S = 600


class Pass:
    """Holds requests to the token; health is open to all."""

    def __init__(self, options: ServeOptions) -> None:
        """Keep the token's digest alone."""
        self._digest = None if options.token is None else _digest(options.token.encode())
        self._open = {"/health", LIVE_ROUTE, READY_ROUTE, options.health_route}

    def check(self, scope: Scope) -> None:
        """Let a request through.

        Raises:
            Refusal: when a token is asked for and it brings none, or another.
        """
        if self._digest is None or scope["path"] in self._open:
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


def _digest(token: bytes) -> bytes:
    """Of one length, so that the time of a comparison tells nothing."""
    return hashlib.sha256(token).digest()
