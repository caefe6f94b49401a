"""The small self-test that a contract carries: a drawing made of whole numbers, and what the artifact found on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeseg.errors import OptionError

UNITS = 1024
"""Places and sizes of ellipses are in 1/1024 of the image's height and width."""

MAX_ELLIPSES, MAX_LOGITS = 64, 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenLogit:
    """The logit of one pixel of the drawing."""

    row: int
    column: int
    logit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenDrawing:
    """What is drawn: ellipses, noise, and a box filter, as docs/reference/contract.md defines them step by step.

    `ellipses` are `(cy, cx, ry, rx, pre, flair, post)`, `noise` is an amplitude in bytes, `blur` counts filter passes.
    """

    ellipses: tuple[tuple[int, ...], ...]
    noise: int
    blur: int

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn with bytes."""
        for ellipse in self.ellipses:
            if (
                len(ellipse) != 7
                or min(ellipse[2:]) < 0
                or max(ellipse[4:]) > 255
                or max(map(abs, ellipse)) > 2 * UNITS
            ):
                raise OptionError(f"ellipse {list(ellipse)} is not cy, cx, ry, rx in 1/{UNITS} and three bytes")
        if len(self.ellipses) > MAX_ELLIPSES:
            raise OptionError(f"{len(self.ellipses)} ellipses were given; a drawing has at most {MAX_ELLIPSES}")
        if not (self.ellipses and 0 <= self.noise <= 127 and 0 <= self.blur <= 8):
            raise OptionError(
                f"{len(self.ellipses)} ellipses, noise {self.noise} and blur {self.blur} were given; at least 1, "
                "0 to 127 and 0 to 8 are needed"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenCase:
    """A drawing and the mask that one artifact draws on it, before post-processing, on the contract's grid.

    `mask_runs` are run lengths in row-major order, 0 first, with a space between; `allowed_flips` says how many pixels
    may differ on a device, `logit_tolerance` how far each of `logits` may be off, and `reason` where both come from.
    `made_with` names the runtime and the arithmetic that drew the mask.
    """

    ellipses: tuple[tuple[int, ...], ...]
    noise: int
    blur: int
    input_sha256: str
    mask_runs: str
    mask_sha256: str
    tumour_pixels: int
    allowed_flips: int
    logits: tuple[GoldenLogit, ...]
    logit_tolerance: float
    reason: str
    made_with: str

    def __post_init__(self) -> None:
        """Refuse a case that no device could check itself against."""
        GoldenDrawing(ellipses=self.ellipses, noise=self.noise, blur=self.blur)
        if self.tumour_pixels < 1 or self.allowed_flips < 0:
            raise OptionError(
                f"a golden case of {self.tumour_pixels} tumour pixels with {self.allowed_flips} allowed to flip proves "
                "nothing; at least 1 and 0 are needed"
            )
        if len(self.logits) > MAX_LOGITS:
            raise OptionError(f"{len(self.logits)} logits were given; a golden case has at most {MAX_LOGITS}")
        if not (math.isfinite(self.logit_tolerance) and self.logit_tolerance > 0):
            raise OptionError(f"logit_tolerance is {self.logit_tolerance}; it must be positive and finite")

    @property
    def drawing(self) -> GoldenDrawing:
        """What is drawn."""
        return GoldenDrawing(ellipses=self.ellipses, noise=self.noise, blur=self.blur)
