"""What a user says of the masks of a network: DICOM codes and colours, by the names of regions, in a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_plain, parse_toml, read_document
from edgeseg.specs.contract import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionLook:
    """Code and colour of one region, as `MaskRegion` has them; empty for what it has already."""

    code: tuple[str, ...] = ()
    colour: tuple[int, ...] = ()


def read_looks(path: Path) -> dict[str, RegionLook]:
    """Read a table for each region: `[core]` with `code = ["6574001", "SCT", "Necrosis"]` and `colour = [255, 0, 0]`.

    Raises:
        OptionError: when the file cannot be read, or holds anything else.
    """
    try:
        return {name: from_plain(RegionLook, one, name) for name, one in parse_toml(read_document(path)).items()}
    except OSError as error:
        raise OptionError(f"{path}: cannot be read ({error.strerror or error}); give a TOML file") from error
    except JsonFormatError as error:
        raise OptionError(
            f"{path}: {error}; give a table for each class, such as [core], with code and colour"
        ) from error


def looked(contract: Contract, looks: Mapping[str, RegionLook]) -> Contract:
    """Return a contract whose regions have these codes and colours.

    Raises:
        OptionError: when there is no such region, or a code or colour is none.
    """
    names = [region.name for region in contract.regions]
    if unknown := [name for name in looks if name not in names]:
        raise OptionError(
            f"codes are given for '{unknown[0]}', and the network draws {', '.join(names) or 'one mask'}; name these"
        )
    regions = tuple(
        replace(region, code=look.code or region.code, colour=look.colour or region.colour)
        for region in contract.regions
        for look in (looks.get(region.name, RegionLook()),)
    )
    return replace(contract, regions=regions)
