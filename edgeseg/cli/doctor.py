"""`edgeseg doctor`: whether this device draws what the artifact's contract expects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._contract import ContractFile

if TYPE_CHECKING:
    from edgeseg.results import SelfTest


def doctor(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The artifact: a .onnx, .ort or .tflite file.")],
    *,
    threads: Annotated[int, typer.Option("--threads", help="Threads of the runtime.")] = 2,
    numerics: Annotated[
        str, typer.Option(help="exact (as on Arm) or fast (this host's default kernels); only int8 ONNX differs.")
    ] = "exact",
    contract: ContractFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Run the artifact's golden case on this device; exit code 1 when too many mask pixels or a logit differ.

    Needs the base install only, and LiteRT for .tflite.
    """
    from edgeseg.errors import CheckFailedError
    from edgeseg.jsonio import to_json
    from edgeseg.runtime import Segmenter

    found = Segmenter.load(model, threads=threads, numerics=numerics, contract=contract).self_test()
    if as_json:
        typer.echo(to_json(found))
    else:
        _print(found)
    if not found.passed:
        raise CheckFailedError(
            f"{model}: {found.flipped_pixels} pixels of the golden mask flip here and {found.allowed_flips} may; "
            f"logits are off by {found.logit_off_max:.4g} and {found.logit_tolerance:.4g} is allowed. Masks drawn here "
            "are not those that were evaluated: use other kernels (--numerics exact), another runtime, or a float model"
        )


def _print(found: SelfTest) -> None:
    from rich.markup import escape
    from rich.table import Table

    from edgeseg.cli._print import show

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    verdict = "passed" if found.passed else "FAILED"
    rows = (
        ("golden case", f"{verdict}: {found.artifact} ({found.target})"),
        ("mask", f"{found.flipped_pixels} of {found.pixels} pixels flip, {found.allowed_flips} may"),
        ("tumour pixels", f"{found.tumour_pixels}, {found.expected_tumour_pixels} expected"),
        ("logits", f"off by at most {found.logit_off_max:.2g}, {found.logit_tolerance:.4g} allowed"),
        ("why these limits", found.reason),
        ("here", f"{found.runtime}, {found.threads} threads, {found.numerics}"),
        ("expected from", found.made_with),
        ("int8 kernels", f"{found.int8_kernels} (ONNX Runtime on this host)"),
    )
    for name, value in rows:
        table.add_row(name, escape(value))
    show(table)
