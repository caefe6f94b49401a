"""What every target does with every family of layers: written to docs/measured/layers.md.

    python benchmarks/layers.py

Each layer stands between two convolutions in a network of its own, which is converted to every target and run on
noise. The weights are drawn, so that the figure says how closely a file follows the network, not how well it segments.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edgeseg.reports.table import markdown_table_lines
from edgeseg.specs import Contract, VariantSpec
from edgeseg.targets import TARGETS, ConvertJob, open_artifact
from edgeseg.targets._explicit import explicit
from edgeseg.targets.ranges import ActivationRanges, measure

PAGE = Path(__file__).resolve().parents[1] / "docs" / "measured" / "layers.md"
SIDE, WIDTH = 32, 8
TAKEN = ("tflite-int8", "onnx-int8", "ort-int8", "tflite-fp32", "onnx-fp32", "tflite-fp16", "onnx-fp16")
INTEGER, PARTLY, FLOAT, REFUSED = "integer", "partly float", "float", "no"
Layer = Callable[[Any, Any], Any]


def layers() -> dict[str, Layer]:
    """Every family by its name in the table: a function of `keras.layers` and a tensor `(N, 32, 32, 8)`."""
    return {
        "convolution 3 x 3": lambda k, x: k.Conv2D(WIDTH, 3, padding="same")(x),
        "dilated convolution": lambda k, x: k.Conv2D(WIDTH, 3, padding="same", dilation_rate=2)(x),
        "strided convolution": lambda k, x: k.UpSampling2D(2)(k.Conv2D(WIDTH, 3, strides=2, padding="same")(x)),
        "grouped convolution": lambda k, x: k.Conv2D(WIDTH, 3, padding="same", groups=4)(x),
        "depthwise convolution": lambda k, x: k.DepthwiseConv2D(3, padding="same")(x),
        "separable convolution": lambda k, x: k.SeparableConv2D(WIDTH, 3, padding="same")(x),
        "transposed convolution 2, stride 2": lambda k, x: k.Conv2DTranspose(WIDTH, 2, strides=2)(k.MaxPooling2D(2)(x)),
        "transposed convolution 3, stride 2": lambda k, x: k.Conv2DTranspose(WIDTH, 3, strides=2, padding="same")(
            k.MaxPooling2D(2)(x)
        ),
        "dense": lambda k, x: k.Dense(WIDTH)(x),
        "ReLU": lambda k, x: k.ReLU()(x),
        "ReLU6": lambda k, x: k.ReLU(max_value=6)(x),
        "leaky ReLU": lambda k, x: k.LeakyReLU(0.01)(x),
        "PReLU": lambda k, x: k.PReLU(shared_axes=(1, 2), alpha_initializer="random_normal")(x),
        "ELU": lambda k, x: k.ELU()(x),
        "SiLU": lambda k, x: k.Activation("silu")(x),
        "hard-swish": lambda k, x: k.Activation("hard_silu")(x),
        "hard sigmoid": lambda k, x: k.Activation("hard_sigmoid")(x),
        "GELU": lambda k, x: k.Activation("gelu")(x),
        "sigmoid": lambda k, x: k.Activation("sigmoid")(x),
        "tanh": lambda k, x: k.Activation("tanh")(x),
        "softmax": lambda k, x: k.Softmax()(x),
        "batch normalisation": lambda k, x: k.BatchNormalization()(x),
        "batch normalisation before a convolution": lambda k, x: k.BatchNormalization()(k.ReLU()(x)),
        "instance normalisation": lambda k, x: k.GroupNormalization(groups=-1)(x),
        "group normalisation": lambda k, x: k.GroupNormalization(groups=4)(x),
        "layer normalisation": lambda k, x: k.LayerNormalization()(x),
        "max pooling": lambda k, x: k.UpSampling2D(2)(k.MaxPooling2D(2)(x)),
        "average pooling": lambda k, x: k.UpSampling2D(2)(k.AveragePooling2D(2)(x)),
        "nearest resizing": lambda k, x: k.UpSampling2D(2)(k.MaxPooling2D(2)(x)),
        "bilinear resizing": lambda k, x: k.UpSampling2D(2, interpolation="bilinear")(k.MaxPooling2D(2)(x)),
        "zero padding": lambda k, x: k.Cropping2D(1)(k.ZeroPadding2D(1)(x)),
        "concatenation": lambda k, x: k.Conv2D(WIDTH, 1)(k.Concatenate()([x, k.ReLU()(x)])),
        "residual sum": lambda k, x: k.Add()([x, k.Conv2D(WIDTH, 1)(x)]),
        "product": lambda k, x: k.Multiply()([x, k.Conv2D(WIDTH, 1)(x)]),
        "squeeze and excite": lambda k, x: k.Multiply()(
            [x, k.Conv2D(WIDTH, 1, activation="sigmoid")(k.GlobalAveragePooling2D(keepdims=True)(x))]
        ),
        "attention gate": lambda k, x: k.Multiply()(
            [x, k.Conv2D(1, 1, activation="sigmoid")(k.ReLU()(k.Add()([k.Conv2D(WIDTH, 1)(x), x])))]
        ),
    }


def network(layer: Layer) -> Any:
    """A convolution, the layer, and a head, one operation a layer."""
    import keras

    keras.utils.set_random_seed(0)
    image = keras.Input((SIDE, SIDE, 3), name="image")
    x = layer(keras.layers, keras.layers.Conv2D(WIDTH, 3, padding="same", name="before")(image))
    return explicit(keras.Model(image, keras.layers.Conv2D(1, 1, name="head")(x)))


def outcome(model: Any, target: str, ranges: ActivationRanges, images: Any, folder: Path) -> tuple[str, float]:
    """Convert a network and run it; returns what became of the layer, and the error relative to the logits' spread."""
    contract = Contract(
        variant=VariantSpec(name="layer", alpha=1.0, stem="full"),
        tier="custom",
        target=target,
        layout=TARGETS[target].layout,
        trained_on="nothing",
        height=SIDE,
        width=SIDE,
    )
    path = folder / f"{target}{TARGETS[target].suffix}"
    needs = TARGETS[target].needs_calibration
    TARGETS[target].convert(ConvertJob(model=model, contract=contract, ranges=ranges if needs else None), path)
    artifact = open_artifact(path)
    wanted = np.asarray(model(images.astype(np.float32) / 255))[..., 0]
    error = float(np.abs(artifact.logits(images) - wanted).mean() / wanted.std())
    own = [layer for layer in artifact.contract.float_layers if layer not in ("before", "head")]
    others = [layer.name for layer in model.layers if layer.name not in ("image", "before", "head")]
    said = INTEGER if not own else FLOAT if len(own) == len(others) else PARTLY
    return said if TARGETS[target].precision == "int8" else FLOAT, error


def rows(names: tuple[str, ...] = TAKEN) -> Iterator[list[str]]:
    """One row a family: its name, and of every target what it does and how far it is off."""
    images = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3)).astype(np.uint8)
    for family, layer in layers().items():
        model = network(layer)
        ranges = measure(model, list(images.astype(np.float32) / 255))
        row = [family]
        for target in names:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    said, error = outcome(model, target, ranges, images, Path(folder))
                    row.append(f"{said}, {100 * error:.1f} %" if TARGETS[target].precision == "int8" else "yes")
                except Exception as failed:  # whatever a converter raises is an answer
                    print(family, target, failed, file=sys.stderr)
                    row.append(REFUSED)
        yield row


def page() -> str:
    """The page."""
    table = markdown_table_lines(("Layer", *TAKEN), list(rows()))
    return "\n".join(
        (
            "# Layers, and what becomes of them",
            "",
            "This page says what every target does with every family of layers of a network of your own.",
            "",
            "*Integer*: computed in int8. *Float*: the layer stays in float inside the int8 file, and report and "
            "contract name it (`float_layers`). The percentage is the mean error of the logits over their spread, "
            "of a network with drawn weights on noise; a plain convolution has that of the two convolutions that "
            "stand in all of them.",
            "",
            "Written by `python benchmarks/layers.py`; a test holds the words of the two int8 columns.",
            "",
            *table,
            "",
        )
    )


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
