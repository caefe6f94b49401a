"""Somebody's network, as Keras 3 describes it, written anew in tf_keras, the Keras that tfmot takes."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import TrainingError

_NOT_NEEDED = ("_initializer", "_regularizer", "_constraint")
_RENAMED = {"LeakyReLU": {"negative_slope": "alpha"}}
_AS_LAYERS = {"relu": {}, "relu6": {"max_value": 6.0}}
"""Activations that tfmot fuses with a convolution where they are a `ReLU`."""
_CLOSE = 1e-3


def tf_network(architecture: str, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Build a network with its weights.

    Args:
        architecture: a flat functional model without models inside, as `keras.Model.to_json` writes it; each layer is
            called once.
        arrays: weights by their paths, `layer/weight`, those of a layer in its own order.

    Raises:
        TrainingError: for a layer that tf_keras does not have.
    """
    import tf_keras

    config = json.loads(architecture)["config"]
    values: dict[str, Any] = {}
    waiting = list(config["layers"])
    while waiting:
        ready = [entry for entry in waiting if all(name in values for name in _sources(entry))]
        if not ready:
            raise TrainingError(f"the layers behind '{waiting[0]['name']}' form a circle; import the network again")
        for entry in ready:
            values[entry["name"]] = _called(tf_keras, entry, values)
            waiting.remove(entry)
    (start,), (end,) = _ends(config["input_layers"]), _ends(config["output_layers"])
    model = tf_keras.Model(values[start], values[end])
    by_layer = of_layers(arrays)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([arrays[path] for path in by_layer[layer.name]])
    return model


def of_layers(arrays: Mapping[str, NDArray[Any]]) -> dict[str, list[str]]:
    """Return the paths of the weights of each layer, by its name, in their order."""
    found: dict[str, list[str]] = {}
    for path in arrays:
        found.setdefault(path.rpartition("/")[0], []).append(path)
    return found


def check_same(model: Any, probe: Mapping[str, NDArray[np.float32]]) -> None:
    """Refuse a network that gives other values than the one that it was written from.

    Raises:
        TrainingError: with by how much they differ.
    """
    wanted = probe["logits"]
    off = float(np.abs(np.asarray(model(probe["images"], training=False)) - wanted).max())
    if not off <= _CLOSE * max(1.0, float(np.abs(wanted).max())):
        raise TrainingError(
            f"in tf_keras, which TensorFlow Model Optimization needs, its logits are off by {off:.3g}, so it "
            "cannot be trained there; take --channel-prune, or teach one of edgeseg's networks with it: edgeseg "
            "train --teacher"
        )


def _ends(given: Any) -> list[str]:
    """Names of the layers at one end, which Keras 3 writes as one triple or a list of them."""
    return [given[0]] if isinstance(given[0], str) else [one[0] for one in given]


def _sources(entry: Mapping[str, Any]) -> list[str]:
    return [source for node in entry["inbound_nodes"] for source in _tensors(node["args"])]


def _tensors(given: Any) -> list[str]:
    if isinstance(given, dict):
        return [given["config"]["keras_history"][0]] if given.get("class_name") == "__keras_tensor__" else []
    return [name for one in given for name in _tensors(one)] if isinstance(given, list) else []


def _called(tf_keras: Any, entry: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    kind, config, name = entry["class_name"], entry["config"], entry["name"]
    if kind == "InputLayer":
        shape = config.get("batch_shape") or config["batch_input_shape"]
        return tf_keras.Input(shape[1:], name=name)
    activation = config.get("activation")
    if kind == "Activation" and activation in _AS_LAYERS:
        kind, config = "ReLU", {"name": name, **_AS_LAYERS[activation]}
    made = getattr(tf_keras.layers, kind, None)
    if made is None:
        raise TrainingError(f"layer '{name}' is a {kind}, which tf_keras does not have; the network stays as it is")
    given = [values[source] for source in _sources(entry)]
    layer = made(**_options(made, kind, config))
    return layer(given[0] if len(given) == 1 else given)


def _options(made: Any, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a layer is made with: all that tf_keras has an option for, but for what only begins a training."""
    known = {name for one in made.__mro__ for name in inspect.signature(one.__init__).parameters}
    renamed = {_RENAMED.get(kind, {}).get(key, key): value for key, value in config.items()}
    return {
        key: value
        for key, value in renamed.items()
        if (key in known or key == "name") and key not in ("dtype", "trainable") and not key.endswith(_NOT_NEEDED)
    }
