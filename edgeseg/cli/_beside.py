"""What lies beside weights and goes into a build though nobody named it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.checkpoint import CheckpointHeader
    from edgeseg.specs import Contract


def tell_beside(runs: Iterable[Path], *, choice: Path | None) -> None:
    """Say on stderr what tells how far masks are to be trusted, and where no `choice` is given which point is taken."""
    from edgeseg.cli._progress import line
    from edgeseg.stages.choose import choice_beside

    for run in runs:
        if choice is None and (file := choice_beside(run)) is not None:
            line(f"threshold and post-processing as chosen in {file}; --choice FILE takes others")
        if (told := _trust(run, choice or choice_beside(run))) is not None:
            line(told)


def _trust(run: Path, choice: Path | None) -> str | None:
    """Say what is done with the trust of a run, or of the one of its folds that it is for; None where there is none."""
    from edgeseg.artifacts import sha256_file
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.stages.train import fold_folders
    from edgeseg.stages.trust import left_out, trust_file, trust_for

    for place in (folds := fold_folders(run)) or (run,):
        checkpoint = read_checkpoint(place)
        weights = sha256_file(checkpoint.path)
        if trust_for(place, weights_sha256=weights) is None:
            continue
        if (why := left_out(place, _drawn(checkpoint.header, choice), weights_sha256=weights)) is not None:
            return f"the artifacts do not say how far masks are to be trusted: {why}"
        alone = f", which is for {place.name}; files of other folds tell nothing" if folds else ""
        return f"how far masks are to be trusted as found in {trust_file(place)}{alone}"
    return None


def _drawn(header: CheckpointHeader, choice: Path | None) -> Contract:
    from edgeseg.stages.choose import read_choice
    from edgeseg.stages.predict import checkpoint_contract, plain_point

    point = plain_point(header) if choice is None else read_choice(choice, variant=header.variant.slug).chosen
    return point.applied(checkpoint_contract(header, public_ids=True))
