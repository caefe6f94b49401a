"""Run the int8 artifacts of the shipped weights on Arm, in WebAssembly and on x86 without VNNI: `make test-device`.

Exit code 0 when every mask equals the host's but under default options, 1 when a pixel is flipped, 2 when a thing is
missing.
Slices of patients live in a temporary folder, as codes, until the command ends; what is kept holds none of them.
"""

from __future__ import annotations

import argparse
import functools
import json
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import emulate
import numpy as np
import store
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.data.cache import cached, folder_key
from edgeseg.data.open import open_dataset
from edgeseg.data.volume import PHANTOM
from edgeseg.errors import CheckFailedError, EdgeSegError, SeenPatientError
from edgeseg.imaging import dequantise, mask_from_logits, to_network
from edgeseg.jsonio import to_json
from edgeseg.reports.devices import markdown
from edgeseg.results import DeviceArtifact, DeviceCodes, DeviceEvidence, DeviceRun, InstructionCount
from edgeseg.runtime import Segmenter
from edgeseg.specs import Contract, patient_digest
from edgeseg.stages.environment import environment
from edgeseg.stages.score import EVIDENCE_FILE, busiest_slices, codes_of, replay_images, slice_digests
from edgeseg.targets import TARGETS

INT8 = ("tflite-int8", "onnx-int8", "onnx-int8 x86")
COUNTED = ("tflite-fp32", "tflite-int8", "onnx-fp32", "onnx-int8")
COUNTED_INFERENCES = 2
WASM, WITHOUT_VNNI = "WebAssembly", f"{emulate.X86_CORE}, AVX2 without VNNI"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """An artifact, open on the host."""

    name: str
    path: Path
    segmenter: Segmenter

    @property
    def contract(self) -> Contract:
        """What the artifact says of itself."""
        return self.segmenter.contract

    def inputs(self, images: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Encode slices as the file wants them: `(N, 1, ...)`; a file of the profile x86 takes unsigned codes."""
        encoded = [self.segmenter.encoded(image[np.newaxis]) for image in to_network(images, self.contract)]
        stack = np.stack(encoded)
        return stack.view(np.uint8) ^ np.uint8(128) if self.unsigned else stack

    def codes(self, raw: bytes, slices: int) -> NDArray[np.int8]:
        """Read what a guest wrote as `(N, H, W) int8`."""
        given = np.frombuffer(raw, np.uint8)
        given = (given ^ np.uint8(128)) if self.unsigned else given
        return given.view(np.int8).reshape(slices, self.contract.height, self.contract.width)

    @property
    def unsigned(self) -> bool:
        """Whether the file's codes are those of uint8."""
        return self.contract.profile == "x86"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slices:
    """Slices of one data set, `(N, h, w, 3) uint8`."""

    data: str
    images: NDArray[np.uint8]


Runner = Callable[[Sequence[emulate.Job], Path], tuple[str, str]]


class Evidence:
    """One run of the command; everything temporary is in `work`."""

    def __init__(self, models: dict[str, Model], sets: Sequence[Slices], work: Path) -> None:
        """Run every int8 artifact on the host first."""
        self.models, self.sets, self.work = models, sets, work
        self.host = {
            (name, part.data): models[name].segmenter.logits(to_network(part.images, models[name].contract))
            for name in INT8
            for part in sets
        }
        self.codes: list[DeviceCodes] = []

    def runs(
        self, processor: str, emulator: str, names: Sequence[str], run: Runner, *, plain: bool = False
    ) -> list[DeviceRun]:
        """Run artifacts on one processor and hold them against the host; `plain` leaves ONNX Runtime its defaults."""
        say(f"running {len(names)} artifacts on {processor}")
        jobs = {(name, part.data): self._job(name, part, plain=plain) for name in names for part in self.sets}
        versions = json.loads(run(tuple(jobs.values()), self.work / "jobs.json")[0])
        return [
            self._compare(self.models[name], part, jobs[name, part.data], processor, emulator, versions)
            for name in names
            for part in self.sets
        ]

    def counts(self, place: store.Store, emulator: str) -> list[InstructionCount]:
        """Count the instructions of an inference after the first, which also prepares, artifact by artifact."""
        core = emulate.ARM_CORES[-1]
        say(f"counting instructions of {len(COUNTED)} artifacts on {core.name}")
        images = np.repeat(self.sets[0].images[:1], COUNTED_INFERENCES + 1, axis=0)
        jobs = [self._job(name, Slices(data="count", images=images), mark=True) for name in COUNTED]
        versions, said = emulate.on_arm(place, core, jobs, self.work / "jobs.json", count=True)
        runtimes, counts = json.loads(versions), emulate.inference_counts(said)
        found = []
        for place_in_list, name in enumerate(COUNTED):
            first = place_in_list * (COUNTED_INFERENCES + 1)
            own = counts[first + 1 : first + 1 + COUNTED_INFERENCES]
            mean = sum(own) / len(own)
            found.append(
                InstructionCount(
                    artifact=name,
                    processor=core.name,
                    emulator=emulator,
                    runtime=_runtime(runtimes, name),
                    inferences=len(own),
                    instructions_per_slice=round(mean),
                    spread=(max(own) - min(own)) / mean,
                )
            )
        return found

    def _job(self, name: str, part: Slices, *, mark: bool = False, plain: bool = False) -> emulate.Job:
        model = self.models[name]
        stack = model.inputs(part.images)
        place = self.work / f"{name}-{part.data}.in".replace(" ", "-")
        place.write_bytes(stack.tobytes())
        return emulate.Job(
            model=str(model.path),
            inputs=str(place),
            outputs=str(place.with_suffix(".out")),
            shape=stack.shape[1:],
            dtype=stack.dtype.name,
            slices=len(stack),
            integer_graph=not (plain or model.unsigned),
            mark=mark,
        )

    def _compare(
        self, model: Model, part: Slices, job: emulate.Job, processor: str, emulator: str, versions: dict[str, str]
    ) -> DeviceRun:
        there = model.codes(Path(job.outputs).read_bytes(), job.slices)
        host = self.host[model.name, part.data]
        here = codes_of(model.segmenter, host)
        scale = model.segmenter.output_scale
        assert scale is not None
        masks = [mask_from_logits(logits, model.contract) for logits in (host, dequantise(there, *scale))]
        runtime = _runtime(versions, model.name)
        if part.data == PHANTOM and processor == emulate.ARM_CORES[-1].name:
            digests = slice_digests(there)
            self.codes.append(
                DeviceCodes(artifact=model.name, processor=processor, runtime=runtime, slice_sha256=digests)
            )
        return DeviceRun(
            artifact=model.name,
            processor=processor,
            emulator=emulator,
            runtime=runtime,
            data=part.data,
            slices=len(there),
            pixels=there.size,
            host_tumour_pixels=int(np.count_nonzero(masks[0])),
            differing_codes=int(np.count_nonzero(here != there)),
            max_code_difference=int(np.abs(here.astype(int) - there).max()),
            flipped_pixels=int(np.count_nonzero(masks[0] ^ masks[1])),
        )


def main() -> None:
    """Gather the evidence; write the result and the page."""
    options = _options()
    try:
        _gather(options)
    except EdgeSegError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _gather(options: argparse.Namespace) -> None:
    store.check_tools()
    place = store.fetch(say)
    qemu = f"qemu {store.qemu_version()}"
    node = f"node {store.call(['node', '--version'], what='asking node for its version').strip().lstrip('v')}"
    with tempfile.TemporaryDirectory(prefix="edgeseg-device-") as temporary:
        work = Path(temporary)
        models = _models(options, work)
        sets = [Slices(data=PHANTOM, images=replay_images())]
        if options.data is not None:
            sets.append(_unseen(options.data, options.cache, models[INT8[0]].contract, options.patients))
        here = Evidence(models, sets, work)
        runs = []
        for core in emulate.ARM_CORES:
            runs += here.runs(core.name, qemu, INT8, functools.partial(emulate.on_arm, place, core))
        wasm = functools.partial(emulate.in_wasm, place)
        runs += here.runs(WASM, node, [name for name in INT8 if name.startswith("onnx")], wasm)
        runs += here.runs(WITHOUT_VNNI, qemu, INT8, emulate.on_x86)
        exact_runs = tuple(runs)
        runs += here.runs(f"{WASM}, default options", node, ["onnx-int8"], wasm, plain=True)
        runs += here.runs(f"{WITHOUT_VNNI}, default options", qemu, ["onnx-int8"], emulate.on_x86, plain=True)
        runs += here.runs("this host, default options", "none", ["onnx-int8"], emulate.on_host, plain=True)
        found = DeviceEvidence(
            command=shlex.join(["make", "test-device", *(["DATA=DIR"] if options.data else [])]),
            environment=environment(),
            replay_sha256=artifacts.sha256_bytes(sets[0].images.tobytes()),
            artifacts=tuple(_describe(model) for model in models.values()),
            runs=tuple(runs),
            codes=tuple(here.codes),
            instructions=tuple(here.counts(place, qemu)),
        )
    artifacts.write_text(options.json, to_json(found) + "\n")
    artifacts.write_text(options.into, markdown(found))
    print(f"{options.into}, {options.json}")
    if flipped := [run for run in exact_runs if run.flipped_pixels]:
        raise CheckFailedError(
            "masks differ from the host's: "
            + "; ".join(f"{r.artifact} on {r.processor}: {r.flipped_pixels} pixels of {r.data}" for r in flipped)
        )


def _models(options: argparse.Namespace, work: Path) -> dict[str, Model]:
    """Open the artifacts of the two builds; build what was not given, as a user would."""
    slug = options.variant
    arm, x86 = options.build or work / "arm", options.build_x86 or work / "x86"
    if options.build is None:
        _build(arm, "--target", ",".join(dict.fromkeys(COUNTED)))
    if options.build_x86 is None:
        _build(x86, "--target", "onnx-int8", "--profile", "x86")
    places = {name: artifacts.artifact_path(arm, slug, name, TARGETS[name].suffix) for name in COUNTED}
    places["onnx-int8 x86"] = artifacts.artifact_path(x86, slug, "onnx-int8", TARGETS["onnx-int8"].suffix)
    return {name: Model(name=name, path=path, segmenter=Segmenter.load(path)) for name, path in places.items()}


def _build(out: Path, *arguments: str) -> None:
    say(f"edgeseg build {' '.join(arguments)}")
    quick = ("--phantom-patients", "1", "--bench-runs", "1", "--bench-budget-s", "1")
    store.call([sys.executable, "-m", "edgeseg", "build", *arguments, *quick, "--out", out], what="edgeseg build")


def _unseen(data: Path, cache: Path | None, contract: Contract, patients: int) -> Slices:
    """Take the slice with most tumour of each patient whom neither training nor calibration saw."""
    dataset = open_dataset(data)
    slices = cached(dataset, folder_key(data), root=cache)
    seen = set(contract.seen_patients)
    unseen = [patient for patient in slices.patients if patient_digest(patient) not in seen][:patients]
    if not unseen:
        raise SeenPatientError(f"training or calibration saw every patient of {data}; give other patients with DATA=")
    images = []
    for patient in unseen:
        volume = slices.volume(patient)
        images.append(to_network(volume.images[list(busiest_slices(volume, 1))], contract))
    return Slices(data=dataset.name, images=np.concatenate(images))


def _describe(model: Model) -> DeviceArtifact:
    return DeviceArtifact(
        name=model.name,
        variant=model.contract.variant.slug,
        target=model.contract.target,
        profile=model.contract.profile,
        sha256=artifacts.sha256_file(model.path),
        size_bytes=model.path.stat().st_size,
    )


def _runtime(versions: dict[str, str], artifact: str) -> str:
    wanted = "ai-edge-litert" if artifact.startswith("tflite") else "onnxruntime"
    return next(f"{name} {version}" for name, version in versions.items() if name.startswith(wanted))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR", help="also run slices of patients nobody learned from")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded slices are kept")
    parser.add_argument("--patients", type=int, default=8, help="at most this many of them, one slice each")
    parser.add_argument("--variant", default="light", help="the network whose builds are taken")
    parser.add_argument("--build", type=Path, metavar="DIR", help="a build of the four targets; made if not given")
    parser.add_argument("--build-x86", type=Path, metavar="DIR", help="a build of onnx-int8 with --profile x86")
    parser.add_argument(
        "--into", type=Path, default=store.ROOT / "docs" / "measured" / "device-evidence.md", help="the page"
    )
    parser.add_argument("--json", type=Path, default=store.ROOT / "models" / EVIDENCE_FILE, help="the result")
    return parser.parse_args()


def say(line: str) -> None:
    """Tell on stderr what is being done."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
