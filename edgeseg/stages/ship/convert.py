"""Convert a network that has a name: with the operating point and the activation ranges that were shipped with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.checkpoint import read_checkpoint
from edgeseg.errors import CheckpointError, OptionError, one_line
from edgeseg.jsonio import JsonFormatError, read_document, spelled_out, to_json, to_record
from edgeseg.networks import AUTHOR, FILES_FILE, Network
from edgeseg.place import claimed
from edgeseg.progress import Say
from edgeseg.regular import stands
from edgeseg.results import NetworkFile, NetworkFiles
from edgeseg.stages.calibrate import RecordedRanges, ranges_beside, shipped_ranges
from edgeseg.stages.choose import CHOICE_FILE, read_choice
from edgeseg.stages.environment import versions
from edgeseg.stages.predict import checkpoint_contract, network_of, plain_point
from edgeseg.stages.trust import trust_beside, trusted
from edgeseg.targets import ConvertJob, Target, get

SHIPPED_TARGETS = ("tflite-int8", "onnx-int8", "onnx-fp32")
"""What a network ships as: integers for tablets and browsers, in each format, and float for a workstation.

One that is there to be compared may ship fewer; it keeps those that it has when it is converted again.
"""


def kept_targets(network: Network) -> tuple[str, ...]:
    """Return the targets that a network ships as: those of its files, and all where it was never converted.

    Raises:
        ArtifactError: when the list of its files is damaged.
    """
    return tuple(target for target in SHIPPED_TARGETS if target in network.targets) or SHIPPED_TARGETS


def sources(network: Network) -> dict[str, str]:
    """Return the digests of what a network's files are made from, by which a test knows that they are stale.

    Raises:
        CheckpointError: when the weights are missing or damaged.
        OptionError: when the choice or what tells of trust cannot be read.
    """
    checkpoint = read_checkpoint(network.weights)
    digest = artifacts.sha256_file(checkpoint.path)
    ranges = _ranges(network)
    choice = network.folder / CHOICE_FILE
    return {
        "weights_sha256": digest,
        "ranges_sha256": "" if ranges is None else artifacts.sha256_bytes(to_json(ranges).encode()),
        "choice_sha256": _said_in(choice) if stands(choice) else "",
        "trust_sha256": _said_in(trust) if (trust := trust_beside(network.folder)) is not None else "",
    }


def convert_shipped(names: Sequence[str], network: Network, folder: Path, *, say: Say | None = None) -> list[Path]:
    """Write files of some targets from the weights of a network into a folder, and return their paths in order.

    Equal weights, ranges and choice give equal bytes.

    Raises:
        CheckpointError: when the weights are missing or damaged, or there are no ranges where a target needs them.
        MissingExtraError: without the libraries of the `build` extra.
        OutputError: when the folder cannot be written.
    """
    checkpoint, choice = read_checkpoint(network.weights), network.folder / CHOICE_FILE
    slug, weights_sha256 = checkpoint.header.variant.slug, artifacts.sha256_file(checkpoint.path)
    point = read_choice(choice, variant=slug).chosen if stands(choice) else plain_point(checkpoint.header)
    ranges = _ranges(network)
    author = "" if network.own else AUTHOR
    job = ConvertJob(model=network_of(checkpoint), contract=checkpoint_contract(checkpoint.header), author=author)
    made = []
    for target in map(get, names):
        if say is not None:
            say(f"{network.name}: {target.name}")
        taken = _needed(target, ranges, network)
        chosen = point.applied(checkpoint_contract(checkpoint.header, target.name))
        contract = replace(
            trusted(network.folder, chosen, weights_sha256=weights_sha256),
            calibrated_on=None if taken is None else taken.data,
            calibration_hash=None if taken is None else taken.calibration_sha256,
            profile=target.profile("arm"),
        )
        if taken is not None:
            contract = replace(contract, seen_patients=tuple(sorted({*contract.seen_patients, *taken.patients})))
        path = folder / f"{target.name}{target.suffix}"
        given = None if taken is None else taken.activations
        target.convert(replace(job, contract=contract, ranges=given), path)
        made.append(path)
    return made


def write_files(network: Network, *, targets: Sequence[str] = (), say: Say | None = None) -> NetworkFiles:
    """Convert a network into its own folder, and write `artifacts.json` with the digests of what went in and came out.

    Args:
        network: with its weights.
        targets: `kept_targets` unless given; files of others are taken away.
        say: told of each file before it is made.

    Raises:
        EdgeSegError: as `convert_shipped`.
    """
    targets = targets or kept_targets(network)
    before = network.files()
    dropped = [one.file for one in (() if before is None else before.files) if one.target not in targets]
    with claimed(network.folder), artifacts.staged_tree(network.folder) as folder:
        paths = convert_shipped(targets, network, folder, say=say)
        for beside in {*folder.iterdir()} - {*paths}:
            beside.unlink()  # a list of operators, which says nothing that the file does not
        made_from = sources(network)
        made = NetworkFiles(
            weights_sha256=made_from["weights_sha256"],
            ranges_sha256=made_from["ranges_sha256"],
            choice_sha256=made_from["choice_sha256"],
            trust_sha256=made_from["trust_sha256"],
            files=tuple(network_file(target, path) for target, path in zip(targets, paths, strict=True)),
            versions=versions(),
        )
        artifacts.write_text(folder / FILES_FILE, to_record(made))
    for file in dropped:
        (network.folder / file).unlink(missing_ok=True)
    return made


def files_are_stale(network: Network) -> bool:
    """Say whether the converted files of a network are missing, altered, or made from other inputs than there are now.

    Raises:
        EdgeSegError: as `sources`.
    """
    made = network.files()
    if made is None or not made.files or not {one.target for one in made.files} <= set(SHIPPED_TARGETS):
        return True
    changed = any(getattr(made, name) != digest for name, digest in sources(network).items())
    kept = {one.target: network.folder / one.file for one in made.files}
    return changed or any(
        not path.is_file() or network_file(target, path) not in made.files for target, path in kept.items()
    )


def network_file(target: str, path: Path) -> NetworkFile:
    """Say of a converted file what `artifacts.json` holds."""
    return NetworkFile(
        target=target, file=path.name, size_bytes=path.stat().st_size, sha256=artifacts.sha256_file(path)
    )


def _said_in(file: Path) -> str:
    """Return the digest of what a document says, which does not change with the layout of its file."""
    try:
        return artifacts.sha256_bytes(spelled_out(read_document(file)).encode())
    except (OSError, JsonFormatError) as error:
        raise OptionError(f"{file}: cannot be read ({one_line(error)}); make it again or move it away") from error


def _ranges(network: Network) -> RecordedRanges | None:
    """Return the ranges that training learned, or else those recorded for these very weights."""
    checkpoint = read_checkpoint(network.weights)
    found = ranges_beside(checkpoint.path)
    return found or shipped_ranges(checkpoint.header.variant, artifacts.sha256_file(checkpoint.path))


def _needed(target: Target, ranges: RecordedRanges | None, network: Network) -> RecordedRanges | None:
    if target.needs_calibration and ranges is None:
        raise CheckpointError(
            f"there are no activation ranges for the network '{network.name}'; record them with: edgeseg calibrate "
            f"--network {network.name} --data DIR"
        )
    return ranges if target.needs_calibration else None
