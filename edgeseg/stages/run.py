"""Segment slices with one artifact and write masks: what `edgeseg run` does, on the base install."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg import __version__
from edgeseg.artifacts import make_dir, sha256_file, staged_tree
from edgeseg.components import post_process_logits
from edgeseg.data.slice_file import read_slice
from edgeseg.errors import OptionError
from edgeseg.imaging import mask_on_grid, to_network
from edgeseg.jsonio import to_json
from edgeseg.results import PatientSegmentation, RunResult, SliceSegmentation
from edgeseg.runtime import Segmenter
from edgeseg.specs import CHANNELS, Contract
from edgeseg.stages.run_inputs import MASK_ENDING, Case, find_cases

SUMMARY_FILE = "summary.json"
_ASPECT_TOLERANCE = 0.01

Progress = Callable[[int, int, str], None]


def run(
    model: Path, paths: Iterable[Path], *, out: Path, threads: int = 2, progress: Progress | None = None
) -> RunResult:
    """Segment slices: `<out>/<patient>/<slice>_mask.png` (0 or 255, the slice's size) and `<out>/summary.json`.

    What the contract's post-processing drops goes by its rule for volumes where a patient's folder was given, and by
    its rule for lone slices where files were. One slice is in memory at a time, and for the rule for volumes the logits
    of one patient (256 kB a slice of 256 x 256). Everything is written into a hidden folder inside `out` and moved to
    its place when the last slice is done, so an input that fails leaves nothing new behind.

    Args:
        model: a `.onnx` or `.tflite` artifact with a contract.
        paths: slices, patients' folders, or folders of patients; see `find_cases`.
        out: where the masks go; made when absent, masks of the same name are replaced.
        threads: for the runtime.
        progress: called after each slice with how many are done, how many there are, and its name.

    Raises:
        ArtifactError: when the model is missing, damaged or cannot be run.
        ContractError: when it has no contract that can be honoured.
        MissingExtraError: for `.tflite` without ai-edge-litert.
        DatasetError: when the paths hold no slices, or two of them the same one.
        ImageError: when a file cannot be used as a slice.
        OptionError: for threads below 1, or when masks would be written among the slices.
        OutputError: when `out` cannot be written.
    """
    segmenter = Segmenter.load(model, threads=threads)
    cases = find_cases(paths)
    _refuse_writing_among_slices(cases, out)
    total, done = sum(len(case.slices) for case in cases), 0

    def advance(label: str) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total, label)

    with staged_tree(out) as folder:
        result = RunResult(
            model=segmenter.path.name,
            model_sha256=sha256_file(segmenter.path),
            contract=segmenter.contract,
            runtime=segmenter.runtime,
            threads=segmenter.threads,
            numerics=segmenter.numerics,
            edgeseg=__version__,
            patients=tuple(_segment_case(segmenter, case, folder, advance) for case in cases),
        )
        (folder / SUMMARY_FILE).write_text(to_json(result) + "\n", encoding="utf-8")
    return result


@dataclass(slots=True)
class _Observed:
    """What a patient's slices have been like so far."""

    contract: Contract
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    blank: int = 0
    like_flair: Counter[str] = field(default_factory=Counter)

    def add(self, image: NDArray[np.uint8]) -> None:
        """Note the size of one slice, `(h, w, 3) uint8`, whether it is blank, and which channels repeat FLAIR."""
        self.sizes[(image.shape[0], image.shape[1])] += 1
        if image.min() == image.max():
            self.blank += 1
            return
        flair = image[:, :, CHANNELS.index("flair")]
        same = (n for i, n in enumerate(CHANNELS) if n != "flair" and np.array_equal(image[:, :, i], flair))
        self.like_flair.update(same)

    def warnings(self) -> tuple[str, ...]:
        """Say what a reader of the masks should know."""
        total, height, width = self.sizes.total(), self.contract.height, self.contract.width
        found = []
        for (h, w), count in self.sizes.items():
            if (h, w) != (height, width):
                aspect = abs((h / w) / (height / width) - 1) > _ASPECT_TOLERANCE
                also = ", which changes their proportions" if aspect else ""
                found.append(f"{count} of {total} slices are {h} x {w} and were resampled to {height} x {width}{also}")
        for name, count in self.like_flair.items():
            if count == total - self.blank:
                found.append(f"channel '{name}' equals 'flair' in every slice: the sequence seems to be missing")
        if self.blank:
            found.append(f"{self.blank} of {total} slices are blank")
        return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Segmented:
    """One slice's mask, `(h, w) bool`, and what it took without reading and writing."""

    path: Path
    mask: NDArray[np.bool_]
    latency_ms: float


def _segment_case(
    segmenter: Segmenter, case: Case, folder: Path, advance: Callable[[str], None]
) -> PatientSegmentation:
    start = time.perf_counter()
    make_dir(folder / case.patient)
    masks: list[SliceSegmentation] = []
    latencies_ms: list[float] = []
    observed = _Observed(segmenter.contract)
    joined = case.volume and segmenter.contract.post_processing.applies(volume=True)
    for done in (_as_volume if joined else _one_by_one)(segmenter, _read(case, observed, advance)):
        latencies_ms.append(done.latency_ms)
        place = Path(case.patient) / f"{done.path.stem}{MASK_ENDING}.png"
        Image.fromarray(done.mask.astype(np.uint8) * 255).save(folder / place, format="PNG")
        masks.append(
            SliceSegmentation(
                slice=done.path.stem,
                mask=place.as_posix(),
                height_px=done.mask.shape[0],
                width_px=done.mask.shape[1],
                tumour_pixels=int(np.count_nonzero(done.mask)),
            )
        )
    return PatientSegmentation(
        patient=case.patient,
        slices=len(masks),
        slices_with_tumour=sum(mask.tumour_pixels > 0 for mask in masks),
        tumour_pixels=sum(mask.tumour_pixels for mask in masks),
        latency_ms_p50=float(np.percentile(latencies_ms, 50)),
        latency_ms_p95=float(np.percentile(latencies_ms, 95)),
        total_ms=(time.perf_counter() - start) * 1e3,
        warnings=observed.warnings(),
        masks=tuple(masks),
        post_processing=_rule(segmenter.contract, case),
    )


def _rule(contract: Contract, case: Case) -> str:
    """Name the rule that decided what was dropped, as `PatientSegmentation.post_processing` does."""
    if not contract.post_processing.applies(volume=case.volume):
        return "none"
    return "volume" if case.volume else "slices"


def _read(case: Case, observed: _Observed, advance: Callable[[str], None]) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    """Read one slice after another, `(h, w, 3) uint8`; each is done when the next one is asked for."""
    for path in case.slices:
        image = read_slice(path)
        observed.add(image)
        yield path, image
        advance(f"{case.patient}/{path.stem}")


def _one_by_one(segmenter: Segmenter, slices: Iterator[tuple[Path, NDArray[np.uint8]]]) -> Iterator[_Segmented]:
    for path, image in slices:
        before = time.perf_counter()
        mask = segmenter.segment(image[np.newaxis])[0]
        yield _Segmented(path, mask, (time.perf_counter() - before) * 1e3)


def _as_volume(segmenter: Segmenter, slices: Iterator[tuple[Path, NDArray[np.uint8]]]) -> Iterator[_Segmented]:
    """As `Segmenter.segment_volume`, but for slices of any sizes, of which one is in memory at a time."""
    contract = segmenter.contract
    seen: list[tuple[Path, tuple[int, ...], NDArray[np.float32], float]] = []
    for path, image in slices:
        before = time.perf_counter()
        logits = segmenter.logits(to_network(image[np.newaxis], contract))
        seen.append((path, image.shape, logits, time.perf_counter() - before))
    before = time.perf_counter()
    kept = post_process_logits(np.concatenate([logits for _, _, logits, _ in seen]), contract, volume=True)
    share = (time.perf_counter() - before) / len(seen)
    for index, (path, shape, _, seconds) in enumerate(seen):
        before = time.perf_counter()
        mask = mask_on_grid(kept[index : index + 1], contract, shape[0], shape[1])[0]
        yield _Segmented(path, mask, (seconds + share + time.perf_counter() - before) * 1e3)


def _refuse_writing_among_slices(cases: tuple[Case, ...], out: Path) -> None:
    for case in cases:
        if (out.resolve() / case.patient) == case.folder:
            raise OptionError(
                f"--out {out} would put predicted masks among the slices in {case.folder}, where they could be taken "
                "for reference masks; choose another folder"
            )
