"""`edgeseg build`: the main job."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._beside import tell_beside
from edgeseg.cli._complete import targets, variants
from edgeseg.cli._data import Labels, Layout
from edgeseg.cli._model import artifact
from edgeseg.cli._options import contract_option, json_option, out_option, verbose_option
from edgeseg.cli._targets import named_targets
from edgeseg.cli._weights import weights_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.results import BuildResult, StageRecord
    from edgeseg.specs import BuildSpec, VariantSpec


ALL = "all"


def build(
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="Needed: a target, several (repeat it, or with commas), all, or a part of names, such as int8; see "
            "'edgeseg targets'.",
            autocompletion=targets,
            show_default=False,
        ),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            "--variant",
            "--network",
            help="A network by name, such as small ('edgeseg networks'), a family or a tier, or all that have weights; "
            "that of --from, or light, if not given.",
            autocompletion=variants,
        ),
    ] = None,
    alpha: Annotated[float | None, typer.Option(help="Multiplies every width, in (0, 1].")] = None,
    stem: Annotated[str | None, typer.Option(help="full, half or quarter resolution inside.")] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Real slices to calibrate and score on; phantoms if not given.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        weights_option(
            "--from",
            "A run of 'edgeseg train' or 'import', the folder of --folds, several for all, or your own network's file "
            "(.keras, .h5, .hdf5, .onnx, SavedModel); what ships if not given",
            metavar="CKPT",
        ),
    ] = None,
    choice: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What 'edgeseg choose' chose; choice.json in the run, or what ships, if not given."
        ),
    ] = None,
    out: Annotated[Path, out_option("Where artifacts and reports go.", metavar="DIR")] = Path("build"),
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Run every stage, whatever an earlier build left.")
    ] = False,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Also score patients that training saw; the tables are marked.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of calibration, phantoms and bootstrap.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads of every runtime.")] = 2,
    calibration_slices: Annotated[
        int | None, typer.Option(help="Slices of training patients in --data for int8 ranges; 128 if not given.")
    ] = None,
    calibration_method: Annotated[
        str | None,
        typer.Option(help="How int8 ranges follow from the slices: min-max (if not given), percentile, entropy, mse."),
    ] = None,
    max_drop: Annotated[
        float | None,
        typer.Option(help="Search the cheapest int8 file that loses no more mean Dice (95 % bound), such as 0.005."),
    ] = None,
    phantom_patients: Annotated[int, typer.Option(help="Phantoms to score on, where no data is given.")] = 8,
    profile: Annotated[str, typer.Option(help="arm, or x86: int8 that is exact and fast on every x86.")] = "arm",
    bench_runs: Annotated[int, typer.Option(help="Counted runs of each artifact.")] = 100,
    bench_budget_s: Annotated[float, typer.Option(help="Most seconds of counted runs for each artifact.")] = 10.0,
    r2: Annotated[
        bool | None,
        typer.Option(help="Also measure the study's R2U-Net, once per host; not if not given for your own network."),
    ] = None,
    contract: Annotated[
        Path | None,
        contract_option("A contract, TOML or JSON, with what your own network's file does not say."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="N", help="Its image, 256 or 256x320, where the file leaves that open.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its output that is the mask, where there are several.")
    ] = None,
    calibration_data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Slices to calibrate on, of patients who are not in --data.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What to compare with: a file, or a name; --from, or the study's, if none."),
    ] = None,
    baseline_contract: Annotated[
        Path | None, contract_option("The contract of --baseline, where it carries none.", of="baseline")
    ] = None,
    author: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Who made the network, for the metadata of ONNX files; edgeseg for one that ships."
        ),
    ] = None,
    codes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="DICOM codes and colours of classes, TOML; by their names if not given."),
    ] = None,
    public_ids: Annotated[
        bool, typer.Option("--public-ids", help="The data's ids are public: artifacts hold digests that need no key.")
    ] = False,
    layout: Layout = None,
    labels: Labels = None,
    verbose: Annotated[bool, verbose_option()] = False,
    as_json: Annotated[bool, json_option("Print build.json instead of the table.")] = False,
) -> None:
    """Convert, verify, evaluate and benchmark a network, and report it against the file it came from.

    Leaves the artifacts, build.json, report.md and report.json in --out. A stage that is unchanged since the last build
    there is not run again. Without training patients in --data, int8 takes the activation ranges that ship with the
    weights, or else the shipped phantoms. With --variant all, each variant is built that has weights: those of the runs
    given with --from, or else those that ship. Runs of 'edgeseg train --folds' are built fold by fold, in --out/fold0
    and so on, and the report in --out scores every patient by the fold that never saw them. An artifact that fails
    leaves its reason in the table and the others go on. Exit code 1 when one failed, or failed its parity check, or
    --max-drop is not confirmed. A network of your own is imported on the way into --out/imported, as 'edgeseg import'
    does; a few patients of --data, drawn by --seed, are then calibrated on and not scored. What edgeseg trained is
    compared with the study's 350 MB file. 'edgeseg evaluate --by' scores subgroups with one of its files.
    """
    from edgeseg.cli._variant import network_named
    from edgeseg.specs import BuildSpec
    from edgeseg.stages.build import every_variant

    wanted, everything = named_targets(target), variant == ALL
    runs = _checked_runs(checkpoint, everything=everything, narrowed=(alpha, stem), budget=max_drop)
    runs = _imported(runs, out, contract=contract, size=size, output=output, threads=threads)
    spec = BuildSpec(
        variant=_variant(variant, runs, alpha=alpha, stem=stem),
        network="" if runs else network_named(variant),
        targets=wanted,
        out=out,
        data=data,
        checkpoint=None if everything or not runs else runs[0],
        choice=choice,
        seed=seed,
        threads=threads,
        calibration_slices=calibration_slices,
        calibration_method=calibration_method,
        max_drop=max_drop,
        phantom_patients=phantom_patients,
        bench_runs=bench_runs,
        bench_budget_s=bench_budget_s,
        allow_seen=allow_seen,
        rebuild=rebuild,
        profile=profile,
        r2=r2,
        author=author or "",
        codes=codes,
        public_ids=public_ids,
        calibration_data=calibration_data,
        layout=layout,
        labels=labels,
        baseline=None if baseline is None else artifact(baseline),
        baseline_contract=baseline_contract,
        command=shlex.join(["edgeseg", *sys.argv[1:]]),
    )
    result = _run(every_variant(spec, runs) if everything else (spec,))
    tell_beside(runs, choice=choice)
    _finish(result, out, as_json=as_json, verbose=verbose)


def _variant(name: str | None, runs: list[Path], *, alpha: float | None, stem: str | None) -> VariantSpec:
    """Return the variant that a name, the first run and narrowing options stand for; the default where all are."""
    from edgeseg.cli._variant import DEFAULT, variant_of
    from edgeseg.stages.train import of_fold

    everything = name == ALL
    weights = of_fold(runs[0]) if runs and not everything else None
    return variant_of(DEFAULT if everything else name, weights, alpha=alpha, stem=stem)


def _imported(
    runs: list[Path], out: Path, *, contract: Path | None, size: str | None, output: str | None, threads: int
) -> list[Path]:
    """Make runs of the networks among `runs` that somebody else trained."""
    from edgeseg.cli._progress import line
    from edgeseg.cli._size import pixels
    from edgeseg.errors import OptionError
    from edgeseg.foreign import is_foreign
    from edgeseg.stages.adopt import adopted

    foreign = [path for path in runs if is_foreign(path)]
    options = {"--contract": contract, "--size": size, "--output": output}
    if not foreign and (said := [name for name, value in options.items() if value is not None]):
        gives = f"there is none at {runs[0]}" if runs and not runs[0].exists() else "--from gives none"
        raise OptionError(f"{said[0]} says something of a network's file, and {gives}; leave it out, or give the file")
    found = []
    for path in runs:
        if path in foreign:
            line(f"importing {path.name}")
            path = adopted(path, out / "imported", contract=contract, size=pixels(size), output=output, threads=threads)
        found.append(path)
    return found


def _finish(result: BuildResult, out: Path, *, as_json: bool, verbose: bool) -> None:
    """Print a build, and refuse artifacts that failed their parity check, and a budget that was not confirmed."""
    from edgeseg.errors import CheckFailedError
    from edgeseg.stages.build import failures

    _print(result, out, as_json=as_json, verbose=verbose)
    if failed := failures(result):
        raise CheckFailedError(f"{len(failed)} of {len(result.artifacts)} artifacts failed: " + "; ".join(failed))
    if missed := [found.describe() for found in result.budgets if not found.confirmed]:
        raise CheckFailedError("; ".join(missed))


def _run(specs: Sequence[BuildSpec]) -> BuildResult:
    from edgeseg.cli._progress import line, named
    from edgeseg.cli._terminal import console
    from edgeseg.stages.build import build_folds, build_matrix, fold_specs

    def one(specs: Sequence[BuildSpec]) -> BuildResult:
        if folds:
            line(f"{specs[0].out.name}, of {len(folds)} folds")
        return build_matrix(
            specs,
            on_stage=_stage_line,
            progress=progress,
            on_failure=lambda step, reason: line(f"{step}: FAILED: {reason}"),
        )

    folds = fold_specs(specs)
    try:
        with named("building", console(stderr=True)) as progress:
            return build_folds(folds, one) if folds else one(specs)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on after the last stage above", err=True)
        raise


def _checked_runs(
    given: list[Path] | None, *, everything: bool, narrowed: tuple[float | None, str | None], budget: float | None
) -> list[Path]:
    from edgeseg.errors import OptionError

    runs = given or []
    if everything and narrowed != (None, None):
        raise OptionError("--variant all takes every variant as its weights have it; leave --alpha and --stem out")
    if everything and budget is not None:
        raise OptionError("--max-drop searches for one variant at a time; name it, or leave --max-drop out")
    if len(runs) > 1 and not everything:
        raise OptionError(f"--from is given {len(runs)} times and one variant is asked for; give one, or --variant all")
    return runs


def _print(result: BuildResult, out: Path, *, as_json: bool, verbose: bool) -> None:
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.reports.build import terminal
    from edgeseg.reports.summary import summarise

    if as_json:
        typer.echo(to_json(result))
        return
    show(terminal(summarise(result), verbose=verbose))
    more = "" if verbose else f"; all remarks: edgeseg report {shlex.quote(str(out))} --verbose"
    typer.echo(f"\nartifacts and reports: {out}{more}")


def _stage_line(record: StageRecord) -> None:
    time = "unchanged" if record.reused else f"{record.seconds:.1f} s"
    typer.echo(f"{record.stage:<22}{time:>12}", err=True)
