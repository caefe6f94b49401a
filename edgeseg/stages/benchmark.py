"""Single-slice latency of several artifacts in one interleaved run, so that a slow minute of the host hits all."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.phantom import PhantomDataset
from edgeseg.errors import OptionError
from edgeseg.imaging import to_network
from edgeseg.results import RESULT_SCHEMA_VERSION, Environment, LatencyResult
from edgeseg.specs import Contract
from edgeseg.stages.predictor import Predictor

WARMUP_SHARE = 0.2
Progress = Callable[[int, int], None]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkResult:
    """What `edgeseg bench` prints: one latency per artifact, the seed of the input slice, and the machine.

    `load_average` is that of the minute before the runs: above 0 other work shared the machine.
    """

    latencies: tuple[LatencyResult, ...]
    seed: int
    load_average: float | None
    environment: Environment
    schema_version: int = RESULT_SCHEMA_VERSION


def benchmark(
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
        image: `(h, w, 3) uint8`, channels = pre, FLAIR, post, to take instead of the phantom.
        progress: called with (calls done, calls planned) after each call.
        clock: a monotonic clock in seconds.

    Returns:
        One result per artifact, in the order given.

    Raises:
        OptionError: for a count or a budget that is not positive.
    """
    _check(runs, warmup, budget_s)
    slice_image = phantom_slice(seed=seed) if image is None else image
    inputs = {name: _network_input(slice_image, p.contract) for name, p in predictors.items()}
    total = len(predictors) * (warmup + runs)

    def report(done: int) -> None:
        if progress is not None:
            progress(done, total)

    warm_budget = None if budget_s is None else WARMUP_SHARE * budget_s
    warm = _rounds(predictors, inputs, warmup, warm_budget, clock, report)
    before = len(predictors) * warmup
    counted = _rounds(predictors, inputs, runs, budget_s, clock, lambda done: report(before + done))
    report(total)
    return tuple(_result(name, p, counted[name], len(warm[name])) for name, p in predictors.items())


@functools.cache
def phantom_slice(*, seed: int) -> NDArray[np.uint8]:
    """Return the middle slice of one phantom patient, `(H, W, 3) uint8`, read-only, channels = pre, FLAIR, post.

    It is made once per process and seed, since a phantom is drawn as a whole volume.
    """
    phantom = PhantomDataset(patients=1, seed=seed)
    images = phantom.volume(phantom.patients[0]).images
    middle: NDArray[np.uint8] = images[len(images) // 2].copy()
    middle.flags.writeable = False
    return middle


def _check(runs: int, warmup: int, budget_s: float | None) -> None:
    if runs < 1:
        raise OptionError(f"runs is {runs}; at least 1 counted run is needed")
    if warmup < 1:
        raise OptionError(
            f"warmup is {warmup}; at least 1 warm-up run is needed, the first call of a runtime is not typical"
        )
    if budget_s is not None and not budget_s > 0:
        raise OptionError(f"the budget is {budget_s} s; it must be positive")


def _network_input(image: NDArray[np.uint8], contract: Contract) -> NDArray[np.uint8]:
    return to_network(image[np.newaxis], contract)


def _rounds(
    predictors: Mapping[str, Predictor],
    inputs: Mapping[str, NDArray[np.uint8]],
    rounds: int,
    budget_s: float | None,
    clock: Clock,
    progress: Callable[[int], None],
) -> dict[str, list[float]]:
    """Return the seconds of each call; an artifact drops out of later rounds once its seconds exceed the budget."""
    seconds: dict[str, list[float]] = {name: [] for name in predictors}
    spent = dict.fromkeys(predictors, 0.0)
    for round_index in range(rounds):
        for position, (name, predictor) in enumerate(predictors.items(), start=1):
            if budget_s is not None and seconds[name] and spent[name] >= budget_s:
                continue
            start = clock()
            predictor.logits(inputs[name])
            elapsed = clock() - start
            seconds[name].append(elapsed)
            spent[name] += elapsed
            progress(round_index * len(predictors) + position)
        if budget_s is not None and all(s >= budget_s for s in spent.values()):
            break
    return seconds


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
