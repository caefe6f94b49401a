"""What a Keras HDF5 file holds."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

from edgeseg.backend import running_keras
from edgeseg.errors import ArtifactError, one_line
from edgeseg.quiet import quiet
from edgeseg.results import (
    Execution,
    GraphFacts,
    MetadataBytes,
    OperationCount,
    OutputKind,
    TensorDescription,
    WeightBytes,
)
from edgeseg.stages.inspect.output_kind import Step, output_kind
from edgeseg.targets._require import require
from edgeseg.targets.plain import plain_class
from edgeseg.variants import census


def keras_facts(path: Path) -> GraphFacts:
    """Read a `.hdf5` file; optimizer state counts as weights, as its bytes do.

    Raises:
        ArtifactError: when it is damaged, or holds code that would have to run to load it.
        MissingExtraError: without Keras and h5py.
    """
    require("h5py", "keras", purpose="inspecting a Keras .hdf5 file")
    import h5py

    keras = running_keras()
    try:
        with h5py.File(path, "r") as file:
            weights = _weights(h5py, file)
            kept = tuple(MetadataBytes(name=name, size_bytes=_size(file.attrs[name])) for name in sorted(file.attrs))
        with quiet():
            plain_class()
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ArtifactError(
            f"{path}: not a readable Keras model ({one_line(error)}); copy it again or build it again"
        ) from error
    return GraphFacts(
        inputs=tuple(_tensor(tensor) for tensor in model.inputs),
        outputs=tuple(_tensor(tensor) for tensor in model.outputs),
        operations=_operations(model),
        weights=weights,
        metadata=kept,
        execution=(Execution(runtime="keras", taken_by=keras.backend.backend(), operations={}, note="not told"),),
        output_kind=_output_kind(model),
    )


def _output_kind(model: Any) -> OutputKind:
    steps: dict[Any, Step] = {}
    for layer in model.layers:
        with contextlib.suppress(AttributeError, ValueError):  # one that is used twice has no one output
            activation = getattr(getattr(layer, "activation", None), "__name__", "linear").replace("linear", "")
            alone = type(layer).__name__ == "Activation"
            steps[id(layer.output)] = Step(
                operation=activation if alone else type(layer).__name__,
                inputs=tuple(
                    id(tensor) for tensor in (layer.input if isinstance(layer.input, list) else [layer.input])
                ),
                activation="" if alone else activation,
            )
    return output_kind([id(tensor) for tensor in model.outputs], steps)


def _operations(model: Any) -> tuple[OperationCount, ...]:
    """Layers by kind; the MACs of all convolutions stand at the first of their kinds, since the census adds them up."""
    counts = Counter(type(layer).__name__ for layer in model.layers if type(layer).__name__ != "InputLayer")
    first = next((name for name in sorted(counts) if name.startswith("Conv2D")), None)
    macs = census(model).macs
    return tuple(
        OperationCount(operation=name, count=counts[name], macs=macs if name == first else 0) for name in sorted(counts)
    )


def _weights(h5py: Any, file: Any) -> tuple[WeightBytes, ...]:
    found: dict[str, list[int]] = {}

    def add(_: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            row = found.setdefault(node.dtype.name, [0, 0, 0])
            row[0], row[1], row[2] = row[0] + 1, row[1] + node.size, row[2] + node.nbytes

    file.visititems(add)
    return tuple(
        WeightBytes(dtype=name, tensors=row[0], values=row[1], size_bytes=row[2]) for name, row in sorted(found.items())
    )


def _tensor(tensor: Any) -> TensorDescription:
    return TensorDescription(name=tensor.name, dtype=str(tensor.dtype), shape=tuple(tensor.shape))


def _size(value: Any) -> int:
    return len(value.encode()) if isinstance(value, str) else int(getattr(value, "nbytes", len(bytes(value))))
