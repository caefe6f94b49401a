"""What a recipe is, and what it is lent: data, a way to train, and a process for what cannot run in this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeseg.checkpoint import Checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.errors import OptionError
from edgeseg.specs import FineTune, TrainSpec, VariantSpec
from edgeseg.specs.foreign import ForeignRecord

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Images and targets as `edgeseg.data.sampler.Sampler.batch` has them."""
SHARED = ("r2unet",)
"""Families whose convolutions are applied more than once."""


class Workbench(Protocol):
    """The workbench that a recipe is lent for one step: `edgeseg.stages.compress.workbench.StepWorkbench`.

    Attributes:
        cache: decoded slices.
    """

    @property
    def cache(self) -> SliceCache:
        """Decoded slices."""

    def network(self, parent: Checkpoint) -> Any:
        """Return a network with its weights, as it takes what `batches` gives."""

    def batches(self, parent: Checkpoint, train: TrainSpec, count: int) -> Iterable[Batch]:
        """Return training batches for `network`, the same for the same seed of `train`."""

    def kept(self, name: str, make: Callable[[], Checkpoint]) -> Checkpoint:
        """Return weights that training is to start from, those in the step's folder if it holds any already."""

    def train(
        self, spec: TrainSpec, initial: Checkpoint | None, *, taught: float, teachers: tuple[str, ...]
    ) -> Outcome:
        """Train with Keras 3 from `initial`, or from drawn weights.

        Args:
            spec: what decides the training; the bench names what it starts from and its teachers.
            initial: what it starts from.
            taught: the share of the target that comes from the network that the chain began with, and from `teachers`.
            teachers: further run folders.
        """

    def learned(self) -> tuple[Any, ...]:
        """Return the learning curve of the parent, `edgeseg.results.EpochRecord` for each epoch; empty if unknown."""

    def work(self, recipe: str, spec: FineTune, train: TrainSpec, parent: Checkpoint) -> Outcome:
        """Let TensorFlow Model Optimization train `parent`, in a process of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What a recipe makes of a network.

    Attributes:
        variant: the network that came out.
        arrays: its weights by name.
        train: how it was trained.
        history: the learning curve, `edgeseg.results.EpochRecord` for each epoch.
        ranges: the range that quantization-aware training learned for the results of layers, by their names.
        foreign: where the network came from, as `edgeseg.checkpoint.CheckpointHeader` has it.
        notes: what a reader has to know of it, a sentence each.
    """

    variant: VariantSpec
    arrays: dict[str, NDArray[np.float32]]
    train: TrainSpec
    history: tuple[Any, ...]
    ranges: dict[str, tuple[float, float]] | None = None
    foreign: ForeignRecord | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One way to make a network smaller or faster; `apply` takes weights, the spec and a bench.

    `keeps_ranges` says that activation ranges which an earlier training learned are still those of the result.
    """

    name: str
    summary: str
    apply: Callable[[Checkpoint, Any, Workbench], Outcome]
    keeps_ranges: bool = False


def fine_tuning(parent: Checkpoint, spec: FineTune, variant: VariantSpec | None = None) -> TrainSpec:
    """Return how a network is trained on: as it was trained, but for what `spec` says, and with crops from the host.

    Recipes train on TensorFlow, wherever the parent was trained.

    Args:
        parent: the weights that are compressed.
        spec: of the recipe.
        variant: the network that is trained; the parent's unless given.
    """
    return replace(
        parent.header.train,
        variant=variant or parent.header.variant,
        epochs=spec.epochs,
        learning_rate=spec.learning_rate,
        steps_per_epoch=spec.steps_per_epoch,
        seed=spec.seed,
        schedule="cosine",
        augment_on="host",
        initial=None,
        teachers=(),
        distil_weight=0.0,
    )


def refuse_shared(parent: Checkpoint, recipe: str) -> None:
    """Refuse a family whose convolutions run several times, which TensorFlow Model Optimization cannot wrap.

    Raises:
        OptionError: naming what can be done in its place.
    """
    if parent.header.variant.name in SHARED:
        raise OptionError(
            f"'{recipe}' cannot be applied to {parent.header.variant.name}: TensorFlow Model Optimization does not "
            "wrap convolutions that are shared over time; use channel-prune, distil into another family, or a "
            "post-training target such as tflite-int8"
        )
