"""A network that somebody else trained becomes a run like any other: read, checked against its own file, written."""

from __future__ import annotations

import contextlib
import logging
import re
from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts, networks
from edgeseg.checkpoint import WEIGHTS_KIND, CheckpointHeader, read_checkpoint, write_checkpoint
from edgeseg.errors import ArtifactError, CheckpointError, OptionError, OutputError
from edgeseg.foreign import (
    ForeignContract,
    ForeignNetwork,
    Kind,
    complete,
    of_artifact,
    read_foreign_contract,
    read_network,
    recognise,
    source_files,
    write_contract_toml,
)
from edgeseg.foreign.hdf5 import opened
from edgeseg.jsonio import JsonFormatError, from_json, read_document, to_json
from edgeseg.place import claimed
from edgeseg.results.imported import ImportResult
from edgeseg.runtime.contract import CONTRACT_KEY, contract_text, read_contract
from edgeseg.specs import Contract, TrainSpec, VariantSpec
from edgeseg.stages.adopt.parity import NOT_THE_SAME, ConversionError, result_of
from edgeseg.stages.adopt.source import copy_source
from edgeseg.stages.environment import versions
from edgeseg.targets import TARGETS
from edgeseg.targets.keras_fp32 import read_keras_contract
from edgeseg.variants import VARIANTS
from edgeseg.variants.tiers import TIERS

_LOG = logging.getLogger(__name__)
RESULT_FILE, CONTRACT_FILE, _WEIGHTS = "import.json", "contract.toml", "weights.safetensors"
_CHECKED_SLICES = 8
_OWN = "network"
_ROUNDING = {"float32": 1e-3, "float16": 0.1}
"""Logits this near to each other differ in the rounding of their sums alone, however many lie on the threshold."""


def name_of(path: Path, name: str | None) -> str:
    """Return the name that a network has in tables and folders: what was given, or the file's own.

    Raises:
        OptionError: when it is one of edgeseg's own networks, or no name that a folder can have.
    """
    there = networks.every()
    taken = {*VARIANTS, *TIERS, *(one.name for one in there), *(one.record.slug for one in there), *TARGETS, "all"}
    if name is None:
        own = _carried(path)
        stem = path.name.split(".")[0] if own is None else own.variant.slug
        found = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40].strip("-") or _OWN
        return f"my-{found}" if found in taken else found
    if networks.check_name(name) in taken:
        raise OptionError(
            f"name is '{name}', which is taken (see: edgeseg networks); choose another, such as my-{name}"
        )
    return name


def adopt(
    path: Path,
    out: Path,
    *,
    name: str | None = None,
    contract: Path | None = None,
    size: tuple[int, int] | None = None,
    output: str | None = None,
    threads: int = 2,
) -> ImportResult:
    """Make a run of somebody's network.

    Leaves `weights.safetensors`, a copy of the file in `source/`, and `import.json`. The network in the run is held
    against the file in its own runtime, on slices of a phantom, before anything is written to `out`.

    Args:
        path: the file, or the folder of a SavedModel.
        out: the folder of the run.
        name: of the network in tables and folders; that of the file unless given.
        contract: a `contract.toml` with what the file does not say.
        size: (height, width), where the file leaves them open or another is wanted.
        output: the name of the output that is the mask, where there are several.
        threads: of the runtimes.

    Raises:
        ArtifactError: when no network can be read from the file; says what it is and what to do.
        ContractError: when the contract contradicts the graph.
        OptionError: when something must be said that is not.
        OutputError: when the folder cannot be written, or holds something else.
    """
    variant = VariantSpec(name=name_of(path, name), alpha=1.0, stem="full")
    if size is not None and len(size) != 2:
        raise OptionError(f"size is {size}; a height and a width in pixels are needed, such as (256, 320)")
    _check_place(out)
    _check_document(out, contract)
    key = _key(path, variant.name, contract, size, output)
    given = said(path, contract)

    def run_of(folder: Path, not_keras: str) -> ImportResult:
        network = read_network(path, given, variant, size=size, output=output, not_keras=not_keras)
        write_checkpoint(folder / _WEIGHTS, _header(network, variant), network.arrays)
        return result_of(network, read_checkpoint(folder / _WEIGHTS), out, threads=threads)

    with claimed(out), artifacts.staged_tree(out) as folder:
        copy_source(path, folder)
        try:
            found = run_of(folder, "")
        except ConversionError as error:
            _LOG.warning("%s", error)
            found = run_of(folder, NOT_THE_SAME)
        result = replace(found, key=key)
        artifacts.write_text(folder / RESULT_FILE, to_json(result) + "\n")
    return result


def adopted(
    path: Path,
    folder: Path,
    *,
    contract: Path | None = None,
    size: tuple[int, int] | None = None,
    output: str | None = None,
    threads: int = 2,
) -> Path:
    """Make a run of somebody's network in `folder`, under the file's own name, unless that run is there already.

    Raises:
        EdgeSegError: as `adopt`.
    """
    name = name_of(path, None)
    run = folder / name
    if (run / RESULT_FILE).is_file() and (run / _WEIGHTS).is_file():
        recognise(path)
        with contextlib.suppress(JsonFormatError, OSError):
            known = from_json(ImportResult, read_document(run / RESULT_FILE))
            if known.key == _key(path, name, contract, size, output):
                return run
    adopt(path, run, name=name, contract=contract, size=size, output=output, threads=threads)
    return run


def _key(path: Path, name: str, contract: Path | None, size: tuple[int, int] | None, output: str | None) -> str:
    """Return what changes with all that decides what is imported."""
    recognise(path)
    files = [artifacts.sha256_file(file) for file in source_files(path)]
    said = artifacts.sha256_file(contract) if contract is not None and contract.is_file() else ""
    asked = (path.name, name, files, said, size, output, artifacts.source_digest())
    return artifacts.sha256_bytes(repr(asked).encode())[:16]


def ask(path: Path, out: Path, *, size: tuple[int, int] | None = None, output: str | None = None) -> Path:
    """Write a commented `contract.toml` with all that the graph of a network tells, for its owner to complete.

    Raises:
        ArtifactError: when no network can be read from the file.
        OutputError: when a contract stands there already.
    """
    place = out / CONTRACT_FILE
    if place.exists():
        raise OutputError(f"{place} is there already; complete it, or remove it first")
    given, facts, channels = complete(path, said(path, None), size=size, output=output)
    return artifacts.write_text(place, write_contract_toml(given, facts, channels))


def said(path: Path, contract: Path | None) -> ForeignContract:
    """Return what is known beside the graph: the contract that was given, or that in a file of edgeseg's own."""
    if contract is not None:
        return read_foreign_contract(contract)
    own = _carried(path)
    if own is not None:
        return of_artifact(own)
    return ForeignContract()


def _carried(path: Path) -> Contract | None:
    """Return the contract in a file of edgeseg's own; None where there is none."""
    kind = recognise(path)
    if kind is Kind.HDF5:
        with opened(path) as file:
            own = CONTRACT_KEY in file.attrs
        return read_keras_contract(path) if own else None
    if kind is Kind.ONNX:
        try:
            own = contract_text(path) is not None
        except ArtifactError:  # reading the graph says better what is wrong with it
            return None
        return read_contract(path) if own else None
    return None


def _check_place(out: Path) -> None:
    """Refuse a folder that holds a training run, whose weights would be lost."""
    if not (out / _WEIGHTS).is_file():
        return
    try:
        ours = read_checkpoint(out).header.foreign is not None
    except CheckpointError:
        ours = False
    if not ours:
        raise OutputError(f"{out} holds weights that were not imported; choose another place with --out")


def _check_document(out: Path, contract: Path | None) -> None:
    """Refuse to leave a contract in the run that is not the one in force."""
    place = out / CONTRACT_FILE
    if not place.is_file():
        return
    if contract is None:
        raise OutputError(
            f"{place} is there and was not given, so the run would hold a contract that is not in force; give it with "
            f"--contract {place}, or remove it"
        )
    if contract.is_file() and contract.read_bytes() != place.read_bytes():
        raise OutputError(
            f"{place} is there and says other things than {contract}; give it with --contract, or remove it"
        )


def _header(network: ForeignNetwork, variant: VariantSpec) -> CheckpointHeader:
    contract = network.record.contract
    return CheckpointHeader(
        kind=WEIGHTS_KIND,
        variant=variant,
        image=contract.image,
        train=TrainSpec(variant=variant),
        data=contract.trained_on,
        data_hash="",
        train_patients=(),
        validation_patients=(),
        epoch=0,
        backend="tensorflow",
        versions=versions(),
        foreign=network.record,
    )
