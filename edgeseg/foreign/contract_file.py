"""What a user says of a network that its file does not: a small `contract.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.errors import ContractError, OptionError
from edgeseg.foreign.head_rules import HeadWish
from edgeseg.jsonio import JsonFormatError, from_plain, parse_toml, read_document
from edgeseg.specs import CHANNELS, Contract
from edgeseg.specs.foreign import HEADS
from edgeseg.specs.normalisation import Intensity, check_normalisation


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignContract:
    """What is said of a network; None or empty where nothing is.

    `channels` are those of the image in their order, `size` its height and width. `output` is one of `HEADS`; `classes`
    names its channels, and `foreground` those that are the mask. Bytes are multiplied by `scale` after `normalisation`,
    which `intensity` says more of where it is neither `unit` nor `slice`.
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

    def __post_init__(self) -> None:
        """Refuse what no network could have."""
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


def read_contract_toml(path: Path) -> ForeignContract:
    """Read a `contract.toml`.

    Raises:
        ContractError: when it is missing or no TOML, has unknown keys, or values that cannot be.
    """
    try:
        plain = parse_toml(read_document(path))
        return from_plain(ForeignContract, _plain(plain))
    except OSError as error:
        raise ContractError(
            f"{path}: the contract cannot be read ({error.strerror or error}); check the path"
        ) from error
    except (JsonFormatError, OptionError) as error:
        raise ContractError(f"{path}: not a contract ({error}); docs/how-to/own-network.md has every key") from error


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
    )


def _plain(plain: dict[str, Any]) -> dict[str, Any]:
    """Write one number of pixels as two, and names of classes as their numbers."""
    found = dict(plain)
    if isinstance(found.get("size"), int):
        found["size"] = [found["size"], found["size"]]
    classes, foreground = found.get("classes"), found.get("foreground")
    if isinstance(foreground, int | str):
        foreground = [foreground]
    if isinstance(foreground, list):
        found["foreground"] = [_number(entry, classes) for entry in foreground]
    return found


def _number(entry: Any, classes: Any) -> Any:
    if not isinstance(entry, str):
        return entry
    if not isinstance(classes, list) or entry not in classes:
        raise OptionError(f"foreground names '{entry}', which is not among classes; give its number, or list classes")
    return classes.index(entry)


def write_contract_toml(given: ForeignContract, facts: tuple[str, ...]) -> str:
    """Write a commented contract with what is known; `facts` are sentences about the network, for its head."""

    def listed(values: tuple[Any, ...]) -> str:
        return "[" + ", ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in values) + "]"

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
        f'{"" if given.output else "# "}output = "{given.output or "logits"}"',
        *((f'output_name = "{given.output_name}"',) if given.output_name else ()),
        "# Names of the output's channels, and which of them are the mask (numbers from 0, or names).",
        f"{'' if given.classes else '# '}classes = {listed(given.classes or ('background', 'tumour'))}",
        f"{'' if given.foreground else '# '}foreground = {listed(given.foreground or (1,))}",
        "# A pixel belongs to the mask where its probability is above this.",
        f"threshold = {given.threshold:g}",
        '# How bytes become numbers: "unit" (times scale), "slice" (each channel of a slice is stretched first),',
        '# "mean-std", "z-score" or "percentile"; these need [intensity] at the end, see docs/reference/contract.md.',
        f'normalisation = "{given.normalisation}"',
        f"scale = {1 / 255 if given.scale is None else given.scale!r}",
        "# What it was trained on, for reports.",
        f'trained_on = "{given.trained_on}"',
        "",
        "# [intensity]                # of z-score: over whose pixels mean and deviation are taken",
        '# over = "volume"            # or "slice"',
        '# pixels = "all"             # or "non-zero"',
    )
    return "\n".join(lines) + "\n"
