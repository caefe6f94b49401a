"""The configuration of somebody's Keras network, made safe and brought into the form that this Keras reads.

Nothing in it may name code of its own: Lambda layers, custom objects and functions are refused before Keras sees them.
What only training needs (initializers, regularizers, constraints) is dropped, so that custom ones of these do no harm.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from edgeseg.errors import ArtifactError

EXPORT = "export the network to ONNX and give the .onnx file (pip install tf2onnx; python -m tf2onnx.convert --help)"
_FUNCTIONAL = "keras.src.models.functional"
_MODELS = {"Model": _FUNCTIONAL, "Functional": _FUNCTIONAL, "Sequential": "keras"}
_CODE = (
    "Lambda", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "__lambda__", "TFSMLayer", "TorchModuleWrapper",
    "JaxLayer", "FlaxLayer",
)  # fmt: skip
_KERAS_MODULES = ("keras", "tf_keras", "tensorflow.python.keras", "tensorflow.keras", "builtins")
_OPERATION_ROOMS = ("core", "image", "linalg", "math", "nn", "numpy")
_TRAINING_ENDS = ("_initializer", "_regularizer", "_constraint")
_ALIASES = {"alpha": ("LeakyReLU",), "batch_input_shape": ("InputLayer",)}
_DROPPED = (
    "batch_input_shape",
    "input_shape",
    "ragged",
    "sparse",
    "fused",
    "implementation",
    "rng_type",
    "force_generator",
)
_IDLE_VALUES: tuple[Any, ...] = (None, 1, False, 0, "", [], {})


def safe_config(config: Any, path: Path, *, version: str) -> Any:
    """Return a configuration that is safe to load and that this Keras reads.

    Args:
        config: of a whole model, as its file holds it.
        path: of that file, for messages.
        version: of the Keras that wrote it, such as `2.15.0`; empty where the file does not say.

    Raises:
        ArtifactError: for a Lambda layer, a custom object, or a layer or an option that this Keras does not have.
    """
    if not isinstance(config, dict) or "class_name" not in config:
        raise ArtifactError(f"{path}: its architecture is not that of a Keras model; save the whole model again")
    return _Cleaner(path, old=not version.startswith("3")).layer(config)


class _Cleaner:
    """Goes through a configuration and returns it anew, naming the layer in every refusal."""

    def __init__(self, path: Path, *, old: bool) -> None:
        self.path, self.old = path, old

    def layer(self, given: dict[str, Any]) -> dict[str, Any]:
        """Clean one layer, model or operation."""
        kind, module = str(given.get("class_name")), given.get("module")
        inner = given.get("config")
        fields = inner if isinstance(inner, dict) else {}
        name = str(fields.get("name") or given.get("name") or kind)
        self._refuse_code(kind, name)
        home = self._home(kind, module, given, name)
        cleaned = {**given, "class_name": "Functional" if kind == "Model" else kind}
        cleaned.pop("build_config", None)
        cleaned.pop("compile_config", None)
        if module is not None:
            cleaned |= {"module": home, "registered_name": cleaned["class_name"] if kind in _MODELS else None}
        if "layers" in fields:
            if self.old:
                fields = _with_new_nodes(fields)
            layers = [self.layer(one) for one in fields["layers"]]
            cleaned["config"] = {**self._plain(fields, name), "layers": layers}
        elif isinstance(inner, list):  # a Sequential of Keras 1 and early 2
            cleaned["config"] = [self.layer(one) for one in inner]
        else:
            cleaned["config"] = self._fields(kind, fields, name, operation=home.startswith("keras.src"))
        if "inbound_nodes" in given:
            cleaned["inbound_nodes"] = given["inbound_nodes"]
            self._check_nodes(given["inbound_nodes"], name)
        return cleaned

    def _refuse_code(self, kind: str, name: str) -> None:
        if kind in _CODE:
            raise ArtifactError(
                f"{self.path}: layer '{name}' is a {kind}, which holds Python or TensorFlow code that is never run "
                f"from a file; {EXPORT}, or build the model again with layers of Keras in its place"
            )

    def _home(self, kind: str, module: Any, given: dict[str, Any], name: str) -> str:
        """Return the module that a class is taken from."""
        import keras

        known = (
            module is None
            or str(module).split(".")[0] in ("keras", "tf_keras", "builtins")
            or any(str(module).startswith(start) for start in _KERAS_MODULES)
        )
        registered = str(given.get("registered_name") or "")
        if known and ">" not in registered:
            if kind in _MODELS:
                return _MODELS[kind]
            if module is not None and str(module).startswith("keras.src.ops") and self._operation(str(module), kind):
                return str(module)
            if isinstance(getattr(keras.layers, kind, None), type):
                return "keras.layers"
        if module is None and any(self._operation(f"keras.src.ops.{room}", kind) for room in _OPERATION_ROOMS):
            raise ArtifactError(
                f"{self.path}: '{name}' is an operation of Keras ({kind}), which an HDF5 file does not name in full, "
                "so that Keras cannot read it either; save the network as .keras (model.save('mine.keras'))"
            )
        raise ArtifactError(
            f"{self.path}: '{name}' is a custom layer ({registered or kind}), whose code is not in the file; {EXPORT}"
        )

    def _operation(self, module: str, kind: str) -> bool:
        import sys

        import keras

        found = getattr(sys.modules.get(module), kind, None)
        return isinstance(found, type) and issubclass(found, keras.Operation)

    def _plain(self, fields: dict[str, Any], name: str) -> dict[str, Any]:
        """Of a model: everything but what compiles it."""
        kept = ("name", "trainable", "input_layers", "output_layers")
        return {key: fields[key] for key in kept if key in fields}

    def _fields(self, kind: str, fields: dict[str, Any], name: str, *, operation: bool) -> dict[str, Any]:
        if operation:
            self._check_values(fields, name)
            return fields
        import keras

        allowed = _accepted(getattr(keras.layers, kind))
        found = {}
        for key, value in fields.items():
            if key.endswith(_TRAINING_ENDS) or key in ("dtype", "activity_regularizer", "batch_dtype"):
                continue
            if key not in allowed and kind not in _ALIASES.get(key, ()):
                if any(value is idle or value == idle for idle in _IDLE_VALUES):
                    continue
                if key in _DROPPED:
                    continue
                raise ArtifactError(
                    f"{self.path}: layer '{name}' ({kind}) has the option {key} = {value!r}, which Keras "
                    f"{keras.__version__} does not have; {EXPORT}"
                )
            found[key] = self._value(key, value, name)
        if kind != "InputLayer" and isinstance(shape := fields.get("batch_input_shape"), list):
            found["input_shape"] = shape[1:]
        if kind == "BatchNormalization" and isinstance(found.get("axis"), list) and len(found["axis"]) == 1:
            found["axis"] = found["axis"][0]
        return found

    def _value(self, key: str, value: Any, name: str) -> Any:
        if key in ("activation", "recurrent_activation"):
            return self._activation(value, name)
        if isinstance(value, dict) and "class_name" in value and key in ("layer", "cell", "backward_layer"):
            return self.layer(value)
        self._check_values(value, name)
        return value

    def _activation(self, value: Any, name: str) -> Any:
        """Return a built-in activation by its name, or a layer that stands for one."""
        import keras

        given = value
        if isinstance(value, dict):
            self._refuse_code(str(value.get("class_name")), name)
            if isinstance(value.get("config"), dict):
                return self.layer(value)
            given = value.get("config")
        if given is None:
            return None
        if isinstance(given, str) and isinstance(getattr(keras.activations, given, None), type(keras.activations.relu)):
            if given == "hard_sigmoid" and self.old:
                raise ArtifactError(
                    f"{self.path}: layer '{name}' has the hard sigmoid of Keras 2, which is another function in Keras "
                    f"{keras.__version__}; {EXPORT}"
                )
            return given
        raise ArtifactError(f"{self.path}: layer '{name}' has a custom activation ({given!r}); {EXPORT}")

    def _check_values(self, value: Any, name: str) -> None:
        """Refuse objects of any class but the plain ones that hold numbers, wherever they stand in an option."""
        if isinstance(value, list):
            for item in value:
                self._check_values(item, name)
        elif isinstance(value, dict):
            kind = value.get("class_name")
            if kind is not None and kind not in ("__tuple__", "__numpy__", "__tensor__", "__keras_tensor__", "slice",
                                                 "__slice__", "__ellipsis__", "__bytes__"):  # fmt: skip
                self._refuse_code(str(kind), name)
                raise ArtifactError(f"{self.path}: layer '{name}' holds a custom object ({kind}); {EXPORT}")
            for item in value.values():
                self._check_values(item, name)

    def _check_nodes(self, nodes: Any, name: str) -> None:
        self._check_values(nodes, name)


def _with_new_nodes(fields: dict[str, Any]) -> dict[str, Any]:
    """Count the calls of models inside a model of Keras 2 from 0: there the first call is the one that made them."""
    inner = {
        str(layer["config"].get("name") or layer.get("name"))
        for layer in fields["layers"]
        if isinstance(layer, dict) and isinstance(layer.get("config"), dict) and _begins_with_input(layer)
    }

    def moved(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        if len(value) >= 3 and value[0] in tuple(inner) and isinstance(value[1], int):
            return [value[0], max(value[1] - 1, 0), *(moved(one) for one in value[2:])]
        return [moved(one) for one in value]

    layers = [
        {**layer, "inbound_nodes": moved(layer["inbound_nodes"])} if "inbound_nodes" in layer else layer
        for layer in fields["layers"]
    ]
    ends: dict[str, Any] = {key: moved(fields[key]) for key in ("input_layers", "output_layers") if key in fields}
    return {**fields, **ends, "layers": layers}


def _begins_with_input(layer: dict[str, Any]) -> bool:
    """Whether this is a model that was laid out when it was made."""
    layers = layer["config"].get("layers")
    return isinstance(layers, list) and bool(layers) and layers[0].get("class_name") == "InputLayer"


def _accepted(layer: type) -> set[str]:
    """Name the options of a layer, those of the classes below it among them."""
    names: set[str] = {"name", "trainable"}
    for base in layer.__mro__:
        if base is object or "__init__" not in vars(base):
            continue
        names |= set(inspect.signature(vars(base)["__init__"]).parameters) - {"self", "args", "kwargs"}
    return names
