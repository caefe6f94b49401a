"""The file everything starts from, measured: the full-width U-Net with Adam's state, as Keras saves it in HDF5."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg import artifacts, targets
from edgeseg.backend import load_keras
from edgeseg.errors import MissingExtraError, ModelError, OutputError
from edgeseg.jsonio import JsonFormatError, from_json, to_json
from edgeseg.place import cache_dir, scratch
from edgeseg.progress import Say
from edgeseg.quiet import quiet
from edgeseg.results import RESULT_SCHEMA_VERSION, BaselineResult, Environment, LatencyResult, NetworkTiming
from edgeseg.specs import Contract, VariantSpec
from edgeseg.stages.bench import time_artifacts
from edgeseg.stages.environment import environment, load_average
from edgeseg.stages.predict import Predictor
from edgeseg.targets import KerasPredictor
from edgeseg.variants import build_model, census

logger = logging.getLogger(__name__)

BASELINE_VARIANT = VariantSpec(name="unet", alpha=1.0, stem="full")
LATENCY_BUDGET_S = 20.0
RUNS, WARMUP_RUNS = 100, 10
BYTES_PER_WEIGHT = 4
COPIES_WITH_ADAM = 3


def measure_original(
    *,
    variant: VariantSpec = BASELINE_VARIANT,
    threads: int = 2,
    budget_s: float = LATENCY_BUDGET_S,
    force: bool = False,
    say: Say | None = None,
) -> BaselineResult:
    """Return the measured baseline, from the cache where host, versions and options are unchanged.

    The file is saved whole in a temporary folder, its size is read, and it is deleted. What was measured while others
    kept the processors busy is measured anew once they do not.

    Args:
        variant: the network; the full-width U-Net unless given.
        threads: of the runtime that times it.
        budget_s: seconds of counted calls for the latency.
        force: measure anew even if the cache holds it.
        say: called with a line before each step.

    Raises:
        MissingExtraError: when Keras is not installed.
        OutputError: when the temporary folder lacks the room.
    """
    here = environment()
    place = _cache_place(variant, here, threads, budget_s)
    if not force and (known := _read_cache(place)) is not None and (_busy(load_average()) or not known[1]):
        return known[0]
    report = say or logger.info
    report(f"building {variant.slug} at full width with Adam's state")
    keras = load_keras()
    model = build_model(variant, keras=keras)
    parameters = census(model).parameters
    with scratch("baseline") as folder:
        _require_room(folder, parameters)
        report("saving it as .hdf5 to measure the file")
        size, weights_size = file_sizes(keras, model, folder)
    report(f"timing it for up to {budget_s:g} s")
    load = load_average()
    latency = time_model(model, variant, artifact=f"{variant.slug} baseline", threads=threads, budget_s=budget_s)
    result = BaselineResult(
        variant=variant.slug,
        parameters=parameters,
        size_bytes=size,
        weights_size_bytes=weights_size,
        derivation=_derivation(variant, parameters, size, weights_size, latency, here, load),
        latency=latency,
        environment=here,
    )
    told = to_json(result)
    kept = _Kept(result=told, sha256=artifacts.sha256_bytes(told.encode()), busy=_busy(load))
    artifacts.write_text(place, to_json(kept))
    return result


def _busy(load: float | None) -> bool:
    """Whether more wanted to run than there are processors."""
    return load is not None and load > (os.cpu_count() or 1)


def file_sizes(keras: Any, model: Any, folder: Path) -> tuple[int, int]:
    """Save a model as `.hdf5` with Adam's state and without it; return both sizes in bytes, and delete the files.

    Adam's two moments exist only once the optimizer is built, which training's first step does and this does here.
    """
    optimizer = keras.optimizers.Adam()
    model.compile(optimizer=optimizer)
    optimizer.build(model.trainable_variables)
    sizes = []
    for name, with_optimizer in (("checkpoint.hdf5", True), ("weights.hdf5", False)):
        path = folder / name
        try:
            with quiet():
                model.save(path, include_optimizer=with_optimizer)
            sizes.append(path.stat().st_size)
        except OSError as error:
            raise OutputError(f"cannot save the baseline in {folder}: {error}; free space or set TMPDIR") from error
        finally:
            path.unlink(missing_ok=True)
    return sizes[0], sizes[1]


def time_network(
    variant: VariantSpec, *, threads: int = 2, budget_s: float = LATENCY_BUDGET_S, say: Say | None = None
) -> NetworkTiming:
    """Build a network with untrained weights, count it and time it; weights decide nothing about latency.

    Raises:
        MissingExtraError: when Keras is not installed.
    """
    report = say or logger.info
    report(f"building {variant.slug}")
    model = build_model(variant, keras=load_keras())
    counted = census(model)
    report(f"timing {variant.slug} for up to {budget_s:g} s")
    load = load_average()
    latency = time_model(model, variant, artifact=variant.slug, threads=threads, budget_s=budget_s)
    return NetworkTiming(
        variant=variant.slug,
        parameters=counted.parameters,
        macs=counted.macs,
        latency=latency,
        load_average=load,
        environment=environment(),
    )


def time_model(model: Any, variant: VariantSpec, *, artifact: str, threads: int, budget_s: float) -> LatencyResult:
    """Time a built model in ONNX Runtime float, or in Keras where it cannot be converted; the result names which."""
    with scratch("latency") as folder:
        predictor: Predictor
        try:
            predictor = _onnx_predictor(model, variant, folder, threads)
        except (ModelError, MissingExtraError) as error:
            logger.warning("%s is timed in Keras: %s", artifact, error)
            predictor = KerasPredictor(model, _contract(model, variant, "keras-fp32"), threads=threads)
        (latency,) = time_artifacts({artifact: predictor}, runs=RUNS, warmup=WARMUP_RUNS, budget_s=budget_s)
        return latency


def _onnx_predictor(model: Any, variant: VariantSpec, folder: Path, threads: int) -> Predictor:
    target = targets.get("onnx-fp32")
    path = folder / f"timed{target.suffix}"
    target.convert(targets.ConvertJob(model=model, contract=_contract(model, variant, target.name)), path)
    return targets.open_artifact(path, threads=threads)


def _contract(model: Any, variant: VariantSpec, target: str) -> Contract:
    height, width = (int(side) for side in model.input_shape[1:3])
    layout = targets.get(target).layout
    return Contract(
        variant=variant, tier="custom", target=target, layout=layout, height=height, width=width, trained_on="none"
    )


def _cache_place(variant: VariantSpec, here: Environment, threads: int, budget_s: float) -> Path:
    identity = to_json(here, indent=None) + f"{variant}|{threads}|{budget_s}|{platform.node()}|{RESULT_SCHEMA_VERSION}"
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return cache_dir() / f"baseline-{variant.slug}-{key}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A result as JSON, and the SHA-256 of that text: figures that were edited are not taken over.

    `busy` says that others kept the processors busy meanwhile, so that the time is too long.
    """

    result: str
    sha256: str
    busy: bool = False


def _read_cache(place: Path) -> tuple[BaselineResult, bool] | None:
    """Return what the cache holds, and whether it was busy; a file that is absent or damaged is no result."""
    try:
        kept = from_json(_Kept, place.read_bytes())
        if artifacts.sha256_bytes(kept.result.encode()) != kept.sha256:
            logger.warning("the cached baseline %s was changed after it was measured; measuring anew", place)
            return None
        return from_json(BaselineResult, kept.result), kept.busy
    except FileNotFoundError:
        return None
    except (OSError, JsonFormatError) as error:
        logger.warning("the cached baseline %s is damaged or of another version (%s); measuring anew", place, error)
        return None


def _require_room(folder: Path, parameters: int) -> None:
    needed = int(parameters * BYTES_PER_WEIGHT * COPIES_WITH_ADAM * 1.1)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputError(
            f"measuring the baseline needs {needed / 1e6:.0f} MB in {folder.parent}, where {free / 1e6:.0f} MB are "
            "free; free space, or set TMPDIR to another disk"
        )


def _derivation(
    variant: VariantSpec,
    parameters: int,
    size: int,
    weights_size: int,
    latency: LatencyResult,
    here: Environment,
    load: float | None,
) -> str:
    bare = parameters * BYTES_PER_WEIGHT
    copies = bare * COPIES_WITH_ADAM
    return (
        f"{variant.slug} ({parameters:,} parameters) was saved by Keras {here.versions.get('keras', '?')} as .hdf5 "
        f"with Adam's state built: {size:,} bytes ({size / 1e6:.1f} MB, {size / 2**20:.1f} MiB), which is parameters x "
        f"{BYTES_PER_WEIGHT} bytes x {COPIES_WITH_ADAM} (weights and Adam's two moments), {copies:,}, plus "
        f"{size - copies:,} of HDF5 structure. Saved without the optimizer: {weights_size:,} bytes "
        f"({weights_size / 1e6:.1f} MB), which is parameters x {BYTES_PER_WEIGHT} bytes, {bare:,}, plus "
        f"{weights_size - bare:,}. Both files were deleted. Latency: one slice, untrained weights, {latency.runtime}, "
        f"{latency.threads} threads, n = {latency.runs}; load average before it {'unknown' if load is None else load}."
    )
