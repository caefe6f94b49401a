"""Masks and measurements as the service sends them."""

from __future__ import annotations

import base64
import time
from pathlib import Path

from edgeseg import __version__, networks
from edgeseg.results import (
    PatientSegmentation,
    Prediction,
    SegmentAnswer,
    ServedFile,
    ServedModel,
    ServedSlice,
    ServedTimes,
    SliceSegmentation,
)
from edgeseg.runtime import Segmenter
from edgeseg.service.masks import SliceMasks
from edgeseg.service.scans import Wish


def describe(segmenter: Segmenter, sha256: str) -> ServedModel:
    """Say which model a segmenter holds."""
    contract = segmenter.contract
    return ServedModel(
        sha256=sha256,
        variant=contract.variant.slug,
        tier=contract.tier,
        target=contract.target,
        channels=contract.channels,
        size=(contract.height, contract.width),
        threshold=contract.threshold,
        dropped_from_slices=contract.post_processing.describe(volume=False),
        dropped_from_volumes=contract.post_processing.describe(volume=True),
        trained_on=contract.trained_on,
        licence=contract.licence,
        runtime=segmenter.runtime,
        numerics=segmenter.numerics,
        edgeseg=__version__,
        self_tested=contract.golden is not None,
        regions=contract.regions,
        network=networks.name_of_file(sha256),
    )


def answer_for(
    found: PatientSegmentation,
    wish: Wish,
    out: Path,
    model: ServedModel,
    times: tuple[float, float],
    masks: SliceMasks,
) -> SegmentAnswer:
    """Join what a run found with the masks that it wrote below `out`; `times` are its start and the wait, in ms."""
    start, waited_ms = times
    slices = tuple(_slice(one, out, masks, png=wish.masks == "png") for one in found.masks)
    files = tuple(ServedFile(name=Path(one).name, b64=_base64(out / one)) for one in found.files)
    return SegmentAnswer(
        input=found.input,
        slices=slices,
        files=files,
        slices_with_tumour=found.slices_with_tumour,
        tumour_pixels=found.tumour_pixels,
        tumour_volume_ml=found.tumour_volume_ml,
        largest_diameter_mm=found.largest_diameter_mm,
        pixel_mm=found.pixel_mm,
        slice_mm=found.slice_mm,
        post_processing=found.post_processing,
        warnings=found.warnings,
        times=ServedTimes(
            waited_ms=round(waited_ms, 3),
            slice_ms_p50=round(found.latency_ms_p50, 3),
            slice_ms_p95=round(found.latency_ms_p95, 3),
            total_ms=round((time.perf_counter() - start) * 1e3, 3),
        ),
        model=model,
        used=found.used,
        unused=found.unused,
        classes=found.classes,
        trust=found.trust,
        odd_input=found.odd_input,
    )


def predictions(answer: SegmentAnswer) -> tuple[Prediction, ...]:
    """Give one prediction per slice; what was odd about the request stands in each."""
    return tuple(
        Prediction(slice=one, warnings=answer.warnings, model_sha256=answer.model.sha256) for one in answer.slices
    )


def _slice(one: SliceSegmentation, out: Path, masks: SliceMasks, *, png: bool) -> ServedSlice:
    return ServedSlice(
        slice=one.slice,
        height_px=one.height_px,
        width_px=one.width_px,
        tumour_pixels=one.tumour_pixels,
        tumour_area_mm2=one.tumour_area_mm2,
        largest_diameter_mm=one.largest_diameter_mm,
        png=_base64(out / one.mask) if png else None,
        runs=masks.runs.get(one.slice),
        classes=masks.classes[one.slice],
    )


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
