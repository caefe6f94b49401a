"""Plan paths one by one, so that one that cannot be planned costs the others nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from edgeseg.data.scan import SourcedScan
from edgeseg.errors import DataError
from edgeseg.specs import LGG, ChannelSet, RunOptions
from edgeseg.stages.segment.inputs import Planned, plan
from edgeseg.stages.segment.parts import parts


def plan_each(paths: Iterable[Path], options: RunOptions, channels: ChannelSet = LGG) -> tuple[Planned, ...]:
    """Plan paths, archives by their `parts`; one that cannot be planned fails as it is opened, unless all do.

    Raises:
        DataError: when a path does not exist, nothing can be planned, or two folders claim one patient.
        OptionError: for options that contradict each other.
    """
    given = tuple(paths)
    if not options.sequences:
        given = tuple(part for path in given for part in parts(path))
    given = tuple(dict.fromkeys(given))
    try:
        return plan(given, options, channels)
    except DataError:
        groups = _parts(given)
        if len(groups) < 2 or not all(path.exists() for path in given):
            raise
        planned: list[Planned] = []
        good: list[Path] = []
        for part in groups:
            try:
                plan(part, options, channels)
                good += part
            except DataError as error:
                planned.append(Planned(source=str(part[0]), slices=0, open=_raising(error), paths=part))
        if not good or len(good) == len(given):
            raise
        return (*plan(good, options, channels), *planned)


def _parts(given: tuple[Path, ...]) -> tuple[tuple[Path, ...], ...]:
    """Take paths apart into those that cannot be one patient's: folders, and the files of each folder."""
    found: dict[Path, list[Path]] = {}
    for path in given:
        found.setdefault(path if path.is_dir() else path.parent, []).append(path)
    return tuple(map(tuple, found.values()))


def _raising(error: DataError) -> Callable[[], SourcedScan]:
    def fail() -> SourcedScan:
        raise error

    return fail
