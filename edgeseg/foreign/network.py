"""From somebody's file to a network of one logit for each pixel, and from a run back to that network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.artifacts import sha256_file
from edgeseg.backend import load_keras
from edgeseg.errors import ArtifactError, CheckpointError, EdgeSegError, OperationError, one_line
from edgeseg.foreign import graph
from edgeseg.foreign.bounds import takes_bytes
from edgeseg.foreign.contract_file import ForeignContract, check_document
from edgeseg.foreign.flat import FlatGraph, choose_output, flatten
from edgeseg.foreign.graph import Draft
from edgeseg.foreign.head import Head, look_at, one_logit
from edgeseg.foreign.head_rules import HeadWish
from edgeseg.foreign.keras_config import safe_config
from edgeseg.foreign.keras_file import KerasFile, read_hdf5, read_keras
from edgeseg.foreign.onnx_file import OnnxGraph, read_onnx_graph
from edgeseg.foreign.onnx_keras import keras_network
from edgeseg.foreign.recognise import Kind, recognise
from edgeseg.foreign.run_contract import run_contract, usual_channels, usual_scale
from edgeseg.foreign.saved_model import onnx_of
from edgeseg.place import scratch
from edgeseg.quiet import quiet
from edgeseg.runtime.model_files import model_files
from edgeseg.specs import VariantSpec
from edgeseg.specs.foreign import ForeignRecord

GRAPH = "onnx_graph"
"""The array that holds an ONNX file, `(bytes,) uint8`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForeignNetwork:
    """A network as a run keeps it: `model` gives one logit for each pixel, `arrays` are what the run stores.

    `model` is a Keras network, or an `edgeseg.targets.graph.GraphNetwork` where Keras has no layers for it.
    """

    model: Any
    record: ForeignRecord
    arrays: dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Source:
    graph: FlatGraph
    framework: str
    onnx: OnnxGraph | None = None
    draft: Draft | None = None
    not_keras: str = ""


def source_files(path: Path) -> tuple[Path, ...]:
    """Return all files of somebody's network, its own first: those beside an ONNX graph, those of a SavedModel."""
    if path.is_dir():
        inside = sorted(file for file in path.rglob("*") if file.is_file())
        return (path / "saved_model.pb", *(file for file in inside if file != path / "saved_model.pb"))
    return model_files(path) if recognise(path) is Kind.ONNX else (path,)


def read_network(
    path: Path,
    given: ForeignContract,
    variant: VariantSpec,
    *,
    size: tuple[int, int] | None,
    output: str | None,
    not_keras: str = "",
) -> ForeignNetwork:
    """Read somebody's network.

    An ONNX graph becomes a Keras network where there is a layer for each of its operations; else it stays a graph.

    Args:
        path: the file, or the folder of a SavedModel.
        given: what the user says of it.
        variant: names it.
        size: (height, width), which goes before that of `given`.
        output: the name of the output that is the mask, likewise.
        not_keras: why an ONNX graph is to stay one, whatever its operations are.

    Raises:
        ArtifactError: when no network can be read from it; says what it is.
        ContractError: when `given` contradicts the graph.
        OptionError: when something must be said that is not.
    """
    load_keras()
    kind = recognise(path)
    with quiet():
        source = _source(path, kind, size or given.pixels, not_keras)
        layout = "NCHW" if source.onnx and not source.onnx.channels_last else "NHWC"
        check_document(path, given, layout)
        name, tensor = choose_output(source.graph, path, output or given.output_name)
        model, head = _headed(source, name, tensor, path, given.head)
    files = source_files(path)
    record = ForeignRecord(
        kind=kind.value,
        file=path.name,
        size_bytes=sum(file.stat().st_size for file in files),
        sha256=sha256_file(files[0]),
        framework=source.framework,
        output=name,
        channels=head.channels,
        head=head.kind,
        foreground=head.masks.foreground,
        contract=run_contract(source.graph, given, variant, path, head.kind, head.masks),
        classes=given.classes or head.masks.classes,
        input_factor=source.graph.input_factor,
        layout=layout,
        notes=(*_graph_notes(source), *_input_notes(source.graph), *head.notes),
        architecture="" if source.onnx else model.to_json(),
        not_keras=source.not_keras,
    )
    return ForeignNetwork(model=model, record=record, arrays=_arrays(model, source.onnx, path))


def complete(
    path: Path, given: ForeignContract, *, size: tuple[int, int] | None, output: str | None
) -> tuple[ForeignContract, tuple[str, ...], int]:
    """Fill in what the graph of somebody's network tells, and say in sentences what its owner still has to.

    The number is that of the channels of its output.

    Raises:
        ArtifactError: when no network can be read from the file.
        OptionError: when the size of the image must be said before anything can be, or the output.
    """
    load_keras()
    with quiet():
        source = _source(path, recognise(path), size or given.pixels)
        name, tensor = choose_output(source.graph, path, output or given.output_name)
        if source.draft is not None:
            kind, channels = graph.look_at(source.draft, name)
        else:
            kind, channels = look_at(tensor, source.graph.image, path)
    height, width, depth = source.graph.image.shape[1:4]
    end = kind or "no sigmoid or softmax"
    facts = [
        f"File: {path.name}",
        f"Output '{name}': {channels} channel(s), {end} at the end.",
    ]
    if depth != len(given.channels):
        facts.append(f"TO BE SAID: it takes {depth} channel(s); name them under channels.")
    if (channels > 2 or (channels == 2 and kind == "sigmoid")) and not (given.foreground or given.regions):
        facts.append("TO BE SAID: which of its channels are the mask; complete foreground, or regions for several.")
    if channels > 1 and not kind and given.exclusive is None:
        facts.append("TO BE SAID, of several masks: whether one class wins each pixel; complete exclusive.")
    found = replace(
        given,
        size=(height, width),
        channels=given.channels if depth == len(given.channels) else usual_channels(depth),
        output=kind or given.output,
        output_name=name if len(source.graph.outputs) > 1 else None,
        scale=usual_scale(source.graph) if given.scale is None else given.scale,
    )
    return found, tuple(facts), channels


def rebuild(record: ForeignRecord, arrays: Mapping[str, NDArray[Any]], path: Path) -> Any:
    """Build the network of a run again; one that came from Keras has no weights yet.

    Raises:
        CheckpointError: when the run holds no network.
    """
    keras = load_keras()
    if record.architecture:
        config = safe_config(json.loads(record.architecture), path, version="3")
        with quiet():
            return keras.models.model_from_json(json.dumps(config))
    if GRAPH not in arrays:
        raise CheckpointError(f"{path} lacks its network ('{GRAPH}'); import it again with edgeseg import")
    with scratch("onnx") as folder, quiet():
        file = folder / "network.onnx"
        file.write_bytes(arrays[GRAPH].tobytes())
        source = _of_onnx(read_onnx_graph(file), path, record.not_keras)
        wish = HeadWish(
            output=None if record.head == "logits" else record.head,
            foreground=record.foreground,
            regions=record.contract.regions,
            exclusive=record.contract.exclusive if record.contract.regions else None,
        )
        name, tensor = choose_output(source.graph, path, record.output)
        return _headed(source, name, tensor, path, wish)[0]


def _source(path: Path, kind: Kind, size: tuple[int, int] | None, not_keras: str = "") -> _Source:
    if kind is Kind.ONNX:
        return _of_onnx(read_onnx_graph(path, size=size), path, not_keras)
    if kind is Kind.SAVED_MODEL:
        with scratch("saved-model") as folder:
            onnx = read_onnx_graph(onnx_of(path, folder), size=size, shown=path)
            return replace(_of_onnx(onnx, path, not_keras), framework="tensorflow")
    file: KerasFile = read_hdf5(path) if kind is Kind.HDF5 else read_keras(path)
    return _Source(graph=flatten(file.model, path, size=size), framework=file.framework)


def _of_onnx(onnx: OnnxGraph, path: Path, not_keras: str = "") -> _Source:
    """Make a Keras network of an ONNX graph; it stays one where that is asked for, or there are no layers for it."""
    version = onnx.proto.producer_version.split(" None")[0]  # as tf2onnx writes it where it has no commit
    producer = f"{onnx.proto.producer_name} {version}".strip()
    try:
        if not_keras:
            raise OperationError(not_keras)
        model = _converted(onnx)
    except OperationError as error:
        draft = graph.Draft(onnx, path)
        image = graph.Shaped(shape=(None, *draft.size, draft.channels))
        shown = {name: draft.shown(name) for name in draft.outputs}
        flat = FlatGraph(image=image, outputs=shown, takes_bytes=graph.takes_bytes(draft))
        return _Source(graph=flat, framework=producer, onnx=onnx, draft=draft, not_keras=str(error))
    outputs = dict(zip(onnx.outputs, model.outputs, strict=True))
    raw = onnx.bytes_in or takes_bytes(model.inputs[0], model.outputs)
    flat = FlatGraph(image=model.inputs[0], outputs=outputs, takes_bytes=raw)
    return _Source(graph=flat, framework=producer, onnx=onnx)


def _converted(onnx: OnnxGraph) -> Any:
    """Make a Keras network of an ONNX graph.

    Raises:
        OperationError: when there are no layers for it, or they do not fit together.
        ArtifactError: when the file is no network.
    """
    try:
        return keras_network(onnx)
    except EdgeSegError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {one_line(error)}"
        raise OperationError(f"the Keras layers that edgeseg has for it do not fit together ({what})") from error


def _headed(source: _Source, name: str, tensor: Any, path: Path, wish: HeadWish) -> tuple[Any, Head | graph.GraphHead]:
    """Bring the chosen output down to one logit for each pixel; returns the network and what the output was."""
    if source.draft is not None:
        found = graph.one_logit(source.draft, name, wish)
        return graph.graph_network(source.draft, found.logits, source.not_keras), found
    head = one_logit(tensor, source.graph.image, path, wish)
    return _model(source.graph.image, head.logits), head


def _model(image: Any, logits: Any) -> Any:
    import keras

    return keras.Model(image, logits, name="network")


def _arrays(model: Any, onnx: OnnxGraph | None, path: Path) -> dict[str, NDArray[Any]]:
    """Return what a run stores of a network.

    Raises:
        ArtifactError: when a weight is no number; infinities stand in the masks of sound ONNX graphs.
    """
    if onnx is not None:
        floats = {name: values for name, values in onnx.constants.items() if values.dtype.kind == "f"}
        _check_numbers({name: ~np.isnan(values) for name, values in floats.items()}, path)
        return {GRAPH: np.frombuffer(onnx.proto.SerializeToString(deterministic=True), np.uint8)}
    arrays = {weight.path: np.asarray(weight, np.float32) for weight in model.weights}
    _check_numbers({name: np.isfinite(array) for name, array in arrays.items()}, path)
    return arrays


def _check_numbers(sound: Mapping[str, NDArray[np.bool_]], path: Path) -> None:
    if bad := [name for name, values in sound.items() if not values.all()]:
        raise ArtifactError(
            f"{path}: the weights '{bad[0]}' hold NaN or infinity; the network did not train well, or is damaged, so "
            "give an earlier state of it, or copy it again"
        )


def _graph_notes(source: _Source) -> tuple[str, ...]:
    if not source.not_keras:
        return ()
    return (f"it stays an ONNX graph, of which onnx-* and ort-* are made and tflite-* cannot be: {source.not_keras}",)


def _input_notes(flat: FlatGraph) -> tuple[str, ...]:
    if flat.takes_bytes:
        return ("its first steps scale bytes down, so it is given bytes as they are",)
    if flat.input_factor == 1.0:
        return ()
    return (f"its first layer, which multiplies by {flat.input_factor:g}, is done while bytes become numbers",)
