"""Single-slice latency of several artifacts in one interleaved run, as a build reports it."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.phantom_channels import phantom_channels
from edgeseg.imaging import prepared
from edgeseg.progress import Progress
from edgeseg.results import LatencyResult
from edgeseg.specs import LGG
from edgeseg.stages.bench.interleave import Call, Clock, check_counts, interleave
from edgeseg.stages.predict import Predictor, normalised_logits


def time_artifacts(
    predictors: Mapping[str, Predictor],
    *,
    runs: int = 100,
    warmup: int = 10,
    budget_s: float | None = None,
    seed: int = 0,
    image: NDArray[np.uint8] | None = None,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter,
) -> tuple[LatencyResult, ...]:
    """Time `predictor.logits` on one slice for each artifact, in rounds A B C, A B C, ... after a warm-up.

    One run is one whole `logits` call: bytes in, float logits out, with the normalisation and layout change that the
    artifact needs. The percentiles are over `runs` counted calls. With `budget_s` no artifact starts another call once
    its counted calls took that long (its warm-up calls: a fifth of it), but each has at least one warm-up and one
    counted call; the number that was counted is in the result.

    Args:
        predictors: artifact name to predictor; each says in its contract what size it takes.
        runs: counted calls per artifact, at most.
        warmup: calls per artifact that are not counted, at most.
        budget_s: seconds of counted calls per artifact; None for no limit.
        seed: of the phantom patient whose middle slice is the input.
        image: `(h, w, C) uint8`, in the channels that `to_network` takes, instead of the phantom.
        progress: called after each call, with its name.
        clock: a monotonic clock in seconds.

    Returns:
        One result per artifact, in the order given.

    Raises:
        OptionError: for a count or a budget that is not positive.
    """
    check_counts(runs, warmup, budget_s)
    calls = {
        name: one_slice(p, phantom_slice(seed=seed, channels=p.contract.channels) if image is None else image)
        for name, p in predictors.items()
    }
    timed = interleave(calls, runs=runs, warmup=warmup, budget_s=budget_s, progress=progress, clock=clock)
    return tuple(_result(name, p, timed.seconds[name], timed.warmup_runs[name]) for name, p in predictors.items())


def one_slice(predictor: Predictor, image: NDArray[np.uint8]) -> Call:
    """Return the call that is timed: one slice `(h, w, 3) uint8` through `predictor.logits`.

    It is resampled beforehand, and where the contract normalises by volume its grey values are counted beforehand.
    """
    slices, tables = prepared(image[np.newaxis], predictor.contract)
    return lambda: normalised_logits(predictor, slices, tables)


@functools.cache
def phantom_images(*, seed: int, channels: tuple[str, ...] = LGG.names) -> NDArray[np.uint8]:
    """Return the slices of one phantom patient for a network that takes `channels`, `(N, H, W, C) uint8`, read-only.

    They are made once per process and seed, since a phantom is drawn as a whole volume.
    """
    phantom = PhantomDataset(patients=1, seed=seed, channels=phantom_channels(channels))
    images = phantom.volume(phantom.patients[0]).images
    images.flags.writeable = False
    return images


def phantom_slice(*, seed: int, channels: tuple[str, ...] = LGG.names) -> NDArray[np.uint8]:
    """Return the middle slice of `phantom_images`, `(H, W, C) uint8`, read-only."""
    images = phantom_images(seed=seed, channels=channels)
    middle: NDArray[np.uint8] = images[len(images) // 2]
    return middle


def _result(name: str, predictor: Predictor, seconds: list[float], warmup_runs: int) -> LatencyResult:
    p50, p95 = np.percentile(np.asarray(seconds) * 1e3, (50, 95))
    return LatencyResult(
        artifact=name,
        runtime=predictor.runtime,
        threads=predictor.threads,
        runs=len(seconds),
        warmup_runs=warmup_runs,
        latency_ms_p50=float(p50),
        latency_ms_p95=float(p95),
    )
