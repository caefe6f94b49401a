"""A training loop for tf_keras on the batches that every training takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from edgeseg.data.sampler import Sampler
from edgeseg.errors import TrainingError
from edgeseg.losses import make_loss
from edgeseg.results import EpochRecord
from edgeseg.workers.fed_sampler import FedSampler
from edgeseg.workers.job import OnEvent, WorkerEvent


def fit(model: Any, sampler: Sampler, *, say: OnEvent, callbacks: Sequence[Any] = ()) -> tuple[EpochRecord, ...]:
    """Train a tf_keras network with AdamW and a cosine schedule; no moving average is kept.

    Args:
        model: takes `(B, c, c, C) float32 in [0, 1]`.
        sampler: the batches; its spec says how many epochs, how fast and on which loss.
        say: told after every step.
        callbacks: of tf_keras.

    Raises:
        TrainingError: when the loss is no longer a number; the message names the slices of the batch.
    """
    import tf_keras

    spec, steps = sampler.spec, sampler.steps_per_epoch
    watch = _watch(tf_keras, sampler, say)
    contract = sampler.contract if isinstance(sampler, FedSampler) else None
    loss = make_loss(_namespace(), spec.loss, len(sampler.cache.classes), contract)
    model.compile(optimizer=_optimizer(tf_keras, sampler), loss=loss)

    class Batches(tf_keras.utils.Sequence):  # type: ignore[misc]
        def __len__(self) -> int:
            return steps

        def __getitem__(self, step: int) -> Any:
            return sampler.batch(watch.epoch, step)

    model.fit(Batches(), epochs=spec.epochs, verbose=0, shuffle=False, callbacks=[*callbacks, watch])
    return tuple(watch.records)


def _optimizer(tf_keras: Any, sampler: Sampler) -> Any:
    spec = sampler.spec
    total = spec.epochs * sampler.steps_per_epoch
    warmup = min(spec.warmup_steps, max(1, total // 10))
    rate = tf_keras.optimizers.schedules.CosineDecay(
        0.0, max(1, total - warmup), warmup_target=spec.learning_rate, warmup_steps=warmup
    )
    optimizer = tf_keras.optimizers.AdamW(rate, weight_decay=spec.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "cluster_centroids"])
    return optimizer


def _namespace() -> Any:
    """The operations of Keras 3 that the losses use, in TensorFlow's own: tf_keras has none."""
    import tensorflow as tf

    def binary_crossentropy(targets: Any, logits: Any, *, from_logits: bool) -> Any:
        assert from_logits
        return tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)

    ops = SimpleNamespace(
        mean=tf.reduce_mean,
        sum=tf.reduce_sum,
        sigmoid=tf.sigmoid,
        power=tf.pow,
        stack=tf.stack,
        max=tf.reduce_max,
        logsumexp=tf.reduce_logsumexp,
        binary_crossentropy=binary_crossentropy,
    )
    return SimpleNamespace(ops=ops)


def _watch(tf_keras: Any, sampler: Sampler, say: OnEvent) -> Any:
    class Watch(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.records: list[EpochRecord] = []
            self.epoch, self.began = 1, 0.0

        def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            self.epoch, self.began = epoch + 1, time.perf_counter()

        def on_train_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
            loss = float((logs or {})["loss"])
            if not math.isfinite(loss):
                names = ", ".join(sampler.names(self.epoch, step))
                raise TrainingError(
                    f"the loss became {loss} in epoch {self.epoch}, step {step + 1}; the batch held: {names}; "
                    "lower the learning rate, or look at those slices"
                )
            say(WorkerEvent(epoch=self.epoch, step=step + 1, steps_per_epoch=sampler.steps_per_epoch, loss=loss))

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            self.records.append(
                EpochRecord(
                    epoch=epoch + 1,
                    step=(epoch + 1) * sampler.steps_per_epoch,
                    loss=float((logs or {})["loss"]),
                    seconds=round(time.perf_counter() - self.began, 1),
                    dice_mean=None,
                    dice_median=None,
                )
            )

    return Watch()
