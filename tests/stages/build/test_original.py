from __future__ import annotations

import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, OutputError
from edgeseg.results import BaselineResult, Census, Environment, LatencyResult
from edgeseg.specs import Contract, ImageSpec, VariantSpec
from edgeseg.stages.build import original as stage

HERE = Environment(
    cpu="cpu", cores=2, os="os", python="3.11", int8_kernels="exact", versions={"keras": "3.0", "onnxruntime": "1.0"}
)
SMALL = VariantSpec(name="unet", alpha=0.125, stem="full")
SLICE = np.zeros((64, 64, 3), np.uint8)


class Keras:
    """Counts how often a network was built; the files have sizes, and the clock a figure, that no host would give."""

    def __init__(self) -> None:
        self.built = 0

    def build(self, variant: VariantSpec, *, keras: Any) -> str:
        self.built += 1
        return "model"


def latency(*args: Any, artifact: str, threads: int, **kwargs: Any) -> LatencyResult:
    return LatencyResult(
        artifact=artifact,
        runtime="rt 1",
        threads=threads,
        runs=9,
        warmup_runs=2,
        latency_ms_p50=5.0,
        latency_ms_p95=6.0,
    )


@pytest.fixture
def keras(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Keras:
    stand = Keras()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(stage, "load_keras", lambda: "keras")
    monkeypatch.setattr(stage, "build_model", stand.build)
    monkeypatch.setattr(stage, "census", lambda model: Census(parameters=1000, trainable_parameters=1000, macs=7))
    monkeypatch.setattr(stage, "file_sizes", lambda keras, model, folder: (12_345, 4_100))
    monkeypatch.setattr(stage, "time_model", latency)
    monkeypatch.setattr(stage, "environment", lambda: HERE)
    monkeypatch.setattr(stage, "load_average", lambda: 0.5)
    return stand


def cache_files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "edgeseg").iterdir())


def test_it_is_measured_once_per_host_and_kept(keras: Keras, tmp_path: Path) -> None:
    first = stage.measure_original()
    assert first == stage.measure_original()
    assert keras.built == 1
    assert len(cache_files(tmp_path)) == 1
    assert (first.size_bytes, first.weights_size_bytes, first.parameters, first.variant) == (
        12_345,
        4_100,
        1000,
        "unet",
    )
    assert first.latency is not None
    assert first.environment == HERE


def test_what_was_timed_beside_other_work_is_timed_anew_when_that_is_over(
    keras: Keras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "load_average", lambda: 64.0 * (os.cpu_count() or 1))
    stage.measure_original()
    stage.measure_original()
    assert keras.built == 1
    monkeypatch.setattr(stage, "load_average", lambda: 0.0)
    stage.measure_original()
    assert keras.built == 2
    stage.measure_original()
    assert keras.built == 2


def test_force_measures_anew(keras: Keras) -> None:
    stage.measure_original()
    stage.measure_original(force=True)
    assert keras.built == 2


@pytest.mark.parametrize("damage", ["", "{", '{"variant": "unet"}', "\x00\xff"])
def test_a_damaged_cache_is_measured_anew_and_mended(
    keras: Keras, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = stage.measure_original()
    (place,) = cache_files(tmp_path)
    place.write_text(damage)
    with caplog.at_level(logging.WARNING):
        assert stage.measure_original() == first
    assert "damaged" in caplog.text
    assert keras.built == 2
    assert stage.measure_original() == first
    assert keras.built == 2


def test_other_versions_and_other_threads_have_a_cache_of_their_own(
    keras: Keras, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stage.measure_original(threads=2)
    one = stage.measure_original(threads=1)
    assert one.latency is not None
    assert one.latency.threads == 1
    newer = Environment(
        cpu="cpu",
        cores=2,
        os="os",
        python="3.11",
        int8_kernels="exact",
        versions={"keras": "4.0", "onnxruntime": "1.0"},
    )
    monkeypatch.setattr(stage, "environment", lambda: newer)
    stage.measure_original(threads=2)
    assert keras.built == 3
    assert len(cache_files(tmp_path)) == 3


def test_the_derivation_says_what_was_measured_and_how(keras: Keras) -> None:
    text = stage.measure_original().derivation
    for part in (
        "1,000 parameters", "Keras 3.0", "12,345 bytes", "12,000", "plus 345", "4,100 bytes", "plus 100", "Adam",
        "rt 1", "n = 9",
    ):  # fmt: skip
        assert part in text


def test_a_disk_without_room_is_refused_before_anything_is_written(
    keras: Keras, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=5_000))
    with pytest.raises(OutputError, match="TMPDIR"):
        stage.measure_original()
    assert cache_files(tmp_path) == []


def test_every_step_is_announced(keras: Keras) -> None:
    lines: list[str] = []
    stage.measure_original(say=lines.append)
    assert len(lines) == 3
    assert "20 s" in lines[-1]


def test_a_disk_that_fills_while_saving_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    class Full:
        trainable_variables = ()

        def compile(self, optimizer: Any) -> None:
            pass

        def save(self, path: Path, *, include_optimizer: bool) -> None:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    class Namespace:
        class optimizers:  # noqa: N801
            @staticmethod
            def Adam() -> Any:  # noqa: N802
                return type("Adam", (), {"build": lambda self, variables: None})()

    with pytest.raises(OutputError, match="No space left"):
        stage.file_sizes(Namespace, Full(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_onnx_refuses_is_timed_in_keras_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Stand:
        contract = Contract(
            variant=SMALL, tier="t", target="keras-fp32", layout="NHWC", trained_on="phantom", height=64, width=64
        )
        numerics, runtime, threads = "float", "keras 3.0", 2

        def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.zeros(images.shape[:3], np.float32)

    class Model:
        input_shape = (None, 64, 64, 3)

    def refuse(*args: object) -> Stand:
        raise ArtifactError("no such operation")

    monkeypatch.setattr(stage, "_onnx_predictor", refuse)
    monkeypatch.setattr(stage, "KerasPredictor", lambda model, contract, *, threads: Stand())
    monkeypatch.setattr("edgeseg.stages.bench.latency.phantom_slice", lambda *, seed, channels: SLICE)
    found = stage.time_model(Model(), SMALL, artifact="x", threads=2, budget_s=0.01)
    assert found.runtime == "keras 3.0"
    assert "no such operation" in caplog.text


def test_a_small_network_is_really_saved_counted_and_timed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from edgeseg.backend import load_keras
    from edgeseg.variants import build_model, census

    namespace = load_keras()
    model = build_model(SMALL, ImageSpec(height=64, width=64), namespace)
    parameters = census(model).parameters
    size, weights_size = stage.file_sizes(namespace, model, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert 12 * parameters < size < 12 * parameters * 1.1
    assert 4 * parameters < weights_size < 4 * parameters * 1.1

    monkeypatch.setattr("edgeseg.stages.bench.latency.phantom_slice", lambda *, seed, channels: SLICE)
    found = stage.time_model(model, SMALL, artifact="small", threads=1, budget_s=0.2)
    assert found.runtime.startswith("onnxruntime")
    assert found.threads == 1
    assert found.runs >= 1
    assert list(tmp_path.iterdir()) == []


def test_the_result_is_a_baseline_result(keras: Keras) -> None:
    assert isinstance(stage.measure_original(), BaselineResult)


def test_a_cache_that_was_edited_is_measured_anew(
    keras: Keras, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = stage.measure_original()
    (place,) = cache_files(tmp_path)
    assert "12345" in place.read_text()
    place.write_text(place.read_text().replace("12345", "99999"))
    with caplog.at_level(logging.WARNING):
        assert stage.measure_original() == first
    assert "was changed after it was measured" in caplog.text
    assert keras.built == 2
