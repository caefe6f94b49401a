"""The end of an ONNX graph, from what it gives to one logit for each pixel; see `edgeseg.foreign.head`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError
from edgeseg.foreign.graph.bounds import gives_probabilities, refuse_decision
from edgeseg.foreign.graph.draft import Draft
from edgeseg.foreign.head_rules import LOGARITHM, HeadWish, Masks, decide_kind, decide_masks, enlargement

_TO_FIRST = (0, 3, 1, 2)
_ENDS = {"LogSoftmax": "", "Sigmoid": "sigmoid", "Softmax": "softmax"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphHead:
    """What was found; `logits` is the name of a value, `(1, 1, H, W)`, or of several masks `(1, K, H, W)`."""

    logits: str
    kind: str
    channels: int
    masks: Masks
    notes: tuple[str, ...]


@dataclass(slots=True)
class _End:
    """The map before the activation, `(1, K, h, w)`, and what stood behind it."""

    name: str
    kind: str = ""
    notes: list[str] = field(default_factory=list)


def one_logit(draft: Draft, output: str, wish: HeadWish) -> GraphHead:
    """Find what an output is, and bring it to one logit for each pixel of the image, or one for each channel.

    Raises:
        ContractError: when the user contradicts the graph.
        OptionError: when nobody tells which channels are the mask.
        ArtifactError: when the output is no map of the image, or a mask already.
    """
    refuse_decision(draft, output)
    end = _cut(draft, _as_map(draft, output))
    channels = draft.shapes[end.name][1]
    bounded = lambda: gives_probabilities(draft, end.name)  # noqa: E731
    kind = decide_kind(end.kind, channels, draft.path, wish, end.notes, bounded=bounded)
    masks = decide_masks(kind, channels, draft.path, wish, end.notes)
    logits = end.name if masks.regions else _chosen(draft, end, kind, channels, masks.foreground)
    logits = _full_size(draft, logits, end.notes)
    return GraphHead(logits=logits, kind=kind, channels=channels, masks=masks, notes=tuple(end.notes))


def look_at(draft: Draft, output: str) -> tuple[str, int]:
    """Say what an output ends in, `sigmoid`, `softmax` or nothing, and how many channels it has.

    Raises:
        ArtifactError: when the output is no map of the image, or a mask already.
    """
    refuse_decision(draft, output)
    end = _cut(draft, _as_map(draft, output))
    return end.kind, draft.shapes[end.name][1]


def _as_map(draft: Draft, output: str) -> str:
    """Lay an output out as `(1, K, h, w)`."""
    shape, (height, width) = draft.shapes[output], draft.size
    if len(shape) == 4:
        return draft.transposed(output, _TO_FIRST, "as_map") if draft.channels_last else output
    if len(shape) == 3 and shape[1] == height * width:
        image = draft.reshaped(output, (1, height, width, shape[2]), "as_image")
        return draft.transposed(image, _TO_FIRST, "as_map")
    if shape[1:] == (height, width):
        return draft.reshaped(output, (1, 1, height, width), "as_map")
    raise ArtifactError(f"{draft.path}: gives {shape}, which is no map of an image of {height} x {width}")


def _cut(draft: Draft, name: str) -> _End:
    """Cut off a last sigmoid or softmax, also before steps that only lay values out otherwise."""
    name = draft.unmoved(name)
    source, moves = draft.moves_before(name)
    node = draft.maker(source)
    kind = None if node is None else _ENDS.get(node.op_type)
    if kind is None or (kind != "sigmoid" and not _over_channels(draft, node, moves, name)):
        return _End(name)
    before = draft.unmoved(draft.replayed(node.input[0], moves, "before_end"))
    called = node.name or source
    told = f"the last operation '{called}', a {kind}, is cut off" if kind else LOGARITHM.format(name=called)
    return _End(before, kind, [told])


def _over_channels(draft: Draft, node: Any, moves: Sequence[Any], name: str) -> bool:
    """Whether the values that a softmax shares 1 among are the channels of the map behind it."""
    shape = draft.shapes[node.output[0]]
    places = np.moveaxis(np.empty(shape, np.int64), draft.attributes(node).get("axis", -1), -1)
    places[...] = np.arange(places.shape[-1])
    values = np.moveaxis(places, -1, draft.attributes(node).get("axis", -1))
    for move in moves:
        values = draft.moved(values, move)
    wanted = np.arange(draft.shapes[name][1]).reshape(1, -1, 1, 1)
    return bool(np.array_equal(values, np.broadcast_to(wanted, values.shape)))


def _chosen(draft: Draft, end: _End, kind: str, channels: int, foreground: tuple[int, ...]) -> str:
    """Bring channels down to one."""
    if channels == 1:
        return end.name
    identity = np.eye(channels, dtype=np.float32)
    others = [channel for channel in range(channels) if channel not in foreground]
    if kind in ("sigmoid", "probabilities"):
        return _largest(draft, end, identity, foreground, "foreground")
    if len(foreground) == 1 and len(others) == 1:
        return _mixed(draft, end, identity[foreground[0]] - identity[others[0]], "class_difference")
    inside = _largest(draft, end, identity, foreground, "foreground")
    outside = _largest(draft, end, identity, others, "background")
    return draft.add("Sub", [inside, outside], draft.shapes[inside], "class_difference")


def _largest(draft: Draft, end: _End, identity: NDArray[np.float32], channels: Sequence[int], name: str) -> str:
    each = [_mixed(draft, end, identity[channel], f"{name}_{channel}") for channel in channels]
    return each[0] if len(each) == 1 else draft.add("Max", each, draft.shapes[each[0]], name)


def _mixed(draft: Draft, end: _End, weights: NDArray[np.float32], name: str) -> str:
    """Return the sum of channels with `weights`, `(K,)`, folded into the last convolution where there is one."""
    _, _, rows, columns = draft.shapes[end.name]
    last, shape = draft.maker(end.name), (1, 1, rows, columns)
    stored = last is not None and all(given in draft.constants for given in last.input[1:])
    if last is None or last.op_type != "Conv" or not stored or draft.attributes(last).get("group", 1) != 1:
        kernel = draft.store(weights.reshape(1, -1, 1, 1), f"{name}_kernel")
        return draft.add("Conv", [end.name, kernel], shape, name, kernel_shape=[1, 1])
    made = [np.tensordot(weights, draft.constants[given], axes=(0, 0))[np.newaxis] for given in last.input[1:]]
    inputs = [draft.store(values.astype(np.float32), f"{name}_{place}") for place, values in enumerate(made)]
    hint = f"{last.name or 'logits'}_{name}"
    return draft.add("Conv", [last.input[0], *inputs], shape, hint, **draft.attributes(last))


def _full_size(draft: Draft, logits: str, notes: list[str]) -> str:
    """Enlarge a smaller map to the image's size, where it is a whole fraction of it."""
    _, channels, rows, columns = draft.shapes[logits]
    factor = enlargement((rows, columns), draft.size, draft.path, notes)
    if factor == 1:
        return logits
    scales = draft.store(np.array([1, 1, factor, factor], np.float32), "to_image_size_scales")
    shape = (1, channels, rows * factor, columns * factor)
    given = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    return draft.add("Resize", [logits, "", scales], shape, "to_image_size", **given)
