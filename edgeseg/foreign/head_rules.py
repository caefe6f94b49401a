"""What the output of somebody's network is, by what its graph ends in and what its user says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeseg.errors import ArtifactError, ContractError, OptionError
from edgeseg.specs import MaskRegion

LOGARITHM = (
    "the last layer '{name}', the logarithm of a softmax, is cut off; it moves all classes of a pixel by as much"
)
"""What is said of an end whose differences are those of what stands before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadWish:
    """What the user says of the output, None or empty where nothing: see `docs/how-to/own-network.md`."""

    output: str | None = None
    foreground: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    regions: tuple[MaskRegion, ...] = ()
    exclusive: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """What an output draws: one mask of the channels `foreground`, or one for each of `regions`.

    Of regions `classes` names all channels, and `exclusive` says that one of them wins each pixel.
    """

    foreground: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    regions: tuple[MaskRegion, ...] = ()
    exclusive: bool = False


def decide_kind(
    found: str, channels: int, path: Path, wish: HeadWish, notes: list[str], *, bounded: Callable[[], bool]
) -> str:
    """Say what an output is, one of `edgeseg.specs.foreign.HEADS`.

    Args:
        found: what the graph ends in, `sigmoid`, `softmax` or nothing.
        channels: of the output.
        path: of the file, for messages.
        wish: what the user says of it.
        notes: gains what was assumed.
        bounded: whether the values lie between 0 and 1 by how they are made.

    Raises:
        ContractError: when the user contradicts the graph.
        ArtifactError: when the output is the same everywhere.
    """
    said = wish.output
    if found:
        fits = (None, found, "probabilities")
        if said not in fits:
            raise ContractError(
                f"{path}: its graph ends in a {found}, and the contract says that the output is {said}; say "
                f'output = "{found}", or leave the line out'
            )
        if found == "softmax" and channels == 1:
            raise ArtifactError(
                f"{path}: ends in a softmax over one channel, which gives 1 everywhere; train it with a sigmoid"
            )
        return found
    if said in ("sigmoid", "probabilities"):
        notes.append("the output is taken as probabilities, since the contract says so; no sigmoid was found")
        return "probabilities"
    if said is None and bounded():
        notes.append("its output lies between 0 and 1, so it is taken as probabilities; nothing is cut off")
        return "probabilities"
    if said == "softmax":
        raise ContractError(
            f"{path}: the contract says that the output is a softmax, and the graph ends in none; say "
            'output = "logits" for the values before one'
        )
    if said is None:
        notes.append("no sigmoid and no softmax at the end, so its output is taken as logits")
    return "logits"


def decide_masks(kind: str, channels: int, path: Path, wish: HeadWish, notes: list[str]) -> Masks:
    """Say which channels of an output are the mask, or the masks; `notes` gains what was assumed.

    Raises:
        ContractError: when the user names one that is not there, or all of several classes, or contradicts the graph.
        OptionError: when neither the graph nor the user tells.
    """
    if wish.classes and len(wish.classes) != channels:
        raise ContractError(
            f"{path}: the contract names {len(wish.classes)} classes ({', '.join(wish.classes)}) and the output has "
            f"{channels} channel(s); name each of them once, or leave classes out"
        )
    if not wish.regions:
        return Masks(foreground=_foreground(kind, channels, path, wish, notes))
    _check_regions(channels, path, wish)
    exclusive = _exclusive(kind, path, wish)
    shared = "one channel wins each pixel" if exclusive else "each by itself, so they may overlap"
    notes.append(f"its {channels} channels draw {len(wish.regions)} masks: {shared_names(wish.regions)}; {shared}")
    names = wish.classes or tuple(f"channel-{channel}" for channel in range(channels))
    return Masks(classes=names, regions=wish.regions, exclusive=exclusive)


def shared_names(regions: Sequence[MaskRegion]) -> str:
    """Say what each mask is made of, such as `whole (1+2+3), core (1+3)`."""
    return ", ".join(f"{region.name} ({'+'.join(map(str, region.channels))})" for region in regions)


def _check_regions(channels: int, path: Path, wish: HeadWish) -> None:
    for region in wish.regions:
        if any(not 0 <= channel < channels for channel in region.channels):
            raise ContractError(
                f"{path}: region '{region.name}' of the contract is made of the channels {list(region.channels)} and "
                f"the output has {channels}; channels are counted from 0 to {channels - 1}"
            )


def _exclusive(kind: str, path: Path, wish: HeadWish) -> bool:
    """Whether channels share 1 among them, so that one wins each pixel."""
    said = wish.exclusive
    if kind in ("sigmoid", "softmax"):
        found = kind == "softmax"
        if said not in (None, found):
            what = "one class wins each pixel" if found else "each channel is by itself"
            raise ContractError(
                f"{path}: its graph ends in a {kind}, so {what}, and the contract says exclusive = "
                f"{str(said).lower()}; leave the line out"
            )
        return found
    if said is None and kind == "logits":
        raise OptionError(
            f"{path}: gives logits, and whether its classes share a pixel is not known; say it in the contract: "
            "exclusive = true where a softmax belongs behind them, exclusive = false where a sigmoid does"
        )
    return bool(said)


def _foreground(kind: str, channels: int, path: Path, wish: HeadWish, notes: list[str]) -> tuple[int, ...]:
    if any(not 0 <= channel < channels for channel in wish.foreground):
        raise ContractError(
            f"{path}: the contract names channel {max(wish.foreground)} as foreground and the output has {channels}; "
            f"channels are counted from 0 to {channels - 1}"
        )
    alone = kind in ("sigmoid", "probabilities")
    if wish.foreground:
        if len(set(wish.foreground)) == channels and channels > 1 and not alone:
            raise ContractError(f"{path}: the contract names all {channels} classes as foreground; one is background")
        return tuple(sorted(set(wish.foreground)))
    if channels == 1:
        return (0,)
    if channels == 2 and not alone:
        notes.append("of its two classes the second is taken as the mask and the first as background")
        return (1,)
    raise OptionError(
        f"{path}: gives {channels} channels, and which of them are the mask is not known; say it in a contract, such "
        "as foreground = [1], or several masks with [[regions]] (--contract FILE; --ask writes one)"
    )


def enlargement(given: tuple[int, int], image: tuple[int, int], path: Path, notes: list[str]) -> int:
    """Say how many times a map of `given` rows and columns goes into an image; `notes` says so where it is more than 1.

    Raises:
        ArtifactError: when it is no whole fraction of the image.
    """
    (height, width), (rows, columns) = image, given
    if (rows, columns) == (height, width):
        return 1
    shown = f"{rows} x {columns} of an image of {height} x {width}"
    if not rows or not columns or height % rows or width % columns or height // rows != width // columns:
        raise ArtifactError(
            f"{path}: gives a map of {shown}, which is no whole fraction of it: cropped or enlarged on the way; train "
            "or export it with padding='same', so that every pixel has its value"
        )
    factor = height // rows
    notes.append(f"gives a map of {shown}; its logits are enlarged {factor} times, bilinear, to the image's size")
    return factor
