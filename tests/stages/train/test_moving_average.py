"""The moving average of a short training follows its weights."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.stages.train.moving_average import adamw


@pytest.mark.parametrize("decay", [0.5, 0.998])
def test_the_decay_rises_to_its_last_value(decay: float) -> None:
    keras = load_keras("tensorflow")
    value = keras.Variable(np.array([1.0], np.float32))
    optimizer = adamw(keras, 0.1, weight_decay=0.0, decay=decay)
    optimizer.build([value])
    expected = np.float64(0.0)
    for step in range(1, 21):
        optimizer.apply([keras.ops.convert_to_tensor(np.array([1.0], np.float32))], [value])
        now = float(value.numpy()[0])
        momentum = 0.0 if step == 1 else min(decay, (1 + step - 1 + 0) / (10 + step - 1))
        expected = momentum * expected + (1 - momentum) * now
    assert optimizer._model_variables_moving_average[0].numpy()[0] == pytest.approx(expected, rel=1e-4)


def test_no_decay_keeps_no_average() -> None:
    keras = load_keras("tensorflow")
    assert adamw(keras, 0.1, weight_decay=0.0, decay=0.0).use_ema is False
