"""One contract test over every network, and the published sizes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.errors import OptionError, UnknownNameError
from edgeseg.jsonio import from_json, to_json
from edgeseg.results import Census
from edgeseg.specs import ImageSpec, VariantSpec
from edgeseg.variants import VARIANTS, blocks, build_model, census, get, slots
from edgeseg.variants.tiers import TIERS, resolve_variant, tier_of

SMALL = ImageSpec(height=64, width=128)
FORMS = [
    VariantSpec(name=name, alpha=0.0625, stem=stem) for name in VARIANTS for stem in ("full", "half", "quarter")
] + [
    VariantSpec(name="alphax", alpha=0.0625, stem="half", profile="flat"),
    VariantSpec(name="unet-bn", alpha=1.0, stem="half", levels=(4, 8, 8, 12, 8), convolutions=(1, 1, 3, 2, 1)),
]


@pytest.mark.parametrize("spec", FORMS, ids=lambda s: s.slug)
def test_every_network_maps_images_to_one_finite_logit_a_pixel(spec: VariantSpec) -> None:
    model = build_model(spec, SMALL)
    images = np.random.default_rng(0).random((2, 64, 128, 3), dtype=np.float32)
    logits = np.asarray(model(images, training=False))
    assert logits.shape == (2, 64, 128, 1)
    assert np.isfinite(logits).all()
    assert logits.std() > 0


@pytest.mark.parametrize("spec", FORMS, ids=lambda s: s.slug)
def test_every_network_reaches_each_weight_with_a_gradient(spec: VariantSpec) -> None:
    import tensorflow as tf

    model = build_model(spec, SMALL)
    images = np.random.default_rng(0).random((2, 64, 128, 3), dtype=np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(images, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(g is not None for g in gradients)


def test_every_family_in_the_table_has_a_contract_test() -> None:
    assert {spec.name for spec in FORMS} == set(VARIANTS)
    assert {(s.name, s.stem) for s in FORMS} == {(v.name, stem) for v in VARIANTS.values() for stem in v.stems}


@pytest.mark.parametrize(
    ("spec", "parameters_m", "macs_g"),
    [
        (VariantSpec(name="unet", alpha=1.0, stem="full"), 31.03, 48.2),
        (VariantSpec(name="alphax", alpha=0.25, stem="full"), 1.94, 3.03),
        (VariantSpec(name="alphax", alpha=0.125, stem="full"), 0.49, 0.77),
        (VariantSpec(name="r2unet", alpha=1.0, stem="full"), 39.1, None),
    ],
    ids=lambda v: getattr(v, "slug", str(v)),
)
def test_sizes_are_the_published_ones(spec: VariantSpec, parameters_m: float, macs_g: float | None) -> None:
    found = census(build_model(spec))
    assert found.trainable_parameters is not None
    assert found.trainable_parameters / 1e6 == pytest.approx(parameters_m, rel=0.01)
    if macs_g is not None:
        assert found.macs / 1e9 == pytest.approx(macs_g, rel=0.01)


@pytest.mark.parametrize(("name", "normalised"), [("unet", ()), ("unet-bn", ("1", "2")), ("alphax", ("2",))])
def test_the_u_nets_differ_in_which_convolutions_of_a_block_are_normalised(
    name: str, normalised: tuple[str, ...]
) -> None:
    model = build_model(VariantSpec(name=name, alpha=0.0625, stem="full"), SMALL)
    found = {layer.name for layer in model.layers if type(layer).__name__ == "BatchNormalization"}
    assert found == {f"{block}_{end}_bn" for block in blocks.BLOCKS for end in normalised}
    bare = {layer.name for layer in model.layers if type(layer).__name__ == "Conv2D" and not layer.use_bias}
    assert bare == {bn.replace("_bn", "_conv") for bn in found}


def test_the_half_resolution_stem_quarters_the_arithmetic() -> None:
    half, full = (census(build_model(VariantSpec(name="alphax", alpha=0.125, stem=s))) for s in ("half", "full"))
    assert half.macs / full.macs == pytest.approx(0.25, abs=0.02)


def test_flat_widths_are_the_same_on_every_level() -> None:
    model = build_model(VariantSpec(name="alphax", alpha=0.125, stem="half", profile="flat"))
    assert {layer.filters for layer in model.layers if type(layer).__name__ == "Conv2D"} == {16}
    assert census(model).parameters < 60_000


def test_levels_and_convolutions_say_what_every_block_holds() -> None:
    spec = VariantSpec(alpha=1.0, stem="half", levels=(8, 32, 48, 64, 96), convolutions=(1, 1, 2, 2, 2))
    assert spec.slug == "alphax-half-8.32.48.64.96-c11222"
    assert slots(spec)[:4] == ("enc1_1", "enc2_1", "enc3_1", "enc3_2")
    assert slots(spec)[-4:] == ("dec2_up", "dec2_1", "dec1_up", "dec1_1")
    model = build_model(spec)
    made = {layer.name: layer.filters for layer in model.layers if type(layer).__name__ == "Conv2D"}
    assert [made[f"{block}_1_conv"] for block in blocks.BLOCKS] == [8, 32, 48, 64, 96, 64, 48, 32, 8]
    assert len(made) == 14
    assert {layer.name for layer in model.layers if type(layer).__name__ == "BatchNormalization"} == {
        "enc1_1_bn", "enc2_1_bn", "enc3_2_bn", "enc4_2_bn", "bottom_2_bn", "dec4_2_bn", "dec3_2_bn", "dec2_1_bn",
        "dec1_1_bn",
    }  # fmt: skip


def test_a_block_on_the_way_up_may_have_no_convolution() -> None:
    spec = VariantSpec(alpha=0.0625, convolutions=(1, 1, 1, 1, 2, 1, 1, 1, 0))
    assert slots(spec)[-3:] == ("dec2_up", "dec2_1", "dec1_up")
    model = build_model(spec, SMALL)
    assert model.get_layer("head").input.shape == (None, 32, 64, 8)


def test_alpha_multiplies_levels_too() -> None:
    spec = VariantSpec(alpha=0.5, stem="half", levels=(8, 32, 48, 64, 96))
    assert spec.slug == "alphax-0.5-half-8.32.48.64.96"
    assert build_model(spec).get_layer("bottom_1_conv").filters == 48


def test_what_a_spec_has_of_old_is_written_as_of_old() -> None:
    old = '{"name": "alphax", "alpha": 0.125, "stem": "half", "profile": "double", "widths": []}'
    assert json.loads(to_json(VariantSpec())) == json.loads(old)
    spec = VariantSpec(levels=(8, 8, 8, 8, 8), convolutions=(1, 2, 2, 2, 2))
    assert from_json(VariantSpec, to_json(spec)) == spec


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"levels": (8, 16)}, r"levels are \[8, 16\]; give 5 numbers"),
        ({"convolutions": (1, 2)}, r"convolutions are \[1, 2\]; give 5 numbers"),
        (
            {"name": "r2unet", "convolutions": (1,) * 5},
            "blocks of r2unet are no rows.*choose one of: unet, unet-bn, alphax",
        ),
        ({"convolutions": (1, 0, 1, 1, 1)}, "a block on the way down has at least 1"),
        ({"convolutions": (1, 10, 1, 1, 1)}, "a block has at most 9"),
        ({"levels": (8, 0, 8, 8, 8)}, "every level needs at least 1 channel"),
        ({"levels": (8,) * 5, "profile": "flat"}, "leave one of them out"),
    ],
    ids=["levels-short", "convolutions-short", "r2unet", "no-convolution", "ten-convolutions", "no-channel", "profile"],
)
def test_a_shape_that_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        build_model(VariantSpec(**given), SMALL)


def test_a_shared_convolution_counts_as_often_as_it_is_applied() -> None:
    keras = load_keras()
    inputs = keras.Input(shape=(8, 8, 4))
    shared = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)
    model = keras.Model(inputs, shared(shared(inputs)))
    assert census(model) == Census(parameters=144, trainable_parameters=144, macs=2 * 144 * 64)


def test_a_transposed_convolution_counts_its_input_pixels() -> None:
    keras = load_keras()
    inputs = keras.Input(shape=(8, 8, 4))
    model = keras.Model(inputs, keras.layers.Conv2DTranspose(2, 2, strides=2, use_bias=False)(inputs))
    assert census(model).macs == 2 * 2 * 4 * 2 * 64


def test_the_half_stem_equals_space_to_depth_before_and_depth_to_space_behind() -> None:
    """The 6 x 6 stride-2 convolution is a 3 x 3 one over 2 x 2 blocks; the head is a 1 x 1 one to 2 x 2 blocks."""
    keras = load_keras()
    rng = np.random.default_rng(1)
    image = rng.random((1, 32, 32, 3), dtype=np.float32)
    conv = keras.layers.Conv2D(5, 6, strides=2, padding="same", use_bias=False)
    strided = np.asarray(conv(image))
    kernel = np.asarray(conv.kernel)
    squares = image.reshape(1, 16, 2, 16, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 16, 16, 12)
    block_kernel = kernel.reshape(3, 2, 3, 2, 3, 5).transpose(0, 2, 1, 3, 4, 5).reshape(3, 3, 12, 5)
    plain = keras.layers.Conv2D(5, 3, padding="same", use_bias=False)
    plain.build((None, 16, 16, 12))
    plain.set_weights([block_kernel])
    np.testing.assert_allclose(strided, np.asarray(plain(squares)), atol=1e-5)


def test_tf_keras_builds_the_same_network_with_the_same_weight_order() -> None:
    import tf_keras

    spec = VariantSpec(name="r2unet", alpha=0.0625, stem="full")
    load_keras().utils.set_random_seed(0)
    ours: Any = build_model(spec, SMALL)
    legacy: Any = build_model(spec, SMALL, tf_keras)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in legacy.get_weights()]
    legacy.set_weights(ours.get_weights())
    images = np.random.default_rng(0).random((1, 64, 128, 3), dtype=np.float32)
    wanted = np.asarray(ours(images, training=False))
    given = np.asarray(legacy(images, training=False))
    np.testing.assert_allclose(given, wanted, rtol=0, atol=5e-4 * np.ptp(wanted))


def test_a_size_that_cannot_be_halved_is_refused_with_the_size_to_pad_to() -> None:
    with pytest.raises(OptionError, match=r"multiples of 32.*pad it to 256 x 288"):
        build_model(VariantSpec(name="alphax", stem="half"), ImageSpec(height=250, width=272))


def test_an_unknown_variant_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown variant 'alphx'.*Did you mean 'alphax'"):
        get("alphx")


@pytest.mark.parametrize(("field", "value"), [("alpha", 0.0), ("alpha", 1.5), ("stem", "eighth"), ("profile", "steep")])
def test_a_spec_refuses_what_cannot_be(field: str, value: float | str) -> None:
    values: dict[str, Any] = {field: value}
    with pytest.raises(OptionError, match=field):
        VariantSpec(**values)


@pytest.mark.parametrize(("alpha", "stem", "message"), [(0.0, None, "alpha is 0"), (None, "", "stem is ''")])
def test_what_was_asked_for_is_refused_and_not_replaced_by_the_default(
    alpha: float | None, stem: str | None, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        resolve_variant("alphax", alpha=alpha, stem=stem)


def test_tiers_resolve_by_name_and_by_what_they_are() -> None:
    assert set(TIERS) == {"full", "alphax-light", "int8"}
    assert resolve_variant("alphax-light").slug == "alphax-0.125-half"
    assert resolve_variant("full").slug == "unet-bn"
    assert resolve_variant("alphax", alpha=0.25, stem="full").slug == "alphax-0.25"
    assert tier_of(resolve_variant("int8"), "int8") == "int8"
    assert tier_of(resolve_variant("int8"), "fp32") == "alphax-light"
    assert tier_of(resolve_variant("unet"), "fp32") == "custom"
    with pytest.raises(UnknownNameError, match="alphax-light"):
        resolve_variant("alphax-lite")


def test_what_else_a_network_is_built_into_does_not_count() -> None:
    model = build_model(VariantSpec(name="r2unet", alpha=0.0625, stem="half"), ImageSpec(height=64, width=64))
    before = census(model)
    keras = load_keras()
    layer = next(layer for layer in model.layers if type(layer).__name__ == "Conv2D")
    layer(keras.Input(layer.input.shape[1:]))
    assert census(model) == before
