"""Sends by STOW-RS: one request with all results of a study; files go out as they lie on the disk."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from edgeseg.jsonio import JsonFormatError, parse_json
from edgeseg.node.failure import Refused, Unreachable
from edgeseg.specs import Destination, NodeOptions

_FAILED, _REASON, _DUPLICATE = "00081198", "00081197", 0x0111
_WAIT = httpx.Timeout(120.0, connect=10.0)
_BUSY = frozenset((408, 425, 429))
_MOST_ANSWER_BYTES, _BLOCK = 4 << 20, 1 << 20


def send_by_stow(destination: Destination, files: list[Path], _options: NodeOptions) -> None:
    """Send files in one request.

    Raises:
        Unreachable: when nobody answers, or the destination is busy or broken.
        Refused: when it takes not all of them.
    """
    border = secrets.token_hex(16)
    heads = {"Accept": "application/dicom+json"}
    heads["Content-Type"] = f'multipart/related; type="application/dicom"; boundary={border}'
    heads["Content-Length"] = str(sum(len(part) if isinstance(part, bytes) else part for part in _parts(files, border)))
    heads |= _token(destination)
    try:
        with (
            httpx.Client(verify=_trust(destination), timeout=_WAIT, trust_env=False) as client,
            client.stream(
                "POST", f"{str(destination.url).rstrip('/')}/studies", headers=heads, content=_body(files, border)
            ) as answer,
        ):
            _judge(answer.status_code, _read(answer))
    except httpx.HTTPError as error:
        raise Unreachable(f"nobody answers, or not as HTTP asks for ({type(error).__name__})") from error


def _parts(files: list[Path], border: str) -> Iterator[bytes | int]:
    """Give the parts of the body, of a file its size alone."""
    for path in files:
        yield f"--{border}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        yield path.stat().st_size
        yield b"\r\n"
    yield f"--{border}--\r\n".encode()


def _body(files: list[Path], border: str) -> Iterator[bytes]:
    rest = iter(files)
    for part in _parts(files, border):
        if isinstance(part, bytes):
            yield part
            continue
        with next(rest).open("rb") as stream:
            while block := stream.read(_BLOCK):
                yield block


def _read(answer: httpx.Response) -> bytes:
    found = b""
    for block in answer.iter_bytes():
        found += block
        if len(found) > _MOST_ANSWER_BYTES:
            break
    return found


def _judge(status: int, body: bytes) -> None:
    """Take the answer for what it is: a destination may take some of the files alone, and say so in words alone."""
    if status >= 500 or status in _BUSY:
        raise Unreachable(f"it answers with HTTP {status}")
    reasons = _reasons(body)
    if reasons and all(one == _DUPLICATE for one in reasons):
        return
    if status not in (200, 202) or reasons:
        told = ", ".join(f"0x{one:04X}" for one in dict.fromkeys(reasons)) or "no reason"
        raise Refused(f"it does not take all results (HTTP {status}, {told})")


def _reasons(body: bytes) -> list[int]:
    """List the reasons for which objects were not taken."""
    try:
        plain = parse_json(body) if body.strip() else {}
    except JsonFormatError:
        return []
    whole: Any = plain[0] if isinstance(plain, list) and plain else plain
    failed = whole.get(_FAILED, {}) if isinstance(whole, dict) else {}
    items = failed.get("Value", []) if isinstance(failed, dict) else []
    found = []
    for item in items if isinstance(items, list) else []:
        values = item.get(_REASON, {}).get("Value", [0]) if isinstance(item, dict) else [0]
        found.append(int(values[0]) if values and isinstance(values[0], int) else 0)
    return found


def _token(destination: Destination) -> dict[str, str]:
    if destination.token_file is None:
        return {}
    try:
        return {"Authorization": f"Bearer {Path(destination.token_file).read_text(encoding='ascii').strip()}"}
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("its token cannot be read") from error


def _trust(destination: Destination) -> ssl.SSLContext | bool:
    return True if destination.ca_file is None else ssl.create_default_context(cafile=destination.ca_file)
