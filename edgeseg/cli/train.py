"""`edgeseg train`: learn a network from slices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._data import Labels, Layout, Plane, decoded
from edgeseg.cli._options import json_option, out_option
from edgeseg.cli._weights import weights_option

if TYPE_CHECKING:
    from edgeseg.cli._folds import TrainOptions
    from edgeseg.data.cache import SliceCache
    from edgeseg.data.split import Split
    from edgeseg.results import TrainResult
    from edgeseg.specs import TrainSpec, VariantSpec


def train(
    data: Annotated[Path, typer.Option(metavar="DIR", help="A data set with reference masks.")],
    variant: Annotated[
        str | None,
        typer.Option(
            "--variant",
            "--network",
            help="unet, unet-bn, alphax, r2unet, a tier, or a network for its shape; that of --from, or light's, if "
            "not given.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What tables call these weights, and 'edgeseg ship' names the network.")
    ] = None,
    alpha: Annotated[float | None, typer.Option(help="Multiplies every width, in (0, 1].")] = None,
    stem: Annotated[str | None, typer.Option(help="full, half or quarter resolution inside.")] = None,
    profile: Annotated[str | None, typer.Option(help="Widths: double with depth, or flat.")] = None,
    levels: Annotated[
        str | None, typer.Option(metavar="N,N,N,N,N", help="Channels of each level in place of a profile.")
    ] = None,
    convolutions: Annotated[
        str | None, typer.Option(metavar="N,N,N,N,N", help="Convolutions of a block of each level, 2 if not given.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the slices with tumour.")] = 120,
    seed: Annotated[int, typer.Option(help="Seed of weights, batches, augmentation and split.")] = 0,
    backend: Annotated[str, typer.Option(help="tensorflow, jax or torch.")] = "tensorflow",
    out: Annotated[
        Path | None, out_option("The run's folder; runs/NAME or runs/VARIANT if not given.", metavar="DIR")
    ] = None,
    split: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A split by 'edgeseg data split'; made from --seed if not given."),
    ] = None,
    fold: Annotated[int | None, typer.Option(help="The fold of the split that is held out; 0 if not given.")] = None,
    folds: Annotated[
        int | None, typer.Option(help="Train all K folds into OUT/fold0 ... and score every patient once.")
    ] = None,
    ray: Annotated[bool, typer.Option("--ray", help="With --folds: hand the folds to Ray.")] = False,
    ray_cpus: Annotated[int | None, typer.Option(help="With --ray: processors per fold; all of a host's.")] = None,
    devices: Annotated[int, typer.Option(help="Devices that share each batch; more than one on jax.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    schedule: Annotated[str, typer.Option(help="cosine or fixed learning rate.")] = "cosine",
    learning_rate: Annotated[float, typer.Option(help="The highest learning rate.")] = 2e-3,
    weight_decay: Annotated[float, typer.Option(help="AdamW's decay of the kernels.")] = 1e-4,
    loss: Annotated[str, typer.Option(help="bce-dice, dice, bce, focal-tversky, border or boundary.")] = "bce-dice",
    augment: Annotated[
        str, typer.Option(help="rich, upright, shifted, strong, scanner, extreme, flips or none.")
    ] = "rich",
    augment_on: Annotated[str, typer.Option(help="Where crops are varied: host, or device (jax only).")] = "host",
    missing_share: Annotated[
        float, typer.Option(help="Chance that other channels are missing, where one stands in.")
    ] = 0.0,
    paste_share: Annotated[float, typer.Option(help="Chance that a crop receives the tumour of another.")] = 0.0,
    blank_share: Annotated[float, typer.Option(help="Chance that one channel of a crop is black.")] = 0.0,
    normalisation: Annotated[str, typer.Option(help="unit, or slice: stretch each channel of a slice.")] = "unit",
    teacher: Annotated[
        list[Path] | None, weights_option("--teacher", "Distil from the weights of a run; may be repeated")
    ] = None,
    start_from: Annotated[
        Path | None, weights_option("--from", "Start from the weights of a run, not from drawn ones")
    ] = None,
    distil_weight: Annotated[float, typer.Option(help="The teachers' share of the target, with --teacher.")] = 0.5,
    precision: Annotated[str, typer.Option(help="What layers compute in: float32, or bfloat16.")] = "float32",
    batch_size: Annotated[int, typer.Option(help="Crops in a batch.")] = 16,
    crop_px: Annotated[int, typer.Option(help="Side of the square crop.")] = 192,
    empty_share: Annotated[float, typer.Option(help="Share of a batch without tumour.")] = 0.3125,
    ema: Annotated[float, typer.Option(help="Decay of the averaged weights; 0 switches it off.")] = 0.998,
    steps_per_epoch: Annotated[int | None, typer.Option(help="Batches in an epoch.")] = None,
    validate_every: Annotated[int, typer.Option(help="Epochs between two validations.")] = 5,
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where decoded slices are kept.")] = None,
    layout: Layout = None,
    labels: Labels = None,
    plane: Plane = None,
    as_json: Annotated[bool, json_option("Print JSON instead of the summary.")] = False,
) -> None:
    """Train a network on a data set, validated per patient on one fold of a split by patient.

    Each epoch leaves a checkpoint; after Ctrl-C, or any other end, the same command with --resume goes on to the
    weights that an undisturbed run would have had. With --folds every fold is trained, and OUT/out-of-fold.json holds
    every patient's score by the model that never saw them.
    """
    from edgeseg.cli._folds import TrainOptions, cross_validate
    from edgeseg.specs import TrainSpec

    _check(backend, validate_every=validate_every, fold=fold, folds=folds, ray=ray, ray_cpus=ray_cpus)
    spec = TrainSpec(
        variant=_variant(variant, start_from, folds, alpha, (stem, profile, levels, convolutions)),
        epochs=epochs,
        seed=seed,
        batch_size=batch_size,
        crop_px=crop_px,
        learning_rate=learning_rate,
        schedule=schedule,
        loss=loss,
        augment=augment,
        augment_on=augment_on,
        empty_share=empty_share,
        ema=ema,
        steps_per_epoch=steps_per_epoch,
        weight_decay=weight_decay,
        missing_share=missing_share,
        paste_share=paste_share,
        blank_share=blank_share,
        normalisation=normalisation,
        precision=precision,
    )
    options = TrainOptions(
        out=out or Path("runs") / (name or spec.variant.slug),
        name=_name(name, folds),
        backend=backend,
        resume=resume,
        validate_every=validate_every,
        devices=devices,
        teachers=tuple(teacher or ()),
        distil_weight=distil_weight,
        initial=start_from,
    )
    slices, dealt = _open(data, cache, split, folds, seed, layout=layout, labels=labels, plane=plane)
    if folds is None:
        return _one_fold(slices, spec, dealt, options, fold=fold or 0, as_json=as_json)
    return cross_validate(slices, spec, dealt, options, ray=ray, ray_cpus=ray_cpus, as_json=as_json)


def _variant(
    name: str | None, start_from: Path | None, folds: int | None, alpha: float | None, shape: tuple[str | None, ...]
) -> VariantSpec:
    """Say which network is meant; what is started from may be a folder of folds where folds are trained.

    `shape` is stem, profile, levels and convolutions.
    """
    from edgeseg.cli._variant import variant_of
    from edgeseg.stages.train import of_fold

    weights = start_from if folds is None or start_from is None else of_fold(start_from)
    stem, profile, levels, convolutions = shape
    return variant_of(name, weights, alpha=alpha, stem=stem, profile=profile, levels=levels, convolutions=convolutions)


def _name(name: str | None, folds: int | None) -> str:
    """Refuse a name that no network can have, or that one has already."""
    from edgeseg import networks
    from edgeseg.errors import OptionError

    if name is None:
        return ""
    if folds is not None:
        raise OptionError(
            f"--name '{name}' names one network, and --folds {folds} trains several; leave one of them out"
        )
    if (taken := networks.named(networks.check_name(name))) is not None:
        raise OptionError(
            f"name is '{name}', which is taken by the network in {taken.folder}; choose another, such as my-{name}"
        )
    return name


def _check(
    backend: str, *, validate_every: int, fold: int | None, folds: int | None, ray: bool, ray_cpus: int | None
) -> None:
    from edgeseg.backend import check_backend
    from edgeseg.errors import OptionError

    check_backend(backend)
    if validate_every < 1:
        raise OptionError(f"validate-every is {validate_every}; it must be at least 1")
    if fold is not None and folds is not None:
        raise OptionError(f"--fold {fold} trains one fold and --folds {folds} all of them; give one of the two")
    if ray and folds is None:
        raise OptionError("--ray hands out folds, and none were asked for; add --folds K")
    if ray_cpus is not None and not ray:
        raise OptionError(f"--ray-cpus {ray_cpus} was given without --ray; add --ray")


def _one_fold(
    slices: SliceCache, spec: TrainSpec, split: Split, options: TrainOptions, *, fold: int, as_json: bool
) -> None:
    from edgeseg.artifacts import sha256_file
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.cli._training import resumable, training_bar
    from edgeseg.jsonio import to_json
    from edgeseg.stages.train import train as run

    teachers = tuple(map(read_checkpoint, options.teachers))
    if teachers:
        hashes = tuple(sha256_file(teacher.path) for teacher in teachers)
        spec = replace(spec, teachers=hashes, distil_weight=options.distil_weight)
    initial = None if options.initial is None else read_checkpoint(options.initial)
    if initial is not None:
        spec = replace(spec, initial=sha256_file(initial.path))
    with resumable(options.out), training_bar() as progress:
        result = run(
            slices,
            spec,
            out=options.out,
            train_patients=split.training(fold),
            validation_patients=split.validation(fold),
            backend=options.backend,
            resume=options.resume,
            validate_every=options.validate_every,
            progress=progress,
            teachers=teachers,
            initial=initial,
            devices=options.devices,
            name=options.name,
        )
    if as_json:
        typer.echo(to_json(result))
    else:
        _summary(result)


def _summary(result: TrainResult) -> None:
    from edgeseg.cli._progress import line

    last = result.history[-1]
    speed = "" if result.images_per_second is None else f" at {result.images_per_second:g} images/s"
    typer.echo(f"{result.network or result.variant}: {last.step} steps{speed} on {result.backend}")
    typer.echo(
        f"validation Dice per patient, {result.validation_patients} patients: "
        f"mean {last.dice_mean:.3f}, median {last.dice_median:.3f}"
    )
    typer.echo(f"weights: {result.weights}")
    for remark in result.remarks:
        line(remark)


def _open(
    data: Path,
    cache: Path | None,
    split: Path | None,
    folds: int | None,
    seed: int,
    *,
    layout: str | None,
    labels: str | None,
    plane: str | None,
) -> tuple[SliceCache, Split]:
    """Decode the slices and say which patients stand in which fold."""
    from edgeseg.data.split import check_split, make_folds, read_split
    from edgeseg.errors import OptionError
    from edgeseg.specs import AXIAL

    dataset, slices = decoded(data, cache, layout=layout, labels=labels, plane=plane, doing="decoding slices")
    counted_on = dataset if slices.index.resampled or slices.index.plane != AXIAL else slices
    if split is None:
        return slices, make_folds(counted_on, folds=min(5, len(slices.patients)) if folds is None else folds, seed=seed)
    dealt = read_split(split)
    if folds is not None and folds != len(dealt.folds):
        raise OptionError(f"--folds is {folds} and {split} has {len(dealt.folds)}; give that number")
    check_split(dealt, counted_on)
    return slices, dealt
