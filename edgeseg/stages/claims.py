"""The original study's claims beside what is measured here, written as `docs/claims.md`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from edgeseg import artifacts
from edgeseg.data.volume import KAGGLE_LGG, Dataset, Volume, volumes
from edgeseg.errors import DatasetError
from edgeseg.results import RESULT_SCHEMA_VERSION, ArtifactRow, BuildResult, EvalResult
from edgeseg.stages.baseline import NetworkTiming
from edgeseg.stages.report import main_artifact
from edgeseg.stages.wording import ABSENT, interval_text, latency_text, size_text, times_text

KAGGLE_LGG_PATIENTS = 110
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One sentence of the original study, and what is known to be wrong with the way it was found."""

    title: str
    claimed: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredClaim:
    """A claim beside what is measured: as a figure, and how it was found."""

    claim: Claim
    measured: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsResult:
    """The page that was written, and what stands on it."""

    page: str
    rests_on_phantoms: bool
    inputs: tuple[str, ...]
    claims: tuple[MeasuredClaim, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientCount:
    """The slices and pixels of one patient in a data set."""

    patient: str
    slices: int
    tumour_slices: int
    pixels: int
    tumour_pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A data set, counted."""

    name: str
    patients: tuple[PatientCount, ...]


STUDY = (
    "The original study trained four U-Nets (vanilla, with batch normalisation, 'Alphax' with every width multiplied "
    "by alpha, and recurrent-residual R2) on TCGA-LGG at 256 x 256 x 3."
)
ACCURACY = Claim(
    title="Accuracy",
    claimed="about 95 % accuracy",
    fault="Tumour is a small part of the pixels, so the answer 'no tumour anywhere' scores high too.",
)
F1 = Claim(
    title="F1 score",
    claimed="91 % F1 for the best model",
    fault="The study cut its slices 72/18/10 in order, not by patient, collapsed the three sequences to grey, and "
    "printed binary accuracy as IoU and IoU as Dice; so its F1 cannot be compared number by number.",
)
R2_SECONDS = Claim(
    title="Inference time of R2",
    claimed="about 22 s",
    fault="The study's R2 had six unshared 3 x 3 convolutions per block (95.99 M parameters); the one here is the "
    "published R2U-Net (arXiv 1802.06955), with shared recurrent convolutions.",
)
FILE_SIZE = Claim(
    title="File size",
    claimed="about 350 MB in .hdf5",
    fault="The file holds the optimizer's state, which a device never needs; the bare weights are the fairer start.",
)
IMAGES = Claim(
    title="Images",
    claimed="3939 images",
    fault="Slices of one head are not independent; the number of patients is what an interval can rest on.",
)


def count_cohort(dataset: Dataset, *, progress: Progress | None = None) -> Cohort:
    """Count slices and tumour pixels, patient by patient.

    Raises:
        DatasetError: for a patient without reference masks, or a data set without patients.
    """
    counts = []
    for done, volume in enumerate(volumes(dataset), start=1):
        counts.append(_count(volume))
        if progress is not None:
            progress(done, len(dataset.patients))
    if not counts:
        raise DatasetError(f"the data set '{dataset.name}' holds no patients; give a folder with at least one")
    return Cohort(name=dataset.name, patients=tuple(counts))


def background_accuracy(counts: Iterable[PatientCount]) -> float:
    """Return the pixel accuracy of the answer 'no tumour anywhere', as a mean over patients."""
    return fmean(1.0 - c.tumour_pixels / c.pixels for c in counts)


def write_claims(text: str, path: Path) -> Path:
    """Write the page in one step."""
    return artifacts.write_text(path, text)


def measured_claims(
    build: BuildResult, *, cohort: Cohort | None = None, r2: NetworkTiming | None = None
) -> tuple[MeasuredClaim, ...]:
    """Set the claims, which are fixed, beside figures that all come from what is passed in.

    Args:
        build: a build, as `build.json` holds it.
        cohort: the data set, counted; None leaves its figures out and says so.
        r2: the full-width R2U-Net, timed; None leaves it out and says so.
    """
    main = main_artifact(build)
    found = (
        (ACCURACY, _accuracy(main, cohort)),
        (F1, _f1(main, build.operating_point)),
        (R2_SECONDS, _r2(r2, main)),
        (FILE_SIZE, _file_size(build, main)),
        (IMAGES, _images(cohort)),
    )
    return tuple(MeasuredClaim(claim=claim, measured=short, how=how) for claim, (short, how) in found)


def claims_page(build: BuildResult, sections: Iterable[MeasuredClaim], *, inputs: Iterable[str]) -> str:
    """Write the page of what `measured_claims` found in `build`, with one line for each input."""
    sections = tuple(sections)
    lines = ["# What the original study claimed, and what is measured here", ""]
    lines += ["Generated by `edgeseg claims`; do not edit.", "", STUDY]
    if build.rests_on_phantoms:
        lines += ["", "**The accuracy figures on this page rest on phantoms and say nothing about real patients.**"]
    lines += ["", "| | claimed | measured |", "|---|---|---|"]
    lines += [f"| {s.claim.title} | {s.claim.claimed} | {s.measured} |" for s in sections]
    for s in sections:
        lines += ["", f"## {s.claim.title}", "", f"Claimed: {s.claim.claimed}. {s.claim.fault}", ""]
        lines.append(f"Measured: {s.how}")
    lines += [
        "",
        "## Inputs",
        "",
        *(f"- {line}" for line in (*inputs, *_build_inputs(build, main_artifact(build)))),
        "",
    ]
    return "\n".join(lines)


def _accuracy(main: ArtifactRow | None, cohort: Cohort | None) -> tuple[str, str]:
    evaluation = None if main is None else main.evaluation
    short, how = [], []
    if cohort is None:
        how.append("the all-background answer was not counted, since no data folder was given (--data).")
    else:
        counts, whom = _counted_patients(cohort, evaluation)
        share = background_accuracy(counts)
        short.append(f"all-background answer: {share:.2%}")
        how.append(f"the all-background answer scores {share:.2%} of pixels, as a mean over {whom}.")
    if main is not None and evaluation is not None:
        short.append(f"{main.artifact}: {evaluation.pixel_accuracy_mean:.2%}")
        how.append(
            f"{main.artifact} scores {evaluation.pixel_accuracy_mean:.2%} as a mean over {_patients(evaluation)}. "
            "Neither figure says whether tumours are found."
        )
    else:
        how.append("No artifact of this build was evaluated.")
    return "; ".join(short) or ABSENT, " ".join(how)


def _f1(main: ArtifactRow | None, caveat: str | None) -> tuple[str, str]:
    if main is None or main.evaluation is None:
        return ABSENT, "no artifact of this build was evaluated."
    found = main.evaluation
    dice = interval_text(found.dice)
    marks = " (patients that training or calibration saw are among them)" if found.seen_patients else ""
    how = (
        f"per-patient volumetric Dice (the F1 score of a patient's pixels) of {main.artifact}: mean {dice}, with its "
        f"95 % bootstrap interval, median {found.dice_median:.3f}, over {_patients(found)}{marks}; precision "
        f"{found.precision_mean:.3f}, recall {found.recall_mean:.3f}, lesion recall "
        f"{ABSENT if found.lesion_recall is None else f'{found.lesion_recall:.3f}'}, numerics {found.numerics}."
    )
    return f"Dice {dice}", how if caveat is None else f"{how} {caveat}"


def _r2(r2: NetworkTiming | None, main: ArtifactRow | None) -> tuple[str, str]:
    short, how = [], []
    if r2 is None:
        how.append("R2U-Net was not timed in this run.")
    else:
        found = r2.latency
        counted = f"{r2.parameters / 1e6:.2f} M parameters, {r2.macs / 1e9:.1f} G MACs"
        short.append(f"{r2.variant}: {found.latency_ms_p50 / 1e3:.2f} s")
        how.append(
            f"{r2.variant} ({counted}; untrained weights, which decide nothing about time) takes "
            f"{latency_text(found)} ms (p50 / p95) for one slice; {_conditions(r2)}."
        )
    if main is not None and main.latency is not None:
        light = main.latency
        short.append(f"{main.artifact}: {light.latency_ms_p50 / 1e3:.3f} s")
        conditions = f"{light.runtime}, {light.threads} threads, n = {light.runs}"
        how.append(f"{main.artifact} takes {latency_text(light)} ms; {conditions}, in the build.")
    return "; ".join(short) or ABSENT, " ".join(how)


def _file_size(build: BuildResult, main: ArtifactRow | None) -> tuple[str, str]:
    base = build.baseline
    if base is None:
        return ABSENT, "the baseline file was not measured in this build."
    short = f"{base.size_bytes / 1e6:.1f} MB ({base.size_bytes / 2**20:.1f} MiB)"
    how = [base.derivation]
    if main is not None and main.size_bytes > 0:
        how.append(
            f"{main.artifact} is {size_text(main.size_bytes)} ({main.size_bytes:,} bytes): "
            f"{times_text(base.size_bytes / main.size_bytes)} x smaller than the file and "
            f"{times_text(base.weights_size_bytes / main.size_bytes)} x smaller than the bare weights."
        )
    return short, " ".join(how)


def _images(cohort: Cohort | None) -> tuple[str, str]:
    if cohort is None:
        return ABSENT, "not counted, since no data folder was given (--data)."
    slices = sum(c.slices for c in cohort.patients)
    tumour = sum(c.tumour_slices for c in cohort.patients)
    which = f"{len(cohort.patients)} patients of {cohort.name}"
    if cohort.name == KAGGLE_LGG:
        whole = len(cohort.patients) == KAGGLE_LGG_PATIENTS
        part = "the whole set" if whole else f"a part of the published set of {KAGGLE_LGG_PATIENTS} patients"
        which += f", {part}"
    return f"{slices:,} slices", f"{slices:,} slices, {tumour:,} of them with tumour, of {which}."


def _build_inputs(build: BuildResult, main: ArtifactRow | None) -> list[str]:
    here = build.environment
    seen = f"trained on {build.training_patients} patients, calibrated on {build.calibration_patients}"
    machine = f"{here.cpu}, {here.cores} cores, {here.os}, Python {here.python}, int8 kernels {here.int8_kernels}"
    lines = [
        f"weights: {build.weights}; {seen}",
        f"data of the build: {build.data}, seed {build.seed}",
        f"machine of the build: {machine}",
        f"versions of the build: {', '.join(f'{name} {version}' for name, version in here.versions.items())}",
    ]
    if main is not None:
        lines.insert(
            0,
            f"artifact: {main.artifact} ({main.variant}), sha256 {main.sha256[:16]}, the smallest that failed no check",
        )
    return lines


def _count(volume: Volume) -> PatientCount:
    if volume.masks is None:
        raise DatasetError(f"patient {volume.patient} has no reference masks; counting tumour needs them")
    per_slice = np.count_nonzero(volume.masks, axis=(1, 2))
    return PatientCount(
        patient=volume.patient,
        slices=len(volume.masks),
        tumour_slices=int(np.count_nonzero(per_slice)),
        pixels=int(volume.masks.size),
        tumour_pixels=int(per_slice.sum()),
    )


def _counted_patients(cohort: Cohort, evaluation: EvalResult | None) -> tuple[list[PatientCount], str]:
    """Return the evaluated patients where the data folder holds them all, else every patient of the folder."""
    wanted = set() if evaluation is None else {p.patient for p in evaluation.patients}
    same = [c for c in cohort.patients if c.patient in wanted]
    if wanted and len(same) == len(wanted):
        return same, f"the same {len(same)} patients"
    return list(cohort.patients), f"all {len(cohort.patients)} patients of {cohort.name}"


def _patients(evaluation: EvalResult) -> str:
    return f"{len(evaluation.patients)} patients of {evaluation.data}"


def _conditions(r2: NetworkTiming) -> str:
    found = r2.latency
    runs = f"n = {found.runs} after {found.warmup_runs} warm-up runs"
    load = "unknown" if r2.load_average is None else f"{r2.load_average:g}"
    return f"{found.runtime}, {found.threads} threads, {runs}, on {r2.environment.cpu}; load average before it {load}"
