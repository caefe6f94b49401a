"""What a network is trained by: the loss, the learning rate over the steps, and AdamW with its moving average."""

from __future__ import annotations

from typing import Any

from edgeseg.losses import make_loss
from edgeseg.specs import TrainSpec


def compile_for(keras: Any, model: Any, spec: TrainSpec, *, steps_per_epoch: int) -> None:
    """Compile a Keras model for `spec.epochs` epochs.

    The learning rate is `spec.learning_rate`, or rises to it over `spec.warmup_steps`, a tenth of all steps at most,
    and falls to zero on a cosine. Biases and the scales of batch normalisation do not decay.

    Args:
        keras: of `load_keras`.
        model: its trainable variables may have values already.
        spec: schedule, learning rate, weight decay, moving average, loss.
        steps_per_epoch: batches in an epoch.
    """
    total = spec.epochs * steps_per_epoch
    rate: Any = spec.learning_rate
    if spec.schedule == "cosine":
        warmup = min(spec.warmup_steps, max(1, total // 10))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, total - warmup), warmup_target=spec.learning_rate, warmup_steps=warmup
        )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=spec.weight_decay, use_ema=spec.ema > 0, ema_momentum=spec.ema or 0.99
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)
    jit = keras.backend.backend() == "jax"
    model.compile(optimizer=optimizer, loss=make_loss(keras, spec.loss), jit_compile=jit)
