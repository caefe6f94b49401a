"""`edgeseg variants`: the networks, with what they hold and compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from edgeseg.specs import VariantSpec
    from edgeseg.variants import Census


def variants(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the tables.")] = False,
) -> None:
    """List the networks and the three tiers; parameters and multiply-accumulates are counted on the built network."""
    from edgeseg.artifacts import weights_path
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.jsonio import to_json
    from edgeseg.results import RESULT_SCHEMA_VERSION
    from edgeseg.specs import VariantSpec
    from edgeseg.stages.matrix import shipped_variants
    from edgeseg.variants import VARIANTS, build_model, census
    from edgeseg.variants.tiers import TIERS

    alphax = [VariantSpec(name="alphax", alpha=a, stem=s) for a in (0.25, 0.125, 0.0625) for s in ("full", "half")]
    specs = [v.default for v in VARIANTS.values() if v.name != "alphax"] + alphax
    specs += [spec for spec in shipped_variants() if spec not in specs]
    with counted("counting") as progress:
        found = []
        for done, spec in enumerate(specs, start=1):
            found.append((spec, census(build_model(spec))))
            progress(done, len(specs))
    if as_json:
        rows = [
            {"variant": s.slug, "spec": s, "census": c, "weights": weights_path(s.slug).is_file()} for s, c in found
        ]
        listed = {"variants": rows, "tiers": list(TIERS.values()), "schema_version": RESULT_SCHEMA_VERSION}
        typer.echo(to_json(listed))
        return
    show(_networks(found), "", _tiers())


def _networks(found: list[tuple[VariantSpec, Census]]) -> Table:
    from rich.table import Table

    from edgeseg.artifacts import weights_path

    table = Table(title="Networks at 256 x 256 x 3, float32", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("variant")
    for name in ("parameters", "MACs", "weights MB"):
        table.add_column(name, justify="right")
    table.add_column("trained weights")
    for spec, count in found:
        ships = "ship" if weights_path(spec.slug).is_file() else "train them"
        size = f"{count.parameters * 4 / 1e6:.1f}"
        table.add_row(spec.slug, f"{count.parameters / 1e6:.2f} M", f"{count.macs / 1e9:.2f} G", size, ships)
    return table


def _tiers() -> Table:
    from rich.table import Table

    from edgeseg.variants.tiers import TIERS

    table = Table(title="Tiers", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("tier", "variant", "what it is"):
        table.add_column(name)
    for tier in TIERS.values():
        table.add_row(tier.name, tier.variant.slug, tier.summary)
    return table
