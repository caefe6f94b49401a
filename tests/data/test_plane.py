"""Slices through another axis: the same voxels, in training, scoring and the runner alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgeseg.data.cache import cached, folder_key
from edgeseg.data.nifti import open_nifti
from edgeseg.data.open import open_dataset
from edgeseg.data.open_scan import open_scan
from edgeseg.data.plane import InPlane, in_plane
from edgeseg.data.volume import Volume
from edgeseg.errors import ContractError, DatasetError, OptionError
from edgeseg.imaging import axial_spacing, from_plane, plane_spacing, to_plane
from edgeseg.runtime.stream import SliceMask
from edgeseg.runtime.turned import TurnedScan, turned_back
from edgeseg.specs import LGG, PLANES, Contract, ImageSpec, RunOptions, VariantSpec
from edgeseg.stages.predict import masks_on_volume, volume_logits
from edgeseg.stages.segment import run
from edgeseg.stages.ship.fits import require_fit

ROOT = Path(__file__).resolve().parents[2]
STACK = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
each_plane = pytest.mark.parametrize("plane", PLANES)


@each_plane
def test_there_and_back_is_the_same(plane: str) -> None:
    assert np.array_equal(from_plane(to_plane(STACK, plane), plane), STACK)
    assert axial_spacing(plane_spacing((5.0, 1.0, 2.0), plane), plane) == (5.0, 1.0, 2.0)


def test_the_head_is_up_and_distances_follow() -> None:
    coronal, sagittal = to_plane(STACK, "coronal"), to_plane(STACK, "sagittal")
    assert (coronal.shape, sagittal.shape) == ((3, 2, 4, 5), (4, 2, 3, 5))
    assert np.array_equal(coronal[1, 0], STACK[-1, 1])
    assert np.array_equal(sagittal[2, -1], STACK[0, :, 2])
    assert plane_spacing((5.0, 1.0, 2.0), "coronal") == (1.0, 5.0, 2.0)
    assert plane_spacing((5.0, 1.0, 2.0), "sagittal") == (2.0, 5.0, 1.0)


def _volume(**more: Any) -> Volume:
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 64, 3), np.uint8)
    masks = images[..., 1] > 127
    names = tuple(map(str, range(6)))
    given = {"spacing_mm": (2.0, 1.0, 1.0), **more}
    return Volume(patient="p", institution="", images=images, masks=masks, slice_names=names, **given)


def test_a_patient_of_unknown_distances_is_refused() -> None:
    with pytest.raises(DatasetError, match="theirs are apart, as NIfTI does"):
        in_plane(_volume(spacing_mm=None), "coronal")
    with pytest.raises(OptionError, match="choose one of: axial, coronal, sagittal"):
        in_plane(_volume(), "oblique")


class _ReadsFlair:
    """Marks what is bright, and keeps the shapes that it was given."""

    numerics, runtime, threads = "exact", "fake 1", 1

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.shapes: set[tuple[int, ...]] = set()

    def logits(self, images: np.ndarray) -> np.ndarray:
        self.shapes.add(images.shape[1:3])
        return images[..., 1].astype(np.float32) - 127.5


def _contract(plane: str, height: int, width: int) -> Contract:
    return Contract(
        variant=VariantSpec(), tier="float", target="onnx-fp32", layout="NCHW", height=height, width=width,
        trained_on="toy", plane=plane,
    )  # fmt: skip


@pytest.mark.parametrize(("plane", "size"), [("coronal", (6, 64)), ("sagittal", (6, 32))])
def test_a_network_of_another_plane_sees_its_slices_and_draws_on_the_patients_own(
    plane: str, size: tuple[int, int]
) -> None:
    volume = _volume(spacing_mm=(1.0, 1.0, 1.0))
    predictor = _ReadsFlair(_contract(plane, *size))
    masks = masks_on_volume(volume_logits(predictor, volume), predictor.contract, volume)
    assert predictor.shapes == {size}
    assert np.array_equal(masks, volume.reference)
    seen = in_plane(volume, plane)
    again = masks_on_volume(volume_logits(predictor, seen), predictor.contract, seen)
    assert np.array_equal(again, seen.reference)


def test_the_cache_holds_the_plane_and_patients_come_in_it(
    script: Callable[[Path], ModuleType], tmp_path: Path
) -> None:
    script(ROOT / "tools" / "own_data.py").main(["nnunet", str(tmp_path / "set"), "--patients", "2"])
    dataset = open_dataset(tmp_path / "set")
    plain, turned = (folder_key(tmp_path / "set", plane=plane) for plane in (None, "sagittal"))
    assert plain != turned
    cache = cached(InPlane(dataset, "sagittal"), turned, root=tmp_path)
    found = cache.volume(cache.patients[0])
    assert (cache.index.plane, found.plane) == ("sagittal", "sagittal")
    assert found.slice_names[:2] == ("sagittal_001", "sagittal_002")
    assert found.images.shape[0] == 64
    assert in_plane(found, "axial").reference.any()


def test_a_scan_is_turned_and_its_masks_come_back(write_nifti: Callable[..., Path], tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(1, 200, (12, 10, 8)).astype(np.uint8)
    path = write_nifti("flair.nii.gz", values, spacing_mm=(2.0, 1.0, 1.0))
    with open_scan(sequences={"flair": path}) as scan:
        images = np.stack([scan.image(index) for index in range(len(scan.slice_names))])
        turned = TurnedScan(scan, "coronal")
        assert np.array_equal(turned.image(3), to_plane(images, "coronal")[3])
    assert (turned.slice_mm, turned.pixel_mm) == (1.0, (2.0, 1.0))
    bright = to_plane(images[..., 1] > 100, "coronal")
    drawn = (SliceMask(mask, 0.5, (-1.0, float(number))) for number, mask in enumerate(bright))
    back = list(turned_back(drawn, len(bright), "coronal", scan.name))
    assert np.array_equal(np.stack([one.mask for one in back]), images[..., 1] > 100)
    assert {one.logit_range for one in back} == {(-1.0, len(bright) - 1.0)}
    assert sum(one.seconds for one in back) == pytest.approx(0.5 * len(bright))


@pytest.mark.parametrize("plane", ["coronal", "sagittal"])
def test_the_runner_draws_on_the_scans_own_voxels(
    plane: str,
    write_nifti: Callable[..., Path],
    tiny_onnx: Callable[..., Path],
    tiny_contract: Contract,
    tmp_path: Path,
) -> None:
    values = np.random.default_rng(2).integers(1, 250, (16, 24, 20)).astype(np.uint8)
    sizes = {"coronal": (16, 20), "sagittal": (16, 24)}[plane]
    model = tiny_onnx(contract=replace(tiny_contract, plane=plane, height=16, width=24))
    result = run(
        model,
        out=tmp_path / "out",
        options=RunOptions(sequences={"flair": write_nifti("flair.nii.gz", values, spacing_mm=(1.0, 1.0, 1.0))}),
    )
    (row,) = result.patients
    assert row.slices == 16
    assert any(f"are {sizes[0]} x {sizes[1]} and were resampled" in one for one in row.warnings) == (sizes != (16, 24))
    drawn = open_nifti(tmp_path / "out" / row.files[0])[0]
    mask = np.stack([drawn.plane(index) > 0 for index in range(16)])
    drawn.close()
    assert np.array_equal(mask, values > 127)


def test_a_network_of_another_plane_is_no_ones_who_reads_slices_as_they_are() -> None:
    contract = _contract("coronal", 32, 32)
    assert contract.versioned().schema_version == 3
    assert contract.image == replace(ImageSpec(height=32, width=32), plane="coronal")
    assert contract.channels == LGG.names
    with pytest.raises(ContractError, match="takes coronal slices of a volume, and the app gives it axial ones"):
        require_fit(contract, "the app")
