"""Write what the model in a packed APK computes in Python, for `make test-apk`: int8 codes in and out, each slice."""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from PIL import Image

from edgeseg.imaging import to_network
from edgeseg.runtime import Segmenter

BUNDLE = "assets/edgeseg/"
GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"


def main(apk: Path, out: Path) -> None:
    """Write `codes.json`, `inputs.bin` and `outputs.bin`, int8 codes one slice after another, into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(apk) as archive:
        model = out / "model.onnx"
        model.write_bytes(archive.read(BUNDLE + "model.onnx"))
        cases = json.loads(archive.read(BUNDLE + "manifest.json"))["cases"]
        pictures = [archive.read(BUNDLE + image["file"]) for case in cases for image in case["images"]]
    pictures += [path.read_bytes() for path in sorted(GOLDEN.glob("*.png"))]
    segmenter = Segmenter.load(model, numerics="exact")
    if segmenter.output_scale is None:
        sys.exit("apk_codes.py: the model in the APK does not compute in int8, so it has no codes to compare")
    scale, zero = segmenter.output_scale
    inputs, outputs = [], []
    for picture in pictures:
        image = to_network(_pixels(picture), segmenter.contract)
        inputs.append(segmenter.encoded(image))
        outputs.append(np.rint(segmenter.logits(image) / np.float32(scale)) + zero)
    (out / "inputs.bin").write_bytes(np.concatenate(inputs).astype(np.int8).tobytes())
    (out / "outputs.bin").write_bytes(np.concatenate(outputs).astype(np.int8).tobytes())
    session = ort.InferenceSession(model)
    ends = {"input": session.get_inputs()[0], "output": session.get_outputs()[0]}
    told = {"apk": str(apk.resolve()), **{end: {"name": one.name, "shape": one.shape} for end, one in ends.items()}}
    (out / "codes.json").write_text(json.dumps(told))
    sys.stdout.write(f"Python's codes of {len(pictures)} slices: {segmenter.runtime}, {segmenter.numerics}\n")


def _pixels(picture: bytes) -> NDArray[np.uint8]:
    """`(1, H, W, 3) uint8` of a picture."""
    with Image.open(BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB"))[np.newaxis]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("apk", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    main(given.apk, given.out)
