from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from edgeseg.data.volume import Volume
from edgeseg.errors import ArtifactError, ContractError, DatasetError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.results import ParityResult
from edgeseg.specs import Contract, PostProcessing, VariantSpec
from edgeseg.stages.score.verify import verify

SIDE = 10
CONTRACT = Contract(
    variant=VariantSpec(),
    tier="int8",
    target="tflite-int8",
    layout="NHWC",
    trained_on="phantom",
    height=SIDE,
    width=SIDE,
)
FLOAT = replace(CONTRACT, target="keras-fp32")


@dataclass
class Reads:
    """A predictor whose logits are one channel of its input, centred on 0 and scaled by `gain`."""

    channel: int
    contract: Contract
    gain: float = 1.0
    numerics: str = "exact"
    runtime: str = "fake 1"
    threads: int = 1

    def logits(self, images: np.ndarray) -> np.ndarray:
        return (images[..., self.channel].astype(np.float32) - 100) * np.float32(self.gain)


def _volume(patient: str, slices: int = 3) -> Volume:
    images = np.full((slices, SIDE, SIDE, 3), 90, np.uint8)
    names = tuple(f"s{number}" for number in range(slices))
    return Volume(patient=patient, institution="", images=images, masks=None, slice_names=names)


def _run(volumes: list[Volume], max_flip_ppm: float = 0.0, **contracts: Contract) -> ParityResult:
    ours = Reads(0, contracts.get("ours", CONTRACT))
    theirs = Reads(1, contracts.get("theirs", FLOAT))
    return verify(ours, theirs, iter(volumes), artifact="a/tflite-int8", max_flip_ppm=max_flip_ppm)


def test_equal_outputs_pass_at_zero_tolerance_and_still_name_a_slice() -> None:
    result = _run([_volume("P1"), _volume("P2")])
    assert result.passed
    assert (result.slices, result.flipped_pixels, result.flips_ppm, result.max_logit_difference) == (6, 0, 0.0, 0.0)
    assert (result.artifact, result.reference) == ("a/tflite-int8", "keras-fp32")
    assert (result.worst_slice, result.worst_slice_flipped_pixels) == ("P1/s0", 0)


def test_flips_are_counted_over_all_and_the_worst_slice_is_named() -> None:
    first, second = _volume("P1"), _volume("P2")
    first.images[0, 0, :2, 0] = 120
    second.images[1, 0, :3, 1] = 130
    second.images[2, 0, 0, 0] = 60
    result = _run([first, second], max_flip_ppm=1e6 * 4 / 600)
    assert (result.slices, result.flipped_pixels) == (6, 5)
    assert result.flips_ppm == pytest.approx(1e6 * 5 / 600)
    assert (result.worst_slice, result.worst_slice_flipped_pixels) == ("P2/s1", 3)
    assert result.max_logit_difference == 40.0
    assert not result.passed
    assert _run([first, second], max_flip_ppm=1e6 * 5 / 600).passed


def test_without_flips_the_worst_slice_has_the_largest_difference() -> None:
    first, second = _volume("P1"), _volume("P2")
    first.images[1, 0, 0, 0] = 80
    second.images[2, 0, 0, 0] = 70
    result = _run([first, second])
    assert (result.worst_slice, result.flipped_pixels, result.max_logit_difference) == ("P2/s2", 0, 20.0)


def test_a_logit_on_the_threshold_is_background_on_both_sides() -> None:
    volume = _volume("P1", 1)
    volume.images[0, 0, 0] = (100, 101, 0)
    assert _run([volume]).flipped_pixels == 1
    volume.images[0, 0, 0] = (100, 99, 0)
    assert _run([volume]).flipped_pixels == 0


def test_flips_are_counted_at_the_operating_threshold() -> None:
    volume = _volume("P1", 1)
    volume.images[0, 0, 0] = (101, 104, 0)
    assert _run([volume]).flipped_pixels == 0
    high = 1 / (1 + math.exp(-2.5))
    ours, theirs = replace(CONTRACT, threshold=high), replace(FLOAT, threshold=high)
    assert _run([volume], ours=ours, theirs=theirs).flipped_pixels == 1


def test_the_brute_force_count_agrees() -> None:
    volume = _volume("P1", 20)
    volume.images[...] = np.random.default_rng(0).integers(95, 106, volume.images.shape, np.uint8)
    result = _run([volume])
    ours, theirs = volume.images[..., 0].tolist(), volume.images[..., 1].tolist()
    flips = [
        sum((a > 100) != (b > 100) for row, other in zip(s, t, strict=True) for a, b in zip(row, other, strict=True))
        for s, t in zip(ours, theirs, strict=True)
    ]
    assert result.flipped_pixels == sum(flips)
    assert result.worst_slice_flipped_pixels == max(flips)
    assert result.slices == 20


def test_slices_are_brought_to_the_contracts_size() -> None:
    images = np.full((2, 40, 30, 3), 90, np.uint8)
    volume = Volume(patient="P1", institution="", images=images, masks=None, slice_names=("a", "b"))
    assert _run([volume]).flips_ppm == 0.0


def test_progress_is_told_per_patient() -> None:
    told: list[tuple[int, str]] = []
    verify(
        Reads(0, CONTRACT),
        Reads(1, FLOAT),
        [_volume("P1"), _volume("P2")],
        artifact="a",
        max_flip_ppm=0,
        progress=lambda done, _, who: told.append((done, who)),
    )
    assert told == [(1, "P1"), (2, "P2")]


@pytest.mark.parametrize(
    "change",
    [{"threshold": 0.4}, {"height": 20}, {"scale": 1.0}, {"channels": ("flair", "pre", "post")}],
    ids=lambda change: next(iter(change)),
)
def test_contracts_that_feed_or_threshold_differently_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=f"{next(iter(change))} is .* tflite-int8"):
        _run([_volume("P1")], theirs=replace(FLOAT, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("tolerance", [-1.0, math.nan, math.inf])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    with pytest.raises(OptionError, match="max_flip_ppm"):
        _run([_volume("P1")], max_flip_ppm=tolerance)


def test_no_slice_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no slice"):
        _run([])
    with pytest.raises(DatasetError, match="no slice"):
        _run([_volume("P1", 0)])


def test_logits_that_are_not_finite_are_no_pass() -> None:
    with pytest.raises(ArtifactError, match="P1/s0"), np.errstate(invalid="ignore"):
        verify(Reads(0, CONTRACT, gain=math.inf), Reads(1, FLOAT), [_volume("P1")], artifact="a", max_flip_ppm=0)


def test_the_result_survives_json() -> None:
    result = _run([_volume("P1")])
    assert from_json(ParityResult, to_json(result)) == result


def test_parity_is_of_raw_masks_whatever_the_contract_drops() -> None:
    volume = _volume("P1")
    volume.images[0, 5, 5, 0] = 120
    dropping = PostProcessing(min_area_px=50, min_volume_px=50)
    result = _run(
        [volume], ours=replace(CONTRACT, post_processing=dropping), theirs=replace(FLOAT, post_processing=dropping)
    )
    assert result.flipped_pixels == 1
