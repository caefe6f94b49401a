"""The commands that make weights again, in words for their card."""

from __future__ import annotations

from edgeseg import artifacts
from edgeseg.checkpoint import CheckpointHeader, RecipeRecord
from edgeseg.data.split import read_split
from edgeseg.specs import AXIAL, MAIN_OPTIONS


def train_command(header: CheckpointHeader) -> str:
    """Return the commands that make these weights again; `DIR` stands for the data set's folder.

    What was imported is imported again, from the file that it came as.

    Of several classes `LABELS` stands for the numbers in its masks that make one up.

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
            given, words = _make(header.initial, done), " ".join(f"--{name} {value}" for name, value in _seen(header))
            command = f"edgeseg compress runs/{given} --data DIR {_recipe_options(header.recipe)} {words}".rstrip()
        elif header.foreign is not None:
            command = f"edgeseg import {header.foreign.file} --name {header.variant.name}"
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
        ("blank-share", f"{spec.blank_share:g}"),
        ("normalisation", spec.normalisation),
        ("precision", spec.precision),
        ("batch-size", spec.batch_size),
        ("crop-px", spec.crop_px),
        ("empty-share", f"{spec.empty_share:g}"),
        ("ema", f"{spec.ema:g}"),
    ]
    options += _seen(header)
    if spec.steps_per_epoch is not None:
        options.append(("steps-per-epoch", spec.steps_per_epoch))
    if spec.teachers:
        options.append(("distil-weight", f"{spec.distil_weight:g}"))
        options += [("teacher", sha256) for sha256 in spec.teachers]
    return " ".join(f"--{name} {value}" for name, value in options)


def _seen(header: CheckpointHeader) -> list[tuple[str, object]]:
    """How the data is seen, where that is not as a set without classes is."""
    image = header.image
    plane = [("plane", image.plane)] if image.plane != AXIAL else []
    labels = [("labels", ",".join(f"{name}=LABELS" for name in image.classes))] if image.classes else []
    return [*plane, *labels]


def _split_words(header: CheckpointHeader) -> str:
    """Name the shipped split and fold that holds out the same patients, if there is one."""
    for path in sorted(artifacts.shipped("calibration", "splits").glob("*.json")):
        split = read_split(path)
        for fold in range(len(split.folds)):
            if set(split.validation(fold)) == set(header.validation_patients):
                return f" --split calibration/splits/{path.name} --fold {fold}"
    return ""
