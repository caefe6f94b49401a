"""Finding the runs of a cross-validation, and keeping the logits of the patients that they held out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg.checkpoint import CheckpointHeader, read_checkpoint, write_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError, DatasetError, OptionError
from edgeseg.specs import ImageSpec, TrainSpec, VariantSpec
from edgeseg.stages.folds import logits as fold_logits
from edgeseg.stages.folds.logits import check_data, find_runs, held_out_logits
from edgeseg.stages.predict.predictor import volume_logits
from edgeseg.stages.predict.weights import checkpoint_predictor
from edgeseg.variants import build_model

VARIANT = VariantSpec(name="alphax", alpha=0.0625, stem="half")
IMAGE = ImageSpec(height=64, width=64)
Make = Callable[..., Path]


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    """Weights that nobody trained."""
    import keras

    keras.utils.set_random_seed(0)
    return {weight.path: np.asarray(weight) for weight in build_model(VARIANT, IMAGE).weights}


@pytest.fixture
def make(
    cache: SliceCache, arrays: dict[str, Any], fold_header: Callable[..., CheckpointHeader], tmp_path: Path
) -> Make:
    """Give a function that writes fold `number` of three into `out`; keywords change its header."""

    def write(number: int, *, place: str | None = None, **changes: Any) -> Path:
        held_out = cache.patients[2 * number : 2 * number + 2]
        header = fold_header(cache, held_out, VARIANT, IMAGE)
        folder = tmp_path / "out" / (f"fold{number}" if place is None else place)
        write_checkpoint(folder / "weights.safetensors", replace(header, **changes), arrays)
        return folder

    return write


def test_folds_are_found_in_the_order_of_their_numbers(make: Make, tmp_path: Path) -> None:
    for number, place in ((0, "fold2"), (1, "fold10"), (2, "fold0")):
        make(number, place=place)
    (tmp_path / "out" / "folder").mkdir()
    assert [run.folder.name for run in find_runs(tmp_path / "out")] == ["fold0", "fold2", "fold10"]


def test_one_run_stands_for_itself(make: Make) -> None:
    folder = make(1)
    (run,) = find_runs(folder)
    assert run.patients == read_checkpoint(folder).header.validation_patients


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds neither folds"):
        find_runs(tmp_path)


def test_a_fold_without_weights_is_refused(make: Make, tmp_path: Path) -> None:
    make(0)
    (tmp_path / "out" / "fold1").mkdir()
    with pytest.raises(CheckpointError, match=r"no checkpoint at .*fold1"):
        find_runs(tmp_path / "out")


def test_an_unfinished_fold_is_refused(make: Make, tmp_path: Path) -> None:
    make(0)
    make(1, epoch=2)
    with pytest.raises(CheckpointError, match="fold1 is at epoch 2 of 3; finish it"):
        find_runs(tmp_path / "out")


def test_folds_of_other_options_are_refused(make: Make, tmp_path: Path) -> None:
    make(0)
    make(1, train=TrainSpec(variant=VARIANT, epochs=3, loss="bce"))
    with pytest.raises(CheckpointError, match="trained with other options"):
        find_runs(tmp_path / "out")


def test_folds_may_differ_in_seed_teacher_and_start(make: Make, tmp_path: Path) -> None:
    make(0, train=TrainSpec(variant=VARIANT, epochs=3, teachers=("a",), distil_weight=0.5, initial="c"))
    make(1, train=TrainSpec(variant=VARIANT, epochs=3, teachers=("b",), distil_weight=0.5, initial="d", seed=1))
    assert len(find_runs(tmp_path / "out")) == 2
    make(2, train=TrainSpec(variant=VARIANT, epochs=3, teachers=("b",), distil_weight=0.5))
    with pytest.raises(CheckpointError, match="trained with other options"):
        find_runs(tmp_path / "out")


def test_a_patient_held_out_twice_is_refused(make: Make, tmp_path: Path) -> None:
    make(0)
    make(0, place="fold1")
    with pytest.raises(CheckpointError, match=r"held out by .*fold0 and by .*fold1"):
        find_runs(tmp_path / "out")


def test_other_data_is_refused(make: Make, cache: SliceCache, tmp_path: Path) -> None:
    make(0)
    check_data(find_runs(tmp_path / "out"), cache)
    make(0, data_hash="0" * 64)
    with pytest.raises(DatasetError, match=r"not those that .*fold0 was trained on"):
        check_data(find_runs(tmp_path / "out"), cache)
    make(0)
    turned = SliceCache(cache.folder)
    turned.index = replace(cache.index, plane="coronal")
    with pytest.raises(DatasetError, match=r"fold0 takes axial slices, and .* was decoded to coronal ones"):
        check_data(find_runs(tmp_path / "out"), turned)
    make(0, validation_patients=("P9",))
    with pytest.raises(DatasetError, match="P9 among them"):
        check_data(find_runs(tmp_path / "out"), cache)


@pytest.mark.parametrize("flips", ["none", "flips"])
def test_logits_are_those_of_the_network_and_computed_once(
    make: Make, cache: SliceCache, flips: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = find_runs(make(0))
    told: list[str] = []
    first = dict(held_out_logits(run, cache, flips=flips, progress=lambda _done, _total, who: told.append(who)))
    assert told == list(run.patients) == list(first)
    predictor = checkpoint_predictor(run.checkpoint)
    for patient, logits in first.items():
        exact = volume_logits(predictor, cache.volume(patient), flips=flips)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, exact, rtol=2**-10, atol=1e-6)
    monkeypatch.setattr(fold_logits, "checkpoint_predictor", lambda *_: pytest.fail("computed again"))
    again = dict(held_out_logits(run, cache, flips=flips, progress=lambda _done, _total, who: told.append(who)))
    assert told == 2 * list(run.patients)
    assert all(np.array_equal(again[patient], first[patient]) for patient in first)


def test_other_weights_and_damaged_files_are_computed_anew(
    make: Make, cache: SliceCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(0)
    (run,) = find_runs(folder)
    list(held_out_logits(run, cache, flips="none"))
    (stored,) = folder.glob("logits-*.npz")
    whole = stored.read_bytes()
    stored.write_bytes(whole[: len(whole) // 2])
    list(held_out_logits(run, cache, flips="none"))
    assert len(stored.read_bytes()) == len(whole)
    list(held_out_logits(replace(run, sha256="f" * 64), cache, flips="none"))
    assert len(list(folder.glob("logits-*.npz"))) == 2
    shutil.rmtree(folder)


def test_unknown_flips_are_refused(make: Make, cache: SliceCache) -> None:
    (run,) = find_runs(make(0))
    logits: Iterator[Any] = held_out_logits(run, cache, flips="rot90")
    with pytest.raises(OptionError, match="'rot90' are unknown; choose one of: none, hflip, vflip, flips"):
        next(logits)
