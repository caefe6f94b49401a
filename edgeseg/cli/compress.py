"""`edgeseg compress`: make a trained network smaller."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeseg.cli._data import Labels, Layout, Plane, decoded
from edgeseg.cli._options import json_option, out_option
from edgeseg.cli._weights import weights_argument

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.data.cache import SliceCache
    from edgeseg.results import CompressResult, CompressStep, FoldsCompressResult, NetworkSize
    from edgeseg.specs import Chain


def compress(
    weights: Annotated[
        Path, weights_argument("A run of 'edgeseg train' or 'import', the folder of --folds, or a weights file")
    ],
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data that the weights were trained on.")],
    out: Annotated[Path, out_option("The new run's folder.", metavar="DIR")],
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A chain of recipes in TOML; see docs/how-to/compress.md.")
    ] = None,
    prune: Annotated[float | None, typer.Option(help="Zero this share of the weights.")] = None,
    channel_prune: Annotated[float | None, typer.Option(help="Keep this share of the arithmetic.")] = None,
    cluster: Annotated[int | None, typer.Option(help="Let each convolution have this many values.")] = None,
    distil: Annotated[float | None, typer.Option(help="Teach a student of this alpha.")] = None,
    qat: Annotated[bool, typer.Option("--qat", help="Train under int8 rounding.")] = False,
    equalize: Annotated[bool, typer.Option("--equalize", help="Scale channels to one range for int8.")] = False,
    half: Annotated[bool, typer.Option("--half", help="Keep weights in 16 bits; nothing is trained.")] = False,
    epochs: Annotated[int | None, typer.Option(help="Passes over the slices with tumour.")] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Another option of the recipe; may be repeated."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the compression in --out.")] = False,
    validate_every: Annotated[int, typer.Option(help="Epochs between two validations.")] = 5,
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where decoded slices are kept.")] = None,
    layout: Layout = None,
    labels: Labels = None,
    plane: Plane = None,
    as_json: Annotated[bool, json_option("Print JSON instead of the table.")] = False,
) -> None:
    """Apply compression recipes to trained weights: one by an option, or a chain from a file.

    The weights' training and validation patients are kept. Leaves a run that build, evaluate, choose and ship take, or
    a folder with one for each fold, which build takes; after Ctrl-C the same command with --resume goes on.
    """
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json

    if validate_every < 1:
        raise OptionError(f"validate-every is {validate_every}; it must be at least 1")
    given: dict[str, Any] = {"prune": prune, "channel-prune": channel_prune, "cluster": cluster, "distil": distil}
    given = {name: value for name, value in given.items() if value is not None}
    given |= {name: True for name, asked in (("qat", qat), ("equalize", equalize), ("half", half)) if asked}
    chain = _chain(recipe, given, epochs, options or [])
    slices = functools.partial(decoded, data, cache, layout=layout, labels=labels, plane=plane, doing="decoding slices")
    result = _run(weights, chain, lambda: slices()[1], out=out, resume=resume, validate_every=validate_every)
    if as_json:
        typer.echo(to_json(result))
    else:
        _print(result, out, labels)


def _run(
    weights: Path, chain: Chain, slices: Callable[[], SliceCache], *, out: Path, resume: bool, validate_every: int
) -> CompressResult | FoldsCompressResult:
    """Compress one run, or the run of each fold."""
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.cli._training import training_bar
    from edgeseg.specs import FineTune
    from edgeseg.stages.compress import compress as one
    from edgeseg.stages.compress import compress_folds
    from edgeseg.stages.folds import find_runs
    from edgeseg.stages.train import fold_folders

    folds = find_runs(weights) if fold_folders(weights) else ()
    parent = None if folds else read_checkpoint(weights)
    opened = slices()
    words = () if any(isinstance(step, FineTune) for step in chain.steps) else ("measuring the network",)
    how: dict[str, Any] = {"out": out, "resume": resume, "validate_every": validate_every, "on_step": _step_line}
    try:
        with training_bar(*words) as progress:
            if parent is None:
                return compress_folds(folds, chain, opened, on_fold=_fold_line, progress=progress, **how)
            return one(parent, chain, opened, progress=progress, **how)
    except KeyboardInterrupt:
        typer.echo(f"stopped; what is done so far is in {out}, go on with --resume", err=True)
        raise


def _chain(recipe: Path | None, given: dict[str, Any], epochs: int | None, options: list[str]) -> Chain:
    """Return the chain that the options ask for."""
    from edgeseg.errors import OptionError
    from edgeseg.recipes.chain_file import make_step, read_chain
    from edgeseg.specs import MAIN_OPTIONS, Chain
    from edgeseg.targets import resolve

    if recipe is not None:
        if given or options or epochs is not None:
            raise OptionError("--recipe names a whole chain, so no other option of a recipe goes with it; put it there")
        chain = read_chain(recipe)
        if chain.targets:
            resolve(chain.targets)
        return chain
    if len(given) != 1:
        said = ", ".join(f"--{name}" for name in given) or "none"
        raise OptionError(
            f"one recipe is applied by an option, and {said} was given; choose one of: "
            f"{', '.join(f'--{name}' for name in MAIN_OPTIONS)}; or give a chain as a file with --recipe"
        )
    ((name, value),) = given.items()
    main = MAIN_OPTIONS[name]
    named = {} if main is None else {main: value}
    if epochs is not None:
        named["epochs"] = epochs
    return Chain(steps=(make_step(name, named | _settings(name, options), f"--{name}"),))


def _settings(recipe: str, options: list[str]) -> dict[str, Any]:
    """Read KEY=VALUE as the recipe's options have them."""
    from edgeseg.errors import OptionError
    from edgeseg.specs import RECIPE_SPECS

    hints = {field.name: str(field.type) for field in dataclasses.fields(RECIPE_SPECS[recipe])}
    found: dict[str, Any] = {}
    for option in options:
        key, equals, text = option.partition("=")
        name = key.strip().replace("-", "_")
        if not equals:
            raise OptionError(f"--set takes KEY=VALUE, and '{option}' was given")
        kind = hints.get(name, "str")
        try:
            if kind.startswith("tuple"):
                found[name] = [part.strip() for part in text.split(",") if part.strip()]
            else:
                found[name] = int(text) if kind.startswith("int") else float(text) if kind.startswith("float") else text
        except ValueError as error:
            raise OptionError(f"--set {option}: '{text}' is no {kind.partition(' ')[0]}") from error
    return found


def _step_line(step: CompressStep, reused: bool) -> None:
    time = "unchanged" if reused else f"{step.seconds:.1f} s"
    typer.echo(f"{step.recipe:<22}{time:>12}", err=True)


def _fold_line(place: Path) -> None:
    typer.echo(place.name, err=True)


def _print(result: CompressResult | FoldsCompressResult, out: Path, labels: str | None) -> None:
    from edgeseg.cli._print import show
    from edgeseg.reports.compression import lost, sizes_table
    from edgeseg.results import CompressResult

    if isinstance(result, CompressResult):
        show(sizes_table("step", (("given", result.given), *((step.recipe, step.size) for step in result.steps))))
        typer.echo(f"\n{result.given.variant} -> {result.steps[-1].size.variant}")
        typer.echo(f"weights: {result.weights}")
        for note in dict.fromkeys(note for step in result.steps for note in step.notes):
            typer.echo(note)
        if (fell := lost(result.given.dice_mean, result.steps[-1].size.dice_mean)) is not None:
            typer.echo(fell, err=True)
        _next(result.targets, out, labels)
        return
    sizes = [(f"{fold.fold}, {name}", size) for fold in result.folds for name, size in _ends(fold.result)]
    show(sizes_table("fold", sizes))
    typer.echo(
        f"\nDice mean over {result.patients} patients, out of fold: {result.dice_mean_before:.3f} -> "
        f"{result.dice_mean_after:.3f}"
    )
    for one in result.classes:
        typer.echo(f"  {one.name}: {one.dice_mean_before:.3f} -> {one.dice_mean_after:.3f}")
    if (fell := lost(result.dice_mean_before, result.dice_mean_after)) is not None:
        typer.echo(fell, err=True)
    _next(result.folds[0].result.targets, out, labels)


def _ends(result: CompressResult) -> tuple[tuple[str, NetworkSize], ...]:
    return (("given", result.given), ("left", result.steps[-1].size))


def _next(targets: tuple[str, ...], out: Path, labels: str | None) -> None:
    words = "" if labels is None else f" --labels {labels}"
    typer.echo(f"next: edgeseg build --from {out} --target {','.join(targets) or 'tflite-int8'} --data DIR{words}")
