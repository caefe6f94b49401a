"""A contract for a model that carries none, from what its file tells."""

from __future__ import annotations

import json

from edgeseg.errors import ArtifactError
from edgeseg.jsonio import to_json, to_plain
from edgeseg.results import Inspection
from edgeseg.specs import CHANNELS, OTHERS_CONTRACT_SCHEMA_VERSION, OUTPUTS, Contract, VariantSpec
from edgeseg.stages.inspect.output_kind import SOFTMAX

_FREE_SIDE_PX = 256
_DTYPES = ("float32", "int8", "uint8", "int16")
_QUANTIZES = {"quantizelinear", "quantize"}
_CHANNEL_PLACE = {"NHWC": 3, "NCHW": 1}
_MOST_CHANNELS = 16
"""An axis of more is a side of the image."""


def contract_template(found: Inspection) -> tuple[str, tuple[str, ...]]:
    """Write `draft_contract` as JSON for a file of its own."""
    contract, notes = draft_contract(found)
    if found.contract is not None:
        return to_json(contract), notes
    return json.dumps(to_plain(contract) | {"output": contract.output}, indent=2, ensure_ascii=False), notes


def draft_contract(found: Inspection) -> tuple[Contract, tuple[str, ...]]:
    """Return the contract of an artifact, or one to be filled in for a bare model.

    What the file does not tell is a default, and `trained_on` says so. It is pinned to the model by its SHA-256.

    Returns:
        The contract, and in one sentence each what was guessed and has to be looked at.

    Raises:
        ArtifactError: when the model is not a network that takes slices and gives one value per pixel.
    """
    if found.contract is not None:
        return found.contract, ()
    layout, shape = _layout(found)
    sides = [size for place, size in enumerate(shape) if place not in (0, _CHANNEL_PLACE[layout])]
    height, width = (size or _FREE_SIDE_PX for size in sides)
    taken = shape[_CHANNEL_PLACE[layout]] or len(CHANNELS)
    channels = _check_output(found, layout, (height, width))
    kind = found.graph.output_kind
    contract = Contract(
        variant=VariantSpec(name="unknown", alpha=1.0, stem="full"),
        tier="custom",
        target=f"{found.format.lower()}-{_precision(found)}",
        layout=layout,
        schema_version=OTHERS_CONTRACT_SCHEMA_VERSION,
        channels=_channel_names(taken),
        height=height,
        width=width,
        trained_on="unknown",
        content_sha256=found.sha256,
        output=kind.kind if kind.kind in OUTPUTS else OUTPUTS[0],
        classes=_names(channels),
        foreground=(1,) if channels > 1 else (),
    )
    notes = _unnamed(found, contract.channels)
    if channels > 1:
        notes.append(
            f"{found.file}: gives {channels} channels, and which of them are tumour cannot be told; the template says "
            "the second, so correct classes and foreground"
        )
    if kind.kind not in OUTPUTS:
        notes.append(
            f"{found.file}: whether it gives logits or probabilities cannot be told ({kind.why}); the template says "
            f'"output": "{OUTPUTS[0]}", so write "{OUTPUTS[1]}" there if its values lie in [0, 1]'
        )
    if None in sides:
        notes.append(
            f"{found.file}: its height and width are open; the template says {height} x {width}, so write there the "
            "size that it was trained on"
        )
    return contract, tuple(notes)


def _layout(found: Inspection) -> tuple[str, tuple[int | None, ...]]:
    """Tell the layout from the input's shape."""
    inputs = found.graph.inputs
    shown = "; ".join(_shown(tensor.shape) for tensor in inputs) or "nothing"
    told = f"{found.file}: takes {shown}, and a contract describes one image of 1 to {_MOST_CHANNELS} channels"
    if len(inputs) == 1 and len(inputs[0].shape) == 4:
        shape = inputs[0].shape
        usual = [layout for layout, place in _CHANNEL_PLACE.items() if shape[place] == len(CHANNELS)]
        few = [layout for layout, place in _CHANNEL_PLACE.items() if 0 < (shape[place] or 0) <= _MOST_CHANNELS]
        fitting = usual or few
        if len(fitting) > 1:
            raise ArtifactError(
                f"{told}; either axis could be that of the channels, so the layout cannot be told: take a contract of "
                "another model as a pattern and write it there"
            )
        if fitting and inputs[0].dtype not in _DTYPES:
            raise ArtifactError(
                f"{found.file}: takes {inputs[0].dtype}; edgeseg feeds {', '.join(_DTYPES)}, so write the model anew "
                "with float32 ends (its weights may stay as they are)"
            )
        if fitting:
            return fitting[0], shape
    raise ArtifactError(f"{told}, N x C x H x W or N x H x W x C; give a segmentation model")


def _unnamed(found: Inspection, channels: tuple[str, ...]) -> list[str]:
    if len(channels) == len(CHANNELS):
        return []
    return [
        f"{found.file}: takes {len(channels)} channel(s), and nothing says what they are; the template calls them "
        f"{', '.join(channels)}, so write their names in channels"
    ]


def _channel_names(count: int) -> tuple[str, ...]:
    return CHANNELS if count == len(CHANNELS) else tuple(f"channel-{number}" for number in range(1, count + 1))


def _precision(found: Inspection) -> str:
    """Tell how a model computes: `int8` where it holds codes between float ends, or takes them."""
    if found.graph.inputs[0].dtype in ("int8", "uint8"):
        return "int8"
    names = {operation.operation.lower() for operation in found.graph.operations}
    return "int8" if names & _QUANTIZES else "fp32"


def _names(channels: int) -> tuple[str, ...]:
    """Name the classes of several channels for want of their own names."""
    if channels == 1:
        return ()
    return ("background", "tumour") if channels == 2 else tuple(f"class {number}" for number in range(channels))


def _check_output(found: Inspection, layout: str, size: tuple[int, int]) -> int:
    """Refuse outputs that no contract describes; return how many channels there are."""
    outputs = found.graph.outputs
    shown = "; ".join(_shown(tensor.shape) for tensor in outputs)
    told = f"{found.file}: gives {shown}, and one value per pixel of {size[0]} x {size[1]} is needed"
    wanted = (1, *size, 1) if layout == "NHWC" else (1, 1, *size)
    if len(outputs) != 1:
        raise ArtifactError(f"{told}; it has {len(outputs)} outputs, so leave one in the model")
    shape = outputs[0].shape
    if len(shape) != len(wanted):
        raise ArtifactError(f"{told}; this is no segmentation network")
    place = _CHANNEL_PLACE[layout]
    channels = shape[place] or 1
    if found.graph.output_kind.kind == SOFTMAX and channels == 1:
        raise ArtifactError(
            f"{told}; it {found.graph.output_kind.why}, which over one channel is 1 everywhere: leave the softmax out"
        )
    sides = [
        (given, side) for axis, (given, side) in enumerate(zip(shape, wanted, strict=True)) if axis not in (0, place)
    ]
    if any(given not in (None, side) for given, side in sides):
        raise ArtifactError(f"{told}; end the model with a resize to the size of its input")
    return channels


def _shown(shape: tuple[int | None, ...]) -> str:
    return " x ".join("?" if size is None else str(size) for size in shape) or "a single number"
