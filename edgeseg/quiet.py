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

QUOTE_PATIENTS = ("pydicom", "pynetdicom", "highdicom", "nibabel", "PIL")


def silence_quoting_libraries() -> None:
    """Keep the words of libraries on a file, which may quote a patient's name or UID, from this process's log.

    Their levels would not last, since pydicom sets its own as it is imported; what is not passed on reaches no handler.
    """
    for name in QUOTE_PATIENTS:
        log = logging.getLogger(name)
        log.propagate = False
        log.addHandler(logging.NullHandler())


class _Wordless(logging.Handler):
    """Says which library said something, and not what."""

    def __init__(self, name: str) -> None:
        """Tell it to the log of this name."""
        super().__init__(logging.WARNING)
        self._log = logging.getLogger(name)

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(
            record.levelno, "%s said something; its words may tell of a patient and are not kept", record.name
        )


@contextlib.contextmanager
def wordless_log(name: str) -> Iterator[None]:
    """Send the lines of one log to stderr with the time before them, and of a library that one was said.

    What a library says of a file, or a warning of it, may quote what stands in the file.
    """
    log, handler = logging.getLogger(name), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    before = log.level, log.propagate
    root = logging.getLogger()
    others, wordless = root.handlers[:], _Wordless(name)
    root.handlers[:] = [wordless]
    silenced = [logging.getLogger(one) for one in QUOTE_PATIENTS if not logging.getLogger(one).propagate]
    for library in silenced:
        library.addHandler(wordless)
    logging.captureWarnings(True)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = others
        for library in silenced:
            library.removeHandler(wordless)
        log.removeHandler(handler)
        log.setLevel(before[0])
        log.propagate = before[1]


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
