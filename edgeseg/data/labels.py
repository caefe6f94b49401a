"""From label maps to masks: which voxels belong to which region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import DatasetError, MaskError
from edgeseg.specs import MAX_LABEL, Region, parse_labels

_SHOWN, _WHITE = 6, (1, 255, MAX_LABEL)
_ROUNDED = 1e-3
"""How far a label may lie from a whole number: what a header's scale and a float's rounding leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What the masks of a data set tell apart.

    Attributes:
        regions: at least one; they may overlap.
        known: all labels that may occur, 0 left out; None where the data set does not say, and those that no region
            holds are background.
        binary: whether nobody said what labels mean, so that a mask may hold 0 and one of 1, 255 and 65535, and nothing
            else.
        twins: labels that are one class in sets of different years, and several in others: a mask holds one of them
            unless `asked`, and a region that names one misses nothing of the others.
        asked: whether somebody chose the regions.
    """

    regions: tuple[Region, ...]
    known: frozenset[int] | None = None
    binary: bool = False
    twins: frozenset[int] = frozenset()
    asked: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """The names as `edgeseg.data.volume.Volume.classes` has them: none where there is one region."""
        return tuple(region.name for region in self.regions) if len(self.regions) > 1 else ()

    def masks(self, maps: NDArray[np.generic], where: str) -> NDArray[np.bool_]:
        """Turn label maps into masks.

        Args:
            maps: `(N, H, W)` of any kind of numbers.
            where: the file, for messages.

        Returns:
            `(N, H, W) bool` of one region, `(N, H, W, K) bool` of several.

        Raises:
            MaskError: for values that are no whole numbers, none of the labels that are known, or twins.
        """
        numbers = whole(maps, where)
        if self.binary:
            found = np.unique(numbers).tolist()
            if not any(set(found) <= {0, white} for white in _WHITE):
                jpeg = "; JPEG blurs masks, so save them as PNG" if where.lower().endswith((".jpg", ".jpeg")) else ""
                raise MaskError(
                    f"{where}: the mask holds {_shown(found)}, and nothing says what they mean; say it with --labels, "
                    f"such as: --labels tumour=1+2{jpeg}"
                )
            return numbers > 0
        if self.known is not None:
            found = np.unique(numbers).tolist()
            if odd := [value for value in found if value and value not in self.known]:
                raise MaskError(
                    f"{where}: the mask holds {_shown(odd)}, and the labels of this set are "
                    f"{', '.join(map(str, (0, *sorted(self.known))))}; correct the mask, or the list of labels"
                )
        if self.twins:
            self._check_twins(sorted(self.twins & set(np.unique(numbers).tolist())), where)
        planes = [np.isin(numbers, region.values) for region in self.regions]
        return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)

    def _check_twins(self, found: list[int], where: str) -> None:
        """Refuse twins together that nobody spoke of, and one that no region holds where its twin is in one."""
        named = {value for region in self.regions for value in region.values} & self.twins
        several = len(found) > 1
        if (several and not self.asked) or (named and not several and set(found) - named):
            raise MaskError(
                f"{where}: the mask holds {_shown(found)}, and {' and '.join(map(str, sorted(self.twins)))} are one "
                "class in sets of different years, and two where both are in a mask; say with --labels which region "
                "each belongs to"
            )

    def united(self, planes: Mapping[int, NDArray[np.bool_]], like: tuple[int, ...]) -> NDArray[np.bool_]:
        """Turn a mask for each label, which may overlap, into masks of the regions.

        Args:
            planes: `(N, H, W) bool` by label; one that is not there is empty.
            like: N, H and W.

        Returns:
            `(N, H, W) bool` of one region, `(N, H, W, K) bool` of several.
        """
        found = np.zeros((*like, len(self.regions)), np.bool_)
        for place, region in enumerate(self.regions):
            for value in region.values:
                if value in planes:
                    found[..., place] |= planes[value]
        return found[..., 0] if len(self.regions) == 1 else found


def _shown(values: list[int]) -> str:
    return ", ".join(map(str, values[:_SHOWN])) + (" ..." if len(values) > _SHOWN else "")


def whole(maps: NDArray[np.generic], where: str) -> NDArray[np.uint16]:
    """Take label maps as whole numbers from 0 to 65535, of any shape; a thousandth beside one is that one.

    Raises:
        MaskError: where they hold anything else.
    """
    if maps.dtype in (np.bool_, np.uint8, np.uint16):
        return np.asarray(maps, dtype=np.uint16)
    given = np.asarray(maps, dtype=np.float64)
    values = np.rint(given)
    odd = ~np.isfinite(given) | (values < 0) | (values > MAX_LABEL) | (np.abs(given - values) > _ROUNDED)
    if odd.any():
        raise MaskError(
            f"{where}: the mask holds {float(given[odd].flat[0]):.6g}, which is no label; labels are whole numbers "
            f"from 0 to {MAX_LABEL}; save the label map without resampling or scaling it"
        )
    return values.astype(np.uint16)


def chosen(own: Labels | None, text: str | None, source: str) -> Labels:
    """Decide what masks tell apart: what the user asks for, by numbers or by the set's own names, or what the set says.

    Args:
        own: of the data set; None where it does not say.
        text: as `--labels` has it; None for what the data set says.
        source: the data set, for messages.

    Raises:
        OptionError: when the text cannot be read.
        DatasetError: when it names labels that the data set does not have.
    """
    if text is None:
        return own or Labels(regions=(Region(name="tumour", values=(1,)),), binary=True)
    regions = parse_labels(text if own is None else _numbered(own, text, source))
    known = None if own is None else own.known
    asked = {value for region in regions for value in region.values}
    if known is not None and (odd := sorted(asked - known)):
        raise DatasetError(
            f"{source}: --labels names {odd[0]}, and the labels of this set are {', '.join(map(str, sorted(known)))}; "
            "name these"
        )
    return Labels(regions=regions, known=known, twins=frozenset() if own is None else own.twins, asked=True)


def _numbered(own: Labels, text: str, source: str) -> str:
    """Put labels in the place of names of the data set's classes: `tumour=necrosis+2` becomes `tumour=1+2`."""
    named = {region.name.casefold(): "+".join(map(str, region.values)) for region in own.regions}

    def number(part: str) -> str:
        plain = "-".join(part.casefold().split())
        if own.binary or not plain or plain.isdecimal() or plain in named:
            return named.get(plain, part)
        raise DatasetError(
            f"{source}: --labels names '{part.strip()}', and the classes of this set are {', '.join(named)}; name "
            "these, or their numbers"
        )

    def numbers(values: str) -> str:
        found = "+".join(map(number, values.split("+")))
        return found if found == values else "+".join(dict.fromkeys(found.split("+")))  # names may overlap

    parts = (part.partition("=") for part in text.split(","))
    return ",".join(f"{name}{equals}{numbers(values)}" for name, equals, values in parts)
