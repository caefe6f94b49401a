"""What every conversion ends with: the artifact is run on the golden drawings, and sealed with what it drew."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.errors import ContractError, OutputError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.contract import contract_text
from edgeseg.runtime.seal import seal
from edgeseg.runtime.self_test import make_case
from edgeseg.specs import Contract
from edgeseg.targets.target import ConvertJob

Convert = Callable[[ConvertJob, Path], None]


class Runs(Protocol):
    """What a sealed artifact has to be: something that runs slices and says how."""

    contract: Contract
    runtime: str
    numerics: str

    @property
    def logit_step(self) -> float | None:
        """What one code of the output is worth; None for a float output."""

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run slices of the contract's size: `(N, H, W, 3) uint8` to `(N, H, W) float32`."""


def _open(_job: ConvertJob, path: Path) -> Runs:
    """Open as a device would, on one thread, so that sums do not depend on this host's."""
    return Segmenter.load(path, threads=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """How a format's contract is found and its artifact run."""

    text: Callable[[Path], bytes | None] = contract_text
    open_: Callable[[ConvertJob, Path], Runs] = _open


def sealed(convert: Convert, *, how: Sealing | None = None) -> Convert:
    """Make a conversion that seals what `convert` writes; it reaches its place whole or not at all.

    `convert` must store `runtime.seal.reserved_text(contract)`, in one piece. An artifact's golden case depends on its
    converted weights, so it is found by running the file; equal jobs still give equal bytes.
    """
    found = how or Sealing()

    @functools.wraps(convert)
    def convert_and_seal(job: ConvertJob, path: Path) -> None:
        with artifacts.staged(path) as temporary:
            try:
                convert(job, temporary)
            except OutputError as error:
                raise OutputError(str(error).replace(str(temporary), str(path))) from error
            _seal(job, temporary, found)

    return convert_and_seal


def _seal(job: ConvertJob, path: Path, how: Sealing) -> None:
    text = how.text(path)
    if text is None:
        raise ContractError(f"{path}: the conversion stored no contract, so there is nothing to seal")
    opened = how.open_(job, path)
    golden = make_case(
        opened.logits,
        opened.contract,
        made_with=f"{opened.runtime}, {opened.numerics}",
        step=opened.logit_step,
    )
    contract = replace(opened.contract, golden=golden)
    del opened
    path.write_bytes(seal(path.read_bytes(), text, contract))
