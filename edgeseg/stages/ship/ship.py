"""Putting trained weights where an installed edgeseg finds them, with a card that says what they are."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint, CheckpointHeader, RecipeRecord, checkpoint_bytes, read_checkpoint
from edgeseg.data.kaggle_lgg import LICENCE
from edgeseg.data.split import read_split
from edgeseg.data.volume import PHANTOM
from edgeseg.errors import CheckpointError, DataError, MissingExtraError, OptionError
from edgeseg.jsonio import JsonFormatError, from_json, to_json
from edgeseg.place import KEY_VARIABLE, claimed, key_for, key_place
from edgeseg.reports.escape import plain_texts
from edgeseg.results import REFERENCE, BuildResult, Choice, ChoiceStep, EpochRecord, EvalResult
from edgeseg.specs import INTENDED_USE, MAIN_OPTIONS, OperatingPoint, PatientKey, refuse_classes
from edgeseg.stages.calibrate import RANGES_FILE, RecordedRanges, ranges_beside
from edgeseg.stages.choose import CHOICE_FILE, read_choice
from edgeseg.stages.ship.pseudonyms import hide_in_choice, hide_in_header, hide_in_ranges, hide_in_scores, named_in
from edgeseg.stages.train import HISTORY, History

CARD_SCHEMA_VERSION = 1
ATTRIBUTION = (
    "TCGA-LGG images from The Cancer Imaging Archive; masks by Buda, Saha and Mazurowski, Computers in Biology and "
    "Medicine 2019, as published on Kaggle (mateuszbuda/lgg-mri-segmentation)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What shipped weights are: origin, patients, how to train them again, and what they reached.

    `history` is that of the training, for averaged weights that of the last one.
    `evaluation` is the float network on the patients of the build that it was shipped with; training saw none of them.
    `out_of_fold` is how networks of this kind do at a threshold and post-processing chosen as for this one, each
    patient scored where neither training nor choice saw it; None where nothing was chosen. `choice.json` has the rest.
    """

    variant: str
    weights_sha256: str
    parameters: int
    macs: int
    header: CheckpointHeader
    command: str
    evaluation: EvalResult
    out_of_fold: ChoiceStep | None = None
    history: tuple[EpochRecord, ...]
    licence: str = LICENCE
    attribution: str = ATTRIBUTION
    intended_use: str = INTENDED_USE
    schema_version: int = CARD_SCHEMA_VERSION


def ship(run: Path, build: BuildResult, *, into: Path, choice: Path | None = None, public_ids: bool = False) -> Path:
    """Copy a run's weights to `<into>/<variant>/`, with `card.json`, `learning-curve.png`, and the choice where one is.

    Patients stand in all of these as pseudonyms under the site's patient key, unless their ids are public. Weights with
    pseudonyms are another file than the run's, with the same arrays; card and ranges name its SHA-256.

    Args:
        run: folder of a training run.
        build: a build of the same weights on real patients that training did not see.
        into: the folder of all shipped weights.
        choice: a file of `edgeseg choose`; builds from the shipped weights take threshold and post-processing from it.
        public_ids: the ids of all patients are public, so they may stand there.

    Returns:
        The variant's folder.

    Raises:
        CheckpointError: when the run is damaged, or the build was made from other weights.
        DataError: when the build rests on phantoms or on patients that training saw.
        OptionError: when the choice cannot be read, was made for another variant, or is not that of the build; when the
            site's patient key is damaged, or lies in `into`.
        OutputError: when the folder cannot be written, or another run writes there.
    """
    checkpoint = read_checkpoint(run)
    refuse_classes(checkpoint.header.image.classes, "shipped")
    sha256 = artifacts.sha256_bytes(content := checkpoint.path.read_bytes())
    if build.weights_sha256 != sha256:
        raise CheckpointError(
            f"the build was made from weights {build.weights_sha256[:12]}, the run holds {sha256[:12]}; "
            f"build again with --from {run}"
        )
    row = next(a for a in build.artifacts if a.target == REFERENCE)
    evaluation = row.evaluation
    if evaluation is None or evaluation.seen_patients or evaluation.seen_unknown or build.data == PHANTOM:
        raise DataError(
            "a card needs the scores of real patients that training did not see; "
            "build with --data DIR on such patients, without --allow-seen"
        )
    made = None if choice is None else read_choice(choice, variant=checkpoint.header.variant.slug)
    _check_point(evaluation, made)
    history, ranges = _history(run), ranges_beside(checkpoint.path)
    card = ModelCard(
        variant=checkpoint.header.variant.slug,
        weights_sha256=sha256,
        parameters=row.parameters,
        macs=row.macs,
        header=checkpoint.header,
        command=train_command(checkpoint.header),
        evaluation=evaluation,
        out_of_fold=None if made is None else made.step(made.shipped_step),
        history=history,
    )
    shipped = _Shipped(content=content, card=card, choice=made, ranges=ranges)
    if not public_ids and (key := key_for(shipped.patients)) is not None:
        _check_key_place(into)
        shipped = shipped.hidden(key, checkpoint)
    folder = into / card.variant
    with claimed(folder):
        _write(folder, shipped)
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shipped:
    """What goes into the folder; `content` is the weights file."""

    content: bytes
    card: ModelCard
    choice: Choice | None
    ranges: RecordedRanges | None

    @property
    def patients(self) -> set[str]:
        """Whom any of it names."""
        chosen = () if self.choice is None else self.choice.patients
        return {*named_in(self.card.header), *(score.patient for score in self.card.evaluation.patients), *chosen}

    def hidden(self, key: PatientKey, run: Checkpoint) -> _Shipped:
        """Put pseudonyms in place of ids that are not public."""
        header = hide_in_header(run.header, key)
        content = checkpoint_bytes(header, run.arrays)
        sha256 = artifacts.sha256_bytes(content)
        choice = None if self.choice is None else hide_in_choice(self.choice, key)
        card = replace(
            self.card,
            weights_sha256=sha256,
            header=header,
            evaluation=hide_in_scores(self.card.evaluation, key),
            out_of_fold=None if choice is None else choice.step(choice.shipped_step),
        )
        learned = run.header.train_patients
        ranges = None if self.ranges is None else hide_in_ranges(self.ranges, learned, key, sha256)
        return _Shipped(content=content, card=card, choice=choice, ranges=ranges)


def _check_key_place(into: Path) -> None:
    """Refuse to ship into a folder that holds the key."""
    if (place := key_place().resolve()).is_relative_to(into.resolve()):
        raise OptionError(
            f"the patient key {place} lies in {into}, and whoever gets that folder could turn pseudonyms back; move "
            f"the key elsewhere and name it with {KEY_VARIABLE}"
        )


def _write(folder: Path, shipped: _Shipped) -> None:
    curve = learning_curve(shipped.card.history, title=shipped.card.variant)
    artifacts.write_bytes(folder / "weights.safetensors", shipped.content)
    artifacts.write_bytes(folder / "learning-curve.png", curve)
    for name, made in ((RANGES_FILE, shipped.ranges), (CHOICE_FILE, shipped.choice)):
        if made is None:
            (folder / name).unlink(missing_ok=True)
        else:
            artifacts.write_text(folder / name, to_json(made) + "\n")
    artifacts.write_text(folder / "card.json", to_json(shipped.card) + "\n")


def _check_point(evaluation: EvalResult, choice: Choice | None) -> None:
    """Refuse scores that were not taken at the operating point that ships."""
    point = OperatingPoint() if choice is None else choice.chosen
    if (evaluation.threshold, evaluation.post_processing) != (point.threshold, point.post_processing):
        raise OptionError(
            f"the build scored at threshold {evaluation.threshold:g} with post-processing "
            f"{evaluation.post_processing.describe(volume=True)}, and what ships is {point.threshold:g} with "
            f"{point.post_processing.describe(volume=True)}; give --choice to both 'edgeseg build' and 'edgeseg ship', "
            "or to neither"
        )


def train_command(header: CheckpointHeader) -> str:
    """Return the commands that make these weights again; `DIR` stands for the data set's folder.

    Where there is more than one, they leave their runs in `runs/1`, `runs/2` ... Each teacher is named by its SHA-256.
    """
    done: list[tuple[CheckpointHeader, str]] = []
    _make(header, done)
    if len(done) == 1:
        return done[0][1]
    return " && ".join(f"{command} --out runs/{number}" for number, (_, command) in enumerate(done, start=1))


def _make(header: CheckpointHeader, done: list[tuple[CheckpointHeader, str]]) -> int:
    """Append what makes a run, and what that rests on, where it is not there yet; returns the run's number."""
    known = [made for made, _ in done]
    if header not in known:
        if header.recipe is not None and header.initial is not None:
            command = f"edgeseg compress runs/{_make(header.initial, done)} --data DIR {_recipe_options(header.recipe)}"
        elif header.parts:
            command = "edgeseg average " + " ".join(f"runs/{_make(part, done)}" for part in header.parts)
        else:
            start = "" if header.initial is None else f" --from runs/{_make(header.initial, done)}"
            command = f"edgeseg train --data DIR {_options(header)}{_split_words(header)}{start}"
        done.append((header, command))
    return [made for made, _ in done].index(header) + 1


def _recipe_options(record: RecipeRecord) -> str:
    """Write a compression as the option that names it and the settings that go with it."""
    main = MAIN_OPTIONS[record.recipe]
    name = f"--{record.recipe}" if main is None else f"--{record.recipe} {record.options[main]}"
    return " ".join([name, *(f"--set {key}={value}" for key, value in record.options.items() if key != main)])


def _options(header: CheckpointHeader) -> str:
    spec = header.train
    options: list[tuple[str, object]] = [
        ("variant", spec.variant.name),
        ("alpha", f"{spec.variant.alpha:g}"),
        ("stem", spec.variant.stem),
        ("profile", spec.variant.profile),
        *(
            (name, ",".join(map(str, given)))
            for name in ("levels", "convolutions")
            if (given := getattr(spec.variant, name))
        ),
        ("epochs", spec.epochs),
        ("seed", spec.seed),
        ("backend", header.backend),
        ("schedule", spec.schedule),
        ("learning-rate", f"{spec.learning_rate:g}"),
        ("weight-decay", f"{spec.weight_decay:g}"),
        ("loss", spec.loss),
        ("augment", spec.augment),
        ("augment-on", spec.augment_on),
        ("paste-share", f"{spec.paste_share:g}"),
        ("missing-share", f"{spec.missing_share:g}"),
        ("normalisation", spec.normalisation),
        ("precision", spec.precision),
        ("batch-size", spec.batch_size),
        ("crop-px", spec.crop_px),
        ("empty-share", f"{spec.empty_share:g}"),
        ("ema", f"{spec.ema:g}"),
    ]
    if spec.steps_per_epoch is not None:
        options.append(("steps-per-epoch", spec.steps_per_epoch))
    if spec.teachers:
        options.append(("distil-weight", f"{spec.distil_weight:g}"))
        options += [("teacher", sha256) for sha256 in spec.teachers]
    return " ".join(f"--{name} {value}" for name, value in options)


def learning_curve(history: Sequence[EpochRecord], *, title: str) -> bytes:
    """Draw loss and validation Dice over epochs; returns a PNG.

    Raises:
        MissingExtraError: when matplotlib is absent.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "build", "a learning curve") from error
    figure = Figure(figsize=(7.0, 3.6), layout="constrained")
    left = figure.add_subplot()
    left.plot([r.epoch for r in history], [r.loss for r in history], color="tab:gray", label="training loss")
    left.set(xlabel="epoch", ylabel="training loss", title=title)
    scored = [
        (r.epoch, r.dice_mean, r.dice_median) for r in history if r.dice_mean is not None and r.dice_median is not None
    ]
    epochs, means, medians = zip(*scored, strict=True) if scored else ((), (), ())
    right = left.twinx()
    right.plot(epochs, means, color="tab:blue", label="Dice, mean")
    right.plot(epochs, medians, color="tab:green", label="Dice, median")
    right.set(ylabel="validation Dice per patient", ylim=(0.0, 1.0))
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    plain_texts(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()


def _split_words(header: CheckpointHeader) -> str:
    """Name the shipped split and fold that holds out the same patients, if there is one."""
    for path in sorted(artifacts.shipped("calibration", "splits").glob("*.json")):
        split = read_split(path)
        for fold in range(len(split.folds)):
            if set(split.validation(fold)) == set(header.validation_patients):
                return f" --split calibration/splits/{path.name} --fold {fold}"
    return ""


def _history(run: Path) -> tuple[EpochRecord, ...]:
    path = (run if run.is_dir() else run.parent) / HISTORY
    if not path.exists():
        raise CheckpointError(f"{path} is missing; ship the whole run of a training, not one that was imported")
    try:
        return from_json(History, path.read_bytes()).epochs
    except (OSError, JsonFormatError) as error:
        raise CheckpointError(f"{path} is missing or damaged ({error}); ship a whole run folder") from error
