"""What a build, its page and its gate make of a network of several masks."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console, RenderableType

from edgeseg.data.cache import SliceCache
from edgeseg.errors import MaskError, OptionError
from edgeseg.reports.comparison import comparison_table
from edgeseg.reports.scores import evaluation_table
from edgeseg.reports.summary import summarise
from edgeseg.results import BuildResult
from edgeseg.runtime.contract_file import read_contract_document
from edgeseg.specs import Contract, MaskRegion, PostProcessing, VariantSpec, contract_toml, looked, read_looks
from edgeseg.stages.build.overlays import overlays
from edgeseg.stages.calibrate import choose_slices
from edgeseg.stages.check.inputs import contract_fields
from edgeseg.stages.score.compare import compare
from tests._classes import CLASSES, SIDE, Discs, discs, of_classes

MakeBuild = Callable[..., BuildResult]
REGIONS = (
    MaskRegion(name="whole", channels=(0, 1), label=3, threshold=0.4, code=("1", "SCT", "Mass"), colour=(1, 2, 3)),
    MaskRegion(name="core", channels=(1,), label=2, post_processing=PostProcessing(min_volume_px=7)),
)
CONTRACT = Contract(
    variant=VariantSpec(), tier="custom", target="onnx-fp32", layout="NCHW", trained_on="discs",
    height=SIDE, width=SIDE, classes=CLASSES, regions=REGIONS,
)  # fmt: skip


class Empty:
    """A network that draws nothing; satisfies `Predictor`."""

    contract = CONTRACT
    threads = 1
    runtime = numerics = "float32"

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give `(N, H, W, 2)`, far below every threshold."""
        return np.full((*images.shape[:3], 2), -9.0, np.float32)


def test_calibration_slices_are_chosen_by_tumour_of_any_class(tmp_path: Path) -> None:
    cache: SliceCache = discs(tmp_path)
    chosen = choose_slices(cache, ("p1", "p2"), slices=8, seed=0)
    assert len(chosen.slices) == 8
    assert Discs().volume("p1").tumour.sum(axis=(1, 2)).tolist() == [
        int(masks.any(axis=-1).sum()) for masks in Discs().volume("p1").reference
    ]


def test_the_page_draws_every_mask_and_names_it() -> None:
    volume = Discs().volume("p1")
    drawn = overlays(Empty(), [volume], per_patient=1)
    areas = volume.reference.sum(axis=(1, 2)).max(axis=0)
    assert [one.caption for one in drawn] == [
        f"p1, p1_0, {name}: 0 px agree, {area} missed, 0 false" for name, area in zip(CLASSES, areas, strict=True)
    ]
    with pytest.raises(MaskError, match="draws whole, core, and the masks of p1 are of whole, rim"):
        overlays(Empty(), [replace(volume, classes=("whole", "rim"))])


@pytest.mark.parametrize("exclusive", [False, True], ids=["overlapping", "exclusive"])
def test_a_contract_in_toml_keeps_its_regions(exclusive: bool, tmp_path: Path) -> None:
    contract = replace(CONTRACT, exclusive=exclusive, classes=(*CLASSES, "rest"))
    place = tmp_path / "contract.toml"
    place.write_text(contract_toml(contract))
    found = read_contract_document(place)
    assert (found.regions, found.exclusive, found.classes) == (REGIONS, exclusive, contract.classes)


def test_the_gate_guards_regions() -> None:
    other = replace(CONTRACT, regions=(replace(REGIONS[0], threshold=0.6), REGIONS[1]))
    before, after = contract_fields(CONTRACT), contract_fields(other)
    assert [name for name in before if before[name] != after[name]] == ["regions"]
    assert "regions" not in contract_fields(replace(CONTRACT, regions=(), foreground=(1,)))


def test_builds_of_other_classes_are_not_subtracted(make_build: MakeBuild) -> None:
    row = next(row for row in make_build().artifacts if row.evaluation is not None)
    before, after = (make_build(artifacts=(of_classes(row, *names),)) for names in (CLASSES, ("whole", "rim")))
    found = compare(before, after, names=("a", "b"))
    assert (found.artifacts[0].dice_delta, found.artifacts[0].patients) == (None, 0)
    assert "classes: whole, core -> whole, rim" in found.differences
    assert compare(before, before, names=("a", "b")).artifacts[0].dice_delta is not None
    assert any("mean over whole, core" in remark for remark in summarise(before).remarks)


def test_classes_are_compared_by_themselves_and_by_institution(make_build: MakeBuild) -> None:
    row = next(row for row in make_build().artifacts if row.evaluation is not None)
    before = make_build(artifacts=(of_classes(row, *CLASSES),))
    after = make_build(artifacts=(of_classes(row, *CLASSES, lost={"core": 0.1}),))
    found = compare(before, after, names=("a", "b"))
    whole, core = found.artifacts[0].classes
    assert (whole.name, whole.dice_delta.mean) == ("whole", 0.0)
    assert core.dice_delta.mean == pytest.approx(-0.1)
    assert "core: Dice" in printed(comparison_table(found))
    score = after.artifacts[0].evaluation
    assert score is not None
    at = replace(score, patients=tuple(replace(one, institution="north") for one in score.patients))
    assert "north, core" in printed(evaluation_table(at, CONTRACT))


def printed(drawn: RenderableType) -> str:
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(drawn)
    return console.export_text()


def test_codes_and_colours_of_a_file_go_into_the_contract(tmp_path: Path) -> None:
    told = tmp_path / "codes.toml"
    told.write_text('[core]\ncode = ["6574001", "SCT", "Necrosis"]\ncolour = [1, 2, 3]\n')
    whole, core = looked(CONTRACT, read_looks(told)).regions
    assert whole == CONTRACT.regions[0]
    assert (core.code, core.colour) == (("6574001", "SCT", "Necrosis"), (1, 2, 3))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rim]\n", "codes are given for 'rim', and the network draws whole, core"),
        ('[core]\ncode = ["1"]\n', "code of region 'core'"),
        ("[core]\nshape = 1\n", "unknown key 'shape'"),
        ("core = 1\n", "give a table for each class"),
        ("[core", "give a table for each class"),
    ],
    ids=["other class", "half a code", "other key", "no table", "no TOML"],
)
def test_codes_that_say_nothing_are_refused(tmp_path: Path, text: str, said: str) -> None:
    told = tmp_path / "codes.toml"
    told.write_text(text)
    with pytest.raises(OptionError, match=said):
        looked(CONTRACT, read_looks(told))
    with pytest.raises(OptionError, match="cannot be read"):
        read_looks(tmp_path / "absent.toml")
