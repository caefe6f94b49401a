"""Data-parallel training: one batch over several devices, through Keras 3's own distribution API on JAX.

Every device holds all weights and its share of each batch. The step is compiled once for all of them, so that the loss
and the batch statistics of normalisation are those of the whole batch, and the outcome is that of one device but for
the order of sums.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import OptionError, TrainingError

HOSTS_VARIABLE = "KERAS_DISTRIBUTION_NUM_PROCESSES"
"""Set by whoever starts one process per host; see `keras.distribution.initialize`."""

PROCESS_VARIABLE = "KERAS_DISTRIBUTION_PROCESS_ID"

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Team:
    """The devices that train one network together.

    Attributes:
        devices: how many there are, over all processes.
        processes: how many processes hold them.
        process: which of these this one is; 0 writes the files.
        distribution: `keras.distribution.DataParallel`, None for one device.
    """

    devices: int = 1
    processes: int = 1
    process: int = 0
    distribution: Any = None

    @property
    def writes(self) -> bool:
        """Whether this process writes the files of the run."""
        return self.process == 0

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """Everything that Keras builds or trains inside lives on all devices; afterwards all is as before."""
        return contextlib.nullcontext() if self.distribution is None else self.distribution.scope()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Leave `scope` for a while, for work that each process does by itself."""
        if self.distribution is None:
            yield
            return
        from keras import distribution as api

        api.set_distribution(None)
        try:
            yield
        finally:
            api.set_distribution(self.distribution)

    def part(self, batch: Batch) -> Batch:
        """Return this process' rows of a batch: equal, adjoining parts in the order of processes."""
        images, masks = batch
        size = len(images) // self.processes
        own = slice(self.process * size, (self.process + 1) * size)
        return images[own], masks[own]

    def wait(self, where: str) -> None:
        """Return when every process has come here."""
        if self.processes > 1:
            from jax.experimental import multihost_utils

            multihost_utils.sync_global_devices(where)

    def watch(self, model: Any) -> None:
        """Look at the first step of a `fit` that begins: its batch must be spread, its variables be everywhere."""
        if self.distribution is None:
            return
        step = model.train_function

        def first(state: Any, batches: Iterator[Any]) -> Any:
            batch = next(batches)
            model.train_function = step
            check_spread(batch, state, devices=self.devices)
            return step(state, itertools.chain([batch], batches))

        model.train_function = first


def helps_another() -> bool:
    """Whether this process only helps process 0, which writes the run and holds its folder for all of them."""
    return HOSTS_VARIABLE in os.environ and os.environ.get(PROCESS_VARIABLE, "0") != "0"


def gather(keras: Any, *, devices: int, batch_size: int) -> Team:
    """Bring devices together for one training.

    Where `KERAS_DISTRIBUTION_NUM_PROCESSES` is set, this process joins the others first, and `devices` counts those of
    all of them. The call returns in all processes at the same time.

    Args:
        keras: Keras 3, on JAX where there is more than one device.
        devices: how many.
        batch_size: crops in a batch of all devices together.

    Raises:
        OptionError: on another backend, for fewer than one or more devices than there are, for a batch that cannot be
            dealt evenly, and when several processes leave devices out.
    """
    if devices < 1:
        raise OptionError(f"devices is {devices}; it must be at least 1")
    joined = HOSTS_VARIABLE in os.environ
    if devices == 1 and not joined:
        return Team()
    if (backend := keras.backend.backend()) != "jax":
        why = f"{HOSTS_VARIABLE} is set" if joined else f"devices is {devices}"
        raise OptionError(f"{why}, and training on several devices runs on the jax backend only, not {backend}")
    if batch_size % devices:
        raise OptionError(
            f"a batch of {batch_size} cannot be dealt evenly to {devices} devices; choose a multiple with --batch-size"
        )
    if joined:
        _join(keras)
    return _team(keras, devices)


def check_spread(batch: Any, state: Any, *, devices: int) -> None:
    """Refuse a step whose arrays do not lie as data parallelism wants them.

    Args:
        batch: arrays of one batch, `(B, ...)`: each device must hold `B / devices` rows.
        state: arrays of weights, optimizer and metrics: each device must hold all of each.
        devices: how many devices there are.

    Raises:
        TrainingError: when an array lies otherwise.
    """
    import jax

    for array in jax.tree.leaves(batch):
        rows = array.sharding.shard_shape(array.shape)[0]
        if len(array.sharding.device_set) != devices or rows * devices != len(array):
            raise TrainingError(
                f"a batch of shape {array.shape} lies on {len(array.sharding.device_set)} of {devices} devices with "
                f"{rows} rows each; Keras did not spread it, so train with --devices 1"
            )
    for array in jax.tree.leaves(state):
        if len(array.sharding.device_set) != devices or not array.sharding.is_fully_replicated:
            raise TrainingError(
                f"a variable of shape {array.shape} lies on {len(array.sharding.device_set)} of {devices} devices; "
                "Keras did not copy it to each, so train with --devices 1"
            )


def _join(keras: Any) -> None:
    import jax

    if jax.distributed.is_initialized():
        return
    try:
        keras.distribution.initialize()
    except (ValueError, RuntimeError) as error:
        raise OptionError(
            f"the processes of this training did not find each other ({error}); set {HOSTS_VARIABLE}, "
            f"KERAS_DISTRIBUTION_JOB_ADDRESSES and {PROCESS_VARIABLE} in each, and start all of them"
        ) from error


def _team(keras: Any, devices: int) -> Team:
    import jax

    names = keras.distribution.list_devices()
    processes = jax.process_count()
    if devices > len(names):
        kind = names[0].partition(":")[0]
        advice = (
            f"set XLA_FLAGS=--xla_force_host_platform_device_count={devices} to have the CPU stand for as many"
            if kind == "cpu" and processes == 1
            else f"ask for at most {len(names)}"
        )
        raise OptionError(f"{devices} devices were asked for and JAX finds {len(names)} ({kind}); {advice}")
    if processes > 1 and devices != len(names):
        raise OptionError(
            f"{devices} devices were asked for and the {processes} processes hold {len(names)}; "
            f"each must take part: --devices {len(names)}"
        )
    if devices == 1:
        return Team()
    distribution = keras.distribution.DataParallel(devices=names[:devices], auto_shard_dataset=False)
    team = Team(devices=devices, processes=processes, process=jax.process_index(), distribution=distribution)
    team.wait("gathered")
    return team
