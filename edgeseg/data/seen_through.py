"""A data set seen in another way: what stays as it is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from edgeseg.data.volume import Dataset, Volume
from edgeseg.specs import ChannelSet


class SeenThrough(ABC):
    """The patients of another data set; a subclass says what differs. Satisfies `edgeseg.data.volume.Dataset`."""

    def __init__(self, dataset: Dataset) -> None:
        """Take the data set; nothing is read yet."""
        self._dataset = dataset

    @property
    def name(self) -> str:
        """The data set's name."""
        return self._dataset.name

    @property
    def channels(self) -> ChannelSet:
        """The channels of its slices."""
        return self._dataset.channels

    @property
    def classes(self) -> tuple[str, ...]:
        """What its masks tell apart."""
        return self._dataset.classes

    @property
    def patients(self) -> tuple[str, ...]:
        """All patient ids, sorted."""
        return self._dataset.patients

    def institution(self, patient: str) -> str:
        """The patient's institution, or ""."""
        return self._dataset.institution(patient)

    @abstractmethod
    def volume(self, patient: str) -> Volume:
        """Read one patient whole."""
