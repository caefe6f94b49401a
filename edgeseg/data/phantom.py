"""Made-up patients that stand in for real ones: whole MRI volumes of a head with a lesion and its exact mask.

A phantom imitates the TCGA-LGG slices closely enough for demonstrations, golden vectors and gates: three sequences,
256 by 256, not skull-stripped, four made-up institutions that differ in gain, noise, head size and number of slices,
and now and then a missing sequence filled with FLAIR. It says nothing about accuracy on real patients.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg import artifacts
from edgeseg.data.phantom_anatomy import FLOOR_Z, VERTEX_Z, Head
from edgeseg.data.phantom_channels import in_channels
from edgeseg.data.phantom_fields import SIDE, Plane
from edgeseg.data.phantom_lesion import Lesion
from edgeseg.data.phantom_scanner import FLAIR, INSTITUTIONS, POST, PRE, Scanner
from edgeseg.data.volume import PHANTOM, Dataset, Volume
from edgeseg.errors import DatasetError, OptionError, OutputError
from edgeseg.progress import Progress
from edgeseg.specs import LGG, ChannelSet, check_seed

_LIMIT = 10_000
_CYCLE = (0, 1, 2, 3, 0, 1, 0, 1)
"""Which institution the patients come from, in turn."""


class PhantomDataset:
    """Phantoms `start` to `start + patients - 1` of one seed, made when asked for."""

    def __init__(self, patients: int = 8, seed: int = 0, start: int = 0, *, channels: ChannelSet = LGG) -> None:
        """Name the patients; nothing is drawn yet.

        Args:
            patients: how many, at least 1.
            seed: of the whole series; at least 0.
            start: number of the first; ranges that do not overlap give patients that no other range holds.
            channels: of the slices; see `edgeseg.data.phantom_channels`.

        Raises:
            OptionError: for a number out of its range.
        """
        if patients < 1 or start < 0 or start + patients > _LIMIT:
            raise OptionError(
                f"phantom patients {start} to {start + patients - 1} were asked for; there are numbers 0 to"
                f" {_LIMIT - 1} and at least one patient must be made: choose another start or count"
            )
        check_seed(seed)
        self._seed, self.channels = seed, channels
        self._index = {_patient(index): index for index in range(start, start + patients)}
        self._patients = tuple(sorted(self._index))

    classes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`phantom`."""
        return PHANTOM

    @property
    def patients(self) -> tuple[str, ...]:
        """All patient ids, sorted."""
        return self._patients

    def institution(self, patient: str) -> str:
        """Return PA, PB, PC or PD.

        Raises:
            DatasetError: for a patient this set does not hold.
        """
        return INSTITUTIONS[_CYCLE[self._number(patient) % len(_CYCLE)]].code

    def volume(self, patient: str) -> Volume:
        """Make one patient, the same at each call.

        Raises:
            DatasetError: for a patient this set does not hold.
        """
        volume = phantom_volume(self._number(patient), seed=self._seed)
        return replace(volume, images=in_channels(volume.images, self.channels), channels=self.channels.names)

    def _number(self, patient: str) -> int:
        if patient not in self._index:
            raise DatasetError(
                f"no phantom '{patient}' in this set; it holds {len(self._patients)} patients,"
                f" {self._patients[0]} to {self._patients[-1]}: choose one of `patients`"
            )
        return self._index[patient]


def phantom_volume(index: int, *, seed: int) -> Volume:
    """Make patient number `index` of the series `seed`.

    Args:
        index: 0 to 9999; about one patient in ten lacks the post-contrast sequence, one in twelve the first.
        seed: of the series; at least 0.

    Returns:
        20 to 40 slices from the upper jaw to above the vertex, `images (N, 256, 256, 3) uint8` and
        `masks (N, 256, 256) bool`; at least three slices with tumour and three without.

    Raises:
        OptionError: for a number out of its range.
    """
    if not 0 <= index < _LIMIT:
        raise OptionError(f"phantom number {index} was asked for; choose one from 0 to {_LIMIT - 1}")
    check_seed(seed)
    institution = INSTITUTIONS[_CYCLE[index % len(_CYCLE)]]
    for attempt in range(20):
        rng = np.random.default_rng((seed, index, attempt))
        head = Head(rng, scale=rng.uniform(*institution.scale))
        heights = _heights(rng, int(rng.integers(institution.slices[0], institution.slices[1] + 1)))
        lesions = _lesions(rng, head, float(heights[1] - heights[0]))
        images, masks = _slices(rng, head, lesions, Scanner(rng, institution), heights)
        shown = int(masks.any(axis=(1, 2)).sum())
        if 3 <= shown <= len(masks) - 3 and masks.sum(axis=(1, 2)).max() >= 200:
            break
    if index % 10 == 3:
        images[..., POST] = images[..., FLAIR]
    elif index % 12 == 6:
        images[..., PRE] = images[..., FLAIR]
    patient = _patient(index)
    names = tuple(f"{patient}_{number}" for number in range(1, len(images) + 1))
    return Volume(patient=patient, institution=institution.code, images=images, masks=masks, slice_names=names)


def write_dataset(dataset: Dataset, dest: Path, progress: Progress | None = None) -> int:
    """Write patients in the Kaggle layout: `<dest>/kaggle_3m/<patient>/<patient>_<n>.tif` and `<patient>_<n>_mask.tif`.

    Slices are numbered from 1 without zero padding; a mask is 0 and 255. No folder that holds anything is touched.

    Args:
        dataset: what to write; every volume needs masks.
        dest: the folder to write below; made when it is absent.
        progress: called after each patient.

    Returns:
        How many slices were written.

    Raises:
        OutputError: when a patient's folder holds something already (then nothing is written), or cannot be written.
    """
    root = artifacts.make_dir(dest / "kaggle_3m")
    for patient in dataset.patients:
        folder = root / patient
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"{folder} holds something already; remove it or choose another place")
    count = 0
    for done, patient in enumerate(dataset.patients, 1):
        volume = dataset.volume(patient)
        for number, (image, mask) in enumerate(zip(volume.images, volume.reference, strict=True), 1):
            stem = root / patient / f"{patient}_{number}"
            artifacts.write_bytes(stem.with_name(f"{stem.name}.tif"), _tiff(image))
            artifacts.write_bytes(stem.with_name(f"{stem.name}_mask.tif"), _tiff(mask.astype(np.uint8) * 255))
            count += 1
        if progress is not None:
            progress(done, len(dataset.patients), patient)
    return count


def _patient(index: int) -> str:
    return f"PHANTOM_{INSTITUTIONS[_CYCLE[index % len(_CYCLE)]].code}_{index:04d}"


def _heights(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Choose the heights of the slices: from the upper jaw or a little higher to about the vertex."""
    return np.linspace(FLOOR_Z + rng.uniform(0.0, 14.0), VERTEX_Z + rng.uniform(-6.0, 4.0), count)


def _lesions(rng: np.random.Generator, head: Head, spacing: float) -> list[Lesion]:
    """Draw one lesion, or one in four times a second, smaller one."""
    radius = 14.0 + 28.0 * rng.beta(1.4, 1.8)
    lesions = [Lesion(rng, head, spacing=spacing, radius=radius)]
    if rng.random() < 0.25:
        lesions.append(Lesion(rng, head, spacing=spacing, radius=rng.uniform(0.35, 0.6) * radius))
    return lesions


def _slices(
    rng: np.random.Generator, head: Head, lesions: list[Lesion], scanner: Scanner, heights: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw and expose every slice, with its mask."""
    images = np.zeros((len(heights), SIDE, SIDE, 3), np.uint8)
    masks = np.zeros((len(heights), SIDE, SIDE), np.bool_)
    for number, z in enumerate(heights.tolist()):
        near = [(lesion, lesion.depth(z)) for lesion in lesions if lesion.reaches(z)]
        swelling = _swelling([depth for _, depth in near])
        section = head.section(z, float(heights[1] - heights[0]), swelling)
        layers = list(section.layers)
        for lesion, depth in near:
            inside = np.minimum(depth, section.room)
            masks[number] |= inside > 0.0
            layers += lesion.layers(z, inside)
        images[number] = scanner.expose(rng, layers, z)
    return images, masks


def _swelling(depths: list[Plane]) -> Plane | None:
    """Return how much the sulci are closed, in [0, 1]: wholly in a lesion, less and less up to 8 pixels around it."""
    if not depths:
        return None
    closed: Plane = np.clip(1.0 + np.maximum.reduce(depths) / 8.0, 0.0, 1.0)
    return closed


def _tiff(array: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format="TIFF", compression="tiff_lzw")
    return stream.getvalue()
