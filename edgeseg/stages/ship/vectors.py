"""Golden vectors for other runners: phantom slices, and what the shipped network draws on them, with Arm's arithmetic.

The masks are those of `Segmenter.load(numerics="exact")`: for int8 ONNX the integer graph that ONNX Runtime takes on
Arm. A phantom is made up, so its slices may lie in the repository.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts, networks
from edgeseg.components import post_process
from edgeseg.data.phantom import phantom_volume
from edgeseg.errors import CheckFailedError
from edgeseg.imaging import mask_from_logits, mask_on_grid, prepared
from edgeseg.jsonio import to_json
from edgeseg.networks import Network
from edgeseg.place import scratch
from edgeseg.progress import Say
from edgeseg.results.golden_vectors import GoldenArtifact, GoldenImage, GoldenSet
from edgeseg.runtime import Segmenter
from edgeseg.specs import PostProcessing
from edgeseg.stages.build import EVALUATION_START
from edgeseg.stages.ship.convert import convert_shipped, sources
from edgeseg.stages.ship.examples import png
from edgeseg.stages.ship.fits import require_pictures
from edgeseg.stages.ship.mask_vectors import mask_vectors

MANIFEST, UNITS_FILE = "golden.json", "units.json"
DEFAULT = "light"
TARGETS = ("onnx-fp32", "onnx-int8")
SLICES, SEARCHED_PATIENTS, SEED = 3, 8, 0
MIN_TUMOUR_PIXELS = 100


def golden(out: Path, *, network: Network | None = None, say: Say | None = None) -> GoldenSet:
    """Write golden vectors of the shipped weights: `golden.json`, and one RGB PNG per slice, its planes the channels.

    Slices are the consecutive ones around the largest lesion of the first phantom on which every artifact finds at
    least 100 tumour pixels in each slice. Equal weights give equal files.

    Args:
        out: the folder; files of the same names are replaced, and slices of other phantoms removed.
        network: whose weights; `light` unless given.
        say: told what is being done.

    Raises:
        CheckpointError: when its weights are missing or damaged.
        ContractError: when they take other channels than a phantom's picture has, or draw several masks.
        CheckFailedError: when the network finds too little on every phantom.
        OutputError: when the folder cannot be written.
    """
    told = say or (lambda _: None)
    given = network or networks.get(DEFAULT)
    with scratch("golden") as folder:
        opened = {name: _open(name, given, folder, told) for name in TARGETS}
        for segmenter in opened.values():
            require_pictures(segmenter.contract)
        told("choosing a phantom")
        patient, names, images = _choose(list(opened.values()))
        found = sources(given)
        files = {f"{name}.png": png(image) for name, image in zip(names, images, strict=True)}
        made = GoldenSet(
            variant=given.record.slug,
            weights_sha256=found["weights_sha256"],
            ranges_sha256=found["ranges_sha256"],
            choice_sha256=found["choice_sha256"],
            patient=patient,
            slices=tuple(
                GoldenImage(file=file, sha256=artifacts.sha256_bytes(data), pixels_sha256=_digest(image))
                for (file, data), image in zip(files.items(), images, strict=True)
            ),
            artifacts=tuple(_expect(segmenter, images) for segmenter in opened.values()),
        )
    for older in out.glob("PHANTOM_*.png"):
        if older.name not in files:
            older.unlink()
    for file, data in files.items():
        artifacts.write_bytes(out / file, data)
    artifacts.write_text(out / MANIFEST, to_json(made) + "\n")
    return made


def _open(name: str, network: Network, folder: Path, told: Say) -> Segmenter:
    told(f"converting to {name}")
    (path,) = convert_shipped([name], network, folder)
    return Segmenter.load(path, threads=1)


def _choose(opened: list[Segmenter]) -> tuple[str, tuple[str, ...], NDArray[np.uint8]]:
    for number in range(EVALUATION_START, EVALUATION_START + SEARCHED_PATIENTS):
        volume = phantom_volume(number, seed=SEED)
        middle = int(volume.reference.sum(axis=(1, 2)).argmax())
        first = min(max(middle - SLICES // 2, 0), len(volume.images) - SLICES)
        images = volume.images[first : first + SLICES]
        masks = [mask_from_logits(s.logits(*prepared(images, s.contract)), s.contract) for s in opened]
        if min(int(mask.sum(axis=(1, 2)).min()) for mask in masks) >= MIN_TUMOUR_PIXELS:
            return volume.patient, volume.slice_names[first : first + SLICES], images
    raise CheckFailedError(
        f"the shipped network finds fewer than {MIN_TUMOUR_PIXELS} tumour pixels in some slice of each of "
        f"{SEARCHED_PATIENTS} phantoms, and an empty mask proves nothing; ship weights that find phantoms' lesions"
    )


def _expect(segmenter: Segmenter, images: NDArray[np.uint8]) -> GoldenArtifact:
    contract = segmenter.contract
    logits = segmenter.logits(*prepared(images, contract))
    raw = mask_from_logits(logits, contract)
    return GoldenArtifact(
        target=contract.target,
        threshold=contract.threshold,
        normalisation=contract.normalisation,
        post_processing=contract.post_processing,
        made_with=f"{segmenter.runtime}, {segmenter.numerics}",
        golden=contract.golden,
        raw=mask_vectors(raw),
        lone_slices=mask_vectors(segmenter.segment(images)),
        volume=mask_vectors(segmenter.segment_volume(images)),
        volume_largest_only=mask_vectors(post_process(raw, PostProcessing(min_share=1.0), volume=True)),
        half_size=mask_vectors(_half_size(segmenter, images)),
    )


def _half_size(segmenter: Segmenter, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What is drawn where every second row and column of the slices is given: resampling to the network and back."""
    small = np.ascontiguousarray(images[:, ::2, ::2])
    logits = segmenter.logits(*prepared(small, segmenter.contract))
    return mask_on_grid(logits, segmenter.contract, small.shape[1], small.shape[2])


def _digest(image: NDArray[np.uint8]) -> str:
    return artifacts.sha256_bytes(np.ascontiguousarray(image).tobytes())
