"""Formats of images that are known by their ending and not read, and what to do about it."""

from __future__ import annotations

_ITK = "is not read; convert it to .nii.gz, such as with SimpleITK or 3D Slicer"
_PAIR = "a pair of .hdr and .img is not read; save it as one .nii file, such as with nibabel"
NOT_READ = {
    ".hdr": _PAIR,
    ".img": _PAIR,
    ".mgz": "FreeSurfer's format is not read; convert it, such as with mri_convert x.mgz x.nii.gz",
    ".mgh": "FreeSurfer's format is not read; convert it, such as with mri_convert x.mgh x.nii.gz",
    ".nrrd": f"NRRD {_ITK}",
    ".nhdr": f"NRRD {_ITK}",
    ".mha": f"MetaImage {_ITK}",
    ".mhd": f"MetaImage {_ITK}",
    ".mnc": f"MINC {_ITK}",
    ".par": "PAR/REC is not read; convert it, such as with dcm2niix",
    ".rec": "PAR/REC is not read; convert it, such as with dcm2niix",
    ".zip": "archives are not read; unpack it and name the folder",
    ".tar": "archives are not read; unpack it and name the folder",
    ".tgz": "archives are not read; unpack it and name the folder",
}
"""What is known and not read, by its ending, and what to do."""
