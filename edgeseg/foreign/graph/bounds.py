"""What the first and the last operations of an ONNX graph tell of the numbers that go in and come out."""

from __future__ import annotations

from functools import partial, reduce
from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.foreign.bounds import RAW_BYTES
from edgeseg.foreign.graph.draft import Draft
from edgeseg.foreign.intervals import ANY, UNIT, Interval, clipped, of_probabilities, of_stored, of_two, union

DECISIONS = ("ArgMax", "ArgMin", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Round")
"""They make a mask of the values that edgeseg needs."""
_LAID_OUT = ("Cast", "Identity", "Pad", "Reshape", "Transpose")
_KEEPS = (
    "AveragePool", "Concat", "Expand", "Flatten", "Gather", "GatherND", "GlobalAveragePool", "GlobalMaxPool",
    "Identity", "MaxPool", "Mean", "ReduceMax", "ReduceMean", "ReduceMin", "Reshape", "Slice", "Split", "Squeeze",
    "Tile", "Transpose", "Unsqueeze",
)  # fmt: skip
_BETWEEN = {"Sigmoid": UNIT, "HardSigmoid": UNIT, "Softmax": UNIT, "Tanh": (-1.0, 1.0), "Softsign": (-1.0, 1.0)}
_SEVERAL = {
    "Add": "add", "Div": "divide", "Max": "maximum", "Min": "minimum", "Mul": "multiply", "Sub": "subtract",
    "Sum": "add",
}  # fmt: skip


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
    """Whether values are between 0 and 1 by how they are made: a sigmoid that is resized, a mean of several, a clip."""
    return of_probabilities(_bounds(draft, name, {}))


def _bounds(draft: Draft, name: str, known: dict[str, Interval]) -> Interval:
    """Between which numbers a value lies by how it is made."""
    if name not in known:
        known[name] = _made_between(draft, name, known)
    return known[name]


def _made_between(draft: Draft, name: str, known: dict[str, Interval]) -> Interval:
    if name in draft.constants:
        return of_stored(draft.constants[name])
    node = draft.maker(name)
    if node is None:
        return ANY
    if node.op_type in _BETWEEN:
        return _BETWEEN[node.op_type]
    if node.op_type == "Clip":
        low, high = (draft.constants.get(end) for end in (*node.input[1:], "", "")[:2])
        ends = (None if end is None else float(end.reshape(())) for end in (low, high))
        return clipped(_bounds(draft, node.input[0], known), *ends)
    if node.op_type == "Relu":
        return clipped(_bounds(draft, node.input[0], known), 0.0, None)
    given = [one for one in node.input if one]
    if node.op_type in _SEVERAL:
        return reduce(partial(of_two, _SEVERAL[node.op_type]), [_bounds(draft, one, known) for one in given])
    if node.op_type in _KEEPS:
        return union([_bounds(draft, one, known) for one in given if one not in draft.constants])
    cubic = draft.attributes(node).get("mode", b"nearest") == b"cubic"
    return _bounds(draft, node.input[0], known) if node.op_type == "Resize" and not cubic else ANY


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
