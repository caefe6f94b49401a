from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeseg import imaging
from edgeseg.errors import OptionError
from edgeseg.specs import Contract, Intensity
from tests.imaging._cases import CASES, MEAN, STD, normalised

BYTES = np.arange(256, dtype=np.uint8)
MEASURED = [name for name in CASES if "intensity" in CASES[name] and name != "mean-std"]


def grey(seed: int = 0, *, slices: int = 5) -> np.ndarray:
    """Slices that look like a head: a black margin, and another distribution in each channel."""
    rng = np.random.default_rng(seed)
    values = rng.gamma((2.0, 4.0, 3.0), (20.0, 16.0, 30.0), (slices, 16, 24, 3))
    values[:, :3] = 0
    return np.clip(values, 0, 255).astype(np.uint8)


def odd_slices() -> dict[str, np.ndarray]:
    """Slices in which something is missing."""
    black, spot = np.zeros((2, 16, 24, 3), np.uint8), np.zeros((2, 16, 24, 3), np.uint8)
    spot[0, 4, 5] = 255
    no_pre = grey()
    no_pre[..., 0] = 0
    flat = np.full((2, 16, 24, 3), 255, np.uint8)
    return {"black": black, "white": flat, "grey": flat // 3, "one pixel": spot, "one sequence is empty": no_pre}


def table_of(images: np.ndarray, contract: Contract) -> np.ndarray:
    return imaging.tables(imaging.histograms(images), contract)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("what", [*odd_slices(), *range(4)])
def test_tables_are_finite_and_rise_with_the_grey_value(tiny_contract: Contract, name: str, what: str | int) -> None:
    images = grey(what, slices=2) if isinstance(what, int) else odd_slices()[what]
    contract = normalised(tiny_contract, name)
    found = table_of(images, contract)
    assert found.dtype == np.float32
    assert found.shape == (3, 256)
    assert np.isfinite(found).all()
    spec = contract.intensity
    first = 1 if spec is not None and spec.pixels == "non-zero" and spec.zero_stays else 0
    assert (np.diff(found[:, first:], axis=1) >= 0).all()
    if first:
        assert (found[:, 0] == 0).all()


def test_what_is_normalised_without_statistics_is_what_it_was(tiny_contract: Contract) -> None:
    images = grey()
    plain = images.astype(np.float32) * np.float32(1 / 255)
    assert np.array_equal(imaging.normalise(images, tiny_contract), plain)
    assert np.array_equal(table_of(images, tiny_contract)[1], plain.dtype.type(1 / 255) * BYTES.astype(np.float32))


def test_mean_and_deviation_are_of_the_scaled_value(tiny_contract: Contract) -> None:
    images = grey()
    found = imaging.normalise(images, normalised(tiny_contract, "mean-std"))
    wanted = (images / 255 - np.array(MEAN)) / np.array(STD)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("over", ["slice", "volume"])
def test_a_z_score_has_mean_0_and_deviation_1_over_what_is_counted(tiny_contract: Contract, over: str) -> None:
    images = grey()
    contract = normalised(tiny_contract, f"z-score by {over}, all")
    found = imaging.normalise(images, contract, imaging.volume_tables([images], contract)).astype(np.float64)
    axes = (1, 2) if over == "slice" else (0, 1, 2)
    np.testing.assert_allclose(found.mean(axis=axes), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(axis=axes), 1, atol=1e-6)


def test_a_z_score_of_non_zero_pixels_leaves_the_others_at_0(tiny_contract: Contract) -> None:
    images = grey()
    found = imaging.normalise(images, normalised(tiny_contract, "z-score by slice, non-zero"))
    first, given = images[0, ..., 1], found[0, ..., 1]
    inside = first > 0
    assert (given[~inside] == 0).all()
    wanted = (first[inside] - first[inside].mean()) / first[inside].std()
    np.testing.assert_allclose(given[inside], wanted, atol=1e-5)


def test_zero_is_treated_as_others_where_that_is_asked_for(tiny_contract: Contract) -> None:
    images = grey()
    spec = Intensity(pixels="non-zero", zero_stays=False)
    found = imaging.normalise(images, replace(tiny_contract, normalisation="z-score", intensity=spec))
    first = images[0, ..., 2].astype(np.float64)
    inside = first[first > 0]
    np.testing.assert_allclose(found[0, 0, 0, 2], (0 - inside.mean()) / inside.std(), rtol=1e-5)


def test_percentiles_are_numpys(tiny_contract: Contract) -> None:
    images = grey(3)
    contract = normalised(tiny_contract, "percentile by volume, all")
    found = imaging.normalise(images, contract, imaging.volume_tables([images], contract))
    for channel in range(3):
        low, high = np.percentile(images[..., channel], (1, 99))
        wanted = np.clip((images[..., channel] - low) / (high - low), 0, 1)
        np.testing.assert_allclose(found[..., channel], wanted, atol=1e-6)


def test_a_public_network_of_the_data_set_gets_what_its_own_code_gives_it(tiny_contract: Contract) -> None:
    """Rescale between the 10th and 99th percentile of all channels, then a z-score of each over the volume."""
    images = grey(7)
    contract = normalised(tiny_contract, "buda")
    volume = images / 255
    low, high = np.percentile(volume, (10, 99))
    volume = np.clip((volume - low) / (high - low), 0, 1)
    wanted = (volume - volume.mean(axis=(0, 1, 2))) / volume.std(axis=(0, 1, 2))
    found = imaging.normalise(images, contract, imaging.volume_tables([images], contract))
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_a_volume_is_counted_whole_in_whatever_pieces_it_comes(tiny_contract: Contract) -> None:
    images = grey()
    for name in CASES:
        contract = normalised(tiny_contract, name)
        whole = imaging.volume_tables([images], contract)
        pieces = imaging.volume_tables((image[np.newaxis] for image in images), contract)
        assert (whole is None) == ("volume" not in name and name not in ("buda", "all channels together"))
        if whole is not None and pieces is not None:
            assert whole.tobytes() == pieces.tobytes()


def test_a_lone_slice_is_a_volume_of_its_own(tiny_contract: Contract) -> None:
    images = grey()
    contract = normalised(tiny_contract, "buda")
    alone = [
        imaging.normalise(one[np.newaxis], contract, imaging.volume_tables([one[np.newaxis]], contract))
        for one in images
    ]
    assert np.array_equal(imaging.normalise(images, contract), np.concatenate(alone))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_codes_are_those_of_the_values(tiny_contract: Contract, name: str, dtype: str) -> None:
    images = grey()
    contract = normalised(tiny_contract, name)
    volume = imaging.volume_tables([images], contract)
    scale, zero = (0.03, -20) if dtype == "int8" else (0.0002, 0)
    wanted = imaging.quantise(imaging.normalise(images, contract, volume), scale, zero, dtype)
    found = imaging.quantise_images(images, contract, scale, zero, dtype, volume)
    assert found.dtype == wanted.dtype
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("name", CASES)
def test_the_known_range_holds_every_value_and_zero(tiny_contract: Contract, name: str) -> None:
    contract = normalised(tiny_contract, name)
    found = imaging.known_range(contract)
    assert (found is None) == (name in MEASURED and ("z-score" in name or name in ("buda", "all channels together")))
    if found is not None:
        values = imaging.normalise(imaging.to_network(grey(), contract), contract)
        assert found[0] <= min(0.0, values.min())
        assert values.max() <= found[1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"normalisation": "zscore"}, "choose one of: unit, slice, mean-std, z-score, percentile"),
        ({"normalisation": "z-score"}, "intensity is missing"),
        ({"intensity": Intensity()}, "takes no intensity"),
        (
            {"normalisation": "mean-std", "intensity": Intensity(mean=(0.1,), std=STD)},
            "intensity.mean holds 1 numbers; 3",
        ),
        ({"normalisation": "mean-std", "intensity": Intensity(mean=MEAN)}, "intensity.std holds 0 numbers; 3"),
        ({"normalisation": "z-score", "intensity": Intensity(mean=MEAN)}, "'z-score' measures them"),
        ({"normalisation": "z-score", "intensity": Intensity(then="z-score")}, "follows 'percentile'"),
    ],
)
def test_a_normalisation_that_says_too_little_or_too_much(
    tiny_contract: Contract, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(OptionError, match=told):
        replace(tiny_contract, **change)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"over": "patient"}, "choose one of: slice, volume"),
        ({"pixels": "brain"}, "choose one of: all, non-zero"),
        ({"then": "minus"}, "choose one of: nothing, z-score, mean-std"),
        ({"low": 99.0, "high": 1.0}, "percentiles"),
        ({"high": 101.0}, "percentiles"),
        ({"low": float("nan")}, "percentiles"),
        ({"std": (0.0, 1.0, 1.0)}, "divided by"),
        ({"std": (float("nan"),)}, "divided by"),
        ({"mean": (float("inf"),)}, "intensity.mean"),
    ],
)
def test_numbers_that_cannot_be(change: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        Intensity(**change)


def test_a_contract_without_the_new_fields_keeps_its_version_and_one_with_them_is_of_the_newest(
    tiny_contract: Contract,
) -> None:
    assert normalised(tiny_contract, "unit") is not None
    assert tiny_contract.versioned() is tiny_contract
    assert normalised(tiny_contract, "slice").schema_version == 2
    assert normalised(tiny_contract, "buda").schema_version == 3
