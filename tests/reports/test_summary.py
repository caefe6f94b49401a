from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from edgeseg.artifacts import read_build
from edgeseg.cli._print import show
from edgeseg.errors import ArtifactError, OptionError, OutputError
from edgeseg.jsonio import from_json, to_json
from edgeseg.reports.build import markdown_table, terminal, whole_report
from edgeseg.reports.summary import remarks, summarise
from edgeseg.reports.table import TABLE_BEGIN, TABLE_END, splice
from edgeseg.reports.words import ABSENT, size_text, times_text
from edgeseg.results import ArtifactRow, BudgetResult, BuildResult, Choice, LatencyResult, Report
from edgeseg.stages.build.folder import write_report

MakeBuild = Callable[..., BuildResult]
UNMEASURED = "not evaluated: no patients were given; add --data DIR"


def rendered(report: Report, width: int = 80, *, verbose: bool = True) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False, color_system=None)
    show(terminal(report, verbose=verbose), console=console)
    stream = console.file
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def bare(row: ArtifactRow) -> ArtifactRow:
    return replace(row, parity=None, evaluation=None, latency=None, dice_delta_to_float=None, status=UNMEASURED)


def slow(latency: LatencyResult | None, milliseconds: float) -> LatencyResult:
    assert latency is not None
    return replace(latency, latency_ms_p50=milliseconds, latency_ms_p95=milliseconds * 1.3)


def seen(row: ArtifactRow, count: int) -> ArtifactRow:
    assert row.evaluation is not None
    return replace(row, evaluation=replace(row.evaluation, seen_patients=count))


def line_of(text: str, start: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return line


def test_no_line_of_the_terminal_table_is_wider_than_80(make_build: MakeBuild) -> None:
    text = rendered(summarise(make_build()), width=200)
    assert max(map(len, text.splitlines())) <= 80


def test_the_short_form_is_the_answer_and_five_columns_none_of_which_wraps(make_build: MakeBuild) -> None:
    build = make_build(rests_on_phantoms=False)
    text = rendered(summarise(build), width=200, verbose=False)
    assert text.startswith("Ship alphax-0.125-half tflite-int8")
    assert max(map(len, text.splitlines())) <= 80
    for row in build.artifacts:
        assert len(line_of(text, row.target).split()) == 8  # with an interval of three words, and two of a size
    assert "patients of phantom" not in text
    assert "patients of phantom" in rendered(summarise(build), verbose=True)


def test_the_short_form_keeps_what_weakens_the_figures_and_why_a_file_is_not_good(make_build: MakeBuild) -> None:
    build = make_build()
    failed = replace(build.artifacts[2], status="PARITY FAILED: 4000.0 ppm flip; take --profile x86")
    text = rendered(summarise(replace(build, artifacts=(*build.artifacts[:2], failed))), verbose=False)
    assert "tflite-int8 (1)" in text
    assert "(1) tflite-int8: PARITY FAILED: 4000.0 ppm flip; take --profile x86" in text
    assert "RESTS ON PHANTOMS" in text


def test_the_terminal_table_loses_no_figure_at_80_columns(make_build: MakeBuild) -> None:
    text = rendered(summarise(make_build()))
    assert line_of(text, "baseline").split() == [
        "baseline",
        "372.6",
        "MB",
        "1.0",
        "/",
        "0.3",
        "–",
        "–",
        "789",
        "/",
        "987",
        "ok",
    ]
    assert line_of(text, "tflite-int8").split() == [
        "tflite-int8", "518", "kB", "719", "/", "240", "0.848", "[0.798,", "0.888]", "-0.003", "24.1", "/", "30.1",
        "ok",
    ]  # fmt: skip
    assert "…" not in text


def test_extreme_figures_still_fit(make_build: MakeBuild) -> None:
    build = make_build()
    odd = replace(
        seen(build.artifacts[2], 2),
        size_bytes=14_000,
        target="a-target-with-a-very-long-name-int8",
        latency=slow(build.artifacts[2].latency, 22_345.6),
        status="parity failed on slice PHANTOM_PA_0001/slice_3",
    )
    text = rendered(summarise(replace(build, artifacts=(*build.artifacts, odd))))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "(1)" in text


def test_the_baseline_comes_first_with_measured_ratios(make_build: MakeBuild) -> None:
    report = summarise(make_build())
    lines = rendered(report).splitlines()
    order = [
        next(i for i, line in enumerate(lines) if line.startswith(s)) for s in ("baseline", "its weights", "keras")
    ]
    assert order == sorted(order)
    assert report.rows[2].times_smaller_than_file == pytest.approx(372_600_000 / 517_952)
    assert report.rows[2].times_smaller_than_weights == pytest.approx(124_200_000 / 517_952)


def test_what_was_not_measured_is_a_dash_and_says_why(make_build: MakeBuild) -> None:
    build = make_build(baseline=None)
    report = summarise(replace(build, artifacts=tuple(bare(a) for a in build.artifacts)))
    text = rendered(report)
    assert line_of(text, "onnx-fp32").count("–") == 5
    assert UNMEASURED in " ".join(text.split())
    assert "baseline file was not measured" in " ".join(text.split())
    assert "Latency was not measured" in text
    assert report.rows[0].dice is None
    assert report.rows[0].times_smaller_than_file is None
    assert report.main_artifact is None


def test_an_artifact_that_was_never_written_has_no_size_and_no_ratio(make_build: MakeBuild) -> None:
    build = make_build()
    row = replace(bare(build.artifacts[0]), size_bytes=0, gzip_size_bytes=0)
    report = summarise(replace(build, artifacts=(row,)))
    assert report.rows[0].times_smaller_than_file is None
    assert size_text(0) == ABSENT


def test_phantoms_are_marked_and_only_when_true(make_build: MakeBuild) -> None:
    marked, real = summarise(make_build()), summarise(make_build(rests_on_phantoms=False))
    for text in (rendered(marked), markdown_table(marked)):
        assert "RESTS ON PHANTOMS" in text
    for text in (rendered(real), markdown_table(real)):
        assert "PHANTOMS" not in text


def test_seen_patients_mark_the_figure_and_the_remarks(make_build: MakeBuild) -> None:
    build = make_build()
    report = summarise(replace(build, artifacts=(seen(build.artifacts[2], 2), build.artifacts[0])))
    text = rendered(report)
    assert "0.848*[" in line_of(text, "tflite-int8")
    assert "*" not in line_of(text, "keras-fp32")
    assert "SEEN PATIENTS (*): 2 of 5" in text
    assert "*" not in rendered(summarise(build))


def test_the_remarks_name_patients_hardware_runtime_and_threads(make_build: MakeBuild) -> None:
    text = " ".join(rendered(summarise(make_build())).split())
    assert "n = 5 patients of phantom" in text
    assert "Synthetic CPU" in text
    assert "onnxruntime 1.31.1, 2 threads, n = 100" in text
    assert "baseline" in text


def test_the_main_artifact_is_the_smallest_that_was_evaluated_and_passed(make_build: MakeBuild) -> None:
    build = make_build()
    small = build.artifacts[2]
    assert build.main is small
    assert small.parity is not None
    failed = replace(small, parity=replace(small.parity, passed=False))
    assert replace(build, artifacts=(build.artifacts[0], build.artifacts[1], failed)).main is build.artifacts[1]


def test_markdown_has_institutions_patients_stages_and_straight_tables(make_build: MakeBuild) -> None:
    text = whole_report(make_build())
    for heading in ("## By institution", "## Patients: alphax-0.125-half/tflite-int8", "## Stages", "## Baseline"):
        assert heading in text
    assert "| alphax-0.125-half/tflite-int8 | PB | 3 | 0.838 | 0.848 |" in text
    assert "PHANTOM_PB_0004" in text
    assert "| PHANTOM_PB_0000 | PB | 20 |" in text
    widths: list[int] = []
    for line in text.splitlines():
        if line.startswith("|"):
            widths.append(line.replace("\\|", "").count("|"))
        else:
            assert len(set(widths)) <= 1, line
            widths = []


def test_markdown_escapes_what_would_break_a_cell(make_build: MakeBuild) -> None:
    build = make_build()
    row = replace(build.artifacts[0], status="a|b\nc")
    assert "a\\|b c" in markdown_table(summarise(replace(build, artifacts=(row,))))


def test_report_json_round_trips_and_holds_its_schema_version(make_build: MakeBuild, tmp_path: Path) -> None:
    markdown_path, json_path = write_report(make_build(), tmp_path)
    assert from_json(Report, json_path.read_text()) == summarise(make_build())
    assert json.loads(json_path.read_text())["schema_version"] == 1
    assert markdown_path.read_text().startswith("# edgeseg build report")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.json", "report.md"]


def test_splice_replaces_only_what_stands_between_the_markers(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_bytes(f"# T\r\n{TABLE_BEGIN}\nold\n{TABLE_END}\nrest é\n".encode())
    splice("| new |\n", readme)
    once = readme.read_bytes()
    assert once == f"# T\r\n{TABLE_BEGIN}\n\n| new |\n\n{TABLE_END}\nrest é\n".encode()
    splice("| new |", readme)
    assert readme.read_bytes() == once


@pytest.mark.parametrize(
    "text",
    [
        "no marker",
        TABLE_BEGIN,
        TABLE_END,
        f"{TABLE_END}{TABLE_BEGIN}",
        f"{TABLE_BEGIN}{TABLE_BEGIN}{TABLE_END}",
        f"{TABLE_BEGIN}{TABLE_END}{TABLE_END}",
    ],
)
def test_splice_refuses_a_file_without_both_markers_once_in_order(tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(OptionError, match="table:begin"):
        splice("| new |", readme)
    assert readme.read_text() == text


def test_splice_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="No such file or directory; --into takes an existing Markdown") as caught:
        splice("| new |", tmp_path / "README.md")
    assert "Errno" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_read_build_takes_the_folder_or_the_file(make_build: MakeBuild, tmp_path: Path) -> None:
    (tmp_path / "build.json").write_text(to_json(make_build()))
    assert read_build(tmp_path) == read_build(tmp_path / "build.json") == make_build()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"command": 3}', "\x00\xff"])
def test_read_build_says_what_is_wrong_with_a_damaged_file(tmp_path: Path, damage: str) -> None:
    (tmp_path / "build.json").write_text(damage)
    with pytest.raises(ArtifactError, match=r"build\.json is damaged"):
        read_build(tmp_path)


def test_read_build_refuses_another_schema(make_build: MakeBuild, tmp_path: Path) -> None:
    (tmp_path / "build.json").write_text(to_json(make_build(schema_version=2)))
    with pytest.raises(ArtifactError, match=r"schema version 2 .*--rebuild"):
        read_build(tmp_path)


def test_int8_ranges_from_phantoms_are_said_where_nothing_else_rests_on_them(make_build: MakeBuild) -> None:
    assert "CALIBRATED ON PHANTOMS" in " ".join(remarks(make_build(calibrated_on="phantom", rests_on_phantoms=False)))
    for clean in (make_build(calibrated_on="phantom", rests_on_phantoms=True), make_build(calibrated_on=None)):
        assert "CALIBRATED" not in " ".join(remarks(clean))


def test_read_build_says_when_there_is_none(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ArtifactError, match="edgeseg build --out"):
            read_build(place)


def test_a_report_that_cannot_be_written_is_one_error(make_build: MakeBuild, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_report(make_build(), tmp_path / "file")


@pytest.mark.parametrize(
    ("size", "text"),
    [(518, "1 kB"), (517_952, "518 kB"), (999_499, "999 kB"), (999_500, "1.0 MB"), (372_600_000, "372.6 MB")],
)
def test_sizes_are_in_powers_of_1000(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(("times", "text"), [(None, "–"), (0.333, "0.3"), (9.94, "9.9"), (9.96, "10"), (719.4, "719")])
def test_ratios_keep_two_digits(times: float | None, text: str) -> None:
    assert times_text(times) == text


def test_the_remarks_say_that_the_operating_point_was_chosen_on_the_scored_patients(
    make_build: MakeBuild, choice: Choice
) -> None:
    said = choice.caveat(("P1", "P9"))
    assert said is not None
    assert "on 1 of these 2 patients" in said
    assert "each fold of the choice scored at what the others chose, Dice is 0.500 [0.400, 0.600], n = 2" in said
    assert choice.caveat(("P8", "P9")) is None
    assert said in remarks(make_build(operating_point=said))


def test_a_network_that_touches_no_lesion_is_named_but_not_on_phantoms(make_build: MakeBuild) -> None:
    build = make_build(rests_on_phantoms=False)
    assert not any("FINDS NOTHING" in remark for remark in remarks(build))
    scored = build.artifacts[0].evaluation
    assert scored is not None
    blind = replace(scored, patients=tuple(replace(one, lesions=2, lesions_found=0) for one in scored.patients))
    rows = (replace(build.artifacts[0], evaluation=blind), *build.artifacts[1:])
    (said,) = [remark for remark in remarks(replace(build, artifacts=rows)) if "FINDS NOTHING" in remark]
    assert said.startswith(f"FINDS NOTHING: {rows[0].variant} {rows[0].target} touches no lesion")
    phantoms = replace(build, artifacts=rows, rests_on_phantoms=True)
    assert not any("FINDS NOTHING" in remark for remark in remarks(phantoms))


def test_what_was_tried_within_the_budget_is_in_every_report(make_build: MakeBuild, budget: BudgetResult) -> None:
    build = make_build(budgets=(budget,))
    report = summarise(build)
    assert report.budgets == (budget,)
    text = whole_report(build)
    assert "## Tried for tflite-int8 within 0.005 Dice" in text
    assert "| 1 int8 (min-max) | 520 kB | 4.2 | +0.0090 | +0.0141 | rejected |" in text
    assert "| 3 int8 (min-max), head in float | 538 kB | 5.8 | +0.0012 | +0.0031 | taken |" in text
    told = rendered(report)
    assert "tflite-int8, tried on n = 4; budget 0.005 Dice" in told
    assert told.count(" rejected") == 2
    assert max(map(len, told.splitlines())) <= 80


def test_r2_stands_beside_the_baseline(make_build: MakeBuild) -> None:
    base = make_build().baseline
    assert base is not None
    r2 = replace(base, variant="r2unet", size_bytes=2 * base.size_bytes)
    build = make_build(r2=r2)
    assert "| r2unet with Adam's state, .hdf5 | " in whole_report(build)
    assert "| 0.5 | 0.2 |" in whole_report(build)
    told = rendered(summarise(build))
    assert any(line.startswith("r2unet ") for line in told.splitlines())
    assert max(map(len, told.splitlines())) <= 80
    assert "r2unet" not in whole_report(make_build())


def test_tables_call_a_network_by_its_name_with_the_slug_once(make_build: MakeBuild) -> None:
    build = make_build()
    named = replace(build, artifacts=tuple(replace(row, network="light") for row in build.artifacts))
    slug = build.artifacts[0].variant
    assert f"light ({slug}): " in rendered(summarise(named))
    table = markdown_table(summarise(named))
    assert "| light tflite-int8 |" in table
    assert f"| {slug} tflite-int8 |" not in table
    assert f"| {slug} tflite-int8 |" in markdown_table(summarise(build))
