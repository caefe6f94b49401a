"""Whether an int8 figure of this host is a device's: replayed against recorded Arm codes, or proven by the probe."""

from __future__ import annotations

from collections.abc import Callable
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
from edgeseg.results import DeviceEvidence, DeviceFigure
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model_files import model_sha256
from edgeseg.runtime.numerics import int8_kernels, int8_kernels_exact
from edgeseg.stages.predict import Predictor

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


def device_figure(
    predictor: Predictor,
    *,
    evidence: Callable[[], DeviceEvidence | None] = shipped_evidence,
    images: Callable[[], NDArray[np.uint8]] = replay_images,
    exact: Callable[[], bool] = int8_kernels_exact,
) -> DeviceFigure | None:
    """Say whether what an int8 artifact computes here is what it computes on Arm; None for float.

    The artifact is run on the phantom slices of the recorded evidence. Equal codes prove the host for this network,
    whatever is said beside it in the file; other codes disprove it where the file is the recorded one, and say nothing
    where it is another. What is left is for ONNX the probe of this host's kernels, or weights that cannot saturate.

    Args:
        predictor: the artifact, opened.
        evidence: gives what was recorded on Arm, None where nothing was.
        images: gives the replay slices, `(N, H, W, 3) uint8`.
        exact: tells whether the probe found the host's kernels exact.

    Raises:
        ArtifactError: when the evidence is damaged or the artifact fails.
    """
    if not isinstance(predictor, Segmenter) or predictor.output_scale is None:
        return None
    recorded = evidence()
    asked = images() if recorded is not None else None
    if recorded is not None and asked is not None and artifacts.sha256_bytes(asked.tobytes()) == recorded.replay_sha256:
        replayed = _replayed(predictor, recorded, asked)
        if replayed is not None:
            return replayed
    return _by_arithmetic(predictor, exact)


def _replayed(predictor: Segmenter, recorded: DeviceEvidence, images: NDArray[np.uint8]) -> DeviceFigure | None:
    contract = predictor.contract
    names = {a.name: a for a in recorded.artifacts if a.target == contract.target}
    arm = [codes for codes in recorded.codes if codes.artifact in names]
    if not arm or images.shape[1:] != (contract.height, contract.width, len(contract.channels)):
        return None
    here = slice_digests(codes_of(predictor, predictor.logits(images)))
    own = model_sha256(predictor.path)
    for codes in arm:
        equal = sum(a == b for a, b in zip(here, codes.slice_sha256, strict=True))
        same_file = names[codes.artifact].sha256 == own
        if equal == len(here) or same_file:
            verb = "gave" if equal == len(here) else "did not give"
            told = (
                f"replayed: {equal} of {len(here)} phantom slices {verb} the very codes that {codes.runtime} gave on "
                f"{codes.processor} (models/device-evidence.json{', the same file' if same_file else ''})"
            )
            return DeviceFigure(
                numerics=predictor.numerics,
                equals_arm=equal == len(here),
                reasons=(told,),
                replayed_slices=len(here),
                replayed_equal=equal,
            )
    return None


def _by_arithmetic(predictor: Segmenter, exact: Callable[[], bool]) -> DeviceFigure:
    unseen = "not replayed: models/device-evidence.json holds no Arm codes of this network"
    if predictor.path.suffix == ".tflite":
        told: tuple[bool | None, str] = (None, "LiteRT has no probe; record the file with: make test-device")
    elif predictor.contract.profile == "x86":
        told = (True, "its weights have 7 bits, so that no sum of two products leaves 16 bits on any processor")
    elif predictor.numerics.startswith("int8, fast"):
        told = (None, "the host's default kernels leave some operators in float; open it with exact numerics")
    elif exact():
        told = (True, f"the probe found this host's kernels {int8_kernels()}: every sum equals integer arithmetic")
    else:
        told = (False, f"the probe found this host's kernels {int8_kernels()}; take another host, or --profile x86")
    return DeviceFigure(numerics=predictor.numerics, equals_arm=told[0], reasons=(unseen, told[1]))
