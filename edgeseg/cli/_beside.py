"""What lies beside weights and goes into a build though nobody named it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def tell_beside(runs: Iterable[Path], *, choice: Path | None) -> None:
    """Say on stderr what tells how far masks are to be trusted, and where no `choice` is given which point is taken."""
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.cli._progress import line
    from edgeseg.stages.choose import choice_beside, read_choice
    from edgeseg.stages.train import fold_folders, of_fold
    from edgeseg.stages.trust import left_out, trust_beside

    for run in runs:
        if choice is None and (file := choice_beside(run)) is not None:
            line(f"threshold and post-processing as chosen in {file}; --choice FILE takes others")
        if (file := trust_beside(run)) is None:
            continue
        if choice is not None:
            point = read_choice(choice, variant=read_checkpoint(of_fold(run)).header.variant.slug).chosen
            if (why := left_out(run, point)) is not None:
                line(f"the artifacts do not say how far masks are to be trusted: {why}")
                continue
        alone = (
            f", which is for {folds[0].name}; files of other folds tell nothing" if (folds := fold_folders(run)) else ""
        )
        line(f"how far masks are to be trusted as found in {file}{alone}")
