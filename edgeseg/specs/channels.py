"""What the channels of a slice are: their names, whose grid masks lie on, and what stands in for a missing one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edgeseg.errors import DatasetError, OptionError
from edgeseg.specs.one_line import check_names


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSet:
    """The channels of a data set or of a network, in order.

    Attributes:
        names: each once, such as `pre`, `flair`, `post`.
        reference: the channel on whose grid the masks are; the first unless given.
        stand_in: the channel that takes the place of one that was not acquired; None where nothing may, and a missing
            channel is an error.
    """

    names: tuple[str, ...]
    reference: str = ""
    stand_in: str | None = None

    def __post_init__(self) -> None:
        """Refuse sets without channels, names that are empty or there twice, and references to others."""
        if not self.names or len(set(self.names)) != len(self.names) or not all(self.names):
            raise OptionError(f"the channels are {list(self.names)}; give at least one, and each a name of its own")
        check_names("channel", self.names)
        if not self.reference:
            object.__setattr__(self, "reference", self.names[0])
        for what, name in (("reference", self.reference), ("stand-in", self.stand_in)):
            if name is not None and name not in self.names:
                raise OptionError(f"the {what} is '{name}', and the channels are: {', '.join(self.names)}; name one")

    @property
    def options(self) -> str:
        """The options that name their files, for messages: `--pre, --flair and --post`."""
        *first, last = (f"--{name}" for name in self.names)
        return f"{', '.join(first)} and {last}" if first else last

    def complete(self, names: Iterable[str]) -> bool:
        """Whether these channels are enough: all of them, or with a stand-in the one that masks lie on."""
        given = set(names)
        return self.reference in given and (self.stand_in in given or set(self.names) <= given)

    def require(self, names: Iterable[str], source: str) -> None:
        """Refuse channels of which one is missing that nothing may stand in for.

        Raises:
            DatasetError: with `source`, what is missing and what to do.
        """
        given = set(names)
        if self.complete(given):
            return
        needed = (self.reference, *self.names) if self.stand_in is None else (self.reference, self.stand_in)
        missing = next(name for name in needed if name not in given)
        why = "masks are drawn on its grid" if missing == self.reference else "nothing may stand in for it"
        raise DatasetError(f"{source}: '{missing}' is missing, and {why}; name it with --{missing}")

    @property
    def pictured(self) -> ChannelSet:
        """The channels that a picture of one slice holds: all of `LGG` where these are of it, else these."""
        return LGG if set(self.names) <= set(LGG.names) else self

    def places(self, names: Iterable[str]) -> tuple[int, ...]:
        """Return where each of `names` stands.

        Raises:
            OptionError: for a name that is none of the channels.
        """
        wanted = tuple(names)
        if missing := [name for name in wanted if name not in self.names]:
            raise OptionError(f"there is no channel '{missing[0]}'; the channels are: {', '.join(self.names)}")
        return tuple(map(self.names.index, wanted))


LGG = ChannelSet(names=("pre", "flair", "post"), reference="flair", stand_in="flair")
"""Of TCGA-LGG, and so of the networks that ship: there FLAIR took the place of a sequence that was not acquired."""
CHANNELS = LGG.names
"""The channels of a slice of that set, in the order that its reader gives."""


def channel_set(names: tuple[str, ...], *, reference: str = "", stand_in: str | None = None) -> ChannelSet:
    """Return the set with these names; what is not said of channels of `LGG` is as there."""
    if set(names) <= set(LGG.names) and LGG.reference in names:
        reference, stand_in = reference or LGG.reference, stand_in or LGG.stand_in
    return ChannelSet(names=names, reference=reference, stand_in=stand_in)
