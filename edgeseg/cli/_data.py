"""How a data set is read: the options of every command that takes one, spelled here once."""

from __future__ import annotations

from typing import Annotated

import typer

Layout = Annotated[
    str | None,
    typer.Option(
        "--layout",
        help="How the data set lies: kaggle-lgg, nnunet, msd, csv, brats, channels or paired; recognised if not given.",
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
