"""Training losses on logits, in Keras operations, so that they run on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SMOOTH = 1.0
MISSED, INVENTED, FOCUS = 0.7, 0.3, 0.75


def make_loss(keras: Any, name: str, classes: int = 0) -> Callable[[Any, Any], Any]:
    """Return `loss(targets, logits)`, `(B, h, w, 1 or 2)` and `(B, h, w, 1) float32`.

    Of several classes there are as many channels of both, and the targets are masks alone; what is over the batch below
    is then of each class by itself, and the loss is the mean.

    The targets are masks, 0 or 1, and with a second channel what the cross-entropy aims at in their place, in [0, 1].

    `dice` is 1 minus the soft Dice of the whole batch with smoothing 1 (after Milletari, Navab and Ahmadi, "V-Net", 3DV
    2016, with plain sums below where they have squares), `bce` the mean binary cross-entropy, `bce-dice` their sum,
    `focal-tversky` is (1 - Tversky index)^(3/4) with 0.7 on false negatives and 0.3 on false positives (Abraham and
    Khan, "A Novel Focal Tversky Loss", ISBI 2019), over the whole batch as well.
    """
    ops = keras.ops
    first, last = (slice(None), slice(None)) if classes else (slice(1), slice(-1, None))

    def total(values: Any) -> Any:
        return ops.sum(values, axis=(0, 1, 2)) if classes else ops.sum(values)

    def mean(values: Any) -> Any:
        return ops.mean(values) if classes else values

    def bce(targets: Any, logits: Any) -> Any:
        return ops.mean(ops.binary_crossentropy(targets[..., last], logits, from_logits=True))

    def dice(targets: Any, logits: Any) -> Any:
        masks, probabilities = targets[..., first], ops.sigmoid(logits)
        overlap = total(masks * probabilities)
        return mean(1.0 - (2.0 * overlap + SMOOTH) / (total(masks) + total(probabilities) + SMOOTH))

    def bce_dice(targets: Any, logits: Any) -> Any:
        return bce(targets, logits) + dice(targets, logits)

    def focal_tversky(targets: Any, logits: Any) -> Any:
        masks, probabilities = targets[..., first], ops.sigmoid(logits)
        overlap = total(masks * probabilities)
        missed = total(masks * (1.0 - probabilities))
        invented = total((1.0 - masks) * probabilities)
        index = (overlap + SMOOTH) / (overlap + MISSED * missed + INVENTED * invented + SMOOTH)
        return mean(ops.power(1.0 - index, FOCUS))

    return {"bce": bce, "dice": dice, "bce-dice": bce_dice, "focal-tversky": focal_tversky}[name]
