"""Keeping the converters' chatter away from stdout and stderr, and giving it to the log instead."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator

from edgeseg.errors import MissingExtraError

_LOG = logging.getLogger(__name__)
_LIBRARIES = r"(tensorflow|keras|tf2onnx|onnx|onnxruntime|ml_dtypes|google|numpy)(\.|$)"
_LOGGERS = ("tensorflow", "absl", "tf2onnx", "onnxruntime")


def require(*modules: str, purpose: str) -> None:
    """Refuse early when an optional module is absent.

    Raises:
        MissingExtraError: naming the first one and the extra `build`.
    """
    for module in modules:
        if module not in sys.modules and importlib.util.find_spec(module) is None:
            raise MissingExtraError(module, "build", purpose)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send everything that libraries write to file descriptors 1 and 2 to this module's log, at level DEBUG.

    The converters print from C++, past `sys.stdout`. Their warnings are ignored, by library; nobody else's are.
    """
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    with tempfile.TemporaryFile() as sink, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=_LIBRARIES)
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            with _redirected(sink.fileno()):
                yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            sink.seek(0)
            if said := sink.read().decode(errors="replace").strip():
                _LOG.debug("the converter said:\n%s", said)


@contextlib.contextmanager
def _redirected(to: int) -> Iterator[None]:
    _flush()
    saved = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
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
