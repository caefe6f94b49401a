"""How the arithmetic of an ONNX or ORT file is done on this host."""

from __future__ import annotations

from pathlib import Path

from edgeseg.runtime.contract import model_format
from edgeseg.runtime.numerics import exact_mode, saved_integer_numerics
from edgeseg.runtime.onnx_session import DEFAULT, FUSED, OnnxSession, computes_dynamic, computes_int8
from edgeseg.specs import Contract

_FLOAT16 = "float16 weights, float32 where this CPU has no float16 kernel"
_DYNAMIC = "8-bit convolutions with ranges of each slice (32-bit sums), float32 between"


def open_with_numerics(path: Path, contract: Contract, threads: int, numerics: str) -> OnnxSession:
    """Open a `.onnx` or `.ort` file as `edgeseg.runtime.Segmenter.load` says of its `numerics`."""
    if not computes_int8(path):
        name = _FLOAT16 if contract.target.endswith("-fp16") else "float32"
        return OnnxSession(path, threads=threads, mode=DEFAULT, numerics=name)
    if computes_dynamic(path):
        return OnnxSession(path, threads=threads, mode=DEFAULT, numerics=_DYNAMIC)
    if model_format(path) == ".ort":
        return OnnxSession(path, threads=threads, mode=DEFAULT, numerics=saved_integer_numerics())
    if contract.profile == "x86":
        return OnnxSession(path, threads=threads, mode=DEFAULT, numerics="int8, exact (7-bit weights, no saturation)")
    if numerics == "exact":
        mode = exact_mode()
        name = f"int8, {'exact' if mode is FUSED else 'near exact'} ({mode.description})"
        return OnnxSession(path, threads=threads, mode=mode, numerics=name)
    return OnnxSession(path, threads=threads, mode=DEFAULT, numerics=f"int8, fast ({DEFAULT.description})")
