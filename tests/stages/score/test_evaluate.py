from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from edgeseg.data.volume import Volume
from edgeseg.errors import ArtifactError, DatasetError, MaskError, OptionError, SeenPatientError
from edgeseg.jsonio import from_json, to_json
from edgeseg.metrics import bootstrap_interval, paired_interval, score_patient
from edgeseg.results import EvalResult
from edgeseg.runtime.stream import stream_masks
from edgeseg.specs import FLIPS, Contract, PostProcessing, VariantSpec, patient_digest
from edgeseg.stages.predict.predictor import BATCH_SLICES, volume_logits
from edgeseg.stages.score import check_unseen, dice_delta, evaluate, predicted_masks

SIDE = 16
CONTRACT = Contract(
    variant=VariantSpec(), tier="int8", target="onnx-int8", layout="NCHW", trained_on="phantom", height=SIDE, width=SIDE
)


@dataclass
class ReadsFlair:
    """A predictor whose logit is the FLAIR byte, centred: above 127 is tumour."""

    contract: Contract = CONTRACT
    numerics: str = "exact"
    runtime: str = "fake 1"
    threads: int = 1
    batches: list[tuple[int, ...]] = field(default_factory=list)
    shift: float = 0.0

    def logits(self, images: np.ndarray) -> np.ndarray:
        assert images.dtype == np.uint8
        self.batches.append(images.shape)
        return (images[..., 1].astype(np.float32) - 127.5) / 16 + np.float32(self.shift)


def _volume(patient: str, predicted: np.ndarray, reference: np.ndarray | None, *, institution: str = "A") -> Volume:
    images = np.zeros((*predicted.shape, 3), np.uint8)
    images[..., 1] = np.where(predicted, 255, 0)
    names = tuple(f"{patient}_{number}" for number in range(1, len(predicted) + 1))
    return Volume(patient=patient, institution=institution, images=images, masks=reference, slice_names=names)


def _random_volume(index: int, *, side: int = SIDE, slices: int = 5) -> Volume:
    rng = np.random.default_rng(index)
    reference = np.zeros((slices, side, side), np.bool_)
    reference[1:4, 3:9, 4 : 6 + index % 5] = True
    predicted = reference ^ (rng.random(reference.shape) < 0.01 * (index + 1))
    return _volume(f"P{index}", predicted, reference, institution="AB"[index % 2])


def test_every_figure_follows_from_the_patients() -> None:
    volumes = [_random_volume(index) for index in range(5)]
    result = evaluate(ReadsFlair(), volumes, artifact="a/onnx-int8", data="toy", seed=4)
    expected = [
        score_patient(v.images[..., 1] > 127, v.reference, patient=v.patient, institution=v.institution)
        for v in volumes
    ]
    assert result.patients == tuple(expected)
    dice = [score.dice for score in expected]
    assert result.dice == bootstrap_interval(dice, seed=4)
    assert result.dice.mean == pytest.approx(np.mean(dice))
    assert result.dice.low < result.dice.mean < result.dice.high
    assert result.dice_median == pytest.approx(np.median(dice))
    assert result.iou_mean == pytest.approx(np.mean([s.iou for s in expected]))
    assert result.precision_mean == pytest.approx(np.mean([s.precision for s in expected]))
    assert result.recall_mean == pytest.approx(np.mean([s.recall for s in expected]))
    assert result.pixel_accuracy_mean == pytest.approx(np.mean([s.pixel_accuracy for s in expected]))
    assert result.hd95_px_median == pytest.approx(np.median([s.hd95_px or 0.0 for s in expected]))
    assert (result.artifact, result.data, result.numerics, result.threshold) == ("a/onnx-int8", "toy", "exact", 0.5)
    assert (result.bootstrap_seed, result.bootstrap_samples, result.seen_patients) == (4, 10_000, 0)


def test_institutions_are_summed_with_their_numbers() -> None:
    result = evaluate(ReadsFlair(), [_random_volume(index) for index in range(5)], artifact="a", data="toy")
    by_name = {score.institution: score for score in result.institutions}
    assert list(by_name) == ["A", "B"]
    assert [by_name["A"].patients, by_name["B"].patients] == [3, 2]
    dice = [score.dice for score in result.patients if score.institution == "A"]
    assert by_name["A"].dice_mean == pytest.approx(np.mean(dice))
    assert by_name["A"].dice_median == pytest.approx(np.median(dice))


def test_lesions_and_slices_are_pooled_over_patients() -> None:
    found, missed = np.zeros((4, SIDE, SIDE), np.bool_), np.zeros((4, SIDE, SIDE), np.bool_)
    found[0, 2:4, 2:4] = found[2, 10, 10] = True
    missed[0, 2:4, 2:4] = True
    wrong = np.zeros_like(missed)
    wrong[3, 0, 0] = True
    result = evaluate(
        ReadsFlair(), [_volume("P1", found, found), _volume("P2", wrong, missed)], artifact="a", data="toy"
    )
    assert result.lesion_recall == pytest.approx(2 / 3)
    assert result.false_positive_slice_rate == pytest.approx(1 / 5)


def test_patients_without_a_distance_are_counted_and_left_out_of_the_median() -> None:
    tumour, empty = np.zeros((3, SIDE, SIDE), np.bool_), np.zeros((3, SIDE, SIDE), np.bool_)
    tumour[1, 4:8, 4:8] = True
    some = evaluate(
        ReadsFlair(), [_volume("P1", tumour, tumour), _volume("P2", empty, tumour)], artifact="a", data="toy"
    )
    assert (some.hd95_px_median, some.hd95_undefined) == (0.0, 1)
    none = evaluate(ReadsFlair(), [_volume("P2", empty, tumour)], artifact="a", data="toy")
    assert (none.hd95_px_median, none.hd95_undefined) == (None, 1)


def test_a_data_set_without_tumour_follows_the_documented_rule() -> None:
    empty = np.zeros((3, SIDE, SIDE), np.bool_)
    result = evaluate(ReadsFlair(), [_volume("P1", empty, empty)], artifact="a", data="toy")
    assert (result.dice.mean, result.lesion_recall, result.false_positive_slice_rate) == (1.0, None, 0.0)
    full = np.ones((3, SIDE, SIDE), np.bool_)
    result = evaluate(ReadsFlair(), [_volume("P1", full, full)], artifact="a", data="toy")
    assert (result.lesion_recall, result.false_positive_slice_rate) == (1.0, None)


def test_the_threshold_is_the_contracts() -> None:
    tumour = np.zeros((1, SIDE, SIDE), np.bool_)
    tumour[0, 4:8, 4:8] = True
    volume = _volume("P1", tumour, tumour)
    volume.images[..., 1] = np.where(tumour, 159, 0)
    strict = replace(CONTRACT, threshold=0.9)
    assert evaluate(ReadsFlair(), [volume], artifact="a", data="toy").dice.mean == 1.0
    result = evaluate(ReadsFlair(contract=strict), [volume], artifact="a", data="toy")
    assert (result.dice.mean, result.threshold) == (0.0, 0.9)


def test_slices_of_another_size_are_scored_on_their_own_grid() -> None:
    reference = np.zeros((2, 48, 64), np.bool_)
    reference[:, 16:32, 16:48] = True
    volume = _volume("P1", reference, reference)
    predictor = ReadsFlair()
    masks = predicted_masks(predictor, volume)
    assert masks.shape == (2, 48, 64)
    assert predictor.batches == [(2, SIDE, SIDE, 3)]
    score = evaluate(predictor, [volume], artifact="a", data="toy").patients[0]
    assert score == score_patient(masks, reference, patient="P1", institution="A")
    assert score.dice > 0.9


def test_a_volume_goes_in_by_small_batches_and_comes_out_in_order() -> None:
    slices = 2 * BATCH_SLICES + 3
    predicted = np.zeros((slices, SIDE, SIDE), np.bool_)
    for index in range(slices):
        predicted[index, index % SIDE, : index % SIDE + 1] = True
    predictor = ReadsFlair()
    assert np.array_equal(predicted_masks(predictor, _volume("P1", predicted, None)), predicted)
    assert [shape[0] for shape in predictor.batches] == [BATCH_SLICES, BATCH_SLICES, 3]


def test_volumes_are_taken_one_at_a_time_and_progress_is_told() -> None:
    alive, most = 0, 0
    told: list[tuple[int, str]] = []

    def stream() -> Iterator[Volume]:
        nonlocal alive, most
        for index in range(3):
            alive += 1
            most = max(most, alive)
            yield _random_volume(index)
            alive -= 1
            assert len(told) == index + 1

    evaluate(ReadsFlair(), stream(), artifact="a", data="toy", progress=lambda done, _, who: told.append((done, who)))
    assert most == 1
    assert told == [(1, "P0"), (2, "P1"), (3, "P2")]


def _has_seen(*patients: str) -> ReadsFlair:
    return ReadsFlair(contract=replace(CONTRACT, seen_patients=tuple(patient_digest(p) for p in patients)))


def test_seen_patients_are_refused_before_anything_runs() -> None:
    predictor = _has_seen("P0", "P1", "P2", "P3", "other")
    with pytest.raises(SeenPatientError, match=r"4 of the 5 patients given: P0, P1, P2 and 1 more.*--allow-seen"):
        evaluate(predictor, [_random_volume(index) for index in range(5)], artifact="a", data="toy")
    assert predictor.batches == []


def test_a_seen_patient_in_a_stream_is_refused() -> None:
    with pytest.raises(SeenPatientError, match="P1"):
        evaluate(_has_seen("P1"), iter([_random_volume(0), _random_volume(1)]), artifact="a", data="toy")


def test_the_override_scores_them_and_counts_them() -> None:
    volumes = [_random_volume(index) for index in range(3)]
    result = evaluate(_has_seen("P1", "P2"), iter(volumes), artifact="a", data="toy", allow_seen=True)
    assert (len(result.patients), result.seen_patients) == (3, 2)


def test_check_unseen_counts_by_digest() -> None:
    contract = _has_seen("P1").contract
    assert check_unseen(contract, ["P0", "P2"]) == 0
    assert check_unseen(contract, ["P0", "P1"], allow_seen=True) == 1
    with pytest.raises(SeenPatientError, match="1 of the 2 patients given: P1"):
        check_unseen(contract, ["P0", "P1"])


def test_no_patient_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no patient of 'toy'"):
        evaluate(ReadsFlair(), iter(()), artifact="a", data="toy")


def test_a_patient_twice_is_an_error() -> None:
    with pytest.raises(DatasetError, match="P1 was given twice"):
        evaluate(ReadsFlair(), [_random_volume(1), _random_volume(1)], artifact="a", data="toy")


def test_a_patient_without_masks_is_an_error() -> None:
    with pytest.raises(MaskError, match="P1 has no reference"):
        evaluate(ReadsFlair(), [_volume("P1", np.zeros((2, 8, 8), np.bool_), None)], artifact="a", data="toy")


def test_masks_of_another_size_are_an_error() -> None:
    volume = _volume("P1", np.zeros((2, 8, 8), np.bool_), np.zeros((2, 8, 9), np.bool_))
    with pytest.raises(MaskError, match=r"\(2, 8, 9\)"):
        evaluate(ReadsFlair(), [volume], artifact="a", data="toy")


def test_a_patient_without_slices_is_an_error() -> None:
    empty = np.zeros((0, 8, 8), np.bool_)
    with pytest.raises(DatasetError, match="P1 has no slices"):
        evaluate(ReadsFlair(), [_volume("P1", empty, empty)], artifact="a", data="toy")


def test_logits_that_are_not_finite_name_the_slice() -> None:
    class Damaged(ReadsFlair):
        def logits(self, images: np.ndarray) -> np.ndarray:
            found = super().logits(images)
            if len(self.batches) == 2:
                found[1, 3, 3] = np.nan
            return found

    volume = _random_volume(0, slices=BATCH_SLICES + 4)
    with pytest.raises(ArtifactError, match=f"P0/P0_{BATCH_SLICES + 2};"):
        evaluate(Damaged(), [volume], artifact="a", data="toy")


def test_logits_of_another_shape_are_refused() -> None:
    class Wide(ReadsFlair):
        def logits(self, images: np.ndarray) -> np.ndarray:
            return super().logits(images)[..., np.newaxis]

    with pytest.raises(ArtifactError, match="one logit per pixel"):
        evaluate(Wide(), [_random_volume(0)], artifact="a", data="toy")


def test_the_result_survives_json() -> None:
    result = evaluate(ReadsFlair(), [_random_volume(index) for index in range(3)], artifact="a", data="toy")
    assert from_json(EvalResult, to_json(result)) == result


def test_dice_delta_pairs_by_patient_whatever_the_order() -> None:
    volumes = [_random_volume(index) for index in range(4)]
    better = evaluate(ReadsFlair(), volumes, artifact="a", data="toy")
    worse = evaluate(ReadsFlair(shift=9.0), volumes[::-1], artifact="b", data="toy")
    delta = dice_delta(worse, better, seed=1)
    reference = {score.patient: score.dice for score in better.patients}
    expected = [score.dice - reference[score.patient] for score in worse.patients]
    assert delta.mean == pytest.approx(np.mean(expected))
    assert delta.low <= delta.mean <= delta.high < 0
    dice = [score.dice for score in worse.patients]
    assert delta == paired_interval(dice, [reference[score.patient] for score in worse.patients], seed=1)
    same = dice_delta(better, better, seed=1)
    assert (same.mean, same.low, same.high) == (0.0, 0.0, 0.0)


def test_dice_delta_of_other_patients_is_an_error() -> None:
    a = evaluate(ReadsFlair(), [_random_volume(0), _random_volume(1)], artifact="a", data="toy")
    b = evaluate(ReadsFlair(), [_random_volume(0)], artifact="b", data="toy")
    with pytest.raises(DatasetError, match=r"1 patient\(s\), P1"):
        dice_delta(a, b)


def test_volumes_are_scored_after_the_contracts_post_processing_unless_told_otherwise() -> None:
    reference = np.zeros((3, SIDE, SIDE), np.bool_)
    reference[:, 2:6, 2:6] = True
    predicted = reference.copy()
    predicted[0, 12:14, 12:14] = True
    spec = PostProcessing(min_area_px=99, min_volume_px=5)
    predictor = ReadsFlair(contract=replace(CONTRACT, post_processing=spec))
    volume = _volume("P1", predicted, reference)
    result = evaluate(predictor, [volume], artifact="a", data="toy")
    assert (result.dice.mean, result.post_processing) == (1.0, spec)
    raw = evaluate(predictor, [volume], artifact="a", data="toy", post_processing=False)
    assert (raw.dice.mean, raw.post_processing) == (96 / 100, PostProcessing())
    assert from_json(EvalResult, to_json(result)) == result


@dataclass
class LeansLeft(ReadsFlair):
    """Adds what depends on the place, so that a flip changes it: 0 in the first row and column, more further on."""

    def logits(self, images: np.ndarray) -> np.ndarray:
        rows, columns = (np.arange(size, dtype=np.float32) for size in images.shape[1:3])
        return super().logits(images) + rows[:, np.newaxis] + 10 * columns


def test_flips_average_the_logits_of_every_pass_flipped_back() -> None:
    volume = _random_volume(1)
    bare = ReadsFlair().logits(volume.images)
    rows, columns = np.arange(SIDE)[:, np.newaxis], 10 * np.arange(SIDE)
    centre = (SIDE - 1) / 2
    expected = {"none": rows + columns, "hflip": rows + 10 * centre, "vflip": centre + columns, "flips": 11 * centre}
    assert set(expected) == set(FLIPS)
    for flips, added in expected.items():
        predictor = LeansLeft()
        logits = volume_logits(predictor, volume, flips=flips)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, bare + added, rtol=1e-5)
        assert len(predictor.batches) == len(FLIPS[flips])


def test_flips_are_recorded_and_unknown_ones_refused() -> None:
    volumes = [_random_volume(1)]
    assert evaluate(ReadsFlair(), volumes, artifact="a", data="toy").flips == "none"
    assert evaluate(ReadsFlair(), volumes, artifact="a", data="toy", flips="hflip").flips == "hflip"
    with pytest.raises(OptionError, match="choose one of: none, hflip, vflip, flips"):
        evaluate(ReadsFlair(), volumes, artifact="a", data="toy", flips="rot90")


@pytest.mark.parametrize("spacing", [(5.0, 2.0, 1.0), (5.0, 1.0, 2.0)], ids=["high", "wide"])
def test_pixels_that_are_not_square_are_framed_as_the_runner_frames_them(spacing: tuple[float, float, float]) -> None:
    reference = np.indices((2, SIDE, SIDE)).sum(axis=0) % 2 == 0
    volume, predictor = replace(_volume("P1", reference, reference), spacing_mm=spacing), ReadsFlair()
    ours = predicted_masks(predictor, volume, post_processing=False)
    theirs = stream_masks(predictor.logits, CONTRACT, volume.images, volume=False, pixel_mm=spacing[1:])
    np.testing.assert_array_equal(ours, np.stack([done.mask for done in theirs]))
    plain = predicted_masks(predictor, replace(volume, spacing_mm=None), post_processing=False)
    np.testing.assert_array_equal(plain, reference)
    assert (ours != plain).any(), "single pixels are lost where half the grid is margin"
