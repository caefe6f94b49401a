"""The phantom slices that an int8 artifact is run on here and on Arm, and what Arm gave for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.data.cache import cached
from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.volume import Volume
from edgeseg.errors import ArtifactError
from edgeseg.imaging import quantise
from edgeseg.jsonio import JsonFormatError, from_json
from edgeseg.results import DeviceEvidence
from edgeseg.runtime import Segmenter

REPLAY_PHANTOM, REPLAY_SLICES = 2000, 6
EVIDENCE_FILE = "device-evidence.json"


def replay_images() -> NDArray[np.uint8]:
    """Return `REPLAY_SLICES` slices of one phantom, `(N, 256, 256, 3) uint8`; decoded ones are kept in the cache."""
    dataset = cached(
        PhantomDataset(1, start=REPLAY_PHANTOM), f"phantom-replay-{REPLAY_PHANTOM}-{artifacts.source_digest('data')}"
    )
    (patient,) = dataset.patients
    volume = dataset.volume(patient)
    return np.ascontiguousarray(volume.images[list(busiest_slices(volume, REPLAY_SLICES))])


def busiest_slices(volume: Volume, count: int) -> tuple[int, ...]:
    """Choose slices, in order: half of them those with most tumour, the rest spread over the others."""
    sizes = np.count_nonzero(volume.reference, axis=(1, 2))
    most = sorted(range(len(sizes)), key=lambda index: (-int(sizes[index]), index))
    with_tumour = most[: (count + 1) // 2]
    others = sorted(set(most) - set(with_tumour))
    rest = min(count - len(with_tumour), len(others))
    return tuple(
        sorted((*with_tumour, *(others[(2 * place + 1) * len(others) // (2 * rest)] for place in range(rest))))
    )


def codes_of(segmenter: Segmenter, logits: NDArray[np.float32]) -> NDArray[np.int8]:
    """Turn the logits of an int8 artifact back into the codes they came from: `(N, H, W) int8`.

    Raises:
        ArtifactError: when the artifact does not give int8.
    """
    if segmenter.output_scale is None:
        raise ArtifactError(f"{segmenter.path}: the logits are not int8, so there are no codes to compare")
    return quantise(logits, *segmenter.output_scale).astype(np.int8, copy=False)


def slice_digests(codes: NDArray[np.int8]) -> tuple[str, ...]:
    """Return the SHA-256 of each slice's codes, `(N, H, W) int8`."""
    return tuple(artifacts.sha256_bytes(np.ascontiguousarray(one).tobytes()) for one in codes)


def shipped_evidence(path: Path | None = None) -> DeviceEvidence | None:
    """Read what `make test-device` recorded; None where nothing ships.

    Raises:
        ArtifactError: when the file is damaged.
    """
    path = path or artifacts.shipped("models", EVIDENCE_FILE)
    if not path.is_file():
        return None
    try:
        return from_json(DeviceEvidence, path.read_bytes())
    except JsonFormatError as error:
        raise ArtifactError(f"{path}: {error}; write it again with: make test-device") from error
