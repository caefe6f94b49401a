"""Networks for golden vectors of other channels and several classes: two convolutions with weights made by hand.

They are no good at tumours and need not be: each draws something on a phantom, and takes one way through a runner that
the shipped network does not. One is of a single grey channel and gives probabilities, two give exclusive classes, as a
softmax and as its logits, one gives regions that overlap, and one sees each slice twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.sequence_names import T2
from edgeseg.specs import LGG, Contract, Intensity, MaskRegion, PostProcessing, VariantSpec
from edgeseg.specs.contract import LAYOUTS
from edgeseg.stages.ship.trust_vectors import TYPICAL

SIDE_PX = 32
SCANNED = "softmax"
"""The network of two channels that also draws on a scan."""
_PRE, _BRIGHT, _POST = LGG.names
"""What a phantom is drawn in; lesions are bright in the second."""
_OPSET, _IR_VERSION, _KERNEL = 17, 8, 3
_ENDS = ("input", "output")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassNetwork:
    """A network: its contract, and the weights of its two layers.

    Attributes:
        name: of its file.
        contract: without digests and golden case.
        hidden: of each hidden unit a weight for each channel and a bias; it sees the mean of 3 x 3 pixels.
        columns: what the three columns of these count for; 3 in all.
        head: of each output channel a weight for each hidden unit and a bias.
        end: the operation after the head; "" for none.
        codes: scale and zero point of the input and of the output where both are int8; empty where they are float.
    """

    name: str
    contract: Contract
    hidden: tuple[tuple[float, ...], ...]
    head: tuple[tuple[float, ...], ...]
    columns: tuple[float, float, float] = (1.0, 1.0, 1.0)
    end: str = ""
    codes: tuple[tuple[float, int], ...] = ()

    def onnx(self) -> bytes:
        """Write the graph without a contract, of the layouts that the contract names; sums are in float."""
        from onnx import TensorProto, helper, numpy_helper

        stored, steps = self._layers()
        properties: dict[str, str] = {}
        for end, (scale, zero) in zip(_ENDS, self.codes, strict=False):
            stored |= {f"{end}_scale": np.array(scale, np.float32), f"{end}_zero": np.array(zero, np.int8)}
            properties |= {f"edgeseg.{end}_scale": repr(scale), f"edgeseg.{end}_zero_point": str(zero)}
        if self.codes:
            steps.insert(0, ("DequantizeLinear", ["input_scale", "input_zero"], {}))
            steps.append(("QuantizeLinear", ["output_scale", "output_zero"], {}))
        names = ["x", *(f"s{number}" for number in range(1, len(steps))), "y"]
        nodes = [
            helper.make_node(operation, [before, *inputs], [after], **options)
            for (operation, inputs, options), before, after in zip(steps, names[:-1], names[1:], strict=True)
        ]
        kind = TensorProto.INT8 if self.codes else TensorProto.FLOAT
        source = [1, len(self.contract.channels), SIDE_PX, SIDE_PX]
        graph = helper.make_graph(
            nodes,
            self.name,
            [helper.make_tensor_value_info("x", kind, source)],
            [helper.make_tensor_value_info("y", kind, self.contract.output_shape)],
            [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in stored.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
        helper.set_model_props(model, properties)
        return bytes(model.SerializeToString(deterministic=True))

    def _layers(self) -> tuple[dict[str, NDArray[Any]], list[tuple[str, list[str], dict[str, Any]]]]:
        """Return the constants, and of each operation its name, its constants and its options."""
        hidden, head = np.array(self.hidden, np.float32), np.array(self.head, np.float32)
        mean = np.full((1, 1, _KERNEL, _KERNEL), 1 / _KERNEL**2, np.float32) * np.array(self.columns, np.float32)
        stored: dict[str, NDArray[Any]] = {
            "w": hidden[:, :-1, np.newaxis, np.newaxis] * mean,
            "b": hidden[:, -1],
            "v": head[:, :-1, np.newaxis, np.newaxis],
            "c": head[:, -1],
        }
        steps: list[tuple[str, list[str], dict[str, Any]]] = [
            ("Conv", ["w", "b"], {"kernel_shape": [_KERNEL, _KERNEL], "pads": [1, 1, 1, 1]}),
            ("Relu", [], {}),
            ("Conv", ["v", "c"], {"kernel_shape": [1, 1]}),
        ]
        if self.end:
            steps.append((self.end, [], {"axis": 1} if self.end == "Softmax" else {}))
        if self.contract.output_layout == LAYOUTS[1]:
            steps.append(("Transpose", [], {"perm": [0, 2, 3, 1]}))
        return stored, steps


def class_networks() -> tuple[ClassNetwork, ...]:
    """Return the networks, each with a contract of the version that its fields need."""
    return (_grey(), _softmax(), _argmax(), _overlapping(), _twice())


def _contract(channels: tuple[str, ...], normalisation: str, intensity: Intensity | None) -> Contract:
    return Contract(
        variant=VariantSpec(),
        tier="custom",
        target="onnx-fp32",
        layout="NCHW",
        trained_on="phantom",
        schema_version=3,
        channels=channels,
        height=SIDE_PX,
        width=SIDE_PX,
        normalisation=normalisation,
        intensity=intensity,
        licence="Apache-2.0",
    )


def _grey() -> ClassNetwork:
    """One channel, a z-score of each slice, and the probability of one mask."""
    told = _contract((T2,), "z-score", Intensity(pixels="non-zero"))
    return ClassNetwork(
        name="grey",
        contract=replace(told, output="probabilities", threshold=0.4, post_processing=PostProcessing(min_area_px=3)),
        hidden=((1.0, 0.0), (-1.0, 0.0)),
        head=((3.0, -3.0, -2.5),),
        end="Sigmoid",
    )


_EXCLUSIVE = ("background", "oedema", "core")


def _regions(names: Sequence[str], first: int, rules: Sequence[tuple[float, PostProcessing]]) -> tuple[MaskRegion, ...]:
    return tuple(
        MaskRegion(name=name, channels=(first + place,), label=place + 1, threshold=threshold, post_processing=rule)
        for place, (name, (threshold, rule)) in enumerate(zip(names, rules, strict=True))
    )


def _softmax() -> ClassNetwork:
    """Two channels, a z-score over the volume, and a softmax of three classes."""
    told = _contract((_BRIGHT, T2), "z-score", Intensity(over="volume", pixels="non-zero"))
    rules = ((0.5, PostProcessing(min_volume_px=4)), (0.5, PostProcessing(min_area_px=2, min_share=0.5)))
    return ClassNetwork(
        name=SCANNED,
        contract=replace(told, output="softmax", classes=_EXCLUSIVE, regions=_regions(_EXCLUSIVE[1:], 1, rules)),
        hidden=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0)),
        head=((0.0, 0.0, 1.0, 2.0), (3.0, 0.0, 0.0, -3.0), (4.5, 0.5, 0.0, -6.5)),
        end="Softmax",
    )


def _argmax() -> ClassNetwork:
    """Three channels, bytes stretched slice by slice, and the logits of exclusive classes, which come last."""
    told = _contract((_POST, T2, _BRIGHT), "slice", None)
    rules = ((0.5, PostProcessing()), (0.5, PostProcessing(min_volume_px=3)))
    regions = _regions(_EXCLUSIVE[1:], 1, rules)
    whole = MaskRegion(name="whole", channels=(1, 2), label=7, colour=(250, 250, 90))
    return ClassNetwork(
        name="argmax",
        contract=replace(told, classes=_EXCLUSIVE, regions=(whole, *regions), exclusive=True, output_layout="NHWC"),
        hidden=((0.0, 0.0, 1.0, 0.0), (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0)),
        head=((0.0, 0.0, 0.0, 0.5), (8.0, 0.0, 0.0, -5.0), (9.0, 6.0, 0.0, -8.6)),
    )


def _overlapping() -> ClassNetwork:
    """Four channels, percentiles of the volume and then fixed numbers, and int8 logits of three regions.

    Of two of them it is told how far to trust their masks.
    """
    spec = Intensity(
        over="volume", pixels="non-zero", low=1.0, high=99.0, then="mean-std", mean=(0.3,) * 4, std=(0.2,) * 4
    )
    told = _contract((_PRE, _BRIGHT, _POST, T2), "percentile", spec)
    names = ("whole-tumour", "core", "enhancing")
    rules = (
        (0.5, PostProcessing(min_volume_px=6, min_share=0.3)),
        (0.35, PostProcessing(min_area_px=2)),
        (0.6, PostProcessing(min_share=1.0)),
    )
    whole, core, enhancing = _regions(names, 0, rules)
    regions = (
        replace(whole, trust=replace(TYPICAL, threshold=whole.threshold)),
        core,
        replace(enhancing, trust=replace(TYPICAL, threshold=enhancing.threshold, look_below=0.99)),
    )
    return ClassNetwork(
        name="overlapping",
        contract=replace(told, target="onnx-int8", profile="arm", classes=names, regions=regions).versioned(),
        codes=((0.02, -50), (0.125, -8)),
        hidden=(
            (0.0, 1.0, 0.0, 0.0, 0.0),
            (0.0, 0.0, 1.0, 0.0, 0.0),
            (0.0, 0.0, 0.0, 1.0, 0.0),
            (1.0, 0.0, 0.0, 0.0, 0.0),
        ),
        head=((2.5, 0.0, 0.0, 0.0, -3.5), (2.5, 1.0, 0.0, 0.0, -6.0), (2.0, 2.0, 0.0, -0.5, -5.0)),
    )


def _twice() -> ClassNetwork:
    """Three channels, and the mean of two passes of a network that sees what lies to the left, and not to the right."""
    told = _contract((_PRE, _BRIGHT, _POST), "unit", None)
    return ClassNetwork(
        name="twice",
        contract=replace(told, passes=2, threshold=0.6, post_processing=PostProcessing(min_volume_px=3)),
        hidden=((0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0)),
        head=((9.0, 5.0, -3.0),),
        columns=(3.0, 0.0, 0.0),
    )
