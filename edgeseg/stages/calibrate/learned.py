"""Activation ranges that quantization-aware training learned, in the form that int8 targets of every format take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts, imaging
from edgeseg.backend import load_keras
from edgeseg.checkpoint import Checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.sampler import Sampler
from edgeseg.place import key_for
from edgeseg.regular import stands
from edgeseg.specs import seen_entries
from edgeseg.stages.calibrate.ranges import RecordedRanges, read_ranges
from edgeseg.stages.environment import versions
from edgeseg.stages.predict import checkpoint_contract, network_of
from edgeseg.targets.ranges import LEARNED, ActivationRanges, LayerRange, measure

RANGES_FILE = "ranges.json"
"""Beside a run's weights."""
SLICES = 128
"""How many training slices the layers are measured on whose range is not learned."""


def learned_ranges(
    checkpoint: Checkpoint, learned: Mapping[str, tuple[float, float]], cache: SliceCache
) -> RecordedRanges:
    """Complete learned ranges to those of all layers.

    A layer that passes on what another gives, such as a pooling, takes that one's range. A layer that training did not
    watch, because int8 fuses it with the next one, takes the smallest and largest value over training slices.

    Args:
        checkpoint: the trained weights.
        learned: the range of each watched layer's result, by the layer's name.
        cache: decoded slices of the training patients.
    """
    header = checkpoint.header
    load_keras()
    model = network_of(checkpoint)
    rows = _rows(checkpoint, cache)
    measured = measure(model, _slices(checkpoint, cache, rows), contract=checkpoint_contract(header))
    known = dict(learned)
    for layer in model.layers:
        if type(layer).__name__ in ("MaxPooling2D", "UpSampling2D"):
            source = layer.input._keras_history.operation.name  # noqa: SLF001  (Keras tells it nowhere else)
            if source in known:
                known[layer.name] = known[source]
    layers = tuple(
        LayerRange(layer=entry.layer, low=low, high=high)
        for entry in measured.layers
        for low, high in [_float32(known.get(entry.layer, (entry.low, entry.high)))]
    )
    return RecordedRanges(
        variant=header.variant.slug,
        weights_sha256=artifacts.sha256_file(checkpoint.path),
        data=header.data,
        calibration_sha256=header.data_hash,
        slices=len(rows),
        patients=seen_entries(header.train_patients, key=key_for(header.train_patients)),
        activations=ActivationRanges(method=LEARNED, layers=layers, image=measured.image),
        versions=versions(),
    )


def ranges_beside(weights: Path) -> RecordedRanges | None:
    """Return the learned ranges that lie beside a weights file and belong to it, or None.

    Raises:
        CheckpointError: when the file is damaged.
    """
    path = weights.parent / RANGES_FILE
    found = read_ranges(path) if stands(path) else None
    return found if found is not None and found.weights_sha256 == artifacts.sha256_file(weights) else None


def _rows(checkpoint: Checkpoint, cache: SliceCache) -> NDArray[np.int64]:
    """Every so manieth slice with tumour of the training patients."""
    sampler = Sampler.of(cache, checkpoint.header.train_patients, checkpoint.header.train)
    rows = sampler.tumour_rows
    return rows[:: max(1, len(rows) // SLICES)]


def _slices(checkpoint: Checkpoint, cache: SliceCache, rows: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    contract = checkpoint_contract(checkpoint.header)
    tables, patient, names = None, "", cache.channels.names
    for row in rows:
        owner = cache.slice_name(int(row)).split("/")[0]
        if contract.by_volume and owner != patient:
            patient = owner
            whole = (imaging.to_network(one[np.newaxis], contract, names) for one in cache.volume(patient).images)
            tables = imaging.volume_tables(whole, contract)
        image = np.asarray(cache.images[int(row)])[np.newaxis]
        yield imaging.network_input(image, contract, tables, names)[0]


def _float32(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = (float(np.float32(end)) for end in ends)
    return low, high
