"""The gate: what it lets pass, what it stops, and what it cannot judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from edgeseg.jsonio import from_json, to_json
from edgeseg.results import ArtifactRow, CheckBaseline, CheckResult, LatencyResult
from edgeseg.specs import PostProcessing
from edgeseg.stages.check.baseline import read_baseline
from tests._classes import CLASSES, of_classes
from tests.stages.check.conftest import NAME, REFERENCE, Gate, Site


def dice_lost(row: ArtifactRow, lost: float) -> ArtifactRow:
    assert row.evaluation is not None
    patients = tuple(replace(p, dice=p.dice - lost) for p in row.evaluation.patients)
    return replace(row, evaluation=replace(row.evaluation, patients=patients))


def failed(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], str]:
    """Return the failures of a run with --json: (artifact, rule) to detail."""
    result = from_json(CheckResult, capsys.readouterr().out)
    return {(case.artifact, case.rule): case.detail for case in result.cases if not case.passed}


def test_a_build_passes_against_itself(
    gate: Gate, site: Site, capsys: pytest.CaptureFixture[str], check_schema: Callable[[str, str], None]
) -> None:
    capsys.readouterr()
    assert gate("--json") == 0
    check_schema("check", capsys.readouterr().out)
    check_schema("baseline", site.baseline.read_text())
    assert gate("--max-latency-ratio", "1.01") == 0
    out = capsys.readouterr().out
    assert "all 12 rules hold" in out
    assert max(map(len, out.splitlines())) <= 80
    baseline = read_baseline(site.baseline)
    assert (baseline.reason, baseline.latency_reference) == ("a test", NAME)
    assert [len(item.dice) for item in baseline.artifacts] == [5, 5]


def test_a_planted_dice_drop_of_a_hundredth_fails(gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.save(site.planted(lambda row: dice_lost(row, 0.01)))
    capsys.readouterr()
    assert gate("--json") == 1
    (((artifact, rule), detail),) = failed(capsys).items()
    assert (artifact, rule) == (NAME, "dice")
    assert "mean -0.0100 over 5 patients (95 % sure of -0.0100 or more), may fall by 0.005" in detail
    assert gate("--max-dice-drop", "0.011") == 0


def test_of_several_classes_the_line_says_that_dice_is_their_mean(
    gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.save(site.planted(lambda row: of_classes(row, *CLASSES)))
    capsys.readouterr()
    assert gate() == 0
    assert "mean +0.0000 over 2 classes and 5 patients" in capsys.readouterr().out


def test_a_class_that_lost_dice_fails_where_the_mean_holds(
    gate: Gate, site: Site, capsys: pytest.CaptureFixture[str], check_schema: Callable[[str, str], None]
) -> None:
    site.save(site.planted(lambda row: of_classes(row, *CLASSES)))
    assert gate("--update", "--reason", "classes") == 0
    check_schema("baseline", site.baseline.read_text())
    capsys.readouterr()
    assert gate() == 0
    assert "dice core" in capsys.readouterr().out
    site.save(site.planted(lambda row: of_classes(row, *CLASSES, lost={"core": 0.02})))
    capsys.readouterr()
    assert gate("--json") == 1
    (((_, rule), detail), *_) = failed(capsys).items()
    assert rule == "dice core"
    assert "mean -0.0200 over 5 patients" in detail
    site.save(site.planted(lambda row: of_classes(row, "whole", "rim")))
    assert gate("--json") == 1
    assert failed(capsys)[(NAME, "dice core")].startswith("the class is not scored now")


def test_a_drop_that_another_host_may_show_passes(gate: Gate, site: Site) -> None:
    site.save(site.planted(lambda row: dice_lost(row, 0.004)))
    assert gate() == 0
    site.save(site.planted(lambda row: dice_lost(row, -0.05)))
    assert gate() == 0


def test_the_drop_is_paired_by_patient_whatever_their_order(gate: Gate, site: Site) -> None:
    def turned(row: ArtifactRow) -> ArtifactRow:
        assert row.evaluation is not None
        return replace(row, evaluation=replace(row.evaluation, patients=row.evaluation.patients[::-1]))

    site.save(site.planted(turned))
    assert gate("--max-dice-drop", "0") == 0


def test_a_size_growth_of_a_twentieth_fails(gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    size = (site.folder / f"{NAME}.onnx").stat().st_size
    site.save(site.build, grow=round(0.05 * size))
    capsys.readouterr()
    assert gate("--json") == 1
    assert set(failed(capsys)) == {(NAME, "size")}
    assert gate("--max-size-growth", "0.06") == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"threshold": 0.4}, "threshold 0.5 -> 0.4"),
        ({"normalisation": "slice"}, 'normalisation "unit" -> "slice"'),
        ({"channels": ("flair", "pre", "post")}, "channels"),
        ({"post_processing": PostProcessing(min_area_px=9)}, "post_processing"),
        ({"licence": "other"}, 'licence null -> "other"'),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_contract_that_says_something_else_fails(
    change: dict[str, Any], said: str, gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.save(site.build, contract=replace(site.contract, **change))
    capsys.readouterr()
    assert gate("--json", "--max-size-growth", "1") == 1
    ((key, detail),) = failed(capsys).items()
    assert key == (NAME, "contract")
    assert said in detail


@pytest.mark.parametrize(("text", "said"), [("", "carries no contract"), ("{", "not JSON"), ('{"a": 1}', "honoured")])
def test_a_broken_contract_fails(
    text: str, said: str, gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.save(site.build, contract=text)
    capsys.readouterr()
    assert gate("--json") == 1
    found = failed(capsys)
    assert set(found) == {(NAME, "contract")}
    assert said in found[(NAME, "contract")]


def test_a_file_that_changed_after_the_build_fails(gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = site.folder / f"{NAME}.onnx"
    path.write_bytes(path.read_bytes()[:100])
    capsys.readouterr()
    assert gate("--json") == 1
    assert {rule for _, rule in failed(capsys)} == {"file", "contract"}


def test_a_stage_that_failed_in_the_build_fails(gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.save(site.planted(lambda row: replace(row, status="FAILED: convert", evaluation=None, latency=None)))
    (site.folder / f"{NAME}.onnx").unlink()
    capsys.readouterr()
    assert gate("--json", "--max-latency-ratio", "2") == 1
    found = failed(capsys)
    assert {rule for name, rule in found if name == NAME} == {"status", "file", "contract", "size", "dice"}
    assert (REFERENCE, "latency") in found


def test_other_patients_fail_and_are_named(gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    def fewer(row: ArtifactRow) -> ArtifactRow:
        assert row.evaluation is not None
        return replace(row, evaluation=replace(row.evaluation, patients=row.evaluation.patients[1:]))

    def elsewhere(row: ArtifactRow) -> ArtifactRow:
        assert row.evaluation is not None
        return replace(row, evaluation=replace(row.evaluation, data="kaggle-lgg"))

    site.save(site.planted(fewer))
    capsys.readouterr()
    assert gate("--json") == 1
    assert "1 not scored now: PHANTOM_PB_0000" in failed(capsys)[(NAME, "dice")]
    site.save(site.planted(elsewhere))
    assert gate("--json") == 1
    assert "scored on kaggle-lgg" in failed(capsys)[(NAME, "dice")]


def test_latency_is_held_as_a_ratio_to_a_reference_of_the_same_build(
    gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    def slow(latency: LatencyResult | None, times: float) -> LatencyResult:
        assert latency is not None
        return replace(latency, latency_ms_p50=latency.latency_ms_p50 * times)

    everything = tuple(replace(row, latency=slow(row.latency, 7.0)) for row in site.build.artifacts)
    site.save(replace(site.build, artifacts=everything))
    assert gate("--max-latency-ratio", "1.01") == 0
    site.save(site.planted(lambda row: replace(row, latency=slow(row.latency, 2.0)), "keras-fp32"))
    assert gate() == 0
    capsys.readouterr()
    assert gate("--max-latency-ratio", "1.5", "--json") == 1
    assert "x 2.00; at most x 1.5" in failed(capsys)[(REFERENCE, "latency")]


def test_an_artifact_that_the_baseline_does_not_hold_fails(
    gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = read_baseline(site.baseline)
    site.baseline.write_text(to_json(replace(baseline, artifacts=baseline.artifacts[:1])))
    capsys.readouterr()
    assert gate("--json") == 1
    assert set(failed(capsys)) == {(NAME, "baseline")}


def test_single_files_of_a_build_are_checked_alone(gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.save(site.planted(lambda row: dice_lost(row, 0.01)))
    assert gate(build=site.folder / f"{REFERENCE}.onnx") == 0
    assert gate(build=site.folder / f"{NAME}.onnx") == 1
    capsys.readouterr()
    assert gate("--update", "--reason", "x", build=site.folder / f"{NAME}.onnx") == 2
    assert "whole builds" in capsys.readouterr().err


def test_junit_and_summary_name_every_rule(gate: Gate, site: Site, tmp_path: Path) -> None:
    site.save(site.build, contract='{"\x07|": 1}')
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    assert gate("--junit", tmp_path / "j.xml", "--summary", summary) == 1
    suite = ET.parse(tmp_path / "j.xml").getroot().find("testsuite")
    assert suite is not None
    cases = [(c.get("classname"), c.get("name"), c.find("failure") is not None) for c in suite.iter("testcase")]
    rules = ("status", "file", "contract", "size", "dice")
    wanted = [(name, rule, (name, rule) == (NAME, "contract")) for name in (REFERENCE, NAME) for rule in rules]
    assert cases == [*wanted, ("alphax-0.125-half", "trust", False)]
    assert (suite.get("tests"), suite.get("failures")) == ("11", "1")
    text = summary.read_text()
    assert text.startswith("before\n### edgeseg check: FAILED")
    assert text.count("| ok |") == 10
    assert text.count("**FAIL**") == 1


def damage(site: Site, how: str) -> None:
    build, baseline = site.folder / "build.json", site.baseline
    text = baseline.read_text()
    ways: dict[str, Callable[[], object]] = {
        "no baseline": baseline.unlink,
        "truncated baseline": lambda: baseline.write_text(text[:200]),
        "newer schema": lambda: baseline.write_text(json.dumps(json.loads(text) | {"schema_version": 2})),
        "nan": lambda: baseline.write_text(text.replace("0.831", "NaN")),
        "empty": lambda: baseline.write_text(to_json(replace(read_baseline(baseline), artifacts=()))),
        "no build.json": build.unlink,
        "truncated build.json": lambda: build.write_text(build.read_text()[:300]),
        "file missing": (site.folder / f"{NAME}.onnx").unlink,
        "scores missing": lambda: site.save(site.planted(lambda row: replace(row, evaluation=None))),
        "row missing": lambda: site.save(replace(site.build, artifacts=site.build.artifacts[:1])),
    }
    ways[how]()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no baseline", "there is no baseline"),
        ("truncated baseline", "damaged or cut short"),
        ("newer schema", "schema version 2"),
        ("nan", "the number is not finite"),
        ("empty", "names no artifact"),
        ("no build.json", "holds no build.json"),
        ("truncated build.json", "is damaged"),
        ("file missing", "onnx-fp32.onnx"),
        ("scores missing", f"no scores of {NAME}"),
        ("row missing", f"holds {NAME} and the build does not"),
    ],
)
def test_what_cannot_be_judged_is_one_line_and_exit_code_2(
    how: str, said: str, gate: Gate, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(site, how)
    capsys.readouterr()
    assert gate("--junit", tmp_path / "j.xml", "--json") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err
    assert not (tmp_path / "j.xml").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--max-dice-drop", "-1"), "max-dice-drop is -1"),
        (("--max-size-growth", "nan"), "max-size-growth is nan"),
        (("--max-latency-ratio", "0"), "max-latency-ratio is 0"),
        (("--update",), "needs its reason"),
        (("--reason", "x"), "belong to --update"),
        (("--update", "--reason", "x", "--latency-reference", "onnx-fp23"), "Did you mean 'onnx-fp32'"),
        (("--update", "--reason", "x", "--junit", "j.xml"), "leave them out"),
    ],
)
def test_options_that_cannot_be(
    options: tuple[str, ...], said: str, gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    before = site.baseline.read_bytes()
    capsys.readouterr()
    assert gate(*options) == 2
    assert said in capsys.readouterr().err
    assert site.baseline.read_bytes() == before


def test_a_baseline_is_not_taken_from_what_failed_nor_put_over_a_newer_one(
    gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    before = site.baseline.read_bytes()
    site.save(site.planted(lambda row: replace(row, status="PARITY FAILED")))
    assert gate("--update", "--reason", "x") == 2
    assert "cannot be a baseline: the build says: PARITY FAILED" in capsys.readouterr().err
    assert site.baseline.read_bytes() == before
    site.save(site.build)
    damage(site, "newer schema")
    assert gate("--update", "--reason", "x") == 2
    damage(site, "truncated baseline")
    assert gate("--update", "--reason", "x") == 0
    assert from_json(CheckBaseline, site.baseline.read_bytes()).reason == "x"


def test_the_committed_baseline_can_be_read() -> None:
    found = read_baseline(Path(__file__).parents[3] / ".ci" / "baseline.json")
    assert [item.artifact.rpartition("/")[2] for item in found.artifacts] == ["keras-fp32", "tflite-int8"]
    assert found.reason


def _lost_by(row: ArtifactRow, patients: int, lost: float) -> ArtifactRow:
    """Return the row with so many patients of site B, the first ones, each worse, and the others of site A, better."""
    assert row.evaluation is not None
    changed = tuple(
        replace(p, institution="B" if i < patients else "A", dice=p.dice - lost if i < patients else p.dice + lost)
        for i, p in enumerate(row.evaluation.patients)
    )
    return replace(row, evaluation=replace(row.evaluation, patients=changed))


def test_a_subgroup_that_lost_fails_where_the_mean_hides_it(
    gate: Gate, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.save(site.planted(lambda row: _lost_by(row, 2, 0.02)))
    assert gate() == 0
    capsys.readouterr()
    assert gate("--max-subgroup-drop", "0.01", "--min-subgroup", "2", "--json") == 1
    (((artifact, rule), detail),) = failed(capsys).items()
    assert (artifact, rule) == (NAME, "subgroup")
    assert (
        "worst of 2 by site: 'B', mean -0.0200 over 2 patients (95 % sure of -0.0200 or more), may fall by 0.01"
        in detail
    )
    assert gate("--max-subgroup-drop", "0.03", "--min-subgroup", "2") == 0
    capsys.readouterr()
    assert gate("--max-subgroup-drop", "0.01", "--min-subgroup", "3", "--json") == 0
    assert "; 1 of fewer than 3 not held" in capsys.readouterr().out
    assert gate("--max-subgroup-drop", "0.01", "--json") == 1
    assert "no subgroup by site has 5 patients or more" in failed(capsys)[NAME, "subgroup"]
    patients = [p.patient for p in site.build.artifacts[0].evaluation.patients]  # type: ignore[union-attr]
    (table := tmp_path / "scanners.csv").write_text("patient,scanner\n" + "".join(f"{p},one\n" for p in patients))
    asked = ("--max-subgroup-drop", "0", "--by", "scanner", "--subgroups", table)
    assert gate(*asked) == 0
    assert gate("--by", "scanner") == 2
    assert gate("--max-subgroup-drop", "0", "--by", "scanner") == 2
