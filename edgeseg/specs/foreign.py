"""What a run says of a network that somebody else trained."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.specs.contract import Contract

HEADS = ("logits", "sigmoid", "softmax", "probabilities")
"""What the output of somebody's file is: of the last two, `softmax` shares 1 among its channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRecord:
    """Where a network came from, what was done to it, and what its own file computes.

    Attributes:
        kind: what the file is, such as `a Keras model in HDF5`.
        file: its name, in the folder `source` of the run.
        size_bytes: of the file, with those that belong to it.
        sha256: of the file alone; of a SavedModel that of its graph.
        framework: what wrote it, such as `keras 2.15.0`; empty where it does not say.
        output: the name of the output that is used.
        channels: how many channels that output has.
        head: what those are, one of `HEADS`.
        foreground: the channels that are the mask.
        classes: names of the channels, where the contract gives them.
        input_factor: what the network multiplied its image by in a first layer that was cut off, 1 without one.
        layout: of the file's own input and output, `NHWC` or `NCHW`.
        notes: what was done and what was assumed, a sentence each.
        contract: of the float network as it is in the run.
        not_keras: why the network stays an ONNX graph, empty where a Keras network was made of it.
        architecture: the network as Keras describes it in JSON; empty where the run holds an ONNX graph.
    """

    kind: str
    file: str
    size_bytes: int
    sha256: str
    framework: str
    output: str
    channels: int
    head: str
    foreground: tuple[int, ...]
    contract: Contract
    classes: tuple[str, ...] = ()
    input_factor: float = 1.0
    layout: str = "NHWC"
    notes: tuple[str, ...] = ()
    architecture: str = ""
    not_keras: str = ""
