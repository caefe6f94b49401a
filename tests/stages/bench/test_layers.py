"""`edgeseg bench --layers` on models of a convolution or two; no test says how long anything may take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseg.cli.main import main
from edgeseg.errors import ArtifactError, OptionError
from edgeseg.jsonio import from_json
from edgeseg.results import LayersResult
from edgeseg.stages.bench import LayersSpec, bench_device, bench_layers
from edgeseg.stages.bench.lanes import Lanes, lanes
from edgeseg.stages.bench.profiled import operations
from edgeseg.stages.bench.truncated import cut_behind
from edgeseg.targets.macs import Cost, costs_by_name

TINY_MACS = 16 * 24 * 3


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize(("kind", "method"), [("onnx", "profile"), ("tflite", "truncated")])
def test_every_operation_has_its_time_its_arithmetic_and_its_limits(
    kind: str, method: str, tiny_onnx: Callable[..., Path], tiny_tflite: Callable[..., Path]
) -> None:
    path = tiny_onnx() if kind == "onnx" else tiny_tflite()
    found = bench_layers(LayersSpec(file=path, runs=5, warmup=1), bench_device(emulated=False))
    assert (found.method, found.runs, found.threads) == (method, 5, 1)
    assert sum(layer.macs or 0 for layer in found.layers) == TINY_MACS
    assert sum(layer.share for layer in found.layers) == pytest.approx(1.0)
    for layer in found.layers:
        assert layer.ms >= 0
        assert layer.bytes_moved > 0
        assert layer.memory_ms == pytest.approx(layer.bytes_moved / found.copy_bytes_per_s * 1e3)
    (conv,) = [layer for layer in found.layers if layer.macs]
    assert conv.lanes_filled is not None
    assert conv.lanes_filled == pytest.approx(Lanes(given=found.channels_out, taken=found.channels_in).filled(3, 1))
    assert conv.arithmetic_ms == pytest.approx(TINY_MACS / found.gemm.macs_per_s * 1e3)


def test_the_command_prints_a_table_or_json(
    tiny_tflite: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny_tflite(int8=True)
    assert run("bench", "--layers", path, "--threads", 1, "--runs", 2, "--warmup", 1, "--json") == 0
    told = capsys.readouterr().out
    found = from_json(LayersResult, told)
    assert json.loads(told)["method"] == "truncated"
    assert run("bench", "--layers", path, "--threads", 1, "--runs", 2, "--warmup", 1) == 0
    table = capsys.readouterr().out
    assert all(layer.name[:10] in table for layer in found.layers)
    assert "the graph cut behind each operation" in " ".join(table.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--threads", "1,2"), "1 files and 2 numbers of threads were given; --layers takes one of each"),
        (("--threads", 1, "--volume", 3), "--layers goes with none of --reference"),
        (("--threads", 1, "--runs", 0), "runs is 0; at least 1"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: tuple[object, ...], said: str, tiny_tflite: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("bench", "--layers", tiny_tflite(), *options) == 2
    told = capsys.readouterr()
    assert said in " ".join(told.err.split())
    assert told.out == ""


def test_what_cannot_be_taken_apart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"cannot be taken apart; --layers takes one of: \.onnx, \.ort, \.tflite"):
        LayersSpec(file=tmp_path / "model.hdf5")
    with pytest.raises(ArtifactError, match="is no file"):
        bench_layers(LayersSpec(file=tmp_path / "absent.onnx"), bench_device(emulated=False))
    for suffix in (".onnx", ".tflite"):
        broken = tmp_path / f"broken{suffix}"
        broken.write_bytes(b"no model")
        with pytest.raises(ArtifactError, match=r"broken\."):
            bench_layers(LayersSpec(file=broken, runs=1, warmup=1), bench_device(emulated=False))


def test_a_truncated_graph_gives_what_its_last_operation_gives(tiny_tflite: Callable[..., Path]) -> None:
    from ai_edge_litert import schema_py_generated as schema

    data = tiny_tflite(int8=True).read_bytes()
    whole = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0)).subgraphs[0]
    for index, step in enumerate(whole.operators):
        part = schema.ModelT.InitFromObj(schema.Model.GetRootAs(cut_behind(data, index), 0)).subgraphs[0]
        assert len(part.operators) == index + 1
        assert list(part.outputs) == list(step.outputs)


def event(name: str, kind: str, micros: int, given: list[int], taken: list[dict[str, list[int]]]) -> dict[str, object]:
    told = {"op_name": kind, "node_index": name, "output_type_shape": [{"int8": given}], "input_type_shape": taken}
    return {"cat": "Node", "name": f"{name}_kernel_time", "dur": micros, "args": told}


def test_a_profile_counts_the_last_runs_and_knows_the_nodes_that_the_runtime_renamed() -> None:
    node = [event("7_Conv_token_3", "QLinearConv", t, [1, 4, 4, 8], [{"int8": [1, 4, 4, 3]}]) for t in (99, 5, 7)]
    move = [event("Transpose_1", "Transpose", 1, [1, 4, 4, 3], [{"int8": [1, 3, 4, 4]}]) for _ in range(3)]
    costs = {"7_Conv": Cost(macs=384, channels=(3, 8)), "7": Cost(macs=1, channels=None)}
    conv, other = operations([*node, *move, {"cat": "Session", "name": "run"}], costs, runs=2)
    assert (conv.seconds, conv.macs, conv.channels) == ((5e-6, 7e-6), 384, (3, 8))
    assert (conv.arithmetic, conv.bytes_moved) == ("int8", 4 * 4 * 8 + 4 * 4 * 3)
    assert (other.macs, other.channels) == (0, None)
    with pytest.raises(ArtifactError, match="less than 4 times"):
        operations(node, {}, runs=4)


def test_lanes_are_those_of_the_widest_vectors_that_the_processor_names(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    for words, wanted in (
        ("flags : avx2 avx512f amx_int8", Lanes(given=16, taken=64)),
        ("flags : avx2 avx512f", Lanes(given=16, taken=4)),
        ("Features : asimd asimddp", Lanes(given=4, taken=4)),
        ("", Lanes(given=4, taken=2)),
    ):
        info.write_text(words)
        assert lanes("int8", info) == wanted
    assert Lanes(given=16, taken=4).filled(3, 8) == pytest.approx(0.375)
    assert Lanes(given=16, taken=64).filled(64, 32) == 1.0


def test_a_convolution_that_takes_its_activation_along_keeps_its_arithmetic(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["sum"], name="0_Conv", pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["sum"], ["positive"], name="1_Relu"),
        ],
        "net",
        [value("x", TensorProto.FLOAT, [1, 3, 4, 4])],
        [value("positive", TensorProto.FLOAT, [1, 8, 4, 4])],
        [helper.make_tensor("w", TensorProto.FLOAT, [8, 3, 3, 3], [0.0] * (8 * 3 * 9))],
    )
    save(helper.make_model(graph), str(path := tmp_path / "model.onnx"))
    costs = costs_by_name(path)
    assert costs["positive"] == costs["0_Conv"] == Cost(macs=4 * 4 * 8 * 3 * 9, channels=(3, 8))
    (fused,) = operations([event("positive_nchwc", "Conv", 5, [1, 16, 4, 4], [])], costs, runs=1)
    assert fused.channels == (3, 8)
