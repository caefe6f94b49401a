"""What there is to choose from, as `edgeseg targets`, `variants` and `networks` list it for programs."""

from __future__ import annotations

from edgeseg import networks
from edgeseg.errors import ArtifactError
from edgeseg.results import (
    Census,
    ListedNetwork,
    ListedTarget,
    ListedVariant,
    NetworkList,
    TargetList,
    VariantList,
)
from edgeseg.specs import VariantSpec
from edgeseg.targets import TARGETS
from edgeseg.variants import VARIANTS
from edgeseg.variants.counted import counted
from edgeseg.variants.tiers import TIERS


def list_targets() -> TargetList:
    """List every target."""
    names = ListedTarget.__dataclass_fields__
    return TargetList(targets=tuple(ListedTarget(**{n: getattr(t, n) for n in names}) for t in TARGETS.values()))


def listed_specs() -> tuple[VariantSpec, ...]:
    """The four families, and the widths of Alphax: what `edgeseg variants` lists beside the networks with a name."""
    alphax = [VariantSpec(name="alphax", alpha=a, stem=s) for a in (0.25, 0.125, 0.0625) for s in ("full", "half")]
    return (*(v.default for v in VARIANTS.values() if v.name != "alphax"), *alphax)


def list_variants() -> VariantList:
    """List the four families, the widths of Alphax and the networks that have a name, with what they hold.

    Nothing is built: the counts are those of `edgeseg.variants.counted`, and of a network with a name its own.

    Raises:
        ArtifactError: when a network's folder is damaged.
    """
    there = networks.every()
    by_spec: dict[VariantSpec, networks.Network] = {}
    for one in sorted(there, key=lambda one: not one.has_weights):
        by_spec.setdefault(one.record.spec, one)
    specs = [*listed_specs(), *(one.record.spec for one in there if one.record.spec not in listed_specs())]
    found = []
    for spec in dict.fromkeys(specs):
        network = by_spec.get(spec)
        record = None if network is None else network.record
        census = counted(spec)
        if census is None:  # a test holds the counts to what is listed beside the networks with a name
            assert record is not None
            census = Census(parameters=record.parameters, macs=record.macs)
        name = "" if record is None else record.name
        trained = network is not None and network.has_weights
        found.append(ListedVariant(variant=spec.slug, spec=spec, census=census, weights=trained, network=name))
    return VariantList(variants=tuple(found), tiers=tuple(TIERS.values()))


def list_networks() -> NetworkList:
    """List the networks that have a name, the largest first.

    Raises:
        ArtifactError: when networks' folders are damaged, with all of them.
    """
    if errors := networks.damaged():
        raise ArtifactError("; ".join(map(str, errors.values())))
    return NetworkList(networks=tuple(listed_network(one) for one in networks.every()))


def listed_network(one: networks.Network) -> ListedNetwork:
    """Say what a network has."""
    return ListedNetwork(
        network=one.record,
        files=() if (made := one.files()) is None else made.files,
        folder=str(one.folder),
        own=one.own,
        weights=one.has_weights,
    )
