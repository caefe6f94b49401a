"""Fitting what tells that a mask may be wrong, and scoring it on patients that it was not fitted on.

What is said of a patient comes from numbers that were fitted without the patient's fold, on masks of networks that had
not learned from the patient; what ships is fitted on all. The folds may be those of the network itself or of others of
its kind, such as the folds of its recipe; a network of another kind is held to the patients that it held out itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.data.cache import SliceCache
from edgeseg.errors import DatasetError, OptionError
from edgeseg.jsonio import to_record
from edgeseg.progress import Progress
from edgeseg.results import FlagAgreement, InputCheck, TrustResult
from edgeseg.specs import Contract
from edgeseg.stages.choose import choice_beside, read_choice
from edgeseg.stages.environment import versions
from edgeseg.stages.folds import FoldRun
from edgeseg.stages.predict import checkpoint_contract, plain_point
from edgeseg.stages.trust.agree import flag_agreement
from edgeseg.stages.trust.fit import Origin, PatientOutput
from edgeseg.stages.trust.found import TRUST_FILE, with_trust
from edgeseg.stages.trust.input_look import input_check
from edgeseg.stages.trust.outputs import gather_runs, groups_of, outputs_of
from edgeseg.stages.trust.score import reliabilities
from edgeseg.stages.trust.settle import Scored, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustInputs:
    """What `trust` reads.

    Attributes:
        network: the run, or folder of folds, that the numbers are for; of folds they are for the first.
        folds: whose held-out patients are fitted on: folders of folds, or runs; that of `network` where none is named.
        choice: threshold and post-processing, a file of `edgeseg choose`; that beside the folds, or else beside the
            network, unless given, and where there is none that of `plain_point`.
        int8: a converted file of the network whose flags are held against float; none unless given.
        keep: where the logits of a run are kept, by its folder; in that unless it is named here.
        unseen: the user says that an imported network learned from none of the patients.
    """

    network: Path
    folds: tuple[Path, ...] = ()
    choice: Path | None = None
    int8: Path | None = None
    keep: Mapping[Path, Path] = field(default_factory=dict)
    unseen: bool = False


def trust(
    given: TrustInputs, cache: SliceCache, *, out: Path | None = None, progress: Progress | None = None
) -> TrustResult:
    """Fit the numbers of a contract's `trust.output`, or of each region, score them nested, and write `trust.json`.

    Args:
        given: networks and files.
        cache: decoded slices of the data that the networks were trained on.
        out: the file; `trust.json` beside the network unless given.
        progress: called after each patient.

    Raises:
        CheckpointError: when runs are missing, unfinished or do not belong together.
        ContractError: for an int8 file that is of another network.
        DatasetError: when the slices are not those of the runs, or there are too few patients with a mask to fit on.
        MaskError: when the data has other classes than the networks.
        OptionError: when the choice cannot be read or is of another network, and for `unseen` with one that says itself
            whom it learned from.
        OutputError: when a file cannot be written.
    """
    runs = gather_runs(given.folds or (given.network,), cache, keep=given.keep, unseen=given.unseen)
    first = gather_runs((given.network,), cache, keep=given.keep, unseen=given.unseen)[0]
    _check_word(first, unseen=given.unseen)
    contract = _at_point(runs[0], given.choice or _choice(given))
    groups, left_out = groups_of(runs)
    member = {patient: number for number, group in enumerate(groups) for patient in group.patients}
    rows = outputs_of(runs, cache, contract, member, progress=progress)
    shipped = contract if not given.folds else _at_point(first, choice_beside(given.network) or given.choice)
    mine = _own(first, rows, shipped, cache, progress)
    network = runs[0].checkpoint.header.variant.slug
    origins = [Origin(threshold=mask.threshold, network=network, data=cache.name) for mask in contract.masks]
    thresholds = {region.name: region.threshold for region in shipped.regions}
    settled, without = settle(rows, mine, contract, origins)
    scored = Scored.of(settled, own=len(runs) > 1 or mine[0][0].run != rows[0][0].run)
    result = TrustResult(
        variant=first.checkpoint.header.variant.slug,
        weights_sha256=first.sha256,
        threshold=shipped.threshold,
        passes=shipped.passes,
        data=cache.name,
        groups=groups,
        left_out=left_out,
        trust=None if contract.regions else settled[0].trust,
        figures=scored.figures,
        reliability=reliabilities([(one.rows, one.fits) for one in settled]),
        patients=scored.patients,
        own=scored.own,
        own_patients=scored.own_patients,
        int8=None,
        versions=versions(),
        inputs=_inputs(first, cache, contract, progress, unseen=given.unseen),
        classes=tuple(one.as_class(thresholds) for one in settled) if contract.regions else (),
        without=without,
        unseen=given.unseen,
    )
    result = replace(result, int8=_agreement(given, first, cache, with_trust(shipped, result), progress))
    artifacts.write_text(out or _place(given.network), to_record(result))
    return result


def _check_word(first: FoldRun, *, unseen: bool) -> None:
    if unseen and first.checkpoint.header.foreign is None:
        raise OptionError(
            f"--unseen is for an imported network, and {first.folder} says itself whom it learned from; leave it out"
        )


def _inputs(
    first: FoldRun, cache: SliceCache, contract: Contract, progress: Progress | None, *, unseen: bool
) -> InputCheck | None:
    """Learn what inputs look like from the patients that trained the network, or of one that names none, from all."""
    known = first.checkpoint.header.train_patients
    learned = set(known or cache.patients if unseen else known)
    patients = [patient for patient in cache.patients if patient in learned]
    return input_check(cache, patients, contract, cache.name, progress=progress)


def _choice(given: TrustInputs) -> Path | None:
    """Find the operating point: beside the only folder of folds, or else beside the network."""
    places = (*given.folds, given.network)
    return next(filter(None, map(choice_beside, places)), None)


def _place(network: Path) -> Path:
    return (network if network.is_dir() else network.parent) / TRUST_FILE


def _at_point(run: FoldRun, choice: Path | None) -> Contract:
    header = run.checkpoint.header
    point = plain_point(header) if choice is None else read_choice(choice, variant=header.variant.slug).chosen
    return point.applied(checkpoint_contract(header, public_ids=True))


def _own(
    first: FoldRun,
    rows: list[list[PatientOutput]],
    contract: Contract,
    cache: SliceCache,
    progress: Progress | None,
) -> list[list[PatientOutput]]:
    """Return what the network itself drew on the patients that it held out, of each mask."""
    if any(row.run == first.sha256 for row in rows[0]):
        return [[row for row in one if row.run == first.sha256] for one in rows]
    if not first.patients:
        raise DatasetError(f"{first.folder} held out no patient, so nothing says what is usual for it; name another")
    member = dict.fromkeys(first.patients, -1) | {row.patient: row.group for row in rows[0]}
    return outputs_of((first,), cache, contract, member, progress=progress)


def _agreement(
    given: TrustInputs, first: FoldRun, cache: SliceCache, contract: Contract, progress: Progress | None
) -> FlagAgreement | None:
    if given.int8 is None:
        return None
    return flag_agreement(given.int8, first.checkpoint, cache, contract, progress=progress)
