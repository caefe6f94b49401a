"""The image a network takes, and which network it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from edgeseg.errors import OptionError
from edgeseg.jsonio import LEFT_OUT
from edgeseg.specs.channels import CHANNELS
from edgeseg.specs.plane import AXIAL, check_plane


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """The image a network takes: `(N, height, width, len(channels)) float32 in [0, 1], NHWC`.

    `classes` are the names of the logits that it gives for each pixel where it gives several, empty where it gives one.
    `plane` is the one of `PLANES` in which the slices lie that it learned from.
    """

    height: int = 256
    width: int = 256
    channels: tuple[str, ...] = CHANNELS
    classes: tuple[str, ...] = field(default=(), metadata={LEFT_OUT: True})
    plane: str = field(default=AXIAL, metadata={LEFT_OUT: True})

    def __post_init__(self) -> None:
        """Refuse empty images, and classes that are one alone or there twice."""
        check_plane(self.plane)
        if len(self.classes) == 1 or len(set(self.classes)) != len(self.classes):
            raise OptionError(
                f"classes are {list(self.classes)}; name each of several once, or none where there is one"
            )
        if self.height < 1 or self.width < 1 or not self.channels:
            raise OptionError(f"an image of {self.height} x {self.width} x {len(self.channels)} is empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSpec:
    """Which network: a family, the multiplier of every width, the form of its stem, and how widths grow with depth.

    `profile` is `double` (64, 128 ... 1024 channels at alpha 1.0, as in the U-Net) or `flat` (128 on every level).
    `stem` is `full` (first level at the image's resolution), or `half` or `quarter`: the image enters through a
    convolution of stride 2 or 4, the space-to-depth form, and leaves through a transposed one of the same stride.
    `levels` holds the channels of every level, the bottom's last, in place of a profile; alpha multiplies them too.
    `convolutions` holds how many the blocks of each level have, likewise, or how many each block has, down and up again
    in the order in which they run; on the way up a block may have none. It is empty where the family decides.
    `widths` is empty where these decide, and else holds the channels of every slot of the network in order
    (`edgeseg.variants.slots`), as channel pruning leaves them; the others then say what was pruned.
    """

    name: str = "alphax"
    alpha: float = 0.125
    stem: str = "half"
    profile: str = "double"
    widths: tuple[int, ...] = ()
    levels: tuple[int, ...] = field(default=(), metadata={LEFT_OUT: True})
    convolutions: tuple[int, ...] = field(default=(), metadata={LEFT_OUT: True})

    def __post_init__(self) -> None:
        """Refuse an alpha outside (0, 1], unknown stems and profiles, and layers without channels or convolutions."""
        if not 0.0 < self.alpha <= 1.0:
            raise OptionError(f"alpha is {self.alpha}; it multiplies every width and must lie in (0, 1]")
        if self.stem not in ("full", "half", "quarter"):
            raise OptionError(f"stem is '{self.stem}'; choose one of: full, half, quarter")
        if self.profile not in ("double", "flat"):
            raise OptionError(f"profile is '{self.profile}'; choose one of: double, flat")
        if any(width < 1 for width in self.widths):
            raise OptionError(f"widths hold {min(self.widths)}; every layer needs at least 1 channel")
        if any(width < 1 for width in self.levels):
            raise OptionError(f"levels hold {min(self.levels)}; every level needs at least 1 channel")
        if self.levels and self.profile != "double":
            raise OptionError(f"profile is '{self.profile}' and levels give the widths as well; leave one of them out")
        if any(not 0 <= count <= 9 for count in self.convolutions):
            raise OptionError(f"convolutions are {list(self.convolutions)}; a block has at most 9 of them")

    @property
    def slug(self) -> str:
        """A short name fit for files and tables: `unet`, `alphax-0.125-half`, `alphax-0.25-half-flat`.

        Levels and convolutions stand in it as they are, `alphax-half-8.32.48.64.96-c11222`. Pruned widths end it with 6
        hex digits of their hash, `alphax-0.125-half-w1f2e3d`.
        """
        parts = [self.name]
        if self.alpha != 1.0:
            parts.append(f"{self.alpha:g}")
        if self.stem != "full":
            parts.append(self.stem)
        if self.profile != "double":
            parts.append(self.profile)
        if self.levels:
            parts.append(".".join(map(str, self.levels)))
        if self.convolutions:
            parts.append("c" + "".join(map(str, self.convolutions)))
        if self.widths:
            parts.append("w" + hashlib.sha256(",".join(map(str, self.widths)).encode()).hexdigest()[:6])
        return "-".join(parts)
