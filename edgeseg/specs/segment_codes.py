"""What DICOM calls the parts of a mask: codes of SNOMED CT and of the NCI thesaurus, by the names of regions.

The codes are those of DICOM PS3.16: the categories of CID 7150, the types of CIDs 7151 and 7159.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Code = tuple[str, str, str]
"""Value, scheme and meaning."""

ABNORMAL: Code = ("49755003", "SCT", "Morphologically Abnormal Structure")
TISSUE: Code = ("85756007", "SCT", "Tissue")
NEOPLASM: Code = ("108369006", "SCT", "Neoplasm")

_TYPES: dict[Code, str] = {
    NEOPLASM: "tumor wholetumor wt tumorcore tc core gtv glioma neoplasm",
    ("79654002", "SCT", "Edema"): "edema ed peritumoraledema",
    ("6574001", "SCT", "Necrosis"): "necrosis ncr necrotic necroticcore necrotictumor necrotictumorcore",
    ("C113842", "NCIt", "Enhancing Lesion"): "enhancing et enhancingtumor enhancinglesion enhancement",
    ("C81175", "NCIt", "Non-Enhancing Lesion"): "nonenhancing net netc nonenhancingtumor nonenhancingtumorcore ncrnet",
    ("14799000", "SCT", "Neoplasm, Secondary"): "metastasis metastases",
    ("52988006", "SCT", "Lesion"): "lesion lesions",
    ("367643001", "SCT", "Cyst"): "cyst cysts",
    ("50960005", "SCT", "Hemorrhage"): "hemorrhage bleeding haematoma hematoma",
}
_BY_NAME = {name: code for code, names in _TYPES.items() for name in names.split()}
_MAX_VALUE, _MAX_MEANING = 16, 64
RULE = (
    "give value, scheme and meaning, such as 6574001, SCT and Necrosis, and where it is no morphologically abnormal "
    f"structure those of its category too; value and scheme have at most {_MAX_VALUE} characters, a meaning "
    f"{_MAX_MEANING}, and none of them a backslash"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCodes:
    """What a segment is: the type of the property, such as necrosis, and the category that it is of."""

    category: Code
    type: Code


def segment_codes(name: str, code: Sequence[str] = ()) -> SegmentCodes:
    """Find the codes of a region.

    Args:
        name: such as `whole-tumour`; capitals, signs and British spelling do not count.
        code: value, scheme and meaning as the contract has them, and those of the category where it has them; empty
            for what the name says. A name that says nothing is tissue.
    """
    if code:
        category = (code[3], code[4], code[5]) if len(code) > len(NEOPLASM) else ABNORMAL
        return SegmentCodes(category=category, type=(code[0], code[1], code[2]))
    plain = re.sub(r"[^a-z0-9]", "", name.casefold()).replace("tumour", "tumor").replace("oedema", "edema")
    known = _BY_NAME.get(plain.replace("haemorrhage", "hemorrhage"))
    return SegmentCodes(category=ABNORMAL, type=known) if known else SegmentCodes(category=TISSUE, type=TISSUE)


def is_code(code: Sequence[str]) -> bool:
    """Whether a contract's code can be written: empty, or one or two times value, scheme and meaning, as `RULE`."""
    sizes = (_MAX_VALUE, _MAX_VALUE, _MAX_MEANING) * 2
    return len(code) in (0, 3, 6) and all(
        part.strip() and part.isprintable() and "\\" not in part and len(part) <= size
        for part, size in zip(code, sizes, strict=False)
    )
