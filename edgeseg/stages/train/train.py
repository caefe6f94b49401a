"""Training a network on cached slices: Keras 3 on any backend, no TensorFlow imported by name."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.backend import computing, load_keras
from edgeseg.checkpoint import WEIGHTS_KIND, Checkpoint, CheckpointHeader, load_weights
from edgeseg.data.cache import SliceCache
from edgeseg.data.on_device import DeviceBatches
from edgeseg.data.sampler import Sampler
from edgeseg.errors import CheckpointError, OutputError
from edgeseg.losses import make_loss
from edgeseg.place import holding_out
from edgeseg.results import TrainResult
from edgeseg.specs import Contract, ImageSpec, TrainSpec, refuse_learned
from edgeseg.stages.environment import versions
from edgeseg.stages.predict import name_patients
from edgeseg.stages.train.checks import check_classes, check_place, check_sides
from edgeseg.stages.train.distribute import Team, gather, helps_another
from edgeseg.stages.train.loop import OnTraining, TrainLoop
from edgeseg.stages.train.moving_average import adamw
from edgeseg.stages.train.run_folder import (
    STATE,
    WEIGHTS,
    History,
    finished_run,
    refuse_overwrite,
    restore_state,
    save_state,
)
from edgeseg.stages.train.teach import soft_labels
from edgeseg.stages.train.trained import bare_network, trained_network
from edgeseg.variants.initial import draw_kernels


@functools.partial(holding_out, unless=helps_another)
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
    progress: OnTraining | None = None,
    teachers: tuple[Checkpoint, ...] = (),
    initial: Checkpoint | None = None,
    devices: int = 1,
    name: str = "",
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
        teachers: the weights that `spec.teachers` names, for distillation.
        initial: the weights that `spec.initial` names, to start from.
        devices: how many train together, each on its share of every batch; more than one on `jax` only.
        name: what tables are to call these weights.

    Raises:
        OptionError: when that many devices cannot train together, or batches cannot be made on them.
        SeenPatientError: when a teacher, or what is started from, learned from a validation patient.
        SplitError: when a patient stands on both sides, or a side is empty or has no tumour.
        TrainingError: when the loss is no longer a number; the message names the slices of the batch.
        CheckpointError: when `resume` meets a state of other hyper-parameters, or the teachers or what is started from
            are not those of `spec`.
        OutputError: when `out` holds a run and `resume` was not asked for, cannot be written, or another run writes
            there.
    """
    check_sides(train_patients, validation_patients)
    if not resume:
        refuse_overwrite(out)
    keras = load_keras(backend)
    initial = None if initial is None else name_patients(initial, cache.patients)
    teachers = tuple(name_patients(teacher, cache.patients) for teacher in teachers)
    check_classes(cache.classes, initial)
    _check_initial(cache, spec, initial, train_patients, validation_patients)
    header = _header(cache, spec, train_patients, validation_patients, backend, devices)
    header = replace(header, initial=None if initial is None else initial.header, name=name)
    if initial is not None and (foreign := initial.header.foreign) is not None:
        header = replace(header, foreign=foreign, image=foreign.contract.image)
    if resume and (done_before := finished_run(out, header)) is not None:
        return _result(out, *done_before, images_per_second=None)
    team = gather(keras, devices=devices, batch_size=spec.batch_size)
    check_place(spec, backend, devices=team.devices)
    soft = _soft(cache, spec, teachers, train_patients, validation_patients)
    sampler = Sampler.of(cache, train_patients, spec, soft)
    batches = DeviceBatches(sampler) if spec.augment_on == "device" else sampler
    with team.scope():
        model = _compiled(keras, spec, _image(cache), sampler.steps_per_epoch, initial)
    scorer = bare_network(keras, spec.variant, initial, _image(cache))
    done, history = _start(out, header, model, team, resume=resume)
    run = TrainLoop(cache, sampler, batches, model, scorer, header, history, out, validate_every, progress, team)
    try:
        with team.scope():
            run.fit(keras, first_epoch=done + 1)
    finally:
        run.close()
    team.wait("trained")
    images = (spec.epochs - done) * sampler.steps_per_epoch * spec.batch_size
    speed = round(images / run.seconds, 2) if run.seconds else None
    return replace(_result(out, header, run.history, images_per_second=speed), remarks=run.remarks)


def _result(out: Path, header: CheckpointHeader, history: History, *, images_per_second: float | None) -> TrainResult:
    weights = out / WEIGHTS
    return TrainResult(
        variant=header.variant.slug,
        network=header.name,
        weights=str(weights),
        sha256=artifacts.sha256_file(weights),
        seed=header.train.seed,
        backend=header.backend,
        train_patients=len(header.train_patients),
        validation_patients=len(header.validation_patients),
        steps=history.epochs[-1].step,
        images_per_second=images_per_second,
        history=history.epochs,
        versions=header.versions,
        devices=header.devices,
    )


def _check_initial(
    cache: SliceCache,
    spec: TrainSpec,
    initial: Checkpoint | None,
    train_patients: tuple[str, ...],
    validation_patients: tuple[str, ...],
) -> None:
    given = None if initial is None else artifacts.sha256_file(initial.path)
    if given != spec.initial:
        raise CheckpointError("the weights to start from are not those that the training names; give that file")
    if initial is None:
        return
    who, learned = str(initial.path), set(initial.header.train_patients)
    if initial.header.foreign is None and initial.header.image.channels != cache.channels.names:
        raise CheckpointError(
            f"{who} takes the channels {', '.join(initial.header.image.channels)}, and {cache.name} has "
            f"{', '.join(cache.channels.names)}; start from weights of these, or leave --from out"
        )
    if initial.header.image.plane != cache.index.plane:
        raise CheckpointError(
            f"{who} takes {initial.header.image.plane} slices, and {cache.name} was decoded to {cache.index.plane} "
            f"ones; give --plane {initial.header.image.plane}, or start from other weights"
        )
    refuse_learned(
        who,
        learned,
        validation_patients,
        are="validation patient(s)",
        advice=", and so would what starts from it; start from a run of the same fold",
    )
    refuse_learned(
        who,
        learned,
        learned - set(train_patients),
        are="patient(s) that this training leaves out",
        advice=", and its record would hide that; start from a run whose patients are all trained on here",
    )


def _start(out: Path, header: CheckpointHeader, model: Any, team: Team, *, resume: bool) -> tuple[int, History]:
    if resume:
        return restore_state(out, header, model, model.optimizer)
    if team.writes:
        save_state(out, header, model, model.optimizer, History())
    team.wait("started")
    if not (out / STATE).is_file():
        raise OutputError(
            f"process 0 of {team.processes} writes the run, and {out} does not show it here; "
            "give --out a folder that all hosts share"
        )
    return 0, History()


def _soft(
    cache: SliceCache,
    spec: TrainSpec,
    teachers: tuple[Checkpoint, ...],
    train_patients: tuple[str, ...],
    validation_patients: tuple[str, ...],
) -> NDArray[np.uint8] | None:
    given = tuple(artifacts.sha256_file(teacher.path) for teacher in teachers)
    if given != spec.teachers:
        raise CheckpointError(
            f"{len(given)} teacher(s) were given and the training names {len(spec.teachers)} of other weights; "
            "give the files that it names, in its order"
        )
    if not teachers:
        return None
    return soft_labels(cache, teachers, train_patients=train_patients, validation_patients=validation_patients)


def _image(cache: SliceCache) -> ImageSpec:
    index = cache.index
    return ImageSpec(
        height=index.height,
        width=index.width,
        channels=cache.channels.names,
        classes=cache.classes,
        plane=index.plane,
    )


def _compiled(keras: Any, spec: TrainSpec, whole: ImageSpec, steps_per_epoch: int, initial: Checkpoint | None) -> Any:
    image = replace(whole, height=spec.crop_px, width=spec.crop_px)
    with computing(keras, spec.precision):
        model = trained_network(keras, spec.variant, initial, image)
    if initial is None:
        draw_kernels(model, seed=spec.seed)
    else:
        load_weights(model, initial, spec.variant)
    contract = None if initial is None or initial.header.foreign is None else initial.header.foreign.contract
    compile_for(keras, model, spec, steps_per_epoch=steps_per_epoch, classes=len(whole.classes), contract=contract)
    return model


def _header(
    cache: SliceCache,
    spec: TrainSpec,
    train_patients: tuple[str, ...],
    validation_patients: tuple[str, ...],
    backend: str,
    devices: int,
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
        devices=devices,
    )


def compile_for(
    keras: Any,
    model: Any,
    spec: TrainSpec,
    *,
    steps_per_epoch: int,
    classes: int = 0,
    contract: Contract | None = None,
) -> None:
    """Compile a Keras model for `spec.epochs` epochs.

    The learning rate is `spec.learning_rate`, or rises to it over `spec.warmup_steps`, a tenth of all steps at most,
    and falls to zero on a cosine. Biases and the scales of batch normalisation do not decay.

    Args:
        keras: of `load_keras`.
        model: its trainable variables may have values already.
        spec: schedule, learning rate, weight decay, moving average, loss.
        steps_per_epoch: batches in an epoch.
        classes: how many the data has; 0 for one mask.
        contract: of somebody else's network, whose regions are learned.
    """
    total = spec.epochs * steps_per_epoch
    rate: Any = spec.learning_rate
    if spec.schedule == "cosine":
        warmup = min(spec.warmup_steps, max(1, total // 10))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, total - warmup), warmup_target=spec.learning_rate, warmup_steps=warmup
        )
    optimizer = adamw(keras, rate, weight_decay=spec.weight_decay, decay=spec.ema)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)
    jit = keras.backend.backend() == "jax"
    loss = make_loss(keras, spec.loss, classes, contract)
    model.compile(optimizer=optimizer, loss=loss, jit_compile=jit)
