"""Training losses on logits, in Keras operations, so that they run on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgeseg.specs import OUTPUTS, Contract

SMOOTH = 1.0
MISSED, INVENTED, FOCUS = 0.7, 0.3, 0.75
FAR_PX = 8


def make_loss(keras: Any, name: str, classes: int = 0, contract: Contract | None = None) -> Callable[[Any, Any], Any]:
    """Return `loss(targets, logits)`, `(B, h, w, 1 or 2)` and `(B, h, w, 1) float32`.

    The targets are masks, 0 or 1, and with a second channel what the cross-entropy aims at in their place, in [0, 1].
    Of several classes there are as many masks, then as many aims where there are any, and as many logits; what is over
    the batch below is then of each class by itself, and the loss is the mean. Where `contract` has regions, the logits
    are of its output channels, and those of the regions are made of them (`region_channels`).

    `dice` is 1 minus the soft Dice of the whole batch with smoothing 1 (after Milletari, Navab and Ahmadi, "V-Net", 3DV
    2016, with plain sums below where they have squares), `bce` the mean binary cross-entropy, `bce-dice` their sum,
    `focal-tversky` is (1 - Tversky index)^(3/4) with 0.7 on false negatives and 0.3 on false positives (Abraham and
    Khan, "A Novel Focal Tversky Loss", ISBI 2019), over the whole batch as well. `border` is `bce-dice` whose
    cross-entropy aims at a mask that is soft within two pixels of its outline (after Islam and Glocker, "Spatially
    Varying Label Smoothing", IPMI 2021), `boundary` is `bce-dice` and the mean of the probabilities times how far a
    pixel lies outside of the mask, negative inside, in parts of 8 pixels and at most 1 (after Kervadec and others,
    "Boundary loss for highly unbalanced segmentation", MIDL 2019).
    """
    ops, made = keras.ops, _Losses(keras.ops, classes)
    found: Callable[[Any, Any], Any] = {
        "bce": made.bce,
        "dice": made.dice,
        "bce-dice": made.bce_dice,
        "focal-tversky": made.focal_tversky,
        "border": made.border,
        "boundary": made.boundary,
    }[name]
    if contract is None or not contract.regions:
        return found
    return lambda targets, logits: found(targets, region_channels(ops, logits, contract))


class _Losses:
    """Each loss, of targets and logits."""

    def __init__(self, ops: Any, classes: int) -> None:
        self.ops, self.classes = ops, classes
        self.first, self.last = slice(max(classes, 1)), slice(-max(classes, 1), None)

    def _total(self, values: Any) -> Any:
        return self.ops.sum(values, axis=(0, 1, 2)) if self.classes else self.ops.sum(values)

    def _mean(self, values: Any) -> Any:
        return self.ops.mean(values) if self.classes else values

    def _cross_entropy(self, aims: Any, logits: Any) -> Any:
        return self.ops.mean(self.ops.binary_crossentropy(aims, logits, from_logits=True))

    def bce(self, targets: Any, logits: Any) -> Any:
        return self._cross_entropy(targets[..., self.last], logits)

    def dice(self, targets: Any, logits: Any) -> Any:
        masks, probabilities = targets[..., self.first], self.ops.sigmoid(logits)
        overlap = self._total(masks * probabilities)
        both = self._total(masks) + self._total(probabilities)
        return self._mean(1.0 - (2.0 * overlap + SMOOTH) / (both + SMOOTH))

    def bce_dice(self, targets: Any, logits: Any) -> Any:
        return self.bce(targets, logits) + self.dice(targets, logits)

    def focal_tversky(self, targets: Any, logits: Any) -> Any:
        masks, probabilities = targets[..., self.first], self.ops.sigmoid(logits)
        overlap = self._total(masks * probabilities)
        missed = self._total(masks * (1.0 - probabilities))
        invented = self._total((1.0 - masks) * probabilities)
        index = (overlap + SMOOTH) / (overlap + MISSED * missed + INVENTED * invented + SMOOTH)
        return self._mean(self.ops.power(1.0 - index, FOCUS))

    def border(self, targets: Any, logits: Any) -> Any:
        soft = _neighbours(self.ops, _neighbours(self.ops, targets[..., self.last], "average"), "average")
        return self._cross_entropy(soft, logits) + self.dice(targets, logits)

    def boundary(self, targets: Any, logits: Any) -> Any:
        outside = _outside(self.ops, targets[..., self.first])
        return self.bce_dice(targets, logits) + self.ops.mean(outside * self.ops.sigmoid(logits))


def _neighbours(ops: Any, masks: Any, kind: str) -> Any:
    """The mean, or the maximum, of each pixel and the eight around it, `(B, h, w, K)`."""
    pool = ops.average_pool if kind == "average" else ops.max_pool
    return pool(masks, 3, strides=1, padding="same", data_format="channels_last")


def _outside(ops: Any, masks: Any) -> Any:
    """How far each pixel lies outside of its mask, negative inside, in [-1, 1]: chessboard distance, in `FAR_PX`."""
    near, far, distance = masks, 1.0 - masks, -masks
    for _ in range(FAR_PX):
        distance += 1.0 - near
        near = _neighbours(ops, near, "max")
    for _ in range(FAR_PX - 1):
        far = _neighbours(ops, far, "max")
        distance -= 1.0 - far
    return distance / FAR_PX


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
