"""What is fitted for each mask of a network, and what that tells of patients whom it was not fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeseg.errors import DatasetError
from edgeseg.results import TrustFigures, TrustPatient
from edgeseg.results.trust import ClassTrust
from edgeseg.specs import Contract, OutputTrust
from edgeseg.stages.trust.fit import Origin, PatientOutput, fit, others_of
from edgeseg.stages.trust.score import (
    Fits,
    figures,
    judged,
    not_flagged_for_nothing,
    pooled,
    reliabilities,
    together,
)

_LEAST_GROUPS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """What was found of one mask.

    Attributes:
        name: of its region; empty where there is one mask.
        trust: what ships.
        rows: the patients that it was fitted on.
        fits: gives what was fitted without a patient's group.
        patients: what that tells of each.
        own_patients: of those whom the network itself held out.
    """

    name: str
    trust: OutputTrust
    rows: Sequence[PatientOutput]
    fits: Fits
    patients: tuple[TrustPatient, ...]
    own_patients: tuple[TrustPatient, ...]

    def as_class(self, thresholds: Mapping[str, float]) -> ClassTrust:
        """Return it as a record has it; `thresholds` are those of the masks that it is for, by name."""
        return ClassTrust(
            name=self.name,
            threshold=thresholds[self.name],
            trust=self.trust,
            figures=figures(self.patients),
            reliability=reliabilities([(self.rows, self.fits)]),
            patients=self.patients,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What all masks tell together of each patient; of one mask what that tells.

    Attributes:
        figures: of all patients, intervals counted mask by mask.
        patients: as `Settled` has them.
        own: figures of those whom the network itself held out; None where that is everybody.
        own_patients: likewise.
    """

    figures: TrustFigures
    patients: tuple[TrustPatient, ...]
    own: TrustFigures | None
    own_patients: tuple[TrustPatient, ...]

    @classmethod
    def of(cls, settled: Sequence[Settled], *, own: bool) -> Scored:
        """Bring masks together; `own` says that the network held out others than those that were fitted on."""
        several = bool(settled[0].name)
        figured, patients = _figured([one.patients for one in settled], several=several)
        mine, owned = _figured([one.own_patients for one in settled], several=several) if own else (None, ())
        if figured is None:
            raise DatasetError("no patient has anything drawn or in the reference; there is nothing to score")
        return cls(figures=figured, patients=patients, own=mine, own_patients=owned)


def _figured(
    masks: Sequence[tuple[TrustPatient, ...]], *, several: bool
) -> tuple[TrustFigures | None, tuple[TrustPatient, ...]]:
    patients = together(masks) if several else masks[0]
    if not patients:
        return None, ()
    return pooled(figures(patients), [figures(one) for one in masks if one]), patients


def settle(
    rows: Sequence[Sequence[PatientOutput]],
    mine: Sequence[Sequence[PatientOutput]],
    contract: Contract,
    origins: Sequence[Origin],
) -> tuple[list[Settled], tuple[str, ...]]:
    """Settle each of the masks that a contract draws; and name those on which nothing can be fitted.

    Raises:
        DatasetError: when that is so of all.
    """
    if contract.regions:
        return _settle_several(rows, mine, contract, origins)
    return [settle_one(rows[0], mine[0], origins[0])], ()


def settle_one(rows: Sequence[PatientOutput], mine: Sequence[PatientOutput], origin: Origin) -> Settled:
    """Fit on all and settle on the network's own patients; and judge each by what was fitted without it.

    That is fitted on the other groups, on all where the patient is of none, and settled on the network's others.

    Raises:
        DatasetError: when there are too few groups, or too few patients with a mask.
    """
    groups = sorted({row.group for row in rows})
    if len(groups) < _LEAST_GROUPS:
        raise DatasetError(
            f"the {len(rows)} held-out patients are of {len(groups)} group(s), and each is scored by what the others "
            f"settle among themselves, so at least {_LEAST_GROUPS} are needed; give more folds with --folds, "
            "or data of more patients who were held out"
        )
    made = {group: fit([row for row in rows if row.group != group], origin) for group in groups}
    whole = fit(rows, origin)
    settled = None if whole is None else whole.settled(mine)
    if whole is None or settled is None or None in made.values():
        raise DatasetError(
            f"masks of fewer than two of the {len(rows)} held-out patients hold any tumour, or all of these are of one "
            "group; nothing can be fitted on them: train longer, or give more folds with --folds"
        )
    nested = {group: one for group, one in made.items() if one is not None}

    def without(row: PatientOutput) -> OutputTrust:
        others = others_of(row, rows if row.run in {one.run for one in rows} else mine)
        return nested.get(row.group, whole).settled(others) or settled

    return Settled(
        name="",
        trust=settled,
        rows=rows,
        fits=without,
        patients=judged(rows, without),
        own_patients=judged(mine, without),
    )


def _settle_several(
    rows: Sequence[Sequence[PatientOutput]],
    mine: Sequence[Sequence[PatientOutput]],
    contract: Contract,
    origins: Sequence[Origin],
) -> tuple[list[Settled], tuple[str, ...]]:
    """Settle each mask by itself, on the patients who have anything of it, in the reference or drawn.

    Returns:
        What was found, and the names of the masks on which nothing can be fitted.

    Raises:
        DatasetError: when that is so of all.
    """
    found: list[Settled] = []
    without: dict[str, DatasetError] = {}
    for region, every, own, origin in zip(contract.regions, rows, mine, origins, strict=True):
        try:
            one = settle_one(_with_any(every), _with_any(own), origin)
        except DatasetError as error:
            without[region.name] = error
            continue
        patients, owned = map(not_flagged_for_nothing, (one.patients, one.own_patients))
        found.append(
            Settled(
                name=region.name, trust=one.trust, rows=one.rows, fits=one.fits, patients=patients, own_patients=owned
            )
        )
    if not found:
        name, why = next(iter(without.items()))
        raise DatasetError(f"nothing can be fitted for any of the {len(without)} masks; for '{name}': {why}")
    return found, tuple(without)


def _with_any(rows: Sequence[PatientOutput]) -> list[PatientOutput]:
    return [row for row in rows if row.reference_px or row.volume_px or row.counts.middle]
