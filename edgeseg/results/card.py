"""The card of a network that has a name, as `edgeseg networks NAME` tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION
from edgeseg.results.networks import ListedNetwork
from edgeseg.results.scores import SubgroupResult
from edgeseg.results.trust import TrustFigures
from edgeseg.specs import OperatingPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTrust:
    """What is known of when to believe a network's masks, on patients that these numbers were not fitted on.

    `figures` are those of `TrustResult`, of masks that `network` drew, and `own` those of the patients whom these very
    weights held out, None where that is everybody. `coverage` is the share of true volumes that intervals promise.
    `error_as_given` and `error_scaled` are expected calibration errors of the probabilities. Of `inputs` scans
    `false_alarms` were called odd as they are, and `odd_told` of `odd_made` that were made odd on purpose; all 0 where
    no input check was learned. Of a network of several masks `masks` have numbers and `without` have none. With
    `unseen` it is the word of whoever measured it that none of the patients trained the network.
    """

    network: str
    figures: TrustFigures
    own: TrustFigures | None
    coverage: float
    error_as_given: float
    error_scaled: float
    inputs: int
    false_alarms: int
    odd_made: int
    odd_told: int
    masks: tuple[str, ...] = field(default=(), metadata={LEFT_OUT: True})
    without: tuple[str, ...] = field(default=(), metadata={LEFT_OUT: True})
    unseen: bool = field(default=False, metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCard:
    """What a network is, what it reached, and when to believe it.

    It learned from `training_patients` of `data`. `subgroups` are those of the patients that it held out. `point`
    is what turns its logits into masks, None where none was chosen; `trust` is None where nothing was fitted.
    `licence` is None where nobody said it.
    """

    listed: ListedNetwork
    data: str
    training_patients: int
    dice_median: float
    subgroups: tuple[SubgroupResult, ...]
    point: OperatingPoint | None
    trust: CardTrust | None
    licence: str | None
    attribution: str
    intended_use: str
    command: str
    schema_version: int = RESULT_SCHEMA_VERSION
