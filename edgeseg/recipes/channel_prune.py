"""Channel pruning: whole channels leave the network, through skips and joins, so that file, arithmetic and time shrink.

Sources: Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017; Molchanov et al., "Importance Estimation for
Neural Network Pruning", CVPR 2019. Saves parameters, multiply-accumulates and latency in every format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.backend import load_keras
from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import OptionError
from edgeseg.recipes import importance
from edgeseg.recipes.clock import Clock, read_clock
from edgeseg.recipes.cut import Anatomy, anatomy, cut_network, cut_weights
from edgeseg.recipes.importance import Importance
from edgeseg.recipes.recipe import Outcome, Recipe, Workbench, fine_tuning
from edgeseg.specs import ChannelPrune
from edgeseg.variants import slots

NAME = "channel-prune"


def apply(parent: Checkpoint, spec: ChannelPrune, bench: Workbench) -> Outcome:
    """Remove the channels that matter least and fine-tune what is left.

    Raises:
        OptionError: when so few multiply-accumulates cannot be reached.
    """
    start = bench.kept("cut", lambda: cut(parent, spec, bench))
    train = fine_tuning(parent, spec, start.header.variant)
    outcome = bench.train(train, start, taught=spec.distil_weight, teachers=())
    model = bench.network(parent)
    found = anatomy(model, _own_slots(parent))
    return replace(outcome, notes=(*notes(found), *told(parent, spec, start, found, model)))


def cut(parent: Checkpoint, spec: ChannelPrune, bench: Workbench) -> Checkpoint:
    """Return the smaller network, not yet fine-tuned."""
    variant, train, foreign = parent.header.variant, parent.header.train, parent.header.foreign
    model = bench.network(parent)
    found = anatomy(model, own := _own_slots(parent))
    if spec.criterion in ("l1", "gamma"):
        scores = importance.from_weights(model, found, parent.arrays, criterion=spec.criterion)
    else:
        plain = replace(train, teachers=(), distil_weight=0.0, seed=spec.seed)
        batches = bench.batches(parent, plain, spec.batches)
        keras = load_keras()
        scores = importance.from_data(
            keras,
            model,
            found,
            batches,
            criterion=spec.criterion,
            loss=train.loss,
            classes=len(parent.header.image.classes),
            contract=None if foreign is None else foreign.contract,
        )
    clock = None if not spec.layers else read_clock(Path(spec.layers), found, enlarge=_enlarge(parent, model))
    kept = choose_channels(
        found, scores, macs=spec.macs, multiple=spec.multiple, lanes=spec.lanes, clock=clock, time=spec.time
    )
    smaller = replace(variant, widths=tuple(len(kept[slot]) for slot in own or found.slots))
    header = replace(parent.header, variant=smaller, train=replace(train, variant=smaller))
    if foreign is not None:
        contract = replace(foreign.contract, variant=smaller)
        architecture = cut_network(model, found, kept).to_json()
        header = replace(header, foreign=replace(foreign, contract=contract, architecture=architecture))
    return replace(parent, header=header, arrays=cut_weights(model, found, parent.arrays, kept))


def _own_slots(parent: Checkpoint) -> tuple[str, ...]:
    return slots(parent.header.variant) if parent.header.foreign is None else ()


def told(parent: Checkpoint, spec: ChannelPrune, made: Checkpoint, found: Anatomy, model: Any) -> tuple[str, ...]:
    """Say what share of the measured time is left, where channels were weighed by it."""
    if not spec.layers:
        return ()
    clock = read_clock(Path(spec.layers), found, enlarge=_enlarge(parent, model))
    named = _own_slots(parent) or tuple(found.slots)
    widths = found.widths | dict(zip(named, made.header.variant.widths, strict=True))
    left, macs = (count(widths) / count(found.widths) for count in (lambda w: clock.seconds(found, w), found.macs))
    return (
        f"by {spec.layers} its convolutions take {100 * left:.0f} % of the time that they took, with {100 * macs:.0f} "
        "% of their arithmetic; measure the file that is built of it",
    )


def notes(found: Anatomy) -> tuple[str, ...]:
    """Say which layers keep their channels, and why; nothing where none does but the ends."""
    return tuple(
        f"'{layer}' keeps its channels and those that it takes: {why}" for layer, why in found.flow.reasons.items()
    )


@dataclass(frozen=True, slots=True)
class _Goal:
    """A share of something that at most is to be left: of `count` at the widths of the `whole` network."""

    name: str
    what: str
    share: float
    count: Callable[[Mapping[str, int]], float]
    whole: Mapping[str, int]

    def left(self, widths: Mapping[str, int]) -> float:
        """Return the share that is left at these widths."""
        return self.count(widths) / self.count(self.whole)

    def unreached(self, widths: Mapping[str, int], multiple: int) -> str:
        """Say that no more can go."""
        return (
            f"{self.name} is {self.share:g}, and with widths in multiples of {multiple} the network keeps at least "
            f"{self.left(widths):.3f} of its {self.what}; ask for more, or for a smaller multiple"
        )


def choose_channels(
    found: Anatomy,
    scores: Importance,
    *,
    macs: float,
    multiple: int,
    lanes: int = 1,
    clock: Clock | None = None,
    time: float | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Choose the channels to keep: again and again those go that matter least for the work that they cost.

    Widths become multiples of `multiple`; each slot keeps at least `multiple` channels, or all where it has no more.
    Kernels that compute several channels at a time gain nothing from the first ones that leave a full group, so a step
    may take any number of groups of a slot.

    Args:
        found: the network's anatomy.
        scores: how much each channel matters.
        macs: the share of multiply-accumulates to keep at most.
        multiple: of the widths.
        lanes: output channels that kernels compute at a time; 1 counts multiply-accumulates as they are.
        clock: what the layers take, to weigh channels by in place of multiply-accumulates.
        time: the share of what `clock` says to keep at most.

    Raises:
        OptionError: when the share cannot be reached, with the smallest that can.
    """
    order = {slot: np.argsort(-value, kind="stable") for slot, value in scores.items()}

    def work(widths: Mapping[str, int]) -> float:
        return found.work(widths, lanes=lanes) if clock is None else clock.seconds(found, widths)

    widths, goals = dict(found.widths), [_Goal("macs", "multiply-accumulates", macs, found.macs, found.widths)]
    if time is not None:
        goals.append(_Goal("time", "time", time, work, found.widths))
    while missed := [goal for goal in goals if goal.left(widths) > goal.share]:
        now = work(widths)
        best: tuple[float, str, int] | None = None
        for slot, value in scores.items():
            for fewer in range((widths[slot] - 1) // multiple * multiple, 0, -multiple):
                saved = now - work(widths | {slot: fewer})
                if saved > 0:
                    price = float(value[order[slot][fewer : widths[slot]]].sum()) / saved
                    if best is None or price < best[0]:
                        best = (price, slot, fewer)
        if best is None:
            raise OptionError(f"{missed[0].unreached(widths, multiple)}{''.join(f'; {note}' for note in notes(found))}")
        widths[best[1]] = best[2]
    return {slot: np.sort(order[slot][: widths[slot]]) for slot in scores}


def _enlarge(parent: Checkpoint, model: Any) -> tuple[float, float]:
    """Return how many times as high and wide slices are as the crops that the network is trained on."""
    high, wide = model.input_shape[1:3]
    return parent.header.image.height / high, parent.header.image.width / wide


RECIPE: Recipe = Recipe(
    name=NAME, summary="removes whole channels: smaller and faster in every format, then fine-tuned", apply=apply
)
