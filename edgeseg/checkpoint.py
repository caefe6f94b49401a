"""Weights on disk: safetensors with a header that says which network they are and which patients made them.

No pickle: safetensors holds raw arrays and text. The header is one JSON document under the metadata key `edgeseg`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts, networks
from edgeseg.errors import CheckpointError, MissingExtraError, OptionError, one_line
from edgeseg.half import shortened, widened
from edgeseg.jsonio import LEFT_OUT, JsonFormatError, from_json, to_json
from edgeseg.specs import HALF, ImageSpec, TrainSpec, VariantSpec
from edgeseg.specs.foreign import ForeignRecord

CHECKPOINT_SCHEMA_VERSION = 1
WEIGHTS_KIND, STATE_KIND = "weights", "state"
_KEY = "edgeseg"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeRecord:
    """Which compression recipe made weights, its options as on the command line, and the weights it was given."""

    recipe: str
    options: dict[str, str]
    parent_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointHeader:
    """What a weights file says of itself.

    `data` is the data set's name, `data_hash` that of its content as training saw it. `kind` is `weights` (what ships:
    the averaged weights) or `state` (everything that a resumed run needs). `devices` trained together, which moves the
    outcome by rounding only. `initial` is the header of the weights that the training started from, None where it
    started from drawn ones. `recipe` is the compression that made these weights, None for a plain training; `initial`
    is then the header of what was compressed. `parts` are the headers of the trainings whose weights these are the mean
    of, the last of them that of the other fields; empty for one training. `foreign` is where a network came from that
    somebody else trained, None for one of edgeseg's own; of `train` only variant and normalisation then say anything.
    `name` is what 'edgeseg train --name' called these weights, empty where it called them nothing; what is made from
    them does not inherit it.
    """

    kind: str
    variant: VariantSpec
    image: ImageSpec
    train: TrainSpec
    data: str
    data_hash: str
    train_patients: tuple[str, ...]
    validation_patients: tuple[str, ...]
    epoch: int
    backend: str
    versions: dict[str, str]
    devices: int = 1
    initial: CheckpointHeader | None = None
    parts: tuple[CheckpointHeader, ...] = ()
    recipe: RecipeRecord | None = None
    schema_version: int = CHECKPOINT_SCHEMA_VERSION
    foreign: ForeignRecord | None = field(default=None, metadata={LEFT_OUT: True})
    name: str = field(default="", metadata={LEFT_OUT: True})

    @property
    def in_half(self) -> bool:
        """Whether a file with this header keeps the weights of convolutions in half precision."""
        return self.recipe is not None and self.recipe.recipe == HALF

    @property
    def chain(self) -> tuple[RecipeRecord, ...]:
        """The compressions that led to these weights, the first one first."""
        before = () if self.initial is None else self.initial.chain
        return before if self.recipe is None else (*before, self.recipe)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """A header and its arrays by name, in the network's own weight order."""

    header: CheckpointHeader
    arrays: dict[str, NDArray[Any]]
    path: Path


def write_checkpoint(path: Path, header: CheckpointHeader, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write a checkpoint in one step.

    Args:
        path: `*.safetensors`.
        header: what the file says of itself.
        arrays: by name; the order is kept through a numbered prefix.

    Raises:
        OutputError: when the place cannot be written; an older file stays whole.
    """
    return artifacts.write_bytes(path, checkpoint_bytes(header, arrays))


def checkpoint_bytes(header: CheckpointHeader, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return what `write_checkpoint` writes."""
    save = _safetensors().save
    kept = shortened(arrays) if header.in_half else arrays
    numbered = {f"{i:04d}/{name}": np.asarray(array, order="C") for i, (name, array) in enumerate(kept.items())}
    content: bytes = save(numbered, metadata={_KEY: to_json(header, indent=None)})
    return content


_IMPORTED = ("a Keras model or its weights in HDF5", "a Keras model", "a converted model in ONNX format")
"""Kinds of file that 'edgeseg import' takes."""
_MAX_HEADER_BYTES = 8 << 20
_RUN_EXPECTED = (
    "check the path, and give a run folder that 'edgeseg train' or 'edgeseg import' made, or its .safetensors file"
)
_EXPECTED = (
    "weights are taken from the folder of a run or its weights.safetensors alone, which 'edgeseg train' and 'edgeseg "
    "compress' write; give that"
)


def weights_path(given: Path) -> Path:
    """Return the run's folder or weights file that an argument means: a path that exists, else a network of that name.

    Of a network it is its folder, which holds weights as a run's does.

    Raises:
        CheckpointError: for a word that is neither, with the nearest name, and for a network without weights.
        ArtifactError: for a damaged network, and for a path that no file can have.
    """
    if networks.exists(given) or len(given.parts) != 1:
        return given
    if (network := networks.named(given.name)) is not None:
        return network.weights.parent
    if given.suffix:
        return given
    near = difflib.get_close_matches(given.name, known := networks.names(), n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise CheckpointError(
        f"no checkpoint at {given}, and no network of that name (there are: {', '.join(sorted(known)) or 'none'}); "
        f"{_RUN_EXPECTED}, or the name of a network.{hint}"
    )


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; a folder of a training run stands for the `weights.safetensors` in it.

    Raises:
        CheckpointError: when the file is missing, damaged, or not one of edgeseg's.
    """
    file = path / "weights.safetensors" if path.is_dir() else path
    if not file.is_file():
        raise CheckpointError(f"no checkpoint at {file}; {_RUN_EXPECTED}")
    _safetensors()
    from safetensors import SafetensorError, safe_open

    _require_short_header(file)
    try:
        with safe_open(file, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            names = sorted(opened.keys())
            arrays = {name.split("/", 1)[1]: widened(opened.get_tensor(name)) for name in names if "/" in name}
    except (SafetensorError, OSError, ValueError) as error:
        if (kind := foreign_kind(file)) is not None:
            own = f", or make a run of it with: edgeseg import {file} --out DIR" if kind in _IMPORTED else ""
            raise CheckpointError(f"{file} is {kind}, and {_EXPECTED}{own}") from error
        raise CheckpointError(
            f"{file} is damaged or not a safetensors file ({one_line(error)}); train or copy it again"
        ) from error
    if _KEY not in metadata:
        raise CheckpointError(f"{file} is a safetensors file that edgeseg did not write, and {_EXPECTED}")
    try:
        header = from_json(CheckpointHeader, metadata[_KEY])
    except (JsonFormatError, OptionError) as error:
        raise CheckpointError(f"{file} has a header this version cannot read ({error})") from error
    if header.schema_version != CHECKPOINT_SCHEMA_VERSION:
        raise CheckpointError(
            f"{file} has schema version {header.schema_version} and this edgeseg reads {CHECKPOINT_SCHEMA_VERSION}; "
            "use the edgeseg that wrote it, or train again"
        )
    return Checkpoint(header=header, arrays=arrays, path=file)


def _require_short_header(file: Path) -> None:
    """Refuse a header that would fill memory before it is parsed; what else is wrong with a file is found later."""
    with file.open("rb") as stream:
        said = int.from_bytes(stream.read(8), "little")
    if _MAX_HEADER_BYTES < said <= file.stat().st_size:
        raise CheckpointError(
            f"{file} has a header of {said >> 20} MB, and no checkpoint has more than {_MAX_HEADER_BYTES >> 20}; "
            "train or copy it again"
        )


def foreign_kind(file: Path) -> str | None:
    """Say what a file that holds no weights of edgeseg's is, by how it begins; None where that tells nothing."""
    with file.open("rb") as stream:
        head = stream.read(64)
    name = file.suffix.lower()
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return _IMPORTED[0]
    if head.startswith(b"PK\x03\x04"):
        return {".keras": _IMPORTED[1], ".npz": "a NumPy archive"}.get(name, "a ZIP archive, such as PyTorch writes")
    if head[4:8] == b"TFL3":
        return "a converted model in TFLite format"
    if head[4:8] == b"ORTM":
        return "a converted model in ORT format"
    if name == ".onnx" and head[:1] == b"\x08":
        return _IMPORTED[2]
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle, which could run anything and is never read"
    if head[:1] in (b"{", b"["):
        return "JSON"
    return None


def weight_names(model: Any) -> list[str]:
    """Return the names of a Keras 3 network's weights, in its own order: `enc1_1_conv/kernel` ..."""
    return [w.path for w in model.weights]


def check_weights(checkpoint: Checkpoint, variant: VariantSpec) -> None:
    """Refuse a checkpoint that does not hold the weights of `variant`.

    Raises:
        CheckpointError: when it is the state of a run, or belongs to another variant.
    """
    given = checkpoint.header.variant
    if checkpoint.header.kind != WEIGHTS_KIND:
        raise CheckpointError(
            f"{checkpoint.path} holds the state of a training run, not its weights; give the run's folder, or the "
            "weights.safetensors in it"
        )
    if given != variant and checkpoint.header.foreign is not None:
        raise CheckpointError(
            f"{checkpoint.path} holds the network '{given.slug}' of {checkpoint.header.foreign.file}, and "
            f"'{variant.slug}' was asked for; leave out --variant, --alpha and --stem, or give another checkpoint"
        )
    if given != variant:
        options = f"--variant {given.name} --alpha {given.alpha:g} --stem {given.stem}"
        advice = "leave out --variant, --alpha and --stem" if given.widths else f"give {options}"
        raise CheckpointError(
            f"{checkpoint.path} holds weights of '{given.slug}', and '{variant.slug}' was asked for; "
            f"{advice}, or another checkpoint"
        )


def refuse_foreign(checkpoint: Checkpoint, what: str) -> None:
    """Refuse a network that somebody else trained, where edgeseg needs to know how it was trained.

    Args:
        checkpoint: the weights.
        what: what cannot be done, such as `compressed`.

    Raises:
        CheckpointError: with what can be done in its place.
    """
    if checkpoint.header.foreign is not None:
        raise CheckpointError(
            f"{checkpoint.path} holds a network that was not trained here, which cannot be {what}: how and on whom it "
            "was trained is unknown. For a small file: edgeseg build --target tflite-int8 --max-drop 0.005; to teach "
            "one of edgeseg's networks with it: edgeseg train --teacher"
        )


def load_weights(model: Any, checkpoint: Checkpoint, variant: VariantSpec) -> None:
    """Put a checkpoint's weights into a network of `variant`.

    Raises:
        CheckpointError: as `check_weights`, and when a weight is missing or of another shape.
    """
    check_weights(checkpoint, variant)
    values = []
    for weight in model.weights:
        array = checkpoint.arrays.get(weight.path)
        if array is None or tuple(array.shape) != tuple(weight.shape):
            found = "nothing" if array is None else f"shape {tuple(array.shape)}"
            raise CheckpointError(
                f"{checkpoint.path}: weight '{weight.path}' should have shape {tuple(weight.shape)}, found {found}"
            )
        values.append(array.astype(np.float32))
    model.set_weights(values)


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise MissingExtraError("safetensors", "build", "reading and writing weights") from error
    return safetensors.numpy
