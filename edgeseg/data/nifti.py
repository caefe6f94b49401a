"""NIfTI files: one sequence each, or several in one 4-D file; seen in the common orientation, read slice by slice.

A compressed file is unpacked once into a temporary file, so that any slice can be read without unpacking those before
it and memory does not grow with the volume. Values of 8 bits without a scale are taken as grey; all others are
normalised (`edgeseg.data.intensity`).
"""

from __future__ import annotations

import functools
import os
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.candidate import Candidate
from edgeseg.data.grid import Grid, View, common_view
from edgeseg.data.origin import Origin, label_of, visit_of
from edgeseg.data.recognise import SeriesFacts, names_sequence
from edgeseg.data.scan_format import Listed, ScanFormat
from edgeseg.data.sequence import Plane
from edgeseg.data.voxel_bytes import count_voxels, unpacked
from edgeseg.errors import DatasetError, MissingExtraError, OptionError, ScratchError, one_line
from edgeseg.specs import ChannelSet

SUFFIXES = (".nii", ".nii.gz")
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_UNIT_MM = {"meter": 1e3, "mm": 1.0, "micron": 1e-3, "unknown": 1.0}
_FORMS_APART_MM = 1.0
_SPACES = {1: "scanner", 3: "template", 4: "template"}
_UNKNOWN_SIZE = ("the NIfTI header gives no size of voxels; 1 mm was taken, so distances and volumes are not known",)


def is_nifti(path: Path) -> bool:
    """Whether a file is NIfTI by its name."""
    return path.name.lower().endswith(SUFFIXES)


def stem(path: Path) -> str:
    """Return the name of a NIfTI file without `.nii` or `.nii.gz`."""
    name = path.name[: -len(".gz")] if path.name.lower().endswith(".gz") else path.name
    return name[: -len(".nii")] or "volume"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NiftiHeader:
    """What a mask needs to lie on its input's voxels: stored `shape` and the view that was taken.

    `sform` and `qform` are index to RAS mm with the codes of their spaces; where a code is 0, the other one's, or what
    the sizes of voxels alone give, stands in its place.
    """

    shape: tuple[int, int, int]
    view: View
    sform: NDArray[np.float64]
    sform_code: int
    qform: NDArray[np.float64]
    qform_code: int


@dataclass(slots=True, eq=False)
class _Opened:
    """One open file that its sequences share; `sizeless` where its header gives no size of voxels."""

    image: Any
    stream: BinaryIO
    sizeless: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class NiftiSequence:
    """One volume of a NIfTI file."""

    kind, mask_formats = "nifti", ("nifti", "png", "tiff")

    def __init__(self, opened: _Opened, path: Path, volume: int | None) -> None:
        """Find the view; `volume` is the index along a fourth axis, None for 3-D.

        Raises:
            DatasetError: when the volume cannot be seen as axial slices.
        """
        self.source = str(path)
        self._opened, self._volume = opened, volume
        header = opened.image.header
        spaces = (_SPACES.get(int(header[name])) for name in ("sform_code", "qform_code"))
        self.origin = _origin(path, space=next((space for space in spaces if space), None))
        sform, qform, odd = _affines(header)
        self.warnings = (*odd, *(_UNKNOWN_SIZE if opened.sizeless and not int(header["sform_code"]) else ()))
        affine = sform if int(header["sform_code"]) else qform
        first, second, third = opened.image.shape[:3]
        self._grid, view = common_view((first, second, third), _RAS_TO_LPS @ affine, self.source)
        self.header = NiftiHeader(
            shape=(first, second, third),
            view=view,
            sform=sform,
            sform_code=int(header["sform_code"]),
            qform=qform,
            qform_code=int(header["qform_code"]),
        )
        scaled = (float(opened.image.dataobj.slope), float(opened.image.dataobj.inter)) != (1.0, 0.0)
        self.is_bytes = header.get_data_dtype() == np.uint8 and not scaled  # the header has forgotten its scale by now

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return self._grid.shape

    @property
    def grid(self) -> Grid:
        """Where the voxels are."""
        return self._grid

    def plane(self, index: int) -> Plane:
        """Read one slice, `(h, w) float64`.

        Raises:
            DatasetError: when the file ends too early or has changed.
        """
        view = self.header.view
        place: list[Any] = [slice(None)] * 3 + ([] if self._volume is None else [self._volume])
        place[view.axes[0]] = view.index(index, self.shape[0])
        try:
            with self._opened.lock, np.errstate(all="ignore"):
                stored = np.asarray(self._opened.image.dataobj[tuple(place)], np.float64)
        except Exception as error:
            raise DatasetError(
                f"{self.source}: slice {index + 1} cannot be read ({one_line(error)}); the file is cut short or "
                "changed while it was read; copy it again"
            ) from error
        return np.asarray(view.plane(stored), np.float64)

    def close(self) -> None:
        """Close the file, for all volumes in it."""
        self._opened.stream.close()


def open_nifti(path: Path) -> tuple[NiftiSequence, ...]:
    """Open a NIfTI file: one sequence for 3-D, one per volume for 4-D.

    Raises:
        MissingExtraError: without nibabel.
        DatasetError: when the file is missing, damaged, cut short, of an unusable type, or not axial.
        ScratchError: when a packed file cannot be unpacked among the temporary files.
    """
    try:
        import nibabel
    except ImportError as error:
        raise MissingExtraError("nibabel", "nifti", "reading NIfTI") from error
    if not path.is_file():
        raise DatasetError(f"{path}: there is no such file; give a .nii or .nii.gz file")
    stream = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stream = unpacked(path)
            opened = _open(nibabel, stream, path)
            count = opened.image.shape[3] if len(opened.image.shape) == 4 else None
            return tuple(NiftiSequence(opened, path, volume) for volume in ([None] if count is None else range(count)))
    except BaseException as error:
        if stream is not None:
            stream.close()
        if isinstance(error, (DatasetError, ScratchError)) or not isinstance(error, Exception):
            raise
        raise DatasetError(
            f"{path}: cannot be read as NIfTI ({one_line(error)}); the file is damaged, cut short or of another "
            "format; copy it again"
        ) from error


def pick(
    sequences: tuple[NiftiSequence, ...], names: tuple[str, ...], path: Path, channels: ChannelSet
) -> dict[str, NiftiSequence]:
    """Name the volumes of a 4-D file by channels, or `-` for one to leave out.

    Raises:
        OptionError: when the names do not fit the number of volumes, repeat, or lack a channel that is needed.
    """
    if len(names) != len(sequences):
        raise OptionError(
            f"{path}: the file holds {len(sequences)} volumes and {len(names)} were named ({','.join(names)}); name "
            "each in order with --volumes, such as: --volumes "
            f"{','.join(channels.names)},- ('-' leaves one out)"
        )
    used = [name for name in names if name != "-"]
    if len(set(used)) != len(used) or not set(used) <= set(channels.names) or not channels.complete(used):
        needed = channels.names if channels.stand_in is None else dict.fromkeys((channels.reference, channels.stand_in))
        raise OptionError(
            f"--volumes is {','.join(names)}; choose each of {', '.join(channels.names)} at most once, "
            f"{', '.join(needed)} always, and '-' for a volume to leave out"
        )
    return {name: sequence for name, sequence in zip(names, sequences, strict=True) if name != "-"}


def _open(nibabel: Any, stream: BinaryIO, path: Path) -> _Opened:
    size = os.fstat(stream.fileno()).st_size
    kinds = [kind for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image) if _sizeof_head(stream, kind)]
    if not kinds:
        raise DatasetError(f"{path}: this is not NIfTI, whatever its name says; convert it, for instance with dcm2niix")
    image = kinds[0].from_file_map({"image": nibabel.FileHolder(fileobj=stream)}, mmap=False)
    shape, dtype = image.shape, image.header.get_data_dtype()
    if len(shape) not in (3, 4) or min(shape) < 1:
        lone = f", a lone slice as {' x '.join(map(str, (*shape, 1)))}" if len(shape) == 2 else ""
        raise DatasetError(
            f"{path}: an array of {' x '.join(map(str, shape))} is no volume; 3-D or 4-D is needed{lone}"
        )
    if dtype.kind not in "iuf":
        raise DatasetError(f"{path}: its voxels are {dtype}; grey values are needed, whole numbers or float")
    missing = int(image.dataobj.offset) + count_voxels(shape, path) * int(dtype.itemsize) - size
    if missing > 0:
        raise DatasetError(f"{path}: the file is cut short, {missing} bytes are missing; copy it again")
    return _Opened(image, stream, sizeless=_is_sizeless(stream, kinds[0]))


def _is_sizeless(stream: BinaryIO, kind: Any) -> bool:
    """Whether voxels have no size in a header as it stands in the file; nibabel puts 1 in the place of 0."""
    stream.seek(0)
    sizes = np.asarray(kind.header_class.from_fileobj(stream, check=False)["pixdim"][1:4])
    return not (np.isfinite(sizes).all() and sizes.all())


def _sizeof_head(stream: BinaryIO, kind: Any) -> bool:
    stream.seek(0)
    head = stream.read(kind.header_class.sizeof_hdr)
    stream.seek(0)
    return bool(len(head) == kind.header_class.sizeof_hdr and kind.header_class.may_contain_header(head))


def _affines(header: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Return index to RAS mm by sform and by qform, and what is odd; sform is what counts where both are there."""
    scale = _UNIT_MM.get(header.get_xyzt_units()[0], 1.0)
    in_mm = np.diag([scale, scale, scale, 1.0])
    best = in_mm @ np.asarray(header.get_best_affine(), np.float64)
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if not sform and not qform:
        return best, best, ("the NIfTI header holds no orientation: left, right and feet are assumed, not known",)
    if not sform or not qform:
        return best, best, ()
    by_qform = in_mm @ np.asarray(header.get_qform(), np.float64)
    ends = np.array([(*corner, 1) for corner in np.ndindex(2, 2, 2)]) * [*np.array(header.get_data_shape()[:3]) - 1, 1]
    apart = float(np.linalg.norm((ends @ (best - by_qform).T)[:, :3], axis=1).max())
    if not apart > _FORMS_APART_MM:
        return best, by_qform, ()
    return best, by_qform, (f"sform and qform of the NIfTI header disagree by up to {apart:.0f} mm; sform was used",)


def _list(files: tuple[Path, ...], _salt: str) -> Listed:
    found = []
    for path in files:
        facts = SeriesFacts(description=_described(path))
        found.append(Candidate(facts=facts, files=(path,), origin=_origin(path), open=functools.partial(_one, path)))
    return tuple(found), ()


def _described(path: Path) -> str:
    """Give a file's name without its folder's at the head, which names the patient where the rest names a sequence.

    So `synthetic_3/synthetic_3_t1ce.nii.gz` is `t1ce`, whatever words a patient's name holds.
    """
    name, folder = stem(path), path.absolute().parent.name
    rest = name[len(folder) :]
    if not folder or not name.casefold().startswith(folder.casefold()) or rest[:1] not in ("_", "-", ".", " "):
        return name
    return rest[1:] if names_sequence(rest) and not names_sequence(folder) else name


def _origin(path: Path, space: str | None = None) -> Origin:
    name = stem(path)
    return Origin(label=label_of(name), visit=visit_of(name), space=space)


def _one(path: Path) -> NiftiSequence:
    sequences = open_nifti(path)
    if len(sequences) != 1:
        sequences[0].close()
        raise DatasetError(
            f"{path}: the file holds {len(sequences)} volumes; a sequence is one; give a 4-D file alone, as one path"
        )
    return sequences[0]


FORMAT = ScanFormat(name="nifti", is_file=is_nifti, list=_list, whole_tree=False, endings=SUFFIXES)
