"""Which parts of a mask are too small to keep."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.errors import OptionError


@dataclass(frozen=True, slots=True, kw_only=True)
class PostProcessing:
    """Which connected components of a mask are too small to keep; 0 switches a rule off, and all are off by default.

    Sizes are in pixels of the contract's grid. A lone slice loses its components of fewer than `min_area_px` pixels; a
    volume those of fewer than `min_volume_px` voxels, and those smaller than `min_share` of its largest one (1.0 keeps
    the largest alone). `edgeseg.components` has the definition step by step.
    """

    min_area_px: int = 0
    min_volume_px: int = 0
    min_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative sizes and shares outside [0, 1]."""
        for name in ("min_area_px", "min_volume_px"):
            if getattr(self, name) < 0:
                raise OptionError(f"{name} is {getattr(self, name)}; 0 (off) or more pixels are needed")
        if not 0.0 <= self.min_share <= 1.0:
            raise OptionError(f"min_share is {self.min_share}; a share of the largest component lies in [0, 1]")

    def applies(self, *, volume: bool) -> bool:
        """Whether a rule is on for volumes, or for lone slices."""
        return self.min_volume_px > 0 or self.min_share > 0 if volume else self.min_area_px > 0

    def describe(self, *, volume: bool) -> str:
        """Say in a few words what is dropped from volumes, or from lone slices; `none` where nothing is."""
        volumes = (
            f"under {self.min_volume_px} voxels" * (self.min_volume_px > 0),
            f"under {self.min_share:g} of the largest" * (self.min_share > 0),
        )
        parts = volumes if volume else (f"under {self.min_area_px} pixels" * (self.min_area_px > 0),)
        said = " or ".join(filter(None, parts))
        return f"components {said} dropped" if said else "none"
