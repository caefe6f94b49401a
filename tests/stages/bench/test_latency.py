from __future__ import annotations

from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.data.volume import Volume
from edgeseg.errors import OptionError
from edgeseg.specs import LGG, ChannelSet, Contract, VariantSpec
from edgeseg.stages.bench import latency as stage
from edgeseg.stages.bench.latency import time_artifacts
from edgeseg.stages.environment import cpu_model, environment, usable_cores


@dataclass
class Bench:
    """A clock that only its predictors move, and the order in which they were called."""

    now: float = 0.0
    calls: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now


@dataclass
class Stand:
    """A predictor whose n-th call takes `seconds[n]`, the last of them ever after."""

    bench: Bench
    name: str
    seconds: tuple[float, ...]
    height: int = 32
    threads: int = 3
    numerics: str = "exact"
    runtime: str = "stand 1.0"
    inputs: list[NDArray[np.uint8]] = field(default_factory=list)

    @property
    def contract(self) -> Contract:
        return Contract(
            variant=VariantSpec(),
            tier="t",
            target="onnx-fp32",
            layout="NCHW",
            trained_on="phantom",
            height=self.height,
            width=self.height,
        )

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.bench.now += self.seconds[min(len(self.inputs), len(self.seconds) - 1)]
        self.inputs.append(images)
        self.bench.calls.append(self.name)
        return np.zeros(images.shape[:3], np.float32)


IMAGE = np.full((48, 48, 3), 7, np.uint8)


def test_rounds_are_interleaved_and_warm_up_comes_first() -> None:
    bench = Bench()
    stands = {name: Stand(bench, name, (0.01,)) for name in "abc"}
    results = time_artifacts(stands, runs=3, warmup=2, image=IMAGE, clock=bench.clock)
    assert "".join(bench.calls) == "abc" * 5
    assert [r.artifact for r in results] == ["a", "b", "c"]
    assert all((r.runs, r.warmup_runs, r.threads, r.runtime) == (3, 2, 3, "stand 1.0") for r in results)


def test_warm_up_is_not_counted_and_percentiles_are_over_the_counted_runs() -> None:
    bench = Bench()
    counted = [i / 1000 for i in range(1, 102)]
    stand = Stand(bench, "a", (50.0, 50.0, *counted))
    (result,) = time_artifacts({"a": stand}, runs=101, warmup=2, image=IMAGE, clock=bench.clock)
    assert result.latency_ms_p50 == pytest.approx(51.0)
    assert result.latency_ms_p95 == pytest.approx(96.0)


def test_a_slow_artifact_stops_at_its_budget_and_the_others_go_on() -> None:
    bench = Bench()
    stands = {"slow": Stand(bench, "slow", (1.0,)), "fast": Stand(bench, "fast", (1 / 64,))}
    slow, fast = time_artifacts(stands, runs=50, warmup=10, budget_s=3.0, image=IMAGE, clock=bench.clock)
    assert (slow.runs, slow.warmup_runs) == (3, 1)
    assert (fast.runs, fast.warmup_runs) == (50, 10)


def test_one_call_beyond_the_budget_still_gives_a_figure_with_n_1() -> None:
    bench = Bench()
    (result,) = time_artifacts({"a": Stand(bench, "a", (22.0,))}, budget_s=0.5, image=IMAGE, clock=bench.clock)
    assert (result.runs, result.warmup_runs) == (1, 1)
    assert result.latency_ms_p50 == result.latency_ms_p95 == pytest.approx(22_000)


def test_each_artifact_gets_one_slice_of_its_own_size() -> None:
    bench = Bench()
    stands = {"small": Stand(bench, "small", (0.1,), height=16), "large": Stand(bench, "large", (0.1,), height=64)}
    time_artifacts(stands, runs=1, warmup=1, image=IMAGE, clock=bench.clock)
    assert stands["small"].inputs[0].shape == (1, 16, 16, 3)
    assert stands["large"].inputs[0].shape == (1, 64, 64, 3)
    assert stands["large"].inputs[0].dtype == np.uint8


class Phantoms:
    """In place of `PhantomDataset`, which takes seconds: slice z of seed s holds 10 s + z."""

    made = 0

    def __init__(self, *, patients: int, seed: int, channels: ChannelSet = LGG) -> None:
        self.patients = tuple(f"P{i}" for i in range(patients))
        self.seed = seed

    def volume(self, patient: str) -> Volume:
        type(self).made += 1
        images = np.stack([np.full((48, 48, 3), 10 * self.seed + z, np.uint8) for z in range(5)])
        names = tuple("01234")
        return Volume(patient=patient, institution="", images=images, masks=None, slice_names=names)


def test_the_input_is_the_middle_slice_of_the_seeds_phantom_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "PhantomDataset", Phantoms)
    stage.phantom_images.cache_clear()
    bench = Bench()
    stand = Stand(bench, "a", (0.1,), height=48)
    for _ in range(2):
        time_artifacts({"a": stand}, runs=1, warmup=1, seed=3, clock=bench.clock)
    stage.phantom_images.cache_clear()
    assert {int(images.min()) for images in stand.inputs} == {int(images.max()) for images in stand.inputs} == {32}
    assert Phantoms.made == 1


def test_progress_counts_every_call_and_ends_at_the_total() -> None:
    bench = Bench()
    seen: list[tuple[int, int | None]] = []
    stands = {name: Stand(bench, name, (1.0,)) for name in "ab"}
    time_artifacts(
        stands,
        runs=4,
        warmup=2,
        budget_s=2,
        image=IMAGE,
        clock=bench.clock,
        progress=lambda *at: seen.append(at[:2]),
    )
    assert seen[-1] == (12, 12)
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"runs": 0}, "runs is 0"),
        ({"warmup": 0}, "warmup is 0"),
        ({"budget_s": 0.0}, "positive"),
        ({"budget_s": -1}, "positive"),
    ],
)
def test_counts_and_budgets_that_cannot_be_are_refused(options: dict[str, float], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        time_artifacts({}, image=IMAGE, **options)  # type: ignore[arg-type]


def test_the_environment_names_what_is_installed() -> None:
    here = environment()
    assert here.versions["numpy"] == metadata.version("numpy") == np.__version__
    assert here.cores == usable_cores() >= 1
    assert here.cpu
    assert here.int8_kernels


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("processor\t: 0\nmodel name\t: Some  CPU @ 2GHz\nmodel name\t: Other\n", "Some CPU @ 2GHz"),
        ("processor\t: 0\nBogoMIPS\t: 50\nHardware\t: BCM2835\n", "BCM2835"),
    ],
)
def test_the_cpu_model_comes_from_cpuinfo(tmp_path: Path, text: str, model: str) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert cpu_model(tmp_path / "cpuinfo") == model


def test_the_cpu_has_a_name_without_cpuinfo_too(tmp_path: Path) -> None:
    assert cpu_model(tmp_path / "nothing")
