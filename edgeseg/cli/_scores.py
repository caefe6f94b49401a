"""What `evaluate` and `verify` print: tables of at most 80 columns, and the remarks that must stand under them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from edgeseg.data.volume import PHANTOM
from edgeseg.place import keys_for
from edgeseg.results import DeviceFigure, EvalResult, InstitutionScore, ParityResult, PatientScore
from edgeseg.specs import Contract, seen_among

_ABSENT = "-"
_PATIENT_COLUMNS = 24


def evaluation(result: EvalResult, contract: Contract) -> RenderableType:
    """Draw an evaluation: one line per patient, the institutions, the figures over all patients, the remarks."""
    parts: list[RenderableType] = [_patients(result.patients, _seen(result.patients, contract.seen_patients)), ""]
    if any(score.institution for score in result.institutions):
        parts += [_institutions(result.institutions), ""]
    parts += [_overall(result), *_remarks(_evaluation_remarks(result, contract))]
    return Group(*parts)


def parity(result: ParityResult, *, phantoms: bool) -> RenderableType:
    """Draw a comparison of two artifacts."""
    rows: tuple[tuple[str, str], ...] = (
        ("slices", f"{result.slices}"),
        ("largest logit difference", f"{result.max_logit_difference:.3g}"),
        ("flipped mask pixels", f"{result.flipped_pixels} ({result.flips_ppm:.1f} ppm)"),
        ("tolerance", f"{result.max_flip_ppm:g} ppm"),
        ("worst slice", f"{result.worst_slice} ({result.worst_slice_flipped_pixels} pixels)"),
        ("status", "passed" if result.passed else "FAILED"),
    )
    if result.device is not None:
        rows += _device(result.device)
    title = f"{result.artifact} against {result.reference}"
    remarks = ["Compared on PHANTOMS (synthetic heads)."] if phantoms else []
    return Group(_pairs(title, rows), *_remarks(remarks))


def _device(figure: DeviceFigure) -> tuple[tuple[str, str], ...]:
    said = {True: "yes: equal to Arm's", False: "NO: not equal to Arm's", None: "not shown"}[figure.equals_arm]
    reasons = tuple(("" if place else "known by", reason) for place, reason in enumerate(figure.reasons))
    return (("numerics here", figure.numerics), ("a device figure", said), *reasons)


def _patients(scores: Sequence[PatientScore], seen: frozenset[str]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Patient", overflow="fold", max_width=_PATIENT_COLUMNS)
    for name in ("Slices", "Dice", "IoU", "Prec.", "Recall", "HD95", "Lesions", "FP slices"):
        table.add_column(name, justify="right", no_wrap=True)
    for score in scores:
        table.add_row(
            Text(f"{score.patient}*" if score.patient in seen else score.patient),
            f"{score.slices}",
            *(f"{value:.3f}" for value in (score.dice, score.iou, score.precision, score.recall)),
            _pixels(score.hd95_px),
            f"{score.lesions_found}/{score.lesions}",
            f"{score.false_positive_slices}/{score.tumour_free_slices}",
        )
    return table


def _seen(scores: Sequence[PatientScore], entries: Sequence[str]) -> frozenset[str]:
    return frozenset(seen_among((score.patient for score in scores), entries, keys_for(entries)))


def _institutions(scores: Iterable[InstitutionScore]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Institution", overflow="fold", max_width=_PATIENT_COLUMNS)
    for name in ("Patients", "Dice mean", "median"):
        table.add_column(name, justify="right", no_wrap=True)
    for score in scores:
        row = (f"{score.patients}", f"{score.dice_mean:.3f}", f"{score.dice_median:.3f}")
        table.add_row(Text(score.institution or _ABSENT), *row)
    return table


def _overall(result: EvalResult) -> RenderableType:
    found, lesions = (sum(getattr(s, name) for s in result.patients) for name in ("lesions_found", "lesions"))
    wrong, free = (
        sum(getattr(s, name) for s in result.patients) for name in ("false_positive_slices", "tumour_free_slices")
    )
    undefined = f", not defined for {result.hd95_undefined}" if result.hd95_undefined else ""
    mark = "*" if result.seen_patients else "?" if result.seen_unknown else ""
    rows = (
        ("Dice, mean [95 %]", f"{result.dice.mean:.3f}{mark} [{result.dice.low:.3f}, {result.dice.high:.3f}]"),
        ("Dice, median", f"{result.dice_median:.3f}{mark}"),
        ("IoU, mean", f"{result.iou_mean:.3f}"),
        ("precision, recall, means", f"{result.precision_mean:.3f}, {result.recall_mean:.3f}"),
        ("HD95, median", f"{_pixels(result.hd95_px_median)} px{undefined}"),
        ("lesions found", f"{found} of {lesions}{_percent(found, lesions)}"),
        ("tumour-free slices marked", f"{wrong} of {free}{_percent(wrong, free)}"),
        ("pixel accuracy, mean", f"{result.pixel_accuracy_mean:.4f} (high for an empty mask too)"),
        ("threshold, numerics", f"{result.threshold:g}, {result.numerics}"),
        ("post-processing", result.post_processing.describe(volume=True)),
        ("test-time flips", result.flips),
        ("bootstrap", f"{result.bootstrap_samples} resamples of patients, seed {result.bootstrap_seed}"),
    )
    return _pairs(f"{result.artifact} on {result.data}, n = {len(result.patients)} patient(s)", rows)


def _pairs(title: str, rows: Iterable[tuple[str, str]]) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    return Group(Text(title, style="bold", overflow="fold"), table)


def _evaluation_remarks(result: EvalResult, contract: Contract) -> list[str]:
    remarks = []
    if result.data == PHANTOM:
        remarks.append("RESTS ON PHANTOMS (synthetic heads): these figures say nothing about real patients.")
    elif contract.trained_on == PHANTOM:
        remarks.append("The weights were trained on PHANTOMS (synthetic heads) only.")
    if result.simulation != "none":
        remarks.append(f"SIMULATED: {result.simulation}; the slices are not as the scanner gave them.")
    if result.seen_patients:
        remarks.append(
            f"* SEEN PATIENTS: training or calibration used {result.seen_patients} of {len(result.patients)} "
            "(--allow-seen); figures that rest on them are too good."
        )
    if result.seen_unknown:
        remarks.append(
            f"? CANNOT TELL whether these patients were used for training or calibration: {result.seen_unknown} of "
            "those seen stand in the artifact as pseudonyms whose key is not here; these figures may be too good."
        )
    return remarks


def _remarks(lines: Iterable[str]) -> list[Text]:
    return [Text(line, style="bold yellow", overflow="fold") for line in lines]


def _pixels(distance: float | None) -> str:
    return _ABSENT if distance is None else f"{distance:.1f}"


def _percent(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.1f} %)" if whole else ""
