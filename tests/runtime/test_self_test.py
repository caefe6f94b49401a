"""The golden case: a drawing that is the same everywhere, and what a device may differ by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.artifacts import sha256_bytes
from edgeseg.errors import ContractError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.runtime import Segmenter, self_test
from edgeseg.runtime.self_test import DRAWINGS, decode_runs, draw, encode_runs, make_case
from edgeseg.specs import Contract, GoldenCase, GoldenDrawing

Write = Callable[..., Path]


@pytest.fixture
def square(tiny_contract: Contract) -> Contract:
    return replace(tiny_contract, height=64, width=48)


def flair_logits(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images[..., 1].astype(np.float32) / np.float32(255) * 20 - 10


def case_of(contract: Contract, **changes: Any) -> GoldenCase:
    found = make_case(flair_logits, contract, made_with="NumPy", step=None)
    assert found is not None
    return replace(found, **changes)


def drawn_by_the_book(drawing: GoldenDrawing, height: int, width: int) -> NDArray[np.uint8]:
    """The steps of docs/reference/contract.md, one pixel at a time, with Python's own whole numbers."""
    image = [[[0, 0, 0] for _ in range(width)] for _ in range(height)]
    for cy, cx, ry, rx, *values in drawing.ellipses:
        y0, x0, tall, wide = cy * height // 512, cx * width // 512, ry * height // 512, rx * width // 512
        for row in range(height):
            for column in range(width):
                a, b = 2 * row + 1 - y0, 2 * column + 1 - x0
                if a * a * wide * wide + b * b * tall * tall <= wide * wide * tall * tall:
                    image[row][column] = list(values)
    for row in range(height):
        for column in range(width):
            for channel in range(3):
                i = (row * width + column) * 3 + channel
                n = (i * i * 4241 + i * 7 + i // 8 * 40503) % 65521 % (2 * drawing.noise + 1) - drawing.noise
                if image[row][column][channel]:
                    image[row][column][channel] = min(255, max(0, image[row][column][channel] + n))
    for _ in range(drawing.blur):
        last = image
        image = [
            [
                [
                    (sum(last[min(max(r, 0), height - 1)][min(max(c, 0), width - 1)][channel]
                         for r in (row - 1, row, row + 1) for c in (column - 1, column, column + 1)) + 4) // 9
                    for channel in range(3)
                ]
                for column in range(width)
            ]
            for row in range(height)
        ]  # fmt: skip
    return np.array(image, np.uint8)


@pytest.mark.parametrize("size", [(64, 48), (33, 70)])
def test_the_drawing_is_the_one_that_the_documentation_defines(size: tuple[int, int]) -> None:
    for drawing in (DRAWINGS[0], DRAWINGS[6]):
        np.testing.assert_array_equal(draw(drawing, *size), drawn_by_the_book(drawing, *size))


def test_the_drawings_are_the_same_bytes_for_ever() -> None:
    joined = b"".join(draw(drawing, 256, 256).tobytes() for drawing in DRAWINGS)
    assert sha256_bytes(joined) == "0fd2fb1026e691c2ae80b2a4add5cd0340d9938081cf56d118077a342e0ab54a"


def test_run_lengths_are_row_major_and_begin_with_zeros() -> None:
    mask = np.zeros((4, 100), np.bool_)
    mask.ravel()[5:8] = mask.ravel()[258:262] = True
    assert encode_runs(mask) == "5 3 250 4"
    np.testing.assert_array_equal(decode_runs("5 3 250 4", 4, 100), mask)
    for extreme in (np.ones((3, 4), np.bool_), np.zeros((3, 4), np.bool_)):
        np.testing.assert_array_equal(decode_runs(encode_runs(extreme), 3, 4), extreme)


def test_any_mask_survives_its_run_lengths() -> None:
    rng = np.random.default_rng(0)
    for share in (0.05, 0.5, 0.95):
        mask = rng.random((17, 23)) < share
        np.testing.assert_array_equal(decode_runs(encode_runs(mask), 17, 23), mask)


@pytest.mark.parametrize("runs", ["5 x", "-1 2", "300 200"])
def test_runs_that_are_none_are_refused(runs: str) -> None:
    with pytest.raises(ContractError, match="golden mask"):
        decode_runs(runs, 4, 100)


def test_a_case_expects_what_the_network_drew(square: Contract) -> None:
    case = case_of(square)
    image = draw(case.drawing, 64, 48)
    mask = decode_runs(case.mask_runs, 64, 48)
    np.testing.assert_array_equal(mask, flair_logits(image[np.newaxis])[0] > 0)
    assert case.tumour_pixels == mask.sum() > 0
    assert case.input_sha256 == sha256_bytes(image.tobytes())
    assert case.mask_sha256 == sha256_bytes(mask.astype(np.uint8).tobytes())
    assert case.logit_tolerance == 1e-3
    assert from_json(GoldenCase, to_json(case)) == case


def test_pixels_near_the_threshold_may_flip_and_int8_counts_in_codes(square: Contract) -> None:
    eighth = replace(square, target="onnx-int8")

    def coded(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(np.rint(flair_logits(images) * 8) / 8, dtype=np.float32)

    found = make_case(coded, eighth, made_with="NumPy", step=0.125)
    assert found is not None
    logits = np.rint(flair_logits(draw(found.drawing, 64, 48)[np.newaxis]) * 8)
    assert found.allowed_flips == (np.abs(logits) <= 2).sum()
    assert found.logit_tolerance == 1.0
    assert "8 codes of 0.125" in found.reason


def test_the_order_of_the_channels_is_the_contracts(square: Contract) -> None:
    swapped = make_case(
        lambda images: flair_logits(images[..., [1, 0, 2]]),
        replace(square, channels=("flair", "pre", "post")),
        made_with="NumPy",
        step=None,
    )
    assert swapped is not None
    assert swapped.mask_runs == case_of(square).mask_runs


def test_a_network_that_draws_nothing_or_everything_has_no_case(square: Contract) -> None:
    for level in (-9.0, 9.0):
        level_of = lambda images, level=level: np.full(images.shape[:3], level, np.float32)  # noqa: E731
        assert make_case(level_of, square, made_with="NumPy", step=None) is None
    untrained = replace(square, trained_on="none")
    assert make_case(flair_logits, untrained, made_with="NumPy", step=None) is None


@pytest.mark.parametrize(
    "change", [{"tumour_pixels": 0}, {"allowed_flips": -1}, {"noise": 128}, {"ellipses": ((1, 2),)}]
)
def test_a_case_that_proves_nothing_is_refused(square: Contract, change: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        case_of(square, **change)


def test_self_test_passes_where_the_device_draws_the_mask(tiny_onnx: Write, tiny_contract: Contract) -> None:
    wide = replace(tiny_contract, golden=case_of(tiny_contract))
    found = Segmenter.load(tiny_onnx(contract=wide)).self_test()
    assert found.passed
    assert (found.flipped_pixels, found.pixels) == (0, 16 * 24)
    assert found.tumour_pixels == found.expected_tumour_pixels > 0
    assert found.logit_off_max < 1e-3


@pytest.mark.parametrize("weights", [(20.0, 0.0, 0.0), (0.0, 20.2, 0.0)])
def test_self_test_fails_where_channels_are_swapped_or_logits_are_off(
    tiny_onnx: Write, tiny_contract: Contract, weights: tuple[float, ...]
) -> None:
    wide = replace(tiny_contract, golden=case_of(tiny_contract))
    found = Segmenter.load(tiny_onnx(contract=wide, weights=weights)).self_test()
    assert not found.passed


def test_self_test_says_what_is_wrong_with_the_case_itself(tiny_onnx: Write, tiny_contract: Contract) -> None:
    with pytest.raises(ContractError, match="no golden case"):
        Segmenter.load(tiny_onnx()).self_test()
    for change, told in (
        ({"input_sha256": "0" * 64}, "drawing came out different"),
        ({"mask_sha256": "0" * 64}, "mask does not have the digest"),
    ):
        damaged = replace(tiny_contract, golden=case_of(tiny_contract, **change))
        with pytest.raises(ContractError, match=told):
            Segmenter.load(tiny_onnx(contract=damaged)).self_test()
    outside = replace(self_test.make_case(flair_logits, tiny_contract, made_with="x", step=None).logits[0], row=99)  # type: ignore[union-attr]
    beyond = replace(tiny_contract, golden=case_of(tiny_contract, logits=(outside,)))
    with pytest.raises(ContractError, match="outside 16 x 24"):
        Segmenter.load(tiny_onnx(contract=beyond)).self_test()
