"""Loading Keras 3 on a chosen backend, which has to be decided before the first import."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import MissingExtraError, OptionError, UnknownNameError
from edgeseg.quiet import quiet

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES, _MAPPED_FROM_BYTES = 1 << 28, 1 << 25
BACKENDS = {"tensorflow": "build", "jax": "jax", "torch": "torch"}


def check_backend(backend: str) -> None:
    """Refuse a backend that cannot be loaded, without loading it: before data are read for it.

    Raises:
        UnknownNameError: for a backend other than tensorflow, jax, torch.
        MissingExtraError: when Keras or the backend is not installed.
    """
    if backend not in BACKENDS:
        raise UnknownNameError("backend", backend, BACKENDS)
    if "keras" not in sys.modules:
        _require("keras", "build", "a Keras network")
        _require(backend, BACKENDS[backend], f"the {backend} backend of Keras")


def load_keras(backend: str = "tensorflow") -> Any:
    """Import Keras 3 on `backend` and return the module.

    Raises:
        UnknownNameError: for a backend other than tensorflow, jax, torch.
        MissingExtraError: when Keras or the backend is not installed.
        OptionError: when this process already runs Keras on another backend.
    """
    check_backend(backend)
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        keras = importlib.import_module("keras")
    active = keras.backend.backend()
    if active != backend:
        raise OptionError(f"Keras already runs on {active} in this process; start a new one for {backend}")
    return keras


def reuse_memory() -> None:
    """Let memory that was given back be taken again by the next array; does nothing without the GNU C library.

    With Python 3.11 TensorFlow has the system map and unmap each array of 128 KB and more from the first `fit` on, for
    the rest of the process (its `ApplyPython311MemoryPatch`), so this has to come after that. Batches are then drawn
    with half of the system's time, and what is computed is the same.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


@contextlib.contextmanager
def computing(keras: Any, precision: str) -> Iterator[None]:
    """Let the layers that are built within compute in `precision`, `float32` or `bfloat16`; their weights are float32.

    Source: Micikevicius et al., "Mixed Precision Training", ICLR 2018; bfloat16 has the range of float32, so that no
    loss needs scaling.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def predict(model: Any, images: NDArray[np.float32], *, batch: int) -> NDArray[np.float32]:
    """Run a Keras network on images in batches of one size, the last filled up with zeros.

    JAX compiles a network anew for each size of batch, which would take longer than the images.

    Args:
        model: the network.
        images: `(N, H, W, C) float32`, N at least 1.
        batch: images in a batch.

    Returns:
        `(N, H, W, 1) float32`.
    """
    missing = -len(images) % batch
    filled = np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)]) if missing else images
    parts = [np.asarray(model.predict_on_batch(filled[at : at + batch])) for at in range(0, len(filled), batch)]
    result: NDArray[np.float32] = np.concatenate(parts)[: len(images)].astype(np.float32, copy=False)
    return result


def running_keras() -> Any:
    """Return Keras on the backend that this process already runs it on, else on TensorFlow.

    Raises:
        MissingExtraError: when Keras or TensorFlow is not installed.
    """
    return sys.modules.get("keras") or load_keras()


def _require(module: str, extra: str, purpose: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(module, extra, purpose)
