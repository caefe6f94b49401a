"""A TensorFlow function as an ONNX graph, by tf2onnx: the one function of edgeseg's own that converts with it.

tf2onnx asks for a maintainer, and its makers test it up to TensorFlow 2.15. So what it cannot write is named here by
operation and layer, and docs/measured/converters.md says what else could write these networks. (Whoever brings a
SavedModel has it read by tf2onnx's command line, in a process of its own: `edgeseg.foreign.saved_model`.)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from edgeseg.errors import ArtifactError, one_line
from edgeseg.quiet import quiet

_OPERATION = re.compile(r"\bOP=(\w+)")
_NO_FORM = "it has no form in ONNX"
Broken = tuple[str, str, str]
"""A node's name, its operation, and why it cannot be written."""
_NOT_MAPPED, _RAISED = "Tensorflow op [", "Failed to convert node"


def converted(function: Any, *, opset: int, image: str, layer_of: Callable[[str], str | None]) -> Any:
    """Convert a concrete function with one input, NHWC, and one output to an ONNX model with both as NCHW.

    Args:
        function: a `tf.function` with an `input_signature`.
        opset: of the model.
        image: the name of its input.
        layer_of: names the layer that a converted node came from, None where there is none.

    Raises:
        ArtifactError: naming the first operation that cannot be written, and its layer.
    """
    import onnx
    import tf2onnx

    heard, log = _Heard(), logging.getLogger("tf2onnx")
    log.addHandler(heard)
    try:
        with quiet():
            proto, _ = tf2onnx.convert.from_function(
                function,
                input_signature=function.input_signature,
                opset=opset,
                inputs_as_nchw=[f"{image}:0"],
                outputs_as_nchw=["Identity:0"],
            )
    except Exception as error:
        raise _refusal(heard.broken or [("", "", one_line(error))], layer_of) from error
    finally:
        log.removeHandler(heard)
    nodes = proto.graph.node
    strange = [(node.name, node.op_type, _NO_FORM) for node in nodes if not onnx.defs.has(node.op_type, node.domain)]
    if broken := heard.broken or strange:
        raise _refusal(broken, layer_of)
    return proto


class _Heard(logging.Handler):
    """Keeps which nodes tf2onnx complains of: `broken` are their names, operations and reasons.

    It goes on behind a node that it failed to convert, so that nothing is raised.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.broken: list[Broken] = []

    def emit(self, record: logging.LogRecord) -> None:
        given = record.args if isinstance(record.args, tuple) else ()
        if str(record.msg).startswith(_NOT_MAPPED) and len(given) == 2:
            self.broken.append((str(given[0]), str(given[1]), _NO_FORM))
        if str(record.msg).startswith(_RAISED) and len(given) == 3:
            found = _OPERATION.search(str(given[2]))
            raised = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
            why = one_line(raised) if isinstance(raised, Exception) else "no reason given"
            self.broken.append((str(given[0]), found[1] if found else "unknown", why))


def _refusal(broken: list[Broken], layer_of: Callable[[str], str | None]) -> ArtifactError:
    name, operation, why = broken[0]
    if not name:
        return ArtifactError(
            f"tf2onnx cannot convert the network ({why}); install the versions in requirements.lock, or leave targets "
            "of ONNX and ORT out"
        )
    layer = layer_of(name)
    place = f"layer '{layer}'" if layer else f"node '{name}'"
    return ArtifactError(
        f"tf2onnx cannot write the operation {operation} of {place} ({why}); write that layer with others, give the "
        "network as .onnx, or leave targets of ONNX and ORT out"
    )
