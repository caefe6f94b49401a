"""Segment one patient with a network that ships: python examples/segment_scan.py PATIENT [NETWORK].

PATIENT is a folder with a NIfTI file for each sequence, or with the DICOM series of a study; `edgeseg[nifti]` or
`edgeseg[dicom]` reads them. Prints the slices with tumour. Research use only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import edgeseg


def main(patient: Path, network: str = "light") -> list[str]:
    """Print and return the names of the slices on which the network draws something."""
    segmenter = edgeseg.load(network)
    with edgeseg.open_scan(patient) as scan:
        masks = segmenter.segment(scan)  # (N, h, w) bool, after small components are dropped
        marked = [name for name, mask in zip(scan.slice_names, masks, strict=True) if mask.any()]
        print(f"{scan.name}: {len(marked)} of {len(masks)} slices, {int(masks.sum())} pixels")
    print(*marked, sep="\n")
    return marked


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
