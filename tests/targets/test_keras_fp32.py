"""The HDF5 target and its predictor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.errors import ArtifactError, ContractError, ImageError, OptionError
from edgeseg.jsonio import to_json
from edgeseg.specs import Contract
from edgeseg.targets import KerasPredictor, open_artifact
from edgeseg.targets.keras_fp32 import _plain_os_errors, open_keras

Artifact = Callable[[str], Path]


@pytest.fixture
def stored(artifact: Artifact, tmp_path: Path) -> Path:
    path = tmp_path / "copy.hdf5"
    path.write_bytes(artifact("keras-fp32").read_bytes())
    return path


def test_the_predictor_says_what_runs_it_and_agrees_with_the_network(trained: Any, stored: Path) -> None:
    predictor = open_keras(stored)
    assert predictor.runtime.startswith("keras 3.")
    assert "(tensorflow 2." in predictor.runtime
    assert predictor.numerics == "float32"
    assert predictor.threads >= 1
    images = trained.images[:9]
    direct = np.asarray(trained.model(images.astype(np.float32) / 255, training=False))[..., 0]
    assert np.allclose(predictor.logits(images), direct, atol=1e-5)
    assert predictor.logits(images[:0]).shape == (0, 64, 64)


def test_the_file_holds_no_optimizer_state(stored: Path) -> None:
    with h5py.File(stored) as file:
        assert "model_weights" in file
        assert "optimizer_weights" not in file


def test_a_missing_truncated_or_foreign_file_is_one_clear_error(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no Keras file at"):
        open_keras(tmp_path / "absent.hdf5")
    whole = stored.read_bytes()
    for size in (0, 100, len(whole) // 2):
        stored.write_bytes(whole[:size])
        with pytest.raises(ArtifactError, match="build it again"):
            open_artifact(stored)
    stored.write_bytes(b"not HDF5 at all" * 100)
    with pytest.raises(ArtifactError, match="not a readable HDF5 file"):
        open_artifact(stored)


def test_a_file_without_a_contract_or_with_a_newer_one_is_refused(stored: Path) -> None:
    with h5py.File(stored, "r+") as file:
        newer = str(file.attrs["edgeseg.contract"]).replace('"schema_version":2', '"schema_version":99')
        file.attrs["edgeseg.contract"] = newer
    with pytest.raises(ContractError, match="schema version 99"):
        open_keras(stored)
    with h5py.File(stored, "r+") as file:
        del file.attrs["edgeseg.contract"]
    with pytest.raises(ContractError, match="carries no contract"):
        open_keras(stored)


def test_a_contract_of_another_size_is_refused(stored: Path, make_contract: Callable[..., Contract]) -> None:
    with h5py.File(stored, "r+") as file:
        file.attrs["edgeseg.contract"] = to_json(make_contract(height=128), indent=None)
    with pytest.raises(ContractError, match="its contract says"):
        open_keras(stored)


def test_a_file_that_holds_code_is_not_run(tmp_path: Path, make_contract: Callable[..., Contract]) -> None:
    keras = load_keras()
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Lambda(lambda x: x[..., :1])(image))
    path = tmp_path / "lambda.hdf5"
    from edgeseg.quiet import quiet

    with quiet():
        model.save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["edgeseg.contract"] = to_json(make_contract(height=8, width=8), indent=None)
    with pytest.raises(ArtifactError, match="cannot load it"):
        open_keras(path)


def test_wrong_images_and_threads_are_refused(trained: Any, stored: Path) -> None:
    predictor = open_keras(stored)
    with pytest.raises(ImageError, match="slices of 32 x 64 were given and the network takes 64 x 64"):
        predictor.logits(trained.images[:1, :32])
    with pytest.raises(ImageError, match="uint8"):
        predictor.logits(trained.images[:1].astype(np.float32))
    with pytest.raises(OptionError, match="threads is 0"):
        KerasPredictor(trained.model, trained.job.contract, threads=0)


def test_a_full_disk_is_told_in_the_words_of_the_system() -> None:
    def save() -> None:
        with _plain_os_errors():
            raise OSError("Can't close file (file write failed: errno = 28, error message = 'No space left on device')")

    with pytest.raises(OSError, match="No space left on device") as caught:
        save()
    assert (caught.value.errno, caught.value.strerror) == (28, "No space left on device")
