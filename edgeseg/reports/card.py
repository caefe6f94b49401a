"""The card of a network, drawn for a terminal of 80 columns: what it is, how good, and when to believe it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Column

from edgeseg.reports.subgroups import worst_text
from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import interval_text, macs_text, size_text
from edgeseg.results import POOR_BELOW, CardTrust, NetworkCard, NetworkScore, SubgroupResult, TrustFigures

_FEW_STEPS = 4


def card_lines(card: NetworkCard) -> tuple[RenderableType, ...]:
    """Draw a card: the answers first, then the files, then whose data it is and how it was made."""
    one = card.listed.network
    files = ((file.target, size_text(file.size_bytes), file.sha256[:16]) for file in card.listed.files)
    return (
        literal(f"{one.name}: {one.purpose}" if one.purpose else one.name, "bold"),
        "",
        _pairs(_what(card)),
        "",
        literal("When to believe it", "bold"),
        *(map(literal, _nobody() if card.trust is None else _believed(card.trust))),
        "",
        rich_table((Column("file"), *figures("size"), Column("SHA-256 begins")), files, gap=2, edge=True),
        "",
        _pairs(_terms(card)),
        literal(card.intended_use, "dim"),
    )


def _pairs(rows: Iterator[tuple[str, str]]) -> RenderableType:
    return rich_table((Column(no_wrap=True), Column(overflow="fold")), rows, gap=2, head=False)


def _what(card: NetworkCard) -> Iterator[tuple[str, str]]:
    one = card.listed.network
    yield "shape", f"{one.slug}, {one.parameters / 1e3:.0f} k parameters, {macs_text(one.macs)} MACs a slice"
    yield "takes", f"{', '.join(one.image.channels)} at {one.image.height} x {one.image.width}"
    learned = f"{card.training_patients} patients of {card.data}" if card.training_patients else "nobody says whom"
    yield "learned from", learned
    yield "Dice held out", f"{_score(one.held_out)}, median {card.dice_median:.3f}"
    if one.out_of_fold is not None:
        yield "Dice out of fold", f"{_score(one.out_of_fold)}, of networks trained in the same way"
    for parted in card.subgroups:
        yield f"worst {parted.column}", _worst(parted)
    if (point := card.point) is not None and not point.classes:
        twice = ", each slice seen twice" if point.passes > 1 else ""
        yield "masks", f"threshold {point.threshold:g}{twice}; volumes: {point.post_processing.describe(volume=True)}"
    if one.rests_on_phantoms:
        yield "BEWARE", "it rests on phantoms; its Dice says nothing about people"
    if one.failed:
        yield "FAILED", "; ".join(one.failed)


def _worst(parted: SubgroupResult) -> str:
    worst = parted.worst_score
    if worst is None:
        return worst_text(parted)
    called = worst.subgroup or "not known"
    return f"{called}: {interval_text(worst.dice)}, n = {worst.patients}, of those of {parted.min_patients} or more"


def _score(score: NetworkScore) -> str:
    return f"{interval_text(score.dice)}, n = {score.patients}"


def _nobody() -> list[str]:
    return ["It does not say: no mask is flagged, and no volume has an interval. 'edgeseg trust' makes what is needed."]


def _believed(trust: CardTrust) -> list[str]:
    found = trust.figures
    lines = [
        _flagged(found, f"drawn by {trust.network}"),
        *([] if trust.own is None else [_flagged(trust.own, "held out of these very weights")]),
        f"The true volume lay in its interval for {found.volume_covered} of {found.volume_intervals}; "
        f"{trust.coverage:.0%} is promised.",
        f"Probabilities are off by {trust.error_as_given:.3f} on average as given, by {trust.error_scaled:.3f} scaled "
        "(expected calibration error).",
        "All of that on patients whom these numbers had not learned from, and that the network had not is the word of "
        "whoever measured it."
        if trust.unseen
        else "All of that on patients whom neither the networks nor these numbers had learned from.",
    ]
    if trust.masks:
        nothing = f", and nothing of {', '.join(trust.without)}" if trust.without else ""
        lines.insert(0, f"It tells of {', '.join(trust.masks)}{nothing}. A patient's Dice is the mean of these masks.")
    if trust.odd_made:
        whom = "of other patients" if trust.unseen else "of patients who trained the network and not this check"
        lines.append(
            f"Of {trust.odd_made} scans made odd on purpose {trust.odd_told} were told, and of {trust.inputs} as they "
            f"are {trust.false_alarms}, {whom}."
        )
    return lines


def _flagged(found: TrustFigures, who: str) -> str:
    return (
        f"Of {found.patients} patients, {who}, {found.poor} had a Dice below {POOR_BELOW:g}: {found.poor_flagged} of "
        f"these are flagged 'look at this one', {found.good_flagged} of the other {found.patients - found.poor} are."
    )


def _terms(card: NetworkCard) -> Iterator[tuple[str, str]]:
    yield "licence", card.licence or "nobody said it"
    yield "data", card.attribution
    yield "folder", card.listed.folder
    steps = card.command.count(" && ") + 1
    yield "made by", card.command if steps <= _FEW_STEPS else f"{steps} commands, which --json has"
