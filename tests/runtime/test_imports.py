"""What a device needs: the runtime and `edgeseg run` on ONNX must come up with the base install alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg import artifacts
from edgeseg.targets._ort import saved

HEAVY = (
    "ai_edge_litert", "h5py", "jax", "keras", "matplotlib", "onnx", "scipy", "tensorflow", "tf2onnx", "tf_keras",
    "torch",
)  # fmt: skip
PROGRAM = """
import sys
from importlib.abc import MetaPathFinder

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {heavy!r}:
            raise AssertionError(f"imports {{name}}")

sys.meta_path.insert(0, Refuse())
{body}
assert not set({heavy!r}) & set(sys.modules)
"""


def run_without_heavy(body: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(heavy=HEAVY, body=body)
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )


def test_the_runtime_imports_no_training_or_converting_library() -> None:
    done = run_without_heavy("import edgeseg.runtime\nassert 'rich' not in sys.modules and 'typer' not in sys.modules")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("suffix", [".onnx", ".ort"])
def test_running_onnx_from_the_command_line_imports_none_either(
    suffix: str, tiny_onnx: Callable[..., Path], tmp_path: Path
) -> None:
    model = tiny_onnx(form="qdq")
    if suffix == ".ort":
        model = artifacts.write_bytes(model.with_suffix(suffix), saved(model.read_bytes()))
    (tmp_path / "case").mkdir()
    Image.fromarray(np.full((16, 24, 3), 200, np.uint8)).save(tmp_path / "case" / "case_1.tif")
    body = """
from edgeseg.cli.main import main
try:
    main(["run", *sys.argv[1:]])
except SystemExit as stop:
    assert stop.code in (0, None), stop.code
"""
    done = run_without_heavy(body, model, tmp_path / "case", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "case" / "case_1_mask.png").is_file()


def test_the_guard_sees_a_forbidden_import() -> None:
    done = run_without_heavy("import scipy")
    assert done.returncode == 1
    assert "imports scipy" in done.stderr
