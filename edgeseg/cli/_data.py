"""How a data set is read: the options of every command that takes one, spelled here once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edgeseg.data.cache import SliceCache
    from edgeseg.data.layouts.layout import StoredDataset

Layout = Annotated[
    str | None,
    typer.Option(
        "--layout",
        help="How the data set lies: brats, channels, csv, dicom-seg, kaggle-lgg, msd, nnunet or paired; else "
        "recognised.",
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="NAME=1+2,...",
        help="What masks tell apart, such as whole-tumour=1+2+4,core=1+4; what the data set says if not given.",
    ),
]
Plane = Annotated[
    str | None,
    typer.Option("--plane", help="Slices through another axis of volumes: coronal or sagittal; axial if not given."),
]
Ray = Annotated[
    bool, typer.Option("--ray", help="Deal patients to the workers of Ray: RAY_ADDRESS, or else this machine.")
]


def decoded(
    data: Path, cache: Path | None, *, layout: str | None, labels: str | None, plane: str | None, doing: str
) -> tuple[StoredDataset, SliceCache]:
    """Open a data set and its slices, decoded once into the cache.

    Raises:
        DataError: when it cannot be read.
        OptionError: for an unknown plane.
    """
    from edgeseg.cli._progress import counted
    from edgeseg.data.cache import cached, folder_key
    from edgeseg.data.open import open_dataset
    from edgeseg.data.plane import seen_in
    from edgeseg.specs import AXIAL

    dataset = open_dataset(data, layout=layout, labels=labels)
    seen = seen_in(dataset, plane or AXIAL)
    key = folder_key(data, layout=layout, labels=labels, plane=None if plane == AXIAL else plane)
    with counted(doing) as progress:
        return dataset, cached(seen, key, root=cache, progress=progress)
