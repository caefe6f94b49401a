"""What a network that ships is called, and what is said of it beside its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeseg import artifacts, networks
from edgeseg.checkpoint import CheckpointHeader
from edgeseg.errors import ArtifactError, CheckFailedError, OptionError
from edgeseg.jsonio import JsonFormatError, from_json, of_this_version, read_document
from edgeseg.metrics import bootstrap_interval
from edgeseg.results import BuildResult, EvalResult, NetworkClassScore, NetworkScore, OutOfFoldResult
from edgeseg.specs.one_line import check_line
from edgeseg.stages.build import failures
from edgeseg.targets import TARGETS
from edgeseg.variants import VARIANTS
from edgeseg.variants.tiers import TIERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What `edgeseg ship` is told about a network beside its weights.

    Attributes:
        name: what people are to call it; what it was trained or imported as, or its slug, unless given.
        purpose: what it is for, in a few words; that of the network whose place it takes unless given.
        out_of_fold: an `out-of-fold.json` of networks that were trained in the same way.
        in_place: whether it may take the place of another network of its name.
        for_comparison: whether it is there to be set beside others, and not to be used first.
    """

    name: str = ""
    purpose: str = ""
    out_of_fold: Path | None = None
    in_place: bool = False
    for_comparison: bool = False

    def __post_init__(self) -> None:
        """Refuse a purpose that is not one line."""
        check_line("purpose", self.purpose)


def name_for(naming: Naming, header: CheckpointHeader, into: Path, weights_sha256: str) -> str:
    """Return the name that weights get in the folder `into`.

    Raises:
        OptionError: when it cannot be a name, or is taken by other weights.
    """
    slug = header.variant.slug
    name = naming.name or header.name or slug
    if naming.name or header.name:
        networks.check_name(name)
    if name in {*VARIANTS, *TIERS, *TARGETS, "all"} and name != slug:
        raise OptionError(f"name is '{name}', which means something else to edgeseg; choose another with --name")
    for network in networks.every():
        here = network.folder.parent.resolve() == into.resolve()
        if network.record.weights_sha256 == weights_sha256 and network.name == name and here:
            continue
        if network.name == name and not (here and naming.in_place):
            way = ", or put these weights in its place with --replace" if here else ""
            raise OptionError(
                f"name is '{name}', which is taken by the network in {network.folder}; choose another with --name{way}"
            )
        if network.name != name and network.record.slug == name:
            raise OptionError(
                f"'{name}' is the slug of the network '{network.name}' too, so these weights need a name of their own; "
                f"give one with --name, or put them in its place with --name {network.name} --replace"
            )
    if not naming.in_place and (taken := _other(into / name, weights_sha256)):
        raise OptionError(
            f"name is '{name}', which is taken by the network in {taken}; choose another with --name, or put these "
            "weights in its place with --replace"
        )
    return name


def _other(folder: Path, weights_sha256: str) -> Path | None:
    """Return a folder where it holds a network of other weights, or says of itself that it is one without any.

    It may lie outside the places that are looked in, or be damaged, so `networks.every` does not have it.
    """
    weights = folder / networks.WEIGHTS_FILE
    if not weights.is_file():
        return folder if (folder / networks.RECORD_FILE).exists() else None
    return folder if artifacts.sha256_file(weights) != weights_sha256 else None


def purpose_for(naming: Naming, name: str) -> str:
    """Return what a network is for: what was given, or that of the network whose place it takes."""
    before = next((network for network in networks.every() if network.name == name), None)
    return naming.purpose or ("" if before is None else before.record.purpose)


def check_build(build: BuildResult, *, allow_failed: bool) -> tuple[str, ...]:
    """Return what failed in a build.

    Raises:
        CheckFailedError: when something did, and that was not allowed.
    """
    blind = () if build.rests_on_phantoms else tuple(row.target for row in build.artifacts if row.finds_nothing)
    failed = (
        *failures(build),
        *(f"{target} finds none of the lesions" for target in blind),
        *(found.describe() for found in build.budgets if not found.confirmed),
    )
    if failed and not allow_failed:
        raise CheckFailedError(
            f"the build failed {len(failed)} of its checks: {'; '.join(failed)}. Build again without what failed, or "
            "ship it all the same with --allow-failed"
        )
    return tuple(failed)


def held_out(evaluation: EvalResult) -> NetworkScore:
    """Return the Dice that weights ship with."""
    return NetworkScore(
        dice=evaluation.dice,
        patients=len(evaluation.patients),
        data=evaluation.data,
        classes=tuple(NetworkClassScore(name=one.name, dice=one.dice) for one in evaluation.classes),
    )


def out_of_fold(naming: Naming, slug: str) -> NetworkScore | None:
    """Return the Dice out of fold that was given; None where none was.

    Raises:
        ArtifactError: when the file is no `out-of-fold.json`.
        OptionError: when it is of another network.
    """
    if (path := naming.out_of_fold) is None:
        return None
    try:
        found = of_this_version(from_json(OutOfFoldResult, read_document(path)))
    except (OSError, JsonFormatError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise ArtifactError(
            f"{path}: not scores out of fold ({told}); give the out-of-fold.json that 'edgeseg train --folds' wrote"
        ) from error
    if found.variant != slug:
        raise OptionError(f"{path} is of '{found.variant}', and these weights are of '{slug}'; give that of the same")
    return NetworkScore(
        dice=found.dice, patients=len(found.patients), data=found.data, classes=_classes_out_of_fold(found)
    )


def _classes_out_of_fold(found: OutOfFoldResult) -> tuple[NetworkClassScore, ...]:
    """Sum up each of several classes over the patients; none where the networks draw one mask."""
    dice: dict[str, list[float]] = {}
    for one in (one for patient in found.patients for one in patient.score.classes):
        dice.setdefault(one.name, []).append(one.dice)
    return tuple(
        NetworkClassScore(name=name, dice=bootstrap_interval(values, seed=found.bootstrap_seed))
        for name, values in dice.items()
    )
