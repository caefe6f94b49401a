"""A model whose weights lie in a file of their own: all of it counts, and what is missing of it is said."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseg.artifacts import sha256_file
from edgeseg.errors import ArtifactError, ContractError
from edgeseg.jsonio import to_json
from edgeseg.runtime import Segmenter
from edgeseg.runtime.contract import contract_text, read_contract
from edgeseg.runtime.model_files import model_files, model_sha256, model_size_bytes
from edgeseg.runtime.seal import reserved_text, seal
from edgeseg.specs import Contract
from edgeseg.stages.inspect import contract_template, inspect

Write = Callable[..., Path]


@pytest.fixture
def split(foreign_onnx: Write) -> Path:
    """A graph, and its weights in `w.data`."""
    return foreign_onnx("p.onnx", save_as_external_data=True, location="w.data", size_threshold=0)


def test_one_file_keeps_its_plain_digest(foreign_onnx: Write, tiny_tflite: Write, tmp_path: Path) -> None:
    for path in (foreign_onnx(), tiny_tflite()):
        assert model_files(path) == (path,)
        assert (model_sha256(path), model_size_bytes(path)) == (sha256_file(path), path.stat().st_size)


def test_size_and_digest_are_over_all_files(split: Path) -> None:
    data = split.with_name("w.data")
    assert model_files(split) == (split, data)
    before = model_sha256(split)
    assert before == hashlib.sha256(f"{sha256_file(split)}\n{sha256_file(data)}\n".encode()).hexdigest()
    found = inspect(split)
    assert found.size_bytes == split.stat().st_size + data.stat().st_size
    assert found.structure_bytes >= 0
    assert sum(weights.size_bytes for weights in found.graph.weights) == 16
    assert found.weight_files == ("w.data",)
    assert found.sha256 == before
    data.write_bytes(bytes(data.stat().st_size))
    assert model_sha256(split) != before


def test_other_weights_are_not_those_that_the_contract_was_written_for(split: Path, tmp_path: Path) -> None:
    told = tmp_path / "contract.json"
    told.write_text(contract_template(inspect(split))[0])
    Segmenter.load(split, contract=told)
    data = split.with_name("w.data")
    data.write_bytes(bytes(data.stat().st_size))
    with pytest.raises(ContractError, match="another"):
        Segmenter.load(split, contract=told)


def test_a_seal_covers_the_weights(split: Path, tiny_contract: Contract) -> None:
    import onnx

    model = onnx.load(str(split), load_external_data=False)
    onnx.helper.set_model_props(model, {"edgeseg.contract": reserved_text(tiny_contract)})
    split.write_bytes(model.SerializeToString())
    text = contract_text(split)
    assert text is not None
    split.write_bytes(seal(split.read_bytes(), text, tiny_contract))
    with pytest.raises(ArtifactError, match="graph or weights are not those"):
        read_contract(split)


def test_data_in_a_subgraph_is_found(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    tensor = TensorProto(name="w", data_type=1, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "deep.data"), ("offset", "4"), ("length", "8")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    inner = helper.make_graph([], "inner", [], [], [tensor])
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    save(helper.make_model(helper.make_graph([node], "outer", [], [])), str(tmp_path / "m.onnx"))
    with pytest.raises(ArtifactError, match=r"'deep.data', and there is no such file"):
        model_files(tmp_path / "m.onnx")
    (tmp_path / "deep.data").write_bytes(bytes(11))
    with pytest.raises(ArtifactError, match="11 bytes of 12"):
        model_files(tmp_path / "m.onnx")
    (tmp_path / "deep.data").write_bytes(bytes(12))
    assert model_files(tmp_path / "m.onnx")[1:] == (tmp_path / "deep.data",)


def _point(model: Path, location: str) -> None:
    import onnx

    graph = onnx.load(str(model), load_external_data=False)
    for tensor in graph.graph.initializer:
        tensor.external_data[0].value = location
    model.write_bytes(graph.SerializeToString())


@pytest.mark.parametrize(
    ("location", "told"),
    [("../w.data", "not beside it"), ("/etc/hostname", "not beside it"), ("", "not beside it"), (".", "no such file")],
)
def test_weights_elsewhere_are_refused(split: Path, tiny_contract: Contract, location: str, told: str) -> None:
    _point(split, location)
    given = split.with_name("contract.json")
    given.write_text(to_json(tiny_contract))
    with pytest.raises(ArtifactError, match=told):
        Segmenter.load(split, contract=given)
    with pytest.raises(ArtifactError, match=told):
        inspect(split)


@pytest.mark.parametrize(("harm", "told"), [("gone", "no such file"), ("short", "cut short"), ("link", "is a link")])
def test_weights_that_are_not_whole_are_one_clear_error(split: Path, harm: str, told: str, tmp_path: Path) -> None:
    data = split.with_name("w.data")
    content = data.read_bytes()
    data.unlink()
    if harm == "short":
        data.write_bytes(content[:-1])
    if harm == "link":
        (tmp_path / "other").write_bytes(content)
        data.symlink_to(tmp_path / "other")
    with pytest.raises(ArtifactError, match=told):
        read_contract(split)


def test_every_truncation_of_the_graph_is_one_clear_error(split: Path) -> None:
    content = split.read_bytes()
    for end in range(len(content)):
        split.write_bytes(content[:end])
        try:
            model_files(split)
        except ArtifactError as error:
            assert split.name in str(error)  # noqa: PT017 - what is cut between two fields has no fault of its own
