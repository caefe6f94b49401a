"""What tests of networks of several classes and of one channel need: a site, a scan and Python's labels for each."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from unittest.mock import patch

import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg.data.phantom import phantom_volume
from edgeseg.data.phantom_channels import in_channels, phantom_channels
from edgeseg.runtime import Segmenter
from edgeseg.specs import RunOptions
from edgeseg.stages.segment import run
from edgeseg.stages.segment.masks import label_map
from edgeseg.stages.ship import site, write_site

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = ("grey", "softmax", "overlapping")
SHOWN, SEED = 7, 2026
"""The first example of a site."""
drawn = functools.cache(phantom_volume)
"""Several sites show the same phantoms."""
CALLED = {"pre": "T1", "flair": "FLAIR", "post": "T1_post", "t2": "T2"}


def write_classes(out: Path) -> None:
    """Write `site-NAME`, `scan-NAME`, `run-NAME` (by `edgeseg run`) and `example-NAME.mask` of each network."""
    examples = drawn(SHOWN, seed=SEED).images
    volume = drawn(11, seed=SEED).images
    for name in NETWORKS:
        model = ROOT / "tests" / "golden" / "classes" / f"{name}.onnx"
        with patch.object(site, "phantom_volume", drawn), patch.object(site, "png", quick_png):
            write_site(model, out=out / f"site-{name}", page=ROOT / "web" / "dist")
        segmenter = Segmenter.load(model)
        channels = phantom_channels(segmenter.contract.channels)
        _nifti(out / f"scan-{name}", in_channels(volume, channels), channels.names)
        run(model, [out / f"scan-{name}"], options=RunOptions(), out=out / f"run-{name}")
        masks = segmenter.segment_volume(in_channels(examples, channels))
        labels = np.stack([label_map(mask, segmenter.contract.regions) for mask in masks])
        (out / f"example-{name}.mask").write_bytes(labels.tobytes())
    _pictures(out / "grey-pictures" / "HEAD", volume[8:12, :180, 10:200, 1])
    _pictures(out / "other-sizes" / "FLAIR", volume[8:11, :, :, 1])
    _pictures(out / "other-sizes" / "T2", volume[8:11, :200, :, 0])


def _nifti(folder: Path, volume: NDArray[np.uint8], channels: tuple[str, ...]) -> None:
    """One file of 16 bits for each channel, on pixels of 0.9 x 1.1 mm."""
    folder.mkdir()
    place = np.diag([-1.1, -0.9, 5.0, 1.0])
    for number, channel in enumerate(channels):
        values = np.rint(volume[..., number] * (2.5 + number) + 30.0).astype(np.int16).transpose(2, 1, 0)
        nibabel.save(nibabel.Nifti1Image(values, place), folder / f"Sub02_{CALLED[channel]}.nii.gz")


def _pictures(folder: Path, volume: NDArray[np.uint8]) -> None:
    folder.mkdir(parents=True)
    for number, image in enumerate(volume, 1):
        Image.fromarray(np.ascontiguousarray(image)).save(folder / f"head_{number}.png")


def quick_png(picture: NDArray[np.uint8]) -> bytes:
    """The same pixels as a site's own pictures, which are packed as small as can be and take most of the time."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
