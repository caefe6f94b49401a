"""The layouts there are, in the order in which they are looked for."""

from __future__ import annotations

from pathlib import Path

from edgeseg.data.folder import PairedFolder, looks_like_paired_folder
from edgeseg.data.kaggle_lgg import KaggleLgg, looks_like_kaggle_lgg
from edgeseg.data.layouts import brats, channel_pictures, csv_list, dicom_seg, msd, nnunet
from edgeseg.data.layouts.layout import Layout, StoredDataset
from edgeseg.data.layouts.msd import looks_like_msd
from edgeseg.errors import DatasetError


def _kaggle(root: Path, labels: str | None) -> StoredDataset:
    if labels is not None:
        raise DatasetError(
            f"{root}: masks of the Kaggle LGG layout tell tumour from the rest alone; leave --labels out"
        )
    return KaggleLgg(root)


def _paired(root: Path, labels: str | None) -> StoredDataset:
    return PairedFolder(root) if labels is None else channel_pictures.open_channels(root, labels)


LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            name="kaggle-lgg",
            shape="DIR/[kaggle_3m/]<patient>/<patient>_<n>.tif beside <patient>_<n>_mask.tif",
            looks_like=looks_like_kaggle_lgg,
            open=_kaggle,
        ),
        Layout(name=nnunet.NAME, shape=nnunet.SHAPE, looks_like=nnunet.looks_like_nnunet, open=nnunet.open_nnunet),
        Layout(name=msd.NAME, shape=msd.SHAPE, looks_like=looks_like_msd, open=msd.open_msd),
        Layout(name=csv_list.NAME, shape=csv_list.SHAPE, looks_like=csv_list.looks_like_csv, open=csv_list.open_csv),
        Layout(name=brats.NAME, shape=brats.SHAPE, looks_like=brats.looks_like_brats, open=brats.open_brats),
        Layout(
            name=dicom_seg.NAME,
            shape=dicom_seg.SHAPE,
            looks_like=dicom_seg.looks_like_dicom_seg,
            open=dicom_seg.open_dicom_seg,
        ),
        Layout(
            name=channel_pictures.NAME,
            shape=channel_pictures.SHAPE,
            looks_like=channel_pictures.looks_like_channels,
            open=channel_pictures.open_channels,
        ),
        Layout(
            name="paired",
            shape="DIR/images/<patient>/<slice>.png with DIR/masks/<patient>/<slice>.png, or "
            "DIR/<patient>/<slice>.png with <slice>_mask.png",
            looks_like=looks_like_paired_folder,
            open=_paired,
        ),
    )
}
