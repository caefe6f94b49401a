from __future__ import annotations

import html.parser
import itertools
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.data.phantom import PhantomDataset
from edgeseg.errors import ArtifactError
from edgeseg.reports.page.overlays import FALSE_ALARM, HIT, MISSED, paint
from edgeseg.reports.page.page import page
from edgeseg.reports.page.pareto import frontier, plot, points, tried_points
from edgeseg.results import ArtifactRow, BudgetResult, BuildResult, SizeLedger, SizeStep, SubgroupResult
from edgeseg.specs import INTENDED_USE
from edgeseg.stages.build.overlays import overlays
from edgeseg.stages.build.page import write_page

MakeBuild = Callable[..., BuildResult]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))), None
)
LEDGER = SizeLedger(
    artifact="tflite-int8",
    variant="alphax-0.125-half",
    steps=(
        SizeStep(name="unet with Adam's state", size_bytes=372_000_000, how="a file"),
        SizeStep(name="the file", size_bytes=500_000, how="a file"),
    ),
    tensor_bytes=480_000,
    container_bytes=20_000,
    gzip_size_bytes=450_000,
)


class Reader(html.parser.HTMLParser):
    """Collects what a browser would fetch, the ids, the words, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.links += [given[name] for name in ("src", "href", "xlink:href", "data", "action") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


class ReadsFlair:
    """Calls bright FLAIR tumour."""

    def __init__(self, build: BuildResult) -> None:
        from edgeseg.specs import Contract, VariantSpec

        self.contract = Contract(
            variant=VariantSpec(), tier="int8", target="onnx-int8", layout="NCHW", trained_on="phantom"
        )
        self.numerics, self.runtime, self.threads = "float32", "fake 1", 1

    def logits(self, images: np.ndarray) -> np.ndarray:
        return images[..., 1].astype(np.float32) - 127.5


def test_the_page_fetches_nothing_and_no_id_comes_twice(make_build: MakeBuild) -> None:
    found = read(page(make_build(), ledgers=[LEDGER], max_drop=0.005))
    assert [link for link in found.links if not link.startswith(("#", "data:"))] == []
    assert len(set(found.ids)) == len(found.ids)
    assert "url(http" not in page(make_build())


def test_the_page_says_what_it_rests_on(make_build: MakeBuild) -> None:
    build = make_build(rests_on_phantoms=True)
    words = " ".join(read(page(build)).words)
    assert INTENDED_USE in words
    assert "Rests on phantoms." in words
    assert build.weights_sha256 in words
    assert "Rests on phantoms." not in " ".join(read(page(replace(build, rests_on_phantoms=False))).words)


def test_every_artifact_and_every_institution_is_there(make_build: MakeBuild) -> None:
    build = make_build()
    words = " ".join(read(page(build)).words)
    for row in build.artifacts:
        assert f"{row.variant} {row.target}" in words
        for score in row.evaluation.institutions if row.evaluation else ():
            assert score.institution in words


def test_no_subgroup_is_called_the_worst_where_none_is_large_enough(make_build: MakeBuild) -> None:
    build = make_build()
    small = SubgroupResult(column="site", subgroups=(), min_patients=5, worst=None)
    rows = tuple(
        replace(row, evaluation=row.evaluation and replace(row.evaluation, subgroups=(small,)))
        for row in build.artifacts
    )
    assert "Worst subgroups" not in page(replace(build, artifacts=rows))


def test_equal_builds_give_equal_bytes(make_build: MakeBuild) -> None:
    assert page(make_build(), ledgers=[LEDGER]) == page(make_build(), ledgers=[LEDGER])


def test_what_a_build_says_of_itself_cannot_become_markup(make_build: MakeBuild) -> None:
    text = page(make_build(command="edgeseg build --out '<script>alert(1)</script>'"))
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_colours_come_from_the_page(make_build: MakeBuild) -> None:
    text = page(make_build(), max_drop=0.005)
    assert "var(--int8)" in text
    assert "#0000a" not in text


def test_a_build_without_scores_and_latencies_still_gives_a_page(make_build: MakeBuild) -> None:
    build = make_build()
    bare = tuple(
        replace(r, evaluation=None, latency=None, parity=None, dice_delta_to_float=None) for r in build.artifacts
    )
    words = " ".join(read(page(replace(build, artifacts=bare, baseline=None))).words)
    assert "Patient by patient" not in words
    assert "Artifacts" in words


def test_rejected_artifacts_are_shown_and_not_on_the_frontier(make_build: MakeBuild) -> None:
    rows = [row for row in make_build().artifacts if row.evaluation is not None]
    first = rows[-1]
    assert first.evaluation is not None
    better = replace(
        first,
        target="cheat",
        size_bytes=1,
        parity=None if first.parity is None else replace(first.parity, passed=False),
    )
    assert better.parity is not None

    def cost(row: ArtifactRow) -> float:
        return float(row.size_bytes)

    found = points([*rows, better], cost)
    assert "cheat" in {p.name for p in found}
    line = frontier(found)
    assert "cheat" not in {p.name for p in line}
    assert all(a.cost < b.cost and a.dice < b.dice for a, b in itertools.pairwise(line))


def test_several_networks_are_told_apart_in_the_planes(make_build: MakeBuild) -> None:
    rows = make_build().artifacts
    smaller = [replace(row, variant="alphax-0.0625-half") for row in rows]
    found = points([*rows, *smaller], lambda row: float(row.size_bytes))
    alone, both = (plot(part, cost="bytes", budget=None, salt="x") for part in (found[: len(found) // 2], found))
    for network in ("alphax-0.125-half", "alphax-0.0625-half"):
        assert f"{network}, int8" in both
        assert network not in alone


def test_what_a_search_rejected_is_drawn_and_listed(make_build: MakeBuild, budget: BudgetResult) -> None:
    build = make_build(budgets=(budget,))
    text = page(build)
    found = read(text)
    words = " ".join(found.words)
    assert "Tried within the budget" in words
    for number, point in enumerate(budget.tried, start=1):
        assert f"{number} {point.recipe}" in words
    assert words.count("rejected") >= 4  # two lines, and the legends of the plots
    assert "budget 0.005" in words
    assert text.count('aria-label="Tried for tflite-int8: Dice against') == 2
    assert len(set(found.ids)) == len(found.ids)
    untimed = replace(budget, tried=tuple(replace(point, latency=None) for point in budget.tried))
    assert page(replace(build, budgets=(untimed,))).count('aria-label="Tried for') == 1
    assert "Tried within" not in page(make_build())


def test_a_rejected_try_stands_below_the_budget_by_its_bound(make_build: MakeBuild, budget: BudgetResult) -> None:
    reference = make_build().artifacts[0].evaluation
    assert reference is not None
    found = tried_points((budget,), reference, lambda point: float(point.size_bytes))
    assert [point.cost for point in found] == [520_000, 529_000], "what was taken is an artifact of its own"
    line = reference.dice.mean - budget.max_drop
    assert all(point.rejected and point.low < line for point in found)
    assert found[0].dice == pytest.approx(reference.dice.mean - 0.009)
    assert frontier(found) == ()


def test_the_line_of_the_budget_is_that_of_the_search(make_build: MakeBuild, budget: BudgetResult) -> None:
    planes = "Dice against size of the file, MB"
    without, with_search = page(make_build()), page(make_build(budgets=(budget,)))
    assert planes in without
    assert ">budget<" not in without.replace("\n", "")
    assert ">budget<" in with_search.replace("\n", "")


def test_a_file_of_ones_own_stands_under_its_name_with_its_scores(make_build: MakeBuild) -> None:
    build = make_build()
    assert build.baseline is not None
    scored = build.artifacts[0].evaluation
    assert scored is not None
    scored = replace(scored, dice_median=0.4321)
    own = replace(build.baseline, variant="mine.keras", given=True, evaluation=scored)
    words = read(page(replace(build, baseline=own))).words
    assert "0.432" in words[words.index("baseline: mine.keras") :]
    assert "baseline: unet with Adam's state" in read(page(build)).words


def test_no_figure_of_the_page_shows_markup_of_mathematics(make_build: MakeBuild) -> None:
    assert "$" not in " ".join(read(page(make_build(), ledgers=[LEDGER])).words)


def test_paint_colours_agreement_misses_and_false_alarms() -> None:
    grey = np.zeros((1, 4), np.uint8)
    mask, reference = np.array([[True, False, True, False]]), np.array([[True, True, False, False]])
    painted = paint(grey, mask, reference)
    for place, colour in enumerate((HIT, MISSED, FALSE_ALARM)):
        assert painted[0, place].tolist() == [round(0.45 * value) for value in colour]
    assert painted[0, 3].tolist() == [0, 0, 0]


def test_pictures_show_the_slices_that_tell_most(make_build: MakeBuild) -> None:
    dataset = PhantomDataset(1, start=2000)
    volume = dataset.volume(dataset.patients[0])
    drawn = overlays(ReadsFlair(make_build()), [volume], per_patient=2)
    assert len(drawn) == 2
    assert all(picture.uri.startswith("data:image/png;base64,") for picture in drawn)
    assert drawn[0].caption.startswith(volume.patient)
    assert drawn[0].width_px == drawn[0].height_px


def test_a_missing_artifact_is_one_clear_error(make_build: MakeBuild, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="--pictures none"):
        write_page(make_build(), tmp_path, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
    assert write_page(make_build(), tmp_path, tmp_path / "page.html", pictures="none").stat().st_size > 10_000


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH to open the page with")
def test_a_browser_opens_the_page_without_network(make_build: MakeBuild, budget: BudgetResult, tmp_path: Path) -> None:
    path, picture = tmp_path / "page.html", tmp_path / "page.png"
    path.write_text(page(make_build(budgets=(budget,)), ledgers=[LEDGER]))
    assert CHROMIUM is not None
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,2400")
    offline = ("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}")
    subprocess.run(
        [CHROMIUM, *flags, *offline, f"--screenshot={picture}", path.as_uri()],
        check=True,
        capture_output=True,
        timeout=120,
    )
    shown = np.asarray(Image.open(picture).convert("L"), np.float32)
    assert shown.shape == (2400, 1200)
    assert shown[:600].std() > 10, "the top of the page is not blank"
    assert shown[1200:].std() > 10, "the plots are not blank"
