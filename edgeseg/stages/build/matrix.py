"""Several variants in one build: which ones, and their results as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts, networks
from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.volume import PHANTOM
from edgeseg.errors import CheckpointError, OptionError
from edgeseg.results import BuildResult
from edgeseg.specs import BuildSpec
from edgeseg.stages.train import of_fold


def every_variant(spec: BuildSpec, checkpoints: Sequence[Path]) -> tuple[BuildSpec, ...]:
    """Make a spec for each variant that has weights: those of the given runs, or where none is given all with a name.

    Args:
        spec: whose variant and checkpoint are replaced.
        checkpoints: runs, folders of folds, or weights files; at most one per variant.

    Raises:
        CheckpointError: when one cannot be read, or none is given and none ships.
        OptionError: when two are of one variant.
    """
    if not checkpoints:
        shipped = [one for one in networks.every() if one.has_weights]
        if not shipped:
            raise CheckpointError(
                "no trained weights ship with this installation; train some and give runs with --from"
            )
        return tuple(replace(spec, variant=one.record.spec, network=one.name, checkpoint=None) for one in shipped)
    found: dict[str, BuildSpec] = {}
    for path in checkpoints:
        variant = read_checkpoint(of_fold(path)).header.variant
        if variant.slug in found:
            raise OptionError(
                f"{found[variant.slug].checkpoint} and {path} both hold weights of {variant.slug}; a build has one "
                "file per variant and target, so leave one of them out"
            )
        found[variant.slug] = replace(spec, variant=variant, checkpoint=path)
    return tuple(found.values())


def merged(parts: Sequence[BuildResult]) -> BuildResult:
    """Join the builds of several variants, which share command, data and machine; their rows follow one another.

    The hash of the weights is that of the hashes joined. `calibrated_on` is the phantoms where any part is calibrated
    on them, since that is what weakens a figure.
    """
    if len(parts) == 1:
        return parts[0]
    calibrated = [part.calibrated_on for part in parts if part.calibrated_on is not None]
    return replace(
        parts[0],
        weights=_joined(part.weights for part in parts),
        weights_sha256=artifacts.sha256_bytes("".join(part.weights_sha256 for part in parts).encode()),
        rests_on_phantoms=any(part.rests_on_phantoms for part in parts),
        training_patients=max(part.training_patients for part in parts),
        calibrated_on=PHANTOM if PHANTOM in calibrated else next(iter(calibrated), None),
        calibration_patients=max(part.calibration_patients for part in parts),
        operating_point=_joined((p.operating_point for p in parts if p.operating_point is not None), " ") or None,
        calibration=_joined(part.calibration for part in parts if part.calibration is not None) or None,
        artifacts=tuple(row for part in parts for row in part.artifacts),
    )


def _joined(texts: Iterable[str], between: str = "; ") -> str:
    return between.join(dict.fromkeys(texts))
