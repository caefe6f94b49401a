"""The size of a network, and the tiers that name some."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.specs import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """A network's size: all weights, those that are trained, and multiply-accumulates for one image.

    `trainable_parameters` is None where they were not counted apart.
    """

    parameters: int
    trainable_parameters: int | None = None
    macs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A named point on the way from the workstation to the tablet."""

    name: str
    variant: VariantSpec
    precision: str
    summary: str
