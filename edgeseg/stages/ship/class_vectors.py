"""Golden vectors of other channels and several classes: small networks, slices for them, and the masks they draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.data.phantom import phantom_volume
from edgeseg.data.phantom_channels import in_channels
from edgeseg.imaging import to_network, volume_tables
from edgeseg.jsonio import to_json
from edgeseg.place import scratch
from edgeseg.results.golden_vectors import GoldenClasses, GoldenImage, GoldenNetwork
from edgeseg.runtime import Segmenter
from edgeseg.runtime.self_test import in_one
from edgeseg.stages.build import EVALUATION_START
from edgeseg.stages.inspect import attach
from edgeseg.stages.ship.class_networks import SCANNED, ClassNetwork, class_networks
from edgeseg.stages.ship.examples import planes, png
from edgeseg.stages.ship.mask_vectors import mask_vectors
from edgeseg.stages.ship.scan_vectors import scan_vectors
from edgeseg.trust import RegionTally

CLASSES_FOLDER, CLASSES_MANIFEST = "classes", "classes.json"
SLICES, STEP_PX, SEED = 4, 6, 0


def class_vectors(out: Path) -> GoldenClasses:
    """Write the networks as `.onnx`, a picture for each of their slices, a scan of NIfTI files, and `classes.json`.

    Args:
        out: the folder; files of the same names are replaced.

    Returns:
        What the manifest says.

    Raises:
        MissingExtraError: without nibabel.
        OutputError: when the folder cannot be written.
    """
    with scratch("golden") as folder:
        networks = class_networks()
        written = tuple(_network(network, folder, out) for network in networks)
    scanned = next(network for network in networks if network.name == SCANNED)
    scans = scan_vectors(out / f"{scanned.name}.onnx", class_slices(scanned), out)
    made = GoldenClasses(networks=written, scans=scans)
    artifacts.write_text(out / CLASSES_MANIFEST, to_json(made) + "\n")
    return made


def class_slices(network: ClassNetwork) -> NDArray[np.uint8]:
    """Make the slices: `(4, 43, 43, C) uint8`, thinned slices of a phantom around its largest lesion."""
    volume = phantom_volume(EVALUATION_START, seed=SEED)
    middle = int(volume.reference.sum(axis=(1, 2)).argmax())
    first = min(max(middle - SLICES // 2, 0), len(volume.images) - SLICES)
    images = volume.images[first : first + SLICES, ::STEP_PX, ::STEP_PX]
    return np.ascontiguousarray(in_channels(images, network.contract.channel_set))


def _network(network: ClassNetwork, folder: Path, out: Path) -> GoldenNetwork:
    file = f"{network.name}.onnx"
    bare, told = folder / file, folder / f"{network.name}.json"
    artifacts.write_bytes(bare, network.onnx())
    artifacts.write_text(told, to_json(network.contract))
    model = attach(bare, told, out=out / file)
    segmenter = Segmenter.load(model, threads=1)
    channels = segmenter.contract.channels
    images = class_slices(network)
    slices = []
    for number, image in enumerate(images, 1):
        name, data = f"{network.name}_{number}.png", png(planes(image))
        artifacts.write_bytes(out / name, data)
        pixels = artifacts.sha256_bytes(np.ascontiguousarray(image).tobytes())
        slices.append(GoldenImage(file=name, sha256=artifacts.sha256_bytes(data), pixels_sha256=pixels))
    return GoldenNetwork(
        file=file,
        sha256=artifacts.sha256_file(model),
        channels=channels,
        masks=tuple(region.name for region in segmenter.contract.regions),
        slices=tuple(slices),
        lone_slices=mask_vectors([in_one(mask) for mask in segmenter.segment(images)]),
        volume=mask_vectors([in_one(mask) for mask in segmenter.segment_volume(images)]),
        trust_counts=_trust_counts(segmenter, images),
    )


def _trust_counts(segmenter: Segmenter, images: NDArray[np.uint8]) -> tuple[tuple[int, ...] | None, ...]:
    levels = [None if one is None else one.levels for one in segmenter.contract.output_trusts]
    if not any(levels):
        return ()
    shown, tally = to_network(images, segmenter.contract), RegionTally(levels)
    for one in segmenter.logits(shown, volume_tables([shown], segmenter.contract)):
        tally.add(one)
    return tuple(None if one is None else one.in_order for one in tally.counts)
