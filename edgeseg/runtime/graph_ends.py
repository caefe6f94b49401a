"""Whether running an ONNX graph has an end that its size tells: no loops, and no functions that unfold without measure.

Read without the `onnx` package, as `edgeseg.runtime.model_files` does; an If is as good as both its branches.
"""

from __future__ import annotations

import mmap
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from edgeseg.errors import ArtifactError
from edgeseg.runtime.model_files import Span, fields

LOOPS = frozenset(("Loop", "Scan", "SequenceMap"))
MAX_NODES, _DEEPEST = 200_000, 64
_GRAPH_OF_MODEL, _FUNCTION_OF_MODEL = 7, 25
_NODE_OF_GRAPH, _NODE_OF_FUNCTION, _NAME_OF_FUNCTION, _DOMAIN_OF_FUNCTION = 1, 7, 1, 10
_OPERATOR, _DOMAIN, _ATTRIBUTE, _GRAPH_OF_ATTRIBUTE = 4, 7, 5, (6, 11)
_BYTES = 2
_ORT = ".ort"

Name = tuple[str, str]
"""Domain and name of an operator or function."""


def require_end(path: Path) -> None:
    """Refuse a graph that loops, or is larger than networks are once its functions are unfolded.

    Raises:
        ArtifactError: when it does.
        ValueError: when it is damaged; IndexError likewise.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if path.suffix.lower() == _ORT:
            found = {name for name in LOOPS if data.find(len(name).to_bytes(4, "little") + name.encode() + b"\0") >= 0}
            if found:
                raise _loops(path, min(found))
            return
        bodies: dict[Name, _Body] = {}
        main = _Body()
        for number, wire, span in fields(data, (0, len(data))):
            if wire == _BYTES and number == _GRAPH_OF_MODEL:
                main.read(data, span, _NODE_OF_GRAPH, 0)
            elif wire == _BYTES and number == _FUNCTION_OF_MODEL:
                texts = _texts(data, span)
                name = (texts.get(_DOMAIN_OF_FUNCTION, ""), texts.get(_NAME_OF_FUNCTION, ""))
                bodies.setdefault(name, _Body()).read(data, span, _NODE_OF_FUNCTION, 0)
    for body in (main, *bodies.values()):
        if looping := LOOPS & {name for _, name in body.calls}:
            raise _loops(path, min(looping))
    nodes = _unfolded(main, bodies, {}, ())
    if nodes > MAX_NODES:
        raise ArtifactError(
            f"{path}: the graph has more than {MAX_NODES} nodes once its functions are unfolded, or they have no end; "
            "no segmentation network has; export it again"
        )


def _loops(path: Path, name: str) -> ArtifactError:
    return ArtifactError(
        f"{path}: the graph has the operator {name}, which may run without end; a segmentation network needs none; "
        "export it with its loops unrolled"
    )


@dataclass(slots=True)
class _Body:
    """How often a graph or function asks for each operator or function, those in its branches too."""

    calls: Counter[Name] = field(default_factory=Counter)

    def read(self, data: mmap.mmap, span: Span, nodes: int, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError("graphs within graphs have no end")
        for number, wire, node in fields(data, span):
            if wire != _BYTES or number != nodes:
                continue
            texts = _texts(data, node)
            self.calls[(texts.get(_DOMAIN, ""), texts.get(_OPERATOR, ""))] += 1
            for kind, wire_kind, attribute in fields(data, node):
                if wire_kind != _BYTES or kind != _ATTRIBUTE:
                    continue
                for inner, inner_wire, graph in fields(data, attribute):
                    if inner_wire == _BYTES and inner in _GRAPH_OF_ATTRIBUTE:
                        self.read(data, graph, _NODE_OF_GRAPH, depth + 1)


def _texts(data: mmap.mmap, span: Span) -> dict[int, str]:
    """Give the short texts of a message by their numbers, the last of each."""
    return {
        number: data[start:end].decode("utf-8", "replace")
        for number, wire, (start, end) in fields(data, span)
        if wire == _BYTES
        and number in (_NAME_OF_FUNCTION, _OPERATOR, _DOMAIN, _DOMAIN_OF_FUNCTION)
        and end - start < 256
    }


def _unfolded(body: _Body, bodies: dict[Name, _Body], known: dict[Name, int], above: tuple[Name, ...]) -> int:
    """Count nodes with functions unfolded; `MAX_NODES + 1` stands for more, and for functions that call themselves."""
    total = 0
    for name, times in body.calls.items():
        if name in bodies and name not in known:
            endless = name in above or len(above) > _DEEPEST
            known[name] = MAX_NODES + 1 if endless else _unfolded(bodies[name], bodies, known, (*above, name))
        total += times * known.get(name, 1)
    return min(total, MAX_NODES + 1)
