"""What of an int8 TFLite graph is computed in float because nothing computes it in integers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from edgeseg.targets._keras import Network
from edgeseg.targets._tflite_flat import layer_names, operations
from edgeseg.targets._tflite_mixed import BETWEEN

_FLOAT = ("BATCH_MATMUL",)
"""Operations that LiteRT's kernels do not run in int8 in every form."""
_RIDERS = ("DEPTH_TO_SPACE", "SPACE_TO_DEPTH")
"""Operations that only move what the one before or behind them computes with, within one layer."""


def float_tensors(source: Any, form: Network, layers: tuple[str, ...]) -> list[str]:
    """Name the tensors of a calibrated graph whose operations shall stay in float.

    They are those of the layers asked for; of layers that are several operations, since only what such a layer gives
    has a range that was measured; and of operations without an integer kernel.

    Args:
        source: the graph between calibration and quantization.
        form: the network.
        layers: names of layers that were chosen to stay in float.
    """
    names, made = operations(source), layer_names(source, form)
    owners = form.owners()
    outputs = [int(step.outputs[0]) for step in source.subgraphs[0].operators]
    pairs = list(zip(names, outputs, strict=True))
    parts = Counter(made[place] for name, place in pairs if name not in _RIDERS)
    kept = [
        place for name, place in pairs if parts[made[place]] > 1 or name in _FLOAT or owners.get(made[place]) in layers
    ]
    return [source.subgraphs[0].tensors[place].name.decode() for place in kept]


def float_layers(flat: Any, form: Network) -> tuple[str, ...]:
    """Name the layers of a quantized graph that have an operation in float, each once, in the order of the network."""
    from tensorflow.lite.python import schema_py_generated as schema

    graph = flat.subgraphs[0]
    found = set()
    for name, step in zip(operations(flat), graph.operators, strict=True):
        result = graph.tensors[step.outputs[0]]
        if name not in BETWEEN and result.type == schema.TensorType.FLOAT32:
            found.add(form.step_of(result.name.decode()))
    order = {step.name: step.layer.name for step in form.steps}
    return tuple(dict.fromkeys(layer for step, layer in order.items() if step in found))
