"""Descriptions as scanners and people write them."""
# ruff: noqa: RUF001  letters that look like Latin ones are part of them

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeseg.data import nifti
from edgeseg.data.recognise import SeriesFacts, judge, words_of

TAKEN: dict[str, str] = {
    # Siemens
    "t2_tirm_tra_dark-fluid": "flair", "t2_space_dark-fluid_sag_p2_iso": "flair", "t2_tirm_tra_darkfluid_fs": "flair",
    "t1_se_tra": "pre", "t1_mprage_sag_p2_iso": "pre", "t1_mpr_ns_sag_iso": "pre", "t1_tse_tra_KM": "post",
    "t1_mprage_tra_iso_KM": "post", "t1_fl2d_tra nativ": "pre", "t1_vibe_tra_post": "post", "t2_tse_tra_512": "t2",
    "ep2d_diff_3scan_trace_p2_ADC": "-", "t2_fl2d_tra_hemo": "-", "AAHead_Scout": "-", "localizer": "-",
    "PosDisp: [4] t1_mprage": "-", "t1_se_tra_SUB": "-", "ep2d_perf_p2": "-", "t1_tirm_tra_dark-fluid": "pre",
    # GE
    "Ax T2 FLAIR": "flair", "AX FLAIR PROPELLER": "flair", "Sag CUBE FLAIR": "flair", "Ax T1 FLAIR": "pre",
    "AX T1 FLAIR +C": "post", "AX T1 FSPGR": "pre", "AX BRAVO +C": "post", "Sag T1 FLAIR POST GAD": "post",
    "3-Plane Loc": "-", "AX DWI ASSET": "-", "Ax SWAN": "-", "3D TOF MRA": "-", "AX T2 PRE": "t2", "AX T1 W/O": "pre",
    "AX T1 W/ CONTRAST": "post", "AX T1 POST OP": "pre", "ASSET CAL": "-", "Ax T2* GRE": "-", "AX T1 MEMP C+": "post",
    # Philips
    "T2W_FLAIR": "flair", "3D_Brain_VIEW_FLAIR_SHC": "flair", "T1W_SE": "pre", "sT1W_3D_TFE_Gd": "post",
    "T1W_TFE GADO": "post", "SmartBrain": "-", "Survey": "-", "DWI_3b": "-", "T1W_3D_TFE_DOTAREM": "post",
    # Canon
    "FLAIR_AX": "flair", "T1_AX_CE": "post", "T1 SE AX": "pre", "FSBB": "-", "AX FLAIR zouei": "flair",
    # German, French, Spanish, Italian, Portuguese, Japanese in Latin letters
    "T1 tra nativ": "pre", "T1 tra nach KM": "post", "T1 SE vor Kontrastmittel": "pre", "T1 ohne KM": "pre",
    "T1 mKM": "post",
    "T1 tra PRIMOVIST": "post", "T1 AX SANS INJECTION": "pre", "T1 AX sans injection de gado": "pre",
    "AX T1 GADO": "post", "T1 après injection": "post", "Repérage": "-", "T1 SIN CONTRASTE": "pre",
    "T1 TRA CON CONTRASTE": "post", "T1 AXIAL SIMPLE": "pre", "T1 S/C": "pre", "T1 C/C": "post", "T1 senza mdc": "pre",
    "T1 dopo mdc": "post", "T1 pós contraste": "post", "T1 jikudan tanjun": "pre", "T1 zouei jikudan": "post",
    "T1 zoueimae": "pre", "FLAIR suihei": "flair", "Difusión": "-",
    # names of files
    "BraTS-GLI-00001-000-t1n": "pre", "BraTS-GLI-00001-000-t1c": "post", "BraTS-GLI-00001-000-t2f": "flair",
    "BraTS-GLI-00001-000-t2w": "t2", "BraTS20_001_t1ce": "post", "sub-01_ce-gd_T1w": "post", "sub-01_T1w": "pre",
    "sub-01_FLAIR": "flair", "UPENN-GBM-00001_11_T1GD": "post", "Locke_flair": "flair", "Segura_flair": "flair",
    "flair_in_t1_space": "flair", "AxT1Post": "post", "axialflair": "flair", "T1postGd": "post", "FLAIRpost": "flair",
    "sub-01_seg": "-", "flair_mask": "-", "Maskell_T1": "pre", "T1 PRE": "pre", "T1 SUB": "-", "T1 PRECONTRAST": "pre",
    "T1 +C": "post", "T1 C-": "pre", "T1 without contrast": "pre", "T1 NON CONTRAST": "pre", "t2_tse_tra": "t2",
    "AX POST GAD": "post", "MPRAGE": "pre", "STIR": "-", "T1 PRE AND POST": "-", "ax t1 gad": "post", "ADC map": "-",
    # other scripts and languages
    "T1 造影": "post", "造影後 T1WI": "post", "T1強調 造影前": "pre", "T1 単純": "pre", "T1 横断": "pre",
    "FLAIR 横断": "flair",
    "T1增强": "post", "T2 增强": "t2", "T1 平扫": "pre", "T1 조영후": "post", "T1 강조 축상": "pre",
    "Т1 с контрастом": "post", "Т1 без контраста": "pre", "T1 после контраста": "post", "T1 ترحيب": "-",
    "FLAIR ترحيب": "flair",
    "T1 n. KM": "post", "T1 v. KM": "pre", "T1 ss gado": "pre", "T1 med kontrast": "post", "T1 utan kontrast": "pre",
    "T1 KONTRASTLI": "post", "T1 po kontraście": "post", "T1 bez kontrastu": "pre",
    # parts, other parts of the body, targets of registration
    "t1_vibe_dixon_F": "-", "t1_vibe_dixon_W": "pre", "FAT: T1 post": "-", "T1 dixon fat sat": "pre", "T1 C-SPINE": "-",
    "FLAIR CERVICAL": "-", "mp2rage_T1_Images": "-", "Synth FLAIR": "-", "Localisation FLAIR": "-",
    "t2_spc_da-fl_sag_p2_iso": "flair", "FLAIR_reg_T1c": "flair", "T1 post reg FLAIR": "post", "AX T1 W WO": "-",
}  # fmt: skip


@pytest.mark.parametrize("text", TAKEN)
def test_a_description_is_taken_for(text: str) -> None:
    verdict = judge(SeriesFacts(description=text))
    assert (verdict.channel or "-") == TAKEN[text], (words_of(text), verdict)
    assert verdict.why
    assert (verdict.score > 0) == (verdict.channel is not None)


HEADERS: dict[str, tuple[dict[str, Any], str | None]] = {
    "a T2 with contrast agent is not post": ({"description": "t2_tse_tra", "contrast": True}, "t2"),
    "nor is diffusion": ({"description": "ep2d_diff_b1000", "contrast": True}, None),
    "a T1 of which the header says it is": ({"description": "AX T1", "contrast": True}, "post"),
    "words about contrast agent go before it": ({"description": "AX T1 PRE", "contrast": True}, "pre"),
    "FLAIR stays FLAIR": ({"description": "AX FLAIR", "contrast": True}, "flair"),
    "short times": ({"description": "FLAIR", "echo_ms": 20.0, "inversion_ms": 860.0}, "pre"),
    "long times": ({"description": "tirm_tra", "echo_ms": 81.0, "inversion_ms": 2500.0}, "flair"),
    "TIRM with the times of STIR": ({"description": "tirm_tra", "echo_ms": 60.0, "inversion_ms": 160.0}, None),
    "spin echo": (
        {"description": "ax", "echo_ms": 12.0, "repetition_ms": 500.0, "scanning": ("SE",), "contrast": True},
        "post",
    ),
    "T1 by word, T2 by its echo": ({"description": "T1", "echo_ms": 102.0, "repetition_ms": 4000.0}, None),
    "no word, no time": ({"description": "AX"}, None),
    "SEG": ({"description": "FLAIR", "modality": "SEG"}, None),
    "a secondary capture": ({"description": "FLAIR", "image_type": ("DERIVED", "SCREEN SAVE")}, None),
    "a mosaic": ({"description": "FLAIR", "image_type": ("ORIGINAL", "PRIMARY", "MOSAIC")}, None),
    "three planes": ({"description": "FLAIR", "plane": "mixed"}, None),
    "a b value": ({"description": "FLAIR", "b_value": 1000.0}, None),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_weighed(name: str) -> None:
    facts, channel = HEADERS[name]
    assert judge(SeriesFacts(**facts)).channel == channel


def test_evidence_adds_up() -> None:
    plain, timed = (
        judge(SeriesFacts(description="FLAIR", echo_ms=echo, inversion_ms=inversion)).score
        for echo, inversion in ((None, None), (90.0, 2500.0))
    )
    derived = judge(SeriesFacts(description="FLAIR", image_type=("DERIVED",))).score
    assert derived < plain < timed
    assert (
        judge(SeriesFacts(description="T1 POST", contrast=True)).score > judge(SeriesFacts(description="T1 POST")).score
    )


def test_words() -> None:
    assert words_of("T1postGd") == ("t1", "post", "gd")
    assert words_of("Locke_flair") == ("locke", "flair")
    assert words_of("3D_T2FLAIR") == ("3d", "t2", "flair")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("HGG/synthetic_000/synthetic_000_t1ce.nii.gz", "t1ce"),
        ("label-3/LABEL-3-t2f.nii", "t2f"),
        ("flair/flair_t1.nii.gz", "flair_t1"),
        ("case/case_0000.nii.gz", "case_0000"),
        ("x/synthetic_flair.nii.gz", "synthetic_flair"),
    ],
)
def test_a_patients_name_at_the_head_of_a_files_name_says_nothing(path: str, said: str) -> None:
    (candidate,), _ = nifti.FORMAT.list((Path(path),), "")
    assert candidate.description == said
