"""What travels inside an artifact."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace

from edgeseg.errors import OptionError
from edgeseg.jsonio import LEFT_OUT
from edgeseg.specs.channels import CHANNELS, ChannelSet, channel_set
from edgeseg.specs.golden_case import GoldenCase
from edgeseg.specs.network import ImageSpec, VariantSpec
from edgeseg.specs.normalisation import MEAN_STD, VOLUME, Intensity, check_normalisation
from edgeseg.specs.one_line import check_names
from edgeseg.specs.passes import PASSES, check_passes
from edgeseg.specs.plane import AXIAL, check_plane
from edgeseg.specs.post_processing import PostProcessing
from edgeseg.specs.probability import LEAST_THRESHOLD
from edgeseg.specs.region import MaskRegion, check_mask_regions
from edgeseg.specs.trust import OutputTrust, Trust, check_trust

CONTRACT_SCHEMA_VERSION = 2
OTHERS_CONTRACT_SCHEMA_VERSION = 3
"""What documents about networks that others made have unless they say otherwise."""
NEWEST_CONTRACT_SCHEMA_VERSION = 6
"""What is read. A contract is written as the least version that has its fields: 6 with `trust` of regions, 5 with
`passes`, 4 with `trust`, 3 with `_OF_3`."""
OUTPUTS = ("logits", "probabilities", "softmax")
"""What a network may give for each pixel, the default first; `softmax` are probabilities of channels that share 1."""
LAYOUTS = ("NCHW", "NHWC")
PROFILES = ("arm", "x86")
"""Build profiles of int8, the default first: signed 8 bits at full range, or what stays exact on every x86."""
_BYTE = 1.0 / 255.0
MAX_SIDE_PX = 4096
_DIGEST = re.compile("[0-9a-f]{64}")
INTENDED_USE = "Research use only. Not a medical device; not for diagnosis or treatment."


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a device must know to run an artifact; it travels inside the artifact.

    The image is `uint8` in `channels` order, resampled to `height` x `width`, normalised as `normalisation` says
    (stretched where it is `slice`, multiplied by `scale` into [0, 1]; others read `intensity`) and laid out as
    `layout`. The artifact returns `output`, laid out as `output_layout`, None for the same: logits, or probabilities,
    of which a runner takes the logit; a pixel is tumour when its probability is above `threshold`, which is its logit
    above `logit_threshold`, and `post_processing` does not drop its component. Of several channels `classes` has the
    names, and `foreground` the numbers of those that are tumour. Where `regions` are given there is a mask for each of
    them in place of one, with a threshold and post-processing of its own; `exclusive` says that the channels are those
    of a softmax, so that one of them wins each pixel. `seen_patients` holds what `seen_entries` makes of
    every patient that training or calibration used, so that a tool that has the site's key can refuse to evaluate on
    them, and nobody else can find out who they are. `licence` is that of the weights, None where edgeseg cannot know
    it. `profile` is the one of `PROFILES` that an int8 artifact was built for, None for float. `golden` is what the
    artifact finds on a drawing that any device can make, None where it finds nothing sensible. The two digests are of
    the file without the contract, and of the contract's own text; None where nothing was sealed, as in schema
    version 1. `float_layers` are the layers of an int8 artifact that are computed in float, empty where all are int8.
    `reference_channel` is the one on whose grid masks lie and `stand_in` what takes the place of one that was not
    acquired; None for what `edgeseg.specs.channel_set` takes. `plane` is
    the one of `edgeseg.specs.PLANES` in which slices of a volume lie that the network takes. `trust` tells how far a
    mask is to be trusted, None where nobody measured it; of several masks each has its own in `regions`. With 2
    `passes` the network sees each slice a second time, with left and right exchanged, and its logits are the mean of
    both.
    docs/reference/contract.md has every field.
    """

    variant: VariantSpec
    tier: str
    target: str
    layout: str
    trained_on: str
    schema_version: int = CONTRACT_SCHEMA_VERSION
    channels: tuple[str, ...] = CHANNELS
    height: int = 256
    width: int = 256
    normalisation: str = "unit"
    scale: float = _BYTE
    threshold: float = 0.5
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    training_hash: str | None = None
    calibrated_on: str | None = None
    calibration_hash: str | None = None
    seen_patients: tuple[str, ...] = ()
    licence: str | None = None
    intended_use: str = INTENDED_USE
    profile: str | None = None
    golden: GoldenCase | None = None
    content_sha256: str | None = None
    contract_sha256: str | None = None
    float_layers: tuple[str, ...] = ()
    output: str = field(default=OUTPUTS[0], metadata={LEFT_OUT: True})
    intensity: Intensity | None = field(default=None, metadata={LEFT_OUT: True})
    output_layout: str | None = field(default=None, metadata={LEFT_OUT: True})
    classes: tuple[str, ...] = field(default=(), metadata={LEFT_OUT: True})
    foreground: tuple[int, ...] = field(default=(), metadata={LEFT_OUT: True})
    reference_channel: str | None = field(default=None, metadata={LEFT_OUT: True})
    stand_in: str | None = field(default=None, metadata={LEFT_OUT: True})
    regions: tuple[MaskRegion, ...] = field(default=(), metadata={LEFT_OUT: True})
    exclusive: bool = field(default=False, metadata={LEFT_OUT: True})
    plane: str = field(default=AXIAL, metadata={LEFT_OUT: True})
    trust: Trust | None = field(default=None, metadata={LEFT_OUT: True})
    passes: int = field(default=PASSES[0], metadata={LEFT_OUT: True})

    def __post_init__(self) -> None:
        """Refuse a layout, size, scale, threshold or digest that no runner could honour."""
        for name in ("layout", "output_layout"):
            if getattr(self, name) not in (*LAYOUTS, *((None,) if name == "output_layout" else ())):
                raise OptionError(f"{name} is '{getattr(self, name)}'; choose one of: {', '.join(LAYOUTS)}")
        _ = self.channel_set
        check_plane(self.plane)
        check_normalisation(self.normalisation, self.intensity, len(self.channels))
        _check_classes(self.output, self.classes, self.foreground, bool(self.regions))
        check_mask_regions(self.regions, self.classes, exclusive=self.exclusive, foreground=self.foreground)
        check_passes(self.passes)
        check_trust(self.trust, masks=len(self.regions) or 1, channels=len(self.channels))
        if self.output not in OUTPUTS:
            raise OptionError(f"output is '{self.output}'; choose one of: {', '.join(OUTPUTS)}")
        if self.profile not in (None, *PROFILES):
            raise OptionError(f"profile is '{self.profile}'; choose one of: {', '.join(PROFILES)}")
        if not LEAST_THRESHOLD <= self.threshold <= 1.0 - LEAST_THRESHOLD:
            raise OptionError(
                f"threshold is {self.threshold}; a probability strictly between 0 and 1 is needed, at least "
                f"{LEAST_THRESHOLD:g} from both"
            )
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise OptionError(f"scale is {self.scale}; what a byte is multiplied by must be positive and finite")
        for name in ("content_sha256", "contract_sha256"):
            value = getattr(self, name)
            if value is not None and not _DIGEST.fullmatch(value):
                raise OptionError(f"{name} is '{value[:70]}'; 64 hex digits are needed")
        if self.height < 1 or self.width < 1 or max(self.height, self.width) > MAX_SIDE_PX:
            raise OptionError(
                f"the image is {self.height} x {self.width}; each side must have 1 to {MAX_SIDE_PX} pixels"
            )

    @property
    def logit_threshold(self) -> float:
        """The threshold in logit space, `log(p / (1 - p))`."""
        return math.log(self.threshold / (1.0 - self.threshold))

    @property
    def image(self) -> ImageSpec:
        """The network's input as an `ImageSpec`."""
        names = tuple(region.name for region in self.regions)
        return ImageSpec(height=self.height, width=self.width, channels=self.channels, classes=names, plane=self.plane)

    @property
    def masks(self) -> tuple[Contract, ...]:
        """A contract for each mask, as of a network that gives its logits alone; itself where there is one mask."""
        if not self.regions:
            return (self,)
        one = replace(self, output=OUTPUTS[0], classes=(), regions=(), exclusive=False, golden=None, trust=None)
        return tuple(
            replace(one, threshold=region.threshold, post_processing=region.post_processing) for region in self.regions
        )

    @property
    def output_trusts(self) -> tuple[OutputTrust | None, ...]:
        """What the output tells of each mask, in the order of `masks`; None where nobody measured it."""
        if self.regions:
            return tuple(region.trust for region in self.regions)
        return (None if self.trust is None else self.trust.output,)

    def drops(self, *, volume: bool) -> bool:
        """Whether small components of a mask are dropped from volumes, or from lone slices."""
        return any(one.post_processing.applies(volume=volume) for one in self.masks)

    @property
    def channel_set(self) -> ChannelSet:
        """The channels with the one on whose grid masks lie, and what stands in for a missing one."""
        return channel_set(self.channels, reference=self.reference_channel or "", stand_in=self.stand_in)

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """The shape of what the network gives for one slice: a channel for each class, one where none are named."""
        channels, size = len(self.classes) or 1, (self.height, self.width)
        return (1, channels, *size) if (self.output_layout or self.layout) == LAYOUTS[0] else (1, *size, channels)

    @property
    def by_volume(self) -> bool:
        """Whether the pixels of a whole volume have to be counted before its first slice can be normalised."""
        return self.intensity is not None and self.normalisation != MEAN_STD and self.intensity.over == VOLUME

    @property
    def usual_input(self) -> bool:
        """Whether the network takes what edgeseg's own take: values in [0, 1], a byte being 1 / 255."""
        return self.intensity is None and self.scale == _BYTE

    def versioned(self) -> Contract:
        """Return the contract with the schema version that its fields need; itself where it has that."""
        of_3 = any(getattr(self, name) for name in _OF_3) or self.output != OUTPUTS[0] or self.plane != AXIAL
        newer = (any(region.trust for region in self.regions), self.passes != PASSES[0], self.trust is not None, of_3)
        of_newest = NEWEST_CONTRACT_SCHEMA_VERSION
        needed = next((of_newest - at for at, has in enumerate(newer) if has), self.schema_version)
        return self if self.schema_version >= needed else replace(self, schema_version=needed)


_OF_3 = ("intensity", "output_layout", "classes", "foreground", "reference_channel", "stand_in", "regions")


def _check_classes(output: str, classes: tuple[str, ...], foreground: tuple[int, ...], regions: bool) -> None:
    if len(set(classes)) != len(classes) or len(classes) == 1:
        raise OptionError(f"classes are {list(classes)}; name each of several channels once, or leave classes out")
    check_names("class", classes)
    if output == OUTPUTS[2] and not classes:
        raise OptionError("output is 'softmax' and classes are missing; name the channels that it is taken over")
    if (not classes or regions) and not foreground:
        return
    inside = all(0 <= number < len(classes) for number in foreground)
    if not (
        inside
        and 0 < len(set(foreground)) == len(foreground)
        and (output == OUTPUTS[1] or len(foreground) < len(classes))
    ):
        raise OptionError(
            f"foreground is {list(foreground)} and there are {len(classes)} classes; give the numbers, from 0 on, of "
            "those that are tumour, and leave at least one for the rest"
        )
