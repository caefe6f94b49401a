from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.artifacts import sha256_bytes, sha256_file
from edgeseg.data.volume import Volume
from edgeseg.results import DeviceArtifact, DeviceCodes, DeviceEvidence, DeviceFigure, Environment
from edgeseg.runtime import Segmenter
from edgeseg.specs import Contract
from edgeseg.stages.score.device import busiest_slices, codes_of, device_figure, slice_digests

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), np.uint8)


@pytest.fixture
def int8(tiny_onnx: Callable[..., Path], tiny_contract: Contract) -> Segmenter:
    return Segmenter.load(tiny_onnx(form="int8", contract=replace(tiny_contract, target="onnx-int8", profile="arm")))


def _evidence(segmenter: Segmenter, *, other_file: bool = False, other_codes: int = 0) -> DeviceEvidence:
    codes = codes_of(segmenter, segmenter.logits(IMAGES)).copy()
    codes[:other_codes, 0, 0] += 1
    sha256 = "0" * 64 if other_file else sha256_file(segmenter.path)
    return DeviceEvidence(
        command="make test-device",
        environment=Environment(cpu="", cores=1, os="", python="", int8_kernels="", versions={}),
        replay_sha256=sha256_bytes(IMAGES.tobytes()),
        artifacts=(
            DeviceArtifact(name="a", variant="v", target="onnx-int8", profile="arm", sha256=sha256, size_bytes=1),
        ),
        runs=(),
        codes=(DeviceCodes(artifact="a", processor="cortex-a76", runtime="r", slice_sha256=slice_digests(codes)),),
        instructions=(),
    )


def _figure(
    segmenter: Segmenter, evidence: DeviceEvidence | None, *, exact: bool = True, images: NDArray[np.uint8] = IMAGES
) -> DeviceFigure:
    found = device_figure(segmenter, evidence=lambda: evidence, images=lambda: images, exact=lambda: exact)
    assert found is not None
    return found


def test_equal_codes_prove_the_host_even_for_a_file_that_says_more(int8: Segmenter) -> None:
    for other_file in (False, True):
        found = _figure(int8, _evidence(int8, other_file=other_file), exact=False)
        assert (found.equals_arm, found.replayed_slices, found.replayed_equal) == (True, 3, 3)
        assert "cortex-a76" in found.reasons[0]
        assert ("the same file" in found.reasons[0]) != other_file


def test_other_codes_of_the_recorded_file_disprove_the_host_whatever_the_probe_says(int8: Segmenter) -> None:
    found = _figure(int8, _evidence(int8, other_codes=1), exact=True)
    assert (found.equals_arm, found.replayed_equal) == (False, 2)


def test_other_codes_of_another_file_leave_it_to_the_probe(int8: Segmenter) -> None:
    evidence = _evidence(int8, other_file=True, other_codes=1)
    assert _figure(int8, evidence, exact=True).equals_arm is True
    assert _figure(int8, evidence, exact=False).equals_arm is False


def test_slices_of_other_channels_than_the_network_takes_are_not_replayed(int8: Segmenter) -> None:
    images = np.zeros((3, 16, 24, 4), np.uint8)
    evidence = replace(_evidence(int8), replay_sha256=sha256_bytes(images.tobytes()))
    assert _figure(int8, evidence, images=images).replayed_slices == 0


def test_without_evidence_or_with_that_of_other_slices_the_probe_decides(int8: Segmenter) -> None:
    for evidence, images in ((None, IMAGES), (_evidence(int8), IMAGES[:2])):
        found = _figure(int8, evidence, exact=False, images=images)
        assert (found.equals_arm, found.replayed_slices) == (False, 0)
        assert "probe" in found.reasons[1]


def test_default_kernels_are_not_shown_to_be_arms(int8: Segmenter) -> None:
    fast = Segmenter.load(int8.path, numerics="fast")
    assert _figure(fast, None).equals_arm is None


def test_seven_bit_weights_need_no_probe(tiny_onnx: Callable[..., Path], tiny_contract: Contract) -> None:
    contract = replace(tiny_contract, target="onnx-int8", profile="x86")
    segmenter = Segmenter.load(tiny_onnx(form="int8", contract=contract))
    assert segmenter.numerics == "int8, exact (7-bit weights, no saturation)"
    assert _figure(segmenter, None, exact=False).equals_arm is True


def test_tflite_without_evidence_is_not_shown(tiny_tflite: Callable[..., Path]) -> None:
    assert _figure(Segmenter.load(tiny_tflite(int8=True)), None).equals_arm is None


def test_float_is_no_question(tiny_onnx: Callable[..., Path]) -> None:
    assert device_figure(Segmenter.load(tiny_onnx())) is None


def test_the_busiest_slices_come_with_others_in_order() -> None:
    masks = np.zeros((10, 4, 4), bool)
    for index in (4, 5, 6, 7):
        masks[index, :, : index - 3] = True
    names = tuple(map(str, range(10)))
    volume = Volume(
        patient="p", institution="", images=np.zeros((10, 4, 4, 3), np.uint8), masks=masks, slice_names=names
    )
    assert busiest_slices(volume, 4) == (2, 6, 7, 8)
    assert busiest_slices(volume, 1) == (7,)
    assert busiest_slices(volume, 50) == tuple(range(10))
