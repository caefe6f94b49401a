"""The main job: data, model, compress, convert, verify, evaluate, benchmark, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.artifacts import BUILD_FILE
from edgeseg.jsonio import to_json
from edgeseg.place import claimed
from edgeseg.progress import Progress
from edgeseg.reports.summary import summarise
from edgeseg.results import BaselineResult, BuildResult, Report
from edgeseg.specs import BuildSpec
from edgeseg.stages.build.cells import OnFailure
from edgeseg.stages.build.folder import write_report
from edgeseg.stages.build.inputs import open_inputs, targets_of, with_name
from edgeseg.stages.build.matrix import merged
from edgeseg.stages.build.original import measure_original
from edgeseg.stages.build.variant import VariantBuild
from edgeseg.stages.environment import environment
from edgeseg.stages.ledger import Ledger, OnStage
from edgeseg.targets import resolve
from edgeseg.variants import VARIANTS


def build(
    spec: BuildSpec,
    *,
    on_stage: OnStage | None = None,
    progress: Progress | None = None,
    on_failure: OnFailure | None = None,
) -> BuildResult:
    """Build the artifacts of one variant and everything that is said about them; see `build_matrix`."""
    return build_matrix((spec,), on_stage=on_stage, progress=progress, on_failure=on_failure)


def build_matrix(
    specs: Sequence[BuildSpec],
    *,
    on_stage: OnStage | None = None,
    progress: Progress | None = None,
    on_failure: OnFailure | None = None,
) -> BuildResult:
    """Build every target of every variant, and everything that is said about them.

    Leaves `<out>/<network>/<target>.*`, `build.json`, `report.md` and `report.json`. A stage whose inputs and outputs
    are unchanged since an earlier build in the same folder is not run again unless `rebuild`. An artifact that fails
    drops out: its row says where and why, and the others go on.

    Args:
        specs: what is asked for; they differ in variant and checkpoint alone.
        on_stage: called when a stage is done.
        progress: called as the patients or steps of a stage are done, with the stage's name.
        on_failure: called with the step that failed and the reason.

    Raises:
        EdgeSegError: for bad input, before anything is written where that can be known.
        OutputError: when another run writes into the folder.
    """
    specs = [with_name(spec) for spec in specs]
    first = specs[0]
    with claimed(first.out, sweep_also=[first.out / spec.label for spec in specs]):
        return _build(specs, on_stage, progress, on_failure)


def _build(
    specs: Sequence[BuildSpec],
    on_stage: OnStage | None,
    progress: Progress | None,
    on_failure: OnFailure | None,
) -> BuildResult:
    first, started = specs[0], time.perf_counter()
    resolve(first.targets)  # refuses unknown names before anything is written
    opened = [open_inputs(spec) for spec in specs]
    ledger = Ledger(artifacts.make_dir(first.out), rebuild=first.rebuild, on_stage=on_stage)
    here = environment()
    parts = []
    for spec, inputs in zip(specs, opened, strict=True):
        prefix = f"{spec.label} " if len(specs) > 1 else ""
        targets = targets_of(spec, inputs)
        one = VariantBuild(spec, targets, inputs, ledger, here, prefix=prefix, progress=progress, on_failure=on_failure)
        parts.append(one.run(started))
        started = time.perf_counter()

    say = None if progress is None else lambda text: progress(0, None, text)

    def measure() -> BaselineResult:
        return measure_original(threads=first.threads, force=first.rebuild, say=say)

    def measure_r2() -> BaselineResult:
        return measure_original(variant=VARIANTS["r2unet"].default, threads=first.threads, force=first.rebuild, say=say)

    result = merged(parts)
    start = result.baseline or ledger.run("baseline", BaselineResult, measure, inputs=(here, first.threads))
    shown = first.r2 is True or (first.r2 is None and not start.given)
    r2 = ledger.run("baseline r2unet", BaselineResult, measure_r2, inputs=(here, first.threads)) if shown else None
    return _report(replace(result, baseline=start, r2=r2), first.out, ledger)


def _report(result: BuildResult, out: Path, ledger: Ledger) -> BuildResult:
    """Write the reports and then the manifest, so that a `build.json` always belongs to a finished build."""

    def make() -> Report:
        write_report(result, out)
        return summarise(result)

    written = (out / "report.md", out / "report.json")
    ledger.run("report", Report, make, inputs=(result,), outputs=written)
    finished = replace(result, stages=tuple(ledger.records))
    artifacts.write_text(out / BUILD_FILE, to_json(finished) + "\n")
    return finished
