"""Serve a site from this machine: its own files, read-only, with the headers that keep a page to itself.

Browsers let a page run offline, and let it have digests, on HTTPS or on the machine itself alone, so this listens on
the loopback address. For others a web server with HTTPS serves the same folder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from edgeseg.errors import ArtifactError, OptionError, OutputError
from edgeseg.stages.ship.site import INDEX, PACKED, site_files

LOG = logging.getLogger(__name__)
ADDRESS = "127.0.0.1"
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".zip": "application/zip",
}
_FOREVER = ("assets/", "cases/", "model/")
"""Folders whose files have their digest in their names."""
_BLOCK = 1 << 16


class Host(ThreadingHTTPServer):
    """A server of one site on the loopback address."""

    daemon_threads = True

    def __init__(self, folder: Path, *, port: int) -> None:
        """Listen; nothing is answered before `serve_forever`.

        Args:
            folder: what `write_site` wrote.
            port: 0 takes a free one.

        Raises:
            ArtifactError: when the folder holds no site.
            OptionError: for a port that there is not.
            OutputError: when the port is taken.
        """
        if not 0 <= port <= 65535:
            raise OptionError(f"--port is {port}; a port lies in 0..65535, and 0 takes a free one")
        site_files(folder)
        self._folder = folder
        try:
            super().__init__((ADDRESS, port), _Answer)
        except OSError as error:
            raise OutputError(
                f"cannot listen on port {port} ({error.strerror or error}); choose another one with --port, or 0"
            ) from error

    def handle_error(self, request: object, client_address: object) -> None:
        """Log a browser that went away in the middle with --debug alone; the others go on."""
        LOG.debug("a request ended early")

    def find(self, name: str) -> Path | None:
        """Return the file at an address below the page, as the folder is now; None for all that is no part of it."""
        try:
            return site_files(self._folder).get(name)
        except ArtifactError:
            return None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_address[1]}/"


def serve_site(folder: Path, *, port: int, ready: Callable[[str], None]) -> None:
    """Serve a site until Ctrl-C; `ready` is told the address.

    Raises:
        ArtifactError: when the folder holds no site.
        OptionError: for a port that there is not.
        OutputError: when the port is taken.
    """
    with Host(folder, port=port) as host:
        ready(host.url)
        try:
            host.serve_forever()
        except KeyboardInterrupt:
            LOG.info("stopped")


class _Answer(BaseHTTPRequestHandler):
    """One request; what is no file of the site is not there."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "edgeseg", ""
    timeout = 30
    server: Host

    def do_GET(self) -> None:
        """Send a file."""
        self._send(with_body=True)

    def do_HEAD(self) -> None:
        """Send what would come before it."""
        self._send(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class has that name
        """Log nothing of a request but with --debug."""
        LOG.debug(format, *args)

    def _send(self, *, with_body: bool) -> None:
        name = unquote(urlsplit(self.path).path).removeprefix("/") or INDEX
        path = self.server.find(name)
        if not self._is_ours() or path is None:
            self._refuse(HTTPStatus.NOT_FOUND if self._is_ours() else HTTPStatus.MISDIRECTED_REQUEST)
            return
        packed = path.with_name(path.name + PACKED)
        is_packed = "gzip" in self.headers.get("Accept-Encoding", "") and packed.is_file()
        sent = packed if is_packed else path
        try:
            stream = sent.open("rb")
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        with stream:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES.get(path.suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(sent.stat().st_size))
            forever = name.startswith(_FOREVER)
            self.send_header("Cache-Control", "public, max-age=31536000, immutable" if forever else "no-cache")
            self.send_header("Vary", "Accept-Encoding")
            if is_packed:
                self.send_header("Content-Encoding", "gzip")
            self._end()
            while with_body and (block := stream.read(_BLOCK)):
                self.wfile.write(block)

    def _is_ours(self) -> bool:
        """Whether the request was meant for this machine, and not for a name that somebody pointed at it."""
        return urlsplit(f"//{self.headers.get('Host', '')}").hostname in ("127.0.0.1", "localhost", "::1")

    def _refuse(self, status: HTTPStatus) -> None:
        told = f"{status.value} {status.phrase}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(told)))
        self._end()
        if self.command != "HEAD":
            self.wfile.write(told)

    def _end(self) -> None:
        for header, value in HEADERS.items():
            self.send_header(header, value)
        self.end_headers()
