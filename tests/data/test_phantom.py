"""The phantom: the same patient at each call, the contrasts of the sequences, exact masks, and the layout on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgeseg.data.phantom import PhantomDataset, phantom_volume, write_dataset
from edgeseg.data.phantom_anatomy import Head
from edgeseg.data.phantom_fields import SIDE, Noise
from edgeseg.data.phantom_scanner import CONTRAST, FLAIR, INSTITUTIONS, POST, PRE, Scanner
from edgeseg.data.volume import Dataset, Volume
from edgeseg.errors import DatasetError, OptionError, OutputError


@pytest.fixture(scope="module")
def eight() -> list[Volume]:
    dataset = PhantomDataset(8, seed=0)
    return [dataset.volume(patient) for patient in sorted(dataset.patients, key=lambda name: name[-4:])]


def _digest(volume: Volume) -> str:
    return hashlib.sha256(volume.images.tobytes() + volume.reference.tobytes()).hexdigest()


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    for _ in range(pixels):
        padded = np.pad(mask, ((0, 0), (1, 1), (1, 1)))
        mask = mask | padded[:, 2:, 1:-1] | padded[:, :-2, 1:-1] | padded[:, 1:-1, 2:] | padded[:, 1:-1, :-2]
    return mask


def test_the_same_number_gives_the_same_bytes_whoever_is_drawn_beside_it(eight: list[Volume]) -> None:
    alone = PhantomDataset(1, seed=0, start=1)
    assert alone.patients == (eight[1].patient,)
    assert _digest(alone.volume(eight[1].patient)) == _digest(eight[1])


def test_another_seed_and_another_number_give_another_patient(eight: list[Volume]) -> None:
    assert len({_digest(volume) for volume in eight}) == 8
    assert _digest(phantom_volume(1, seed=1)) != _digest(eight[1])


def test_the_data_set_keeps_the_protocol() -> None:
    dataset: Dataset = PhantomDataset(3, seed=5, start=6)
    assert dataset.name == "phantom"
    assert dataset.patients == ("PHANTOM_PA_0006", "PHANTOM_PA_0008", "PHANTOM_PB_0007")
    assert [dataset.institution(patient) for patient in dataset.patients] == ["PA", "PA", "PB"]


def test_volumes_have_the_shape_and_type_of_real_ones(eight: list[Volume]) -> None:
    for volume in eight:
        count = len(volume.images)
        assert 20 <= count <= 40
        assert volume.images.shape == (count, 256, 256, 3)
        assert volume.images.dtype == np.uint8
        assert volume.reference.shape == (count, 256, 256)
        assert volume.reference.dtype == np.bool_
        assert volume.slice_names == tuple(f"{volume.patient}_{n}" for n in range(1, count + 1))
        assert volume.institution == volume.patient.split("_")[1]
    assert {volume.institution for volume in eight} == {"PA", "PB", "PC", "PD"}


def test_every_patient_has_slices_with_and_without_tumour(eight: list[Volume]) -> None:
    for volume in eight:
        areas = volume.reference.sum(axis=(1, 2))
        assert 3 <= np.count_nonzero(areas) <= len(areas) - 3
        assert 200 <= areas.max() <= 9000


def test_a_missing_sequence_is_filled_with_flair(eight: list[Volume]) -> None:
    missing = {
        channel: [n for n, v in enumerate(eight) if np.array_equal(v.images[..., channel], v.images[..., FLAIR])]
        for channel in (PRE, POST)
    }
    assert missing == {PRE: [6], POST: [3]}


def test_grey_levels_are_those_of_real_slices(eight: list[Volume]) -> None:
    for volume in eight:
        middle = volume.images[int(len(volume.images) * 0.4) : int(len(volume.images) * 0.7)]
        corners = np.concatenate([middle[:, :16, :16], middle[:, -16:, -16:]])
        assert corners.mean() < 6.0
        for channel in range(3):
            brain = middle[:, 80:176, 80:176, channel]
            assert 25 <= np.median(brain) <= 95
            assert 1.2 * np.median(brain) < np.percentile(middle[..., channel], 99.5) <= 255


def test_the_head_is_nearly_gone_in_the_last_slice(eight: list[Volume]) -> None:
    for volume in eight:
        covered = (volume.images.max(axis=-1) > 20).mean(axis=(1, 2))
        assert covered[-1] < 0.12
        assert covered.max() > 0.30


def test_a_lesion_is_brighter_on_flair_and_darker_before_contrast_than_the_brain_around_it(eight: list[Volume]) -> None:
    for number, volume in enumerate(eight):
        mask = volume.reference
        around = _grown(mask, 8) & ~_grown(mask, 2)
        flair = volume.images[..., FLAIR].astype(float)
        assert flair[mask].mean() > 1.2 * np.median(flair[around])
        if number != 6:
            pre = volume.images[..., PRE].astype(float)
            assert np.median(pre[mask]) < np.median(pre[around & (pre > 0.6 * np.median(pre[around]))])


def test_the_mask_ends_where_flair_brightness_ends(eight: list[Volume]) -> None:
    volume = eight[0]
    mask = volume.reference
    flair = volume.images[..., FLAIR].astype(float)
    just_inside = mask & _grown(~mask, 3) & ~_grown(~mask, 1)
    just_outside = _grown(mask, 3) & ~_grown(mask, 1)
    assert np.median(flair[just_inside]) > 1.1 * np.median(flair[just_outside])
    scores = [np.median(flair[np.roll(mask, shift, axis=2)]) for shift in (-16, 0, 16)]
    assert scores[1] == max(scores)


def test_masks_lie_inside_the_head(eight: list[Volume]) -> None:
    for volume in eight:
        mask = volume.reference
        assert not mask[:, :20].any()
        assert not mask[:, -20:].any()
        assert (volume.images[..., FLAIR][mask] > 8).mean() > 0.99


@pytest.fixture(scope="module")
def tissues() -> dict[str, NDArray[np.float64]]:
    """Mean grey level per tissue, `(3,)`, over pixels that one tissue alone fills."""
    rng = np.random.default_rng(11)
    head = Head(rng, scale=1.0)
    scanner = Scanner(rng, INSTITUTIONS[3])
    found: dict[str, list[NDArray[np.uint8]]] = {}
    for z in (40.0, 48.0, 78.0, 90.0, 110.0):
        section = head.section(z, 5.0)
        names = list(CONTRAST)
        share = np.zeros((len(names), SIDE, SIDE))
        share[names.index("air")] = 1.0
        for layer in section.layers:
            share *= 1.0 - layer.cover
            share[names.index(layer.tissue)] += layer.cover
        image = scanner.expose(rng, section.layers, z)
        for name, part in zip(names, share, strict=True):
            found.setdefault(name, []).append(image[part > 0.97])
    return {name: np.concatenate(parts).mean(axis=0) for name, parts in found.items() if sum(map(len, parts)) > 20}


def test_t1_shows_white_over_grey_over_fluid(tissues: dict[str, NDArray[np.float64]]) -> None:
    for channel in (PRE, POST):
        assert tissues["white"][channel] > tissues["grey"][channel] > 1.3 * tissues["csf"][channel]


def test_flair_shows_grey_over_white_and_dark_fluid(tissues: dict[str, NDArray[np.float64]]) -> None:
    assert tissues["grey"][FLAIR] > tissues["white"][FLAIR] > 2.0 * tissues["csf"][FLAIR]
    assert tissues["eye"][FLAIR] < 0.6 * tissues["white"][FLAIR]


def test_fat_is_bright_and_bone_and_air_are_dark(tissues: dict[str, NDArray[np.float64]]) -> None:
    for channel in (PRE, FLAIR, POST):
        assert tissues["fat"][channel] > 1.5 * tissues["white"][channel]
        assert tissues["bone"][channel] < 0.45 * tissues["white"][channel]
        assert tissues["air"][channel] < 0.2 * tissues["white"][channel]


def test_contrast_agent_brightens_blood(tissues: dict[str, NDArray[np.float64]]) -> None:
    white = tissues["white"]
    assert tissues["sinus"][POST] / white[POST] > 1.5 * tissues["sinus"][PRE] / white[PRE]


def test_noise_is_smooth_and_of_unit_variance() -> None:
    noise = Noise(np.random.default_rng(0), 6.0)
    plane = noise.plane(30.0)
    assert plane.shape == (SIDE, SIDE)
    assert abs(plane.mean()) < 0.15
    assert 0.8 < plane.std() < 1.2
    assert np.abs(np.diff(plane, axis=0)).max() < 1.0
    assert np.corrcoef(plane.ravel(), noise.plane(31.0).ravel())[0, 1] > 0.9
    assert abs(np.corrcoef(plane.ravel(), noise.plane(90.0).ravel())[0, 1]) < 0.15


def test_written_files_hold_the_volume(tmp_path: Path) -> None:
    dataset = PhantomDataset(1, seed=3, start=7)
    seen: list[tuple[int, int | None]] = []
    count = write_dataset(dataset, tmp_path / "out", progress=lambda done, total, _: seen.append((done, total)))
    volume = dataset.volume(dataset.patients[0])
    folder = tmp_path / "out" / "kaggle_3m" / volume.patient
    assert count == len(volume.images)
    assert seen == [(1, 1)]
    assert len(list(folder.iterdir())) == 2 * count
    for name, image, mask in zip(volume.slice_names, volume.images, volume.reference, strict=True):
        with Image.open(folder / f"{name}.tif") as stored:
            assert np.array_equal(np.asarray(stored), image)
        with Image.open(folder / f"{name}_mask.tif") as stored:
            assert stored.mode == "L"
            assert np.array_equal(np.asarray(stored), mask.astype(np.uint8) * 255)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    dataset = PhantomDataset(2, seed=0)
    taken = tmp_path / "kaggle_3m" / dataset.patients[1]
    taken.mkdir(parents=True)
    (taken / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match=dataset.patients[1]):
        write_dataset(dataset, tmp_path)
    assert [path.name for path in tmp_path.rglob("*.t*")] == ["mine.txt"]


def test_a_destination_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        write_dataset(PhantomDataset(1, seed=0, start=7), tmp_path / "out")


@pytest.mark.parametrize(
    ("patients", "seed", "start"), [(0, 0, 0), (-1, 0, 0), (1, -1, 0), (1, 0, -1), (2, 0, 9_999), (10_001, 0, 0)]
)
def test_numbers_out_of_range_are_refused(patients: int, seed: int, start: int) -> None:
    with pytest.raises(OptionError, match=r"seed is -|asked for"):
        PhantomDataset(patients, seed=seed, start=start)


@pytest.mark.parametrize(("index", "seed"), [(-1, 0), (10_000, 0), (0, -3)])
def test_a_volume_out_of_range_is_refused(index: int, seed: int) -> None:
    with pytest.raises(OptionError, match=r"seed is -|asked for"):
        phantom_volume(index, seed=seed)


def test_an_unknown_patient_is_refused() -> None:
    dataset = PhantomDataset(2, seed=0)
    with pytest.raises(DatasetError, match="PHANTOM_PA_0000 to PHANTOM_PB_0001"):
        dataset.volume("PHANTOM_PA_0008")
    with pytest.raises(DatasetError, match="no phantom"):
        dataset.institution("TCGA_CS_4941")
