"""What a model file holds."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION
from edgeseg.specs import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorDescription:
    """One input or output; a None in `shape` is a free dimension, `scale` and `zero_point` say what a code means."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationCount:
    """How often an operation stands in the graph, and the multiply-accumulates of all its uses for one slice.

    `macs` is None where a shape is free or the format does not tell; 0 for an operation that has none.
    """

    operation: str
    count: int
    macs: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightBytes:
    """The stored constants of one type: how many tensors, values in them, and bytes."""

    dtype: str
    tensors: int
    values: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataBytes:
    """One metadata entry, and the bytes of what it holds."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Which operations one execution provider or delegate takes on this host, after the runtime's rewriting.

    `note` says what a reader should know, such as why the runtime does not tell.
    """

    runtime: str
    taken_by: str
    operations: dict[str, int]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputKind:
    """What the values of a network's output are, and why: `logits`, `probabilities`, `softmax` or `unknown`."""

    kind: str = "unknown"
    why: str = "not told"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFacts:
    """What one format's reader finds; author and licence as the metadata of ONNX name them, empty where they do not."""

    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    operations: tuple[OperationCount, ...]
    weights: tuple[WeightBytes, ...]
    metadata: tuple[MetadataBytes, ...]
    execution: tuple[Execution, ...]
    output_kind: OutputKind = OutputKind()
    author: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A model file taken apart.

    `structure_bytes` is what is neither weight nor metadata: the graph and the container. `contract_fault` says what is
    wrong where the contract cannot be relied on, None where it can or where there is none; `sealed` whether the file
    was held to the digests of its contract. `weight_files` are the other files that belong to the model; size and
    digest are over all.
    """

    file: str
    format: str
    size_bytes: int
    sha256: str
    contract: Contract | None
    contract_fault: str | None
    sealed: bool
    macs: int | None
    structure_bytes: int
    graph: GraphFacts
    weight_files: tuple[str, ...] = ()
    schema_version: int = RESULT_SCHEMA_VERSION
