"""What a target is: a file format with a precision, as data, and the job of writing one file of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ContractError, OptionError
from edgeseg.specs import Contract


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConvertJob:
    """One network to write in some format.

    Attributes:
        model: built Keras 3 model on the TensorFlow backend, `(None, H, W, 3) float32 in [0, 1]`, NHWC ->
            `(None, H, W, 1)` logits. It is read, never changed.
        contract: what the artifact will carry; `target` and `layout` are filled in by the conversion.
        calibration: `(M, H, W, 3) float32 in [0, 1]`, NHWC, channels as in the contract; None where none is needed.
    """

    model: Any
    contract: Contract
    calibration: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One file format with a precision.

    Attributes:
        name: `format-precision`, as in commands and file names.
        suffix: of the file, with its dot.
        runtime: what runs it on a device.
        precision: `fp32` or `int8`.
        needs_calibration: whether `ConvertJob.calibration` must be given.
        max_flip_ppm: mask pixels per million that may differ from the Keras network at the operating threshold.
        layout: of input and output, `NHWC` or `NCHW`.
        convert: writes the artifact at a path, whole or not at all; equal jobs give equal bytes.
    """

    name: str
    suffix: str
    runtime: str
    precision: str
    needs_calibration: bool
    max_flip_ppm: float
    layout: str
    convert: Callable[[ConvertJob, Path], None]


def artifact_contract(job: ConvertJob, *, target: str, layout: str) -> Contract:
    """Check that model, contract and calibration fit together, and return the contract that the artifact carries.

    Raises:
        ContractError: when the model's input or output is not what the contract says.
        OptionError: when the calibration slices have another shape, dtype or range.
    """
    contract = job.contract
    check_network(job.model, contract)
    if job.calibration is not None:
        _check_calibration(job.calibration, (contract.height, contract.width, len(contract.channels)))
    return replace(contract, target=target, layout=layout)


def check_network(model: Any, contract: Contract) -> None:
    """Refuse a model whose input or output is not what its contract says.

    Raises:
        ContractError: with both shapes.
    """
    image = (None, contract.height, contract.width, len(contract.channels))
    ends = (("takes", model.input_shape, image), ("gives", model.output_shape, (*image[:3], 1)))
    for end, found, wanted in ends:
        if tuple(found) != wanted:
            raise ContractError(
                f"the network {end} {tuple(found)}, and its contract says {wanted}; build both for one size"
            )


def calibration_slices(job: ConvertJob, target: str) -> NDArray[np.float32]:
    """Return the calibration slices of a job that needs them: `(M, H, W, 3) float32 in [0, 1]`.

    Raises:
        OptionError: when there are none.
    """
    if job.calibration is None:
        raise OptionError(f"{target} chooses its int8 ranges from calibration slices, and none were given")
    return job.calibration


def require_tensorflow(model: Any, target: str) -> None:
    """Refuse a model that does not live on the TensorFlow backend, which the converters read.

    Raises:
        OptionError: with the way to bring it there.
    """
    import keras

    if keras.backend.backend() != "tensorflow" or not isinstance(model, keras.Model):
        raise OptionError(
            f"{target} is converted from a Keras 3 model on the tensorflow backend; this one is a "
            f"{type(model).__module__.split('.')[0]} model on {keras.backend.backend()}. "
            "Save its weights and convert in a process of its own"
        )


def _check_calibration(slices: NDArray[np.float32], image: tuple[int, ...]) -> None:
    if slices.dtype != np.float32 or slices.ndim != 4 or slices.shape[1:] != image or not len(slices):
        raise OptionError(
            f"calibration slices are {slices.dtype} {slices.shape}; float32 (M, {', '.join(map(str, image))}) is needed"
        )
    low, high = float(slices.min()), float(slices.max())
    if not (low >= 0.0 and high <= 1.0):
        raise OptionError(f"calibration slices lie in [{low:g}, {high:g}]; the network's input is [0, 1]")
