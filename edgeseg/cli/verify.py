"""`edgeseg verify`: whether an artifact still computes what another computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._complete import models
from edgeseg.cli._data import Labels, Layout
from edgeseg.cli._model import artifact, label
from edgeseg.cli._options import ContractFile, Threads, contract_option, json_option

if TYPE_CHECKING:
    from edgeseg.data.volume import Dataset

PHANTOM_PATIENTS = 2


def verify(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="The artifact to check: .onnx, .ort, .tflite or .hdf5, or a name.",
            autocompletion=models,
        ),
    ],
    reference: Annotated[
        Path, typer.Option(metavar="MODEL2", help="The artifact to hold it against.", autocompletion=models)
    ],
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A data set to compare on; phantoms where none is given.")
    ] = None,
    max_flip_ppm: Annotated[
        float | None,
        typer.Option(help="Tolerated flipped mask pixels per million; the target's own where none is given."),
    ] = None,
    threads: Threads = 2,
    contract: ContractFile = None,
    reference_contract: Annotated[
        Path | None, contract_option("That of MODEL2, where it carries none.", of="reference")
    ] = None,
    layout: Layout = None,
    labels: Labels = None,
    as_json: Annotated[bool, json_option("Print JSON instead of a table.")] = False,
) -> None:
    """Run the same slices through two artifacts and count the mask pixels that differ; exit code 1 when too many do.

    For int8 it also says whether what this host computes is what an Arm device computes, and how that is known.
    """
    from edgeseg import targets
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.data.volume import PHANTOM, volumes
    from edgeseg.errors import CheckFailedError, OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.stages.score import device_figure
    from edgeseg.stages.score import verify as run

    if threads < 1:
        raise OptionError(f"threads is {threads}; at least 1 is needed")
    model, reference = artifact(model), artifact(reference)
    predictor = targets.open_artifact(model, threads=threads, contract=contract)
    dataset = _dataset(data, predictor.contract.channels, layout, labels)
    other = targets.open_artifact(reference, threads=threads, contract=reference_contract)
    told = predictor.contract
    with counted("comparing", total=len(dataset.patients)) as progress:
        result = run(
            predictor,
            other,
            volumes(dataset),
            artifact=f"{label(told, model)}/{told.target}",
            max_flip_ppm=_tolerated(told.target, max_flip_ppm),
            progress=progress,
        )
    result = replace(result, device=device_figure(predictor))
    if as_json:
        typer.echo(to_json(result))
    else:
        from edgeseg.reports.scores import parity_table

        show(parity_table(result, phantoms=dataset.name == PHANTOM))
    if not result.passed:
        raise CheckFailedError(
            f"{model} flips {result.flips_ppm:.1f} mask pixels per million against {reference}, and "
            f"{result.max_flip_ppm:g} are tolerated; the worst slice is {result.worst_slice} with "
            f"{result.worst_slice_flipped_pixels}. Convert again, or allow more with --max-flip-ppm"
        )


def _tolerated(target: str, asked: float | None) -> float:
    """What was asked for, or what the target tolerates; a model that edgeseg did not build is held to float's."""
    from edgeseg import targets
    from edgeseg.results import REFERENCE

    return targets.get(target if target in targets.TARGETS else REFERENCE).max_flip_ppm if asked is None else asked


def _dataset(data: Path | None, channels: tuple[str, ...], layout: str | None, labels: str | None) -> Dataset:
    if data is None:
        from edgeseg.data.phantom import PhantomDataset
        from edgeseg.data.phantom_channels import phantom_channels

        return PhantomDataset(patients=PHANTOM_PATIENTS, channels=phantom_channels(channels))
    from edgeseg.data.open import open_dataset

    return open_dataset(data, layout=layout, labels=labels)
