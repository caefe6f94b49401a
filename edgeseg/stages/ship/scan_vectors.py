"""Golden vectors of scans: the slices of `class_vectors` as NIfTI, and what is read and drawn of them.

The pixels are not square, so that slices are padded before they are resampled, and each file is stored in another way.
The second sequence is there once on the grid of the first, and once on one that is shifted and coarser.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.data.open_scan import open_scan
from edgeseg.results.golden_vectors import GoldenScan
from edgeseg.runtime import Segmenter
from edgeseg.runtime.self_test import in_one
from edgeseg.stages.ship.mask_vectors import mask_vectors

SPACING_MM = (5.0, 2.625, 1.5)
"""Of slices, rows and columns."""
_GAIN, _OFFSET, _PADDING = 3.25, -70.0, -2000.0
_SHIFT_MM = (-1.25, 2.5, 3.75)


def scan_vectors(model: Path, images: NDArray[np.uint8], out: Path) -> tuple[GoldenScan, ...]:
    """Write files of two channels and say what the network of `model` draws on them, once for each second file.

    Args:
        model: whose contract names two channels.
        images: `(N, h, w, 2) uint8`.
        out: the folder.

    Raises:
        MissingExtraError: without nibabel.
        OutputError: when the folder cannot be written.
    """
    segmenter = Segmenter.load(model, threads=1)
    channels = segmenter.contract.channels
    first, second = (images[..., place].transpose(2, 1, 0).astype(np.float64) for place in range(2))
    place = np.diag([-SPACING_MM[2], -SPACING_MM[1], SPACING_MM[0], 1.0])
    place[:3, 3] = 60.0, 55.0, -12.0
    turned, back = np.flip(second, axis=(0, 2)).transpose(1, 0, 2), place @ _turn(second.shape)
    files = (f"{channels[0]}.nii.gz", f"{channels[1]}.nii", f"{channels[1]}_coarse.nii.gz")
    padded = turned * _GAIN + _OFFSET
    padded[:, :4] = _PADDING
    coarse, shifted = second[::2], place @ np.diag([2.0, 1.0, 1.0, 1.0])
    shifted[:3, 3] += _SHIFT_MM
    for file, stored in zip(
        files,
        (
            _nifti(first.astype(np.int16), place, slope=_GAIN),
            _nifti(padded.astype(np.float32), back),
            _nifti(coarse.astype(np.int16), shifted),
        ),
        strict=True,
    ):
        artifacts.write_bytes(out / file, gzip.compress(stored, mtime=0) if file.endswith(".gz") else stored)
    return tuple(_drawn(segmenter, out, (files[0], other)) for other in files[1:])


def _drawn(segmenter: Segmenter, out: Path, files: tuple[str, str]) -> GoldenScan:
    channels = segmenter.contract.channel_set
    named = {name: out / file for name, file in zip(channels.names, files, strict=True)}
    with open_scan(sequences=named, channels=channels) as scan:
        read = np.stack([scan.image(index) for index in range(len(scan.slice_names))])
        return GoldenScan(
            model=segmenter.path.name,
            files=files,
            spacing_mm=SPACING_MM,
            pixels_sha256=tuple(artifacts.sha256_bytes(one.tobytes()) for one in read),
            volume=mask_vectors([in_one(mask) for mask in segmenter.segment(scan)]),
        )


def _turn(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Index of the turned array to index of the array: its first two axes exchanged, columns and slices backwards."""
    return np.array([[0, -1, 0, shape[0] - 1], [1, 0, 0, 0], [0, 0, -1, shape[2] - 1], [0, 0, 0, 1]], np.float64)


def _nifti(values: NDArray[Any], place: NDArray[np.float64], *, slope: float = 1.0) -> bytes:
    import nibabel

    image = nibabel.Nifti1Image(values, place)
    image.header.set_slope_inter(slope, 0.0)
    image.header["descrip"] = b"a phantom"
    return bytes(image.to_bytes())
