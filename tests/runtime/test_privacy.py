"""Nothing is reported to anyone: ONNX Runtime's telemetry stays off, also for who imports edgeseg alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).parents[2] / "edgeseg" / "runtime" / "probe_int8.onnx"
OPENS_A_MODEL = f"""
from pathlib import Path
from edgeseg.runtime.onnx_session import DEFAULT, open_onnx
open_onnx(Path({str(PROBE)!r}), mode=DEFAULT, threads=1)
"""


def _run(code: str, home: Path, **variables: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_")) and name != "CI"}
    told = kept | {"HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)} | variables
    subprocess.run([sys.executable, "-c", code], env=told, check=True, timeout=120)


def test_opening_a_model_leaves_no_trace_at_home(tmp_path: Path) -> None:
    _run(OPENS_A_MODEL, tmp_path)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(("given", "holds"), [({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")])
def test_telemetry_is_off_unless_somebody_asks_for_it(given: dict[str, str], holds: str, tmp_path: Path) -> None:
    code = f"import os, edgeseg; assert os.environ['ORT_DISABLE_TELEMETRY'] == {holds!r}"
    _run(code, tmp_path, **given)
