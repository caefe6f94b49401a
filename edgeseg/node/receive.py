"""Answers C-ECHO and C-STORE: who is on the list, calls the node by its title and comes from its own address."""

from __future__ import annotations

import contextlib
import logging
import ssl
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pynetdicom import AE, _config, evt
from pynetdicom.sop_class import Verification

from edgeseg.errors import DataError, EdgeSegError, OptionError
from edgeseg.node.bounded import BoundedHandler, BoundedServer, Bounds
from edgeseg.node.count import Counts
from edgeseg.node.inbox import Full, Inbox, Silence, Wrong
from edgeseg.node.queue import Came
from edgeseg.node.uids import KEY_OBJECTS, TAKEN
from edgeseg.specs import NodeOptions, Tls

_LOG = logging.getLogger("edgeseg.node")
_SUCCESS, _DUPLICATE, _NO_ROOM, _WRONG, _UNREADABLE, _FAULT = 0x0000, 0x0111, 0xA700, 0xA900, 0xC000, 0x0110
_REJECTED, _BY_USER, _CALLING_UNKNOWN = 0x01, 0x01, 0x03
_PDU_BYTES, _POLL_S = 1 << 17, 0.1
_SYNTAXES = [
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.5",
]  # fmt: skip
"""Without compression first; then what the readers of `edgeseg.data.dicom` unpack."""


class Receiver:
    """Listens while it is open."""

    def __init__(self, inbox: Inbox, silence: Silence, options: NodeOptions, counts: Counts) -> None:
        """Take what is needed; nothing is listened to yet."""
        self._inbox, self._silence, self._options, self._counts = inbox, silence, options, counts
        self._brought = weakref.WeakKeyDictionary[Any, set[int]]()
        self._server: BoundedServer | None = None

    @contextlib.contextmanager
    def open(self) -> Iterator[int]:
        """Listen until the block ends; gives the port.

        Raises:
            OptionError: when the address is taken or not of this host, or a certificate cannot be used.
        """
        options = self._options
        _config.LOG_HANDLER_LEVEL = "none"
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        ae = AE(ae_title=options.ae_title)
        ae.maximum_associations, ae.maximum_pdu_size = options.associations, _PDU_BYTES
        ae.require_called_aet = True
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = options.idle_s
        ae.add_supported_context(Verification)
        for one in (*TAKEN, *([KEY_OBJECTS] if options.marker else ())):
            ae.add_supported_context(one, _SYNTAXES)
        handlers = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_C_ECHO, self._echo),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_RELEASED, self._released),
        ]
        try:
            made: Any = ae.make_server(
                (options.address, options.port),
                evt_handlers=handlers,
                ssl_context=_tls(options.tls) if options.tls else None,
                server_class=self._bounded(),
                request_handler=BoundedHandler,
            )
        except OSError as error:
            raise OptionError(
                f"cannot listen on {options.address} port {options.port}: {error.strerror or error}; choose another"
            ) from error
        self._server = server = made
        threading.Thread(target=server.serve_forever, args=(_POLL_S,), name="edgeseg-receive", daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            self._server = None
            server.shutdown()
            for one in server.active_associations:
                one.abort()

    @property
    def associations(self) -> int:
        """How many are open."""
        return len(self._server.active_associations) if self._server is not None else 0

    def _bounded(self) -> type[BoundedServer]:
        options, counts = self._options, self._counts
        bounds = Bounds(
            knows=lambda address: any(peer.has(address) for peer in options.peers),
            refused=counts.refused,
            connections=options.associations,
            held_bytes=options.object_mb << 20,
            idle_s=options.idle_s,
            whole_s=options.association_s,
        )
        return type("_Server", (BoundedServer,), {"bounds": bounds})

    def _requested(self, event: Any) -> None:
        """Reject a title that may not come from where it comes from."""
        association = event.assoc
        title, address = str(association.requestor.primitive.calling_ae_title).strip(), association.requestor.address
        if any(peer.ae_title == title and peer.has(address) for peer in self._options.peers):
            return
        self._counts.refused("title")
        association.acse.send_reject(_REJECTED, _BY_USER, _CALLING_UNKNOWN)
        association.is_rejected = True
        association.kill()

    def _echo(self, event: Any) -> int:
        event.assoc.dul.socket.answered()
        return _SUCCESS

    def _store(self, event: Any) -> int:
        try:
            return self._stored(event)
        except Exception as error:
            self._counts.refused("fault")
            _LOG.error("an object could not be taken: internal error: %s", type(error).__name__)
            return _FAULT
        finally:
            if (found := event.assoc.dul.socket) is not None:
                found.answered()

    def _stored(self, event: Any) -> int:
        from pynetdicom.dsutils import encode_file_meta

        sent_as = (str(event.request.AffectedSOPClassUID), str(event.request.AffectedSOPInstanceUID))
        head = b"\0" * 128 + b"DICM" + encode_file_meta(event.file_meta)
        try:
            study, came = self._inbox.take((head, event.request.DataSet.getbuffer()), sent_as=sent_as)
        except Full:
            return self._refuse("room", _NO_ROOM)
        except Wrong:
            return self._refuse("wrong", _WRONG)
        except DataError:
            return self._refuse("unreadable", _UNREADABLE)
        except EdgeSegError as error:
            _LOG.error("an object could not be taken: %s", type(error).__name__)
            return self._refuse("room", _NO_ROOM)
        if came is Came.MARKER:
            self._silence.forget(study)
            return _SUCCESS
        self._silence.begun(study)
        self._brought.setdefault(event.assoc, set()).add(study)
        return _DUPLICATE if came is Came.OTHER else _SUCCESS

    def _released(self, event: Any) -> None:
        self._silence.released(self._brought.pop(event.assoc, ()))

    def _refuse(self, why: str, status: int) -> int:
        self._counts.refused(why)
        return status


def _tls(tls: Tls) -> ssl.SSLContext:
    """Make the context of a server; with authorities, peers must bring a certificate of theirs.

    Raises:
        OptionError: when a file is missing, or none of its kind.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(Path(tls.certificate), Path(tls.key))
        if tls.ca_file is not None:
            context.load_verify_locations(tls.ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise OptionError(
            f"the certificate of [tls] cannot be used ({error.strerror or error}); give PEM files"
        ) from error
    return context
