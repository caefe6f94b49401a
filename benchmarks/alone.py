"""The time of one int8 or float file that runs alone in a process of its own, on one thread, as a device has it.

It is the processor's time: on one thread that is what the clock on the wall shows where nothing else runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

WARMUP = 20
QUANTILE = 0.1
QUANTILE_SAID = "processor time that a tenth of the runs stay below, since other work only adds"
_ALONE = """
import json, sys, time
import numpy

path, runs = sys.argv[1], int(sys.argv[2])
if path.endswith(".tflite"):
    from ai_edge_litert.interpreter import Interpreter
    model = Interpreter(model_path=path, num_threads=1)
    model.allocate_tensors()
    (end,) = model.get_input_details()
    shape, dtype, run = end["shape"], numpy.dtype(end["dtype"]), model.invoke
else:
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    if sys.argv[3] == "integer":
        options.add_session_config_entry("session.qdqisint8allowed", "1")
    model = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (end,) = model.get_inputs()
    shape, dtype = end.shape, numpy.dtype({"float": "float32"}.get(end.type[7:-1], end.type[7:-1]))
noise = numpy.random.default_rng(0).integers(0, 128, shape)
given = (noise / 128 if dtype.kind == "f" else noise).astype(dtype)
if path.endswith(".tflite"):
    model.set_tensor(end["index"], given)
else:
    run = lambda: model.run(None, {end.name: given})
seconds = []
for _ in range(runs):
    start = time.process_time()
    run()
    seconds.append(time.process_time() - start)
print(json.dumps(seconds))
"""


def seconds_alone(path: Path, runs: int, *, integer: bool = False) -> list[float]:
    """Run a `.tflite` or `.onnx` file on noise in a new process; returns the processor's seconds of each counted run.

    Args:
        path: of the file.
        runs: counted ones.
        integer: have ONNX Runtime keep signed int8 whole in integers, as it does on Arm.
    """
    mode = "integer" if integer else "default"
    command = [sys.executable, "-c", _ALONE, str(path), str(WARMUP + runs), mode]
    return parsed(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def milliseconds(seconds: list[float]) -> float:
    """Return what a run takes where nothing else runs: a tenth of the runs stay below."""
    return 1e3 * float(np.quantile(seconds, QUANTILE))


def parsed(said: str) -> list[float]:
    """Read the seconds of each run from the last line that such a process printed, without the warm-up."""
    found: list[float] = json.loads(said.splitlines()[-1])[WARMUP:]
    return found
