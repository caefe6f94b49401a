"""The network of a web page: the file that goes there, and the library of the page that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, OptionError
from edgeseg.place import scratch
from edgeseg.runtime import Segmenter
from edgeseg.runtime.contract import contract_text, model_format
from edgeseg.runtime.litert_session import LitertSession
from edgeseg.runtime.model_files import model_files
from edgeseg.runtime.seal import seal
from edgeseg.stages.inspect import attach
from edgeseg.stages.ship.fits import require_fit

MAX_MODEL_BYTES = 200 * 2**20
ENGINES = {".onnx": "onnxruntime", ".tflite": "litert"}
"""By format, what runs it in the page; the page's files of each begin with that name."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageModel:
    """A network that a page can run: the bytes of its file, contract inside, and the channels that it takes."""

    data: bytes
    suffix: str
    channels: tuple[str, ...]

    @property
    def engine(self) -> str:
        """What runs it in the page, one of `ENGINES`."""
        return ENGINES[self.suffix]


def page_model(path: Path, contract: Path | None = None) -> PageModel:
    """Read an artifact for a page, its contract with it; a `.tflite` file gets float32 ends and is sealed anew.

    Args:
        path: an `.onnx` file with its weights inside, or a `.tflite` file of int8 with int8 ends.
        contract: a JSON or TOML file with the contract, where the artifact carries none.

    Raises:
        OptionError: when the file is of another format or arithmetic, too large, or in several files.
        ArtifactError: when it cannot be read or run.
        ContractError: when it carries no contract that this edgeseg, or the page, can honour.
        MissingExtraError: for `.tflite` without ai-edge-litert.
    """
    suffix = path.suffix.lower()
    if suffix not in ENGINES:
        raise OptionError(
            f"{path}: the page runs ONNX Runtime or LiteRT.js, so it takes .onnx, or .tflite of int8; build one with: "
            "edgeseg build"
        )
    model_format(path)
    if len(model_files(path)) > 1:
        raise OptionError(f"{path}: its weights lie in files of their own; save them in one {suffix} file")
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise OptionError(
            f"{path}: {path.stat().st_size / 1e6:.0f} MB is too large for a page; the limit is "
            f"{MAX_MODEL_BYTES / 1e6:.0f} MB, so choose a smaller variant"
        )
    with scratch("web") as folder:
        if suffix == ".tflite":
            _require_int8(path)
        own = path if contract is None else attach(path, contract, out=folder / path.name)
        opened = Segmenter.load(own, threads=1)
        require_fit(opened.contract, "the page")
        data = own.read_bytes() if suffix == ".onnx" else _for_litert(opened, folder / f"float-ends{suffix}")
        return PageModel(data=data, suffix=suffix, channels=opened.contract.channels)


def _require_int8(path: Path) -> None:
    session = LitertSession(path, threads=1)
    kinds = (session.precision, session.input.dtype, session.output.dtype)
    if kinds != ("int8",) * 3:
        raise OptionError(
            f"{path}: the page runs .tflite files of int8 with int8 ends, and this one computes in {kinds[0]} from "
            f"{kinds[1]} to {kinds[2]}; give a tflite-int8 file, or an .onnx file of any precision"
        )


def _for_litert(opened: Segmenter, place: Path) -> bytes:
    """Give an open file float32 ends, seal it anew, and hold it to what it gave before, on a slice of noise."""
    from edgeseg.targets.float_ends import with_float_ends

    contract, text = opened.contract, contract_text(opened.path)
    assert text is not None
    data = with_float_ends(opened.path.read_bytes())
    if (contract.content_sha256, contract.contract_sha256) != (None, None):
        data = seal(data, text, contract)
    artifacts.write_bytes(place, data)
    size = (1, contract.height, contract.width, len(contract.channels))
    noise = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    if not np.array_equal(Segmenter.load(place, threads=1).logits(noise), opened.logits(noise)):
        raise ArtifactError(
            f"{opened.path}: with float32 ends it gives other values than before, so the page cannot run it as it is; "
            "give an .onnx file of the same network"
        )
    return data
