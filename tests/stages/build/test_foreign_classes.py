"""A network of several masks that somebody else trained, from its file to scored int8 files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import keras
import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.open import open_dataset
from edgeseg.errors import MaskError
from edgeseg.runtime import Segmenter
from edgeseg.specs import BuildSpec
from edgeseg.stages.adopt import adopt
from edgeseg.stages.build import build
from tests.foreign._keras_networks import draw, saved

ROOT = Path(__file__).resolve().parents[3]
LABELS = "whole=1+2+4,core=1+4"
CONTRACT = """
channels = ["pre", "flair", "post", "t2"]
[[regions]]
name = "whole"
channels = [1, 2]
label = 1
[[regions]]
name = "core"
channels = 2
label = 2
threshold = 0.4
"""


def test_each_mask_of_a_foreign_network_is_converted_and_scored(
    script: Callable[[Path], ModuleType], tmp_path: Path
) -> None:
    script(ROOT / "tools" / "own_data.py").main(["brats", str(tmp_path / "data")])
    run = _imported(tmp_path)
    spec = BuildSpec(
        variant=read_checkpoint(run).header.variant, checkpoint=run, data=tmp_path / "data", layout="brats",
        labels=LABELS, targets=("tflite-int8", "onnx-int8"), out=tmp_path / "build", bench_runs=2, bench_budget_s=0.1,
    )  # fmt: skip
    result = build(spec)
    assert [row.target for row in result.artifacts] == ["keras-fp32", "tflite-int8", "onnx-int8"]
    for row in result.artifacts:
        assert row.evaluation is not None
        assert [(one.name, one.threshold) for one in row.evaluation.classes] == [("whole", 0.5), ("core", 0.4)]
    assert result.baseline is not None
    assert result.baseline.variant == "theirs.keras"
    dataset = open_dataset(tmp_path / "data", layout="brats", labels=LABELS)
    given = dataset.volume(dataset.patients[0]).images[:2]
    for path in (tmp_path / "build" / "theirs").glob("*int8.*"):
        segmenter = Segmenter.load(path)
        assert segmenter.contract.exclusive
        assert segmenter.segment(given).shape == (*given.shape[:3], 2)


def test_data_of_other_classes_is_refused_before_anything_is_converted(
    script: Callable[[Path], ModuleType], tmp_path: Path
) -> None:
    script(ROOT / "tools" / "own_data.py").main(["brats", str(tmp_path / "data")])
    run = _imported(tmp_path)
    spec = BuildSpec(
        variant=read_checkpoint(run).header.variant, checkpoint=run, data=tmp_path / "data", layout="brats",
        labels="necrosis=1,oedema=2", targets=("onnx-fp32",), out=tmp_path / "build",
    )  # fmt: skip
    with pytest.raises(MaskError, match=r"draws whole, core, and the masks of \S+ are of necrosis, oedema"):
        build(spec)
    assert not [path for path in (tmp_path / "build").rglob("*") if path.suffix in {".onnx", ".hdf5"}]


def _imported(tmp_path: Path) -> Path:
    """Import a softmax network of three channels that draws two masks; return its run."""
    image = keras.Input((32, 32, 4))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    model = keras.Model(image, keras.layers.Conv2D(3, 1, activation="softmax")(x))
    draw(model)
    (tmp_path / "contract.toml").write_text(CONTRACT)
    adopt(saved(model, tmp_path / "theirs.keras"), tmp_path / "run", contract=tmp_path / "contract.toml")
    return tmp_path / "run"
