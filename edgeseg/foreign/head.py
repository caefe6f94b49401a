"""The end of somebody's network, from the last values that its layers give to one logit for each pixel.

A sigmoid or softmax at the end is cut off. Of two channels that share a softmax the logit is their difference, folded
into the last convolution; of more it is the largest of the foreground minus the largest of the others, so that it is
above 0 exactly where the most probable class is foreground. Of channels with a sigmoid each it is the largest of the
foreground. Where the contract names several masks the channels stay, and a runner makes the masks of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError
from edgeseg.foreign.bounds import gives_probabilities
from edgeseg.foreign.flat import pixels
from edgeseg.foreign.head_rules import LOGARITHM, HeadWish, Masks, decide_kind, decide_masks, enlargement

_LOGARITHM = "log_softmax"
_ENDS = ("sigmoid", "softmax", _LOGARITHM)
_MOVES = ("Permute", "Reshape")
_CONVOLUTIONS = ("Conv2D", "Conv2DTranspose", "Dense", "DepthwiseConv2D", "SeparableConv2D")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """What was found, and `logits`, `(None, H, W, 1)`, or of several masks `(None, H, W, K)`.

    `kind` is one of `edgeseg.specs.foreign.HEADS`, `masks` says which of the channels are the mask, or the masks.
    """

    logits: Any
    kind: str
    channels: int
    masks: Masks
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _End:
    """The tensor before the activation, the convolution that gives it where one does, and what stood behind."""

    tensor: Any
    kind: str
    convolution: Any = None
    source: Any = None
    notes: list[str] = field(default_factory=list)


def one_logit(tensor: Any, image: Any, path: Path, wish: HeadWish) -> Head:
    """Find what an output is, and bring it to one logit for each pixel of the image, or one for each channel.

    Args:
        tensor: the output, `(None, h, w, K)`, `(None, H * W, K)` or `(None, H, W)`.
        image: the input, `(None, H, W, C)`.
        path: of the file, for messages.
        wish: what the user says of it.

    Raises:
        ContractError: when that contradicts the graph.
        OptionError: when the graph does not tell which channels are the mask, and the user does not either.
        ArtifactError: when the output is no map of the image.
    """
    end = _cut(_as_map(tensor, image, path))
    channels = int(end.tensor.shape[-1])
    kind = decide_kind(end.kind, channels, path, wish, end.notes, bounded=lambda: gives_probabilities(end.tensor))
    masks = decide_masks(kind, channels, path, wish, end.notes)
    logits = end.tensor if masks.regions else _chosen(end, kind, channels, masks.foreground)
    logits = _full_size(logits, image, path, end.notes)
    return Head(logits=logits, kind=kind, channels=channels, masks=masks, notes=tuple(end.notes))


def look_at(tensor: Any, image: Any, path: Path) -> tuple[str, int]:
    """Say what an output ends in, `sigmoid`, `softmax` or nothing, and how many channels it has.

    Raises:
        ArtifactError: when the output is no map of the image.
    """
    end = _cut(_as_map(tensor, image, path))
    return end.kind, int(end.tensor.shape[-1])


def _as_map(tensor: Any, image: Any, path: Path) -> Any:
    """Lay `(None, H * W, K)` out as an image again, and give `(None, H, W)` its one channel."""
    import keras

    height, width = image.shape[1:3]
    if len(tensor.shape) == 4:
        return tensor
    if len(tensor.shape) == 3 and tensor.shape[1] == height * width:
        return keras.layers.Reshape((height, width, tensor.shape[2]), name="as_map")(tensor)
    if tuple(tensor.shape[1:]) == (height, width):
        return keras.layers.Reshape((height, width, 1), name="as_map")(tensor)
    raise ArtifactError(f"{path}: gives {tuple(tensor.shape)}, which is no map of an image of {height} x {width}")


def _cut(tensor: Any) -> _End:
    """Cut off a last sigmoid or softmax, as a layer of its own or inside a convolution, also before reshapes."""
    tensor = _unshaped(tensor)
    source, moves = _moves_before(tensor)
    layer, given = _maker(source), _source(source)
    kind = _activation(layer)
    if kind not in _ENDS or (kind != "sigmoid" and not _over_channels(layer, source, moves, tensor)):
        return _End(tensor, "", *_convolution(tensor))
    told = f"the last layer '{layer.name}', a {kind}, is cut off"
    if type(layer).__name__ in _CONVOLUTIONS:
        bare = type(layer).from_config({**layer.get_config(), "activation": "linear", "name": f"{layer.name}_logits"})
        given, told = bare(given), f"the {kind} of the last layer '{layer.name}' is cut off"
        bare.set_weights(layer.get_weights())
    for move in moves:
        given = type(move).from_config({**move.get_config(), "name": f"{move.name}_before"})(given)
    before = _unshaped(given)
    if kind == _LOGARITHM:
        return _End(before, "", *_convolution(before), [LOGARITHM.format(name=layer.name)])
    return _End(before, kind, *_convolution(before), [told])


def _moves_before(tensor: Any) -> tuple[Any, list[Any]]:
    """Go back over reshapes and transpositions; returns what they begin with, and them in order."""
    moves: list[Any] = []
    while type(_maker(tensor)).__name__ in _MOVES and _source(tensor) is not None:
        moves.insert(0, _maker(tensor))
        tensor = _source(tensor)
    return tensor, moves


def _over_channels(layer: Any, source: Any, moves: Sequence[Any], tensor: Any) -> bool:
    """Whether the values that a softmax shares 1 among are the channels of the map behind it."""
    axis = int(getattr(layer, "options", {}).get("axis", getattr(layer, "axis", -1)))
    places = np.empty(source.shape[1:], np.int64)
    along = np.moveaxis(places, axis - 1 if axis > 0 else axis, -1)
    along[...] = np.arange(along.shape[-1])
    for move in moves:
        places = _moved(places, move)
    return bool((places == np.arange(tensor.shape[-1])).all())


def _unshaped(tensor: Any) -> Any:
    """Go back over reshapes and transpositions that lay the same map out otherwise and back."""
    found, here, steps = tensor, tensor, []
    while type(_maker(here)).__name__ in _MOVES:
        steps.append(_maker(here))
        here = _source(here)
        if tuple(here.shape) == tuple(tensor.shape) and _idle(steps, tuple(here.shape[1:])):
            found = here
    return found


def _idle(steps: Sequence[Any], shape: tuple[int, ...]) -> bool:
    """Whether reshapes and transpositions, the last one first, leave each value where it was."""
    start = np.arange(int(np.prod(shape))).reshape(shape)
    moved = start
    for layer in reversed(steps):
        moved = _moved(moved, layer)
    return bool(np.array_equal(moved, start))


def _moved(values: NDArray[np.int64], move: Any) -> NDArray[np.int64]:
    """Do with an array, without the batch, what a reshape or a transposition does."""
    if type(move).__name__ == "Permute":
        return values.transpose([axis - 1 for axis in move.dims])
    return values.reshape(move.output.shape[1:])


def _maker(tensor: Any) -> Any:
    return tensor._keras_history.operation  # noqa: SLF001


def _source(tensor: Any) -> Any:
    """Return what the layer of a tensor was given, None where that is not one tensor."""
    history = tensor._keras_history  # noqa: SLF001
    given = history.operation._inbound_nodes[history.node_index].input_tensors  # noqa: SLF001
    return given[0] if len(given) == 1 else None


def _activation(layer: Any) -> str:
    kind = type(layer).__name__
    if kind in ("Sigmoid", "Softmax"):
        return kind.lower()
    if getattr(layer, "function", "") == "log softmax":
        return _LOGARITHM
    function = getattr(layer, "activation", None)
    return str(getattr(function, "__name__", "")) if kind in (*_CONVOLUTIONS, "Activation") else ""


def _convolution(tensor: Any) -> tuple[Any, Any]:
    """Return the plain convolution that gives a tensor and what it was given; None and None where none does."""
    layer = _maker(tensor)
    plain = type(layer).__name__ == "Conv2D" and _activation(layer) == "linear" and layer.groups == 1
    return (layer, _source(tensor)) if plain else (None, None)


def _chosen(end: _End, kind: str, channels: int, foreground: tuple[int, ...]) -> Any:
    """Bring channels down to one."""
    import keras

    if channels == 1:
        return end.tensor
    identity = np.eye(channels, dtype=np.float32)
    others = [channel for channel in range(channels) if channel not in foreground]
    if kind in ("sigmoid", "probabilities"):
        return _largest(end, identity, foreground, "foreground")
    if len(foreground) == 1 and len(others) == 1:
        return _mixed(end, identity[:, foreground[0]] - identity[:, others[0]], "class_difference")
    inside, outside = _largest(end, identity, foreground, "foreground"), _largest(end, identity, others, "background")
    return keras.layers.Subtract(name="class_difference")([inside, outside])


def _largest(end: _End, identity: NDArray[np.float32], channels: Any, name: str) -> Any:
    import keras

    each = [_mixed(end, identity[:, channel], f"{name}_{channel}") for channel in channels]
    return each[0] if len(each) == 1 else keras.layers.Maximum(name=name)(each)


def _mixed(end: _End, weights: NDArray[np.float32], name: str) -> Any:
    """Return the sum of channels with `weights`, `(K,)`, folded into the last convolution where there is one."""
    import keras

    last = end.convolution
    if last is None:
        mix = keras.layers.Conv2D(1, 1, use_bias=False, name=name)
        mixed = mix(end.tensor)
        mix.set_weights([weights.reshape(1, 1, -1, 1)])
        return mixed
    made = keras.layers.Conv2D.from_config({**last.get_config(), "filters": 1, "name": f"{last.name}_{name}"})
    mixed = made(end.source)
    kernel, *bias = last.get_weights()
    made.set_weights([kernel @ weights[:, np.newaxis], *(one @ weights[:, np.newaxis] for one in bias)])
    return mixed


def _full_size(logits: Any, image: Any, path: Path, notes: list[str]) -> Any:
    """Enlarge a smaller map to the image's size, where it is a whole fraction of it."""
    import keras

    factor = enlargement(pixels(logits) or (0, 0), image.shape[1:3], path, notes)
    if factor == 1:
        return logits
    return keras.layers.UpSampling2D(factor, interpolation="bilinear", name="to_image_size")(logits)
