"""What `evaluate` and `verify` found: tables of at most 80 columns, and the remarks that must stand under them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from edgeseg.data.subgroups import SITE
from edgeseg.data.volume import PHANTOM
from edgeseg.place import keys_for
from edgeseg.reports.subgroups import subgroup_table, worst_text
from edgeseg.reports.table import figures, literal, pairs, rich_table
from edgeseg.reports.words import ABSENT_ASCII, interval_text
from edgeseg.results import ClassResult, DeviceFigure, EvalResult, InstitutionScore, ParityResult, PatientScore
from edgeseg.specs import Contract, seen_among

ON_PHANTOMS = "RESTS ON PHANTOMS (synthetic heads): these figures say nothing about real patients."
_NAME_COLUMNS = 24


def evaluation_table(result: EvalResult, contract: Contract) -> RenderableType:
    """Draw an evaluation: one line per patient, the institutions, the figures over all patients, the remarks."""
    parts: list[RenderableType] = [_patients(result.patients, _seen(result.patients, contract.seen_patients)), ""]
    by_site = any(one.column == SITE for one in result.subgroups)
    if not by_site and any(score.institution for score in result.institutions):
        parts += [institution_table(result.institutions), ""]
    for one in result.subgroups:
        parts += [subgroup_table(one), literal(worst_text(one)), ""]
    if result.classes:
        parts += [_classes(result.classes), ""]
        if (by_class := _institution_classes(result.patients)) is not None:
            parts += [by_class, ""]
    parts += [_overall(result), *remark_lines(_evaluation_remarks(result, contract))]
    return Group(*parts)


def _classes(classes: Sequence[ClassResult]) -> Table:
    rows = (
        (
            one.name,
            interval_text(one.dice),
            f"{one.dice_median:.3f}",
            _pixels(one.hd95_px_median),
            *(
                ABSENT_ASCII if share is None else f"{100 * share:.1f} %"
                for share in (one.lesion_recall, one.false_positive_slice_rate)
            ),
            f"{one.threshold:g}",
        )
        for one in classes
    )
    heads = figures("Dice [95 %]", "median", "HD95", "Lesions", "FP slices", "Thr.")
    return rich_table((_names("Class"), *heads), rows)


def _institution_classes(scores: Sequence[PatientScore]) -> Table | None:
    """Draw a line for each class of each institution; None where none is known, or there is one mask."""
    dice: dict[tuple[str, str], list[float]] = {}
    for score in scores:
        for one in score.classes:
            dice.setdefault((score.institution, one.name), []).append(one.dice)
    if not any(institution for institution, _ in dice):
        return None
    groups = sorted(dice.items(), key=lambda item: item[0][0])
    return group_table(
        "Institution, class",
        (
            (f"{at or ABSENT_ASCII}, {name}", len(values), fmean(values), median(values))
            for (at, name), values in groups
        ),
    )


def parity_table(result: ParityResult, *, phantoms: bool) -> RenderableType:
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
    return Group(pairs(rows, title=title), *remark_lines(remarks))


def _device(figure: DeviceFigure) -> tuple[tuple[str, str], ...]:
    said = {True: "yes: equal to Arm's", False: "NO: not equal to Arm's", None: "not shown"}[figure.equals_arm]
    reasons = tuple(("" if place else "known by", reason) for place, reason in enumerate(figure.reasons))
    return (("numerics here", figure.numerics), ("a device figure", said), *reasons)


def institution_table(scores: Iterable[InstitutionScore]) -> Table:
    """Draw a line per institution."""
    rows = ((s.institution or ABSENT_ASCII, s.patients, s.dice_mean, s.dice_median) for s in scores)
    return group_table("Institution", rows)


def group_table(first: str, groups: Iterable[tuple[str, int, float, float]]) -> Table:
    """Draw a line per group of patients: its name, how many, and mean and median of their Dice."""
    rows = ((name, f"{patients}", f"{mean:.3f}", f"{median:.3f}") for name, patients, mean, median in groups)
    return rich_table((_names(first), *figures("Patients", "Dice mean", "median")), rows)


def remark_lines(remarks: Iterable[str]) -> list[Text]:
    """Draw the sentences that weaken the figures above them."""
    return [literal(remark, "bold yellow") for remark in remarks]


def shares_text(scores: Sequence[PatientScore], *, percent: bool) -> tuple[str, str]:
    """Write how many lesions were found, and how many slices without tumour were marked, over all patients."""
    found, lesions = (sum(getattr(s, name) for s in scores) for name in ("lesions_found", "lesions"))
    wrong, free = (sum(getattr(s, name) for s in scores) for name in ("false_positive_slices", "tumour_free_slices"))
    return _share(found, lesions, percent=percent), _share(wrong, free, percent=percent)


def _patients(scores: Sequence[PatientScore], seen: frozenset[str]) -> Table:
    rows = (
        (
            f"{score.patient}*" if score.patient in seen else score.patient,
            f"{score.slices}",
            *(f"{value:.3f}" for value in (score.dice, score.iou, score.precision, score.recall)),
            _pixels(score.hd95_px),
            f"{score.lesions_found}/{score.lesions}",
            f"{score.false_positive_slices}/{score.tumour_free_slices}",
        )
        for score in scores
    )
    heads = figures("Slices", "Dice", "IoU", "Prec.", "Recall", "HD95", "Lesions", "FP slices")
    return rich_table((_names("Patient"), *heads), rows)


def _seen(scores: Sequence[PatientScore], entries: Sequence[str]) -> frozenset[str]:
    return frozenset(seen_among((score.patient for score in scores), entries, keys_for(entries)))


def _names(head: str) -> Column:
    return Column(head, overflow="fold", max_width=_NAME_COLUMNS)


def _overall(result: EvalResult) -> RenderableType:
    lesions, marked = shares_text(result.patients, percent=True)
    undefined = f", not defined for {result.hd95_undefined}" if result.hd95_undefined else ""
    mark = "*" if result.seen_patients else "?" if result.seen_unknown else ""
    rows = (
        ("Dice, mean [95 %]", interval_text(result.dice, mark=f"{mark} ")),
        ("Dice, median", f"{result.dice_median:.3f}{mark}"),
        ("IoU, mean", f"{result.iou_mean:.3f}"),
        ("precision, recall, means", f"{result.precision_mean:.3f}, {result.recall_mean:.3f}"),
        ("HD95, median", f"{_pixels(result.hd95_px_median)} px{undefined}"),
        ("lesions found", lesions),
        ("tumour-free slices marked", marked),
        ("pixel accuracy, mean", f"{result.pixel_accuracy_mean:.4f} (high for an empty mask too)"),
        ("threshold, numerics", f"{result.threshold:g}, {result.numerics}"),
        ("post-processing", result.post_processing.describe(volume=True)),
        ("test-time flips", result.flips),
        ("bootstrap", f"{result.bootstrap_samples} resamples of patients, seed {result.bootstrap_seed}"),
    )
    return pairs(rows, title=f"{result.artifact} on {result.data}, n = {len(result.patients)} patient(s)")


def _evaluation_remarks(result: EvalResult, contract: Contract) -> list[str]:
    remarks = []
    if result.data == PHANTOM:
        remarks.append(ON_PHANTOMS)
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


def _pixels(distance: float | None) -> str:
    return ABSENT_ASCII if distance is None else f"{distance:.1f}"


def _share(part: int, whole: int, *, percent: bool) -> str:
    told = f" ({100 * part / whole:.1f} %)" if percent and whole else ""
    return f"{part} of {whole}{told}"
