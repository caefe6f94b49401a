"""The ways of choosing the operating point of one mask, each scored on the patients that it did not choose on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeseg.metrics import bootstrap_interval, median_bounds, paired_interval
from edgeseg.results import ChoiceGroup, ChoiceStep, Interval
from edgeseg.specs import OperatingPoint
from edgeseg.stages.choose.points import PointTable

PLAIN, SHIPPED = "plain", "threshold and post-processing"

_Allowed = Callable[[int], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Scores of all patients, in the order of the runs: volumes, volumes with flips, and lone slices.

    Lone slices are seen as often as the network that ships sees a slice.
    """

    volumes: PointTable
    flipped: PointTable
    slices: PointTable


def with_flips(flips: str) -> str:
    """Name the step that chooses as `SHIPPED` does, with test-time flips."""
    return f"the same with {flips}"


class Nested:
    """The ways of choosing, each scored on the groups that it did not choose on."""

    def __init__(
        self,
        groups: tuple[ChoiceGroup, ...],
        tables: Tables,
        flips: str,
        max_fp_share: float,
        seed: int,
        passes: int = 1,
    ) -> None:
        """Take the tables of one mask; the rest is as `choose` has it."""
        self.passes = passes
        self.groups, self.tables, self.flips = groups, tables, flips
        self.max_fp_share, self.seed = max_fp_share, seed
        self.patients = tuple(patient for group in groups for patient in group.patients)
        self.member = np.repeat(np.arange(len(groups)), [len(group.patients) for group in groups])

    def on_all(self) -> tuple[OperatingPoint, bool]:
        """Choose on every patient: what ships, and whether the cap was kept in volumes and in lone slices."""
        tables, everyone = self.tables, np.ones(len(self.patients), np.bool_)
        volumes = tables.volumes if self.passes == 1 else tables.flipped
        best, met = volumes.best(everyone, self._any(volumes), max_fp_share=self.max_fp_share)
        point = replace(volumes.points[best], passes=self.passes)
        alone, alone_met = tables.slices.best(
            everyone, tables.slices.where(lambda p: p.threshold == point.threshold), max_fp_share=self.max_fp_share
        )
        area = tables.slices.points[alone].post_processing.min_area_px
        return replace(point, post_processing=replace(point.post_processing, min_area_px=area)), met and alone_met

    def steps(self) -> tuple[ChoiceStep, ...]:
        """Every way of choosing, `plain` first; the last one is for slices that are given without their volume."""
        volumes, flipped, slices = self.tables.volumes, self.tables.flipped, self.tables.slices
        at_half = volumes.where(lambda p: p.threshold == 0.5)
        whole = volumes.where(lambda p: not p.post_processing.applies(volume=True))
        everything = self._any(volumes)
        plain = self._step(PLAIN, volumes, lambda _: at_half & whole)
        chosen = self._step(SHIPPED, volumes, lambda _: everything, plain)
        turned = self._step(with_flips(self.flips), flipped, lambda _: everything, plain, flips=self.flips)
        shipped = chosen if self.passes == 1 else turned

        def same_threshold(group: int) -> NDArray[np.bool_]:
            return slices.where(lambda p: p.threshold == shipped.chosen[group].threshold)

        return (
            plain,
            self._step("threshold", volumes, lambda _: whole, plain),
            self._step("post-processing", volumes, lambda _: at_half, plain),
            chosen,
            self._step(self.flips, flipped, lambda _: at_half & whole, plain, flips=self.flips),
            turned,
            self._step("lone slices", slices, same_threshold, plain),
        )

    def _any(self, table: PointTable) -> NDArray[np.bool_]:
        return np.ones(len(table.points), np.bool_)

    def _step(
        self,
        name: str,
        table: PointTable,
        allowed: _Allowed,
        plain: ChoiceStep | None = None,
        *,
        flips: str = "none",
    ) -> ChoiceStep:
        found = [
            table.best(self.member != group, allowed(group), max_fp_share=self.max_fp_share)
            for group in range(len(self.groups))
        ]
        at = np.array([best for best, _ in found])[self.member]
        rows = np.arange(len(self.patients))
        dice = dict(zip(self.patients, table.dice[rows, at].tolist(), strict=True))
        values = list(dice.values())
        low, high = median_bounds(values, seed=self.seed)
        return ChoiceStep(
            name=name,
            flips=flips,
            dice=bootstrap_interval(values, seed=self.seed),
            dice_median=float(np.median(values)),
            dice_median_low=low,
            dice_median_high=high,
            delta=None if plain is None else _difference(values, plain, seed=self.seed),
            false_positive_slices=int(table.false_positive_slices[rows, at].sum()),
            tumour_free_slices=int(table.tumour_free.sum()),
            lesions_found=int(table.lesions_found[rows, at].sum()),
            lesions=int(table.lesions.sum()),
            cap_met=all(met for _, met in found),
            chosen=tuple(table.points[best] for best, _ in found),
            dice_by_patient=dice,
        )


def _difference(values: list[float], plain: ChoiceStep, *, seed: int) -> Interval:
    return paired_interval(values, list(plain.dice_by_patient.values()), seed=seed)
