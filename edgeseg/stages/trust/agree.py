"""Whether an int8 file of a network flags the same patients as the float network."""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.volume import Volume
from edgeseg.errors import ContractError
from edgeseg.progress import Progress
from edgeseg.results import FlagAgreement
from edgeseg.runtime import Segmenter
from edgeseg.runtime.trusted import new_tally, verdict_on
from edgeseg.specs import Contract, VariantSpec
from edgeseg.stages.predict import Predictor, checkpoint_contract, checkpoint_predictor, volume_logits
from edgeseg.trust import Verdict


def flag_agreement(
    path: Path, checkpoint: Checkpoint, cache: SliceCache, contract: Contract, *, progress: Progress | None = None
) -> FlagAgreement:
    """Judge every patient of the data by both.

    Args:
        path: the int8 file.
        checkpoint: the float network that it was made from.
        cache: decoded slices.
        contract: of the network, with the numbers, the same for both.
        progress: called after each patient.

    Raises:
        ContractError: when the file was made from another network.
        ArtifactError: when it cannot be run.
    """
    whole, header = Segmenter.load(path), checkpoint.header
    if _made_from(whole.contract) != _made_from(checkpoint_contract(header, public_ids=True)):
        raise ContractError(
            f"{path} was made from another network than {checkpoint.path}; give an int8 file of these weights, or "
            "leave --int8 out"
        )
    exact, same, off = checkpoint_predictor(checkpoint), 0, 0.0
    for done, patient in enumerate(cache.patients, start=1):
        volume = cache.volume(patient)
        ours, theirs = _judged(whole, volume, contract), _judged(exact, volume, contract)
        same += ours.look == theirs.look
        off = max(off, abs((ours.dice_expected or 0.0) - (theirs.dice_expected or 0.0)))
        if progress:
            progress(done, len(cache.patients), patient)
    return FlagAgreement(
        artifact=path.name,
        sha256=artifacts.sha256_file(path),
        patients=len(cache.patients),
        same_flag=same,
        learned_from=len(set(header.train_patients) & set(cache.patients)),
        dice_expected_off_max=off,
    )


def _made_from(contract: Contract) -> tuple[VariantSpec, str | None, list[str]]:
    return contract.variant, contract.training_hash, [region.name for region in contract.regions]


def _judged(predictor: Predictor, volume: Volume, contract: Contract) -> Verdict:
    tally = new_tally(contract)
    if tally is not None:
        for one in volume_logits(predictor, volume):
            tally.add(one)
    told = verdict_on(contract, tally)
    if told is None:
        raise ContractError("nothing was fitted for any of the masks, so that there are no flags to compare")
    return told
