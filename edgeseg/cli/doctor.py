"""`edgeseg doctor`: whether this device draws what the artifact's contract expects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._complete import models
from edgeseg.cli._model import MODEL_HELP, artifact
from edgeseg.cli._options import ContractFile, Threads, json_option


def doctor(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help=MODEL_HELP, autocompletion=models)],
    *,
    threads: Threads = 2,
    numerics: Annotated[
        str, typer.Option(help="exact (as on Arm) or fast (this host's default kernels); only int8 ONNX differs.")
    ] = "exact",
    contract: ContractFile = None,
    as_json: Annotated[bool, json_option("Print JSON instead of text.")] = False,
) -> None:
    """Run the artifact's golden case on this device; exit code 1 when too many mask pixels or a logit differ.

    Needs the base install only, and LiteRT for .tflite.
    """
    from edgeseg.errors import CheckFailedError
    from edgeseg.jsonio import to_json
    from edgeseg.networks import name_of_file
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.model_files import model_sha256

    model = artifact(model)
    found = Segmenter.load(model, threads=threads, numerics=numerics, contract=contract).self_test()
    found = replace(found, network=name_of_file(model_sha256(model)))
    if as_json:
        typer.echo(to_json(found))
    else:
        from edgeseg.cli._print import show
        from edgeseg.reports.self_test import self_test_table

        show(self_test_table(found))
    if not found.passed:
        raise CheckFailedError(
            f"{model}: {found.flipped_pixels} pixels of the golden mask flip here and {found.allowed_flips} may; "
            f"logits are off by {found.logit_off_max:.4g} and {found.logit_tolerance:.4g} is allowed. Masks drawn here "
            "are not those that were evaluated: use other kernels (--numerics exact), another runtime, or a float model"
        )
