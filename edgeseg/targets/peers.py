"""Opening what is timed: an artifact of edgeseg, or a peer without a contract."""

from __future__ import annotations

from pathlib import Path

from edgeseg.runtime import Segmenter
from edgeseg.runtime.contract import SUFFIXES, contract_text
from edgeseg.runtime.plain import PlainModel
from edgeseg.targets import KerasPredictor, open_artifact


def open_for_timing(path: Path, *, threads: int) -> Segmenter | KerasPredictor | PlainModel:
    """Open a model with the runtime's fastest kernels; one without a contract comes as a `PlainModel`.

    Raises:
        ArtifactError: when the file is missing, damaged, of another format, or cannot be run.
        ContractError: when it carries a contract that this edgeseg cannot honour.
        MissingExtraError: when what runs it is not installed.
    """
    if path.suffix.lower() in SUFFIXES and contract_text(path) is None:
        return PlainModel(path, threads=threads)
    return open_artifact(path, threads=threads, numerics="fast")
