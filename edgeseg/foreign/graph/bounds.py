"""What the first and the last operations of an ONNX graph tell of the numbers that go in and come out."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.foreign.bounds import RAW_BYTES
from edgeseg.foreign.graph.draft import Draft

DECISIONS = ("ArgMax", "ArgMin", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Round")
"""They make a mask of the values that edgeseg needs."""
_LAID_OUT = ("Cast", "Identity", "Pad", "Reshape", "Transpose")
_KEEPS = (
    "AveragePool", "Concat", "Flatten", "Gather", "GatherND", "Identity", "Max", "MaxPool", "Min", "Reshape", "Slice",
    "Split", "Squeeze", "Transpose", "Unsqueeze",
)  # fmt: skip
_PROBABILITIES = ("HardSigmoid", "Sigmoid", "Softmax")


def takes_bytes(draft: Draft) -> bool:
    """Whether the image is one of bytes, or divided at once by so much that it must be."""
    if draft.bytes_in:
        return True
    here = draft.image
    for _ in draft.proto.graph.node:
        readers = draft.readers(here)
        if len(readers) != 1:
            return False
        (node,) = readers
        stored = next((draft.constants[name] for name in node.input if name in draft.constants), None)
        if node.op_type in ("Div", "Mul"):
            factor = None if stored is None else _factor(node, stored)
            return factor is not None and 0 < factor < RAW_BYTES
        if node.op_type not in _LAID_OUT and (stored is None or node.op_type not in ("Add", "Sub")):
            return False
        here = node.output[0]
    return False


def gives_probabilities(draft: Draft, name: str) -> bool:
    """Whether values are between 0 and 1 by how they are made: a sigmoid that is resized, or a clipped value."""
    node = draft.maker(name)
    if node is None:
        return False
    if node.op_type in _PROBABILITIES:
        return True
    if node.op_type == "Clip":
        low, high = (draft.constants.get(end) for end in (*node.input[1:], "", "")[:2])
        return low is not None and high is not None and 0.0 <= float(low) < float(high) <= 1.0
    if node.op_type == "Resize":
        cubic = draft.attributes(node).get("mode", b"nearest") == b"cubic"
        return not cubic and gives_probabilities(draft, node.input[0])
    given = [one for one in node.input if one and one not in draft.constants]
    return node.op_type in _KEEPS and bool(given) and all(gives_probabilities(draft, one) for one in given)


def refuse_decision(draft: Draft, output: str) -> None:
    """Refuse an output that is a mask already.

    Raises:
        ArtifactError: naming the operation that decides.
    """
    from onnx import TensorProto

    name = output
    while True:
        name, _ = draft.moves_before(name)
        node = draft.maker(name)
        if node is None or node.op_type not in ("Cast", "Where"):
            break
        if node.op_type == "Where" and not all(branch in draft.constants for branch in node.input[1:]):
            break
        name = node.input[0]
    decides = node is not None and node.op_type in DECISIONS
    if decides or draft.kinds[output] != TensorProto.FLOAT:
        what = f" ({node.op_type})" if node is not None else ""
        raise ArtifactError(
            f"{draft.path}: gives a mask that is decided already{what}, without the values that a threshold is held "
            "against; export what it gives before that decision"
        )


def _factor(node: Any, stored: Any) -> float | None:
    values = np.abs(np.asarray(stored, np.float64))
    if not values.all():
        return None
    if node.op_type == "Mul":
        return float(values.max())
    return float((1.0 / values).max())
