"""Running an ablation: train what is not trained yet, score each row on the same held-out patients, keep the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np

from edgeseg import artifacts
from edgeseg.backend import load_keras
from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.split import Split
from edgeseg.data.volume import Volume
from edgeseg.errors import CheckpointError, OptionError
from edgeseg.jsonio import JsonFormatError, from_json, of_this_version, read_document, to_json
from edgeseg.metrics import count_overlap, count_tumour_free, each_mask
from edgeseg.place import turn
from edgeseg.regular import stands
from edgeseg.results import ExperimentLog, HeldOutScore, Outcome
from edgeseg.specs import (
    AXIAL,
    ChannelSet,
    ClassPoint,
    ExperimentRow,
    OperatingPoint,
    Plan,
    PostProcessing,
    Scoring,
    TrainSpec,
)
from edgeseg.stages.predict import Predictor, checkpoint_predictor, class_masks, last_step_weights
from edgeseg.stages.score import predicted_masks
from edgeseg.stages.train import STATE, History, OnTraining, average, complete_run, holds_run, read_history, train
from edgeseg.variants import build_model, census


def read_log(path: Path, *, data: str) -> ExperimentLog:
    """Read the outcomes so far; none where there is no file.

    Raises:
        OptionError: when the file is no such log, or one of other data.
    """
    if not stands(path):
        return ExperimentLog(data=data)
    try:
        log = of_this_version(from_json(ExperimentLog, read_document(path)))
    except (OSError, JsonFormatError) as error:
        raise OptionError(f"{path}: not a log of experiments ({error}); take it away, or give another --log") from error
    if log.data != data:
        raise OptionError(
            f"{path}: the experiments in it are on '{log.data}' and the data is '{data}'; give another --log"
        )
    return log


def run_experiments(
    plan: Plan,
    cache: SliceCache,
    split: Split,
    *,
    runs: Path,
    log: Path,
    only: tuple[str, ...] = (),
    backend: str = "tensorflow",
    on_row: Callable[[str, int], None] | None = None,
    progress: OnTraining | None = None,
) -> ExperimentLog:
    """Bring a log of outcomes up to a plan: what it holds already is not done again, and each outcome is kept at once.

    Several processes may do rows of one plan at the same time; one that needs a training of another waits for it.

    Args:
        plan: the rows.
        cache: decoded slices.
        split: folds of patients.
        runs: the folder of the training runs, each in `<row>-s<seed>`; a run that ended early goes on.
        log: the JSON file that the outcomes are kept in.
        only: names of the rows to do; all when empty.
        backend: as for `train`.
        on_row: called with the row's name and seed before it is done.
        progress: as for `train`.

    Raises:
        OptionError: for an unknown row or fold, or a log of other data.
    """
    if unknown := sorted(set(only) - {row.name for row in plan.rows}):
        raise OptionError(f"'{unknown[0]}' is no row of the plan; there are {', '.join(r.name for r in plan.rows)}")
    for row in plan.rows:
        _check_blank(row.score.blank, cache.channels)
    data = cache.name if cache.index.plane == AXIAL else f"{cache.name}, {cache.index.plane}"
    done = read_log(log, data=data)
    work = _Work(plan, cache, *_sides(plan, split), runs, backend, progress)
    for row in plan.rows:
        for seed in row.seeds if not only or row.name in only else ():
            done = read_log(log, data=data)
            if work.is_done(done.of(row.name, seed), row, seed):
                continue
            if on_row:
                on_row(row.name, seed)
            done = _keep(work.outcome(row, seed), log, data=data)
    return done


def _keep(outcome: Outcome, log: Path, *, data: str) -> ExperimentLog:
    """Write an outcome into the log as it is now, since other processes may have done other rows meanwhile."""
    with turn(artifacts.make_dir(log.parent)):
        done = read_log(log, data=data)
        others = tuple(o for o in done.outcomes if (o.row, o.seed) != (outcome.row, outcome.seed))
        done = replace(done, outcomes=(*others, outcome))
        artifacts.write_text(log, to_json(done, indent=None) + "\n")
    return done


def _sides(plan: Plan, split: Split) -> tuple[tuple[str, ...], tuple[str, ...]]:
    held_out = tuple(sorted(p for fold in plan.held_out_folds for p in split.validation(fold)))
    training = tuple(sorted(entry.patient for entry in split.patients if entry.patient not in held_out))
    if not held_out or not training:
        raise OptionError("the held-out folds of the plan leave no patient to score, or none to learn from")
    return training, held_out


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What the rows of a plan share."""

    plan: Plan
    cache: SliceCache
    training: tuple[str, ...]
    held_out: tuple[str, ...]
    runs: Path
    backend: str
    progress: OnTraining | None

    def is_done(self, known: Outcome | None, row: ExperimentRow, seed: int) -> bool:
        """Say whether an outcome is still that of the plan; what a row learned from its teachers is taken as it is."""
        if known is None or known.score != row.score or tuple(p.patient for p in known.patients) != self.held_out:
            return False
        if (known.start, known.mean_of) != self._made_from(row):
            return False
        given = known.train
        return given == self.plan.spec(row, seed=seed, teachers=given.teachers, initial=given.initial)

    def _made_from(self, row: ExperimentRow) -> tuple[str | None, tuple[str, ...]]:
        made = self.plan.row(row.of) if row.of else row
        return made.start, made.mean_of

    def outcome(self, row: ExperimentRow, seed: int) -> Outcome:
        """Train where needed, and score."""
        trained = self.plan.row(row.of) if row.of else row
        weights, history = self._trained(trained, seed)
        model = build_model(weights.header.variant, weights.header.image, load_keras(self.backend))
        size = census(model)
        start, mean_of = self._made_from(row)
        return Outcome(
            row=row.name,
            seed=seed,
            train=weights.header.train,
            score=row.score,
            train_patients=len(weights.header.train_patients),
            patients=self._scores(weights, row.score),
            parameters=size.parameters,
            macs=size.macs,
            train_s=round(sum(epoch.seconds for epoch in history.epochs), 1),
            backend=weights.header.backend,
            start=start,
            mean_of=mean_of,
        )

    def _trained(self, row: ExperimentRow, seed: int) -> tuple[Checkpoint, History]:
        place = self.runs / f"{row.name}-s{seed}"
        if row.mean_of:
            return self._mean(row, seed, place)
        teachers = tuple(self._trained(self.plan.row(name), seed)[0] for name in row.teachers)
        begun = self._trained(self.plan.row(row.start), seed)[0] if row.start else None
        spec = self.plan.spec(
            row, seed=seed, teachers=tuple(artifacts.sha256_file(t.path) for t in teachers),
            initial=artifacts.sha256_file(begun.path) if begun else None,
        )  # fmt: skip
        with turn(artifacts.make_dir(place)):
            if not self._finished(place, spec):
                train(
                    self.cache,
                    spec,
                    out=place,
                    train_patients=self.training,
                    validation_patients=self.held_out,
                    backend=self.backend,
                    resume=holds_run(place),
                    validate_every=spec.epochs,
                    progress=self.progress,
                    teachers=teachers,
                    initial=begun,
                )
        return read_checkpoint(place), read_history(place)

    def _mean(self, row: ExperimentRow, seed: int, place: Path) -> tuple[Checkpoint, History]:
        parts = [self._trained(self.plan.row(name), seed)[0] for name in row.mean_of]
        with turn(artifacts.make_dir(place)):
            if not holds_run(place):
                average([part.path.parent for part in parts], out=place)
        made = read_checkpoint(place)
        if made.header.parts != tuple(part.header for part in parts):
            raise CheckpointError(f"{place} holds a mean of other runs; take it away, or give another --runs")
        return made, read_history(place)

    def _finished(self, place: Path, spec: TrainSpec) -> bool:
        header = complete_run(place)
        asked = (spec, self.training, self.cache.index.plane)
        if header is not None and (header.train, header.train_patients, header.image.plane) != asked:
            raise CheckpointError(f"{place} holds a run of another plan; take it away, or give another --runs")
        return header is not None

    def _scores(self, weights: Checkpoint, score: Scoring) -> tuple[HeldOutScore, ...]:
        if score.weights == "last":
            weights = last_step_weights(read_checkpoint(weights.path.parent / STATE), weights)
        predictor = checkpoint_predictor(weights)
        dropped, drawn = PostProcessing(min_share=score.min_share), predictor.contract.regions
        classes = tuple(ClassPoint(name=one.name, threshold=score.threshold, post_processing=dropped) for one in drawn)
        point = OperatingPoint(threshold=score.threshold, post_processing=dropped, classes=classes)
        predictor.contract = point.applied(predictor.contract)
        return tuple(_score(self.cache, patient, predictor, score) for patient in self.held_out)


def _check_blank(blank: str, channels: ChannelSet) -> None:
    """Refuse a channel that is no channel, before anything is trained.

    Raises:
        OptionError: with those that there are.
    """
    if blank and blank not in channels.names:
        raise OptionError(f"blank is '{blank}', which is no channel of the data; there are {', '.join(channels.names)}")


def _without(volume: Volume, channels: ChannelSet, blank: str) -> Volume:
    """Show one channel of a volume black."""
    if not blank:
        return volume
    images = np.array(volume.images)
    images[..., channels.names.index(blank)] = 0
    return replace(volume, images=images)


def _score(cache: SliceCache, patient: str, predictor: Predictor, score: Scoring) -> HeldOutScore:
    volume = _without(cache.volume(patient), cache.channels, score.blank)
    masks = each_mask(predicted_masks(predictor, volume, flips=score.flips))
    references = each_mask(class_masks(volume, predictor.contract))
    free = [count_tumour_free(*pair) for pair in zip(masks, references, strict=True)]
    return HeldOutScore(
        patient=patient,
        dice=fmean(count_overlap(*pair).dice for pair in zip(masks, references, strict=True)),
        tumour_free_slices=sum(one.tumour_free for one in free),
        false_positive_slices=sum(one.false_positive for one in free),
    )
