"""Patients seen through another axis, where their files say how far their voxels are apart."""

from __future__ import annotations

from dataclasses import replace

from edgeseg.data.seen_through import SeenThrough
from edgeseg.data.volume import Dataset, Volume
from edgeseg.errors import DatasetError
from edgeseg.imaging import axial_spacing, from_plane, plane_spacing, to_plane
from edgeseg.specs import AXIAL, check_plane


def in_plane(volume: Volume, plane: str) -> Volume:
    """See a patient as slices of a plane; itself where that is how the slices lie.

    Args:
        volume: `images (N, H, W, C)` and masks of any plane.
        plane: of `edgeseg.specs.PLANES`.

    Returns:
        The same voxels in another order: images and masks are views.

    Raises:
        OptionError: for an unknown plane.
        DatasetError: when nothing says how far the slices are apart, so that they need not be a volume at all.
    """
    check_plane(plane)
    if plane == volume.plane:
        return volume
    if volume.spacing_mm is None:
        raise DatasetError(
            f"patient {volume.patient}: {plane} slices were asked for, and its files do not say how far theirs are "
            "apart, as NIfTI does; give the data as volumes, or leave --plane out"
        )
    images = to_plane(from_plane(volume.images, volume.plane), plane)
    masks = None if volume.masks is None else to_plane(from_plane(volume.masks, volume.plane), plane)
    return replace(
        volume,
        images=images,
        masks=masks,
        slice_names=tuple(f"{plane}_{number:03d}" for number in range(1, len(images) + 1)),
        spacing_mm=plane_spacing(axial_spacing(volume.spacing_mm, volume.plane), plane),
        plane=plane,
    )


class InPlane(SeenThrough):
    """A data set whose slices lie in a plane."""

    def __init__(self, dataset: Dataset, plane: str) -> None:
        """Take the data set.

        Raises:
            OptionError: for an unknown plane.
        """
        check_plane(plane)
        super().__init__(dataset)
        self.plane = plane

    def volume(self, patient: str) -> Volume:
        """Read one patient whole; see `in_plane` for what it raises beside what the data set does."""
        return in_plane(self._dataset.volume(patient), self.plane)


def seen_in(dataset: Dataset, plane: str) -> Dataset:
    """Return a data set whose slices lie in a plane; itself for axial ones.

    Raises:
        OptionError: for an unknown plane.
    """
    check_plane(plane)
    return dataset if plane == AXIAL else InPlane(dataset, plane)
