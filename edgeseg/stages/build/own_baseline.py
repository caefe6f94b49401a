"""The file that a network came from, or another that was named, measured as it is: what a build compares with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.errors import ContractError, ModelError
from edgeseg.foreign import is_foreign, rebuild
from edgeseg.place import scratch
from edgeseg.results import BaselineResult, Environment, EvalResult
from edgeseg.runtime.contract import contract_text
from edgeseg.runtime.model_files import model_size_bytes
from edgeseg.specs import BuildSpec
from edgeseg.stages.adopt import adopt, original_of
from edgeseg.stages.bench import time_artifacts
from edgeseg.stages.build.inputs import BuildInputs
from edgeseg.stages.inspect import inspect
from edgeseg.stages.predict import Predictor, network_of
from edgeseg.targets import open_artifact
from edgeseg.variants import census

RUNS, WARMUP_RUNS, BUDGET_S = 30, 2, 2.0
BYTES_PER_WEIGHT = 4
RUN_ALONE = (".tflite", ".ort")
"""What is run as it is, and no network can be read from."""
_BARE = (
    "{path}: the baseline carries no contract, so its channels, scaling and threshold are unknown; write one with "
    "edgeseg contract show {path}, and give it with --baseline-contract"
)
Score = Callable[[Predictor], EvalResult]


def file_baseline(
    spec: BuildSpec, inputs: BuildInputs, *, original: Predictor, parameters: int, score: Score, here: Environment
) -> BaselineResult:
    """Measure the file that the network of a build came from: its bytes, its scores, its time at its own grid.

    Args:
        spec: of the build.
        inputs: of the build; the network is one of somebody else.
        original: that file, open in its own runtime.
        parameters: of the network that is built, which are those of the file unless it was compressed.
        score: scores it on the patients of the build.
        here: where it is measured.
    """
    record = inputs.checkpoint.header.foreign
    assert record is not None
    if inputs.checkpoint.header.chain:
        parameters = _parameters_given(inputs.checkpoint)
    made = f" by {record.framework}" if record.framework else ""
    text = f"{record.file}, {record.kind}{made}, as it was given: {record.size_bytes:,} bytes"
    return _measured(spec, original, record.file, record.size_bytes, parameters, text, score, here)


def _parameters_given(compressed: Checkpoint) -> int:
    """Count the parameters of the network that was compressed, as it was given; it came from Keras."""
    header = compressed.header
    while header.initial is not None:
        header = header.initial
    assert header.foreign is not None
    return census(rebuild(header.foreign, {}, compressed.path)).parameters


def named_baseline(spec: BuildSpec, *, score: Score, here: Environment) -> BaselineResult:
    """Measure the file of `--baseline`: an artifact, a run that was imported, or a network as `edgeseg import` takes.

    Raises:
        ModelError: when it is none of these; says what it is.
    """
    path = spec.baseline
    assert path is not None
    opened, size, parameters = _opened(path, spec)
    text = f"{path.name}, as it was given with --baseline: {size:,} bytes"
    return _measured(spec, opened, path.name, size, parameters, text, score, here)


def _opened(path: Path, spec: BuildSpec) -> tuple[Predictor, int, int]:
    """Return what runs the baseline, its bytes, and how many numbers it stores."""
    if path.is_dir() and not is_foreign(path):
        return _of_run(path, spec)
    contract = spec.baseline_contract
    try:
        opened = open_artifact(path, threads=spec.threads, contract=contract)
        stored = sum(weight.values for weight in inspect(path).graph.weights)
        return opened, model_size_bytes(path), stored
    except ModelError as error:
        if path.suffix.lower() in RUN_ALONE:
            bare = isinstance(error, ContractError) and contract is None and contract_text(path) is None
            raise ContractError(_BARE.format(path=path)) if bare else error from None
        if not (path.exists() and is_foreign(path)):
            raise
        with scratch("baseline") as folder:
            try:
                adopt(path, folder, contract=contract, threads=spec.threads)
            except ContractError:
                raise error from None
            return _of_run(folder, spec)


def _of_run(folder: Path, spec: BuildSpec) -> tuple[Predictor, int, int]:
    checkpoint = read_checkpoint(folder)
    opened = original_of(checkpoint, threads=spec.threads)
    assert checkpoint.header.foreign is not None
    return opened, checkpoint.header.foreign.size_bytes, census(network_of(checkpoint)).parameters


def _measured(
    spec: BuildSpec,
    predictor: Predictor,
    name: str,
    size_bytes: int,
    parameters: int,
    text: str,
    score: Score,
    here: Environment,
) -> BaselineResult:
    evaluation = score(predictor)
    run = functools.partial(time_artifacts, {name: predictor}, runs=RUNS, warmup=WARMUP_RUNS, seed=spec.seed)
    (latency,) = run(budget_s=min(BUDGET_S, spec.bench_budget_s))
    weights = BYTES_PER_WEIGHT * parameters
    grid = predictor.contract
    return BaselineResult(
        variant=name,
        parameters=parameters,
        size_bytes=size_bytes,
        weights_size_bytes=weights,
        derivation=f"{text}; {parameters:,} parameters of {BYTES_PER_WEIGHT} bytes are {weights:,}. It was run at its "
        f"own grid, {grid.height} x {grid.width}, by {latency.runtime}, {latency.threads} threads, n = {latency.runs}.",
        latency=latency,
        environment=here,
        evaluation=evaluation,
        given=True,
    )


def file_key(path: Path) -> str:
    """Return what changes with a file, or with the weights of a run."""
    from edgeseg.artifacts import sha256_file

    file = path / "weights.safetensors" if path.is_dir() and not is_foreign(path) else path
    if file.is_dir():
        file = file / "saved_model.pb"
    return sha256_file(file) if file.is_file() else "missing"


def contract_key(spec: BuildSpec) -> str:
    """Return what changes with the contract of `--baseline`, empty where none was given."""
    contract = spec.baseline_contract
    return file_key(contract) if contract is not None else ""
