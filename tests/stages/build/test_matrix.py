"""Several variants, and cells that fail."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg import artifacts, networks
from edgeseg.checkpoint import read_checkpoint, write_checkpoint
from edgeseg.errors import ArtifactError, CheckpointError, ImageError, OptionError, OutputError
from edgeseg.reports.build import terminal, whole_report
from edgeseg.reports.summary import summarise
from edgeseg.results import REFERENCE, BuildResult
from edgeseg.specs import BuildSpec, VariantSpec
from edgeseg.stages.build.cells import Attempts, Cell
from edgeseg.stages.build.inputs import with_name
from edgeseg.stages.build.matrix import every_variant, merged
from edgeseg.stages.build.rows import failures
from edgeseg.targets import TARGETS

MakeBuild = Callable[..., BuildResult]


@pytest.fixture
def spec(tmp_path: Path) -> BuildSpec:
    return BuildSpec(variant=VariantSpec(), targets=("all",), out=tmp_path / "build")


def fail(error: Exception) -> Callable[[], Cell]:
    def make() -> Cell:
        raise error

    return make


def test_every_variant_is_what_ships(spec: BuildSpec) -> None:
    found = every_variant(spec, ())
    assert sorted(one.network for one in found) == sorted(networks.names()) != []
    ranks = [
        (made.record.for_comparison, -made.weights.stat().st_size)
        for made in (networks.get(one.network) for one in found)
    ]
    assert ranks == sorted(ranks)
    assert all(one.checkpoint is None and one.targets == ("all",) for one in found)


def test_every_variant_is_what_the_given_runs_hold(spec: BuildSpec, tiny_checkpoint: Path) -> None:
    (one,) = every_variant(spec, (tiny_checkpoint,))
    assert (one.variant, one.checkpoint) == (read_checkpoint(tiny_checkpoint).header.variant, tiny_checkpoint)


def test_two_runs_of_one_variant_are_refused(spec: BuildSpec, tiny_checkpoint: Path) -> None:
    with pytest.raises(OptionError, match=r"both hold weights of alphax-0.0625-half; .* leave one of them out"):
        every_variant(spec, (tiny_checkpoint, tiny_checkpoint))


def test_nothing_to_build_is_refused(spec: BuildSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "shipped", lambda *_: tmp_path / "none")
    with pytest.raises(CheckpointError, match="give runs with --from"):
        every_variant(spec, ())


def test_a_cell_that_fails_says_where_and_is_left_alone_afterwards() -> None:
    told: list[tuple[str, str]] = []
    attempts = Attempts(lambda step, reason: told.append((step, reason)))
    cell = Cell(target=TARGETS["onnx-int8"])
    made = attempts.extend(cell, "convert", lambda cell: replace(cell, path=Path("made")))
    assert (made.file, made.failure) == (Path("made"), None)
    broken = attempts.extend(made, "verify", lambda _: fail(RuntimeError("no kernel\nfor it"))())
    assert broken == replace(made, failure="FAILED: verify: RuntimeError: no kernel for it")
    assert attempts.extend(broken, "evaluate", lambda _: fail(AssertionError("not reached"))()) is broken
    other = Cell(target=TARGETS["tflite-int8"])
    other = attempts.extend(other, "convert", lambda _: fail(ArtifactError("it holds 1 x TRANSPOSE"))())
    assert (other.path, other.failure) == (None, "FAILED: convert: it holds 1 x TRANSPOSE")
    assert told[0] == ("verify onnx-int8", "RuntimeError: no kernel for it")


@pytest.mark.parametrize("error", [OutputError("full"), ImageError("damaged"), OptionError("bad")])
def test_bad_input_and_a_full_disk_are_no_cells_fault(error: Exception) -> None:
    with pytest.raises(type(error)):
        Attempts().attempt("onnx-int8", "convert", fail(error))


def test_the_reference_cannot_fail_alone() -> None:
    with pytest.raises(RuntimeError, match="no Keras"):
        Attempts().attempt(REFERENCE, "evaluate", fail(RuntimeError("no Keras")))
    with pytest.raises(KeyboardInterrupt):
        Attempts().attempt("onnx-int8", "convert", fail(KeyboardInterrupt()))  # type: ignore[arg-type]


def with_failed_row(make_build: MakeBuild) -> BuildResult:
    build = make_build()
    broken = replace(
        build.artifacts[-1],
        path="", sha256="", size_bytes=0, gzip_size_bytes=0, parity=None, evaluation=None, latency=None,
        dice_delta_to_float=None, status="FAILED: convert: it holds 1 x TRANSPOSE",
    )  # fmt: skip
    return replace(build, artifacts=(*build.artifacts[:-1], broken))


def test_a_failed_row_shows_its_status_and_dashes(make_build: MakeBuild) -> None:
    from rich.console import Console

    build = with_failed_row(make_build)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal(summarise(build)))
    text = console.export_text()
    name = build.artifacts[-1].target
    assert f"{name}: FAILED: convert: it holds 1 x TRANSPOSE" in " ".join(text.split())
    (line,) = [line for line in whole_report(build).splitlines() if f" {name} |" in line and "FAILED" in line]
    assert line.count("\N{EN DASH}") >= 6
    assert failures(build)[0] == f"{build.artifacts[-1].artifact} convert: it holds 1 x TRANSPOSE"
    main = build.main
    assert main is None or main.target != name


def test_parts_become_one_result_with_all_rows(make_build: MakeBuild) -> None:
    one = make_build()
    other = make_build(
        weights="another, trained on 2 patients of phantom",
        weights_sha256="1",
        rests_on_phantoms=True,
        calibrated_on="phantom",
        artifacts=tuple(replace(row, variant="unet-1-full") for row in one.artifacts),
    )
    assert merged((one,)) is one
    both = merged((one, other))
    assert both.artifacts == (*one.artifacts, *other.artifacts)
    assert both.weights == f"{one.weights}; {other.weights}"
    assert (both.rests_on_phantoms, both.calibrated_on) == (True, "phantom")
    assert both.weights_sha256 not in (one.weights_sha256, other.weights_sha256)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("tflite-int8", "Take tflite-fp16"),
        ("ort-int8", "Take ort-fp32"),
        ("onnx-dynamic", "Take onnx-fp16"),
        ("onnx-fp16", ""),
    ],
)
def test_an_integer_file_that_flips_too_many_pixels_names_what_to_take(
    make_build: MakeBuild, target: str, said: str
) -> None:
    build = make_build()
    row = next(row for row in build.artifacts if row.parity is not None)
    assert row.parity is not None
    failed = replace(row, target=target, parity=replace(row.parity, passed=False))
    (sentence,) = failures(replace(build, artifacts=(failed,)))
    assert said in sentence
    assert ("Take" in sentence) == bool(said)
    assert ("mse" in sentence) == (target in ("tflite-int8", "ort-int8"))


def test_a_build_knows_the_name_of_the_weights_it_takes(
    spec: BuildSpec, tiny_checkpoint: Path, own_network: Callable[[str], Path], tmp_path: Path
) -> None:
    assert with_name(spec).label == "light"
    assert with_name(replace(spec, variant=VariantSpec(alpha=0.25))).label == "alphax-0.25-half"
    given = replace(spec, checkpoint=tiny_checkpoint, variant=read_checkpoint(tiny_checkpoint).header.variant)
    assert with_name(given).label == "alphax-0.0625-half"
    own_network("mine")
    assert with_name(given).label == "mine"
    checkpoint = read_checkpoint(tiny_checkpoint)
    called = replace(checkpoint.header, name="trained")
    path = write_checkpoint(tmp_path / "other" / "weights.safetensors", called, checkpoint.arrays)
    assert with_name(replace(given, checkpoint=path)).label == "trained"
