"""What decides how a network is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.errors import OptionError
from edgeseg.specs.network import VariantSpec
from edgeseg.specs.seed import check_seed

AUGMENTATIONS = ("extreme", "flips", "none", "rich", "scanner", "shifted", "strong", "upright")
PLACES = ("host", "device")
NORMALISATIONS = ("unit", "slice")
"""`unit`: grey values as they are; `slice`: each channel of a slice stretched to its own range (`imaging.stretch`)."""
PRECISIONS = ("bfloat16", "float32")
LOSSES = ("bce", "bce-dice", "border", "boundary", "dice", "focal-tversky")
"""Those of `edgeseg.losses`."""
_WITHOUT_AIM = ("dice", "focal-tversky")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSpec:
    """Everything that decides what training does; two equal specs on one machine and backend give equal weights.

    `empty_share` is the share of each batch drawn from tumour-free slices. `crop_px` is the side of the square
    training crop. `schedule` is `cosine` (with `warmup_steps`, to zero) or `fixed`. `augment` is how crops are
    varied: one of `AUGMENTATIONS`, which `edgeseg.data.augment.draw` describes; `flips` is that of the original
    study. `augment_on` is where crops are cut and varied: on the `host`, or on the `device` that trains, on JAX
    alone. With a chance of `missing_share` the channel that may stand in for others takes the place of one of them
    or of all, as it does in the data set where one is missing. With a chance of `paste_share` a crop receives the
    tumour of another of its batch (`edgeseg.data.paste`), and with one of `blank_share` one channel of a crop is black,
    as where a sequence was not taken. An epoch is one pass over as many tumour slices as there
    are, unless `steps_per_epoch` says otherwise. `ema` is the decay of the exponential moving average of the
    weights that is kept beside them and shipped; 0 switches it off. `normalisation` is that of `Contract`.
    `distil_weight` is how much of the target of the cross-entropy comes from the `teachers` (SHA-256 of their
    weights) and not from the reference. `initial` is the SHA-256 of the weights to start from, None for drawn
    ones. `precision` is what layers compute in; weights, moving averages and the optimizer are float32 in either.
    """

    variant: VariantSpec = field(default_factory=VariantSpec)
    epochs: int = 120
    seed: int = 0
    batch_size: int = 16
    crop_px: int = 192
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup_steps: int = 100
    schedule: str = "cosine"
    loss: str = "bce-dice"
    augment: str = "rich"
    empty_share: float = 0.3125
    ema: float = 0.998
    steps_per_epoch: int | None = None
    missing_share: float = 0.0
    normalisation: str = "unit"
    distil_weight: float = 0.0
    teachers: tuple[str, ...] = ()
    initial: str | None = None
    precision: str = "float32"
    augment_on: str = "host"
    paste_share: float = 0.0
    blank_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        choices = {
            "schedule": ("cosine", "fixed"),
            "augment": AUGMENTATIONS,
            "augment_on": PLACES,
            "normalisation": NORMALISATIONS,
            "precision": PRECISIONS,
            "loss": LOSSES,
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise OptionError(f"{name} is '{getattr(self, name)}'; choose one of: {', '.join(known)}")
        check_seed(self.seed)
        rules = (
            (self.epochs >= 1, f"epochs is {self.epochs}; it must be at least 1"),
            (self.batch_size >= 1, f"batch_size is {self.batch_size}; it must be at least 1"),
            (self.crop_px >= 16, f"crop_px is {self.crop_px}; it must be at least 16"),
            (self.learning_rate > 0, f"learning_rate is {self.learning_rate}; it must be positive"),
            (self.weight_decay >= 0, f"weight_decay is {self.weight_decay}; it must be at least 0"),
            (self.warmup_steps >= 0, f"warmup_steps is {self.warmup_steps}; it must be at least 0"),
            (0 <= self.empty_share < 1, f"empty_share is {self.empty_share}; it must lie in [0, 1)"),
            (0 <= self.ema < 1, f"ema is {self.ema}; it must lie in [0, 1)"),
            (0 <= self.missing_share <= 1, f"missing_share is {self.missing_share}; it must lie in [0, 1]"),
            (0 <= self.paste_share <= 1, f"paste_share is {self.paste_share}; it must lie in [0, 1]"),
            (0 <= self.blank_share <= 1, f"blank_share is {self.blank_share}; it must lie in [0, 1]"),
            (0 <= self.distil_weight <= 1, f"distil_weight is {self.distil_weight}; it must lie in [0, 1]"),
            (
                (self.distil_weight > 0) == bool(self.teachers),
                f"distil_weight is {self.distil_weight} with {len(self.teachers)} teacher(s); distillation needs both",
            ),
            (
                self.distil_weight == 0 or self.loss not in _WITHOUT_AIM,
                f"loss is '{self.loss}', which has no cross-entropy to distil through; choose one of: "
                + ", ".join(name for name in LOSSES if name not in _WITHOUT_AIM),
            ),
            (self.steps_per_epoch is None or self.steps_per_epoch >= 1, "steps_per_epoch must be at least 1"),
        )
        for good, message in rules:
            if not good:
                raise OptionError(message)
