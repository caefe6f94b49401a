"""What lies beside weights and goes into a build though nobody named it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def tell_beside(runs: Iterable[Path], *, choice: bool) -> None:
    """Say on stderr what tells how far masks are to be trusted, and with `choice` which operating point is taken."""
    from edgeseg.cli._progress import line
    from edgeseg.stages.choose import choice_beside
    from edgeseg.stages.trust import trust_beside

    for run in runs:
        if choice and (file := choice_beside(run)) is not None:
            line(f"threshold and post-processing as chosen in {file}; --choice FILE takes others")
        if (file := trust_beside(run)) is not None:
            line(f"how far masks are to be trusted as found in {file}")
