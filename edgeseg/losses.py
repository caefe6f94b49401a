"""Training losses on logits, in Keras operations, so that they run on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SMOOTH = 1.0
MISSED, INVENTED, FOCUS = 0.7, 0.3, 0.75


def make_loss(keras: Any, name: str) -> Callable[[Any, Any], Any]:
    """Return `loss(targets, logits)`, `(B, h, w, 1 or 2)` and `(B, h, w, 1) float32`.

    The targets are masks, 0 or 1, and with a second channel what the cross-entropy aims at in their place, in [0, 1].

    `dice` is 1 minus the soft Dice of the whole batch with smoothing 1 (after Milletari, Navab and Ahmadi, "V-Net", 3DV
    2016, with plain sums below where they have squares), `bce` the mean binary cross-entropy, `bce-dice` their sum,
    `focal-tversky` is (1 - Tversky index)^(3/4) with 0.7 on false negatives and 0.3 on false positives (Abraham and
    Khan, "A Novel Focal Tversky Loss", ISBI 2019), over the whole batch as well.
    """
    ops = keras.ops

    def bce(targets: Any, logits: Any) -> Any:
        return ops.mean(ops.binary_crossentropy(targets[..., -1:], logits, from_logits=True))

    def dice(targets: Any, logits: Any) -> Any:
        masks, probabilities = targets[..., :1], ops.sigmoid(logits)
        overlap = ops.sum(masks * probabilities)
        return 1.0 - (2.0 * overlap + SMOOTH) / (ops.sum(masks) + ops.sum(probabilities) + SMOOTH)

    def bce_dice(targets: Any, logits: Any) -> Any:
        return bce(targets, logits) + dice(targets, logits)

    def focal_tversky(targets: Any, logits: Any) -> Any:
        masks, probabilities = targets[..., :1], ops.sigmoid(logits)
        overlap = ops.sum(masks * probabilities)
        missed = ops.sum(masks * (1.0 - probabilities))
        invented = ops.sum((1.0 - masks) * probabilities)
        index = (overlap + SMOOTH) / (overlap + MISSED * missed + INVENTED * invented + SMOOTH)
        return ops.power(1.0 - index, FOCUS)

    return {"bce": bce, "dice": dice, "bce-dice": bce_dice, "focal-tversky": focal_tversky}[name]
