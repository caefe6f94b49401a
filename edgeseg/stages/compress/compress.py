"""Applying a chain of compression recipes to trained weights; what it leaves is a run like that of a training."""

from __future__ import annotations

import contextlib
import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeseg import artifacts, recipes
from edgeseg.checkpoint import (
    WEIGHTS_KIND,
    Checkpoint,
    RecipeRecord,
    check_weights,
    read_checkpoint,
    write_checkpoint,
)
from edgeseg.data.cache import SliceCache
from edgeseg.errors import CheckpointError, OptionError
from edgeseg.half import shortened
from edgeseg.jsonio import JsonFormatError, from_json, read_document, to_json
from edgeseg.place import holding_out, sweep
from edgeseg.recipes import Outcome
from edgeseg.results import ClassDice, CompressResult, CompressStep, NetworkSize
from edgeseg.specs import Chain, RecipeSpec, options_of, recipe_name
from edgeseg.stages.adopt import copy_original
from edgeseg.stages.calibrate import RANGES_FILE, learned_ranges, ranges_beside
from edgeseg.stages.compress.checks import STEPS, check_classes, check_data, check_place, widened_note
from edgeseg.stages.compress.foreign import taken_over
from edgeseg.stages.compress.workbench import StepWorkbench, validation_dice
from edgeseg.stages.environment import versions
from edgeseg.stages.predict import name_patients, network_of
from edgeseg.stages.train import HISTORY, WEIGHTS, History, OnTraining, read_history, write_csv
from edgeseg.variants import census

ASKED, FOUND, RESULT = "asked.json", "step.json", "compress.json"

OnStep = Callable[[CompressStep, bool], None]
"""Called with a step that is done, and whether an earlier run had done it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What decides a step; a folder of another one is not gone on with."""

    record: RecipeRecord
    train_patients: tuple[str, ...]
    data_hash: str


@holding_out
def compress(
    parent: Checkpoint,
    chain: Chain,
    cache: SliceCache,
    *,
    out: Path,
    resume: bool = False,
    validate_every: int = 5,
    progress: OnTraining | None = None,
    on_step: OnStep | None = None,
) -> CompressResult:
    """Apply recipes one after another, and leave a run folder.

    `out` gets `weights.safetensors`, whose header holds the chain, `history.json` and `history.csv` of the last step,
    `compress.json`, with quantization-aware training `ranges.json`, and `steps/`, from which `resume` goes on.

    Args:
        parent: trained weights; their training and validation patients are kept.
        chain: the recipes.
        cache: decoded slices that hold these patients.
        out: folder of the run.
        resume: go on from what `out` holds.
        validate_every: epochs between two validations.
        progress: called after each training step.
        on_step: called after each recipe.

    Raises:
        OutputError: when `out` holds a run and `resume` was not asked for, or cannot be written.
        SplitError: when the data lacks a patient of the parent's.
        DatasetError: when it has other channels than the parent takes, or other classes than it draws.
        CheckpointError: when the parent is no network's weights, or `resume` meets a step that was asked for otherwise.
        EdgeSegError: as the recipes raise them.
    """
    check_weights(parent, parent.header.variant)
    check_place(out, resume=resume)
    parent = name_patients(parent, cache.patients)
    check_classes(parent.header, cache)
    if parent.header.foreign is not None:
        parent = taken_over(parent, chain, cache)
    check_data(parent.header, cache)
    done: list[CompressStep] = []
    at = parent
    for number, spec in enumerate(chain.steps, start=1):
        folder = artifacts.make_dir(out / STEPS / f"{number}-{recipe_name(spec)}")
        sweep(folder)
        bench = StepWorkbench(
            cache=cache, folder=folder, parent=at, teacher=parent, validate_every=validate_every, progress=progress
        )
        step, reused = _step(spec, bench)
        at = read_checkpoint(folder / WEIGHTS)
        done.append(step)
        if on_step is not None:
            on_step(step, reused)
    return _finish(out, parent, at, chain, tuple(done), cache)


def apply_recipe(
    parent: Checkpoint, spec: RecipeSpec, cache: SliceCache, *, folder: Path, progress: OnTraining | None = None
) -> Checkpoint:
    """Apply one recipe and return the new weights, which lie in `folder`; a finished folder is taken as it is.

    Args:
        parent: trained weights.
        spec: of the recipe.
        cache: decoded slices that hold the parent's patients.
        folder: of this step alone.
        progress: called after each training step.

    Raises:
        EdgeSegError: as `compress`.
    """
    check_classes(parent.header, cache)
    check_data(parent.header, cache)
    folder = artifacts.make_dir(folder)
    _step(spec, StepWorkbench(cache=cache, folder=folder, parent=parent, teacher=parent, progress=progress))
    return read_checkpoint(folder / WEIGHTS)


def measure(checkpoint: Checkpoint, cache: SliceCache) -> NetworkSize:
    """Measure a float network: what it holds, computes and compresses to, and its validation Dice."""
    counted = census(network_of(checkpoint))
    kept = shortened(checkpoint.arrays) if checkpoint.header.in_half else checkpoint.arrays
    content = b"".join(array.tobytes() for array in kept.values())
    kernels = [array for name, array in checkpoint.arrays.items() if name.endswith("/kernel")]
    zeros, weights = sum(int((k == 0).sum()) for k in kernels), sum(k.size for k in kernels)
    scores = validation_dice(checkpoint, cache)
    each = zip(checkpoint.header.image.classes, scores.T, strict=False)
    means = scores.mean(axis=1)
    return NetworkSize(
        variant=checkpoint.header.variant.slug,
        parameters=counted.parameters,
        macs=counted.macs,
        weights_bytes=len(content),
        gzip_bytes=len(gzip.compress(content, compresslevel=9, mtime=0)),
        zero_share=zeros / max(1, weights),
        kernel_values=max((len(np.unique(k)) for k in kernels), default=0),
        dice_mean=float(np.mean(means)),
        dice_median=float(np.median(means)),
        classes=tuple(
            ClassDice(name=name, dice_mean=float(np.mean(dice)), dice_median=float(np.median(dice)))
            for name, dice in each
        ),
    )


def _step(spec: RecipeSpec, bench: StepWorkbench) -> tuple[CompressStep, bool]:
    """Run a recipe, or read what an earlier run of it left."""
    name, parent = recipe_name(spec), bench.parent
    sha256 = artifacts.sha256_file(parent.path)
    record = RecipeRecord(recipe=name, options=options_of(spec), parent_sha256=sha256)
    patients = parent.header.train_patients
    asked = _Asked(record=record, train_patients=patients, data_hash=bench.cache.content_hash(patients))
    if (found := _found(bench.folder, asked)) is not None:
        return found, True
    artifacts.write_text(bench.folder / ASKED, to_json(asked) + "\n")
    began = time.perf_counter()
    try:
        outcome = recipes.get(name).apply(parent, spec, bench)
    except OptionError:
        _take_back(bench.folder)
        raise
    seconds = round(time.perf_counter() - began, 1)
    made = _write(bench, record, asked, outcome)
    step = CompressStep(
        recipe=name,
        options=record.options,
        parent_sha256=sha256,
        sha256=artifacts.sha256_file(made.path),
        size=measure(made, bench.cache),
        seconds=seconds,
        notes=(*outcome.notes, *widened_note(parent, made, name)),
    )
    artifacts.write_text(bench.folder / FOUND, to_json(step) + "\n")
    return step, False


def _take_back(folder: Path) -> None:
    """Leave nothing of a step that was refused before it made anything, so that it can be asked for otherwise."""
    if [path.name for path in folder.iterdir()] != [ASKED]:
        return
    (folder / ASKED).unlink()
    with contextlib.suppress(OSError):  # a folder that holds something else stays
        for place in (folder, folder.parent, folder.parent.parent):
            place.rmdir()


def _write(bench: StepWorkbench, record: RecipeRecord, asked: _Asked, outcome: Outcome) -> Checkpoint:
    parent, folder = bench.parent, bench.folder
    header = replace(
        parent.header,
        kind=WEIGHTS_KIND,
        variant=outcome.variant,
        train=outcome.train,
        data=bench.cache.name,
        data_hash=asked.data_hash,
        epoch=outcome.train.epochs,
        backend="tensorflow",
        versions=versions(),
        devices=1,
        initial=parent.header,
        parts=(),
        recipe=record,
        foreign=outcome.foreign,
        name="",
    )
    artifacts.write_text(folder / HISTORY, to_json(History(epochs=outcome.history)))
    path = write_checkpoint(folder / WEIGHTS, header, outcome.arrays)
    made = read_checkpoint(path)
    if outcome.ranges is not None:
        learned = learned_ranges(made, outcome.ranges, bench.cache)
        artifacts.write_text(folder / RANGES_FILE, to_json(learned) + "\n")
    elif recipes.get(record.recipe).keeps_ranges and (kept := ranges_beside(parent.path)) is not None:
        artifacts.write_text(
            folder / RANGES_FILE, to_json(replace(kept, weights_sha256=artifacts.sha256_file(path))) + "\n"
        )
    return made


def _found(folder: Path, asked: _Asked) -> CompressStep | None:
    """Return the finished step in a folder.

    Raises:
        CheckpointError: when the folder is that of another step, or damaged.
    """
    if not (folder / ASKED).is_file():
        return None
    try:
        before = from_json(_Asked, read_document(folder / ASKED))
        if before != asked:
            raise CheckpointError(
                f"{folder} was compressed otherwise: {_difference(before, asked)}; resume with the same options, "
                "weights and data, or choose another --out"
            )
        if not (folder / FOUND).is_file():
            return None
        step = from_json(CompressStep, read_document(folder / FOUND))
    except JsonFormatError as error:
        raise CheckpointError(f"{folder} is damaged ({error}); choose another --out") from error
    weights = folder / WEIGHTS
    whole = weights.is_file() and artifacts.sha256_file(weights) == step.sha256
    return step if whole else None


def _difference(before: _Asked, asked: _Asked) -> str:
    old, new = before.record, asked.record
    for name in sorted(set(old.options) | set(new.options)):
        if old.options.get(name) != new.options.get(name):
            return f"{name} was {old.options.get(name)} and is now {new.options.get(name)}"
    return "its weights differ" if old.parent_sha256 != new.parent_sha256 else "the data differs"


def _finish(
    out: Path, parent: Checkpoint, last: Checkpoint, chain: Chain, steps: tuple[CompressStep, ...], cache: SliceCache
) -> CompressResult:
    """Copy what the last step left to the top of the run, the weights last."""
    folder = last.path.parent
    history = read_history(folder)
    ranges = folder / RANGES_FILE
    result = CompressResult(
        parent=str(parent.path),
        parent_sha256=artifacts.sha256_file(parent.path),
        given=measure(parent, cache),
        steps=steps,
        weights=str(out / WEIGHTS),
        sha256=steps[-1].sha256,
        ranges=str(out / RANGES_FILE) if ranges.is_file() else None,
        targets=chain.targets,
        versions=versions(),
    )
    artifacts.write_text(out / HISTORY, to_json(history))
    write_csv(out / "history.csv", history.epochs)
    if ranges.is_file():
        artifacts.write_bytes(out / RANGES_FILE, ranges.read_bytes())
    artifacts.write_text(out / RESULT, to_json(result) + "\n")
    if parent.header.foreign is not None:
        copy_original(parent, out)
    artifacts.write_bytes(out / WEIGHTS, last.path.read_bytes())
    return result
