from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgeseg import imaging
from edgeseg.errors import ContractError, ImageError, OptionError
from edgeseg.specs import CHANNELS, Contract, VariantSpec

BYTES = np.arange(256, dtype=np.uint8)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    "images",
    [noise(8, 8, 3), noise(1, 8, 8, 4), noise(1, 8, 8, 1), noise(1, 8, 8, 3).astype(np.float32), noise(1, 0, 8, 3)],
    ids=["one slice", "four channels", "one channel", "float", "no rows"],
)
def test_what_is_no_stack_of_slices_is_refused_with_its_shape(images: np.ndarray) -> None:
    with pytest.raises(ImageError, match=str(images.shape).replace("(", r"\(").replace(")", r"\)")):
        imaging.check_images(images, CHANNELS)


def test_slices_of_the_right_size_pass_untouched(tiny_contract: Contract) -> None:
    images = noise(2, 16, 24, 3)
    assert imaging.to_network(images, tiny_contract) is images


@pytest.mark.parametrize("size", [(32, 48), (7, 9), (512, 640), (1, 1)])
def test_each_channel_is_resampled_on_its_own_as_pillow_does(tiny_contract: Contract, size: tuple[int, int]) -> None:
    images = noise(2, *size, 3)
    resampled = imaging.to_network(images, tiny_contract)
    assert resampled.shape == (2, 16, 24, 3)
    assert resampled.dtype == np.uint8
    for image, given in zip(images, resampled, strict=True):
        wanted = np.asarray(Image.fromarray(image).resize((24, 16), Image.Resampling.BILINEAR))
        np.testing.assert_array_equal(given, wanted)


def test_shrinking_averages_and_does_not_skip_pixels(tiny_contract: Contract) -> None:
    checkers = np.zeros((1, 64, 96, 3), np.uint8)
    checkers[:, ::2, ::2] = checkers[:, 1::2, 1::2] = 255
    inner = imaging.to_network(checkers, tiny_contract)[:, 2:-2, 2:-2].astype(int)
    assert abs(inner - 127).max() <= 2


def test_a_channel_that_slices_lack_and_nothing_stands_in_for_is_refused(tiny_contract: Contract) -> None:
    with pytest.raises(ContractError, match="takes pre, t2, and the slices have pre, flair, post: 't2' is missing"):
        imaging.to_network(noise(1, 16, 24, 3), replace(tiny_contract, channels=("pre", "t2")), CHANNELS)


def test_slices_are_the_contracts_own_where_nothing_is_said(tiny_contract: Contract) -> None:
    images = noise(1, 16, 24, 2)
    assert imaging.to_network(images, replace(tiny_contract, channels=("t1", "t2"))) is images
    with pytest.raises(ImageError, match="the channels being pre, flair, post"):
        imaging.to_network(images, replace(tiny_contract, channels=("flair", "post")))


def test_what_the_contract_says_stands_in_for_a_missing_channel(tiny_contract: Contract) -> None:
    images = noise(1, 16, 24, 2)
    contract = replace(tiny_contract, channels=("t1", "t2", "adc"), stand_in="t2")
    np.testing.assert_array_equal(imaging.to_network(images, contract, ("t2", "t1")), images[..., [1, 0, 0]])


def test_channels_are_put_in_the_contracts_order(tiny_contract: Contract) -> None:
    images = noise(2, 16, 24, 3)
    ordered = imaging.to_network(images, replace(tiny_contract, channels=("flair", "post", "pre")))
    np.testing.assert_array_equal(ordered, np.stack([images[..., 1], images[..., 2], images[..., 0]], axis=-1))


def test_a_contract_that_names_a_channel_twice_is_refused(tiny_contract: Contract) -> None:
    with pytest.raises(OptionError, match="each a name of its own"):
        replace(tiny_contract, channels=("flair", "flair", "post"))


def test_normalise_spans_zero_to_one(tiny_contract: Contract) -> None:
    scaled = imaging.normalise(BYTES, tiny_contract)
    assert scaled.dtype == np.float32
    assert scaled[0] == 0.0
    assert scaled[-1] == pytest.approx(1.0, abs=1e-7)


def test_layouts() -> None:
    images = noise(2, 4, 5, 3)
    assert imaging.to_layout(images, "NHWC") is images
    nchw = imaging.to_layout(images, "NCHW")
    assert nchw.flags.c_contiguous
    np.testing.assert_array_equal(nchw[1, 2], images[1, :, :, 2])
    with pytest.raises(ContractError, match="HWCN"):
        imaging.to_layout(images, "HWCN")


def test_quantise_rounds_halves_to_even_and_clips() -> None:
    levels = imaging.quantise(np.array([0.5, 1.5, -0.5, 1000, -1000], np.float32), 1.0, 3)
    assert levels.tolist() == [3, 5, 3, 127, -128]


def test_dequantise_undoes_quantise_within_half_a_step() -> None:
    values = np.linspace(-5, 5, 101, dtype=np.float32)
    back = imaging.dequantise(imaging.quantise(values, 0.05, 7), 0.05, 7)
    assert back.dtype == np.float32
    assert np.abs(back - values).max() <= 0.025 + 1e-6


@pytest.mark.parametrize("scale", [1 / 255, float(np.float32(1 / 255)), 0.003921569])
def test_int8_input_is_exactly_the_raw_byte_minus_128(tiny_contract: Contract, scale: float) -> None:
    levels = imaging.quantise_images(BYTES, tiny_contract, scale, -128)
    np.testing.assert_array_equal(levels, (BYTES.astype(int) - 128).astype(np.int8))


def test_other_input_scales_go_through_the_same_formula(tiny_contract: Contract) -> None:
    images = noise(1, 4, 4, 3)
    wanted = imaging.quantise(imaging.normalise(images, tiny_contract), 0.01, -50)
    np.testing.assert_array_equal(imaging.quantise_images(images, tiny_contract, 0.01, -50), wanted)


def test_a_pixel_is_tumour_only_above_the_threshold(tiny_contract: Contract) -> None:
    logits = np.array([-0.1, 0.0, 0.1], np.float32)
    assert imaging.mask_from_logits(logits, tiny_contract).tolist() == [False, False, True]
    strict = replace(tiny_contract, threshold=0.9)
    assert imaging.mask_from_logits(np.array([2.1, 2.3], np.float32), strict).tolist() == [False, True]


def test_logits_of_the_right_size_pass_untouched() -> None:
    logits = np.zeros((1, 4, 5), np.float32)
    assert imaging.logits_to_size(logits, 4, 5) is logits


def test_a_boundary_between_pixels_is_kept_when_the_mask_goes_to_a_finer_grid(tiny_contract: Contract) -> None:
    edge_px = 5.25
    ramp = (np.arange(16, dtype=np.float32) + 0.5 - edge_px)[np.newaxis, np.newaxis].repeat(16, axis=1)
    mask = imaging.mask_on_grid(ramp, tiny_contract, 64, 64)
    wanted = (np.arange(64) + 0.5) / 4 > edge_px
    np.testing.assert_array_equal(mask[0], np.tile(wanted, (64, 1)))


def test_stretch_brings_the_99th_percentile_above_black_to_white() -> None:
    images = np.zeros((1, 20, 20, 3), np.uint8)
    images[0, :10, :, 0] = np.arange(1, 201, dtype=np.uint8).reshape(10, 20)
    images[0, 0, 0, 1] = 40
    stretched = imaging.stretch(images)
    assert stretched[0, 9, 17, 0] == 255
    assert stretched[0, 4, 19, 0] == 100 * 255 // 198
    assert stretched[0, 0, 0, 1] == 255
    assert not stretched[..., 2].any()


def test_stretch_takes_any_number_of_slices_and_leaves_its_input() -> None:
    assert imaging.stretch(np.zeros((0, 4, 4, 3), np.uint8)).shape == (0, 4, 4, 3)
    images = np.random.default_rng(0).integers(0, 50, (2, 8, 8, 3), dtype=np.uint8)
    before = images.copy()
    assert imaging.stretch(images).max() == 255
    np.testing.assert_array_equal(images, before)


def test_the_contract_decides_whether_a_slice_is_stretched() -> None:
    images = np.random.default_rng(0).integers(0, 50, (2, 16, 16, 3), dtype=np.uint8)
    plain = Contract(
        variant=VariantSpec(), tier="t", target="t", layout="NHWC", trained_on="phantom", height=16, width=16
    )
    np.testing.assert_array_equal(imaging.to_network(images, plain), images)
    sliced = replace(plain, normalisation="slice")
    np.testing.assert_array_equal(imaging.to_network(images, sliced), imaging.stretch(images))
