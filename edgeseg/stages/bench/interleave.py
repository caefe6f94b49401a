"""Timing several things in turns, A B C A B C, so that a slow minute of the host hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgeseg.errors import OptionError
from edgeseg.progress import Progress

WARMUP_SHARE = 0.2
Clock = Callable[[], float]
Call = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds of every counted call, in the order of the rounds, and the number of calls before them.

    What ran out of its budget is left out of all later rounds, so the n-th figures of any two belong to one round.
    """

    seconds: dict[str, list[float]]
    warmup_runs: dict[str, int]


def interleave(
    calls: Mapping[str, Call],
    *,
    runs: int,
    warmup: int,
    budget_s: float | None = None,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter,
) -> Timings:
    """Time each call once per round, after a warm-up in the same order.

    With `budget_s` nothing is called again once its counted calls took that long (its warm-up calls: a fifth of it),
    but each has at least one warm-up and one counted call.

    Args:
        calls: name to what is timed.
        runs: counted rounds, at most.
        warmup: rounds that are not counted, at most.
        budget_s: seconds of counted calls for each; None for no limit.
        progress: called after each call, with its name.
        clock: a monotonic clock in seconds.

    Raises:
        OptionError: for a count or a budget that is not positive.
    """
    check_counts(runs, warmup, budget_s)
    total = len(calls) * (warmup + runs)

    def report(done: int, name: str) -> None:
        if progress is not None:
            progress(done, total, name)

    warm_budget = None if budget_s is None else WARMUP_SHARE * budget_s
    warm = _rounds(calls, warmup, warm_budget, clock, report)
    before = len(calls) * warmup
    counted = _rounds(calls, runs, budget_s, clock, lambda done, name: report(before + done, name))
    report(total, "")
    return Timings(seconds=counted, warmup_runs={name: len(times) for name, times in warm.items()})


def check_counts(runs: int, warmup: int, budget_s: float | None) -> None:
    """Refuse counts and budgets that measure nothing.

    Raises:
        OptionError: with the rule.
    """
    if runs < 1:
        raise OptionError(f"runs is {runs}; at least 1 counted run is needed")
    if warmup < 1:
        raise OptionError(
            f"warmup is {warmup}; at least 1 warm-up run is needed, the first call of a runtime is not typical"
        )
    if budget_s is not None and not budget_s > 0:
        raise OptionError(f"the budget is {budget_s} s; it must be positive")


def _rounds(
    calls: Mapping[str, Call],
    rounds: int,
    budget_s: float | None,
    clock: Clock,
    progress: Callable[[int, str], None],
) -> dict[str, list[float]]:
    """Return the seconds of each call; a call drops out of later rounds once its seconds exceed the budget."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    spent = dict.fromkeys(calls, 0.0)
    for round_index in range(rounds):
        for position, (name, call) in enumerate(calls.items(), start=1):
            if budget_s is not None and seconds[name] and spent[name] >= budget_s:
                continue
            start = clock()
            call()
            elapsed = clock() - start
            seconds[name].append(elapsed)
            spent[name] += elapsed
            progress(round_index * len(calls) + position, name)
        if budget_s is not None and all(s >= budget_s for s in spent.values()):
            break
    return seconds
