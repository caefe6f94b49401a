"""What neighbouring slices would add: the same further training with and without them, scored on held-out patients.

The networks that ship see one slice. A teacher might see more: here each fold's network is trained on, once as it is
and once with the slice before and the slice after as six more channels, whose weights start from zero, so that both
begin as the same function. Everything else is the same: batches, crops and their variation, steps. At the ends of a
volume the slice stands in for the one that is missing. Each patient is scored by the fold that never saw them, at
threshold 0.5 and without post-processing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.backend import computing, load_keras, predict
from edgeseg.checkpoint import weight_names
from edgeseg.data.augment import augment
from edgeseg.data.cache import SliceCache, cached, folder_key
from edgeseg.data.open import open_dataset
from edgeseg.data.sampler import Sampler
from edgeseg.errors import EdgeSegError
from edgeseg.jsonio import JsonFormatError, from_json, to_json
from edgeseg.metrics import bootstrap_interval, count_overlap, paired_interval
from edgeseg.reports.table import markdown_table_lines
from edgeseg.reports.words import interval_text
from edgeseg.specs import CHANNELS, ImageSpec
from edgeseg.stages.folds import FoldRun, check_data, find_runs
from edgeseg.stages.train import compile_for
from edgeseg.variants import build_model

ALONE, BESIDE = "one slice", "with the slices before and after"
OFFSETS = {ALONE: (0,), BESIDE: (0, -1, 1)}
BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What is done so far: Dice of every held-out patient by fold and by arm; `key` is of weights, data and options."""

    key: str
    dice: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)


def main() -> None:
    """Train what is not there yet and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folds", type=Path, help="a folder of 'edgeseg train --folds' to start from")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="where decoded slices are kept")
    parser.add_argument("--epochs", type=int, default=20, help="passes over the slices with tumour")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--state", type=Path, required=True, help="a JSON file of what is done, to go on from")
    parser.add_argument("--only", nargs="+", metavar="FOLD", help="these folds alone, such as fold0 fold1")
    options = parser.parse_args()
    try:
        keras = load_keras("tensorflow")
        slices = cached(open_dataset(options.data), folder_key(options.data), root=options.cache)
        runs = find_runs(options.folds)
        check_data(runs, slices)
        names = [run.folder.name for run in runs]
        if unknown := sorted(set(options.only or names) - set(names)):
            sys.exit(f"error: --only names {', '.join(unknown)}, and {options.folds} holds {', '.join(names)}")
        found = _all(keras, runs, slices, options)
    except EdgeSegError as error:
        sys.exit(f"error: {error}")
    print(_table(found))


def _all(keras: Any, runs: tuple[FoldRun, ...], slices: SliceCache, options: argparse.Namespace) -> Outcomes:
    asked = (options.epochs, options.learning_rate, *(run.sha256 for run in runs), slices.content_hash(slices.patients))
    found = _begun(options.state, artifacts.sha256_bytes(repr(asked).encode())[:16])
    for run in runs:
        if options.only is not None and run.folder.name not in options.only:
            continue
        for arm in OFFSETS:
            if arm in found.dice.get(run.folder.name, {}):
                continue
            print(f"{run.folder.name}, {arm}", file=sys.stderr)
            scores = _trained(keras, run, slices, arm, options)
            of_fold = {**found.dice.get(run.folder.name, {}), arm: scores}
            found = replace(found, dice={**found.dice, run.folder.name: of_fold})
            artifacts.write_text(options.state, to_json(found) + "\n")
            print(f"  Dice mean {np.mean(list(scores.values())):.3f}", file=sys.stderr)
    return found


def _begun(path: Path, key: str) -> Outcomes:
    if not path.is_file():
        return Outcomes(key=key)
    try:
        found = from_json(Outcomes, path.read_bytes())
    except JsonFormatError as error:
        sys.exit(f"error: {path} is damaged ({error}); give another --state")
    if found.key != key:
        sys.exit(f"error: {path} is of other weights, data or options; give those, or another --state")
    return found


def _trained(keras: Any, run: FoldRun, slices: SliceCache, arm: str, options: argparse.Namespace) -> dict[str, float]:
    """Train one fold on and return the Dice of its held-out patients."""
    header = run.checkpoint.header
    spec = replace(
        header.train,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        batch_size=BATCH,
        augment="rich",
        augment_on="host",
        steps_per_epoch=None,
        teachers=(),
        distil_weight=0.0,
        paste_share=0.0,
    )
    if spec.normalisation != "unit":
        sys.exit(f"error: {run.folder} normalises by '{spec.normalisation}'; neighbours are compared for 'unit' alone")
    offsets = OFFSETS[arm]
    sampler = Sampler.of(slices, header.train_patients, spec)
    beside = neighbours_of(slices)
    with computing(keras, spec.precision):
        model = _network(keras, run, offsets, spec.crop_px, spec.crop_px)
    compile_for(keras, model, spec, steps_per_epoch=sampler.steps_per_epoch)
    epoch = [1]

    class Steps(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return sampler.steps_per_epoch

        def __getitem__(self, step: int) -> Any:
            return batch(sampler, beside, offsets, epoch[0], step)

        def on_epoch_end(self) -> None:
            epoch[0] += 1

    model.fit(Steps(workers=2, max_queue_size=8), epochs=spec.epochs, verbose=0, shuffle=False)
    scorer = _network(keras, run, offsets, slices.index.height, slices.index.width)
    scorer.set_weights(model.get_weights())
    scores = {}
    for patient in run.patients:
        rows = np.asarray(slices.rows(patient))
        images = stacked(slices.images, beside, rows, offsets).astype(np.float32) / np.float32(255.0)
        logits = predict(scorer, images, batch=BATCH)
        scores[patient] = count_overlap(logits[..., 0] > 0.0, np.asarray(slices.volume(patient).reference)).dice
    return scores


def neighbours_of(slices: SliceCache) -> Callable[[NDArray[np.int64], int], NDArray[np.int64]]:
    """Give a function that steps from rows to rows of the same patient, and stays where the volume ends."""
    first, last = np.zeros(len(slices.images), np.int64), np.zeros(len(slices.images), np.int64)
    for patient in slices.patients:
        rows = slices.rows(patient)
        first[rows.start : rows.stop], last[rows.start : rows.stop] = rows.start, rows.stop - 1
    return lambda rows, offset: np.clip(rows + offset, first[rows], last[rows])


def stacked(
    images: NDArray[np.uint8],
    beside: Callable[[NDArray[np.int64], int], NDArray[np.int64]],
    rows: NDArray[np.int64],
    offsets: tuple[int, ...],
) -> NDArray[np.uint8]:
    """Return the slices of rows and their neighbours, `(R, H, W, 3 * len(offsets)) uint8`."""
    return np.concatenate([images[beside(rows, offset)] for offset in offsets], axis=-1)


def batch(
    sampler: Sampler,
    beside: Callable[[NDArray[np.int64], int], NDArray[np.int64]],
    offsets: tuple[int, ...],
    epoch: int,
    step: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One batch as `Sampler.batch` makes it, neighbours cut and varied as their slice is."""
    spec, cache = sampler.spec, sampler.cache
    rng = np.random.default_rng((spec.seed, epoch, step, 2))
    images, masks = [], []
    for row in sampler.rows(epoch, step):
        before = rng.bit_generator.state
        parts = []
        for offset in offsets:
            rng.bit_generator.state = before
            at = int(beside(np.asarray([row]), offset)[0])
            image, target = augment(
                cache.images[at],
                [cache.masks[row]],
                crop_px=spec.crop_px,
                mode=spec.augment,
                missing_share=spec.missing_share,
                rng=rng,
            )
            parts.append(image)
        images.append(np.concatenate(parts, axis=-1))
        masks.append(target)
    return np.stack(images), np.stack(masks)


def _network(keras: Any, run: FoldRun, offsets: tuple[int, ...], height: int, width: int) -> Any:
    """Build the fold's network with more channels, the first three as trained and the others without effect."""
    names = tuple(f"{name}{offset:+d}" for offset in offsets for name in CHANNELS)
    variant = run.checkpoint.header.variant
    model = build_model(variant, ImageSpec(height=height, width=width, channels=names), keras)
    wanted = zip(weight_names(model), model.get_weights(), strict=True)
    model.set_weights([widened(run.checkpoint.arrays[name], array.shape) for name, array in wanted])
    return model


def widened(trained: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return weights for more input channels: kernels with zeros, statistics and scales of each channel repeated.

    Args:
        trained: weights of a network of three channels, `(h, w, 3, out)` or `(3,) float32` where they see the input.
        shape: what is wanted, `(h, w, 3 * n, out)` or `(3 * n,)`; that of `trained` gives `trained`.
    """
    if trained.shape == shape:
        return trained
    if trained.ndim == 1:
        return np.tile(trained, shape[0] // trained.shape[0])
    wide = np.zeros(shape, np.float32)
    wide[:, :, : trained.shape[2]] = trained
    return wide


def _table(found: Outcomes) -> str:
    values = {
        arm: [dice for of_fold in found.dice.values() for dice in of_fold.get(arm, {}).values()] for arm in OFFSETS
    }
    head = ("what the network sees", "patients", "Dice mean [95 %]", "median", "against one slice [95 %]")
    rows = []
    for arm, dice in values.items():
        if not dice or len(dice) != len(values[ALONE]):
            continue
        gain = None if arm == ALONE else paired_interval(dice, values[ALONE], seed=0)
        mean = interval_text(bootstrap_interval(dice, seed=0))
        rows.append((arm, str(len(dice)), mean, f"{np.median(dice):.3f}", interval_text(gain, signed=True)))
    return "\n".join(markdown_table_lines(head, rows))


if __name__ == "__main__":
    main()
