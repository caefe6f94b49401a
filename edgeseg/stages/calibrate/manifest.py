"""The manifest of a calibration set: which slices it names, their hash, and the way back to their pixels."""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts, imaging
from edgeseg.data.volume import PHANTOM, Dataset
from edgeseg.errors import DatasetError, OptionError
from edgeseg.jsonio import JsonFormatError, from_json, read_document, to_json
from edgeseg.results import CalibrationSet, CalibrationSlice
from edgeseg.specs import LGG, Contract

_LOG = logging.getLogger(__name__)


def slices_of(manifest: CalibrationSet, dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Read the slices of a set one after another, and prove at the end that they are the ones that were chosen.

    Phantoms are computed, and another NumPy or processor may round a few of their pixels otherwise: there a
    difference is logged as a warning. In stored data it is an error.

    Args:
        manifest: the set.
        dataset: where the slices are; one patient is in memory at a time.

    Yields:
        `(H, W, C) uint8` as stored, channels those of the data set, in the order of the manifest.

    Raises:
        DatasetError: when a patient or slice is missing, or pixels are not those that were chosen.
    """
    digest = hashlib.sha256()
    for image in read_slices(manifest.slices, dataset):
        _add(digest, image)
        yield image
    if digest.hexdigest() == manifest.sha256 or _in_other_channels(manifest, dataset):
        return
    if manifest.data != PHANTOM:
        raise DatasetError(
            f"the calibration slices in {dataset.name} are not the pixels that were chosen (their SHA-256 "
            "differs); restore the data, or choose the slices again"
        )
    _LOG.warning("the phantom calibration slices differ in some pixels from those of the manifest")


def network_inputs(manifest: CalibrationSet, dataset: Dataset, contract: Contract) -> Iterator[NDArray[np.float32]]:
    """Read a set as a network takes it: each `(H, W, D) float32`, D, H, W and normalisation those of the contract.

    Raises:
        DatasetError: as `slices_of`.
    """
    tables, patient, names = None, "", dataset.channels.names
    for entry, image in zip(manifest.slices, slices_of(manifest, dataset), strict=True):
        if contract.by_volume and entry.patient != patient:
            patient = entry.patient
            whole = (imaging.to_network(one[np.newaxis], contract, names) for one in dataset.volume(patient).images)
            tables = imaging.volume_tables(whole, contract)
        yield imaging.network_input(image[np.newaxis], contract, tables, names)[0]


def pixel_digest(images: Iterable[NDArray[np.uint8]]) -> str:
    """SHA-256 in hex over slices: for each, `h,w,c:` in ASCII and its bytes in C order."""
    digest = hashlib.sha256()
    for image in images:
        _add(digest, image)
    return digest.hexdigest()


def write_calibration(manifest: CalibrationSet, path: Path) -> Path:
    """Write a manifest as JSON, in one step.

    Raises:
        OutputError: when the place cannot be written.
    """
    return artifacts.write_text(path, to_json(manifest) + "\n")


def read_calibration(path: Path) -> CalibrationSet:
    """Read a manifest.

    Raises:
        DatasetError: when the file is missing, or not a calibration set of this version.
    """
    try:
        return from_json(CalibrationSet, read_document(path))
    except OSError as error:
        raise DatasetError(f"{path}: the calibration set cannot be read ({error.strerror}); choose one anew") from error
    except (JsonFormatError, OptionError) as error:
        raise DatasetError(f"{path}: not a calibration set ({error}); choose one anew") from error


def read_slices(entries: Sequence[CalibrationSlice], dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Read slices in the order given; those of one patient that follow each other are read together."""
    for patient, group in itertools.groupby(entries, key=lambda entry: entry.patient):
        if patient not in dataset.patients:
            raise DatasetError(f"{dataset.name} holds no patient '{patient}' of the calibration set; give its data")
        volume = dataset.volume(patient)
        place = {name: index for index, name in enumerate(volume.slice_names)}
        for entry in group:
            if entry.slice_name not in place:
                raise DatasetError(
                    f"{patient} has no slice '{entry.slice_name}', which is in the calibration set; restore it"
                )
            yield volume.images[place[entry.slice_name]]


def _in_other_channels(manifest: CalibrationSet, dataset: Dataset) -> bool:
    """Whether a phantom set was chosen in the channels of `LGG`, and is now drawn in others."""
    return manifest.data == PHANTOM and dataset.channels.names != LGG.names


def _add(digest: hashlib._Hash, image: NDArray[np.uint8]) -> None:
    digest.update((",".join(map(str, image.shape)) + ":").encode())
    digest.update(np.ascontiguousarray(image).tobytes())
