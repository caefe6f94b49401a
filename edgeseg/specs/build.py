"""What a build is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeseg.errors import OptionError
from edgeseg.specs.contract import PROFILES
from edgeseg.specs.network import VariantSpec
from edgeseg.specs.seed import check_seed

MOST_AUTHOR_LETTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """What `edgeseg build` is asked for.

    Without `data` the build rests on phantoms; without `checkpoint` on the weights that ship. `choice` is a file of
    `edgeseg choose` that sets threshold and post-processing; without it those that ship with shipped weights are taken,
    and the default with others. `threads` is what every runtime gets. `calibration_slices` are chosen among the
    patients of `data` that trained the weights, 128 unless given; where there are none, the shipped ranges or phantoms
    are taken as they are, and a number or a `calibration_method` is refused; the method is `min-max` unless given.
    `max_drop` starts the search for the cheapest int8 file that loses no more mean Dice (one-sided 95 % bound).
    `verify_patients` bounds how many of the evaluated patients the parity check runs over. `profile` is the one of
    `PROFILES` that int8 artifacts are built for. `r2` asks for the full-width R2U-Net beside the baseline; None asks
    for it where the study's network is the baseline. `calibration_data` holds patients to calibrate on, none of whom is
    scored. `layout` and `labels` say how both are read, as `edgeseg.data.open.open_dataset` takes them. `baseline` is
    the file to compare with, in place of the one that the network came from, and `baseline_contract` its contract where
    it carries none. `codes` is a TOML file of DICOM codes and colours of classes. `public_ids` says that all ids of
    the data are public, so artifacts hold plain digests of those seen. `network` is the name of the network,
    empty where it has none; of networks of one shape it says whose weights are taken. `author` is who made it, for the
    metadata of ONNX files; of networks that ship edgeseg is, unless given.
    """

    variant: VariantSpec
    targets: tuple[str, ...]
    out: Path
    data: Path | None = None
    checkpoint: Path | None = None
    choice: Path | None = None
    seed: int = 0
    threads: int = 2
    calibration_slices: int | None = None
    calibration_method: str | None = None
    max_drop: float | None = None
    phantom_patients: int = 8
    verify_patients: int = 8
    bench_runs: int = 100
    bench_budget_s: float = 10.0
    allow_seen: bool = False
    rebuild: bool = False
    profile: str = "arm"
    r2: bool | None = None
    calibration_data: Path | None = None
    layout: str | None = None
    labels: str | None = None
    baseline: Path | None = None
    baseline_contract: Path | None = None
    codes: Path | None = None
    public_ids: bool = False
    network: str = ""
    author: str = ""
    command: str = "edgeseg build"

    @property
    def label(self) -> str:
        """What tables and folders call the network: its name, or its slug where it has none."""
        return self.network or self.variant.slug

    def __post_init__(self) -> None:
        """Refuse counts that measure nothing."""
        if not self.targets:
            raise OptionError("no target was named; see 'edgeseg targets', or give --target all")
        if self.profile not in PROFILES:
            raise OptionError(f"profile is '{self.profile}'; choose one of: {', '.join(PROFILES)}")
        for name in ("threads", "calibration_slices", "phantom_patients", "verify_patients", "bench_runs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"{name.replace('_', '-')} is {value}; it must be at least 1")
        check_seed(self.seed)
        if not self.author.isprintable() or len(self.author) > MOST_AUTHOR_LETTERS:
            raise OptionError(
                f"author is '{self.author[:70]!a}'; a name on one line is needed, at most {MOST_AUTHOR_LETTERS} letters"
            )
        if self.max_drop is not None and not 0.0 < self.max_drop < 1.0:
            raise OptionError(f"max-drop is {self.max_drop}; a loss of Dice between 0 and 1 is needed, such as 0.005")
        if self.baseline_contract is not None and self.baseline is None:
            raise OptionError("--baseline-contract says something of --baseline, which is not given; give it, too")
        if not self.bench_budget_s > 0:
            raise OptionError(f"bench-budget-s is {self.bench_budget_s}; it must be positive")
