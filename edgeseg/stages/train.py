"""Training a network on cached slices: Keras 3 on any backend, no TensorFlow imported by name."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeseg import artifacts
from edgeseg.backend import load_keras
from edgeseg.checkpoint import WEIGHTS_KIND, CheckpointHeader
from edgeseg.data.cache import SliceCache
from edgeseg.data.sampler import Sampler
from edgeseg.errors import SplitError, TrainingError
from edgeseg.metrics import count_overlap
from edgeseg.results import EpochRecord, TrainResult
from edgeseg.specs import ImageSpec, TrainSpec
from edgeseg.stages import train_state
from edgeseg.stages.environment import versions
from edgeseg.stages.losses import make_loss
from edgeseg.stages.train_log import TensorBoardLog, write_csv
from edgeseg.variants import build_model
from edgeseg.variants.initial import draw_kernels

PREDICT_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainProgress:
    """Where a run is; `loss` is the mean over the epoch so far, `dice_mean` the last validation's."""

    epoch: int
    epochs: int
    step: int
    steps_per_epoch: int
    loss: float
    dice_mean: float | None


OnProgress = Callable[[TrainProgress], None]


def train(
    cache: SliceCache,
    spec: TrainSpec,
    *,
    out: Path,
    train_patients: tuple[str, ...],
    validation_patients: tuple[str, ...],
    backend: str = "tensorflow",
    resume: bool = False,
    validate_every: int = 5,
    progress: OnProgress | None = None,
) -> TrainResult:
    """Train one network and leave `weights.safetensors`, `state.safetensors`, `history.csv` and event files in `out`.

    The state is written before the first epoch and after each, the weights after each, in one step, so that a run that
    ends early goes on with `resume=True` to the same weights it would have had.

    Args:
        cache: decoded slices.
        spec: everything that decides the outcome.
        out: folder of the run.
        train_patients: who is learned from.
        validation_patients: who is scored every `validate_every` epochs and after the last; never learned from.
        backend: `tensorflow`, `jax` or `torch`.
        resume: go on from the state in `out`.
        validate_every: epochs between two validations.
        progress: called after each step.

    Raises:
        SplitError: when a patient stands on both sides, or a side is empty or has no tumour.
        TrainingError: when the loss is no longer a number; the message names the slices of the batch.
        CheckpointError: when `resume` meets a state of other hyper-parameters.
        OutputError: when `out` holds a run and `resume` was not asked for, or cannot be written.
    """
    _check_sides(train_patients, validation_patients)
    sampler = Sampler.of(cache, train_patients, spec)
    if not resume:
        train_state.refuse_overwrite(out)
    keras = load_keras(backend)
    model, scorer = _compiled(keras, spec, sampler.steps_per_epoch), build_model(spec.variant, _image(cache), keras)
    header = _header(cache, spec, train_patients, validation_patients, backend)
    done, history = 0, train_state.History()
    if resume:
        done, history = train_state.restore(out, header, model, model.optimizer)
    else:
        train_state.save(out, header, model, model.optimizer, history)
    run = _Run(cache, sampler, model, scorer, header, history, out, validate_every, progress)
    try:
        run.fit(keras, first_epoch=done + 1)
    finally:
        run.log.close()
    images = (spec.epochs - done) * sampler.steps_per_epoch * spec.batch_size
    weights = out / train_state.WEIGHTS
    return TrainResult(
        variant=spec.variant.slug,
        weights=str(weights),
        sha256=artifacts.sha256_file(weights),
        seed=spec.seed,
        backend=backend,
        train_patients=len(train_patients),
        validation_patients=len(validation_patients),
        steps=spec.epochs * sampler.steps_per_epoch,
        images_per_second=round(images / run.seconds, 2) if run.seconds else None,
        history=run.history.epochs,
        versions=header.versions,
    )


def _check_sides(train_patients: tuple[str, ...], validation_patients: tuple[str, ...]) -> None:
    if both := sorted(set(train_patients) & set(validation_patients)):
        raise SplitError(
            f"{len(both)} patients stand on both sides of the split, {both[0]} first; a split is by patient"
        )
    for side, patients in (("training", train_patients), ("validation", validation_patients)):
        if not patients:
            raise SplitError(f"the {side} side of the split is empty; at least one patient is needed on each")


def _image(cache: SliceCache) -> ImageSpec:
    return ImageSpec(height=cache.index.height, width=cache.index.width)


def _compiled(keras: Any, spec: TrainSpec, steps_per_epoch: int) -> Any:
    model = build_model(spec.variant, ImageSpec(height=spec.crop_px, width=spec.crop_px), keras)
    draw_kernels(model, seed=spec.seed)
    total = spec.epochs * steps_per_epoch
    rate: Any = spec.learning_rate
    if spec.schedule == "cosine":
        warmup = min(spec.warmup_steps, max(1, total // 10))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, total - warmup), warmup_target=spec.learning_rate, warmup_steps=warmup
        )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=spec.weight_decay, use_ema=spec.ema > 0, ema_momentum=spec.ema or 0.99
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)
    jit = keras.backend.backend() == "jax"
    model.compile(optimizer=optimizer, loss=make_loss(keras, spec.loss), jit_compile=jit)
    return model


class _Run:
    """One training run: what happens before, within and after each epoch of a single `fit`.

    It must be a single `fit`: at its end Keras overwrites the weights with their moving average.
    """

    def __init__(
        self,
        cache: SliceCache,
        sampler: Sampler,
        model: Any,
        scorer: Any,
        header: CheckpointHeader,
        history: train_state.History,
        out: Path,
        validate_every: int,
        progress: OnProgress | None,
    ) -> None:
        self.cache, self.sampler, self.model, self.scorer = cache, sampler, model, scorer
        self.header, self.history, self.out = header, history, out
        self.validate_every, self.progress = validate_every, progress
        self.log = TensorBoardLog(out / "tensorboard")
        self.seconds = 0.0
        self.epoch = 0
        self._began = 0.0

    def fit(self, keras: Any, *, first_epoch: int) -> None:
        """Train from `first_epoch` (counted from 1) to the last one of the spec."""
        run, sampler = self, self.sampler

        class Batches(keras.utils.PyDataset):  # type: ignore[misc]
            def __len__(self) -> int:
                return sampler.steps_per_epoch

            def __getitem__(self, step: int) -> Any:
                return sampler.batch(max(run.epoch, first_epoch), step)

        class Watch(keras.callbacks.Callback):  # type: ignore[misc]
            def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
                run.begin(epoch + 1)

            def on_train_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
                run.step(step, float((logs or {})["loss"]))

            def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
                run.end(float((logs or {})["loss"]))

        self.model.fit(
            Batches(workers=2, max_queue_size=4),
            initial_epoch=first_epoch - 1,
            epochs=sampler.spec.epochs,
            verbose=0,
            shuffle=False,
            callbacks=[Watch()],
        )

    def begin(self, epoch: int) -> None:
        """Start an epoch, counted from 1."""
        self.epoch, self._began = epoch, time.perf_counter()

    def step(self, step: int, loss: float) -> None:
        """Look at the mean loss of the epoch so far, after step `step`, counted from 0."""
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
            record = _validated(record, self.scorer, self.model, self.cache, self.header.validation_patients)
        self.history = train_state.History(epochs=(*self.history.epochs, record))
        header = replace(self.header, epoch=self.epoch)
        train_state.save(self.out, header, self.model, self.model.optimizer, self.history)
        write_csv(self.out / "history.csv", self.history.epochs)
        self.log.add(record)


def _validated(
    record: EpochRecord, scorer: Any, model: Any, cache: SliceCache, patients: tuple[str, ...]
) -> EpochRecord:
    """Score the averaged weights per patient at threshold 0.5, without post-processing."""
    scorer.set_weights(list(train_state.averaged_weights(model, model.optimizer).values()))
    scores = []
    for patient in patients:
        volume = cache.volume(patient)
        scaled = np.asarray(volume.images, dtype=np.float32) / np.float32(255.0)
        logits = scorer.predict(scaled, batch_size=PREDICT_BATCH, verbose=0)
        scores.append(count_overlap(logits[..., 0] > 0.0, np.asarray(volume.reference)).dice)
    return replace(record, dice_mean=float(np.mean(scores)), dice_median=float(np.median(scores)))


def _header(
    cache: SliceCache,
    spec: TrainSpec,
    train_patients: tuple[str, ...],
    validation_patients: tuple[str, ...],
    backend: str,
) -> CheckpointHeader:
    return CheckpointHeader(
        kind=WEIGHTS_KIND,
        variant=spec.variant,
        image=_image(cache),
        train=spec,
        data=cache.name,
        data_hash=cache.content_hash(train_patients),
        train_patients=train_patients,
        validation_patients=validation_patients,
        epoch=0,
        backend=backend,
        versions=versions(),
    )
