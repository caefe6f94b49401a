"""Which student a network teaches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from edgeseg.recipes import distil
from edgeseg.specs import Distil, TrainSpec, VariantSpec

SHAPED = VariantSpec(alpha=1.0, levels=(8, 16, 32, 64, 96), convolutions=(1, 1, 1, 1, 2))


@pytest.mark.parametrize(
    ("asked", "slug"),
    [
        ({}, "alphax-0.5-half-8.16.32.64.96-c11112"),
        ({"profile": "flat"}, "alphax-0.5-half-flat-c11112"),
        ({"variant": "r2unet"}, "r2unet-0.5-half"),
    ],
    ids=["same", "profile", "family"],
)
def test_a_student_of_the_same_family_has_the_shape_of_its_teacher(asked: dict[str, Any], slug: str) -> None:
    taught: list[TrainSpec] = []
    parent: Any = SimpleNamespace(header=SimpleNamespace(variant=SHAPED, train=TrainSpec(variant=SHAPED), foreign=None))
    bench: Any = SimpleNamespace(train=lambda spec, *_, **__: taught.append(spec))
    distil.apply(parent, Distil(alpha=0.5, **asked), bench)
    assert [spec.variant.slug for spec in taught] == [slug]
