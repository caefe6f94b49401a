"""What else than tf2onnx as it is used could write these networks in ONNX: written to docs/measured/converters.md.

    python benchmarks/converters.py

Each way writes the float graph of two networks that ship and of the three other families with drawn weights; ONNX
Runtime runs it on slices of a phantom, and its logits are held against Keras. Beside that each way is given every
family of layers of `benchmarks/layers.py`.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from layers import layers, network
from numpy.typing import NDArray
from own_onnx import emitted

from edgeseg import networks
from edgeseg.backend import load_keras
from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.phantom import phantom_volume
from edgeseg.quiet import quiet
from edgeseg.reports.table import markdown_table_lines
from edgeseg.specs import Contract, ImageSpec, OperatingPoint, VariantSpec
from edgeseg.stages.choose import CHOICE_FILE, read_choice
from edgeseg.stages.environment import versions
from edgeseg.stages.predict import network_of
from edgeseg.targets import ConvertJob, _onnx, get
from edgeseg.variants import build_model

PAGE = Path(__file__).resolve().parents[1] / "docs" / "measured" / "converters.md"
SHIPPED, DRAWN, SLICES, REPEATS = ("light", "micro"), ("unet", "unet-bn", "r2unet"), 8, 3
DECISION = (
    "This page holds the decision to keep tf2onnx, behind one function, and what was measured of the three ways that "
    "could take its place."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A network, what it takes, and the logit above which a pixel is tumour."""

    name: str
    model: Any
    contract: Contract
    images: NDArray[np.float32]

    @property
    def wanted(self) -> NDArray[np.float32]:
        """What Keras gives: `(N, H, W) float32` logits."""
        return np.asarray(self.model(self.images, training=False))[..., 0]


Write = Callable[[Any, Contract, Path], None]


def as_used(model: Any, contract: Contract, path: Path) -> None:
    """As targets of ONNX are written: tf2onnx, and edgeseg's clearing up behind it."""
    path.write_bytes(_onnx.float_graph(model, contract).SerializeToString())


def own(model: Any, contract: Contract, path: Path) -> None:
    """Node by node with `onnx.helper`."""
    path.write_bytes(emitted(model, contract).SerializeToString())


def keras_export(model: Any, contract: Contract, path: Path) -> None:
    """`keras.export`, at the same opset."""
    import keras

    shape = (1, contract.height, contract.width, len(contract.channels))
    signature = [keras.InputSpec(shape=shape, dtype="float32", name="image")]
    with quiet():
        model.export(str(path), format="onnx", verbose=False, opset_version=_onnx.OPSET, input_signature=signature)


def from_tflite(model: Any, contract: Contract, path: Path) -> None:
    """The TFLite file in float, read by tf2onnx."""
    import tf2onnx

    made = path.with_suffix(".tflite")
    get("tflite-fp32").convert(ConvertJob(model=model, contract=contract), made)
    with quiet():
        tf2onnx.convert.from_tflite(str(made), opset=_onnx.OPSET, output_path=str(path))


WAYS: dict[str, Write] = {
    "tf2onnx, as used": as_used,
    "own emission": own,
    "keras.export": keras_export,
    "TFLite, by tf2onnx": from_tflite,
}


def cases() -> list[Case]:
    """The networks that are converted."""
    phantom = phantom_volume(0, seed=0).images
    chosen = np.linspace(0, len(phantom) - 1, SLICES).astype(int)
    images = phantom[chosen].astype(np.float32) / np.float32(255)
    found = []
    for name in SHIPPED:
        checkpoint = read_checkpoint(networks.get(name).weights)
        choice = networks.get(name).folder / CHOICE_FILE
        point = read_choice(choice, variant=checkpoint.header.variant.slug).chosen
        found.append(Case(name=name, model=network_of(checkpoint), contract=_contract(checkpoint.header.variant, point),
                          images=images))  # fmt: skip
    for name in DRAWN:
        spec = VariantSpec(name=name, alpha=0.125, stem="half")
        load_keras().utils.set_random_seed(0)
        found.append(Case(name=f"{spec.slug}, drawn", model=build_model(spec, ImageSpec()),
                          contract=_contract(spec, OperatingPoint()), images=images))  # fmt: skip
    return found


def _contract(spec: VariantSpec, point: OperatingPoint) -> Contract:
    bare = Contract(variant=spec, tier="custom", target="onnx-fp32", layout="NCHW", trained_on="phantom")
    return point.applied(bare)


def logits(path: Path, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a file of either layout, a slice at a time."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    channels_first = given.shape[1] == images.shape[3]
    each = images.transpose(0, 3, 1, 2) if channels_first else images
    found = np.concatenate([session.run(None, {given.name: one[np.newaxis]})[0] for one in each])
    return np.asarray(found[:, 0] if found.shape[1] == 1 else found[..., 0])


def row(case: Case, way: str) -> list[str]:
    """Convert a network one way, and say what came of it."""
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        path, seconds = Path(folder) / "made.onnx", []
        for _ in range(REPEATS):
            gc.collect()
            start = time.process_time()
            try:
                WAYS[way](case.model, case.contract, path)
            except Exception as failed:  # whatever a converter raises is an answer
                return [case.name, way, f"no: {failed}", "", "", "", ""]
            seconds.append(time.process_time() - start)
        found, wanted = logits(path, case.images), case.wanted
        above = case.contract.logit_threshold
        flipped = int(((found > above) != (wanted > above)).sum())
        nodes = [node.op_type for node in onnx.load(str(path)).graph.node]
        extra = sum(kind in _onnx.UNWANTED for kind in nodes)
        return [case.name, way, str(flipped), f"{np.abs(found - wanted).max():.1e}", f"{path.stat().st_size:,}",
                f"{len(nodes)} ({extra})", f"{min(seconds):.2f}"]  # fmt: skip


def cannot(way: str) -> list[str]:
    """Name the families of layers that a way does not write, or writes with other numbers."""
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    spec = VariantSpec(name="layer", alpha=1.0, stem="full")
    contract = Contract(variant=spec, tier="custom", target="onnx-fp32", layout="NCHW", trained_on="nothing",
                        height=32, width=32)  # fmt: skip
    found = []
    for family, layer in layers().items():
        model = network(layer)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.onnx"
            try:
                WAYS[way](model, contract, path)
                wanted = np.asarray(model(images))[..., 0]
                if not np.allclose(logits(path, images), wanted, atol=1e-3 * float(wanted.std()), rtol=1e-3):
                    found.append(f"{family} (other numbers)")
            except Exception:  # whatever a converter or the runtime raises is an answer
                found.append(family)
    return found


def page() -> str:
    """The page."""
    made = [row(case, way) for case in cases() for way in WAYS]
    families = [[way, f"{len(layers()) - len(lost)} of {len(layers())}", ", ".join(lost) or "none"]
                for way in WAYS for lost in [cannot(way)]]  # fmt: skip
    head = ("network", "way", "pixels flipped", "largest difference of a logit", "bytes", "nodes (unwanted)",
            "processor s")  # fmt: skip
    told = versions()
    used = ", ".join(f"{name} {told[name]}" for name in ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime"))
    pixels = SLICES * 256 * 256
    return "\n".join(
        (
            "# What else could write ONNX",
            "",
            DECISION,
            "",
            *(line.format(written=families[1][1]) for line in REASONS),
            "",
            f"Against Keras on {SLICES} slices of a phantom, {pixels:,} pixels, at the threshold that ships (0.5 of "
            "drawn weights); float, without the contract. *Unwanted* are transposes, reshapes, tiles and batch "
            f"normalisation. Processor seconds are the least of {REPEATS} conversions, TFLite's own among them in the "
            "last way.",
            "",
            *markdown_table_lines(head, made),
            "",
            "Families of layers of `benchmarks/layers.py`, each in a network of its own, in float:",
            "",
            *markdown_table_lines(("way", "written", "not written"), families),
            "",
            f"Written by `python benchmarks/converters.py`; {used}; {os.cpu_count()} processors.",
            "",
        )
    )


REASONS = (
    "- **keras.export is tf2onnx**: on the TensorFlow backend it calls the same library, so it would break with it. It "
    "leaves the image with channels last behind a transpose, which `edgeseg` takes out.",
    "- **From TFLite is tf2onnx too**, its other reader.",
    "- **Own emission** is the only way that does without. It writes edgeseg's own four families with the same "
    "nodes, in a tenth of the time (`benchmarks/own_onnx.py`), and {written} families of layers that networks of "
    "others bring. So today it would stand beside tf2onnx and not in its place: two writers of one format, and "
    "two graphs to hold alike. If a TensorFlow comes that tf2onnx cannot read, `edgeseg.targets._tf2onnx` names "
    "the operation that broke, and this is what then takes its place for edgeseg's own networks.",
)


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    load_keras()
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
