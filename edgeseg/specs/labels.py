"""What the numbers in label maps mean: regions by name, each the union of some labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from edgeseg.errors import OptionError

_NAME = re.compile(r"\w[\w.-]*", re.UNICODE)
MAX_LABEL = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One class: a voxel belongs to it where the label map holds one of `values`, each from 1 to 65535."""

    name: str
    values: tuple[int, ...]


def parse_labels(text: str) -> tuple[Region, ...]:
    """Read regions as commands take them: `whole-tumour=1+2+4,core=1+4`.

    Raises:
        OptionError: for anything else, a name or a label that is there twice, or 0, which is the background.
    """
    regions = []
    for part in text.split(","):
        name, equals, values = (piece.strip() for piece in part.partition("="))
        numbers = [one.strip() for one in values.split("+")]
        if not equals or not _NAME.fullmatch(name) or not all(re.fullmatch("[0-9]{1,6}", one) for one in numbers):
            raise OptionError(
                f"--labels is '{text}', and '{part.strip()}' names no region; give each as NAME=LABEL+LABEL, such as: "
                "--labels whole-tumour=1+2+4,core=1+4"
            )
        regions.append(Region(name=name, values=tuple(map(int, numbers))))
    check_regions(regions, f"--labels is '{text}'")
    return tuple(regions)


def check_regions(regions: Iterable[Region], given: str) -> None:
    """Refuse names that are there twice, and labels that are none.

    Args:
        regions: at least one.
        given: how messages start, such as `--labels is 'x=0'`.

    Raises:
        OptionError: with the rule.
    """
    names = [region.name for region in regions]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise OptionError(f"{given}, and '{twice[0]}' is there twice; give each region a name of its own")
    for region in regions:
        if len(set(region.values)) != len(region.values) or not all(1 <= one <= MAX_LABEL for one in region.values):
            raise OptionError(
                f"{given}, and '{region.name}' is {'+'.join(map(str, region.values))}; a region is one or more labels "
                f"from 1 to {MAX_LABEL}, each once, and 0 is the background"
            )
