"""Somebody's Keras network as one flat graph: models inside it inlined, what only training needs left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.errors import ArtifactError, OptionError, one_line
from edgeseg.foreign.bounds import takes_bytes
from edgeseg.targets._explicit import IDLE

_MOST_CHANNELS = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlatGraph:
    """A network of single layers over one image.

    Attributes:
        image: its input, `(None, H, W, C)`.
        outputs: by name, in the order of the file.
        input_factor: what a first `Rescaling` layer multiplied by, which was cut off; 1 without one.
        takes_bytes: whether its first steps, which were left in it, tell that it takes raw bytes.
    """

    image: Any
    outputs: dict[str, Any]
    input_factor: float = 1.0
    takes_bytes: bool = False


def flatten(model: Any, path: Path, *, size: tuple[int, int] | None) -> FlatGraph:
    """Lay a network out flat, for one size of image.

    Args:
        model: a functional or sequential Keras 3 model.
        path: of its file, for messages.
        size: (height, width), where the network leaves them open.

    Raises:
        ArtifactError: when it takes no single image, or cannot be laid out.
        OptionError: when the size of the image is open and none is given, or fixed and another is.
    """
    import keras

    shape = _image_shape(model, path, size)
    _check_layout(model, path)
    for cut in (True, False):
        image = keras.Input(shape, name="image", dtype="float32")
        writer = _Writer(image, path, cut_rescaling=cut)
        try:
            outputs = writer.run(model, image)
        except (ValueError, TypeError) as error:
            raise ArtifactError(
                f"{path}: its network cannot be laid out for an image of {shape[0]} x {shape[1]} ({one_line(error)}); "
                "give the size that it was trained for with --size"
            ) from error
        if not cut or writer.consistent:
            break
    named = dict(zip(output_names(model, len(outputs)), outputs, strict=True))
    raw = writer.factor == 1.0 and takes_bytes(writer.scaled, outputs)
    return FlatGraph(image=writer.scaled, outputs=named, input_factor=writer.factor, takes_bytes=raw)


def _image_shape(model: Any, path: Path, size: tuple[int, int] | None) -> tuple[int, int, int]:
    inputs = model.inputs or []
    if len(inputs) != 1:
        names = ", ".join(tensor.name for tensor in inputs) or "none that is known"
        raise ArtifactError(
            f"{path}: has {len(inputs)} inputs ({names}); a network of one image is needed, so save it with the "
            "sequences as channels of one input"
        )
    shape = tuple(inputs[0].shape)
    shown = " x ".join("?" if side is None else str(side) for side in shape)
    if len(shape) == 5:
        raise ArtifactError(
            f"{path}: takes {shown}, a volume; edgeseg compresses networks of single slices, so give a 2-D network"
        )
    if len(shape) != 4:
        raise ArtifactError(f"{path}: takes {shown}; a network of images is needed, such as ? x 256 x 256 x 3")
    if str(inputs[0].dtype).startswith(("int", "uint", "string")) and inputs[0].dtype != "uint8":
        raise ArtifactError(f"{path}: takes {inputs[0].dtype}, which is no image; a network of images is needed")
    height, width, channels = shape[1:]
    if channels is None or channels > _MOST_CHANNELS:
        raise ArtifactError(
            f"{path}: takes {shown}, in which the channels of the image do not come last; save it with "
            "data_format='channels_last', or export it to ONNX and give the .onnx file"
        )
    check_size(path, (height, width), size)
    height, width = size or (height, width)
    if height is None or width is None:
        raise OptionError(
            f"{path}: leaves the height and width of its image open; say them with --size, such as --size 256"
        )
    return height, width, channels


def check_size(path: Path, own: tuple[int | None, ...], size: tuple[int, int] | None) -> None:
    """Refuse another size than the one that a network is fixed to: its own runtime could not run it.

    Raises:
        OptionError: when they differ; sides that are left open, None, take any.
    """
    if size is not None and any(side not in (None, wanted) for side, wanted in zip(own, size, strict=True)):
        shown = " x ".join("?" if side is None else str(side) for side in own)
        raise OptionError(
            f"{path}: takes images of {shown} and {size[0]} x {size[1]} is asked for; leave the size out, since slices "
            "are brought to the network's own, or save the network with open sides"
        )


def _check_layout(model: Any, path: Path) -> None:
    for layer in _all_layers(model):
        if getattr(layer, "data_format", None) == "channels_first":
            raise ArtifactError(
                f"{path}: layer '{layer.name}' has its channels first; save the network with "
                "data_format='channels_last', or export it to ONNX and give the .onnx file"
            )


def _all_layers(model: Any) -> list[Any]:
    found = []
    for layer in model.layers:
        found += _all_layers(layer) if hasattr(layer, "layers") else [layer]
    return found


def output_names(model: Any, count: int) -> list[str]:
    """Name the outputs as Keras does, those of one name numbered."""
    given = list(getattr(model, "output_names", ()))
    if len(given) != count:
        given = [f"output{number}" for number in range(count)]
    return [name if given.count(name) == 1 else f"{name}:{place}" for place, name in enumerate(given)]


class _Writer:
    """Calls a layer of the network anew, under a name of its own and with its weights."""

    def __init__(self, image: Any, path: Path, *, cut_rescaling: bool) -> None:
        self.image, self.path, self.factor = image, path, 1.0
        self.scaled = image
        self._cut, self._uses, self._cuts = cut_rescaling, 0, 0
        self._made: dict[int, Any] = {}
        self._taken: set[str] = {"image"}

    @property
    def consistent(self) -> bool:
        """Whether the image was used through the layer that was cut off alone."""
        return self._cuts == 0 or self._uses == self._cuts == 1

    def run(self, model: Any, *given: Any) -> list[Any]:
        """Lay out a model over its inputs; returns its outputs."""
        import keras

        if isinstance(model, keras.Sequential):
            (x,) = given
            for layer in model.layers:
                x = self(layer, x)
            return [x]
        if not hasattr(model, "_run_through_graph"):
            raise ArtifactError(
                f"{self.path}: '{model.name}' is no functional model, and what it computes stands in code that the "
                "file does not hold; export it to ONNX and give the .onnx file"
            )
        result = model._run_through_graph(keras.tree.flatten(given), call_fn=self)  # noqa: SLF001
        return list(keras.tree.flatten(result))

    def __call__(self, layer: Any, *arguments: Any, **options: Any) -> Any:
        """Call one layer, operation or model that the network calls."""
        import keras

        options.pop("training", None)
        options.pop("mask", None)
        if hasattr(layer, "layers") or hasattr(layer, "_run_through_graph"):
            results = self.run(layer, *arguments, *options.values())
            return results[0] if len(results) == 1 else results
        kind = type(layer).__name__
        if kind in IDLE or (kind == "Activation" and layer.get_config().get("activation") == "linear"):
            return arguments[0]
        if any(argument is self.image for argument in arguments):
            self._uses += 1
            if self._cut and kind == "Rescaling" and _plain_factor(layer):
                self._cuts += 1
                self.factor = float(layer.scale)
                self.scaled = keras.Input(self.image.shape[1:], name="image", dtype="float32")
                return self.scaled
        return self._anew(layer, arguments, options)

    def _anew(self, layer: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        if id(layer) in self._made:
            return self._made[id(layer)](*arguments, **options)
        config = {**layer.get_config(), "name": self._name(layer.name)}
        if "dtype" in config:
            config["dtype"] = "float32"
        made = type(layer).from_config(config)
        result = made(*arguments, **options)
        if weights := getattr(layer, "weights", None):
            made.set_weights([_plain(weight) for weight in weights])
        self._made[id(layer)] = made
        return result

    def _name(self, given: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", given).strip("_.-") or "layer"
        name, number = plain, 1
        while name in self._taken:
            number += 1
            name = f"{plain}_{number}"
        self._taken.add(name)
        return name


def _plain(weight: Any) -> Any:
    import keras

    return keras.ops.convert_to_numpy(weight).astype("float32")


def _plain_factor(layer: Any) -> bool:
    """Whether a `Rescaling` multiplies all channels by one positive number and adds nothing."""
    scale, offset = layer.scale, layer.offset
    return isinstance(scale, int | float) and scale > 0 and isinstance(offset, int | float) and offset == 0


def choose_output(graph: FlatGraph, path: Path, wanted: str | None) -> tuple[str, Any]:
    """Choose the output that is the mask: the one that was named, or the only one of the image's size.

    Raises:
        ArtifactError: when no output is a map of the image.
        OptionError: when there is none of that name, or several could be meant.
    """
    names = ", ".join(f"{name} ({_shown(tensor)})" for name, tensor in graph.outputs.items())
    if wanted is not None:
        if wanted not in graph.outputs:
            raise OptionError(f"{path}: has no output '{wanted}'; choose one of: {names}")
        return wanted, graph.outputs[wanted]
    maps = {name: tensor for name, tensor in graph.outputs.items() if len(tensor.shape) in (3, 4)}
    maps = {name: tensor for name, tensor in maps.items() if pixels(tensor) is None or pixels(tensor) != (1, 1)}
    if not maps:
        only = next(iter(graph.outputs.values()))
        kind = "a volume" if len(only.shape) == 5 else "one answer for the whole image, as a classifier does"
        raise ArtifactError(
            f"{path}: gives {names}: {kind}; edgeseg compresses networks that segment, with a value for "
            "every pixel, so give such a one"
        )
    height, width = graph.image.shape[1:3]
    full = [name for name, tensor in maps.items() if pixels(tensor) in ((height, width), None)]
    found = full or list(maps)
    if len(found) > 1:
        raise OptionError(f"{path}: has several outputs that could be the mask; choose one with --output: {names}")
    return found[0], maps[found[0]]


def pixels(tensor: Any) -> tuple[int, int] | None:
    """Return the height and width of a map; None where it is laid out as a list of pixels."""
    return (tensor.shape[1], tensor.shape[2]) if len(tensor.shape) == 4 else None


def _shown(tensor: Any) -> str:
    return " x ".join("?" if side is None else str(side) for side in tensor.shape)
