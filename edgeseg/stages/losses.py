"""Training losses on logits, in Keras operations, so that they run on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SMOOTH = 1.0


def make_loss(keras: Any, name: str) -> Callable[[Any, Any], Any]:
    """Return `loss(masks, logits)`, both `(B, h, w, 1) float32`, masks 0 or 1.

    `dice` is 1 minus the soft Dice of the whole batch with smoothing 1 (after Milletari, Navab and Ahmadi, "V-Net", 3DV
    2016, with plain sums below where they have squares), `bce` the mean binary cross-entropy, `bce-dice` their sum.
    """
    ops = keras.ops

    def bce(masks: Any, logits: Any) -> Any:
        return ops.mean(ops.binary_crossentropy(masks, logits, from_logits=True))

    def dice(masks: Any, logits: Any) -> Any:
        probabilities = ops.sigmoid(logits)
        overlap = ops.sum(masks * probabilities)
        return 1.0 - (2.0 * overlap + SMOOTH) / (ops.sum(masks) + ops.sum(probabilities) + SMOOTH)

    def bce_dice(masks: Any, logits: Any) -> Any:
        return bce(masks, logits) + dice(masks, logits)

    return {"bce": bce, "dice": dice, "bce-dice": bce_dice}[name]
