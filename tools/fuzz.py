"""Gives every reader and every format of configuration damaged input, and writes what came of it.

    python tools/fuzz.py [--inputs 10000] [--only NAME ...] [--into docs/measured/hostile.md]

`make fuzz` runs it. An input is a good file with bytes overwritten, parts repeated, or its end cut off; hypothesis
makes them up. It is taken or refused with one of edgeseg's own errors; anything else is a fault, and the input that did
it is kept under build/fuzz. Seeds are small and hold no patient.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from edgeseg.errors import EdgeSegError
from edgeseg.jsonio import JsonFormatError

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "fuzz"
BEGIN, END = "<!-- fuzz:begin -->", "<!-- fuzz:end -->"

Read = Callable[[bytes, Path], object]


@dataclass
class Target:
    """One reader, a good input for it, and how many bytes at its start are damaged as often as all the others."""

    name: str
    seed: bytes
    read: Read
    head: int = 400
    refused: tuple[type[Exception], ...] = (EdgeSegError, JsonFormatError)
    counts: dict[str, int] = field(default_factory=lambda: {"inputs": 0, "taken": 0, "refused": 0, "faults": 0})
    slowest_s: float = 0.0


edits = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)
repeats = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 64), st.integers(2, 200)), max_size=1)
ends = st.one_of(st.just(1.0), st.floats(0, 1))


def mutate(
    seed: bytes, changes: list[tuple[float, int]], repeated: list[tuple[float, int, int]], end: float, head: int
) -> bytes:
    """Overwrite bytes, half of the places near the start, repeat a part, and cut the end off."""
    made = bytearray(seed)
    for number, (place, value) in enumerate(changes):
        made[int(place * min(len(made), head if number % 2 else len(made)))] = value
    for place, size, times in repeated:
        at = int(place * len(made))
        made[at:at] = made[at : at + size] * times
    return bytes(made[: int(end * len(made))])


def run(target: Target, inputs: int, folder: Path) -> Target:
    """Try one target."""

    @settings(max_examples=inputs, deadline=None, database=None, suppress_health_check=list(HealthCheck),
              phases=[Phase.generate])  # fmt: skip
    @given(edits, repeats, ends)
    def check(changes: list[tuple[float, int]], repeated: list[tuple[float, int, int]], end: float) -> None:
        _try(target, mutate(target.seed, changes, repeated, end, target.head), folder)

    check()
    return target


def _try(target: Target, content: bytes, folder: Path) -> None:
    start = time.perf_counter()
    target.counts["inputs"] += 1
    try:
        target.read(content, folder)
        target.counts["taken"] += 1
    except target.refused:
        target.counts["refused"] += 1
    except Exception as error:
        target.counts["faults"] += 1
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{target.name.replace(' ', '-')}-{target.counts['faults']}").write_bytes(content)
        print(f"{target.name}: {type(error).__name__}: {error}"[:300], file=sys.stderr)
    target.slowest_s = max(target.slowest_s, time.perf_counter() - start)


def targets() -> list[Target]:
    """Name every target."""
    return [*_pictures(), *_scans(), *_requests(), *_documents(), *_models()]


def _part(name: str) -> ModuleType:
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / "hostile" / f"_{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _pictures() -> list[Target]:
    import numpy as np
    from PIL import Image

    from edgeseg.data.slice_file import decode_slice

    def seed(kind: str, **options: Any) -> bytes:
        made = io.BytesIO()
        picture = np.random.default_rng(0).integers(0, 255, (16, 24, 3), dtype=np.uint8)
        Image.fromarray(picture).save(made, kind, **options)
        return made.getvalue()

    def read(content: bytes, _folder: Path) -> object:
        return decode_slice(content, "slice", max_pixels=1 << 22)

    made = {"PNG": {}, "TIFF": {}, "JPEG": {}}
    found = [Target(f"slice, {kind}", seed(kind, **options), read) for kind, options in made.items()]
    found.append(Target("slice, TIFF with LZW", seed("TIFF", compression="tiff_lzw"), read))
    return [*found, Target("slice, progressive JPEG", seed("JPEG", progressive=True), read)]


def _scans() -> list[Target]:
    import gzip

    from edgeseg.data.open_scan import open_scan

    nifti, dicom = _part("nifti"), _part("dicom")

    def reads(name: str) -> Read:
        def read(content: bytes, folder: Path) -> object:
            path = folder / name.replace("/", "-").replace("scan-", "") if "/" not in name else folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            with open_scan(sequences={"flair": path.parent if "/" in name else path}, salt="s") as scan:
                return scan.image(0)

        return read

    volume = nifti.nifti(8, 8, 3, data=bytes(range(192)) * 2)
    rle = dicom.packed(dicom.RLE, dicom.rle(384))
    return [
        Target("NIfTI", volume, reads("flair.nii")),
        Target("NIfTI, packed", gzip.compress(volume), reads("flair.nii.gz")),
        Target("DICOM", dicom.native(), reads("native/a.dcm"), head=900),
        Target("DICOM, deflated", dicom.deflated(1 << 20, rows=512, columns=1024), reads("deflated/a.dcm")),
        Target("DICOM, RLE", rle, reads("rle/a.dcm"), head=900),
    ]


def _requests() -> list[Target]:
    import base64
    import shutil

    from edgeseg.service.packed import Budget, place_nifti, place_study
    from edgeseg.service.refusal import Refusal
    from edgeseg.service.vertex import read_instances
    from edgeseg.specs import ServeOptions

    nifti, dicom, pictures = _part("nifti"), _part("dicom"), _part("pictures")
    options = ServeOptions(max_body_bytes=1 << 20)
    refused = (EdgeSegError, Refusal)

    def study(content: bytes, folder: Path) -> object:
        place = folder / "study"
        shutil.rmtree(place, ignore_errors=True)
        return place_study(content, place, options.bounds, Budget(options.bounds))

    def volume(content: bytes, folder: Path) -> object:
        return place_nifti(content, folder / "flair.nii", options.bounds, Budget(options.bounds))

    instance = {"b64": base64.b64encode(pictures.png(16, 24)).decode()}
    body = json.dumps({"instances": [instance], "parameters": {"masks": "png", "volume": False}}).encode()
    return [
        Target("upload, zip", dicom.zipped(dicom.native()), study, refused=refused),
        Target("upload, NIfTI", nifti.zeros(0, nifti.nifti(4, 4, 2)), volume, refused=refused),
        Target("request, JSON", body, lambda content, _: read_instances(content, options), refused=refused),
    ]


def _documents() -> list[Target]:
    from edgeseg.data.split import read_split
    from edgeseg.recipes.chain_file import read_chain
    from edgeseg.stages.calibrate.manifest import read_calibration
    from edgeseg.stages.check.baseline import read_baseline
    from edgeseg.stages.experiments.plan import read_plan

    def reads(name: str, read: Callable[[Path], object]) -> Read:
        def write_and_read(content: bytes, folder: Path) -> object:
            (folder / name).write_bytes(content)
            return read(folder / name)

        return write_and_read

    split = sorted((ROOT / "calibration" / "splits").glob("*.json"))[0]
    return [
        Target("recipe, TOML", (ROOT / "benchmarks/recipes/qat.toml").read_bytes(), reads("r.toml", read_chain)),
        Target("plan, TOML", (ROOT / "benchmarks/experiments.toml").read_bytes(), reads("p.toml", read_plan)),
        Target("split, JSON", split.read_bytes(), reads("s.json", read_split)),
        Target(
            "calibration, JSON", (ROOT / "calibration/phantom.json").read_bytes(), reads("c.json", read_calibration)
        ),
        Target("baseline, JSON", (ROOT / ".ci/baseline.json").read_bytes(), reads("b.json", read_baseline)),
    ]


def _models() -> list[Target]:
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.jsonio import to_json
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.contract import parse_contract
    from edgeseg.specs import Contract, VariantSpec

    variant = VariantSpec(name="alphax", alpha=0.125, stem="half")
    contract = to_json(
        Contract(
            variant=variant, tier="demo", target="onnx-fp32", layout="NCHW", trained_on="none", height=16, width=24
        )
    )

    def model(content: bytes, folder: Path) -> object:
        (folder / "m.onnx").write_bytes(content)
        return Segmenter.load(folder / "m.onnx", threads=1)

    def weights(content: bytes, folder: Path) -> object:
        (folder / "w.safetensors").write_bytes(content)
        return read_checkpoint(folder / "w.safetensors")

    shipped = (ROOT / "models/light/weights.safetensors").read_bytes()
    return [
        Target("model, ONNX", _part("models").plain(contract), model),
        Target("contract, JSON", contract.encode(), lambda content, folder: parse_contract(content, folder / "m.onnx")),
        Target("weights, safetensors", shipped, weights, head=4000),
    ]


def table(found: list[Target], seconds: float) -> str:
    """Write what came of it."""
    lines = ["| reader | inputs | taken | refused | faults | slowest |", "|---|---:|---:|---:|---:|---:|"]
    for one in found:
        counts = " | ".join(f"{count}" for count in one.counts.values())
        lines.append(f"| {one.name} | {counts} | {one.slowest_s:.2f} s |")
    faults, inputs = (sum(one.counts[name] for one in found) for name in ("faults", "inputs"))
    return "\n".join([*lines, "", f"{faults} faults in {inputs} inputs, tried in {seconds / 60:.0f} minutes."])


def main() -> None:
    """Try all targets and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    start, found = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        for target in targets():
            if options.only and target.name not in options.only:
                continue
            found.append(run(target, options.inputs, Path(folder)))
            print(f"{target.name}: {target.counts}, slowest {target.slowest_s:.2f} s", file=sys.stderr, flush=True)
    told = table(found, time.perf_counter() - start)
    print(told)
    if options.into is not None:
        page = options.into.read_text()
        before, after = page.partition(BEGIN)[0], page.partition(END)[2]
        options.into.write_text(f"{before}{BEGIN}\n\n{told}\n\n{END}{after}")
    sys.exit(any(one.counts["faults"] for one in found))


if __name__ == "__main__":
    main()
