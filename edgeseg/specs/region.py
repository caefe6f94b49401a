"""Several masks of one network: what each is made of, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edgeseg.errors import ContractError, OptionError
from edgeseg.jsonio import LEFT_OUT
from edgeseg.specs.one_line import check_names
from edgeseg.specs.post_processing import PostProcessing
from edgeseg.specs.probability import LEAST_THRESHOLD
from edgeseg.specs.segment_codes import RULE, is_code
from edgeseg.specs.trust import OutputTrust

if TYPE_CHECKING:
    from edgeseg.specs.contract import Contract

COLOURS = (
    (255, 60, 40),
    (60, 200, 80),
    (70, 130, 255),
    (255, 200, 40),
    (200, 80, 255),
    (40, 210, 210),
    (255, 130, 190),
    (160, 160, 90),
)
"""RGB of regions that name no colour, in their order."""
MAX_LABEL = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskRegion:
    """One of several masks that a network's output holds; they may overlap.

    Attributes:
        name: such as `whole-tumour`.
        channels: numbers, from 0 on, of the output channels that it is made of. Of channels that are by themselves
            (sigmoid) the greatest counts; of those of a softmax a pixel belongs to the region where one of its channels
            wins over all others.
        label: its value in label maps, 1 to 255. Where regions overlap the later one is written.
        threshold: a pixel belongs to the region when its probability is above this.
        post_processing: which of its components are dropped.
        code: value, scheme and meaning of its DICOM code, such as `("108369006", "SCT", "Neoplasm")`, and after them
            those of its category where it is no morphologically abnormal structure; empty for what `segment_codes` says
            of the name.
        colour: RGB, each 0 to 255; empty for one of `COLOURS`.
        trust: what the network's logits for it tell of its mask of a volume; None where nobody measured it.
    """

    name: str
    channels: tuple[int, ...]
    label: int
    threshold: float = 0.5
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    code: tuple[str, ...] = ()
    colour: tuple[int, ...] = ()
    trust: OutputTrust | None = field(default=None, metadata={LEFT_OUT: True})

    def __post_init__(self) -> None:
        """Refuse what no mask could be made or written of."""
        check_names("region", (self.name,))
        rules = (
            (
                0 < len(set(self.channels)) == len(self.channels),
                f"channels of region '{self.name}' are {list(self.channels)}; give at least one, each once",
            ),
            (1 <= self.label <= MAX_LABEL, f"label of region '{self.name}' is {self.label}; give 1 to {MAX_LABEL}"),
            (
                LEAST_THRESHOLD <= self.threshold <= 1.0 - LEAST_THRESHOLD,
                f"threshold of region '{self.name}' is {self.threshold}; give a probability between 0 and 1, at least "
                f"{LEAST_THRESHOLD:g} from both",
            ),
            (
                is_code(self.code),
                f"code of region '{self.name}' is {list(self.code)}; {RULE}; or leave it out",
            ),
            (
                len(self.colour) in (0, 3) and all(0 <= one <= 255 for one in self.colour),
                f"colour of region '{self.name}' is {list(self.colour)}; give red, green and blue, 0 to 255 each",
            ),
        )
        for good, message in rules:
            if not good:
                raise OptionError(message)

    @property
    def logit_threshold(self) -> float:
        """The threshold in logit space, `log(p / (1 - p))`."""
        return math.log(self.threshold / (1.0 - self.threshold))


def own_regions(classes: Sequence[str]) -> tuple[MaskRegion, ...]:
    """Return the regions of a network of edgeseg's with a logit for each class; none where no classes are named."""
    return tuple(MaskRegion(name=name, channels=(number,), label=number + 1) for number, name in enumerate(classes))


def without_trust(regions: Sequence[MaskRegion]) -> tuple[MaskRegion, ...]:
    """Return what says which masks are drawn, and nothing of how far they are to be trusted."""
    return tuple(replace(region, trust=None) for region in regions)


def colours(regions: Sequence[MaskRegion]) -> tuple[tuple[int, int, int], ...]:
    """Return the colour of each region, RGB."""
    return tuple(
        (region.colour[0], region.colour[1], region.colour[2]) if region.colour else COLOURS[number % len(COLOURS)]
        for number, region in enumerate(regions)
    )


def check_mask_regions(
    regions: tuple[MaskRegion, ...], classes: tuple[str, ...], *, exclusive: bool, foreground: tuple[int, ...]
) -> None:
    """Refuse regions that do not fit the output channels.

    Raises:
        OptionError: with the rule.
    """
    if not regions:
        if exclusive:
            raise OptionError("exclusive says how regions share a pixel, and there are no regions; leave it out")
        return
    names, labels = [region.name for region in regions], [region.label for region in regions]
    if len(regions) == 1 or len(set(names)) != len(names) or len(set(labels)) != len(labels):
        raise OptionError(
            f"regions are {names} with labels {labels}; give at least two, each with a name and a label of its own "
            "(for one mask name its channels in foreground)"
        )
    if foreground:
        raise OptionError("foreground is for one mask and regions are for several; give one of the two")
    for region in regions:
        if not all(0 <= channel < len(classes) for channel in region.channels):
            raise OptionError(
                f"channels of region '{region.name}' are {list(region.channels)} and classes name {len(classes)}; give "
                "numbers, from 0 on, of channels that classes name"
            )
        if exclusive and len(region.channels) == len(classes):
            raise OptionError(f"region '{region.name}' holds all channels of a softmax; leave one for the rest")


def refuse_regions(contract: Contract, what: str) -> None:
    """Refuse a network of several masks where one mask is needed.

    Args:
        contract: of the network.
        what: what cannot be done with it, such as `served`.

    Raises:
        ContractError: naming the masks.
    """
    refuse_classes([region.name for region in contract.regions], what)


def refuse_classes(classes: Sequence[str], what: str) -> None:
    """Refuse a network of several classes, as `refuse_regions`, by their names; none where there is one mask.

    Raises:
        ContractError: naming the classes.
    """
    if classes:
        raise ContractError(
            f"the network draws {len(classes)} masks ({', '.join(classes)}), and one of several masks cannot be {what} "
            "yet; edgeseg run, serve, node, web, android and evaluate take it. Give a network of one mask"
        )
