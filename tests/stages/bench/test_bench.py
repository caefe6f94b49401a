"""`edgeseg bench` on models of one convolution; no test says how long anything may take."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeseg.cli.main import main
from edgeseg.errors import ArtifactError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.reports.bench import short_names
from edgeseg.results import BenchCell, BenchDevice, BenchResult, GemmRate, SpeedRatio, Sustained
from edgeseg.stages.bench import alone as bench_child
from edgeseg.stages.bench.bench import BenchSpec, bench, speed_ratio, sustained
from edgeseg.stages.bench.emulation import emulator
from edgeseg.workers.gemm import best_seconds
from edgeseg.workers.solo import SoloJob, SoloResult, resident

stage = importlib.import_module("edgeseg.stages.bench.bench")  # the file, not the function that the room names alike

TINY_MACS = 16 * 24 * 3


@pytest.fixture(autouse=True)
def quick_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phantom takes seconds to draw, and nothing here depends on what is in the slice."""
    images = np.zeros((4, 16, 16, 3), np.uint8)
    monkeypatch.setattr("edgeseg.stages.bench.latency.phantom_images", lambda *, seed: images)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


def test_files_and_peers_are_measured_at_every_number_of_threads(
    tiny_onnx: Callable[..., Path], tiny_tflite: Callable[..., Path]
) -> None:
    files = (tiny_onnx(), tiny_tflite(), tiny_tflite("peer.tflite", None, int8=True))
    spec = BenchSpec(files=files, threads=(1, 2), runs=6, warmup=2, references=(files[0],), volume=7)
    result = bench(spec)
    assert [(Path(c.file).name, c.threads) for c in result.cells] == [(f.name, t) for f in files for t in (1, 2)]
    assert [rate.threads for rate in result.gemm] == [1, 2]
    for cell in result.cells:
        assert (cell.runs, cell.warmup_runs, cell.macs) == (6, 2, TINY_MACS)
        assert cell.min_ms <= cell.p50_ms <= cell.p90_ms <= cell.p95_ms <= cell.p99_ms
        peer = Path(cell.file).name == "peer.tflite"
        assert (cell.has_contract, cell.target is None) == (not peer, peer)
        assert cell.load_ms is not None
        assert cell.first_ms is not None
        assert cell.peak_rss_bytes is not None
        assert cell.idle_rss_bytes is not None
        assert 1e6 < cell.idle_rss_bytes <= cell.peak_rss_bytes < 2e9
        assert cell.gemm_share is not None
        assert cell.macs_per_s == pytest.approx(TINY_MACS / cell.p50_ms * 1e3)
        assert [r.reference for r in cell.ratios] == ([] if cell.file == str(files[0]) else [str(files[0])])
        assert all(r.pairs == 6 for r in cell.ratios)
        assert cell.sustained is not None
        assert (cell.sustained.slices, len(cell.sustained.ms_per_slice)) == (7, 7)
        assert (cell.sustained.post_processing_ms is None) == peer
    assert result.device.emulator is None
    assert result.device.versions["onnxruntime"]
    assert from_json(BenchResult, to_json(result)) == result


def test_a_ratio_is_of_medians_over_the_rounds_that_both_ran() -> None:
    found = speed_ratio([1.0, 2.0, 3.0, 4.0, 5.0, 99.0, 99.0], [30.0] * 5, "ref", seed=0)
    assert (found.times, found.pairs, found.reference) == (10.0, 5, "ref")
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 10.0 <= found.high
    assert 30 / 5 <= found.low < found.high <= 30 / 1
    few = speed_ratio([1.0] * 4, [2.0] * 9, "ref", seed=0)
    assert (few.times, few.low, few.high, few.pairs) == (2.0, None, None, 4)


def test_a_volume_is_summed_up_in_thirds_and_tenths() -> None:
    seconds = (1.0,) * 10 + (2.0,) * 10 + (3.0,) * 10
    alone = SoloResult(load_s=1, first_s=1, idle_rss_bytes=1, peak_rss_bytes=7, seconds=seconds, post_processing_s=0.5)
    found = sustained(alone)
    assert (found.first_third_ms, found.last_third_ms, found.drift) == (1e3, 3e3, 2.0)
    assert found.total_s == pytest.approx(60.5)
    assert found.ms_per_slice == pytest.approx((1e3,) * 3 + (4e3 / 3,) + (2e3,) * 2 + (7e3 / 3,) + (3e3,) * 3, rel=0.3)
    assert len(found.ms_per_slice) == 10
    assert found.peak_rss_bytes == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--runs", "0"), "runs is 0"),
        (("--warmup", "0"), "warmup is 0"),
        (("--threads", "0"), "threads is 0"),
        (("--threads", "1,1"), "once"),
        (("--threads", "two"), "threads is 'two'"),
        (("--budget-s", "0"), "positive"),
        (("--volume", "2"), "at least 3"),
        (("--seed", "-1"), "seed is -1"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    tiny_onnx: Callable[..., Path], options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("bench", tiny_onnx(), *options) == 2
    assert message in capsys.readouterr().err


def test_a_file_that_cannot_be_opened_is_named(
    tiny_onnx: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = tiny_onnx()
    (tmp_path / "damaged.onnx").write_bytes(artifact.read_bytes()[:60])
    tiny_onnx("newer.onnx", '{"schema_version": 99}')
    for name in ("absent.onnx", "damaged.onnx", "newer.onnx", "picture.png"):
        assert run("bench", artifact, tmp_path / name) == 2
        err = capsys.readouterr().err
        assert name in err
        assert err.count("\n") == 1
    assert run("bench", artifact, artifact) == 2
    assert "twice" in capsys.readouterr().err


def test_a_peer_with_an_open_shape_is_refused(tmp_path: Path, tiny_onnx: Callable[..., Path]) -> None:
    import onnx

    model = onnx.load(str(tiny_onnx(contract=None)))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    onnx.save(model, str(tmp_path / "open.onnx"))
    with pytest.raises(ArtifactError, match="only the batch may be left open"):
        bench(BenchSpec(files=(tmp_path / "open.onnx",)))


def test_tables_and_json(
    tiny_onnx: Callable[..., Path], capsys: pytest.CaptureFixture[str], check_schema: Callable[[str, str], None]
) -> None:
    artifact, peer = tiny_onnx(), tiny_onnx("peer.onnx", None)
    options = ("--runs", "5", "--warmup", "1", "--volume", "3", "--reference", artifact)
    assert run("bench", peer, *options) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80
    for head in ("p50 ms", "p99 ms", "of GEMM", "peak MB", "first ms", "times as fast", "drift"):
        assert head in out
    assert sum(line.startswith(f"{artifact.name} ") for line in out.splitlines()) == 3
    assert "without a contract, fed random numbers: peer.onnx" in out
    assert run("bench", peer, *options, "--json") == 0
    text = capsys.readouterr().out
    check_schema("bench", text)
    told = json.loads(text)
    assert told["schema_version"] == 1
    assert [Path(cell["file"]).name for cell in told["cells"]] == ["peer.onnx", "tiny.onnx"]
    assert told["cells"][0]["runtime"].startswith("onnxruntime")


def test_files_whose_arithmetic_was_not_counted_are_named(
    tiny_onnx: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    room = importlib.import_module("edgeseg.stages.bench.bench")  # the file, not the function of the same name
    monkeypatch.setattr(room, "count_macs", lambda _: None)
    assert run("bench", tiny_onnx(), "--runs", "2", "--warmup", "1") == 0
    assert "those of tiny.onnx were not counted" in " ".join(capsys.readouterr().out.split())


def test_under_an_emulator_no_time_is_called_a_latency(
    tiny_onnx: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeseg.stages.bench.device.emulator", lambda: "qemu-aarch64")
    artifact = tiny_onnx()
    assert run("bench", artifact, "--runs", "1", "--warmup", "1") == 2
    assert "runs under qemu-aarch64" in capsys.readouterr().err
    assert run("bench", artifact, "--runs", "1", "--warmup", "1", "--emulated") == 0
    out = capsys.readouterr().out
    assert "NO LATENCY: run under qemu-aarch64" in out
    assert "wall time under" in out
    assert "one slice  " not in out


@pytest.mark.parametrize(
    ("comm", "exe", "cpu", "machine", "found"),
    [
        ("python3", "python3.11", "model name : Intel\nvendor_id : GenuineIntel", "x86_64", None),
        ("python3", "python3.11", "CPU implementer : 0x41", "aarch64", None),
        ("python3", "python3.11", "model name : QEMU Virtual CPU version 2.5+", "x86_64", None),
        ("qemu-aarch64", "python3.11", "", "aarch64", "qemu-aarch64"),
        ("python3", "qemu-aarch64-static", "", "aarch64", "qemu-aarch64-static"),
        ("python3", "python3.11", "model name : QEMU TCG CPU version 2.5+", "x86_64", "a QEMU TCG CPU"),
        ("python3", "python3.11", "vendor_id : AuthenticAMD", "aarch64", "an emulator on x86"),
    ],
)
def test_signs_of_an_emulator(comm: str, exe: str, cpu: str, machine: str, found: str | None, tmp_path: Path) -> None:
    for folder in ("self", "thread-self"):
        (tmp_path / folder).mkdir()
    (tmp_path / "self" / "comm").write_text(f"{comm}\n")
    (tmp_path / "thread-self" / "exe").symlink_to(f"/usr/bin/{exe}")
    (tmp_path / "cpuinfo").write_text(cpu)
    assert emulator(tmp_path, machine=machine) == found
    assert emulator(tmp_path / "nothing", machine="x86_64") is None


def test_memory_is_read_in_bytes_and_absent_where_the_system_does_not_tell(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\n")
    assert (resident("VmHWM", tmp_path / "status"), resident("VmRSS", tmp_path / "status")) == (2 << 20, 1 << 20)
    assert resident("VmHWM", tmp_path / "absent") is None


def test_the_best_product_counts() -> None:
    ticks = iter([0.0, 0.0, 3.0, 3.0, 4.0, 4.0, 9.0, 9.0, 11.0, 11.0, 12.5, 12.5])
    assert best_seconds(lambda: next(ticks), side=2) == (1.0, 5)


def test_a_model_that_fails_alone_is_one_clear_error(tmp_path: Path) -> None:
    np.save(tmp_path / "slice.npy", np.zeros((1, 4, 4, 3), np.uint8))
    job = SoloJob(model=str(tmp_path / "absent.onnx"), threads=1, slices=str(tmp_path / "slice.npy"))
    with pytest.raises(ArtifactError, match=r"absent\.onnx: the model does not exist"):
        bench_child.run_alone(job)


def test_names_are_short_and_unlike() -> None:
    assert short_names(["a/b/x.onnx", "a/c/y.onnx"]) == {"a/b/x.onnx": "x.onnx", "a/c/y.onnx": "y.onnx"}
    assert short_names(["a/b/x.onnx", "a/c/x.onnx"]) == {"a/b/x.onnx": "b/x.onnx", "a/c/x.onnx": "c/x.onnx"}


def test_a_reference_must_run_in_the_same_rounds() -> None:
    with pytest.raises(OptionError, match="not among the files"):
        BenchSpec(files=(Path("a.onnx"),), references=(Path("b.onnx"),))


def test_the_page_names_every_field() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "bench.md").read_text()
    kinds = (BenchResult, BenchCell, BenchDevice, GemmRate, SpeedRatio, Sustained)
    assert {f.name for kind in kinds for f in dataclasses.fields(kind) if f"`{f.name}`" not in page} == set()
