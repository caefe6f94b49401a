"""What a user says of a network that its file does not: a small `contract.toml`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from edgeseg.errors import ContractError, OptionError
from edgeseg.foreign.head_rules import HeadWish
from edgeseg.jsonio import LEFT_OUT, JsonFormatError, from_plain, to_plain
from edgeseg.runtime.contract_file import read_contract_plain
from edgeseg.runtime.model_files import model_sha256
from edgeseg.specs import AXIAL, CHANNELS, Contract, MaskRegion, PostProcessing, channel_set, check_passes, check_plane
from edgeseg.specs.contract import LAYOUTS
from edgeseg.specs.contract_toml import toml_tables, toml_value
from edgeseg.specs.foreign import HEADS
from edgeseg.specs.normalisation import Intensity, check_normalisation
from edgeseg.specs.region import check_mask_regions, without_trust


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignContract:
    """What is said of a network; None or empty where nothing is.

    `channels` are those of the image in their order, `reference_channel` and `stand_in` among them as in
    `edgeseg.specs.ChannelSet`; `size` is its height and width. `output` is one of `HEADS`; `classes`
    names its channels, and `foreground` those that are the mask; in place of that `regions` are several masks, and
    `exclusive` says whether one class wins each pixel where the graph does not tell. Bytes are multiplied by `scale`
    after `normalisation`, which `intensity` says more of where it is neither `unit` nor `slice`. `layout`, of the
    file's input, and `content_sha256`, of the file, are held against it. `plane` is that in which slices of a volume
    lie that it takes, `passes` how often it sees each.
    """

    channels: tuple[str, ...] = CHANNELS
    size: tuple[int, ...] = ()
    output: str | None = None
    output_name: str | None = None
    classes: tuple[str, ...] = ()
    foreground: tuple[int, ...] = ()
    regions: tuple[MaskRegion, ...] = ()
    exclusive: bool | None = None
    threshold: float = 0.5
    normalisation: str = "unit"
    scale: float | None = None
    intensity: Intensity | None = None
    trained_on: str = "unknown"
    licence: str | None = None
    layout: str | None = None
    content_sha256: str | None = None
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    seen_patients: tuple[str, ...] = ()
    training_hash: str | None = None
    reference_channel: str | None = None
    stand_in: str | None = None
    plane: str = field(default=AXIAL, metadata={LEFT_OUT: True})
    passes: int = field(default=1, metadata={LEFT_OUT: True})

    def __post_init__(self) -> None:
        """Refuse what no network could have."""
        if self.layout not in (None, *LAYOUTS):
            raise OptionError(f"layout is '{self.layout}'; choose one of: {', '.join(LAYOUTS)}")
        if self.output not in (None, *HEADS):
            raise OptionError(f"output is '{self.output}'; choose one of: {', '.join(HEADS)}")
        check_normalisation(self.normalisation, self.intensity, len(self.channels))
        if len(self.size) not in (0, 2) or any(side < 1 for side in self.size):
            raise OptionError("size is one number of pixels, or a list of height and width, such as 256 or [256, 320]")
        if not 0.0 < self.threshold < 1.0:
            raise OptionError(f"threshold is {self.threshold}; a probability strictly between 0 and 1 is needed")
        check_plane(self.plane)
        check_passes(self.passes)
        channel_set(self.channels, reference=self.reference_channel or "", stand_in=self.stand_in)
        named = self.classes or tuple(map(str, range(2 + max((max(one.channels) for one in self.regions), default=0))))
        check_mask_regions(self.regions, named, exclusive=bool(self.exclusive), foreground=self.foreground)

    @property
    def pixels(self) -> tuple[int, int] | None:
        """The height and width that are asked for, None where nothing is."""
        return (self.size[0], self.size[1]) if self.size else None

    @property
    def head(self) -> HeadWish:
        """What is said of the output."""
        return HeadWish(
            output=self.output,
            foreground=self.foreground,
            classes=self.classes,
            regions=self.regions,
            exclusive=self.exclusive,
        )


_OF_ARTIFACT = frozenset(one.name for one in fields(Contract)) - {
    "height", "width", *(one.name for one in fields(ForeignContract)),
}  # fmt: skip
"""Fields of a contract that follow from how an artifact was made, and say nothing of a network."""


def read_foreign_contract(path: Path) -> ForeignContract:
    """Read a contract document, TOML or JSON, with what is said of a network.

    It is the document that `--contract` takes beside a model, too: what that says of an artifact alone is passed over.

    Raises:
        ContractError: when it is missing or no such document, has unknown keys, or values that cannot be.
    """
    plain = read_contract_plain(path)
    try:
        return from_plain(ForeignContract, _of_network(plain), "contract")
    except (JsonFormatError, OptionError) as error:
        raise ContractError(f"{path}: not a contract ({error}); docs/how-to/own-network.md has every key") from error


def check_document(path: Path, given: ForeignContract, layout: str) -> None:
    """Refuse a contract that was written for another file than `path`, whose image is laid out as `layout`.

    Raises:
        ContractError: when layout or SHA-256 differ.
    """
    if given.layout not in (None, layout):
        raise ContractError(
            f"{path}: takes its image as {layout}, and the contract says {given.layout}; leave layout out, or give the "
            "contract of this network"
        )
    if given.content_sha256 is None or path.is_dir():
        return
    if model_sha256(path) != given.content_sha256:
        raise ContractError(
            f"{path}: the contract was written for a file whose SHA-256 is {given.content_sha256[:12]}..., and this is "
            "another; give the contract of this network, or leave content_sha256 out"
        )


def of_artifact(contract: Contract) -> ForeignContract:
    """Take over the contract that a file of edgeseg's own carries."""
    return ForeignContract(
        channels=contract.channels,
        size=(contract.height, contract.width),
        output=contract.output,
        classes=contract.classes,
        foreground=contract.foreground,
        regions=without_trust(contract.regions),
        exclusive=contract.exclusive if contract.regions else None,
        threshold=contract.threshold,
        normalisation=contract.normalisation,
        scale=contract.scale,
        intensity=contract.intensity,
        trained_on=contract.trained_on,
        licence=contract.licence,
        post_processing=contract.post_processing,
        seen_patients=contract.seen_patients,
        training_hash=contract.training_hash,
        reference_channel=contract.reference_channel,
        stand_in=contract.stand_in,
        plane=contract.plane,
        passes=contract.passes,
    )


def _of_network(plain: dict[str, Any]) -> dict[str, Any]:
    """Write height and width as a size, and leave out what is of an artifact alone, such as how far masks are trusted.

    The contract of an artifact says `exclusive` where it is so, and nothing where it is not.
    """
    sealed = plain.get("contract_sha256") is not None
    artifact = _OF_ARTIFACT | ({"content_sha256"} if sealed else frozenset())
    found = {key: value for key, value in plain.items() if key not in artifact}
    if {"height", "width"} & set(found):
        found["size"] = [found.pop(side, 0) for side in ("height", "width")]
    if isinstance(regions := found.get("regions"), list):
        found["regions"] = [
            {key: value for key, value in one.items() if key != "trust"} if isinstance(one, dict) else one
            for one in regions
        ]
    if found.get("regions") and "schema_version" in plain:
        found.setdefault("exclusive", False)
    return found


def write_contract_toml(given: ForeignContract, facts: tuple[str, ...], channels: int = 1) -> str:
    """Write a commented contract with what is known.

    Args:
        given: what is known.
        facts: sentences about the network, for its head.
        channels: of its output.
    """

    def listed(values: tuple[Any, ...]) -> str:
        return toml_value(list(values))

    size = listed(given.size) if given.size else "256"
    exclusive = "true" if given.exclusive else "false"
    lines = (
        "# What edgeseg must know of this network. Lines that begin with # are comments.",
        *(f"# {fact}" for fact in facts),
        "",
        "# Channels of the image, in the network's order, as 'edgeseg data info DATA' names them (t1n of BraTS: pre).",
        f"channels = {listed(given.channels)}",
        *(f"{key} = {toml_value(value)}" for key in _OF_CHANNELS if (value := getattr(given, key)) is not None),
        *_of_slices(given),
        "# Height and width of the image, in pixels; one number where they are equal.",
        f"{'' if given.size else '# '}size = {size}",
        "# What the output is: logits, sigmoid, softmax, or probabilities of another kind.",
        f"{'' if given.output else '# '}output = {toml_value(given.output or 'logits')}",
        *((f"output_name = {toml_value(given.output_name)}",) if given.output_name else ()),
        "# Names of the output's channels, and which of them are the mask (numbers from 0, or names).",
        f"{'' if given.classes else '# '}classes = {listed(given.classes or _class_names(channels))}",
        f"{'' if given.foreground else '# '}foreground = {listed(given.foreground or (1,))}",
        "# A pixel belongs to the mask where its probability is above this.",
        f"threshold = {given.threshold:g}",
        '# How bytes become numbers: "unit" (times scale), "slice" (each channel of a slice is stretched first),',
        '# "mean-std", "z-score" or "percentile"; these need [intensity] at the end, see docs/reference/contract.md.',
        f'normalisation = "{given.normalisation}"',
        f"scale = {toml_value(1 / 255 if given.scale is None else given.scale)}",
        "# What it was trained on, for reports.",
        f"trained_on = {toml_value(given.trained_on)}",
        *((f"licence = {toml_value(given.licence)}",) if given.licence else ()),
        *((f"seen_patients = {listed(given.seen_patients)}",) if given.seen_patients else ()),
        *(_SEVERAL if channels > 1 else ()),
        *((f"{'' if given.regions else '# '}exclusive = {exclusive}",) if channels > 1 else ()),
        *(_INTENSITY if given.intensity is None else ()),
        *toml_tables(to_plain(given)),
        *(_commented_regions(given, channels) if channels > 1 and not given.regions else ()),
    )
    return "\n".join(lines) + "\n"


def _of_slices(given: ForeignContract) -> tuple[str, ...]:
    """Write which slices a network takes, and how often."""
    return (
        "# In which plane slices of a volume lie that it takes: axial, coronal or sagittal.",
        f"plane = {toml_value(given.plane)}",
        "# How often it sees a slice: 1, or 2 for once more with left and right exchanged, and the mean of both.",
        f"passes = {given.passes}",
    )


_OF_CHANNELS = ("reference_channel", "stand_in")
_SEVERAL = (
    "# Of several masks: true where one class wins each pixel (softmax), false where each channel is by itself",
    "# (sigmoid). The graph tells it where it ends in one of these. The masks are the [[regions]] below.",
)
_INTENSITY = (
    "",
    "# [intensity]                # of z-score: over whose pixels mean and deviation are taken",
    '# over = "volume"            # or "slice"',
    '# pixels = "all"             # or "non-zero"',
)


def _class_names(channels: int) -> tuple[str, ...]:
    if channels <= 2:
        return ("background", "tumour")
    return ("background", *(f"class-{number}" for number in range(1, channels)))


def _commented_regions(given: ForeignContract, channels: int) -> list[str]:
    """Show how several masks are named: one for each class, without the background of a softmax."""
    first = 0 if given.output == "sigmoid" else 1
    names = given.classes or _class_names(channels)
    shown = range(first, channels) if channels - first > 1 else range(channels)
    lines = ["", "# Several masks in place of foreground: name them, and take the # away."]
    for label, channel in enumerate(shown, start=1):
        name = f"class-{channel}" if names[channel] == "background" else names[channel]
        lines += [
            "# [[regions]]",
            f"# name = {toml_value(name)}",
            f"# channels = [{channel}]{'             # one or more of the channels' if label == 1 else ''}",
            f"# label = {label}{'                  # in label maps, 1 to 255' if label == 1 else ''}",
            f"# threshold = {given.threshold:g}",
        ]
    return lines
