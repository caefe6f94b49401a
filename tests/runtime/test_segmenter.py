from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, ContractError, EdgeSegError, ImageError, OptionError
from edgeseg.runtime import Segmenter, open_numerics
from edgeseg.runtime.onnx_session import BASIC, FUSED, FUSED_U8U8, GraphMode
from edgeseg.specs import Contract, PostProcessing
from edgeseg.targets._ort import saved

Write = Callable[..., Path]
LOGIT_STEP = 0.125
FORMS = ["onnx float", "onnx qdq", "onnx int8", "ort float", "ort int8", "tflite float", "tflite int8"]


@pytest.fixture(params=FORMS)
def tiny(request: pytest.FixtureRequest, tiny_onnx: Write, tiny_tflite: Write) -> Path:
    """Each form of the tiny model in turn."""
    runtime, form = request.param.split()
    if runtime == "ort":
        path = tiny_onnx(form=form)
        path.with_suffix(".ort").write_bytes(saved(path.read_bytes()))
        return path.with_suffix(".ort")
    return tiny_onnx(form=form) if runtime == "onnx" else tiny_tflite(int8=form == "int8")


def slices(count: int = 2, height: int = 16, width: int = 24, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def test_logits_follow_the_network_in_every_form(tiny: Path) -> None:
    images = slices()
    logits = Segmenter.load(tiny).logits(images)
    assert logits.shape == (2, 16, 24)
    assert logits.dtype == np.float32
    wanted = 20 * (images[..., 1] / 255) - 10
    assert np.abs(logits - wanted).max() <= (LOGIT_STEP / 2 + 0.01 if "int8" in Segmenter.load(tiny).numerics else 1e-4)


def test_masks_come_back_on_the_slices_own_grid(tiny: Path) -> None:
    images = np.zeros((2, 50, 31, 3), np.uint8)
    images[0, 10:40, 8:22, 1] = 255
    masks = Segmenter.load(tiny).segment(images)
    assert masks.shape == (2, 50, 31)
    assert masks.dtype == np.bool_
    assert not masks[1].any()
    assert masks[0, 14:36, 11:19].all()
    assert not masks[0, :6].any()
    assert not masks[0, :, 26:].any()


def test_no_slices_give_no_masks(tiny: Path) -> None:
    assert Segmenter.load(tiny).segment(np.zeros((0, 16, 24, 3), np.uint8)).shape == (0, 16, 24)


def test_the_threshold_of_the_contract_is_used(tiny_onnx: Write, tiny_contract: Contract) -> None:
    images = np.full((1, 16, 24, 3), 140, np.uint8)
    assert Segmenter.load(tiny_onnx()).segment(images).all()
    strict = replace(tiny_contract, threshold=0.9)
    assert not Segmenter.load(tiny_onnx(contract=strict)).segment(images).any()


def test_it_says_what_it_is(tiny_onnx: Write, tiny_contract: Contract) -> None:
    path = tiny_onnx()
    opened = Segmenter.load(path, threads=1)
    assert (opened.path, opened.contract, opened.threads) == (path, tiny_contract, 1)
    assert opened.runtime == f"onnxruntime {ort.__version__}"
    assert opened.numerics == "float32"


def test_loading_prints_nothing(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Segmenter.load(tiny).segment(slices())
    assert capfd.readouterr() == ("", "")


def test_tflite_says_which_kernels(tiny_tflite: Write) -> None:
    assert Segmenter.load(tiny_tflite()).numerics == "float32"
    opened = Segmenter.load(tiny_tflite(int8=True))
    assert opened.numerics == "int8, LiteRT XNNPACK (32-bit sums)"
    assert opened.runtime.startswith("ai-edge-litert ")


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (FUSED, "int8, exact (integer graph)"),
        (FUSED_U8U8, "int8, near exact (fused U8U8 kernels)"),
        (BASIC, "int8, near exact (basic graph in float)"),
    ],
)
def test_exact_numerics_take_the_mode_that_the_probe_passed(
    tiny_onnx: Write, monkeypatch: pytest.MonkeyPatch, mode: GraphMode, told: str
) -> None:
    monkeypatch.setattr(open_numerics, "exact_mode", lambda: mode)
    opened_with: list[Any] = []
    original = ort.InferenceSession

    def record(source: Any, options: Any, **kwargs: Any) -> Any:
        opened_with.append(options)
        return original(source, options, **kwargs)

    path = tiny_onnx(form="qdq")
    monkeypatch.setattr(ort, "InferenceSession", record)
    opened = Segmenter.load(path)
    assert opened.numerics == told
    assert opened_with[-1].graph_optimization_level == getattr(ort.GraphOptimizationLevel, mode.level)
    for key, value in mode.config:
        assert opened_with[-1].get_session_config_entry(key) == value
    images = slices()
    np.testing.assert_allclose(opened.logits(images), 20 * (images[..., 1] / 255) - 10, atol=LOGIT_STEP / 2 + 0.01)


def test_threads_of_a_session_sleep_between_runs(tiny_onnx: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    opened_with: list[Any] = []
    original = ort.InferenceSession

    def record(source: Any, options: Any, **kwargs: Any) -> Any:
        opened_with.append(options.get_session_config_entry("session.force_spinning_stop"))
        return original(source, options, **kwargs)

    monkeypatch.setattr(ort, "InferenceSession", record)
    Segmenter.load(tiny_onnx())
    assert set(opened_with) == {"1"}


def test_fast_numerics_say_so(tiny_onnx: Write) -> None:
    assert Segmenter.load(tiny_onnx(form="qdq"), numerics="fast").numerics == "int8, fast (the host's default kernels)"


def test_threads_may_share_one_segmenter(tiny: Path) -> None:
    opened = Segmenter.load(tiny, threads=1)
    batches = [slices(4, seed=seed) for seed in range(8)]
    wanted = [opened.logits(batch) for batch in batches]
    gate = threading.Barrier(4)

    def work(index: int) -> NDArray[np.float32]:
        if index < 4:
            gate.wait(timeout=30)
        return opened.logits(batches[index])

    with ThreadPoolExecutor(4) as pool:
        for given, right in zip(pool.map(work, range(8)), wanted, strict=True):
            np.testing.assert_array_equal(given, right)


def test_options_out_of_range(tiny_onnx: Write) -> None:
    path = tiny_onnx()
    with pytest.raises(OptionError, match="threads is 0"):
        Segmenter.load(path, threads=0)
    with pytest.raises(OptionError, match="numerics is 'quick'"):
        Segmenter.load(path, numerics="quick")


def test_slices_of_another_size_have_no_logits(tiny_onnx: Write) -> None:
    with pytest.raises(ImageError, match="16 x 24"):
        Segmenter.load(tiny_onnx()).logits(slices(1, 24, 16))


def test_what_is_no_stack_of_slices(tiny_onnx: Write) -> None:
    with pytest.raises(ImageError, match="not a stack"):
        Segmenter.load(tiny_onnx()).segment(slices()[0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"size": (24, 16)}, ContractError, "input is 1 x 3 x 24 x 16"),
        ({"weights": (1.0,)}, ContractError, "input is 1 x 1 x 16 x 24"),
        ({"weights": (0.0, np.nan, 0.0)}, ArtifactError, "NaN"),
        ({"form": "int8", "metadata": {"edgeseg.input_scale": "x"}}, ArtifactError, "edgeseg.input_scale"),
        ({"form": "int8", "metadata": {"edgeseg.output_scale": "-1"}}, ArtifactError, "edgeseg.output_scale"),
        ({"form": "int8", "metadata": {"edgeseg.output_zero_point": ""}}, ArtifactError, "edgeseg.output_zero_point"),
    ],
    ids=["size", "channels", "weights", "input scale", "output scale", "output zero point"],
)
def test_models_that_do_not_keep_their_contract(
    tiny_onnx: Write, options: dict[str, Any], error: type[EdgeSegError], message: str
) -> None:
    path = tiny_onnx(**options)
    with pytest.raises(error, match=message):
        Segmenter.load(path).segment(slices())


def test_a_layout_that_the_model_does_not_have(tiny_onnx: Write, tiny_contract: Contract) -> None:
    with pytest.raises(ContractError, match="NHWC"):
        Segmenter.load(tiny_onnx(contract=replace(tiny_contract, layout="NHWC")))


def test_every_truncation_is_one_clear_error(tiny: Path) -> None:
    content = tiny.read_bytes()
    for end in range(0, len(content), max(1, len(content) // 25)):
        tiny.write_bytes(content[:end])
        with pytest.raises((ArtifactError, ContractError), match=tiny.name):
            Segmenter.load(tiny)


def test_a_runtime_that_fails_is_one_clear_error(tiny: Path) -> None:
    opened = Segmenter.load(tiny)
    wrong = np.zeros((1, 2, 2), np.float32)
    with pytest.raises(ArtifactError, match=tiny.name):
        opened._session.infer(wrong)


def islands() -> NDArray[np.uint8]:
    """Three slices of 16 x 24: a column of 3 x 2 pixels through all, and on the first a far island of 2 x 2 pixels."""
    images = np.zeros((3, 16, 24, 3), np.uint8)
    images[:, 4:7, 4:6, 1] = 255
    images[0, 12:14, 18:20, 1] = 255
    return images


def test_volumes_and_lone_slices_lose_components_by_their_own_rules(tiny_onnx: Write, tiny_contract: Contract) -> None:
    images, raw = islands(), islands()[..., 1] > 0
    without_island = raw.copy()
    without_island[0, 12:, 18:] = False

    def opened(spec: PostProcessing) -> Segmenter:
        return Segmenter.load(tiny_onnx(contract=replace(tiny_contract, post_processing=spec)))

    plain = opened(PostProcessing())
    assert np.array_equal(plain.segment(images), raw)
    assert np.array_equal(plain.segment_volume(images), raw)
    by_volume = opened(PostProcessing(min_volume_px=7))
    assert np.array_equal(by_volume.segment(images), raw)
    assert np.array_equal(by_volume.segment_volume(images), without_island)
    by_area = opened(PostProcessing(min_area_px=7))
    assert not by_area.segment(images).any()
    assert np.array_equal(by_area.segment_volume(images), raw)


def test_components_are_measured_on_the_grid_of_the_contract(tiny_onnx: Write, tiny_contract: Contract) -> None:
    contract = replace(tiny_contract, post_processing=PostProcessing(min_volume_px=7))
    images = np.repeat(np.repeat(islands(), 2, axis=1), 2, axis=2)
    masks = Segmenter.load(tiny_onnx(contract=contract)).segment_volume(images)
    assert masks[:, 9:13, 9:11].all()
    assert not masks[0, 20:].any()
    assert Segmenter.load(tiny_onnx()).segment_volume(images)[0, 20:].any()
