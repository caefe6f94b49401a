"""What a user says of a network that its file does not: a small `contract.toml`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from edgeseg.errors import ContractError, OptionError
from edgeseg.foreign.head_rules import HeadWish
from edgeseg.jsonio import JsonFormatError, from_plain
from edgeseg.runtime.contract_file import read_contract_plain
from edgeseg.runtime.model_files import model_sha256
from edgeseg.specs import CHANNELS, Contract, PostProcessing
from edgeseg.specs.contract import LAYOUTS
from edgeseg.specs.contract_toml import toml_value
from edgeseg.specs.foreign import HEADS
from edgeseg.specs.normalisation import Intensity, check_normalisation


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignContract:
    """What is said of a network; None or empty where nothing is.

    `channels` are those of the image in their order, `size` its height and width. `output` is one of `HEADS`; `classes`
    names its channels, and `foreground` those that are the mask. Bytes are multiplied by `scale` after `normalisation`,
    which `intensity` says more of where it is neither `unit` nor `slice`. `layout`, of the file's input, and
    `content_sha256`, of the file, are held against it.
    """

    channels: tuple[str, ...] = CHANNELS
    size: tuple[int, ...] = ()
    output: str | None = None
    output_name: str | None = None
    classes: tuple[str, ...] = ()
    foreground: tuple[int, ...] = ()
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
        if unknown := [name for name in self.channels if name not in CHANNELS]:
            raise OptionError(f"channels holds '{unknown[0]}'; slices have: {', '.join(CHANNELS)}")

    @property
    def pixels(self) -> tuple[int, int] | None:
        """The height and width that are asked for, None where nothing is."""
        return (self.size[0], self.size[1]) if self.size else None

    @property
    def head(self) -> HeadWish:
        """What is said of the output."""
        return HeadWish(output=self.output, foreground=self.foreground)


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
        return from_plain(ForeignContract, _of_network(plain))
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
        threshold=contract.threshold,
        normalisation=contract.normalisation,
        scale=contract.scale,
        intensity=contract.intensity,
        trained_on=contract.trained_on,
        licence=contract.licence,
        post_processing=contract.post_processing,
        seen_patients=contract.seen_patients,
        training_hash=contract.training_hash,
    )


def _of_network(plain: dict[str, Any]) -> dict[str, Any]:
    """Write height and width as a size, and leave out what is of an artifact alone."""
    sealed = plain.get("contract_sha256") is not None
    artifact = _OF_ARTIFACT | ({"content_sha256"} if sealed else frozenset())
    found = {key: value for key, value in plain.items() if key not in artifact}
    if {"height", "width"} & set(found):
        found["size"] = [found.pop(side, 0) for side in ("height", "width")]
    return found


def write_contract_toml(given: ForeignContract, facts: tuple[str, ...]) -> str:
    """Write a commented contract with what is known; `facts` are sentences about the network, for its head."""

    def listed(values: tuple[Any, ...]) -> str:
        return toml_value(list(values))

    size = listed(given.size) if given.size else "256"
    lines = (
        "# What edgeseg must know of this network. Lines that begin with # are comments.",
        *(f"# {fact}" for fact in facts),
        "",
        "# The channels of the image, in the order that the network takes them: pre, flair, post.",
        f"channels = {listed(given.channels)}",
        "# Height and width of the image, in pixels; one number where they are equal.",
        f"{'' if given.size else '# '}size = {size}",
        "# What the output is: logits, sigmoid, softmax, or probabilities of another kind.",
        f"{'' if given.output else '# '}output = {toml_value(given.output or 'logits')}",
        *((f"output_name = {toml_value(given.output_name)}",) if given.output_name else ()),
        "# Names of the output's channels, and which of them are the mask (numbers from 0, or names).",
        f"{'' if given.classes else '# '}classes = {listed(given.classes or ('background', 'tumour'))}",
        f"{'' if given.foreground else '# '}foreground = {listed(given.foreground or (1,))}",
        "# A pixel belongs to the mask where its probability is above this.",
        f"threshold = {given.threshold:g}",
        '# How bytes become numbers: "unit" (times scale), "slice" (each channel of a slice is stretched first),',
        '# "mean-std", "z-score" or "percentile"; these need [intensity] at the end, see docs/reference/contract.md.',
        f'normalisation = "{given.normalisation}"',
        f"scale = {toml_value(1 / 255 if given.scale is None else given.scale)}",
        "# What it was trained on, for reports.",
        f"trained_on = {toml_value(given.trained_on)}",
        "",
        "# [intensity]                # of z-score: over whose pixels mean and deviation are taken",
        '# over = "volume"            # or "slice"',
        '# pixels = "all"             # or "non-zero"',
    )
    return "\n".join(lines) + "\n"
