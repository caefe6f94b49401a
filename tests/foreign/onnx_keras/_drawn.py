"""Small ONNX graphs, one for each operation, with the weights drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, save

Drawing = tuple[list[Any], dict[str, Any], tuple[int, ...]]
IMAGE = (1, 3, 32, 32)
node = helper.make_node
_RANDOM = np.random.default_rng(1)


def weights(*shape: int) -> NDArray[np.float32]:
    """Draw weights."""
    return (_RANDOM.normal(size=shape) * 0.2).astype(np.float32)


def whole(*values: int) -> NDArray[np.int64]:
    """Stored whole numbers, such as a shape."""
    return np.array(values, np.int64)


def number(value: float) -> Any:
    """One stored number."""
    return np.float32(value).reshape(())


def write(drawing: Drawing, path: Path, *, opset: int = 17, outputs: tuple[str, ...] = ("y",)) -> Path:
    """Write a graph from `x` to `y`."""
    nodes, stored, image = drawing
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in stored.items()],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), str(path))
    return path


def _transposed(kernel: int, stride: int, pad: int, more: int) -> Drawing:
    options: dict[str, Any] = {"strides": [stride] * 2, "pads": [pad] * 4, "output_padding": [more] * 2}
    stored = {"w": weights(3, 5, kernel, kernel), "b": weights(5)}
    return [node("ConvTranspose", ["x", "w", "b"], ["y"], **options)], stored, IMAGE


def _pool(kernel: int, stride: int, pad: int, ceil: int) -> Drawing:
    options = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4, "ceil_mode": ceil}
    return [node("MaxPool", ["x"], ["y"], **options)], {}, (1, 3, 33, 31)


def _average(kernel: int, stride: int, pad: int, ceil: int, counted: int) -> Drawing:
    nodes, stored, image = _pool(kernel, stride, pad, ceil)
    options = {a.name: helper.get_attribute_value(a) for a in nodes[0].attribute}
    return [node("AveragePool", ["x"], ["y"], count_include_pad=counted, **options)], stored, image


def _resize(mode: str, where: str, factor: float, rounding: str = "floor") -> Drawing:
    options = {"mode": mode, "coordinate_transformation_mode": where, "nearest_mode": rounding}
    stored = {"s": np.array([1, 1, factor, factor], np.float32)}
    return [node("Resize", ["x", "", "s"], ["y"], **options)], stored, IMAGE


def _plain(*nodes: Any, **stored: Any) -> Drawing:
    return list(nodes), stored, IMAGE


def _group_norm() -> Drawing:
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("Reshape", ["c", "in"], ["r"]),
        node("InstanceNormalization", ["r", "one", "zero"], ["i"]),
        node("Reshape", ["i", "out"], ["q"]),
        node("Mul", ["q", "m"], ["k"]),
        node("Add", ["k", "n"], ["y"]),
    ]
    stored: dict[str, Any] = {"w": weights(8, 3, 1, 1), "in": whole(0, 4, -1), "out": whole(1, 8, 32, 32)}
    ends = {"one": np.ones(4, np.float32), "zero": np.zeros(4, np.float32)}
    return nodes, {**stored, **ends, "m": weights(8, 1, 1), "n": weights(8, 1, 1)}, IMAGE


def _squeeze_and_excite() -> Drawing:
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("GlobalAveragePool", ["c"], ["g"]),
        node("Flatten", ["g"], ["f"]),
        node("Gemm", ["f", "m", "mb"], ["h"], transB=1),
        node("Relu", ["h"], ["r"]),
        node("Gemm", ["r", "n"], ["k"]),
        node("Sigmoid", ["k"], ["s"]),
        node("Reshape", ["s", "out"], ["t"]),
        node("Mul", ["c", "t"], ["y"]),
    ]
    stored = {"w": weights(8, 3, 1, 1), "m": weights(2, 8), "mb": weights(2), "n": weights(2, 8)}
    return nodes, {**stored, "out": whole(1, 8, 1, 1)}, IMAGE


def _attention() -> Drawing:
    nodes = [
        node("Conv", ["x", "w"], ["c"], strides=[4, 4]),
        node("Reshape", ["c", "flat"], ["r"]),
        node("Transpose", ["r"], ["k"], perm=[0, 2, 1]),
        node("MatMul", ["k", "r"], ["m"]),
        node("Softmax", ["m"], ["p"], axis=-1),
        node("MatMul", ["p", "k"], ["o"]),
        node("MatMul", ["o", "v"], ["l"]),
        node("Transpose", ["l"], ["t"], perm=[0, 2, 1]),
        node("Reshape", ["t", "back"], ["y"]),
    ]
    stored = {"w": weights(8, 3, 1, 1), "v": weights(8, 8), "flat": whole(1, 8, -1), "back": whole(1, 8, 8, 8)}
    return nodes, stored, IMAGE


def _gelu() -> Drawing:
    return _plain(
        node("Div", ["x", "root"], ["d"]),
        node("Erf", ["d"], ["e"]),
        node("Add", ["e", "one"], ["p"]),
        node("Mul", ["x", "p"], ["q"]),
        node("Mul", ["q", "half"], ["y"]),
        root=number(2**0.5),
        one=number(1),
        half=number(0.5),
    )


def _spatial_attention() -> Drawing:
    return _plain(
        node("ReduceMean", ["x"], ["a"], axes=[1], keepdims=1),
        node("ReduceMax", ["x"], ["b"], axes=[1], keepdims=1),
        node("Concat", ["a", "b"], ["c"], axis=1),
        node("Conv", ["c", "w"], ["d"], pads=[3] * 4),
        node("Sigmoid", ["d"], ["s"]),
        node("Mul", ["x", "s"], ["y"]),
        w=weights(1, 2, 7, 7),
    )


def _stacked_sum() -> Drawing:
    return _plain(
        node("Relu", ["x"], ["r"]),
        node("Unsqueeze", ["x", "zero"], ["a"]),
        node("Unsqueeze", ["r", "zero"], ["b"]),
        node("Concat", ["a", "b"], ["c"], axis=0),
        node("ReduceSum", ["c", "zero"], ["y"], keepdims=0),
        zero=whole(0),
    )


def _affine() -> Drawing:
    return _plain(
        node("Sub", ["x", "m"], ["a"]),
        node("Div", ["a", "s"], ["b"]),
        node("Clip", ["b", "low", "high"], ["c"]),
        node("Mul", ["c", "map"], ["y"]),
        m=weights(1, 3, 1, 1),
        s=np.abs(weights(3, 1, 1)) + 0.5,
        low=number(0),
        high=number(6),
        map=weights(1, 1, 32, 32),
    )


def _one(kind: str, **options: Any) -> Drawing:
    return _plain(node(kind, ["x"], ["y"], **options))


def _reduced(kind: str) -> Drawing:
    return _plain(node(f"Reduce{kind}", ["x"], ["n"], axes=[1], keepdims=1), node("Mul", ["x", "n"], ["y"]))


def _steps() -> Drawing:
    rounded = [node(kind, ["x"], [kind]) for kind in ("Floor", "Ceil", "Sign")]
    return _plain(*rounded, node("Mean", ["Floor", "Ceil", "Sign"], ["y"]))


def _gated(kind: str, **options: Any) -> Drawing:
    return _plain(node(kind, ["x"], ["s"], **options), node("Mul", ["x", "s"], ["y"]))


DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "conv": lambda: _plain(
        node("Conv", ["x", "w", "b"], ["a"], pads=[1] * 4, strides=[2, 2]),
        node("Conv", ["a", "v"], ["y"], pads=[2] * 4, dilations=[2, 2], group=2),
        w=weights(8, 3, 3, 3),
        b=weights(8),
        v=weights(6, 4, 3, 3),
    ),
    "depthwise": lambda: _plain(
        node("Conv", ["x", "w"], ["y"], group=3, strides=[2, 2], pads=[1] * 4), w=weights(6, 1, 3, 3)
    ),
    "auto-pad": lambda: _plain(
        node("Conv", ["x", "w"], ["y"], strides=[2, 2], auto_pad="SAME_LOWER"), w=weights(6, 3, 3, 3)
    ),
    **{
        f"transposed-{k}-{s}-{p}-{m}": partial(_transposed, k, s, p, m)
        for k, s, p, m in ((2, 2, 0, 0), (3, 2, 1, 1), (4, 2, 1, 0), (3, 1, 1, 0), (2, 3, 0, 0), (5, 2, 1, 0))
    },
    "transposed-groups": lambda: _plain(
        node("Conv", ["x", "v"], ["a"]),
        node("ConvTranspose", ["a", "w", "b"], ["y"], strides=[2, 2], group=2),
        v=weights(4, 3, 1, 1),
        w=weights(4, 3, 2, 2),
        b=weights(6),
    ),
    **{
        f"max-pool-{k}-{s}-{p}-{c}": partial(_pool, k, s, p, c)
        for k, s, p, c in ((3, 2, 1, 0), (2, 2, 0, 1), (3, 2, 0, 1), (5, 1, 2, 0))
    },
    "average-pool-counted": lambda: _one(
        "AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, count_include_pad=1
    ),
    "average-pool": lambda: _one("AveragePool", kernel_shape=[3, 3], pads=[1] * 4),
    **{
        f"average-pool-{k}-{s}-{p}-{ceil}-{counted}": partial(_average, k, s, p, ceil, counted)
        for k, s, p, ceil in ((3, 2, 1, 0), (2, 2, 0, 1), (3, 2, 1, 1), (3, 2, 0, 1))
        for counted in (0, 1)
    },
    **{
        f"{mode}-{where}-{factor}-{rounding}": partial(_resize, mode, where, factor, rounding)
        for mode, roundings in (("nearest", ("floor", "round_prefer_floor")), ("linear", ("floor",)))
        for where in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
        for factor in (2, 1.5, 0.5)
        for rounding in roundings
    },
    "instance-norm": lambda: _plain(node("InstanceNormalization", ["x", "a", "b"], ["y"]), a=weights(3), b=weights(3)),
    "group-norm": _group_norm,
    "batch-norm": lambda: _plain(
        node("BatchNormalization", ["x", "a", "b", "m", "v"], ["y"]),
        a=weights(3),
        b=weights(3),
        m=weights(3),
        v=np.abs(weights(3)) + 0.1,
    ),
    "layer-norm": lambda: _plain(
        node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]),
        node("LayerNormalization", ["t", "a", "b"], ["l"], axis=-1),
        node("Transpose", ["l"], ["y"], perm=[0, 3, 1, 2]),
        a=weights(3),
        b=weights(3),
    ),
    "squeeze-and-excite": _squeeze_and_excite,
    "attention": _attention,
    "gelu": _gelu,
    "spatial-attention": _spatial_attention,
    "stacked-sum": _stacked_sum,
    "affine": _affine,
    "silu": lambda: _gated("Sigmoid"),
    "hard-swish": lambda: _gated("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard-sigmoid": lambda: _one("HardSigmoid"),
    "leaky-relu": lambda: _one("LeakyRelu", alpha=0.2),
    "elu": lambda: _one("Elu", alpha=0.7),
    "prelu": lambda: _plain(node("PRelu", ["x", "a"], ["y"]), a=weights(3, 1, 1)),
    "softmax": lambda: _one("Softmax", axis=1),
    "log-softmax": lambda: _one("LogSoftmax", axis=1),
    "celu": lambda: _one("Celu", alpha=0.5),
    "tanh": lambda: _one("Tanh"),
    "pad-reflect": lambda: _plain(node("Pad", ["x", "p"], ["y"], mode="reflect"), p=whole(0, 0, 1, 2, 0, 0, 3, 1)),
    "pad-edge": lambda: _plain(node("Pad", ["x", "p"], ["y"], mode="edge"), p=whole(0, 0, 1, 2, 0, 0, 3, 1)),
    "pad-value": lambda: _plain(node("Pad", ["x", "p", "v"], ["y"]), p=whole(0, 0, 1, -2, 0, 0, 3, 1), v=number(1.5)),
    "pad-channels": lambda: _plain(node("Pad", ["x", "p"], ["y"]), p=whole(0, 1, 0, 0, 0, 2, 0, 0)),
    "slice-and-split": lambda: _plain(
        node("Slice", ["x", "s", "e", "a", "t"], ["q"]),
        node("Split", ["q", "parts"], ["u", "v"], axis=1),
        node("Concat", ["v", "u"], ["y"], axis=1),
        s=whole(0, 1),
        e=whole(32, -1),
        a=whole(2, 3),
        t=whole(2, 1),
        parts=whole(1, 2),
    ),
    "backwards": lambda: _plain(
        node("Slice", ["x", "s", "e", "a", "t"], ["y"]), s=whole(-1), e=whole(-40), a=whole(3), t=whole(-1)
    ),
    "gather": lambda: _plain(node("Gather", ["x", "i"], ["y"], axis=1), i=whole(2, 0, -1)),
    "depth-to-space": lambda: _plain(
        node("Conv", ["x", "w"], ["c"]),
        node("DepthToSpace", ["c"], ["d"], blocksize=2),
        node("SpaceToDepth", ["d"], ["y"], blocksize=2),
        w=weights(8, 3, 1, 1),
    ),
    "pixel-shuffle": lambda: _plain(
        node("Conv", ["x", "w"], ["c"]),
        node("DepthToSpace", ["c"], ["y"], blocksize=2, mode="CRD"),
        w=weights(8, 3, 1, 1),
    ),
    "stored-channel": lambda: _plain(node("Concat", ["x", "m"], ["y"], axis=1), m=weights(1, 1, 32, 32)),
    **{f"Reduce{kind}": partial(_reduced, kind) for kind in ("L1", "L2", "LogSumExp", "Prod", "SumSquare")},
    "steps": _steps,
    "tile": lambda: _plain(node("Tile", ["x", "times"], ["y"]), times=whole(1, 2, 1, 3)),
    "max-of-two": lambda: _plain(node("Relu", ["x"], ["r"]), node("Neg", ["x"], ["n"]), node("Max", ["r", "n"], ["y"])),
    "power": lambda: _plain(node("Abs", ["x"], ["a"]), node("Pow", ["a", "e"], ["y"]), e=number(1.5)),
}
