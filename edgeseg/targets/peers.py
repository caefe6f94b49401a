"""Opening what is timed: an artifact of edgeseg, a model with a contract beside it, or a peer without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeseg.errors import ContractError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.contract import SUFFIXES, contract_text
from edgeseg.runtime.contract_file import read_contract_plain
from edgeseg.runtime.model_files import model_sha256
from edgeseg.runtime.plain import PlainModel
from edgeseg.targets import KerasPredictor, keras_fp32, open_artifact


def open_for_timing(
    path: Path, *, threads: int, contract: Path | None = None
) -> Segmenter | KerasPredictor | PlainModel:
    """Open a model with the runtime's fastest kernels; one that has no contract at all comes as a `PlainModel`.

    Raises:
        ArtifactError: when the file is missing, damaged, of another format, or cannot be run.
        ContractError: when it carries a contract that this edgeseg cannot honour.
        MissingExtraError: when what runs it is not installed.
    """
    if contract is None and path.suffix.lower() in SUFFIXES and contract_text(path) is None:
        return PlainModel(path, threads=threads)
    return open_artifact(path, threads=threads, numerics="fast", contract=contract)


def contracts_of(files: Sequence[Path], contract: Path | None) -> dict[Path, Path | None]:
    """Say which of several models a contract in a file of its own belongs to: those that carry none.

    One that names its model by a SHA-256 belongs to that one alone.

    Raises:
        ArtifactError: when a model is missing, damaged or of another format.
        ContractError: when the contract cannot be read, or none of the models needs it.
    """
    found: dict[Path, Path | None] = dict.fromkeys(files)
    if contract is None:
        return found
    pinned = read_contract_plain(contract).get("content_sha256")
    bare = [path for path in files if _carries_none(path)]
    if not bare:
        raise ContractError(f"{contract}: every model that was given carries a contract; leave --contract out")
    ours = [path for path in bare if pinned in (None, model_sha256(path))]
    if not ours:
        raise ContractError(
            f"{contract}: written for a model whose SHA-256 is {str(pinned)[:12]}..., which is none of those that were "
            "given; leave content_sha256 out of it, or write a new one with: edgeseg contract show"
        )
    return {**found, **dict.fromkeys(ours, contract)}


def _carries_none(path: Path) -> bool:
    if path.suffix.lower() == keras_fp32.TARGET.suffix:
        return keras_fp32.keras_contract_text(path) is None
    return contract_text(path) is None
