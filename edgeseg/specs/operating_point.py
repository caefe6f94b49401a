"""What turns logits into a mask: the operating point."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edgeseg.errors import OptionError
from edgeseg.jsonio import LEFT_OUT
from edgeseg.specs.passes import check_passes
from edgeseg.specs.post_processing import PostProcessing

if TYPE_CHECKING:
    from edgeseg.specs.contract import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPoint:
    """The operating point of one of several masks, by its name."""

    name: str
    threshold: float = 0.5
    post_processing: PostProcessing = field(default_factory=PostProcessing)

    def __post_init__(self) -> None:
        """Refuse a threshold that no contract could hold."""
        _check(self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """What turns logits into a mask: the threshold on the probability, and what is dropped afterwards.

    Of several masks `classes` has what is of each. `passes` is how often the network sees a slice, as in `Contract`.
    """

    threshold: float = 0.5
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    classes: tuple[ClassPoint, ...] = field(default=(), metadata={LEFT_OUT: True})
    passes: int = field(default=1, metadata={LEFT_OUT: True})

    def __post_init__(self) -> None:
        """Refuse a threshold that no contract could hold."""
        _check(self.threshold)
        check_passes(self.passes)

    @classmethod
    def of(cls, contract: Contract) -> OperatingPoint:
        """Return the point at which a contract draws; regions keep theirs when it is applied."""
        return cls(threshold=contract.threshold, post_processing=contract.post_processing, passes=contract.passes)

    def applied(self, contract: Contract) -> Contract:
        """Return a contract at this point; regions stay as they are where nothing is said of classes.

        Raises:
            OptionError: when it has other classes than the contract has regions.
        """
        points, drawn = {one.name: one for one in self.classes}, [region.name for region in contract.regions]
        if points and sorted(points) != sorted(drawn):
            raise OptionError(
                f"threshold and post-processing were chosen for {', '.join(points)}, and the network draws "
                f"{', '.join(drawn) or 'one mask'}; choose again with its own classes"
            )
        regions = tuple(
            replace(one, threshold=points[one.name].threshold, post_processing=points[one.name].post_processing)
            if points
            else one
            for one in contract.regions
        )
        return replace(
            contract, threshold=self.threshold, post_processing=self.post_processing, regions=regions,
            passes=self.passes,
        )  # fmt: skip


def _check(threshold: float) -> None:
    if not 0.0 < threshold < 1.0:
        raise OptionError(f"threshold is {threshold}; a probability strictly between 0 and 1 is needed")
