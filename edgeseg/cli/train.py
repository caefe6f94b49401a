"""`edgeseg train`: learn a network from slices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edgeseg.data.cache import SliceCache
    from edgeseg.results import TrainResult
    from edgeseg.specs import TrainSpec

    _Sides = tuple[SliceCache, tuple[str, ...], tuple[str, ...]]


def train(
    data: Annotated[Path, typer.Option(metavar="DIR", help="A data set with reference masks.")],
    variant: Annotated[str, typer.Option(help="unet, unet-bn, alphax, r2unet, or a tier.")] = "alphax-light",
    alpha: Annotated[float | None, typer.Option(help="Multiplies every width, in (0, 1].")] = None,
    stem: Annotated[str | None, typer.Option(help="full or half; half is alphax only.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the slices with tumour.")] = 120,
    seed: Annotated[int, typer.Option(help="Seed of weights, batches, augmentation and split.")] = 0,
    backend: Annotated[str, typer.Option(help="tensorflow, jax or torch.")] = "tensorflow",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's folder; runs/VARIANT if not given.")
    ] = None,
    split: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A split by 'edgeseg data split'; made from --seed if not given."),
    ] = None,
    fold: Annotated[int, typer.Option(help="The fold of the split that is held out.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    schedule: Annotated[str, typer.Option(help="cosine or fixed learning rate.")] = "cosine",
    learning_rate: Annotated[float, typer.Option(help="The highest learning rate.")] = 2e-3,
    loss: Annotated[str, typer.Option(help="bce-dice, dice or bce.")] = "bce-dice",
    augment: Annotated[str, typer.Option(help="rich, flips or none.")] = "rich",
    batch_size: Annotated[int, typer.Option(help="Crops in a batch.")] = 16,
    crop_px: Annotated[int, typer.Option(help="Side of the square crop.")] = 192,
    empty_share: Annotated[float, typer.Option(help="Share of a batch without tumour.")] = 0.3125,
    ema: Annotated[float, typer.Option(help="Decay of the averaged weights; 0 switches it off.")] = 0.998,
    steps_per_epoch: Annotated[int | None, typer.Option(help="Batches in an epoch.")] = None,
    validate_every: Annotated[int, typer.Option(help="Epochs between two validations.")] = 5,
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where decoded slices are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the summary.")] = False,
) -> None:
    """Train a network on a data set, validated per patient on one fold of a split by patient.

    Each epoch leaves a checkpoint; after Ctrl-C, or any other end, the same command with --resume goes on to the
    weights that an undisturbed run would have had.
    """
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.specs import TrainSpec
    from edgeseg.variants.tiers import resolve_variant

    if validate_every < 1:
        raise OptionError(f"validate-every is {validate_every}; it must be at least 1")
    spec = TrainSpec(
        variant=resolve_variant(variant, alpha=alpha, stem=stem),
        epochs=epochs,
        seed=seed,
        batch_size=batch_size,
        crop_px=crop_px,
        learning_rate=learning_rate,
        schedule=schedule,
        loss=loss,
        augment=augment,
        empty_share=empty_share,
        ema=ema,
        steps_per_epoch=steps_per_epoch,
    )
    sides = _sides(data, cache, split, fold, seed)
    place = out or Path("runs") / spec.variant.slug
    result = _run(spec, sides, place, backend=backend, resume=resume, validate_every=validate_every)
    if as_json:
        typer.echo(to_json(result))
    else:
        _summary(result)


def _run(spec: TrainSpec, sides: _Sides, out: Path, *, backend: str, resume: bool, validate_every: int) -> TrainResult:
    from edgeseg.cli._training import training_bar
    from edgeseg.stages.train import train as run
    from edgeseg.stages.train_state import STATE

    slices, training, validation = sides
    try:
        with training_bar() as progress:
            return run(
                slices,
                spec,
                out=out,
                train_patients=training,
                validation_patients=validation,
                backend=backend,
                resume=resume,
                validate_every=validate_every,
                progress=progress,
            )
    except KeyboardInterrupt:
        if (out / STATE).exists():
            typer.echo(f"stopped; what is done so far is in {out}, go on with --resume", err=True)
        raise


def _summary(result: TrainResult) -> None:
    last = result.history[-1]
    speed = "" if result.images_per_second is None else f" at {result.images_per_second:g} images/s"
    typer.echo(f"{result.variant}: {last.step} steps{speed} on {result.backend}")
    typer.echo(
        f"validation Dice per patient, {result.validation_patients} patients: "
        f"mean {last.dice_mean:.3f}, median {last.dice_median:.3f}"
    )
    typer.echo(f"weights: {result.weights}")


def _sides(data: Path, cache: Path | None, split: Path | None, fold: int, seed: int) -> _Sides:
    """Decode the slices and say who is learned from and who is held out."""
    from edgeseg.cli._progress import counted
    from edgeseg.data.cache import cached, folder_key
    from edgeseg.data.open import open_dataset
    from edgeseg.data.split import check_split, make_folds, read_split

    dataset = open_dataset(data)
    with counted("decoding slices") as progress:
        slices = cached(dataset, folder_key(data), root=cache, progress=progress)
    if split is None:
        folds = make_folds(slices, folds=min(5, len(slices.patients)), seed=seed)
    else:
        folds = read_split(split)
        check_split(folds, slices)
    return slices, folds.training(fold), folds.validation(fold)
