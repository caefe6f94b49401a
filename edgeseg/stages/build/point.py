"""What a build is told of the masks of its network: operating points, codes and colours."""

from __future__ import annotations

from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import OptionError
from edgeseg.results import Choice
from edgeseg.specs import BuildSpec, RegionLook, looked, read_looks
from edgeseg.stages.choose import choice_beside, choice_for, read_choice
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.stages.trust import trust_beside


def choice_of(spec: BuildSpec, checkpoint: Checkpoint, weights_sha256: str) -> Choice | None:
    """Take the choice that was given, or the one in the run's folder or beside the shipped weights, or none.

    Raises:
        OptionError: when it was made for other classes than the network has.
    """
    found = _found(spec, checkpoint, weights_sha256)
    if found is None:
        return None
    contract = checkpoint_contract(checkpoint.header, public_ids=True)
    if contract.regions and not found.chosen.classes:
        raise OptionError(
            f"{spec.choice or 'the choice beside the weights'} was made for one mask, and the network draws "
            f"{len(contract.regions)} ({', '.join(region.name for region in contract.regions)}); choose on folds of "
            "that network"
        )
    found.chosen.applied(contract)
    return found


def _found(spec: BuildSpec, checkpoint: Checkpoint, weights_sha256: str) -> Choice | None:
    slug = checkpoint.header.variant.slug
    if spec.choice is not None:
        return read_choice(spec.choice, variant=slug)
    if spec.checkpoint is not None:
        return choice_for(spec.checkpoint, variant=slug, weights_sha256=weights_sha256)
    beside = choice_beside(checkpoint.path)
    return None if beside is None else read_choice(beside, variant=slug)


def own_point(spec: BuildSpec, checkpoint: Checkpoint) -> bool:
    """Say whether a choice was given that does not merely lie beside the folds, or the trust is that of the folds."""
    if spec.choice is None:
        return trust_beside(checkpoint.path) is None
    return spec.checkpoint is None or spec.choice != choice_beside(spec.checkpoint.parent)


def looks_of(spec: BuildSpec, checkpoint: Checkpoint) -> dict[str, RegionLook]:
    """Read codes and colours, and hold them against the network's classes.

    Raises:
        OptionError: when the file cannot be used, or names other classes.
    """
    if spec.codes is None:
        return {}
    looks = read_looks(spec.codes)
    looked(checkpoint_contract(checkpoint.header, public_ids=True), looks)
    return looks
