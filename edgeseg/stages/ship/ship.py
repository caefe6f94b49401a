"""Putting trained weights where an installed edgeseg finds them, with a card that says what they are."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeseg import artifacts
from edgeseg.checkpoint import CheckpointHeader, RecipeRecord, read_checkpoint
from edgeseg.data.kaggle_lgg import LICENCE
from edgeseg.data.split import read_split
from edgeseg.data.volume import PHANTOM
from edgeseg.errors import CheckpointError, DataError, MissingExtraError, OptionError
from edgeseg.jsonio import JsonFormatError, from_json, to_json
from edgeseg.place import claimed
from edgeseg.reports.escape import plain_texts
from edgeseg.results import REFERENCE, BuildResult, Choice, ChoiceStep, EpochRecord, EvalResult
from edgeseg.specs import INTENDED_USE, MAIN_OPTIONS, OperatingPoint
from edgeseg.stages.calibrate import RANGES_FILE, ranges_beside
from edgeseg.stages.choose import CHOICE_FILE, read_choice
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


def ship(run: Path, build: BuildResult, *, into: Path, choice: Path | None = None) -> Path:
    """Copy a run's weights to `<into>/<variant>/`, with `card.json`, `learning-curve.png`, and the choice where one is.

    Args:
        run: folder of a training run.
        build: a build of the same weights on real patients that training did not see.
        into: the folder of all shipped weights.
        choice: a file of `edgeseg choose`; builds from the shipped weights take threshold and post-processing from it.

    Returns:
        The variant's folder.

    Raises:
        CheckpointError: when the run is damaged, or the build was made from other weights.
        DataError: when the build rests on phantoms or on patients that training saw.
        OptionError: when the choice cannot be read, was made for another variant, or is not that of the build.
        OutputError: when the folder cannot be written, or another run writes there.
    """
    checkpoint = read_checkpoint(run)
    content = checkpoint.path.read_bytes()
    sha256 = artifacts.sha256_bytes(content)
    if build.weights_sha256 != sha256:
        raise CheckpointError(
            f"the build was made from weights {build.weights_sha256[:12]}, the run holds {sha256[:12]}; "
            f"build again with --from {run}"
        )
    row = next(a for a in build.artifacts if a.target == REFERENCE)
    evaluation = row.evaluation
    if evaluation is None or evaluation.seen_patients or build.data == PHANTOM:
        raise DataError(
            "a card needs the scores of real patients that training did not see; "
            "build with --data DIR on such patients, without --allow-seen"
        )
    made = None if choice is None else read_choice(choice, variant=checkpoint.header.variant.slug)
    _check_point(evaluation, made)
    history = _history(run)
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
    folder = into / card.variant
    with claimed(folder):
        _write(folder, checkpoint.path, content, card, made)
    return folder


def _write(folder: Path, weights: Path, content: bytes, card: ModelCard, made: Choice | None) -> None:
    curve = learning_curve(card.history, title=card.variant)
    artifacts.write_bytes(folder / "weights.safetensors", content)
    artifacts.write_bytes(folder / "learning-curve.png", curve)
    _copy_ranges(weights, folder)
    if made is None:
        (folder / CHOICE_FILE).unlink(missing_ok=True)
    else:
        artifacts.write_text(folder / CHOICE_FILE, to_json(made) + "\n")
    artifacts.write_text(folder / "card.json", to_json(card) + "\n")


def _copy_ranges(weights: Path, folder: Path) -> None:
    """Take along the activation ranges that were learned with the weights, where there are any."""
    if ranges_beside(weights) is None:
        (folder / RANGES_FILE).unlink(missing_ok=True)
    else:
        artifacts.write_bytes(folder / RANGES_FILE, weights.with_name(RANGES_FILE).read_bytes())


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
    try:
        return from_json(History, path.read_bytes()).epochs
    except (OSError, JsonFormatError) as error:
        raise CheckpointError(f"{path} is missing or damaged ({error}); ship a whole run folder") from error
