"""A contract as a commented TOML document, for a person to read and complete."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from edgeseg.jsonio import to_plain
from edgeseg.specs.contract import Contract

_TOLD: dict[str, str] = {
    "layout": "Of the input: NCHW (as PyTorch has it) or NHWC (as Keras has it).",
    "output_layout": "Of the output, where it is another.",
    "channels": "The channels of the image in the order that the network takes; a slice has pre, flair and post.",
    "reference_channel": "The one on whose grid masks lie.",
    "stand_in": "The one that is taken where another was not acquired.",
    "plane": "In which slices of a volume lie that the network takes: axial, coronal or sagittal.",
    "passes": "How often it sees a slice: 1, or 2 for once more with left and right exchanged; the mean of both.",
    "height": "The size that the network takes, in pixels.",
    "width": "",
    "output": "What it gives: logits, probabilities (each by itself), or softmax (they share 1).",
    "classes": "Names of its output channels where it has several, background first as a rule.",
    "foreground": "Which of them are tumour: their numbers, from 0 on, or their names.",
    "exclusive": "Of several masks: whether the logits are those of a softmax, so that one class wins each pixel.",
    "threshold": "A pixel is tumour when its probability is above this.",
    "normalisation": (
        "How bytes become what the network takes: unit (times scale), slice (each channel of each slice\n"
        "# stretched first), mean-std, z-score, or percentile; the last three read [intensity]."
    ),
    "scale": "What a byte is multiplied by: 1/255 gives 0 to 1.",
    "trained_on": "Name of the training data, and the licence of the weights.",
    "licence": "",
    "target": "Format and precision, such as onnx-fp32.",
    "content_sha256": "Of the model that this belongs to; it is checked. Leave it out for any.",
}
"""By key, in the order in which they are written: what stands above it."""
_INTENSITY = {
    "over": "Whose pixels are counted: slice, or volume (all slices of a patient).",
    "pixels": "Which: all, or non-zero.",
    "zero_stays": "With non-zero: whether 0 becomes 0, as in MONAI and nnU-Net.",
    "together": "Whether percentiles (or the mean and deviation of z-score) are of all channels together.",
    "low": "percentile: what becomes 0 and 1, in percent; values beyond are cut off.",
    "high": "",
    "then": "percentile: what follows, nothing, z-score (of each channel) or mean-std.",
    "mean": "mean-std: subtracted from each channel, and what it is then divided by.",
    "std": "",
}
_RULES = {
    "min_area_px": "Components of a lone slice with fewer pixels are dropped; 0 drops none.",
    "min_volume_px": "Components of a volume with fewer voxels are dropped.",
    "min_share": "Components of a volume smaller than this share of its largest are dropped.",
}
_REGION = {
    "name": "One of several masks, in place of foreground.",
    "channels": "Which of the output channels it is made of: their numbers, from 0 on.",
    "label": "Its value in label maps, 1 to 255.",
    "threshold": "A pixel belongs to it when its probability is above this.",
    "code": "Value, scheme and meaning of its DICOM code, then those of its category where that is another than usual.",
    "colour": "Red, green and blue, 0 to 255 each.",
}
_EXAMPLE = """\
# Example of a z-score over the volume, of pixels above 0:
# normalisation = "z-score"
# [intensity]
# over = "volume"
# pixels = "non-zero"
"""


def contract_toml(contract: Contract, notes: Iterable[str] = ()) -> str:
    """Write a contract as TOML, each key with what it means; `read_contract_document` reads it back.

    What edgeseg keeps for itself (digests of training, trust, the golden case, the seal) is left out.

    Args:
        contract: what is known.
        notes: sentences about the network, or what is to be said here, for the head.
    """
    plain = to_plain(contract) | {"output": contract.output, "plane": contract.plane, "passes": contract.passes}
    if contract.regions:
        plain["exclusive"] = contract.exclusive
    if contract.contract_sha256 is not None:
        del plain["content_sha256"]
    lines = ["# What edgeseg must know of this network. docs/reference/contract.md has every key."]
    lines += [f"# {' '.join(note.split())}" for note in notes]
    for key, told in _TOLD.items():
        if plain.get(key) is not None:
            lines += [*([f"# {told}"] if told else []), f"{key} = {toml_value(plain[key])}"]
    if contract.intensity is None:
        lines += ["", _EXAMPLE.rstrip()]
    return "\n".join([*lines, *toml_tables(plain)]) + "\n"


def toml_tables(plain: dict[str, Any]) -> list[str]:
    """Write what of a contract's fields TOML has as tables, which stand last: `intensity`, the rules, the regions."""
    lines = [] if plain.get("intensity") is None else _table("intensity", plain["intensity"], _INTENSITY)
    lines += _table("post_processing", plain["post_processing"], _RULES)
    for region in plain.get("regions", []):
        lines += ["", "[[regions]]", *_entries({key: region[key] for key in _REGION}, _REGION)]
        lines += _table("regions.post_processing", region["post_processing"], _RULES)
    return lines


def _table(name: str, plain: dict[str, Any], told: dict[str, str]) -> list[str]:
    return ["", f"[{name}]", *_entries(plain, told)]


def _entries(plain: dict[str, Any], told: dict[str, str]) -> list[str]:
    lines = []
    for key, value in plain.items():
        if value == []:
            continue
        lines += [*([f"# {told[key]}"] if told[key] else []), f"{key} = {toml_value(value)}"]
    return lines


def toml_value(value: Any) -> str:
    """One value; strings of JSON are strings of TOML, but for what stands for DEL."""
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return repr(value).lower() if isinstance(value, bool) else repr(value)
