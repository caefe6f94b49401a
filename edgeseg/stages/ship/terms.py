"""Whose data made weights, and under which licence they may be passed on, as their card says it."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.checkpoint import CheckpointHeader
from edgeseg.data.kaggle_lgg import LICENCE
from edgeseg.data.volume import KAGGLE_LGG, PHANTOM
from edgeseg.specs.one_line import check_line

ATTRIBUTION = (
    "TCGA-LGG images from The Cancer Imaging Archive; masks by Buda, Saha and Mazurowski, Computers in Biology and "
    "Medicine 2019, as published on Kaggle (mateuszbuda/lgg-mri-segmentation)"
)
_PHANTOMS = "synthetic phantoms, which edgeseg draws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a card says of licence and origin; empty where it is not said."""

    licence: str = ""
    attribution: str = ""

    def __post_init__(self) -> None:
        """Refuse what is not one line."""
        check_line("licence", self.licence)
        check_line("attribution", self.attribution)


def terms_for(header: CheckpointHeader, given: Terms) -> Terms:
    """Return the terms of weights: what was given, or else what is known of the data that made them.

    Of TCGA-LGG and of phantoms both are known. Of other data the licence is not, and the attribution names the set and
    says so. What weights were started from counts as well, so that what LGG made is named wherever it went.
    """
    data = _data(header)
    own = [name for name in data if name not in (KAGGLE_LGG, PHANTOM)]
    foreign = None if header.foreign is None else header.foreign.contract.licence
    parts = [ATTRIBUTION] if KAGGLE_LGG in data else []
    parts += [f"data set '{name}', whose origin was not said" for name in own]
    return Terms(
        licence=given.licence or foreign or ("" if own else LICENCE),
        attribution=given.attribution or "; ".join(parts) or _PHANTOMS,
    )


def _data(header: CheckpointHeader) -> list[str]:
    """The data sets of a training and of those that it rests on, each once."""
    below = (*header.parts, *(() if header.initial is None else (header.initial,)))
    return list(dict.fromkeys((header.data, *(name for one in below for name in _data(one)))))
