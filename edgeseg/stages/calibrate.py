"""Calibration sets: which slices an int8 target takes its ranges from, chosen by rule and written down with a hash.

A set is stratified by lesion size (tumour-free slices are a stratum of their own), then by institution, then by
patient, so that no site, scanner or lesion size decides the ranges alone. The shipped phantom set is made by
`python -m edgeseg.stages.calibrate calibration/phantom.json`.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts, imaging
from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.volume import PHANTOM, Dataset, Volume, volumes
from edgeseg.errors import DatasetError, OptionError, SeenPatientError
from edgeseg.jsonio import JsonFormatError, from_json, to_json
from edgeseg.specs import Contract

CALIBRATION_SCHEMA_VERSION = 1
DEFAULT_SLICES, BUILD_SLICES = 64, 128
"""How many slices the shipped phantom set holds, and how many are chosen from data unless told otherwise."""
STRATA = ("tumour-free", "small", "medium", "large")
PHANTOM_START, PHANTOM_PATIENTS, PHANTOM_SEED = 1992, 8, 0
"""The phantoms that are kept for calibration: numbers 1992 to 1999, which nothing trains or evaluates on."""

_LOG = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
"""Called with the number of patients done and the number of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSlice:
    """One slice by its patient and its name in the data set."""

    patient: str
    slice_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSet:
    """The manifest of a calibration set.

    `seed` is that of the choice; `sha256` is `pixel_digest` of the slices as the data set stores them, in this order.
    """

    data: str
    seed: int
    slices: tuple[CalibrationSlice, ...]
    sha256: str
    schema_version: int = CALIBRATION_SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Refuse an empty set, a slice that stands in it twice, and a manifest of another version."""
        if self.schema_version != CALIBRATION_SCHEMA_VERSION:
            raise OptionError(
                f"the calibration set has schema version {self.schema_version} and this edgeseg reads "
                f"{CALIBRATION_SCHEMA_VERSION}; choose the slices again"
            )
        if not self.slices:
            raise OptionError("a calibration set holds no slices; at least one is needed")
        if len(set(self.slices)) != len(self.slices):
            raise OptionError("a calibration set names a slice twice; choose the slices again")

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients that the slices come from, sorted."""
        return tuple(sorted({entry.patient for entry in self.slices}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    entry: CalibrationSlice
    institution: str
    tumour_pixels: int


def choose(
    dataset: Dataset,
    patients: Sequence[str] | None = None,
    *,
    slices: int = DEFAULT_SLICES,
    seed: int,
    progress: Progress | None = None,
) -> CalibrationSet:
    """Choose calibration slices among `patients`; the same arguments choose the same slices.

    A quarter each comes from tumour-free slices and from the small, medium and large third of tumour slices by area,
    dealt over institutions and patients in turn. A stratum that runs out leaves its places to the others. Without
    reference masks every slice counts as tumour-free.

    Args:
        dataset: where the slices are.
        patients: whom to choose from; all unless given. Volumes are read one at a time.
        slices: how many to choose.
        seed: of the choice.
        progress: called after each patient.

    Raises:
        OptionError: when there are not that many slices, or none is asked for.
        DatasetError: for a patient that the data set does not hold.
    """
    wanted = tuple(sorted(set(dataset.patients if patients is None else patients)))
    if unknown := sorted(set(wanted) - set(dataset.patients)):
        raise DatasetError(f"{dataset.name} holds no patient '{unknown[0]}'; calibration takes patients it holds")
    candidates: list[_Candidate] = []
    for done, volume in enumerate(volumes(dataset, wanted), 1):
        candidates += _candidates(volume)
        if progress is not None:
            progress(done, len(wanted))
    if not 1 <= slices <= len(candidates):
        raise OptionError(
            f"{slices} calibration slices were asked for, and the {len(wanted)} patients to choose from hold "
            f"{len(candidates)}; ask for 1 to {len(candidates)}"
        )
    chosen = _deal(candidates, slices, np.random.default_rng(seed))
    entries = tuple(sorted(chosen, key=lambda entry: (entry.patient, entry.slice_name)))
    digest = pixel_digest(_read(entries, dataset))
    return CalibrationSet(data=dataset.name, seed=seed, slices=entries, sha256=digest)


def slices_of(manifest: CalibrationSet, dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Read the slices of a set one after another, and prove at the end that they are the ones that were chosen.

    Phantoms are computed, and another NumPy or processor may round a few of their pixels otherwise: there a
    difference is logged as a warning. In stored data it is an error.

    Args:
        manifest: the set.
        dataset: where the slices are; one patient is in memory at a time.

    Yields:
        `(H, W, 3) uint8` as stored, channels = pre, FLAIR, post, in the order of the manifest.

    Raises:
        DatasetError: when a patient or slice is missing, or pixels are not those that were chosen.
    """
    digest = hashlib.sha256()
    for image in _read(manifest.slices, dataset):
        _add(digest, image)
        yield image
    if digest.hexdigest() == manifest.sha256:
        return
    if manifest.data != PHANTOM:
        raise DatasetError(
            f"the calibration slices in {dataset.name} are not the pixels that were chosen (their SHA-256 "
            "differs); restore the data, or choose the slices again"
        )
    _LOG.warning("the phantom calibration slices differ in some pixels from those of the manifest")


def network_inputs(manifest: CalibrationSet, dataset: Dataset, contract: Contract) -> Iterator[NDArray[np.float32]]:
    """Read a set as a network takes it: each `(H, W, 3) float32 in [0, 1]`, H and W those of the contract.

    Raises:
        DatasetError: as `slices_of`.
    """
    for image in slices_of(manifest, dataset):
        yield imaging.normalise(imaging.to_network(image[np.newaxis], contract), contract)[0]


def check_disjoint(manifest: CalibrationSet, patients: Iterable[str]) -> None:
    """Refuse to go on when a patient to evaluate on lent slices to calibration.

    Raises:
        SeenPatientError: naming the patients.
    """
    if shared := sorted(set(manifest.patients) & set(patients)):
        more = f" and {len(shared) - 1} more" if len(shared) > 1 else ""
        raise SeenPatientError(
            f"patient {shared[0]}{more} would be evaluated on and is in the calibration set; "
            "calibrate on training patients only"
        )


def pixel_digest(images: Iterable[NDArray[np.uint8]]) -> str:
    """SHA-256 in hex over slices: for each, `h,w,c:` in ASCII and its bytes in C order."""
    digest = hashlib.sha256()
    for image in images:
        _add(digest, image)
    return digest.hexdigest()


def write_calibration(manifest: CalibrationSet, path: Path) -> Path:
    """Write a manifest as JSON, in one step.

    Raises:
        OutputError: when the place cannot be written.
    """
    return artifacts.write_text(path, to_json(manifest) + "\n")


def read_calibration(path: Path) -> CalibrationSet:
    """Read a manifest.

    Raises:
        DatasetError: when the file is missing, or not a calibration set of this version.
    """
    try:
        return from_json(CalibrationSet, path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path}: the calibration set cannot be read ({error.strerror}); choose one anew") from error
    except (JsonFormatError, OptionError) as error:
        raise DatasetError(f"{path}: not a calibration set ({error}); choose one anew") from error


def phantom_calibration_data() -> PhantomDataset:
    """The phantoms that the shipped calibration set is chosen from."""
    return PhantomDataset(patients=PHANTOM_PATIENTS, seed=PHANTOM_SEED, start=PHANTOM_START)


def shipped_phantom_set() -> CalibrationSet:
    """Read the calibration set that edgeseg ships; its slices are in `phantom_calibration_data()`.

    Raises:
        DatasetError: when the installation lacks it.
    """
    return read_calibration(artifacts.shipped("calibration", "phantom.json"))


def _candidates(volume: Volume) -> list[_Candidate]:
    areas = np.zeros(len(volume.images), int) if volume.masks is None else volume.masks.sum(axis=(1, 2))
    return [
        _Candidate(
            entry=CalibrationSlice(patient=volume.patient, slice_name=name),
            institution=volume.institution,
            tumour_pixels=int(area),
        )
        for name, area in zip(volume.slice_names, areas, strict=True)
    ]


def _deal(candidates: list[_Candidate], slices: int, rng: np.random.Generator) -> list[CalibrationSlice]:
    """Take from the strata in turn; inside one, from institutions in turn; inside one, from patients in turn."""
    areas = sorted(c.tumour_pixels for c in candidates if c.tumour_pixels)
    cuts = (areas[len(areas) // 3], areas[2 * len(areas) // 3]) if areas else (0, 0)
    strata: defaultdict[str, list[_Candidate]] = defaultdict(list)
    for index in rng.permutation(len(candidates)).tolist():
        area = candidates[index].tumour_pixels
        size = 0 if area == 0 else 1 + (area >= cuts[0]) + (area >= cuts[1])
        strata[STRATA[size]].append(candidates[index])
    queues = [_in_turn(_by_institution(strata[name])) for name in STRATA if strata[name]]
    return [candidate.entry for candidate in _in_turn(queues)[:slices]]


def _by_institution(candidates: list[_Candidate]) -> list[list[_Candidate]]:
    sites: defaultdict[str, defaultdict[str, list[_Candidate]]] = defaultdict(lambda: defaultdict(list))
    for candidate in candidates:
        sites[candidate.institution][candidate.entry.patient].append(candidate)
    return [_in_turn(list(sites[site].values())) for site in sorted(sites)]


def _in_turn(queues: list[list[_Candidate]]) -> list[_Candidate]:
    """Deal one from each queue, round after round, until all are empty."""
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[place] for place in range(longest) for queue in queues if place < len(queue)]


def _read(entries: Sequence[CalibrationSlice], dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Read slices in the order given; those of one patient that follow each other are read together."""
    for patient, group in itertools.groupby(entries, key=lambda entry: entry.patient):
        if patient not in dataset.patients:
            raise DatasetError(f"{dataset.name} holds no patient '{patient}' of the calibration set; give its data")
        volume = dataset.volume(patient)
        place = {name: index for index, name in enumerate(volume.slice_names)}
        for entry in group:
            if entry.slice_name not in place:
                raise DatasetError(
                    f"{patient} has no slice '{entry.slice_name}', which is in the calibration set; restore it"
                )
            yield volume.images[place[entry.slice_name]]


def _add(digest: hashlib._Hash, image: NDArray[np.uint8]) -> None:
    digest.update((",".join(map(str, image.shape)) + ":").encode())
    digest.update(np.ascontiguousarray(image).tobytes())


def _main(arguments: Sequence[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit("usage: python -m edgeseg.stages.calibrate calibration/phantom.json")
    write_calibration(choose(phantom_calibration_data(), seed=PHANTOM_SEED), Path(arguments[0]))


if __name__ == "__main__":
    _main(sys.argv[1:])
