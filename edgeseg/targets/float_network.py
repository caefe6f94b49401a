"""Running a float network that no file of any target was made of yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edgeseg.place import scratch
from edgeseg.runtime import Segmenter
from edgeseg.runtime.onnx_session import DEFAULT, OnnxSession
from edgeseg.specs import Contract
from edgeseg.targets import onnx_fp32
from edgeseg.targets.graph import GraphNetwork
from edgeseg.targets.keras_fp32 import KerasPredictor


def float_predictor(model: Any, contract: Contract, *, threads: int | None = 2) -> Segmenter | KerasPredictor:
    """Open a Keras network, or a `GraphNetwork`, to run slices.

    Args:
        model: the network.
        contract: what it was built for; of an ONNX graph its layout becomes the graph's.
        threads: of the runtime; None leaves them to it where it is Keras.

    Raises:
        ContractError: when the network's shapes are not those of the contract.
        ArtifactError: when ONNX Runtime cannot load the graph.
    """
    if not isinstance(model, GraphNetwork):
        return KerasPredictor(model, contract, threads=threads)
    count = threads or 2
    told = replace(contract, target=onnx_fp32.NAME, layout=onnx_fp32.LAYOUT)
    with scratch("network") as folder:
        path = folder / "network.onnx"
        path.write_bytes(model.proto.SerializeToString())
        session = OnnxSession(path, threads=count, mode=DEFAULT, numerics="float32")
        return Segmenter(path, told, session, threads=count)
