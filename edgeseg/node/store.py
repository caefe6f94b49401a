"""Sends by C-STORE; files go out as they lie on the disk."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from pynetdicom import AE, _config

from edgeseg.node.failure import Refused, Unreachable
from edgeseg.node.pause import pausing
from edgeseg.specs import Destination, NodeOptions

_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
)
_EXPLICIT = "1.2.840.10008.1.2.1"
_DUPLICATE, _WARNING, _BUSY = 0x0111, 0xB, 0xA7
_PERMANENT = 0x01
_CONNECT_S, _ANSWER_S = 10.0, 120.0


def send_by_store(destination: Destination, files: list[Path], options: NodeOptions) -> None:
    """Send files over one association.

    Raises:
        Unreachable: when nobody answers, or the destination has no room.
        Refused: when it rejects the association, a class or an object.
    """
    _config.STORE_SEND_CHUNKED_DATASET = True
    ae = AE(ae_title=options.ae_title)
    ae.connection_timeout, ae.acse_timeout = _CONNECT_S, _CONNECT_S
    ae.dimse_timeout = ae.network_timeout = _ANSWER_S
    for one in _CLASSES:
        ae.add_requested_context(one, _EXPLICIT)
    association = ae.associate(
        str(destination.address), int(destination.port or 0), ae_title=str(destination.ae_title),
        tls_args=_tls(destination),
    )  # fmt: skip
    if not association.is_established:
        raise _rejected(association)
    pausing(association)
    try:
        for path in files:
            _send(association, path)
    finally:
        if association.is_established:
            association.release()


def _send(association: Any, path: Path) -> None:
    try:
        status = association.send_c_store(path)
    except (ValueError, RuntimeError) as error:
        if not association.is_established:
            raise Unreachable("the association ended too early") from error
        raise Refused(f"it takes no {_WHAT[path.stem]}") from error
    if "Status" not in status:
        raise Unreachable("the association ended without an answer")
    code = int(status.Status)
    if code in (0, _DUPLICATE) or code >> 12 == _WARNING:
        return
    if code >> 8 == _BUSY:
        raise Unreachable(f"it has no room for the {_WHAT[path.stem]} (status 0x{code:04X})")
    raise Refused(f"it refused the {_WHAT[path.stem]} (status 0x{code:04X})")


_WHAT = {"seg": "segmentation", "sr": "report", "sc": "secondary capture"}


def _rejected(association: Any) -> Exception:
    answer = getattr(association.acceptor, "primitive", None)
    if association.is_rejected and answer is not None and answer.result == _PERMANENT:
        return Refused(f"it rejects the association (source {answer.result_source}, reason {answer.diagnostic})")
    if association.is_rejected:
        return Unreachable("it rejects the association for now")
    return Unreachable("nobody answers, or not as DICOM asks for")


def _tls(destination: Destination) -> tuple[ssl.SSLContext, str] | None:
    if not destination.tls:
        return None
    return ssl.create_default_context(cafile=destination.ca_file), str(destination.address)
