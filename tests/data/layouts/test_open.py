"""Each layout is recognised, and what is wrong with it is one clear error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edgeseg.data.open import open_dataset
from edgeseg.data.open_scan import open_scan
from edgeseg.data.verify import verify_dataset
from edgeseg.errors import DatasetError, MaskError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def own_data(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(ROOT / "tools" / "own_data.py")


@pytest.mark.parametrize(
    ("layout", "channels", "classes"),
    [
        ("brats", ("pre", "flair", "post", "t2"), ("necrosis", "oedema", "enhancing")),
        ("nnunet", ("pre", "flair"), ("necrosis", "oedema", "enhancing")),
        ("grey", ("grey",), ()),
    ],
)
def test_a_layout_is_recognised(
    own_data: ModuleType, tmp_path: Path, layout: str, channels: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    own_data.main([layout, str(tmp_path / "set"), "--patients", "2"])
    dataset = open_dataset(tmp_path / "set")
    assert (dataset.channels.names, dataset.classes) == (channels, classes)
    volume = dataset.volume(dataset.patients[0])
    assert volume.images.shape == (8, 64, 64, len(channels))
    assert volume.reference.shape == ((8, 64, 64, 3) if classes else (8, 64, 64))
    assert verify_dataset(dataset).passed


def test_training_and_the_runner_see_equal_bytes(own_data: ModuleType, tmp_path: Path) -> None:
    own_data.main(["brats", str(tmp_path / "set"), "--patients", "1"])
    dataset = open_dataset(tmp_path / "set", labels="tumour=1+2+4")
    volume = dataset.volume("synthetic_000")
    folder = tmp_path / "set" / "HGG" / "synthetic_000"
    names = {"pre": "t1", "flair": "flair", "post": "t1ce", "t2": "t2"}
    files = {name: folder / f"synthetic_000_{called}.nii.gz" for name, called in names.items()}
    with open_scan(channels=dataset.channels, sequences=files) as scan:
        seen = np.stack([scan.image(index) for index in range(8)])
    np.testing.assert_array_equal(volume.images, seen)
    assert volume.reference.shape == (8, 64, 64)


def test_a_missing_channel_and_an_unknown_label_are_named(own_data: ModuleType, tmp_path: Path) -> None:
    root = tmp_path / "set"
    own_data.main(["nnunet", str(root), "--patients", "2"])
    own_data.write_nifti(root / "labelsTr" / "case_000.nii.gz", np.full((8, 64, 64), 7, np.uint8))
    (root / "imagesTr" / "case_001_0001.nii.gz").unlink()
    with pytest.raises(MaskError, match=r"holds 7, and the labels of this set are 0, 1, 2, 3"):
        open_dataset(root).volume("case_000")
    kinds = {finding.kind for finding in verify_dataset(open_dataset(root)).findings}
    assert kinds == {"unreadable-patient"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient,one\np,a.png\n", "column 'mask' is missing"),
        ("patient,one,mask\np,../a.png,m.png\n", "leads out of its folder"),
        ("patient,site,one,mask\np,A,a.png,m.png\np,B,b.png,n.png\n", "is of two sites"),
        ("patient,one,mask\np,a.png,m.png\nq,./a.png,n.png\n", "a.png is an image of two patients, 'p' and 'q'"),
        ("patient,one,mask\np,a.png,m.png\np,a.png,m.png\n", "a.png is in two rows of patient 'p'"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        open_dataset(tmp_path / "list.csv")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_list_is_recognised_in_whatever_encoding_it_is_read(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "list.csv").write_bytes((mark + "patient,one,mask\r\np\u00e9,a.png,m.png\r\n").encode(encoding))
    assert open_dataset(tmp_path).patients == ("p\u00e9",)


def test_the_site_of_a_list_is_the_patients_institution(own_data: ModuleType, tmp_path: Path) -> None:
    own_data.main(["brats", str(tmp_path / "set"), "--patients", "2"])
    rows = [
        f"{name},{site},set/{grade}/{name}/{name}_t1.nii.gz,set/{grade}/{name}/{name}_seg.nii.gz"
        for name, site, grade in (("synthetic_000", "north", "HGG"), ("synthetic_001", "south", "LGG"))
    ]
    (tmp_path / "list.csv").write_text("\n".join(["patient,site,t1,mask", *rows]) + "\n")
    dataset = open_dataset(tmp_path / "list.csv", labels="tumour=1+2+4")
    assert [dataset.institution(patient) for patient in dataset.patients] == ["north", "south"]
    assert [dataset.volume(patient).institution for patient in dataset.patients] == ["north", "south"]
