"""What data sets share whose patients are read whole: names, labels, sites, and nothing of any format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from edgeseg.data.labels import Labels
from edgeseg.data.listing import require_patient
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError
from edgeseg.specs import ChannelSet


class WholeSet(ABC):
    """Patients whose channels are files of their own; an `edgeseg.data.volume.Dataset`."""

    def __init__(
        self, root: Path, *, name: str, channels: ChannelSet, labels: Labels, layout: str, sites: Mapping[str, str]
    ) -> None:
        """Take the patients with their sites, "" where none is known."""
        self.root, self.name, self.channels, self.labels, self.layout = root, name, channels, labels, layout
        self._sites = sites

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of what its masks tell apart; empty where that is one region."""
        return self.labels.classes

    @property
    def patients(self) -> tuple[str, ...]:
        """All patient ids, sorted."""
        return tuple(sorted(self._sites))

    def institution(self, patient: str) -> str:
        """The patient's site, or "" where the layout does not say."""
        require_patient(self, patient)
        return self._sites[patient]

    @abstractmethod
    def files(self, patient: str) -> tuple[Path, ...]:
        """All files of a patient, the mask's last."""

    @abstractmethod
    def volume(self, patient: str) -> Volume:
        """Read one patient whole, seen and brought to bytes as the runner does it.

        Raises:
            ImageError: when a channel is missing or damaged.
            MaskError: when the mask is missing, on another grid, or holds what is no label of the set.
            DatasetError: when a volume cannot be used.
        """


def shown(volume: Volume) -> Volume:
    """Return a volume, unless one of its channels shows nothing: a missing sequence that a file was made for.

    Raises:
        DatasetError: when a channel has one value on all slices, as it has where no voxel is a finite number.
    """
    for place, name in enumerate(volume.channels):
        channel = volume.images[..., place]
        if len(channel) > 1 and channel.min() == channel.max():
            raise DatasetError(
                f"channel '{name}' of {volume.patient} has one value in every voxel, or none that is a number, so it "
                "shows nothing; give the sequence's file, or leave the patient out"
            )
    return volume


def slice_numbers(count: int) -> tuple[str, ...]:
    """Name slices that have no names: `slice_001`, `slice_002` ..."""
    return tuple(f"slice_{number:03d}" for number in range(1, count + 1))
