"""The optimizer with a moving average of the weights that can be used from the first steps on."""

from __future__ import annotations

from typing import Any


def adamw(keras: Any, rate: Any, *, weight_decay: float, decay: float) -> Any:
    """Make AdamW that keeps an exponential moving average of the weights beside them.

    After t steps the decay is `min(decay, (1 + t) / (10 + t))`, so that a training of a few dozen steps is not judged
    by an average that still holds the drawn weights (Abadi et al. 2016, `tf.train.ExponentialMovingAverage`).

    Args:
        keras: of `load_keras`.
        rate: the learning rate, or its schedule.
        weight_decay: of AdamW.
        decay: of the moving average, at least 0 and below 1; 0 keeps none.
    """

    class WarmedUp(keras.optimizers.AdamW):  # type: ignore[misc]
        _now: Any = None

        @property
        def ema_momentum(self) -> Any:
            return self._decay_at_last if self._now is None else self._now

        @ema_momentum.setter
        def ema_momentum(self, value: float) -> None:
            self._decay_at_last = value

        def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
            """Compute the decay once a step: for every variable anew it is noticeable in the time of a step."""
            steps = keras.ops.cast(self.iterations, "float32")
            self._now = keras.ops.minimum(self._decay_at_last, (1.0 + steps) / (10.0 + steps))
            super()._update_model_variables_moving_average(trainable_variables)
            self._now = None

    if not decay:
        return keras.optimizers.AdamW(rate, weight_decay=weight_decay)
    return WarmedUp(rate, weight_decay=weight_decay, use_ema=True, ema_momentum=decay)
