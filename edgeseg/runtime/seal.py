"""Seal an artifact: its contract takes digests of the file around it and of its own text.

The contract's text stands in the file once, in one piece, whatever the format, with spaces at its end. So sealing
replaces those bytes by as many others, and needs to know nothing of the format. Both digests are defined in
docs/reference/contract.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from edgeseg.errors import ArtifactError, ContractError
from edgeseg.jsonio import to_json
from edgeseg.runtime.model_files import model_files
from edgeseg.specs import Contract

RESERVE_BYTES = 2816
"""Room for the golden case and both digests."""
_BLOCK = 1 << 20
_BLANK = "0" * 64


def reserved_text(contract: Contract) -> str:
    """Write a contract as JSON on one line, with spaces that `seal` will fill."""
    return to_json(contract, indent=None) + " " * RESERVE_BYTES


def seal(content: bytes, text: bytes, contract: Contract, weights: Iterable[Path] = ()) -> bytes:
    """Put a contract in the place of another in an artifact's bytes, with the digests of what surrounds it.

    Args:
        content: the file.
        text: the contract's text as it stands there, with the spaces behind it.
        contract: what to put there; its digests are computed here.
        weights: files that hold weights of an ONNX graph, by name.

    Raises:
        ContractError: when the text does not stand there once, or leaves too little room.
    """
    before, after = _around(content, text)
    digest = _digest(before, after, weights)
    blank = replace(contract, content_sha256=digest.hexdigest(), contract_sha256=_BLANK)
    line = to_json(blank, indent=None).encode()
    if len(line) > len(text):
        raise ContractError(f"the contract needs {len(line)} bytes and {len(text)} are kept for it in the file")
    line = line.ljust(len(text))
    sealed = _stamp(line, hashlib.sha256(line).hexdigest(), _BLANK)
    return before + sealed + after


def check_seal(path: Path, text: bytes, contract: Contract) -> None:
    """Hold a file to the digests of its contract; a file that was not sealed passes.

    Args:
        path: of the artifact.
        text: the contract's text as the file holds it, spaces and all.
        contract: the same, read.

    Raises:
        ContractError: when the contract's text is not what was sealed.
        ArtifactError: when the rest of the file is not.
    """
    if contract.contract_sha256 is not None:
        blank = _stamp(text, _BLANK, contract.contract_sha256)
        if hashlib.sha256(blank).hexdigest() != contract.contract_sha256:
            raise ContractError(
                f"{path}: the contract was changed after it was sealed (its SHA-256 is not the one it names), "
                "so it cannot be relied on; copy the file again or build it again"
            )
    if contract.content_sha256 is None:
        return
    try:
        before, after = _around(path.read_bytes(), text)
    except ContractError as error:
        raise ContractError(
            f"{path}: the file was written anew after it was sealed, so it cannot be held to its contract's digest; "
            "copy it again or build it again"
        ) from error
    digest = _digest(before, after, model_files(path)[1:])
    if digest.hexdigest() != contract.content_sha256:
        raise ArtifactError(
            f"{path}: graph or weights are not those that the contract was sealed with (SHA-256 "
            f"{digest.hexdigest()[:12]}..., not {contract.content_sha256[:12]}...): the file is damaged, or the "
            "contract is another model's; copy it again or build it again"
        )


def _digest(before: bytes, after: bytes, weights: Iterable[Path]) -> hashlib._Hash:
    digest = hashlib.sha256(before)
    digest.update(after)
    for path in weights:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest


def _around(content: bytes, text: bytes) -> tuple[bytes, bytes]:
    start = content.find(text)
    if not text or start < 0 or content.find(text, start + 1) >= 0:
        raise ContractError("the contract does not stand in the file once and in one piece, so it cannot be sealed")
    return content[:start], content[start + len(text) :]


def _stamp(line: bytes, digest: str, instead: str) -> bytes:
    return line.replace(f'"contract_sha256":"{instead}"'.encode(), f'"contract_sha256":"{digest}"'.encode(), 1)
