"""The committed file that `edgeseg check` holds builds against: reading it, and taking a build as the next one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, OptionError, UnknownNameError, one_line
from edgeseg.jsonio import JsonFormatError, from_plain, parse_json, read_document
from edgeseg.results import BASELINE_SCHEMA_VERSION, GOOD_STATUS, BaselineArtifact, CheckBaseline, EvalResult
from edgeseg.stages.check.inputs import CheckedArtifact, contract_digest, fields_of
from edgeseg.stages.check.trust import TrustRules, trust_figures

LATENCY_REFERENCES = ("onnx-fp32", "keras-fp32")
"""Targets that latency is divided by unless one is named, the first that a build holds."""


def read_baseline(path: Path) -> CheckBaseline:
    """Read a committed baseline.

    Raises:
        ArtifactError: when it is missing, damaged, empty, or of a newer schema.
    """
    again = "write it anew with: edgeseg check BUILD --baseline FILE --update --reason TEXT"
    try:
        plain = parse_json(read_document(path))
    except FileNotFoundError as error:
        raise ArtifactError(f"there is no baseline {path}; {again}") from error
    except OSError as error:
        raise ArtifactError(f"cannot read the baseline {path}: {error.strerror or error}; check the path") from error
    except ValueError as error:
        raise ArtifactError(f"the baseline {path} is damaged or cut short ({one_line(error)}); {again}") from error
    _check_version(plain, path)
    try:
        baseline = from_plain(CheckBaseline, plain)
    except JsonFormatError as error:
        raise ArtifactError(f"the baseline {path} is damaged ({error}); {again}") from error
    if not baseline.artifacts:
        raise ArtifactError(f"the baseline {path} names no artifact; {again}")
    for item in baseline.artifacts:
        for dice in (item.dice, *(item.class_dice or {}).values()):
            problem = dice_problem(dice) or (
                "its classes have other patients" if dice.keys() != item.dice.keys() else ""
            )
            if problem:
                raise ArtifactError(f"the baseline {path} is damaged: {item.artifact}: {problem}; {again}")
    return baseline


def refuse_newer(path: Path) -> None:
    """Refuse to write over a baseline of a newer schema; anything else that stands there may be replaced.

    Raises:
        ArtifactError: with both versions.
    """
    try:
        plain = parse_json(read_document(path))
    except (OSError, ValueError):
        return
    _check_version(plain, path)


def _check_version(plain: object, path: Path) -> None:
    version = plain.get("schema_version") if isinstance(plain, dict) else None
    if isinstance(version, int) and version > BASELINE_SCHEMA_VERSION:
        raise ArtifactError(
            f"the baseline {path} has schema version {version} and this edgeseg reads up to "
            f"{BASELINE_SCHEMA_VERSION}; update edgeseg"
        )


def make_baseline(
    found: Mapping[str, CheckedArtifact],
    *,
    reason: str,
    reference: str | None = None,
    trust: TrustRules | None = None,
) -> CheckBaseline:
    """Take a build as the baseline of the future.

    Args:
        found: what was built.
        reason: why, for whoever reads the file.
        reference: target or name of the artifact that latencies are divided by; see `LATENCY_REFERENCES`.
        trust: has records of what is promised of masks and inputs; those of networks by name are found unless given.

    Raises:
        OptionError: without a reason, and when a record of trust is for none of the builds, or cannot be read.
        ArtifactError: when an artifact failed, is not the file that was measured, or has no readable contract.
        UnknownNameError: when the reference was not built.
    """
    if not reason.strip():
        raise OptionError("a baseline needs its reason: --reason 'new weights, trained on ...'")
    if not found:
        raise ArtifactError("the build holds no artifact, so it cannot be a baseline")
    for item in found.values():
        _require_sound(item)
    named = _reference(found, reference)
    first = next(iter(found.values())).build
    return CheckBaseline(
        reason=reason.strip(),
        command=first.command,
        weights_sha256=first.weights_sha256,
        latency_reference=named,
        artifacts=tuple(_baseline_artifact(found, item, named) for item in found.values()),
        environment=first.environment,
        trust=trust_figures(found.values(), trust or TrustRules()) or None,
    )


def latency_ratio(found: Mapping[str, CheckedArtifact], name: str, reference: str) -> float | None:
    """Return an artifact's median latency over the reference's, or None where the two were not timed in one build."""
    mine, other = found.get(name), found.get(reference)
    if mine is None or other is None or mine.build is not other.build:
        return None
    if mine.row.latency is None or other.row.latency is None:
        return None
    if not other.row.latency.latency_ms_p50 > 0:
        return None
    return mine.row.latency.latency_ms_p50 / other.row.latency.latency_ms_p50


def dice_of(scores: EvalResult) -> dict[str, float]:
    """Return the Dice of each patient."""
    return {score.patient: score.dice for score in scores.patients}


def class_dice_of(scores: EvalResult) -> dict[str, dict[str, float]] | None:
    """Return the Dice of each class by name, of each patient; None where there is one mask."""
    names = [one.name for one in scores.classes]
    if not names or any([one.name for one in score.classes] != names for score in scores.patients):
        return None
    return {
        name: {score.patient: score.classes[place].dice for score in scores.patients}
        for place, name in enumerate(names)
    }


def dice_problem(dice: Mapping[str, float]) -> str | None:
    """Say why scores cannot be compared; None where they can."""
    if not dice:
        return "it has no patients"
    wrong = [patient for patient, value in dice.items() if not 0.0 <= value <= 1.0]
    return f"the Dice of {wrong[0]} is {dice[wrong[0]]}, which does not lie in [0, 1]" if wrong else None


def _require_sound(item: CheckedArtifact) -> None:
    problem = None
    if item.row.status != GOOD_STATUS:
        problem = f"the build says: {item.row.status}"
    elif item.path is None or artifacts.sha256_file(item.path) != item.row.sha256:
        problem = "its file was changed after the build measured it; build again"
    if problem is not None:
        raise ArtifactError(f"{item.name} cannot be a baseline: {problem}")


def _reference(found: Mapping[str, CheckedArtifact], asked: str | None) -> str:
    by_target: dict[str, str] = {}
    for name, item in found.items():
        by_target.setdefault(item.row.target, name)
    for name in LATENCY_REFERENCES if asked is None else (asked,):
        if name in found:
            return name
        if name in by_target:
            return by_target[name]
    if asked is not None:
        raise UnknownNameError("reference artifact", asked, (*found, *by_target))
    return next(iter(found))


def _baseline_artifact(found: Mapping[str, CheckedArtifact], item: CheckedArtifact, reference: str) -> BaselineArtifact:
    fields, scores = fields_of(item), item.row.evaluation
    if isinstance(fields, str) or scores is None:
        raise ArtifactError(f"{item.name} cannot be a baseline: {fields if isinstance(fields, str) else 'no scores'}")
    if problem := dice_problem(dice_of(scores)):
        raise ArtifactError(f"{item.name} cannot be a baseline: {problem}")
    return BaselineArtifact(
        artifact=item.name,
        sha256=item.row.sha256,
        size_bytes=item.row.size_bytes,
        data=scores.data,
        dice=dice_of(scores),
        latency_ratio=latency_ratio(found, item.name, reference),
        contract=fields,
        contract_sha256=contract_digest(fields),
        class_dice=class_dice_of(scores),
    )
