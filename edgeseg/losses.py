"""Training losses on logits, in Keras operations, so that they run on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgeseg.specs import OUTPUTS, Contract

SMOOTH = 1.0
MISSED, INVENTED, FOCUS = 0.7, 0.3, 0.75


def make_loss(keras: Any, name: str, classes: int = 0, contract: Contract | None = None) -> Callable[[Any, Any], Any]:
    """Return `loss(targets, logits)`, `(B, h, w, 1 or 2)` and `(B, h, w, 1) float32`.

    The targets are masks, 0 or 1, and with a second channel what the cross-entropy aims at in their place, in [0, 1].
    Of several classes there are as many masks, then as many aims where there are any, and as many logits; what is over
    the batch below is then of each class by itself, and the loss is the mean. Where `contract` has regions, the logits
    are of its output channels, and those of the regions are made of them (`region_channels`).

    `dice` is 1 minus the soft Dice of the whole batch with smoothing 1 (after Milletari, Navab and Ahmadi, "V-Net", 3DV
    2016, with plain sums below where they have squares), `bce` the mean binary cross-entropy, `bce-dice` their sum,
    `focal-tversky` is (1 - Tversky index)^(3/4) with 0.7 on false negatives and 0.3 on false positives (Abraham and
    Khan, "A Novel Focal Tversky Loss", ISBI 2019), over the whole batch as well.
    """
    ops = keras.ops
    masks_of = max(classes, 1)
    first, last = slice(masks_of), slice(-masks_of, None)

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

    found = {"bce": bce, "dice": dice, "bce-dice": bce_dice, "focal-tversky": focal_tversky}[name]
    if contract is None or not contract.regions:
        return found
    return lambda targets, logits: found(targets, region_channels(ops, logits, contract))


def region_channels(ops: Any, logits: Any, contract: Contract) -> Any:
    """Make the logits of a contract's regions of those of its channels, so that a gradient runs through all of them.

    Of the channels of a softmax a region's is the logit of the probabilities of its channels together; of channels that
    are by themselves it is the greatest of the region's.

    Args:
        ops: of Keras 3, or what has its `stack`, `max` and `logsumexp`.
        logits: `(B, h, w, C) float32`.
        contract: with R regions.

    Returns:
        `(B, h, w, R) float32`.
    """
    shares = contract.exclusive or contract.output == OUTPUTS[2]

    def of(channels: tuple[int, ...]) -> Any:
        return ops.stack([logits[..., channel] for channel in channels], axis=-1)

    def one(channels: tuple[int, ...]) -> Any:
        if not shares:
            return ops.max(of(channels), axis=-1)
        rest = tuple(place for place in range(logits.shape[-1]) if place not in channels)
        return ops.logsumexp(of(channels), axis=-1) - ops.logsumexp(of(rest), axis=-1)

    return ops.stack([one(region.channels) for region in contract.regions], axis=-1)
