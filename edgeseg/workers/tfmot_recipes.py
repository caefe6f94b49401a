"""The recipes of TensorFlow Model Optimization: magnitude pruning, weight clustering, quantization-aware training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.sampler import Sampler
from edgeseg.results import EpochRecord
from edgeseg.specs import Cluster, Prune
from edgeseg.variants import build_model
from edgeseg.workers.fed_sampler import FedSampler
from edgeseg.workers.job import OnEvent, WorkerAnswer, WorkerJob
from edgeseg.workers.tf_fit import fit
from edgeseg.workers.tf_network import check_same, of_layers, tf_network

CONVOLUTIONS = ("Conv2D", "Conv2DTranspose")
ZEROS = 0.2
"""From this share of zeros on, a kernel counts as pruned, and its zeros stay."""
START = 8
"""Over how many batches the ranges are measured that quantization-aware training begins with."""
Weights = dict[str, list[NDArray[np.float32]]]
"""The arrays of each layer, by its name, in its own order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    weights: Weights
    history: tuple[EpochRecord, ...]
    ranges: dict[str, tuple[float, float]]


def run(job: WorkerJob, say: OnEvent) -> WorkerAnswer:
    """Do a job: read weights, train, write weights.

    Raises:
        CheckpointError: when the weights are damaged.
        TrainingError: when the loss is no longer a number, or the network cannot be written in tf_keras.
    """
    import tf_keras

    tf_keras.utils.set_random_seed(job.train.seed)
    checkpoint = read_checkpoint(Path(job.weights))
    soft = None if job.soft is None else np.load(job.soft, mmap_mode="r", allow_pickle=False)
    sampler = Sampler.of(SliceCache(Path(job.cache)), job.patients, job.train, soft)
    foreign = checkpoint.header.foreign
    if foreign is None or job.probe is None:
        side = job.train.crop_px
        model = build_model(job.train.variant, replace(checkpoint.header.image, height=side, width=side), tf_keras)
        model.set_weights(list(checkpoint.arrays.values()))
    else:
        model = tf_network(foreign.architecture, checkpoint.arrays)
        with np.load(job.probe, allow_pickle=False) as probe:
            check_same(model, probe)
        sampler = FedSampler(
            sampler.cache, sampler.tumour_rows, sampler.empty_rows, sampler.spec, soft, contract=foreign.contract
        )
    made = _recipe(job)(model, sampler, say)
    write_checkpoint(Path(job.out), checkpoint.header, _in_order(model, checkpoint, made.weights))
    return WorkerAnswer(history=made.history, ranges=made.ranges)


def _recipe(job: WorkerJob) -> Callable[[Any, Sampler, OnEvent], _Made]:
    if job.prune is not None:
        spec = job.prune
        return lambda model, sampler, say: _prune(model, sampler, say, spec)
    if job.cluster is not None:
        clusters = job.cluster
        return lambda model, sampler, say: _cluster(model, sampler, say, clusters)
    return _qat


def _prune(model: Any, sampler: Sampler, say: OnEvent, spec: Prune) -> _Made:
    """Prune every convolution but the last, whose few weights make the logits."""
    import tensorflow_model_optimization as tfmot

    keras, sparsity, inner = _keras(), tfmot.sparsity.keras, _inner_convolutions(model, sampler)
    steps = sampler.spec.epochs * sampler.steps_per_epoch
    ramp = max(1, round(spec.ramp * steps))
    schedule = sparsity.PolynomialDecay(
        initial_sparsity=spec.initial_sparsity,
        final_sparsity=spec.sparsity,
        begin_step=0,
        end_step=ramp,
        frequency=max(1, ramp // 50),
    )

    def wrap(layer: Any) -> Any:
        if layer.name in inner:
            return sparsity.prune_low_magnitude(layer, pruning_schedule=schedule)
        return layer

    wrapped = _clone(keras, model, wrap)
    history = fit(wrapped, sampler, say=say, callbacks=[sparsity.UpdatePruningStep()])
    return _Made(weights=_weights(sparsity.strip_pruning(wrapped)), history=history, ranges={})


def _cluster(model: Any, sampler: Sampler, say: OnEvent, spec: Cluster) -> _Made:
    import tensorflow_model_optimization as tfmot

    keras, clustering, inner = _keras(), tfmot.clustering.keras, _inner_convolutions(model, sampler)
    start = {
        "kmeans++": clustering.CentroidInitialization.KMEANS_PLUS_PLUS,
        "linear": clustering.CentroidInitialization.LINEAR,
        "density": clustering.CentroidInitialization.DENSITY_BASED,
    }[spec.centroids]
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster as experimental

    def wrap(layer: Any) -> Any:
        if layer.name not in inner:
            return layer
        values = layer.kernel.numpy()
        return experimental.cluster_weights(
            layer,
            number_of_clusters=min(spec.clusters, len(np.unique(values))),
            cluster_centroids_init=start,
            preserve_sparsity=_pruned(values),
        )

    wrapped = _clone(keras, model, wrap)
    history = fit(wrapped, sampler, say=say)
    return _Made(weights=_weights(clustering.strip_clustering(wrapped)), history=history, ranges={})


def _qat(model: Any, sampler: Sampler, say: OnEvent) -> _Made:
    import tensorflow_model_optimization as tfmot

    masks = {
        layer.name: kernel != 0
        for layer in model.layers
        if type(layer).__name__ in CONVOLUTIONS and _pruned(kernel := layer.kernel.numpy())
    }
    relus = _bare_relus(model)
    wrapped = tfmot.quantization.keras.quantize_model(_fused(model, relus))
    parts = [part for part in wrapped.layers if hasattr(part, "quantize_config")]
    kernels = {part.layer.name: part._weight_vars[0][0] for part in parts if part._weight_vars}  # noqa: SLF001

    class KeepZeros(_keras().callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
            for name, mask in masks.items():
                kernels[name].assign(kernels[name] * mask)

    watched = {relus.get(name, name): ends for name, ends in _watch(parts).items()}
    _start_ranges(model, watched, sampler)
    history = fit(wrapped, sampler, say=say, callbacks=[KeepZeros()] if masks else [])
    weights = {}
    for part in parts:
        held = part.layer
        if held.name in kernels:
            bias = [] if getattr(held, "bias", None) is None else [held.bias.numpy()]
            weights[held.name] = [kernels[held.name].numpy(), *bias]
        elif held.weights:
            weights[held.name] = held.get_weights()
    return _Made(weights=weights, history=history, ranges=_learned(watched))


def _bare_relus(model: Any) -> dict[str, str]:
    """Name the ReLU of each convolution that has one right behind it alone, without batch normalisation in between."""
    plain = [
        layer
        for layer in model.layers
        if type(layer).__name__ == "ReLU" and layer.max_value is None and not layer.negative_slope
    ]
    pairs = ((layer.input._keras_history.layer, layer) for layer in plain)  # noqa: SLF001
    return {
        conv.name: relu.name
        for conv, relu in pairs
        if type(conv).__name__ == "Conv2D" and len(conv.outbound_nodes) == 1
    }


def _fused(model: Any, relus: Mapping[str, str]) -> Any:
    """The same function with those ReLUs inside their convolutions.

    quantize_model leaves the weights of a convolution in float where a ReLU layer stands right behind it. What takes
    the ReLU's place passes its input on, and is not watched.
    """
    keras = _keras()

    def copy(layer: Any) -> Any:
        if layer.name in relus:
            return type(layer).from_config(layer.get_config() | {"activation": "relu"})
        if layer.name in relus.values():
            return keras.layers.Dropout(0.0, name=layer.name)
        return type(layer).from_config(layer.get_config())

    fused = keras.models.clone_model(model, clone_function=copy)
    fused.set_weights(model.get_weights())
    return fused


def _watch(parts: list[Any]) -> dict[str, dict[str, Any]]:
    """The variables `min_var` and `max_var` of each layer whose result quantize_model watches, by the layer's name.

    Of layers that int8 fuses it is the last one. The names are TensorFlow Model Optimization's own and private: there
    is no public way to a learned range.
    """
    found = {}
    for part in parts:
        ends = getattr(part, "_output_quantizer_vars", None)
        if not ends:
            watched = [getattr(a, "_post_activation_vars", None) for a in part._quantize_activations]  # noqa: SLF001
            ends = next(filter(None, watched), None)
        if ends:
            found[part.layer.name] = ends
    return found


def _start_ranges(model: Any, watched: dict[str, dict[str, Any]], sampler: Sampler) -> None:
    """Let the moving averages of the ranges begin with what the network gives on some batches.

    They begin at -6 and 6 otherwise, and forget that so slowly that a short training would still hold it.
    """
    probe = _keras().Model(model.inputs, [model.get_layer(name).output for name in watched])
    batches = [probe(sampler.batch(1, step)[0], training=False) for step in range(min(START, sampler.steps_per_epoch))]
    for values, ends in zip(zip(*batches, strict=True), watched.values(), strict=True):
        ends["min_var"].assign(min(0.0, float(np.mean([np.min(value) for value in values]))))
        ends["max_var"].assign(max(0.0, float(np.mean([np.max(value) for value in values]))))


def _learned(watched: dict[str, dict[str, Any]]) -> dict[str, tuple[float, float]]:
    return {
        name: (min(float(ends["min_var"].numpy()), 0.0), max(float(ends["max_var"].numpy()), 0.0))
        for name, ends in watched.items()
    }


def _clone(keras: Any, model: Any, wrap: Callable[[Any], Any]) -> Any:
    """A network of copies of the layers, some of them wrapped, with the same weights."""
    held = {layer.name: layer.get_weights() for layer in model.layers}

    def copy(layer: Any) -> Any:
        made = type(layer).from_config(layer.get_config())
        if held[layer.name]:
            made.build(layer.input_shape)
            made.set_weights(held[layer.name])
        return wrap(made)

    return keras.models.clone_model(model, clone_function=copy)


def _inner_convolutions(model: Any, sampler: Sampler) -> set[str]:
    """Name the convolutions but the last layer, or where somebody else's network ends otherwise the last of them."""
    names = [layer.name for layer in model.layers if type(layer).__name__ in CONVOLUTIONS]
    last = names[-1:] if isinstance(sampler, FedSampler) else [model.layers[-1].name]
    return set(names) - set(last)


def _pruned(kernel: NDArray[np.float32]) -> bool:
    return float(np.mean(kernel == 0)) >= ZEROS


def _weights(model: Any) -> Weights:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def _in_order(model: Any, checkpoint: Checkpoint, weights: Mapping[str, list[NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Name the arrays as the checkpoint does, in its order, which is that of the network where it is edgeseg's own."""
    if checkpoint.header.foreign is not None:
        paths = of_layers(checkpoint.arrays)
        found = {path: array for layer in paths for path, array in zip(paths[layer], weights[layer], strict=True)}
        return {path: found[path] for path in checkpoint.arrays}
    values = [array for layer in model.layers if layer.weights for array in weights[layer.name]]
    return dict(zip(checkpoint.arrays, values, strict=True))


def _keras() -> Any:
    import tf_keras

    return tf_keras
