"""Another cohort's channels under the names that a network has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgeseg.data.seen_through import SeenThrough
from edgeseg.data.sequence_names import channel_name
from edgeseg.data.volume import Dataset, Volume
from edgeseg.errors import OptionError
from edgeseg.specs import ChannelSet, channel_set


class MappedChannels(SeenThrough):
    """A data set with some channels renamed.

    A channel that is not named keeps its name, unless that is given to another one by the map.
    """

    def __init__(self, dataset: Dataset, taken: Mapping[str, str], network: Sequence[str]) -> None:
        """Decide which channel is which.

        Args:
            dataset: the cohort.
            taken: from the name of a channel that the network takes to that of one that the cohort has, as it is called
                there or here (`t1n` is `pre`).
            network: the channels that the network takes.

        Raises:
            OptionError: when either does not exist.
        """
        super().__init__(dataset)
        own = dataset.channels.names
        places: dict[str, int] = {}
        for name, called in taken.items():
            if name not in network:
                raise OptionError(
                    f"--channels gives the network '{name}', and it takes: {', '.join(network)}; name one of these "
                    "before the '='"
                )
            places[name] = _place(called, own, dataset.name)
        used = set(places.values())
        kept = {name: place for place, name in enumerate(own) if place not in used and name not in places}
        self._places = dict(sorted((places | kept).items(), key=lambda item: item[1]))
        self._channels = channel_set(tuple(self._places))

    @property
    def channels(self) -> ChannelSet:
        """The channels of its slices, as the network calls them."""
        return self._channels

    def volume(self, patient: str) -> Volume:
        """Read one patient whole; images `(N, H, W, C) uint8` hold the channels in the order of `channels`."""
        volume = self._dataset.volume(patient)
        return replace(volume, images=volume.images[..., list(self._places.values())], channels=self.channels.names)


def _place(called: str, own: tuple[str, ...], data: str) -> int:
    for name in (called, channel_name(called)):
        if name in own:
            return own.index(name)
    raise OptionError(
        f"--channels takes '{called}' of the data set '{data}', and its channels are: {', '.join(own)}; name one of "
        "these after the '='"
    )
