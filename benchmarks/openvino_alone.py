"""The time of one ONNX file in OpenVINO; run by an interpreter that has it: `PYTHON openvino_alone.py FILE RUNS HINT`.

HINT is the precision to compute in: `f32`, `bf16`, or `undefined` for the file's own. Prints the seconds of each run as
JSON.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import openvino


def main() -> None:
    """Compile for one thread, run on noise."""
    path, runs, hint = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    options = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    if hint != "undefined":
        options["INFERENCE_PRECISION_HINT"] = hint
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(path), "CPU", options)
    (entry,) = compiled.inputs
    noise = np.random.default_rng(0).integers(0, 128, tuple(entry.shape))
    kind = np.dtype(entry.element_type.to_dtype())
    request = compiled.create_infer_request()
    given = {entry: (noise / 128 if kind.kind == "f" else noise).astype(kind)}
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        request.infer(given)
        seconds.append(time.process_time() - start)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
