"""What a compression recipe is asked for, one frozen spec per recipe, and the chain that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from edgeseg.errors import OptionError
from edgeseg.specs.seed import check_seed

CRITERIA = ("taylor", "activation", "l1", "gamma")
HALF = "half"
"""The recipe after which weights are kept in 16 bits."""
CENTROIDS = ("kmeans++", "linear", "density")


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTune:
    """What every recipe that trains is asked for.

    All else is as in the training of the network that is compressed: data, patients, loss, augmentation, batches.
    `steps_per_epoch` is one pass over the tumour slices unless given. `distil_weight` is how much of the target of the
    cross-entropy comes from the network that the chain began with.
    """

    epochs: int = 20
    learning_rate: float = 5e-4
    steps_per_epoch: int | None = None
    distil_weight: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        require(self.epochs >= 1, f"epochs is {self.epochs}; it must be at least 1")
        require(self.learning_rate > 0, f"learning-rate is {self.learning_rate}; it must be positive")
        require(
            self.steps_per_epoch is None or self.steps_per_epoch >= 1,
            f"steps-per-epoch is {self.steps_per_epoch}; it must be at least 1",
        )
        require(0 <= self.distil_weight <= 1, f"distil-weight is {self.distil_weight}; it must lie in [0, 1]")
        check_seed(self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune(FineTune):
    """Zero the smallest weights: `sparsity` is their share in each convolution.

    The share grows along a cubic from `initial_sparsity` over the first `ramp` of the steps; in the rest the network
    recovers with its zeros in place.
    """

    sparsity: float = 0.5
    initial_sparsity: float = 0.0
    ramp: float = 0.6

    def __post_init__(self) -> None:
        """Refuse shares that prune nothing or all."""
        FineTune.__post_init__(self)
        require(0 < self.sparsity < 1, f"sparsity is {self.sparsity}; it must lie strictly between 0 and 1")
        require(
            0 <= self.initial_sparsity <= self.sparsity,
            f"initial-sparsity is {self.initial_sparsity}; it must lie between 0 and sparsity, {self.sparsity}",
        )
        require(0 < self.ramp <= 1, f"ramp is {self.ramp}; it must lie in (0, 1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPrune(FineTune):
    """Remove whole channels until `macs` of the multiply-accumulates are left, then fine-tune.

    `criterion` says which matter least, `multiple` in how many at a time they go, so that widths stay multiples of it,
    and `batches` over how many training batches `taylor` and `activation` measure. `lanes` is how many output channels
    the kernels of the device compute at a time: a network is then as fast as possible for what it loses, where 1 makes
    it as small as possible. `layers` is a file of `edgeseg bench --layers --json` on the network that is compressed, in
    the format and on the device that it is for: channels are then weighed by the time that was measured, and go on
    leaving until no more than `time` of that of the convolutions is left, if given.
    """

    macs: float = 0.5
    layers: str = ""
    time: float | None = None
    criterion: str = "taylor"
    multiple: int = 4
    batches: int = 16
    lanes: int = 1

    def __post_init__(self) -> None:
        """Refuse shares that prune nothing or all, and unknown criteria."""
        FineTune.__post_init__(self)
        require(0 < self.macs < 1, f"macs is {self.macs}; the share that is left must lie strictly between 0 and 1")
        require(
            self.criterion in CRITERIA, f"criterion is '{self.criterion}'; choose one of: {', '.join(sorted(CRITERIA))}"
        )
        require(self.multiple >= 1, f"multiple is {self.multiple}; it must be at least 1")
        require(self.batches >= 1, f"batches is {self.batches}; it must be at least 1")
        require(self.lanes >= 1, f"lanes is {self.lanes}; it must be at least 1")
        require(
            self.time is None or 0 < self.time < 1,
            f"time is {self.time}; the share that is left must lie strictly between 0 and 1",
        )
        require(
            self.time is None or bool(self.layers),
            "time needs layers, which says what each layer takes: edgeseg bench --layers FILE --json > layers.json",
        )
        require(self.lanes == 1 or not self.layers, "layers says how many channels a kernel takes, so leave lanes out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(FineTune):
    """Let the weights of each convolution take `clusters` values only; `centroids` says where those start."""

    clusters: int = 16
    centroids: str = "kmeans++"

    def __post_init__(self) -> None:
        """Refuse too few values, and unknown starts."""
        FineTune.__post_init__(self)
        require(self.clusters >= 2, f"clusters is {self.clusters}; a convolution needs at least 2 values")
        require(
            self.centroids in CENTROIDS,
            f"centroids is '{self.centroids}'; choose one of: {', '.join(sorted(CENTROIDS))}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Distil(FineTune):
    """Train a smaller network from drawn weights, taught by the one that the chain began with.

    `teachers` are run folders that teach as well. `variant`, `stem` and `profile` are those of the network that is
    compressed unless given.
    """

    epochs: int = 120
    learning_rate: float = 2e-3
    distil_weight: float = 0.5
    alpha: float = 0.0625
    variant: str | None = None
    stem: str | None = None
    profile: str | None = None
    teachers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a student that nobody teaches."""
        FineTune.__post_init__(self)
        require(self.distil_weight > 0, f"distil-weight is {self.distil_weight}; a teacher needs a share above 0")
        require(0 < self.alpha <= 1, f"alpha is {self.alpha}; it multiplies every width and must lie in (0, 1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Qat(FineTune):
    """Train on with int8 arithmetic imitated, so that weights and activation ranges suit int8."""

    epochs: int = 10
    learning_rate: float = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Equalize:
    """Scale channels to one range, as `batches` training batches show them; nothing is trained."""

    batches: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse to look at nothing."""
        require(self.batches >= 1, f"batches is {self.batches}; it must be at least 1")
        check_seed(self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Keep the weights of convolutions in half precision; nothing is trained."""


RecipeSpec = Prune | ChannelPrune | Cluster | Distil | Qat | Equalize | Half
RECIPE_SPECS: dict[str, type[RecipeSpec]] = {
    "channel-prune": ChannelPrune,
    "distil": Distil,
    "prune": Prune,
    "cluster": Cluster,
    "qat": Qat,
    "equalize": Equalize,
    HALF: Half,
}
"""The specs by the recipes' names, in the order in which a chain may have them."""
MAIN_OPTIONS: dict[str, str | None] = {
    "channel-prune": "macs",
    "distil": "alpha",
    "prune": "sparsity",
    "cluster": "clusters",
    "qat": None,
    "equalize": None,
    HALF: None,
}
"""The option whose value the command line takes with the recipe's own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Recipes in the order in which they are applied, and the targets that the result is meant for."""

    steps: tuple[RecipeSpec, ...]
    targets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an empty chain, and one in which a later recipe undoes an earlier one."""
        require(bool(self.steps), "the chain has no step; give at least one recipe")
        names = [recipe_name(step) for step in self.steps]
        _check_order(names)


def recipe_name(spec: RecipeSpec) -> str:
    """Return the recipe's name, such as `channel-prune`."""
    return next(name for name, kind in RECIPE_SPECS.items() if type(spec) is kind)


def options_of(spec: RecipeSpec) -> dict[str, str]:
    """Return a spec's options as text, by their names on the command line, None left out."""
    found = {field.name.replace("_", "-"): getattr(spec, field.name) for field in fields(spec)}
    return {name: _text(value) for name, value in found.items() if value is not None and value != ()}


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


_UNDOES = {
    "prune": ("channel-prune", "distil"),
    "cluster": ("channel-prune", "distil", "prune", "qat", "equalize"),
    "qat": ("channel-prune", "distil", "prune", "cluster", "equalize"),
    HALF: ("channel-prune", "distil", "prune", "cluster", "qat", "equalize"),
}
"""What must not follow a recipe: it would train zeros, shared values, ranges or short numbers away."""


def _check_order(names: Sequence[str]) -> None:
    for place, first in enumerate(names):
        for later in names[place + 1 :]:
            if later == first and first != "channel-prune":
                raise OptionError(f"the chain has '{first}' twice; once is enough")
            if later in _UNDOES.get(first, ()):
                advice = (
                    "use one of the two" if {first, later} == {"cluster", "qat"} else f"put '{later}' before '{first}'"
                )
                raise OptionError(f"'{later}' would undo what '{first}' did before it; {advice}")


def require(good: bool, message: str) -> None:
    """Refuse an option that breaks its rule.

    Raises:
        OptionError: with the message.
    """
    if not good:
        raise OptionError(message)
