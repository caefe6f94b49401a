"""A negative seed is refused wherever one is taken, before anything is read or drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseg.data.phantom import PhantomDataset, phantom_volume
from edgeseg.data.split import make_folds
from edgeseg.errors import OptionError
from edgeseg.specs import BuildSpec, Distil, TrainSpec, VariantSpec
from edgeseg.stages.bench import BenchSpec
from edgeseg.stages.calibrate import choose_slices, ranking_patients, study
from edgeseg.stages.choose import choose
from edgeseg.stages.score import compare, evaluate

ANY, PLACE = VariantSpec(), Path("x.onnx")
TAKERS: dict[str, Callable[[], object]] = {
    "train": lambda: TrainSpec(variant=ANY, seed=-1),
    "compress": lambda: Distil(alpha=0.125, seed=-1),
    "build": lambda: BuildSpec(variant=ANY, targets=("onnx-fp32",), out=PLACE, checkpoint=PLACE, seed=-1),
    "bench": lambda: BenchSpec(files=(PLACE,), seed=-1),
    "phantoms": lambda: PhantomDataset(1, seed=-1),
    "phantom": lambda: phantom_volume(0, seed=-1),
    "split": lambda: make_folds(None, seed=-1),  # type: ignore[arg-type]
    "evaluate": lambda: evaluate(None, (), artifact="a", data="d", seed=-1),  # type: ignore[arg-type]
    "compare": lambda: compare(None, None, names=("a", "b"), seed=-1),  # type: ignore[arg-type]
    "choose": lambda: choose(PLACE, None, seed=-1),  # type: ignore[arg-type]
    "slices": lambda: choose_slices(None, seed=-1),  # type: ignore[arg-type]
    "sensitivity": lambda: ranking_patients(None, None, count=1, seed=-1),  # type: ignore[arg-type]
    "study": lambda: study(None, None, key="k", target="tflite-int8", seed=-1),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("taker", TAKERS)
def test_a_negative_seed_is_refused_first(taker: str) -> None:
    with pytest.raises(OptionError, match="seed is -1; it must be at least 0"):
        TAKERS[taker]()
