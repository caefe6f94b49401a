"""What a worker is asked for and what it answers, as JSON beside weights as safetensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgeseg.results import EpochRecord
from edgeseg.specs import Cluster, Prune, Qat, TrainSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerJob:
    """One recipe for TensorFlow Model Optimization; exactly one of `prune`, `cluster` and `qat` is given.

    `weights` is the checkpoint that it begins with, `cache` the folder of decoded slices, `soft` a `.npy` file of what
    the teachers say of its rows, `out` the weights file that it is to write. `probe` is an `.npz` of `images` and the
    `logits` that somebody else's network gives for them.
    """

    train: TrainSpec
    weights: str
    cache: str
    patients: tuple[str, ...]
    out: str
    soft: str | None = None
    probe: str | None = None
    prune: Prune | None = None
    cluster: Cluster | None = None
    qat: Qat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEvent:
    """One line from a worker: where its training is, what it made, or why it could not."""

    epoch: int = 0
    step: int = 0
    steps_per_epoch: int = 0
    loss: float = 0.0
    answer: WorkerAnswer | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerAnswer:
    """What a worker made: its learning curve, and the activation ranges that quantization-aware training learned."""

    history: tuple[EpochRecord, ...]
    ranges: dict[str, tuple[float, float]]


OnEvent = Callable[[WorkerEvent], None]
