"""A float ONNX graph in float16, with float32 at both ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.quiet import quiet
from edgeseg.targets import _onnx

LARGEST = float(np.finfo(np.float16).max)


def halved(proto: Any, *, plain: bool) -> Any:
    """Write a float graph of `_onnx.float_graph` in float16.

    One Cast stands at each end, no other where the network is plain (`Network.plain`). Constants that operators want in
    float32 (a Resize's factors) stay so.

    Raises:
        ArtifactError: when a weight is too large for float16, or casts would stand inside.
    """
    from onnx import TensorProto, numpy_helper
    from onnxruntime.transformers.float16 import convert_float_to_float16

    floats = [tensor for tensor in proto.graph.initializer if tensor.data_type == TensorProto.FLOAT]
    for tensor in floats:
        largest = float(np.abs(numpy_helper.to_array(tensor).astype(np.float64)).max(initial=0.0))
        if largest > LARGEST:
            raise ArtifactError(
                f"a weight of the network is {largest:g} and float16 ends at {LARGEST:g}; build a float32 target"
            )
    with quiet():
        result = convert_float_to_float16(proto, keep_io_types=True)
    _onnx.sort(result.graph)
    _onnx.rename(result)
    _onnx.check_graph(result, _onnx.UNWANTED if plain else ())
    if plain and (casts := sum(node.op_type == "Cast" for node in result.graph.node)) != 2:
        raise ArtifactError(f"the float16 graph holds {casts} x Cast; one at each end was expected")
    return result
