"""The workbench of one compression step: what a recipe trains with, kept in the step's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.backend import load_keras
from edgeseg.checkpoint import Checkpoint, load_weights, read_checkpoint, weights_path, write_checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.sampler import Sampler
from edgeseg.errors import CheckpointError
from edgeseg.foreign import fed, targets_on_grid
from edgeseg.recipes import Outcome
from edgeseg.recipes.recipe import Batch
from edgeseg.results import EpochRecord
from edgeseg.specs import Cluster, FineTune, Prune, Qat, TrainSpec
from edgeseg.stages.compress.foreign import written_out
from edgeseg.stages.predict import checkpoint_predictor, network_of, plain_overlaps
from edgeseg.stages.train import (
    STATE,
    OnTraining,
    TrainProgress,
    bare_network,
    read_history,
    soft_labels,
    train,
)
from edgeseg.workers.job import OnEvent, WorkerEvent, WorkerJob
from edgeseg.workers.process import run_worker

FIT = "fit"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepWorkbench:
    """Implements `edgeseg.recipes.Workbench`.

    Attributes:
        cache: decoded slices.
        folder: of the step; what is in it is gone on with.
        parent: the weights that the step compresses.
        teacher: the weights that the chain began with.
        validate_every: epochs between two validations.
        progress: called after each training step.
    """

    cache: SliceCache
    folder: Path
    parent: Checkpoint
    teacher: Checkpoint
    validate_every: int = 5
    progress: OnTraining | None = None

    def kept(self, name: str, make: Callable[[], Checkpoint]) -> Checkpoint:
        """Return the weights of that name in the folder; they are made and written where there are none."""
        path = self.folder / f"{name}.safetensors"
        if not path.is_file():
            made = make()
            write_checkpoint(path, made.header, made.arrays)
        return read_checkpoint(path)

    def network(self, parent: Checkpoint) -> Any:
        """Build a network with its weights; see `edgeseg.recipes.Workbench`."""
        side = parent.header.train.crop_px
        model = bare_network(
            load_keras(), parent.header.variant, parent, replace(parent.header.image, height=side, width=side)
        )
        load_weights(model, parent, parent.header.variant)
        return model

    def batches(self, parent: Checkpoint, train: TrainSpec, count: int) -> Iterator[Batch]:
        """Draw training batches; see `edgeseg.recipes.Workbench`."""
        keras, foreign = load_keras(), parent.header.foreign
        sampler = Sampler.of(self.cache, parent.header.train_patients, train)
        for index in range(count):
            epoch, step = divmod(index, sampler.steps_per_epoch)
            images, targets = sampler.batch(1 + epoch, step)
            if foreign is not None:
                images = np.asarray(fed(keras, images, foreign.contract, self.cache.channels.names))
                targets = np.asarray(targets_on_grid(keras, targets, foreign.contract))
            yield images, targets

    def train(
        self, spec: TrainSpec, initial: Checkpoint | None, *, taught: float, teachers: tuple[str, ...]
    ) -> Outcome:
        """Train with Keras 3; see `edgeseg.recipes.Workbench`."""
        given = (self.teacher, *(read_checkpoint(weights_path(Path(run))) for run in teachers)) if taught else ()
        spec = replace(
            spec,
            initial=None if initial is None else artifacts.sha256_file(initial.path),
            teachers=tuple(artifacts.sha256_file(teacher.path) for teacher in given),
            distil_weight=taught,
        )
        out = self.folder / FIT
        result = train(
            self.cache,
            spec,
            out=out,
            train_patients=self.parent.header.train_patients,
            validation_patients=self.parent.header.validation_patients,
            resume=(out / STATE).is_file(),
            validate_every=self.validate_every,
            progress=self.progress,
            teachers=given,
            initial=initial,
        )
        made = read_checkpoint(Path(result.weights))
        return Outcome(
            variant=spec.variant,
            arrays=made.arrays,
            train=spec,
            history=result.history,
            foreign=made.header.foreign,
        )

    def learned(self) -> tuple[EpochRecord, ...]:
        """Return the learning curve of the parent; see `edgeseg.recipes.Workbench`."""
        try:
            return read_history(self.parent.path.parent).epochs
        except CheckpointError:
            return ()

    def work(self, recipe: str, spec: FineTune, train: TrainSpec, parent: Checkpoint) -> Outcome:
        """Train in a worker; see `edgeseg.recipes.Workbench`."""
        foreign = parent.header.foreign
        start = (
            parent if foreign is None else self.kept("start", lambda: written_out(parent, quantized=recipe == "qat"))
        )
        if spec.distil_weight:
            teachers = (artifacts.sha256_file(self.teacher.path),)
            train = replace(train, teachers=teachers, distil_weight=spec.distil_weight)
        train = replace(train, initial=artifacts.sha256_file(parent.path), ema=0.0, precision="float32")
        job = WorkerJob(
            train=train,
            weights=str(start.path.resolve()),
            cache=str(self.cache.folder.resolve()),
            patients=parent.header.train_patients,
            out=str((self.folder / "worked.safetensors").resolve()),
            soft=self._soft() if spec.distil_weight else None,
            probe=None if foreign is None else self._probe(start, train),
            prune=spec if isinstance(spec, Prune) else None,
            cluster=spec if isinstance(spec, Cluster) else None,
            qat=spec if isinstance(spec, Qat) else None,
        )
        answer = run_worker(job, self.folder, progress=self._told(train))
        made = read_checkpoint(Path(job.out))
        scores = validation_dice(replace(made, header=start.header), self.cache).mean(axis=1)
        last = replace(answer.history[-1], dice_mean=float(np.mean(scores)), dice_median=float(np.median(scores)))
        return Outcome(
            variant=train.variant,
            arrays=made.arrays,
            train=train,
            history=(*answer.history[:-1], last),
            ranges=answer.ranges or None,
            foreign=start.header.foreign,
        )

    def _probe(self, start: Checkpoint, train: TrainSpec) -> str:
        """Write what a network gives for a batch, for the worker to hold its own form of it against."""
        path = self.folder / "probe.npz"
        (images, _), *_ = self.batches(start, replace(train, teachers=(), distil_weight=0.0), 1)
        with artifacts.staged(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, images=images, logits=np.asarray(network_of(start)(images, training=False)))
        return str(path.resolve())

    def _soft(self) -> str:
        header, path = self.parent.header, self.folder / "soft.npy"
        labels = soft_labels(
            self.cache,
            (self.teacher,),
            train_patients=header.train_patients,
            validation_patients=header.validation_patients,
        )
        with artifacts.staged(path) as temporary:
            np.save(temporary, labels, allow_pickle=False)
        return str(path.resolve())

    def _told(self, train: TrainSpec) -> OnEvent:
        def tell(event: WorkerEvent) -> None:
            if self.progress is not None:
                self.progress(
                    TrainProgress(
                        epoch=event.epoch,
                        epochs=train.epochs,
                        step=event.step,
                        steps_per_epoch=event.steps_per_epoch,
                        loss=event.loss,
                        dice_mean=None,
                    )
                )

        return tell


def validation_dice(checkpoint: Checkpoint, cache: SliceCache) -> NDArray[np.float64]:
    """Return the Dice of each validation patient at threshold 0.5, without post-processing: `(P, masks)`."""
    predictor = checkpoint_predictor(checkpoint)
    found = [plain_overlaps(predictor, cache.volume(p)) for p in checkpoint.header.validation_patients]
    return np.array([[one.dice for one in masks] for masks in found], np.float64)
