"""What a build found, summed up for readers: the rows, the ratios and the remarks that every rendering shares."""

from __future__ import annotations

from collections.abc import Iterator

from edgeseg.metrics.clinical import clinical_change
from edgeseg.reports.caution import cautions
from edgeseg.reports.verdict import verdict
from edgeseg.reports.words import describe_change
from edgeseg.results import (
    ArtifactRow,
    BaselineResult,
    BuildResult,
    EvalResult,
    LatencyResult,
    NetworkClassScore,
    Report,
    ReportRow,
)

_NAMED_LAYERS = 4


def summarise(build: BuildResult) -> Report:
    """Sum a build up."""
    main = build.main
    return Report(
        command=build.command,
        data=build.data,
        weights=build.weights,
        rests_on_phantoms=build.rests_on_phantoms,
        baseline=build.baseline,
        rows=tuple(_row(a, build.baseline) for a in build.artifacts),
        main_artifact=None if main is None else main.artifact,
        verdict=verdict(build),
        cautions=cautions(build),
        conditions=conditions(build),
        remarks=remarks(build),
        environment=build.environment,
        budgets=build.budgets,
        r2=build.r2,
    )


def remarks(build: BuildResult) -> tuple[str, ...]:
    """Return the sentences that must stand under the table, those that weaken the figures first."""
    found = [*cautions(build)]
    evaluations = [a.evaluation for a in build.artifacts if a.evaluation is not None]
    if build.calibration is not None:
        found.append(f"int8 ranges: {build.calibration}.")
    found.extend(_dice_remark(evaluations))
    found.extend(_patient_remark(build))
    if build.operating_point is not None:
        found.append(build.operating_point)
    found.extend(_baseline_remarks(build.baseline))
    if build.r2 is not None:
        whole, bare = f"{build.r2.size_bytes / 1e6:.1f} MB", f"{build.r2.weights_size_bytes / 1e6:.1f} MB"
        found.append(
            f"{build.r2.variant}, the largest network of the study: {whole} with Adam's state, {bare} without; it is "
            "untrained here, which decides nothing about size and time."
        )
    found.extend(_float_remarks(build))
    found.extend(_latency_remarks(build))
    return (*found, _machine_remark(build))


def conditions(build: BuildResult) -> tuple[str, ...]:
    """Return of these the sentences without which Dice and latency mean nothing: on whom, on what, and how."""
    evaluations = [a.evaluation for a in build.artifacts if a.evaluation is not None]
    return (*_dice_remark(evaluations), *_latency_remarks(build), _machine_remark(build))


def _machine_remark(build: BuildResult) -> str:
    here = build.environment
    machine = f"{here.cpu}, {here.cores} cores, {here.os}, Python {here.python}"
    return f"Measured on {machine}; int8 kernels: {here.int8_kernels}."


def _float_remarks(build: BuildResult) -> Iterator[str]:
    """Name the layers of int8 files that stay in float: nothing computes them in integers, or somebody chose so."""
    for row in build.artifacts:
        if row.float_layers:
            shown = ", ".join(row.float_layers[:_NAMED_LAYERS])
            more = f" and {len(row.float_layers) - _NAMED_LAYERS} more" if len(row.float_layers) > _NAMED_LAYERS else ""
            yield f"{row.target}: {len(row.float_layers)} layers are computed in float ({shown}{more})."


def _row(row: ArtifactRow, base: BaselineResult | None) -> ReportRow:
    evaluation = row.evaluation
    return ReportRow(
        artifact=row.artifact,
        variant=row.variant,
        tier=row.tier,
        target=row.target,
        size_bytes=row.size_bytes,
        gzip_size_bytes=row.gzip_size_bytes,
        times_smaller_than_file=_times(base.size_bytes, row) if base else None,
        times_smaller_than_weights=_times(base.weights_size_bytes, row) if base else None,
        parameters=row.parameters,
        macs=row.macs,
        dice=None if evaluation is None else evaluation.dice,
        dice_median=None if evaluation is None else evaluation.dice_median,
        dice_delta_to_float=row.dice_delta_to_float,
        evaluated_patients=None if evaluation is None else len(evaluation.patients),
        seen_patients=None if evaluation is None else evaluation.seen_patients,
        seen_unknown=None if evaluation is None else evaluation.seen_unknown,
        numerics=None if evaluation is None else evaluation.numerics,
        parity=row.parity,
        latency=row.latency,
        status=row.status,
        network=row.network,
        classes=()
        if evaluation is None
        else tuple(NetworkClassScore(name=one.name, dice=one.dice) for one in evaluation.classes),
    )


def _times(size_bytes: int, row: ArtifactRow) -> float | None:
    return size_bytes / row.size_bytes if row.size_bytes > 0 else None


def _dice_remark(evaluations: list[EvalResult]) -> list[str]:
    if not evaluations:
        return ["Dice was not measured: no patients were evaluated."]
    groups = sorted({(e.data, len(e.patients), _operating_point(e)) for e in evaluations})
    on = "; ".join(f"n = {count} patients of {data}, {point}" for data, count, point in groups)
    numerics = "; ".join(sorted({e.numerics for e in evaluations}))
    several = "".join(f", mean over {', '.join(names)}" for names in _class_names(evaluations))
    return [
        f"Dice: per patient over the whole volume{several}, mean [95 % bootstrap interval]; {on}; numerics: {numerics}."
    ]


def _class_names(evaluations: list[EvalResult]) -> list[tuple[str, ...]]:
    """Return the names of the classes that the Dice of several is the mean of, each set of them once."""
    return sorted({tuple(one.name for one in e.classes) for e in evaluations if e.classes})


def _patient_remark(build: BuildResult) -> list[str]:
    """Say of the main artifact what its mean difference to float hides."""
    main = build.main
    if main is None or main.evaluation is None or main.dice_delta_to_float is None:
        return []
    reference = build.reference(main.label)
    scores = None if reference is None else reference.evaluation
    change = None if scores is None else clinical_change(scores, main.evaluation)
    return (
        []
        if change is None
        else [f"{main.label} {main.target} against float, patient by patient: {describe_change(change)}."]
    )


def _operating_point(evaluation: EvalResult) -> str:
    dropped = evaluation.post_processing.describe(volume=True)
    return f"threshold {evaluation.threshold:g}{'' if dropped == 'none' else f', {dropped}'}"


def _baseline_remarks(base: BaselineResult | None) -> list[str]:
    if base is None:
        return ["The baseline file was not measured, so there are no ratios."]
    if base.given:
        return [
            f"Baseline: {base.variant}, {base.size_bytes:,} bytes as it was given; its parameters in float alone are "
            f"{base.weights_size_bytes:,}. x smaller is against each."
        ]
    whole, bare = f"{base.size_bytes / 1e6:.1f} MB", f"{base.weights_size_bytes / 1e6:.1f} MB"
    text = f"{base.variant} with Adam's state as .hdf5, {whole} measured; its weights alone {bare}"
    return [f"Baseline: {text}. x smaller is against each."]


def _latency_remarks(build: BuildResult) -> list[str]:
    groups: dict[str, list[str]] = {}
    for row in build.artifacts:
        if row.latency is not None:
            groups.setdefault(_conditions(row.latency), []).append(row.target)
    if build.baseline is not None and build.baseline.latency is not None:
        groups.setdefault(_conditions(build.baseline.latency), []).append("baseline")
    if build.r2 is not None and build.r2.latency is not None:
        groups.setdefault(_conditions(build.r2.latency), []).append(build.r2.variant)
    if not groups:
        return ["Latency was not measured."]
    parts = (f"{', '.join(dict.fromkeys(names))}: {how}" for how, names in groups.items())
    return [f"Latency: one slice; {'; '.join(parts)}.{_kept(build)}"]


def _kept(build: BuildResult) -> str:
    """Say that the times of the study's networks are not of this build; nothing of a file that was given."""
    base = build.baseline
    if base is None or base.given or base.latency is None:
        return ""
    whose = "the baseline" if build.r2 is None else f"the baseline and of {build.r2.variant}"
    return f" The time of {whose} is kept from the first build on this machine; --rebuild measures it anew."


def _conditions(latency: LatencyResult) -> str:
    threads = "1 thread" if latency.threads == 1 else f"{latency.threads} threads"
    return f"{latency.runtime}, {threads}, n = {latency.runs}"
