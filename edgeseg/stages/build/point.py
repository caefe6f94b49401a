"""What a build is told of the masks of its network: operating points, codes and colours."""

from __future__ import annotations

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import OptionError
from edgeseg.results import Choice
from edgeseg.specs import BuildSpec, RegionLook, looked, read_looks
from edgeseg.stages.choose import CHOICE_FILE, read_choice
from edgeseg.stages.predict import checkpoint_contract


def choice_of(spec: BuildSpec, checkpoint: Checkpoint) -> Choice | None:
    """Take the choice that was given, or the one that ships beside shipped weights, or none.

    Raises:
        OptionError: when it was made for other classes than the network has.
    """
    slug = checkpoint.header.variant.slug
    if spec.choice is not None:
        found = read_choice(spec.choice, variant=slug)
        contract = checkpoint_contract(checkpoint.header, public_ids=True)
        if contract.regions and not found.chosen.classes:
            raise OptionError(
                f"{spec.choice} was chosen for one mask, and the network draws {len(contract.regions)} "
                f"({', '.join(region.name for region in contract.regions)}); choose on folds of that network"
            )
        found.chosen.applied(contract)
        return found
    beside = artifacts.weights_path(slug).with_name(CHOICE_FILE)
    if spec.checkpoint is None and beside.is_file():
        return read_choice(beside, variant=slug)
    return None


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
