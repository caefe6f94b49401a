"""Training on several devices: spread as it must be, equal to one device, and clear about what cannot work."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeseg.errors import OptionError
from edgeseg.stages.train.distribute import HOSTS_VARIABLE, Team, gather

TWO_CPUS = "--xla_force_host_platform_device_count=2"
QUICK_TO_COMPILE = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
COMMON = """
import json, sys
from pathlib import Path
from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import EdgeSegError
from edgeseg.specs import TrainSpec, VariantSpec
from edgeseg.stages.train import distribute
from edgeseg.stages.train import train
from edgeseg.variants import blocks
from tests import _shallow

blocks.encoder_decoder = _shallow.encoder_decoder
root = Path(sys.argv[1])
cache = cached(KaggleLgg(root / "lgg"), "key", root=root / "cache")
spec = TrainSpec(
    variant=VariantSpec(name="alphax", alpha=0.0625, stem="half"),
    epochs=2, batch_size=4, crop_px=32, steps_per_epoch=3, warmup_steps=2,
)
seen = []
real = distribute.check_spread

def spy(batch, state, *, devices):
    rows = [[shard.data.shape[0] for shard in array.addressable_shards] for array in batch[:2]]
    weight = state[0][0]
    seen.append({"rows": rows, "weight": [list(s.data.shape) == list(weight.shape) for s in weight.addressable_shards]})
    real(batch, state, devices=devices)

distribute.check_spread = spy

def run(name, devices, **options):
    result = train(
        cache, spec, out=root / name, train_patients=cache.patients[:4], validation_patients=cache.patients[4:],
        backend="jax", validate_every=2, devices=devices, **options,
    )
    return {"loss": [r.loss for r in result.history], "dice": result.history[-1].dice_mean,
            "header": read_checkpoint(root / name).header.devices, "result": result.devices, "sha256": result.sha256}
"""
ONE_AGAINST_TWO = """
found = {"one": run("one", 1), "two": run("two", 2)}
import jax, keras, numpy as np
found["left_behind"] = keras.distribution.distribution() is not None
one, two = read_checkpoint(root / "one").arrays, read_checkpoint(root / "two").arrays
found["apart"] = max(float(np.abs(one[name] - two[name]).max()) for name in one)
found["resumed"] = run("two", 1, resume=True)["sha256"] == found["two"]["sha256"]
found["seen"] = seen
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
everywhere, halves = (jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*a)) for a in ((), ("batch",)))
whole, split = (jax.device_put(np.zeros((4, 2), np.float32), place) for place in (everywhere, halves))
found["refused"] = []
for batch, state in (((split,), [whole]), ((whole,), [whole]), ((split,), [split]), ((split,), [jax.numpy.zeros(3)])):
    try:
        real(batch, state, devices=2)
        found["refused"].append("")
    except EdgeSegError as error:
        found["refused"].append(str(error))
try:
    run("three", 4)
except EdgeSegError as error:
    found["too_many"] = str(error)
print(json.dumps(found))
"""
ONE_OF_MANY = """
print(json.dumps({**run("many", 2), "seen": seen}))
"""


def _start(code: str, root: Path, flags: str = "", **variables: str) -> subprocess.Popen[str]:
    quick = {"OMP_NUM_THREADS": "1", "XLA_FLAGS": f"{QUICK_TO_COMPILE} {flags}"}
    environment = {**os.environ, **quick, **variables}
    command = [sys.executable, "-c", COMMON + code, str(root)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[3], **pipes)


def _answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0, err
    answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    return answer


def test_two_devices_share_each_batch_and_give_the_curve_of_one(tiny_lgg: Path, tmp_path: Path) -> None:
    found = _answer(_start(ONE_AGAINST_TWO, tmp_path, TWO_CPUS))
    assert found["seen"] == [{"rows": [[2, 2], [2, 2]], "weight": [True, True]}]
    one, two = found["one"], found["two"]
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=1e-4)
    assert two["loss"][1] != two["loss"][0]
    assert found["apart"] < 1e-3
    assert two["dice"] == pytest.approx(one["dice"], abs=0.02)
    assert [(one["header"], one["result"]), (two["header"], two["result"])] == [(1, 1), (2, 2)]
    assert found["resumed"]
    assert not found["left_behind"]
    good, *bad = found["refused"]
    assert good == ""
    assert ["did not spread" in bad[0], *("did not copy" in text for text in bad[1:])] == [True] * 3
    assert "4 devices were asked for and JAX finds 2 (cpu)" in found["too_many"]
    assert "XLA_FLAGS=--xla_force_host_platform_device_count=4" in found["too_many"]


def test_two_processes_train_together_and_one_writes(tiny_lgg: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    from edgeseg.data.cache import cached
    from edgeseg.data.kaggle_lgg import KaggleLgg

    cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")
    shared = {HOSTS_VARIABLE: "2", "KERAS_DISTRIBUTION_JOB_ADDRESSES": address}
    processes = [
        _start(ONE_OF_MANY, tmp_path, **shared, KERAS_DISTRIBUTION_PROCESS_ID=str(process)) for process in range(2)
    ]
    try:
        first, second = (_answer(process) for process in processes)
    finally:
        for process in processes:
            process.kill()
    assert first["seen"] == second["seen"] == [{"rows": [[2], [2]], "weight": [True]}]
    assert first["loss"] == second["loss"]
    assert first["sha256"] == second["sha256"]
    assert len(list((tmp_path / "many" / "tensorboard").glob("events*"))) == 1


@pytest.fixture
def tensorflow() -> Any:
    return SimpleNamespace(backend=SimpleNamespace(backend=lambda: "tensorflow"))


@pytest.fixture
def jax() -> Any:
    return SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax"))


def test_one_device_needs_nothing(tensorflow: Any) -> None:
    team = gather(tensorflow, devices=1, batch_size=3)
    assert (team.devices, team.processes, team.writes, team.distribution) == (1, 1, True, None)


def test_devices_that_cannot_train_together_are_refused(
    tensorflow: Any, jax: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError, match="devices is 0"):
        gather(jax, devices=0, batch_size=4)
    with pytest.raises(OptionError, match="devices is 2, and training on several devices runs on the jax backend only"):
        gather(tensorflow, devices=2, batch_size=4)
    with pytest.raises(OptionError, match="a batch of 16 cannot be dealt evenly to 3 devices"):
        gather(jax, devices=3, batch_size=16)
    monkeypatch.setenv(HOSTS_VARIABLE, "2")
    with pytest.raises(OptionError, match=f"{HOSTS_VARIABLE} is set, and training on several devices"):
        gather(tensorflow, devices=1, batch_size=4)


def test_each_process_takes_its_own_rows() -> None:
    images, masks = np.arange(6, dtype=np.float32), np.arange(6, 12, dtype=np.float32)
    parts = [Team(devices=6, processes=3, process=p).part((images, masks)) for p in range(3)]
    np.testing.assert_array_equal(np.concatenate([image for image, _ in parts]), images)
    assert [mask.tolist() for _, mask in parts] == [[6, 7], [8, 9], [10, 11]]
    assert [Team(processes=3, process=p).writes for p in range(3)] == [True, False, False]
