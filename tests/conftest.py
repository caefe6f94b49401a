"""Fixtures that several rooms share."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from edgeseg.backend import reuse_memory
from edgeseg.jsonio import from_json, to_json
from edgeseg.results import (
    BudgetResult,
    BuildResult,
    Choice,
    ChoiceGroup,
    ChoiceStep,
    DiceDrop,
    Interval,
    LatencyResult,
    NetworkRecord,
    NetworkScore,
    TriedPoint,
)
from edgeseg.specs import Contract, MaskRegion, OperatingPoint, PostProcessing, VariantSpec

if TYPE_CHECKING:
    from edgeseg.checkpoint import CheckpointHeader
    from edgeseg.data.cache import SliceCache
    from edgeseg.specs import ImageSpec


def pytest_runtest_setup() -> None:
    """Undo what a `fit` of the test before did to memory: a phantom then took six times as long to draw."""
    reuse_memory()


TINY_PATIENTS = {
    "TCGA_AA_0001_20000101": 12,
    "TCGA_AA_0002_20000102": 4,
    "TCGA_AA_0003_20000103": 4,
    "TCGA_AA_0004_20000104": 4,
    "TCGA_BB_0005_20000105": 4,
    "TCGA_BB_0006_20000106": 4,
}
TINY_SIDE_PX = 64
SYNTHETIC_BUILD = Path(__file__).parent / "synthetic" / "build.json"
"""A build that nobody ran: made-up figures."""


@pytest.fixture(scope="session", autouse=True)
def own_patient_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the patient key of these tests in a folder of their own, where it is made on first use."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("key") / "patient.key"
        patch.setenv("EDGESEG_PATIENT_KEY", str(path))
        yield path


@pytest.fixture(scope="session", autouse=True)
def own_data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep networks that somebody shipped on this machine out of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("data-home")
        patch.setenv("XDG_DATA_HOME", str(path))
        yield path


@pytest.fixture
def own_network(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Give a function that puts the tiny weights under a name where commands look for a user's own networks."""
    from edgeseg import artifacts
    from edgeseg.checkpoint import read_checkpoint

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))
    header = read_checkpoint(tiny_checkpoint).header

    def put(name: str) -> Path:
        folder = tmp_path / "data-home" / "edgeseg" / "models" / name
        content = tiny_checkpoint.read_bytes()
        artifacts.write_bytes(folder / "weights.safetensors", content)
        dice = Interval(mean=0.5, low=0.4, high=0.6)
        record = NetworkRecord(
            name=name,
            slug=header.variant.slug,
            purpose="tests",
            spec=header.variant,
            image=header.image,
            parameters=1000,
            macs=2000,
            weights_sha256=artifacts.sha256_bytes(content),
            held_out=NetworkScore(dice=dice, patients=3, data=header.data),
        )
        artifacts.write_text(folder / "network.json", to_json(record))
        return folder

    return put


@pytest.fixture(scope="session")
def script() -> Callable[[Path], ModuleType]:
    """Give a function that loads a script which stands outside the package."""

    def load(path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def tiny_lgg(tmp_path: Path, write_tiny_lgg: Callable[[Path], Path]) -> Path:
    """A tiny data set of the test's own, which it may damage; see `write_tiny_lgg`."""
    return write_tiny_lgg(tmp_path / "lgg")


@pytest.fixture(scope="session")
def write_tiny_lgg(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Give a function that writes a tiny data set into a folder, for fixtures that serve several tests.

    It is drawn once and copied from then on.
    """
    drawn: list[Path] = []

    def write(root: Path) -> Path:
        if not drawn:
            drawn.append(_write_tiny_lgg(tmp_path_factory.mktemp("tiny-lgg")))
        shutil.copytree(drawn[0], root, dirs_exist_ok=True)
        return root

    return write


def _write_tiny_lgg(root: Path) -> Path:
    """A folder in the Kaggle LGG layout: 6 patients of 2 institutions, 64 x 64 noise, tumour on slices 2 and 3.

    The tumour of patient n = 0 ... 5 is a bright FLAIR square of side 4 + 2 n pixels. Slice k holds k in the first
    pixel of its pre-contrast channel, so that the order of slices can be told.
    """
    rng = np.random.default_rng(0)
    for index, (patient, slices) in enumerate(TINY_PATIENTS.items()):
        folder = root / "kaggle_3m" / patient
        folder.mkdir(parents=True)
        for number in range(1, slices + 1):
            image = rng.integers(20, 120, (TINY_SIDE_PX, TINY_SIDE_PX, 3), dtype=np.uint8)
            mask = np.zeros((TINY_SIDE_PX, TINY_SIDE_PX), dtype=np.uint8)
            if number in (2, 3):
                mask[20 : 24 + 2 * index, 20 : 24 + 2 * index] = 255
                image[mask > 0, 1] = 240
            image[0, 0, 0] = number
            Image.fromarray(image).save(folder / f"{patient}_{number}.tif")
            Image.fromarray(mask).save(folder / f"{patient}_{number}_mask.tif")
    (root / "kaggle_3m" / "data.csv").write_text("Patient\n")
    (root / "kaggle_3m" / "README.md").write_text("stray\n")
    (root / "kaggle_3m" / "TCGA_AA_0001_20000101" / ".DS_Store").write_bytes(b"\0")
    return root


TINY_TRAINED = 3


@pytest.fixture
def tiny_checkpoint(tiny_weights: Callable[[tuple[str, ...]], bytes], tmp_path: Path, tiny_lgg: Path) -> Path:
    """Weights of a 64 x 64 network whose masks are neither empty nor full, "trained" on the first three patients.

    They stand beside `tiny_lgg`; what is drawn at random afterwards is the same whichever test was first.
    """
    from edgeseg.backend import load_keras
    from edgeseg.variants import VARIANTS

    path = tmp_path / "run" / "weights.safetensors"
    path.parent.mkdir()
    path.write_bytes(tiny_weights(VARIANTS["alphax"].slots))
    load_keras().utils.set_random_seed(0)
    return path


@pytest.fixture(scope="session")
def tiny_weights(
    tmp_path_factory: pytest.TempPathFactory, write_tiny_lgg: Callable[[Path], Path]
) -> Callable[[tuple[str, ...]], bytes]:
    """Give a function that returns the file of `tiny_checkpoint`, built once for the U that has these slots now."""
    folder = tmp_path_factory.mktemp("tiny-weights")
    return functools.cache(lambda _: _tiny_weights(write_tiny_lgg(folder / "lgg"), folder / "weights.safetensors"))


def _tiny_weights(data: Path, path: Path) -> bytes:
    from edgeseg.backend import load_keras
    from edgeseg.checkpoint import CheckpointHeader, weight_names, write_checkpoint
    from edgeseg.data.kaggle_lgg import KaggleLgg
    from edgeseg.specs import ImageSpec, TrainSpec
    from edgeseg.variants import build_model

    spec, image = VariantSpec(name="alphax", alpha=0.0625, stem="half"), ImageSpec(height=64, width=64)
    load_keras().utils.set_random_seed(0)
    model = build_model(spec, image)
    arrays = dict(zip(weight_names(model), model.get_weights(), strict=True))
    images = KaggleLgg(data).volume("TCGA_AA_0002_20000102").images.astype(np.float32) / 255
    arrays["head/bias"] = arrays["head/bias"] - np.float32(np.median(np.asarray(model(images, training=False))))
    patients = KaggleLgg(data).patients
    header = CheckpointHeader(
        kind="weights",
        variant=spec,
        image=image,
        train=TrainSpec(variant=spec),
        data="kaggle-lgg",
        data_hash="0",
        train_patients=patients[:TINY_TRAINED],
        validation_patients=patients[TINY_TRAINED:],
        epoch=1,
        backend="tensorflow",
        versions={},
    )
    return write_checkpoint(path, header, arrays).read_bytes()


@pytest.fixture
def make_folds(tiny_checkpoint: Path, tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes tiny folds, by whom each learned from and holds out, and returns their folder."""
    from edgeseg.checkpoint import read_checkpoint, write_checkpoint

    given, folder = read_checkpoint(tiny_checkpoint), tmp_path / "folds"

    def make(*parts: tuple[tuple[str, ...], tuple[str, ...]]) -> Path:
        train = replace(given.header.train, crop_px=32, batch_size=4, epochs=given.header.epoch)
        for number, (own, others) in enumerate(parts):
            header = replace(given.header, train=train, train_patients=own, validation_patients=others)
            write_checkpoint(folder / f"fold{number}" / "weights.safetensors", header, given.arrays)
        return folder

    return make


@pytest.fixture
def fold_header() -> Callable[..., CheckpointHeader]:
    """Give a function that makes the header of tiny weights which learned from all patients but those held out."""
    from edgeseg.checkpoint import CheckpointHeader
    from edgeseg.specs import TrainSpec

    def make(cache: SliceCache, held_out: tuple[str, ...], variant: VariantSpec, image: ImageSpec) -> CheckpointHeader:
        training = tuple(patient for patient in cache.patients if patient not in held_out)
        return CheckpointHeader(
            kind="weights",
            variant=variant,
            image=image,
            train=TrainSpec(variant=variant, epochs=3),
            data=cache.name,
            data_hash=cache.content_hash(training),
            train_patients=training,
            validation_patients=held_out,
            epoch=3,
            backend="tensorflow",
            versions={},
        )

    return make


TINY_HEIGHT, TINY_WIDTH, TINY_WEIGHTS, TINY_BIAS = 16, 24, (0.0, 20.0, 0.0), -10.0
BYTE_SCALE, LOGIT_SCALE = np.float32(1 / 255), np.float32(0.125)


@pytest.fixture
def tiny_contract() -> Contract:
    """A contract for slices of 16 x 24; the tiny models find tumour where FLAIR is above half its range."""
    return Contract(
        variant=VariantSpec(),
        tier="alphax-light",
        target="onnx-fp32",
        layout="NCHW",
        trained_on="phantom",
        height=TINY_HEIGHT,
        width=TINY_WIDTH,
    )


@pytest.fixture
def tiny_parts(tiny_contract: Contract) -> Contract:
    """A contract of three masks of one logit: what is bright, its brightest part, and one that is never found."""
    names, shares = ("whole-tumour", "core", "enhancing"), (0.5, 0.9, 0.99999)
    regions = tuple(
        MaskRegion(name=name, channels=(place,), label=place + 1, threshold=share)
        for place, (name, share) in enumerate(zip(names, shares, strict=True))
    )
    return replace(tiny_contract, classes=names, regions=regions)


@pytest.fixture
def tiny_onnx(tmp_path: Path, tiny_contract: Contract) -> Callable[..., Path]:
    """Give a function that writes a one-convolution ONNX model: `logit = 20 * FLAIR - 10`.

    `contract` is one, or the text to store in its place, or None for none; for the rest see `_onnx_bytes`.
    """

    def write(name: str = "tiny.onnx", contract: Contract | str | None = tiny_contract, **options: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(_onnx_bytes(_text(contract), **options))
        return path

    return write


@pytest.fixture
def tiny_tflite(tmp_path: Path, tiny_contract: Contract) -> Callable[..., Path]:
    """Give a function that writes the same network as TFLite; `int8` makes arithmetic and both ends int8."""
    nhwc = replace(tiny_contract, layout="NHWC", target="tflite-fp32")

    def write(name: str = "tiny.tflite", contract: Contract | str | None = nhwc, *, int8: bool = False) -> Path:
        path = tmp_path / name
        path.write_bytes(_tflite_bytes(_text(contract), int8=int8))
        return path

    return write


def _text(contract: Contract | str | None) -> str | None:
    return to_json(contract) if isinstance(contract, Contract) else contract


def _onnx_bytes(
    contract: str | None,
    *,
    form: str = "float",
    weights: tuple[float, ...] = TINY_WEIGHTS,
    size: tuple[int, int] = (TINY_HEIGHT, TINY_WIDTH),
    metadata: dict[str, str] | None = None,
    masks: int = 1,
) -> bytes:
    """`form`: `float`, `qdq` (int8 arithmetic between float ends) or `int8` (int8 ends); `metadata` overrides.

    `masks` gives the logit several times, for contracts of regions; of `float` alone.
    """
    from onnx import TensorProto, helper, numpy_helper

    weight = np.repeat(np.array(weights, np.float32).reshape(1, -1, 1, 1), masks, axis=0)
    constants: dict[str, Any] = {
        "x_scale": BYTE_SCALE, "x_zero": np.int8(-128), "y_scale": LOGIT_SCALE, "y_zero": np.int8(0),
        "w_scale": np.float32(abs(weight).max() / 127).reshape(1), "w_zero": np.zeros(1, np.int8), "w": weight,
        "b": np.full(masks, TINY_BIAS, np.float32),
    }  # fmt: skip
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"], kernel_shape=[1, 1])]
    if form != "float":
        constants["w"] = np.rint(weight / constants["w_scale"]).astype(np.int8)
        nodes = [
            helper.make_node("DequantizeLinear", ["q" if form == "qdq" else "x", "x_scale", "x_zero"], ["xr"]),
            helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["wr"], axis=0),
            helper.make_node("Conv", ["xr", "wr", "b"], ["yr"], kernel_shape=[1, 1]),
            helper.make_node("QuantizeLinear", ["yr", "y_scale", "y_zero"], ["yq" if form == "qdq" else "y"]),
        ]
    if form == "qdq":
        nodes.insert(0, helper.make_node("QuantizeLinear", ["x", "x_scale", "x_zero"], ["q"]))
        nodes.append(helper.make_node("DequantizeLinear", ["yq", "y_scale", "y_zero"], ["y"]))
    used = {name for node in nodes for name in node.input}
    initialisers = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items() if k in used]
    ends = TensorProto.INT8 if form == "int8" else TensorProto.FLOAT
    source = helper.make_tensor_value_info("x", ends, [1, len(weights), *size])
    result = helper.make_tensor_value_info("y", ends, [1, masks, *size])
    graph = helper.make_graph(nodes, "tiny", [source], [result], initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    properties = {} if contract is None else {"edgeseg.contract": contract}
    if form == "int8":
        properties |= {"edgeseg.input_scale": repr(1 / 255), "edgeseg.input_zero_point": "-128"}
        properties |= {"edgeseg.output_scale": repr(float(LOGIT_SCALE)), "edgeseg.output_zero_point": "0"}
    helper.set_model_props(model, properties | (metadata or {}))
    return bytes(model.SerializeToString())


def _tflite_bytes(contract: str | None, *, int8: bool) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT()]

    def store(content: bytes) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        model.buffers.append(buffer)
        return len(model.buffers) - 1

    def tensor(name: str, shape: tuple[int, ...], dtype: Any, scale: float, zero: int = 0, content: bytes = b"") -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.type = name.encode(), list(shape), dtype
        made.buffer = store(content) if content else 0
        if int8:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [scale], [zero]
        return made

    types, weight = schema.TensorType, np.array(TINY_WEIGHTS, np.float32)
    kind, scale = (types.INT8, float(weight.max() / 127)) if int8 else (types.FLOAT32, 1.0)
    values = np.rint(weight / scale).astype(np.int8) if int8 else weight
    bias_scale = scale * float(BYTE_SCALE)
    bias = np.int32(round(TINY_BIAS / bias_scale)) if int8 else np.float32(TINY_BIAS)
    graph, step, code = schema.SubGraphT(), schema.OperatorT(), schema.OperatorCodeT()
    graph.tensors = [
        tensor("x", (1, TINY_HEIGHT, TINY_WIDTH, 3), kind, float(BYTE_SCALE), -128),
        tensor("w", (1, 1, 1, 3), kind, scale, 0, values.tobytes()),
        tensor("b", (1,), types.INT32 if int8 else kind, bias_scale, 0, bias.tobytes()),
        tensor("y", (1, TINY_HEIGHT, TINY_WIDTH, 1), kind, float(LOGIT_SCALE)),
    ]
    step.inputs, step.outputs, step.builtinOptionsType = [0, 1, 2], [3], schema.BuiltinOptions.Conv2DOptions
    step.builtinOptions = schema.Conv2DOptionsT()
    step.builtinOptions.padding = schema.Padding.VALID
    step.builtinOptions.strideH = step.builtinOptions.strideW = 1
    step.builtinOptions.dilationHFactor = step.builtinOptions.dilationWFactor = 1
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    code.version = 3 if int8 else 1
    graph.inputs, graph.outputs, graph.operators = [0], [3], [step]
    model.subgraphs, model.operatorCodes = [graph], [code]
    if contract is not None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = b"edgeseg.contract", store(contract.encode())
        model.metadata = [entry]
    builder = importlib.import_module("flatbuffers").Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


SCAN_SHAPE = (6, 32, 48)
SCAN_PIXEL_MM, SCAN_SLICE_MM = (1.0, 1.0), 5.0
SCAN_TUMOUR = (slice(2, 4), slice(8, 16), slice(12, 24))


@pytest.fixture
def scan_values() -> dict[str, Any]:
    """Three sequences as `(6, 32, 48) int16`, feet to head; on slices 3 and 4 FLAIR has a bright block of 8 x 12."""
    rng = np.random.default_rng(7)
    values = {name: rng.integers(100, 400, SCAN_SHAPE).astype(np.int16) for name in ("pre", "flair", "post")}
    for volume in values.values():
        volume[:, :2] = volume[:, -2:] = 0
    values["flair"][SCAN_TUMOUR] = 1500
    return values


@pytest.fixture
def write_nifti(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes `(N, h, w)` in the common orientation as NIfTI, stored in any axis order `codes`."""
    import nibabel

    def write(name: str, values: Any, *, codes: str = "RAS", spacing_mm: Any = None, scale: Any = None) -> Path:
        slice_mm, row_mm, column_mm = spacing_mm or (SCAN_SLICE_MM, *SCAN_PIXEL_MM)
        stored = np.moveaxis(np.asarray(values), (0, 1, 2), (2, 1, 0))
        affine = np.diag([-column_mm, -row_mm, slice_mm, 1.0])
        affine[:3, 3] = (20.0, 30.0, -40.0)
        image = nibabel.Nifti1Image(stored, affine)
        wanted = nibabel.orientations.axcodes2ornt(tuple(codes))
        turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(affine), wanted)
        image = image.as_reoriented(turn)
        if scale is not None:
            image.header.set_slope_inter(*scale)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(image, path)
        return path

    return write


@pytest.fixture
def write_dicom(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes `(N, h, w)` as one DICOM series, a file per slice; see `_dicom_slice`."""
    from pydicom.uid import generate_uid

    def write(name: str, values: Any, *, description: str, study: str = "a", **options: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        uids = {"study": generate_uid(entropy_srcs=["study", study]), "series": generate_uid()}
        for number in np.random.default_rng(0).permutation(len(values)).tolist():
            made = _dicom_slice(values[number], number, description=description, **uids, **options)
            made.save_as(folder / f"{number:03d}_{description[:4].strip()}.dcm", enforce_file_format=True)
        return folder

    return write


def _dicom_slice(
    values: Any,
    number: int,
    *,
    description: str,
    study: str,
    series: str,
    spacing_mm: Any = (SCAN_SLICE_MM, *SCAN_PIXEL_MM),
    origin: Any = (-20.0, -30.0, -40.0),
    modality: str = "MR",
    slope: float = 1.0,
    intercept: float = 0.0,
    inverted: bool = False,
    orientation: Any = (1, 0, 0, 0, 1, 0),
    **others: Any,
) -> Any:
    """One MR slice of 16 bits; the patient is Zyxwvu^Secret with the number ID-4711."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    made.PatientName, made.PatientID, made.Modality = "Zyxwvu^Secret", "ID-4711", modality
    made.PatientBirthDate, made.PatientSex, made.AccessionNumber, made.StudyID = "19500101", "O", "ACC-815", "1"
    made.StudyDate, made.StudyTime, made.ReferringPhysicianName = "20200101", "120000", "Doc^Tor"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.SeriesDescription = study, series, description
    made.FrameOfReferenceUID = generate_uid(entropy_srcs=[study])
    made.SeriesNumber, made.InstanceNumber = 1, number + 1
    made.ImageType, made.Manufacturer, made.PositionReferenceIndicator = ["ORIGINAL", "PRIMARY"], "M", ""
    slice_mm, row_mm, column_mm = spacing_mm
    normal = np.cross(orientation[:3], orientation[3:])
    made.ImagePositionPatient = [float(value) for value in np.array(origin) + number * slice_mm * normal]
    made.ImageOrientationPatient = [float(value) for value in orientation]
    made.PixelSpacing, made.SliceThickness = [row_mm, column_mm], slice_mm
    made.Rows, made.Columns = values.shape
    made.SamplesPerPixel, made.BitsAllocated, made.BitsStored, made.HighBit = 1, 16, 16, 15
    made.PixelRepresentation = 1
    made.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    made.RescaleSlope, made.RescaleIntercept = slope, intercept
    made.PixelData = np.ascontiguousarray(-values if inverted else values, "<i2").tobytes()
    for name, value in others.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def check_schema() -> Callable[[str, str], None]:
    """Give a function that holds JSON text against the schema of a name: `check_schema("bench", text)`."""
    import json

    import jsonschema_rs

    from edgeseg.results.schemas import schema

    return lambda name, text: jsonschema_rs.validator_for(schema(name)).validate(json.loads(text))


@pytest.fixture
def make_build() -> Callable[..., BuildResult]:
    """Give a function that returns the synthetic build; keywords replace its fields."""
    build = from_json(BuildResult, SYNTHETIC_BUILD.read_text())
    return lambda **changes: replace(build, **changes)


@pytest.fixture
def budget() -> BudgetResult:
    """A search that nobody ran: two recipes were rejected, the third was taken and confirmed."""
    losses = (("int8 (min-max)", (), 0.009, 0.0141), ("int8 (mse)", (), 0.006, 0.0083))
    losses += (("int8 (min-max), head in float", ("head",), 0.0012, 0.0031),)  # type: ignore[assignment]
    times = (4.25, 4.26, 5.75)
    tried = tuple(
        TriedPoint(
            recipe=recipe,
            float_layers=layers,
            size_bytes=520_000 + 9_000 * number,
            sha256=str(number),
            drop=DiceDrop(patients=4, mean=mean, bound=bound),
            holds=bound <= 0.005,
            latency=LatencyResult(
                artifact="x",
                runtime="rt 1",
                threads=2,
                runs=9,
                warmup_runs=2,
                latency_ms_p50=times[number],
                latency_ms_p95=9.0,
            ),
        )
        for number, (recipe, layers, mean, bound) in enumerate(losses)
    )
    return BudgetResult(
        target="tflite-int8",
        max_drop=0.005,
        tried=tried,
        chosen=tried[-1].recipe,
        found=True,
        confirmation=DiceDrop(patients=4, mean=0.0016, bound=0.0036),
        confirmed=True,
        seed=0,
    )


@pytest.fixture
def choice() -> Choice:
    """A choice that nobody made, for `alphax-0.0625-half`."""
    point = OperatingPoint(threshold=0.3, post_processing=PostProcessing(min_area_px=20, min_share=0.05))
    step = ChoiceStep(
        name="threshold and post-processing",
        flips="none",
        dice=Interval(mean=0.5, low=0.4, high=0.6),
        dice_median=0.5,
        dice_median_low=0.4,
        dice_median_high=0.6,
        delta=Interval(mean=0.01, low=-0.01, high=0.02),
        false_positive_slices=1,
        tumour_free_slices=10,
        cap_met=True,
        chosen=(point, point),
        dice_by_patient={"P1": 0.4, "P2": 0.6},
    )
    return Choice(
        variant="alphax-0.0625-half",
        data="kaggle-lgg",
        groups=tuple(ChoiceGroup(run=f"fold{n}", weights_sha256="0", patients=(f"P{n + 1}",)) for n in range(2)),
        left_out="fold",
        max_fp_share=0.1,
        steps=(step,),
        chosen=point,
        cap_met=True,
        shipped_step=step.name,
        bootstrap_seed=0,
        bootstrap_samples=10,
        versions={},
    )


@pytest.fixture
def foreign_onnx(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes a model of somebody else: a 1 x 1 convolution `4 * FLAIR - 2`, then what `tail` says.

    `tail` are operations, each a name or a name and its attributes; `source` and `result` replace the shapes of the
    ends and `dtype` their type; `weight` the convolution's, `(O, 3, 1, 1)`; `more` are further inputs.
    """
    from onnx import TensorProto, checker, helper, numpy_helper, save

    def write(
        name: str = "foreign.onnx",
        tail: tuple[Any, ...] = (),
        *,
        source: tuple[Any, ...] = (1, 3, TINY_HEIGHT, TINY_WIDTH),
        result: tuple[Any, ...] | None = None,
        weight: Any = ((0.0, 4.0, 0.0),),
        dtype: str = "FLOAT",
        more: tuple[str, ...] = (),
        **saving: Any,
    ) -> Path:
        kind = getattr(TensorProto, dtype)
        kernel = np.array(weight).astype(helper.tensor_dtype_to_np_dtype(kind))[:, :, np.newaxis, np.newaxis]
        bias = np.full(len(kernel), -2).astype(kernel.dtype)
        steps = [("Conv", {}), *((one, {}) if isinstance(one, str) else one for one in tail)]
        names = ["x", *(f"v{number}" for number in range(1, len(steps))), "y"]
        extra = {"Conv": ["w", "b"], "Resize": ["", "scales"]}
        nodes = [
            helper.make_node(operation, [names[i], *extra.get(operation, ())], [names[i + 1]], **told)
            for i, (operation, told) in enumerate(steps)
        ]
        stored = {"w": kernel, "b": bias, "scales": np.array([1, 1, 0.5, 0.5], np.float32)}
        used = {given for node in nodes for given in node.input}
        ends = [helper.make_tensor_value_info(one, kind, source) for one in ("x", *more)]
        out = helper.make_tensor_value_info("y", kind, (1, len(kernel), *source[2:]) if result is None else result)
        weights = [numpy_helper.from_array(array, key) for key, array in stored.items() if key in used]
        graph = helper.make_graph(nodes, "foreign", ends, [out], weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        checker.check_model(model)
        save(model, str(tmp_path / name), **saving)
        return tmp_path / name

    return write


@pytest.fixture
def untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take training steps one by one: for a handful of them, making a graph first takes longer than all of them."""
    from edgeseg.backend import load_keras

    model = load_keras().Model
    compiled = model.compile
    monkeypatch.setattr(model, "compile", lambda self, **told: compiled(self, **told, run_eagerly=True))


@pytest.fixture
def shallow() -> Iterator[None]:
    """Build every U with one level in place of four."""
    from tests import _shallow

    with _shallow.everywhere():
        yield


@pytest.fixture(scope="module")
def shallow_module() -> Iterator[None]:
    """Build every U so in all of a file, for networks that several of its tests share."""
    from tests import _shallow

    with _shallow.everywhere():
        yield
