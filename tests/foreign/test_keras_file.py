from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from edgeseg.errors import ArtifactError
from edgeseg.foreign.flat import choose_output, flatten
from edgeseg.foreign.head import one_logit
from edgeseg.foreign.head_rules import HeadWish
from edgeseg.foreign.keras_file import read_hdf5, read_keras
from edgeseg.quiet import quiet
from tests.foreign._keras_networks import SIDE, draw, images, saved, unet, values


def logits_of(path: Path, wish: HeadWish | None = None) -> Any:
    with quiet():
        file = (read_keras if path.suffix == ".keras" else read_hdf5)(path)
        graph = flatten(file.model, path, size=None)
        _, tensor = choose_output(graph, path, None)
        head = one_logit(tensor, graph.image, path, wish or HeadWish())
        return keras.Model(graph.image, head.logits), graph


def probability(logits: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-np.asarray(logits, np.float64)))


@pytest.mark.parametrize("name", ["mine.keras", "mine.h5", "mine.hdf5"])
@pytest.mark.parametrize("up", ["transpose", "nearest"])
def test_a_sigmoid_is_cut_off_whatever_the_file(tmp_path: Path, name: str, up: str) -> None:
    model = unet(keras, up=up)
    flat, _ = logits_of(saved(model, tmp_path / name))
    np.testing.assert_allclose(probability(values(flat, images())), values(model, images()), atol=1e-6)
    assert not [layer for layer in flat.layers if type(layer).__name__ == "Dropout"]


def test_the_state_of_an_optimizer_does_not_matter(tmp_path: Path) -> None:
    model = unet(keras)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.optimizer.build(model.trainable_variables)
    flat, _ = logits_of(saved(model, tmp_path / "adam.h5"))
    np.testing.assert_allclose(probability(values(flat, images())), values(model, images()), atol=1e-6)


def test_two_classes_become_their_difference_in_the_last_convolution(tmp_path: Path) -> None:
    model = unet(keras, head="softmax", channels=2)
    flat, _ = logits_of(saved(model, tmp_path / "two.keras"))
    np.testing.assert_allclose(probability(values(flat, images()))[..., 0], values(model, images())[..., 1], atol=1e-6)
    assert type(flat.layers[-1]).__name__ == "Conv2D"


def test_of_more_classes_the_logit_is_above_0_where_the_most_probable_one_is_foreground(tmp_path: Path) -> None:
    model = unet(keras, head="softmax", channels=4)
    *inner, kernel, bias = model.get_weights()
    even = np.log(values(model, images())).mean(axis=(0, 1, 2))
    model.set_weights([*inner, kernel, bias - even])
    flat, _ = logits_of(saved(model, tmp_path / "four.keras"), HeadWish(foreground=(1, 3)))
    wanted = np.isin(np.argmax(values(model, images()), axis=-1), (1, 3))
    assert np.array_equal(values(flat, images())[..., 0] > 0, wanted)
    assert 0 < wanted.mean() < 1


def test_a_list_of_pixels_is_laid_out_as_an_image(tmp_path: Path) -> None:
    model = unet(keras, head=None, channels=2)
    listed = keras.layers.Reshape((SIDE * SIDE, 2))(model.output)
    listed = keras.Model(model.input, keras.layers.Activation("softmax")(listed))
    flat, _ = logits_of(saved(listed, tmp_path / "list.keras"))
    wanted = values(listed, images())[..., 1].reshape(2, SIDE, SIDE)
    np.testing.assert_allclose(probability(values(flat, images()))[..., 0], wanted, atol=1e-6)


def test_models_inside_are_inlined_and_a_first_rescaling_is_told(tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 3))
    tail = keras.Sequential([keras.layers.Conv2D(3, 3, padding="same"), keras.layers.Conv2D(1, 1)], name="tail")
    inner = unet(keras, head="relu", channels=3)
    nested = keras.Model(image, keras.layers.Activation("sigmoid")(tail(inner(keras.layers.Rescaling(1 / 255)(image)))))
    draw(nested)
    flat, graph = logits_of(saved(nested, tmp_path / "nested.keras"))
    assert graph.input_factor == pytest.approx(1 / 255)
    assert not [layer for layer in flat.layers if hasattr(layer, "layers")]
    np.testing.assert_allclose(probability(values(flat, images())), values(nested, images() * 255), atol=1e-5)


def test_of_several_outputs_the_one_of_the_images_size_is_taken(tmp_path: Path) -> None:
    model = unet(keras)
    half = keras.layers.Conv2D(1, 1, activation="sigmoid", name="half")(keras.layers.MaxPooling2D()(model.input))
    deep = keras.Model(model.input, [half, model.output])
    flat, _ = logits_of(saved(deep, tmp_path / "deep.keras"))
    np.testing.assert_allclose(probability(values(flat, images())), values(deep, images(), 1), atol=1e-6)


def test_keras_2_files_with_models_in_models_give_what_keras_2_gives(tmp_path: Path) -> None:
    pytest.importorskip("tf_keras")
    code = (
        "import sys, numpy as np, tf_keras as keras, _keras_networks as made\n"
        "image = keras.Input((made.SIDE, made.SIDE, 3))\n"
        "before = keras.Sequential([keras.layers.Rescaling(2.0, offset=-1.0)])\n"
        "model = keras.Model(image, made.unet(keras)(before(image)))\n"
        "for name in ('old.h5', 'old.keras'): made.saved(model, sys.argv[1] + '/' + name)\n"
        "np.save(sys.argv[1] + '/wanted.npy', made.values(model, made.images()))\n"
    )
    here = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": str(Path(__file__).parent)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=here, check=True, capture_output=True, timeout=300)
    wanted = np.load(tmp_path / "wanted.npy")
    for name in ("old.h5", "old.keras"):
        flat, _ = logits_of(tmp_path / name)
        np.testing.assert_allclose(probability(values(flat, images())), wanted, atol=1e-6)


def edited(path: Path, edit: Any) -> Path:
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        edit(config["config"]["layers"])
        file.attrs["model_config"] = json.dumps(config)
    return path


def test_idle_options_of_old_versions_are_read_over(tmp_path: Path) -> None:
    def age(layers: list[dict[str, Any]]) -> None:
        for layer in layers:
            if layer["class_name"] == "Conv2DTranspose":
                layer["config"]["groups"] = 1
            if layer["class_name"] == "InputLayer":
                layer["config"]["batch_input_shape"] = layer["config"].pop("batch_shape")

    model = unet(keras)
    flat, _ = logits_of(edited(saved(model, tmp_path / "aged.h5"), age))
    np.testing.assert_allclose(probability(values(flat, images())), values(model, images()), atol=1e-6)


def test_an_option_that_changes_the_network_is_refused(tmp_path: Path) -> None:
    def change(layers: list[dict[str, Any]]) -> None:
        next(layer for layer in layers if layer["class_name"] == "Conv2DTranspose")["config"]["groups"] = 2

    with pytest.raises(ArtifactError, match="groups = 2"):
        logits_of(edited(saved(unet(keras), tmp_path / "other.h5"), change))


@pytest.mark.parametrize("name", ["lambda.keras", "lambda.h5"])
def test_a_lambda_is_refused_before_keras_sees_it(tmp_path: Path, name: str) -> None:
    image = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(keras.layers.Lambda(lambda x: x * 2)(image)))
    with pytest.raises(ArtifactError, match=r"Lambda.*never run.*ONNX"):
        logits_of(saved(model, tmp_path / name))


def test_a_class_of_another_module_is_refused_and_not_imported(tmp_path: Path) -> None:
    def change(layers: list[dict[str, Any]]) -> None:
        layers[1] |= {"module": "antigravity", "class_name": "Conv2D"}

    sys.modules.pop("antigravity", None)
    with pytest.raises(ArtifactError, match="custom layer"):
        logits_of(edited(saved(unet(keras), tmp_path / "module.h5"), change))
    assert "antigravity" not in sys.modules


def test_weights_alone_are_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "only.weights.h5"
    saved(unet(keras), path, save="save_weights")
    with pytest.raises(ArtifactError, match=r"weights alone.*load_weights.*model\.save"):
        read_hdf5(path)


def test_links_out_of_a_file_are_refused(tmp_path: Path) -> None:
    path = saved(unet(keras), tmp_path / "link.h5")
    with h5py.File(path, "r+") as file:
        file["model_weights"]["more"] = h5py.ExternalLink("/etc/hostname", "/x")
    with pytest.raises(ArtifactError, match="link to another file"):
        read_hdf5(path)


def test_weights_that_are_listed_and_missing_are_named(tmp_path: Path) -> None:
    path = saved(unet(keras), tmp_path / "less.h5")
    with h5py.File(path, "r+") as file:
        del file["model_weights"]["mask"]
    with pytest.raises(ArtifactError, match="layer 'mask' are missing"):
        read_hdf5(path)


def test_a_file_that_was_cut_off_says_so(tmp_path: Path) -> None:
    for name, read in (("cut.h5", read_hdf5), ("cut.keras", read_keras)):
        path = saved(unet(keras), tmp_path / name)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(ArtifactError, match="copy it again"):
            read(path)


def test_an_operation_that_hdf5_does_not_name_in_full_is_told_from_a_custom_layer(tmp_path: Path) -> None:
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(keras.ops.exp(image)))
    with pytest.raises(ArtifactError, match=r"operation of Keras \(Exp\).*save the network as \.keras"):
        read_hdf5(saved(model, tmp_path / "net.h5"))
    assert read_keras(saved(model, tmp_path / "net.keras")).model.output_shape == (None, 8, 8, 1)
