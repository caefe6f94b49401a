"""The fit loop of a training run: what happens before, within and after each epoch."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol

import numpy as np

from edgeseg.backend import reuse_memory
from edgeseg.checkpoint import CheckpointHeader, weight_names
from edgeseg.data.cache import SliceCache
from edgeseg.data.sampler import Sampler
from edgeseg.errors import TrainingError
from edgeseg.metrics import Overlap
from edgeseg.results import EpochRecord
from edgeseg.stages.predict import Predictor, checkpoint_contract, plain_overlaps
from edgeseg.stages.train.distribute import Team
from edgeseg.stages.train.run_folder import History, TensorBoardLog, averaged_weights, save_state, write_csv
from edgeseg.targets import KerasPredictor


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainProgress:
    """Where a run is; `loss` is the mean over the epoch so far, `dice_mean` the last validation's."""

    epoch: int
    epochs: int
    step: int
    steps_per_epoch: int
    loss: float
    dice_mean: float | None

    @property
    def done(self) -> int:
        """Steps done, over all epochs."""
        return (self.epoch - 1) * self.steps_per_epoch + self.step

    @property
    def total(self) -> int:
        """Steps of all epochs."""
        return self.epochs * self.steps_per_epoch


class Batches(Protocol):
    """What makes the batches of a training: a `Sampler`, or one whose crops are cut on the device."""

    def batch(self, epoch: int, step: int) -> tuple[Any, Any]:
        """One batch as `Sampler.batch` has it, in arrays that the backend takes."""


OnTraining = Callable[[TrainProgress], None]


class TrainLoop:
    """One training run: what happens before, within and after each epoch of a single `fit`.

    It must be a single `fit`: at its end Keras overwrites the weights with their moving average.
    """

    def __init__(
        self,
        cache: SliceCache,
        sampler: Sampler,
        batches: Batches,
        model: Any,
        scorer: Any,
        header: CheckpointHeader,
        history: History,
        out: Path,
        validate_every: int,
        progress: OnTraining | None,
        team: Team,
    ) -> None:
        """Take what makes batches, a compiled model, and a scorer of the same network at the size of whole slices."""
        self.cache, self.sampler, self.model, self.scorer = cache, sampler, model, scorer
        self.header, self.history, self.out = header, history, out
        self.validate_every, self.progress = validate_every, progress
        self.batches, self.team = batches, team
        self.log = TensorBoardLog(out / "tensorboard") if team.writes else None
        self.seconds = 0.0
        self.remarks: tuple[str, ...] = ()
        self.epoch = 0
        self._began = 0.0
        self._unseen: tuple[int, Any] | None = None

    def fit(self, keras: Any, *, first_epoch: int) -> None:
        """Train from `first_epoch` (counted from 1) to the last one of the spec."""
        run, sampler = self, self.sampler

        class Steps(keras.utils.PyDataset):  # type: ignore[misc]
            def __len__(self) -> int:
                return sampler.steps_per_epoch

            def __getitem__(self, step: int) -> Any:
                return run.team.part(run.batches.batch(max(run.epoch, first_epoch), step))

        class Watch(keras.callbacks.Callback):  # type: ignore[misc]
            def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
                run.team.watch(run.model)

            def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
                run.begin(epoch + 1)

            def on_train_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
                if step == 0:
                    reuse_memory()
                run.step(step, (logs or {})["loss"])

            def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
                run.end(float((logs or {})["loss"]))

        self.model.fit(
            Steps(workers=2, max_queue_size=4),
            initial_epoch=first_epoch - 1,
            epochs=sampler.spec.epochs,
            verbose=0,
            shuffle=False,
            callbacks=[Watch()],
        )

    def close(self) -> None:
        """Close the event file."""
        if self.log is not None:
            self.log.close()

    @functools.cached_property
    def _predictor(self) -> Predictor:
        """The scorer, run as every network is; it follows the weights that the scorer is given."""
        return KerasPredictor(self.scorer, checkpoint_contract(self.header), threads=None)

    def begin(self, epoch: int) -> None:
        """Start an epoch, counted from 1."""
        self.epoch, self._began = epoch, time.perf_counter()

    def step(self, step: int, loss: Any) -> None:
        """Take note of the mean loss of the epoch so far, after a step counted from 0, and look at the one before.

        On an accelerator a loss is there only when its step is done; waiting for the one before leaves work in flight.
        """
        self.look()
        self._unseen = (step, loss)

    def look(self) -> None:
        """Look at the loss that was noted last, where nobody did yet.

        Raises:
            TrainingError: when it is no longer a number; the message names the slices of the batch.
        """
        if self._unseen is None:
            return
        step, loss = self._unseen[0], float(self._unseen[1])
        self._unseen = None
        if not math.isfinite(loss):
            names = ", ".join(self.sampler.names(self.epoch, step))
            raise TrainingError(
                f"the loss became {loss} in epoch {self.epoch}, step {step + 1}; the batch held: {names}; "
                "lower --learning-rate, or look at those slices"
            )
        if self.progress is None:
            return
        scored = [record.dice_mean for record in self.history.epochs if record.dice_mean is not None]
        self.progress(
            TrainProgress(
                epoch=self.epoch,
                epochs=self.sampler.spec.epochs,
                step=step + 1,
                steps_per_epoch=self.sampler.steps_per_epoch,
                loss=loss,
                dice_mean=scored[-1] if scored else None,
            )
        )

    def end(self, loss: float) -> None:
        """Score and save what the epoch left."""
        self.look()
        seconds = time.perf_counter() - self._began
        self.seconds += seconds
        record = EpochRecord(
            epoch=self.epoch,
            step=self.epoch * self.sampler.steps_per_epoch,
            loss=loss,
            seconds=round(seconds, 1),
            dice_mean=None,
            dice_median=None,
        )
        if self.epoch % self.validate_every == 0 or self.epoch == self.sampler.spec.epochs:
            with self.team.alone():
                values = averaged_weights(self.model, self.model.optimizer)
                self.scorer.set_weights([values[name] for name in weight_names(self.scorer)])
                record, self.remarks = self._validated(record)
        self.history = History(epochs=(*self.history.epochs, record))
        if self.log is None:
            return
        header = replace(self.header, epoch=self.epoch)
        save_state(self.out, header, self.model, self.model.optimizer, self.history)
        write_csv(self.out / "history.csv", self.history.epochs)
        self.log.add(record)

    def _validated(self, record: EpochRecord) -> tuple[EpochRecord, tuple[str, ...]]:
        """Score the network per patient at threshold 0.5, without post-processing, and say why where all are 0."""
        patients = self.header.validation_patients
        found = []
        for patient in patients:
            found.append(plain_overlaps(self._predictor, self.cache.volume(patient)))
            self.cache.let_go()
        dice = [fmean(one.dice for one in masks) for masks in found]
        record = replace(record, dice_mean=float(np.mean(dice)), dice_median=float(np.median(dice)))
        return record, () if any(dice) else (_why_nothing(found, record.step),)


def _why_nothing(found: list[tuple[Overlap, ...]], steps: int) -> str:
    """Say what a network that scores 0 on every patient does, and what to try."""
    drawn = sum(one.false_positives for masks in found for one in masks)
    what = (
        f"draws {drawn} pixels on the {len(found)} validation patients, none of them tumour"
        if drawn
        else f"calls no pixel of the {len(found)} validation patients tumour"
    )
    return (
        f"the validation Dice is 0: after {steps} steps the network {what}; train longer (--epochs, "
        "--steps-per-epoch), and see how much of the data is tumour with: edgeseg data info DIR"
    )
