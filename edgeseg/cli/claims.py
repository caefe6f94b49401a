"""`edgeseg claims`: the page that sets the original study's claims beside measured figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._data import Labels, Layout
from edgeseg.cli._options import json_option, out_option


def claims(
    build: Annotated[Path, typer.Option(metavar="DIR", help="The folder that 'edgeseg build --out' wrote.")],
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Count slices and tumour pixels of this data set.")
    ] = None,
    out: Annotated[Path, out_option("The page.", metavar="FILE")] = Path("docs/measured/claims.md"),
    r2: Annotated[bool, typer.Option(help="Time the full-width R2U-Net; --no-r2 leaves it out.")] = True,
    threads: Annotated[int, typer.Option(help="Threads of the runtime that times R2U-Net.")] = 2,
    budget_s: Annotated[float, typer.Option(help="Seconds of counted runs for R2U-Net, at most.")] = 20.0,
    layout: Layout = None,
    labels: Labels = None,
    as_json: Annotated[bool, json_option("Also print the claims as JSON.")] = False,
) -> None:
    """Write the original study's claims beside what was measured and how."""
    from edgeseg import artifacts
    from edgeseg.artifacts import BUILD_FILE, read_build
    from edgeseg.cli._progress import counted, line
    from edgeseg.data.cohort import count_cohort
    from edgeseg.data.open import open_dataset
    from edgeseg.jsonio import to_json
    from edgeseg.reports.claims import claims_page, measured_claims, write_claims
    from edgeseg.results import ClaimsResult
    from edgeseg.stages.build import time_network
    from edgeseg.variants import VARIANTS

    found = read_build(build)
    record = build / BUILD_FILE if build.is_dir() else build
    inputs = [f"{record.name} of the build: sha256 {artifacts.sha256_file(record)[:16]}"]
    cohort = None
    if data is not None:
        dataset = open_dataset(data, layout=layout, labels=labels)
        with counted("counting patients") as progress:
            cohort = count_cohort(dataset, progress=progress)
        inputs.append(f"data set: {cohort.name}, {len(cohort.patients)} patients")
    timing = None
    if r2:
        timing = time_network(VARIANTS["r2unet"].default, threads=threads, budget_s=budget_s, say=line)
    beside = measured_claims(found, cohort=cohort, r2=timing)
    write_claims(claims_page(found, beside, inputs=inputs), out)
    if as_json:
        told = ClaimsResult(
            page=str(out), rests_on_phantoms=found.rests_on_phantoms, inputs=tuple(inputs), claims=tuple(beside)
        )
        typer.echo(to_json(told))
    else:
        typer.echo(str(out))
