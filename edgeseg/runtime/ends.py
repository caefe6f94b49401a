"""The two ends of a model: whether they are those of a segmentation network, a slice going in, logits coming out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, ContractError
from edgeseg.imaging import (
    Tables,
    as_logits,
    dequantise,
    normalise,
    one_logit,
    quantise_images,
    region_logits,
    to_layout,
)
from edgeseg.runtime.session import Session, TensorInfo
from edgeseg.specs import Contract

_DTYPES = ("float32", "int8", "uint8", "int16")


def check_ends(session: Session, contract: Contract, path: Path) -> None:
    """Refuse a model whose ends are not those that the contract describes; where the file leaves sizes open, try it.

    Raises:
        ArtifactError: when an end is of a type that edgeseg does not feed, or the model cannot be run.
        ContractError: when an end has another shape.
    """
    size = (contract.height, contract.width)
    image = (1, *size, len(contract.channels)) if contract.layout == "NHWC" else (1, len(contract.channels), *size)
    for info, end, wanted in ((session.input, "input", image), (session.output, "output", contract.output_shape)):
        if info.dtype not in _DTYPES:
            raise ArtifactError(
                f"{path}: the {end} is of type {info.dtype}; edgeseg takes {', '.join(_DTYPES)}, so write the model "
                "anew with float32 ends (its weights may stay as they are)"
            )
        if not _fits(info.shape, wanted):
            raise ContractError(f"{path}: {_misfit(info.shape, wanted, contract, end)}")
    if None in (*session.input.shape[1:], *session.output.shape[1:]):
        black = np.zeros((1, *size, len(contract.channels)), np.uint8)
        decode(session.infer(encode(black, session.input, contract)), session.output, contract, path)


def encode(
    images: NDArray[np.uint8], info: TensorInfo, contract: Contract, given: Tables | None = None
) -> NDArray[np.generic]:
    """Give one slice, `(1, H, W, 3) uint8`, the dtype and layout of a model's input.

    `given` are the tables of the slice's volume, as in `edgeseg.imaging.normalise`.
    """
    if info.scale is not None and info.zero_point is not None:
        codes = quantise_images(images, contract, info.scale, info.zero_point, info.dtype, given)
        return to_layout(codes, contract.layout)
    return to_layout(normalise(images, contract, given), contract.layout)


def decode(output: NDArray[np.generic], info: TensorInfo, contract: Contract, path: Path) -> NDArray[np.float32]:
    """Give one output as `(H, W) float32` logits; of several channels those of the foreground (`one_logit`).

    Where the contract has R regions they are `(H, W, R)` (`region_logits`).

    Raises:
        ArtifactError: when there is not one value per pixel, or one is NaN or infinity.
        ContractError: when the contract says probabilities and they are none.
    """
    size, shape = (contract.height, contract.width), contract.output_shape
    if output.size != np.prod(shape):
        needed = (
            f"one per pixel and each of the {len(contract.classes)} classes" if contract.classes else "one per pixel"
        )
        raise ArtifactError(
            f"{path}: the model gave values of shape {output.shape} for a slice of {size[0]} x {size[1]}; {needed} is "
            "needed, so build the model again, or end it with a resize to the input's size"
        )
    if info.scale is not None and info.zero_point is not None:
        values = dequantise(output.reshape(shape).astype(info.dtype), info.scale, info.zero_point)
    else:
        values = output.reshape(shape).astype(np.float32)
    if not np.isfinite(values).all():
        raise ArtifactError(f"{path}: the model gave NaN or infinity; its weights are damaged, so build it again")
    try:
        if contract.classes:
            planes = (
                values[0] if (contract.output_layout or contract.layout) == "NCHW" else values[0].transpose(2, 0, 1)
            )
            make = region_logits if contract.regions else one_logit
            return make(planes, contract, info.scale)
        return as_logits(values.reshape(size), contract, info.scale)
    except ContractError as error:
        raise ContractError(f"{path}: {error}") from error


def _fits(shape: tuple[int | None, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(a in (None, b) for a, b in zip(shape, wanted, strict=True))


def _misfit(shape: tuple[int | None, ...], wanted: tuple[int, ...], contract: Contract, end: str) -> str:
    """Say in one sentence how an end differs from what is needed."""
    needed = " x ".join(map(str, wanted))
    shown = " x ".join("?" if size is None else str(size) for size in shape) or "a single number"
    layout = contract.layout if end == "input" else contract.output_layout or contract.layout
    told = f"the {end} is {shown} and the contract ({layout}) describes {needed}"
    if len(shape) != len(wanted):
        return f"{told}; the model is no segmentation network, which takes an image and gives one value per pixel"
    channel = 3 if layout == "NHWC" else 1
    if end == "output" and shape[channel] not in (None, wanted[channel]):
        return (
            f"{told}; edgeseg takes one channel, so cut the model to that of the tumour, as logits, or name all its "
            "channels as classes in the contract, and which are foreground"
        )
    if end == "output" and any(given is not None and given < most for given, most in zip(shape, wanted, strict=True)):
        return f"{told}; it is smaller than the image, so end the model with a resize to the input's size"
    return f"{told}; model and contract do not belong together, so build the model again or give it its own contract"
