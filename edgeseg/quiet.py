"""Keeping the chatter of libraries away from stdout and stderr, and giving it to the log instead."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence

_LOG = logging.getLogger(__name__)
_TURN = threading.RLock()
_LIBRARIES = r"(tensorflow|keras|tf2onnx|onnx|onnxruntime|ml_dtypes|google|numpy)(\.|$)"
_LOGGERS = ("tensorflow", "absl", "tf2onnx", "onnxruntime")

QUOTE_PATIENTS = ("pydicom", "highdicom", "nibabel", "PIL")


def silence_quoting_libraries() -> None:
    """Keep the words of libraries on a file, which may quote a patient's name or UID, from this process's log.

    Their levels would not last, since pydicom sets its own as it is imported; what is not passed on reaches no handler.
    """
    for name in QUOTE_PATIENTS:
        log = logging.getLogger(name)
        log.propagate = False
        log.addHandler(logging.NullHandler())


@contextlib.contextmanager
def quiet(descriptors: Sequence[int] = (1, 2)) -> Iterator[None]:
    """Send everything that libraries write to file descriptors to this module's log, at level DEBUG.

    They print from C++, past `sys.stdout`, some before any of their own settings is read. Their warnings are ignored,
    by library; nobody else's are. Threads take turns, or one would put back the descriptors of another.

    Args:
        descriptors: those that are redirected, for the whole process.
    """
    with _TURN, tempfile.TemporaryFile() as sink, warnings.catch_warnings():
        levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        warnings.filterwarnings("ignore", module=_LIBRARIES)
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            with _redirected(descriptors, sink.fileno()):
                yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            sink.seek(0)
            if said := sink.read().decode(errors="replace").strip():
                _LOG.debug("a library said:\n%s", said)


@contextlib.contextmanager
def _redirected(descriptors: Sequence[int], to: int) -> Iterator[None]:
    _flush()
    saved = {descriptor: os.dup(descriptor) for descriptor in descriptors}
    try:
        for descriptor in saved:
            os.dup2(to, descriptor)
        yield
    finally:
        _flush()
        for descriptor, original in saved.items():
            os.dup2(original, descriptor)
            os.close(original)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
