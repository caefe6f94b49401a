"""Every shipped network in every format by the clock, in one run, and which file is the fastest where.

Writes docs/measured/speed.md: milliseconds of each file on this host, alone in a process and on one thread, against the
float U-Nets of 31 M and 7.8 M parameters; beside them the instructions of an inference on an emulated Cortex-A76; what
ONNX Runtime's int8 gains from other forms on x86; and OpenVINO, where --openvino names a Python that has it. The files
take turns by process. Close other work first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from alone import QUANTILE_SAID, WARMUP, milliseconds, parsed, seconds_alone
from shapes import drawn
from transposed import job_of

from edgeseg import artifacts, networks
from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.reports.table import markdown_table_lines
from edgeseg.specs import Contract, VariantSpec
from edgeseg.stages.environment import environment, load_average
from edgeseg.targets import TARGETS, ConvertJob, get
from edgeseg.targets._codes import CODES, Codes

sys.path.insert(0, str(Path(__file__).parent / "device"))

PAGE = Path(__file__).resolve().parents[1] / "docs" / "measured" / "speed.md"
REFERENCES = {
    "31 M": VariantSpec(name="unet", alpha=1.0, stem="full"),
    "7.8 M": VariantSpec(name="unet", alpha=0.5, stem="full"),
}
FORMATS = tuple(name for name, target in TARGETS.items() if target.runtime in ("onnxruntime", "litert"))
SLOW_RUNS = 10
DEFAULT, STEM = "light", "enc1_1_conv"
WHOLE = "unsigned, weights of 8 bits (exact only with VNNI)"
COUNTED = ("tflite-fp32", "tflite-int8", "onnx-fp32", "onnx-int8")
_HINTS = {"fp32": "f32", "bfloat16": "bf16", "int8": "undefined"}
_OPENVINO = Path(__file__).with_name("openvino_alone.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file that is timed; `form` says what is peculiar to it."""

    network: str
    target: str
    path: Path
    form: str = ""
    integer: bool = False
    slow: bool = False
    openvino: str = ""


def main() -> None:
    """Build, time, count, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60, help="of each process")
    parser.add_argument("--processes", type=int, default=3, help="of each file, in turns")
    parser.add_argument("--openvino", metavar="PYTHON", help="an interpreter that has OpenVINO")
    parser.add_argument("--into", type=Path, default=PAGE)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgeseg-speed-") as folder:
        files = _files(Path(folder), openvino=given.openvino is not None)
        load = load_average()
        ms = _milliseconds(files, given)
        counts = _counted(files, Path(folder))
        page = _page(files, ms, counts, given, load)
    artifacts.write_text(given.into, page)
    print(given.into)


def _files(folder: Path, *, openvino: bool) -> list[File]:
    found = []
    for network in (one for one in networks.every() if not one.own):
        checkpoint = read_checkpoint(network.weights)
        found += [_converted(checkpoint, network.name, name, folder) for name in FORMATS]
    found += _forms(read_checkpoint(networks.get(DEFAULT).weights), folder)
    if openvino:
        graphs = {"fp32": "onnx-fp32", "bfloat16": "onnx-fp32", "int8": "onnx-int8"}
        usual = [file for file in found if not file.form]
        for own in dict.fromkeys(file.network for file in usual):
            paths = {file.target: file.path for file in usual if file.network == own}
            found += [
                File(network=own, target=f"openvino {name}", path=paths[graph], openvino=name)
                for name, graph in graphs.items()
            ]
    for name, variant in REFERENCES.items():
        path = folder / f"{name.replace(' ', '')}.onnx"
        _say(f"converting {variant.slug}")
        target = get("onnx-fp32")
        contract = Contract(variant=variant, tier="custom", target=target.name, layout=target.layout, trained_on="none")
        target.convert(ConvertJob(model=drawn(variant), contract=contract), path)
        found.append(File(network=name, target=target.name, path=path, slow=True))
    return found


def _converted(checkpoint: Checkpoint, network: str, name: str, folder: Path) -> File:
    target = get(name)
    _say(f"converting {network} to {name}")
    path = folder / f"{network}-{name}{target.suffix}"
    target.convert(job_of(checkpoint, name), path)
    return File(network=network, target=name, path=path)


def _forms(checkpoint: Checkpoint, folder: Path) -> list[File]:
    """Write ONNX int8 in the forms that could suit x86 better than the one for Arm."""
    target, job = get("onnx-int8"), job_of(checkpoint, "onnx-int8")
    unsigned = replace(job, contract=replace(job.contract, profile="x86"))
    jobs = {
        "signed, a float stem": replace(job, float_layers=(STEM,)),
        "unsigned, weights of 7 bits (--profile x86)": unsigned,
        "unsigned, weights of 7 bits, a float stem": replace(unsigned, float_layers=(STEM,)),
        WHOLE: unsigned,
    }
    found = []
    for place, (form, own) in enumerate(jobs.items()):
        path = folder / f"form{place}.onnx"
        with patch.dict(CODES, {"x86": Codes(unsigned=True, weight_reach=127)} if form == WHOLE else {}):
            target.convert(own, path)
        found.append(File(network=DEFAULT, target=target.name, path=path, form=form))
    path = folder / f"{DEFAULT}-onnx-int8.onnx"
    return [
        File(network=DEFAULT, target=target.name, path=path, form="signed, kept in integers as on Arm", integer=True),
        *found,
    ]


def _milliseconds(files: Sequence[File], given: argparse.Namespace) -> dict[File, float | None]:
    """Time the files in turns; None for one that its runtime cannot run."""
    seconds: dict[File, list[float]] = {file: [] for file in files}
    refused = set()
    for turn in range(given.processes):
        _say(f"timing {len(files)} files, turn {turn + 1}")
        for file in files:
            try:
                seconds[file] += _alone(file, given)
            except subprocess.CalledProcessError as error:
                _say(f"{file.network} {file.target}: {error.stderr.strip().splitlines()[-1][:200]}")
                refused.add(file)
    return {file: None if file in refused else milliseconds(own) for file, own in seconds.items()}


def _alone(file: File, given: argparse.Namespace) -> list[float]:
    if not file.openvino:
        return seconds_alone(file.path, SLOW_RUNS if file.slow else given.runs, integer=file.integer)
    command = [given.openvino, _OPENVINO, file.path, str(WARMUP + given.runs), _HINTS[file.openvino]]
    return parsed(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _counted(files: Sequence[File], folder: Path) -> dict[File, int]:
    from instructions import instructions

    counted = [file for file in files if file.target in COUNTED and not (file.form or file.slow)]
    _say(f"counting instructions of {len(counted)} files")
    return dict(zip(counted, instructions([file.path for file in counted], folder), strict=True))


def _page(
    files: Sequence[File],
    ms: dict[File, float | None],
    counts: dict[File, int],
    given: argparse.Namespace,
    load: float | None,
) -> str:
    usual = [file for file in files if not (file.form or file.slow)]
    slow = {file.network: ms[file] for file in files if file.slow}
    here = environment()
    return "\n".join(
        (
            "# Speed",
            "",
            "<!-- Written by `python benchmarks/speed_page.py`; do not edit. -->",
            "",
            "This page has the speed of every shipped network in every format, and which file is the fastest where.",
            "",
            "## Which file to take",
            "",
            *_choice(usual, ms, counts),
            "",
            "Milliseconds are those of this host, below; instructions are those of an emulated Cortex-A76, and say",
            "which of two files computes less there, not how long a device takes. Where ONNX Runtime is all there is,",
            "`onnx-int8` is for Arm, and `--profile x86` writes the one for x86.",
            "",
            "## Every file",
            "",
            *_everything(usual, ms, counts, slow),
            "",
            "## ONNX Runtime's int8 on x86",
            "",
            *_other_forms(files, ms),
            "",
            "## Made with",
            "",
            f"- {given.processes} processes of {given.runs} runs each, in turns, one thread, each file alone in its",
            f"  process: {QUANTILE_SAID}.",
            f"- The float U-Nets (drawn weights, ONNX Runtime): {_told(slow)}.",
            f"- {here.cpu}, {here.cores} cores, {here.os}; load before {load}.",
            "- " + ", ".join(f"{name} {here.versions[name]}" for name in ("onnxruntime", "ai-edge-litert")) + ".",
            "",
        )
    )


def _choice(files: Sequence[File], ms: dict[File, float | None], counts: dict[File, int]) -> list[str]:
    rows = []
    for network in dict.fromkeys(file.network for file in files):
        own = [file for file in files if file.network == network]
        timed = {file: value for file in own if (value := ms[file]) is not None and not file.openvino}
        fastest = min(timed, key=timed.__getitem__)
        least = min((file for file in own if file in counts), key=counts.__getitem__)
        by_runtime = [
            min((f for f in own if f in counts and get(f.target).runtime == runtime), key=counts.__getitem__)
            for runtime in ("litert", "onnxruntime")
        ]
        arm = ", ".join(f"`{file.target}` {counts[file] / 1e6:.1f} M" for file in by_runtime)
        rows.append((network, f"`{fastest.target}` {timed[fastest]:.2f} ms", f"`{least.target}`", arm))
    head = ("network", "fastest on this host", "fewest instructions on Arm", "by runtime")
    return markdown_table_lines(head, rows)


def _everything(
    files: Sequence[File], ms: dict[File, float | None], counts: dict[File, int], slow: dict[str, float | None]
) -> list[str]:
    rows = []
    for file in files:
        value = ms[file]
        times = [
            "–" if value is None or reference is None else f"{reference / value:.0f}" for reference in slow.values()
        ]
        count = f"{counts[file] / 1e6:.1f}" if file in counts else "–"
        shown = "cannot run it" if value is None else f"{value:.2f}"
        size = "–" if file.openvino else f"{file.path.stat().st_size / 1e3:.0f}"
        rows.append((file.network, file.target, size, shown, *times, count))
    head = ("network", "file", "kB", "ms", *(f"times as fast as {name}" for name in slow), "Arm, M instructions")
    return markdown_table_lines(head, rows)


def _other_forms(files: Sequence[File], ms: dict[File, float | None]) -> list[str]:
    (network,) = {file.network for file in files if file.form}
    shown = [
        file for file in files if file.network == network and (file.form or file.target in ("onnx-fp32", "onnx-int8"))
    ]
    rows = [
        (file.form or f"{file.target}, as built", f"{value:.2f}", str(conversions(file.path, integer=file.integer)))
        for file in shown
        if (value := ms[file])
    ]
    return [
        "With its default options ONNX Runtime on x86 computes poolings, concatenations and rearrangements of signed",
        "codes in float, and converts on either side of each; asked to keep them in integers, it takes slower kernels.",
        "Unsigned codes it keeps whole: that is `--profile x86`, whose weights leave a bit unused so that nothing",
        "saturates without VNNI.",
        "",
        f"{network}, and how many conversions stand in the graph that ONNX Runtime makes of the file here:",
        "",
        *markdown_table_lines(("form", "ms", "conversions"), rows),
    ]


def conversions(path: Path, *, integer: bool) -> int:
    """Count the conversions between codes and floats that ONNX Runtime leaves in a file's graph on this host."""
    import onnx
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    if integer:
        options.add_session_config_entry("session.qdqisint8allowed", "1")
    made = path.with_suffix(".optimised")
    options.optimized_model_filepath = str(made)
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(made).graph.node]
    return kinds.count("QuantizeLinear") + kinds.count("DequantizeLinear")


def _told(slow: dict[str, float | None]) -> str:
    return ", ".join(f"{name} {value:.0f} ms" for name, value in slow.items() if value is not None)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
