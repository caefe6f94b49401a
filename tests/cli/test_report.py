from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseg.artifacts import read_build
from edgeseg.cli.main import main
from edgeseg.jsonio import from_json
from edgeseg.reports.summary import summarise
from edgeseg.reports.table import TABLE_BEGIN, TABLE_END
from edgeseg.results import Report

SYNTHETIC_BUILD = Path(__file__).parents[1] / "synthetic" / "build.json"


@pytest.fixture
def build_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    folder.mkdir()
    shutil.copy(SYNTHETIC_BUILD, folder / "build.json")
    return folder


@pytest.fixture
def artifact(tiny_onnx: Callable[..., Path]) -> Path:
    return tiny_onnx()


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


def test_report_prints_a_table_of_80_columns(build_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", build_dir) == 0
    out, err = capsys.readouterr()
    assert "tflite-int8" in out
    assert max(map(len, out.splitlines())) <= 80
    assert err == ""


def test_report_json_is_the_summary_and_nothing_else(
    build_dir: Path, capsys: pytest.CaptureFixture[str], check_schema: Callable[[str, str], None]
) -> None:
    assert run("report", build_dir, "--json") == 0
    told = capsys.readouterr().out
    assert from_json(Report, told) == summarise(read_build(build_dir))
    check_schema("report", told)


def test_report_writes_markdown_and_splices_the_table(build_dir: Path, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"# x\n{TABLE_BEGIN}\n{TABLE_END}\n")
    assert run("report", build_dir, "--markdown", tmp_path / "r.md", "--into", readme) == 0
    assert "## By institution" in (tmp_path / "r.md").read_text()
    assert "tflite-int8" in readme.read_text()
    assert "## By institution" not in readme.read_text()


@pytest.mark.parametrize("text", [None, "", "{", '{"command": 1}'])
def test_a_damaged_or_missing_build_is_one_line_and_exit_code_2(
    tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "build.json").write_text(text)
    assert run("report", tmp_path) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "build.json" in err


def test_schema_prints_one_and_the_names_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    names = capsys.readouterr().out.split()
    assert {"build", "report", "bench", "check"} <= set(names)
    assert run("schema", "build") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "BuildResult"
    assert run("schema", "biuld") == 2
    assert "Did you mean 'build'" in capsys.readouterr().err


def test_a_readme_without_markers_stays_as_it_is(
    build_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("mine")
    assert run("report", build_dir, "--into", readme) == 2
    assert "table:begin" in capsys.readouterr().err
    assert readme.read_text() == "mine"


def test_a_report_that_fails_in_one_file_writes_none(
    build_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    markdown, csv, html, folder = (tmp_path / name for name in ("a.md", "a.csv", "a.html", "folder"))
    folder.mkdir()
    for failing in (
        ("--html", html, "--pictures", tmp_path / "none"),
        ("--html", folder),
        ("--into", tmp_path / "no.md"),
    ):
        assert run("report", build_dir, "--markdown", markdown, "--csv", csv, *failing) == 2
        assert "error: " in capsys.readouterr().err
        assert not any(path.exists() for path in (markdown, csv, html))


def test_claims_writes_the_page_with_its_inputs(
    build_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "claims.md"
    assert run("claims", "--build", build_dir, "--no-r2", "--out", page) == 0
    assert capsys.readouterr().out == f"{page}\n"
    text = page.read_text()
    assert "R2U-Net was not timed" in text
    assert "build.json of the build: sha256 " in text
    assert str(tmp_path) not in text


def test_claims_json_holds_each_claim_beside_its_figure(
    build_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "claims.md"
    assert run("claims", "--build", build_dir, "--no-r2", "--out", page, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["page"] == str(page)
    assert len(told["claims"]) == 5
    assert all(entry["measured"] in page.read_text() for entry in told["claims"])


def test_claims_of_a_folder_that_holds_no_data_writes_nothing(build_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    page = tmp_path / "claims.md"
    assert run("claims", "--build", build_dir, "--data", tmp_path / "empty", "--no-r2", "--out", page) == 2
    assert not page.exists()


def test_reading_a_report_loads_no_network_library(build_dir: Path) -> None:
    code = (
        "import sys\nfrom edgeseg.cli.main import main\n"
        f"try:\n    main(['report', {str(build_dir)!r}, '--json'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'tensorflow', 'keras', 'onnxruntime', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("of", ["baseline", "weights", "artifact"])
def test_a_build_whose_files_hold_nothing_is_damaged(
    of: str, build_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = build_dir / "build.json"
    told = json.loads(path.read_text())
    place = told["artifacts"][-1] if of == "artifact" else told["baseline"]
    place["weights_size_bytes" if of == "weights" else "size_bytes"] = 0
    path.write_text(json.dumps(told))
    assert run("report", build_dir) == 2
    assert f"{path} is damaged" in capsys.readouterr().err
