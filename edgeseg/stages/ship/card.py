"""The card of a network: what its weights are and reached, and what is known of when to believe it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgeseg.checkpoint import CheckpointHeader
from edgeseg.errors import ArtifactError, OptionError
from edgeseg.jsonio import JsonFormatError, from_json, read_document
from edgeseg.networks import CARD_FILE, Network
from edgeseg.results import CardTrust, ChoiceStep, EpochRecord, EvalResult, NetworkCard
from edgeseg.specs import INTENDED_USE
from edgeseg.stages.choose import choice_beside, read_choice
from edgeseg.stages.listings import listed_network
from edgeseg.stages.trust import read_trust, trust_beside

CARD_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What shipped weights are: origin, patients, how to train them again, and what they reached.

    `history` is that of the training, for averaged weights that of the last one.
    `evaluation` is the float network on the patients of the build that it was shipped with; training saw none of them.
    `out_of_fold` is how networks of this kind do at a threshold and post-processing chosen as for this one, each
    patient scored where neither training nor choice saw it; None where nothing was chosen. `choice.json` has the rest.
    `header` is that of the weights; in its file without the headers of what they were made from, which stand in the
    weights, and which `command` tells of.
    `licence` is that of the weights, None where nobody said it; `attribution` says whose data made them.
    """

    variant: str
    weights_sha256: str
    parameters: int
    macs: int
    header: CheckpointHeader
    command: str
    evaluation: EvalResult
    out_of_fold: ChoiceStep | None = None
    history: tuple[EpochRecord, ...]
    licence: str | None
    attribution: str
    intended_use: str = INTENDED_USE
    schema_version: int = CARD_SCHEMA_VERSION

    @property
    def by_itself(self) -> ModelCard:
        """As its file holds it."""
        return replace(self, header=replace(self.header, initial=None, parts=()))


def network_card(network: Network) -> NetworkCard:
    """Read the card of a network that has a name, and what lies beside it.

    Raises:
        ArtifactError: when the card is missing or damaged.
        OptionError: when its choice or its trust.json cannot be read.
    """
    path = network.folder / CARD_FILE
    try:
        card = from_json(ModelCard, read_document(path))
    except (OSError, JsonFormatError, OptionError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise ArtifactError(f"{path}: no card that can be read ({told}); ship the network again") from error
    choice = choice_beside(network.folder)
    return NetworkCard(
        listed=listed_network(network),
        data=card.header.data,
        training_patients=len(card.header.train_patients),
        dice_median=card.evaluation.dice_median,
        subgroups=card.evaluation.subgroups,
        point=None if choice is None else read_choice(choice, variant=card.variant).chosen,
        trust=_trust(network),
        licence=card.licence,
        attribution=card.attribution,
        intended_use=card.intended_use,
        command=card.command,
    )


def _trust(network: Network) -> CardTrust | None:
    if (file := trust_beside(network.folder)) is None:
        return None
    found, inputs = (record := read_trust(file)).figures, record.inputs
    return CardTrust(
        network=record.numbers[0].network,
        figures=found,
        own=record.own,
        coverage=record.numbers[0].coverage,
        error_as_given=record.reliability.error_before,
        error_scaled=record.reliability.error_after,
        inputs=0 if inputs is None else inputs.patients,
        false_alarms=0 if inputs is None else inputs.false_alarms,
        odd_made=0 if inputs is None else inputs.made_odd,
        odd_told=0 if inputs is None else inputs.told,
        masks=tuple(one.name for one in record.classes),
        without=record.without,
        unseen=record.unseen,
    )
