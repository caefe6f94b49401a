from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeseg.checkpoint import read_checkpoint
from edgeseg.errors import ArtifactError, ContractError, OptionError, OutputError
from edgeseg.foreign import ForeignContract, OnnxGraph, keras_network, of_artifact
from edgeseg.foreign import network as foreign_network
from edgeseg.jsonio import from_json, to_json
from edgeseg.results.imported import ImportResult
from edgeseg.specs import BuildSpec, Contract, OperatingPoint, PostProcessing
from edgeseg.stages.adopt import adopt, ask, name_of, original_of
from edgeseg.stages.adopt.parity import NOT_THE_SAME
from edgeseg.stages.build import build
from edgeseg.stages.predict import checkpoint_contract, checkpoint_predictor, network_of
from edgeseg.targets.graph import GraphNetwork
from tests.foreign._keras_networks import SIDE, images, saved, unet, values
from tests.foreign._onnx_networks import convolution


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_run_holds_the_network_its_file_and_what_was_found(tmp_path: Path) -> None:
    model = unet(keras)
    file = saved(model, tmp_path / "Their U-Net.keras")
    result = adopt(file, tmp_path / "run")
    assert result.network == "their-u-net"
    assert (result.head, result.height, result.parity.passed) == ("sigmoid", SIDE, True)
    assert from_json(ImportResult, (tmp_path / "run" / "import.json").read_bytes()) == result
    assert (tmp_path / "run" / "source" / file.name).read_bytes() == file.read_bytes()
    checkpoint = read_checkpoint(tmp_path / "run")
    logits = values(network_of(checkpoint), images())
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), values(model, images()), atol=1e-6)
    contract = checkpoint_contract(checkpoint.header, "onnx-int8")
    assert (contract.target, contract.layout, contract.variant.slug) == ("onnx-int8", "NCHW", "their-u-net")


def test_equal_files_give_equal_runs(tmp_path: Path) -> None:
    file = saved(unet(keras), tmp_path / "net.h5")
    for run in ("a", "b"):
        adopt(file, tmp_path / run)
    assert len({(tmp_path / run / "weights.safetensors").read_bytes() for run in ("a", "b")}) == 1


def test_the_file_in_a_run_is_the_one_that_was_imported(tmp_path: Path) -> None:
    adopt(saved(unet(keras), tmp_path / "net.keras"), tmp_path / "run")
    saved(unet(keras, up="nearest"), tmp_path / "run" / "source" / "net.keras")
    with pytest.raises(ArtifactError, match="no longer the file that was imported"):
        original_of(read_checkpoint(tmp_path / "run"))


def test_a_contract_says_what_the_file_does_not(tmp_path: Path) -> None:
    file = saved(unet(keras, head="softmax", channels=3, side=None), tmp_path / "open.keras")
    with pytest.raises(OptionError, match="--size"):
        adopt(file, tmp_path / "run")
    with pytest.raises(OptionError, match=r"foreground = \[1\]"):
        adopt(file, tmp_path / "run", size=(SIDE, SIDE))
    text = 'size = 32\nclasses = ["air", "brain", "tumour"]\nforeground = "tumour"\nthreshold = 0.25\n'
    result = adopt(file, tmp_path / "run", contract=written(tmp_path / "contract.toml", text))
    assert (result.foreground, result.threshold, result.parity.passed) == ((2,), 0.25, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('output = "logits"', "ends in a sigmoid"),
        ("foreground = [4]", "counted from 0 to 0"),
        ('channels = ["flair"]', "takes 3 channels"),
        ('channels = ["flair"]', r'\["pre", "flair", "post"\]'),
        ("colour = 1", "contract: unknown key 'colour'"),
        ("size = [1, 2, 3]", "size is one number"),
        ('channels = ["flair", "flair", "post"]', "each a name of its own"),
        ('classes = ["air", "tumour"]', "names 2 classes"),
        ("= 3", "not TOML"),
    ],
)
def test_a_contract_that_contradicts_the_graph_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = saved(unet(keras), tmp_path / "net.keras")
    with pytest.raises(ContractError, match=message):
        adopt(file, tmp_path / "run", contract=written(tmp_path / "contract.toml", text))
    assert not (tmp_path / "run").exists()


def test_a_completed_contract_of_ask_is_taken(tmp_path: Path) -> None:
    file = saved(unet(keras, head="softmax", channels=3), tmp_path / "net.keras")
    place = ask(file, tmp_path / "run")
    text = place.read_text()
    assert 'output = "softmax"' in text
    assert "TO BE SAID" in text
    place.write_text(text.replace("# foreground = [1]", "foreground = [1]"))
    assert adopt(file, tmp_path / "run", contract=place).foreground == (1,)
    with pytest.raises(OutputError, match="there already"):
        ask(file, tmp_path / "run")


def test_a_contract_in_the_run_is_the_one_in_force(tmp_path: Path) -> None:
    file = saved(unet(keras), tmp_path / "net.keras")
    place = ask(file, tmp_path / "run")
    with pytest.raises(OutputError, match="was not given"):
        adopt(file, tmp_path / "run")
    with pytest.raises(OutputError, match="says other things"):
        adopt(file, tmp_path / "run", contract=written(tmp_path / "other.toml", "threshold = 0.25"))
    assert adopt(file, tmp_path / "run", contract=place).threshold == 0.5
    place.unlink()
    assert adopt(file, tmp_path / "run").threshold == 0.5


def test_a_contract_of_an_artifact_says_what_it_says_of_the_network(tmp_path: Path, tiny_contract: Contract) -> None:
    file = saved(unet(keras, head=None), tmp_path / "net.keras")
    seen, rule = ("a" * 64,), PostProcessing(min_area_px=7)
    of_file = replace(
        tiny_contract, layout="NHWC", height=SIDE, width=SIDE, seen_patients=seen, post_processing=rule, threshold=0.25
    )
    adopt(file, tmp_path / "run", contract=written(tmp_path / "c.json", to_json(of_file)))
    found = checkpoint_contract(read_checkpoint(tmp_path / "run").header)
    assert (found.seen_patients, found.post_processing, found.threshold) == (seen, rule, 0.25)
    wrong = {
        "takes its image as NHWC": replace(of_file, layout="NCHW"),
        "SHA-256": replace(of_file, content_sha256="0" * 64),
    }
    for message, contract in wrong.items():
        with pytest.raises(ContractError, match=message):
            adopt(file, tmp_path / "run", contract=written(tmp_path / "w.json", to_json(contract)))


def test_names_of_our_own_networks_are_left_alone() -> None:
    assert name_of(Path("missing/unet.h5"), "mine") == "mine"
    for name in ("unet", "int8", "tflite-int8", "light", "alphax-0.125-half"):
        with pytest.raises(OptionError, match=r"which is taken|small letters"):
            name_of(Path("x"), name)
    with pytest.raises(OptionError, match="small letters"):
        name_of(Path("x"), "../escape")


def test_weights_of_a_training_are_not_written_over(tmp_path: Path, tiny_checkpoint: Path) -> None:
    file = saved(unet(keras), tmp_path / "net.keras")
    with pytest.raises(OutputError, match="not imported"):
        adopt(file, tiny_checkpoint.parent)


@pytest.mark.parametrize(("kind", "message"), [("classes", "classifier"), ("volume", "a volume"), ("pair", "2 inputs"),
                                               ("cropped", "no whole fraction")])  # fmt: skip
def test_networks_of_other_kinds_are_named(tmp_path: Path, kind: str, message: str) -> None:
    layers, image = keras.layers, keras.Input((SIDE, SIDE, 3))
    other = keras.Input((SIDE, SIDE, 3))
    whole = keras.Input((8, 8, 8, 3))
    made = {
        "classes": lambda: keras.Model(image, layers.Dense(4)(layers.GlobalAveragePooling2D()(image))),
        "volume": lambda: keras.Model(whole, layers.Conv3D(1, 1)(whole)),
        "pair": lambda: keras.Model([image, other], layers.Conv2D(1, 1)(layers.Concatenate()([image, other]))),
        "cropped": lambda: keras.Model(image, layers.Conv2D(1, 3)(image)),
    }[kind]()
    with pytest.raises(ArtifactError, match=message):
        adopt(saved(made, tmp_path / "net.keras"), tmp_path / "run")


def test_a_smaller_map_is_enlarged_and_flagged(tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 3))
    small = keras.Model(image, keras.layers.Conv2D(1, 4, strides=4, activation="sigmoid")(image))
    result = adopt(saved(small, tmp_path / "net.keras"), tmp_path / "run")
    assert any("enlarged 4 times" in note for note in result.notes)
    assert result.parity.passed


def test_channels_of_other_data_than_tcga_lgg_are_named_by_the_contract(tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 4))
    file = saved(keras.Model(image, keras.layers.Conv2D(1, 1)(image)), tmp_path / "net.keras")
    with pytest.raises(ContractError, match=r'takes 4 channels, .* channels = \["pre", "flair", "post", "t2"\]'):
        adopt(file, tmp_path / "run")
    contract = written(tmp_path / "c.toml", 'channels = ["t1", "t1ce", "t2", "flair"]\nreference_channel = "flair"')
    assert adopt(file, tmp_path / "run", contract=contract).parity.passed
    assert checkpoint_contract(read_checkpoint(tmp_path / "run").header).channel_set.reference == "flair"


def test_plane_and_passes_of_a_contract_and_of_a_file_of_edgesegs_own_are_those_of_the_run(tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 3))
    file = saved(keras.Model(image, keras.layers.Conv2D(1, 1)(image)), tmp_path / "net.keras")
    contract = written(tmp_path / "c.toml", 'plane = "coronal"\npasses = 2')
    adopt(file, tmp_path / "run", contract=contract)
    told = checkpoint_contract(header := read_checkpoint(tmp_path / "run").header)
    assert (told.plane, header.image.plane, of_artifact(told).plane) == ("coronal", "coronal", "coronal")
    assert (told.passes, of_artifact(told).passes, OperatingPoint.of(told).passes) == (2, 2, 2)
    with pytest.raises(ContractError, match="plane is 'up'; choose one of: axial, coronal, sagittal"):
        adopt(file, tmp_path / "other", contract=written(tmp_path / "d.toml", 'plane = "up"'))
    assert not (tmp_path / "other").exists()
    spec = BuildSpec(variant=header.variant, targets=("onnx-fp32",), checkpoint=tmp_path / "run", out=tmp_path / "out")
    with pytest.raises(OptionError, match="takes coronal slices, and phantoms are axial ones; give volumes"):
        build(spec)
    assert not (tmp_path / "out").exists()


def test_what_a_contract_says_of_a_network_is_not_passed_over() -> None:
    of_artifacts = {one.name for one in fields(Contract)} - {one.name for one in fields(ForeignContract)}
    assert of_artifacts == {
        "variant", "tier", "target", "schema_version", "height", "width", "calibrated_on", "calibration_hash",
        "intended_use", "profile", "golden", "contract_sha256", "float_layers", "output_layout",
        "trust",
    }  # fmt: skip


def test_bytes_are_given_as_they_are_where_the_network_scales_them(tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
    file = saved(keras.Model(image, keras.layers.Conv2D(1, 3, padding="same")(x)), tmp_path / "net.keras")
    result = adopt(file, tmp_path / "run")
    assert (result.scale, result.parity.passed) == (1.0, True)


def test_an_onnx_file_of_a_fixed_batch_whose_masks_have_no_axis_of_channels(tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(size=(1, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1] * 4),
        helper.make_node("Sigmoid", ["c"], ["p"]),
        helper.make_node("Squeeze", ["p", "one"], ["y"]),
    ]
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 3, SIDE, SIDE])
    mask = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    stored = [numpy_helper.from_array(kernel, "w"), numpy_helper.from_array(np.array([1]), "one")]
    graph = helper.make_graph(nodes, "g", [image], [mask], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "net.onnx"))
    result = adopt(tmp_path / "net.onnx", tmp_path / "run")
    assert (result.head, result.parity.passed) == ("sigmoid", True)


def test_another_size_than_the_networks_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=f"takes images of {SIDE} x {SIDE} and 64 x 64"):
        adopt(saved(unet(keras), tmp_path / "net.keras"), tmp_path / "run", size=(64, 64))


def _other_network(graph: OnnxGraph) -> Any:
    """A network of the same ends whose values are other ones."""
    model = keras_network(graph)
    model.set_weights([-values for values in model.get_weights()])
    return model


def _half_network(graph: OnnxGraph) -> Any:
    """A network of half the logits, whose masks are the same."""
    model = keras_network(graph)
    model.set_weights([values / 2 for values in model.get_weights()])
    return model


def _no_network(graph: OnnxGraph) -> Any:
    raise TypeError("no two layers fit")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (_other_network, NOT_THE_SAME),
        (_half_network, NOT_THE_SAME),
        (_no_network, "do not fit together (TypeError: no two layers fit)"),
    ],
    ids=["differs", "halved", "raises"],
)
def test_a_graph_whose_keras_network_is_not_the_same_stays_a_graph(
    made: Callable[[OnnxGraph], Any], why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr(foreign_network, "keras_network", made)
    result = adopt(convolution(tmp_path / "net.onnx"), tmp_path / "run")
    assert result.parity.passed
    assert why in result.notes[0]
    assert ("of a million pixels differ from onnxruntime" in caplog.text) is (made is not _no_network)
    checkpoint = read_checkpoint(tmp_path / "run")
    assert isinstance(network_of(checkpoint), GraphNetwork)
    predictor = checkpoint_predictor(checkpoint)
    given = np.random.default_rng(1).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
    np.testing.assert_allclose(predictor.logits(given), original_of(checkpoint).logits(given), atol=1e-4)


def test_weights_that_are_no_numbers_are_named_with_their_file(tmp_path: Path) -> None:
    file = convolution(tmp_path / "net.onnx")
    model = onnx.load(str(file))
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.full((1, 3, 3, 3), np.nan, np.float32), "w"))
    onnx.save(model, str(file))
    with pytest.raises(ArtifactError, match=r"net\.onnx: the weights 'w.*' hold NaN .* earlier state"):
        adopt(file, tmp_path / "run")
    assert not (tmp_path / "run").exists()
