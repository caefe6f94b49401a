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
from edgeseg.specs import OutputTrust
from edgeseg.stages.predict import Predictor, checkpoint_predictor, volume_logits
from edgeseg.trust import OutputTally, Verdict, judge


def flag_agreement(
    path: Path, checkpoint: Checkpoint, cache: SliceCache, trust: OutputTrust, *, progress: Progress | None = None
) -> FlagAgreement:
    """Judge every patient of the data by both.

    Args:
        path: the int8 file.
        checkpoint: the float network that it was made from.
        cache: decoded slices.
        trust: the numbers, the same for both.
        progress: called after each patient.

    Raises:
        ContractError: when the file was made from another network.
        ArtifactError: when it cannot be run.
    """
    whole, header = Segmenter.load(path), checkpoint.header
    if (whole.contract.variant, whole.contract.training_hash) != (header.variant, header.data_hash):
        raise ContractError(
            f"{path} was made from another network than {checkpoint.path}; give an int8 file of these weights, or "
            "leave --int8 out"
        )
    exact, same, off = checkpoint_predictor(checkpoint), 0, 0.0
    for done, patient in enumerate(cache.patients, start=1):
        volume = cache.volume(patient)
        ours, theirs = _judged(whole, volume, trust), _judged(exact, volume, trust)
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


def _judged(predictor: Predictor, volume: Volume, trust: OutputTrust) -> Verdict:
    tally = OutputTally(trust.levels)
    for one in volume_logits(predictor, volume):
        tally.add(one)
    return judge(tally.counts, trust)
