"""What turns logits into a mask: the operating point."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.errors import OptionError
from edgeseg.specs.post_processing import PostProcessing


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """What turns logits into a mask: the threshold on the probability, and what is dropped afterwards."""

    threshold: float = 0.5
    post_processing: PostProcessing = field(default_factory=PostProcessing)

    def __post_init__(self) -> None:
        """Refuse a threshold that no contract could hold."""
        if not 0.0 < self.threshold < 1.0:
            raise OptionError(f"threshold is {self.threshold}; a probability strictly between 0 and 1 is needed")
