"""Models that nobody vouches for: exit code 2 and one line, in bounded time and memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Part = Callable[[str], ModuleType]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("endless_loop", "Loop"),
        ("loop_in_an_if", "Loop"),
        ("endless_scan", "Scan"),
        ("constant", "ONNX Runtime"),
        ("expand", "ONNX Runtime"),
        ("by_input", "ONNX Runtime"),
        ("lying_weights", "ONNX Runtime"),
        ("laughs", "unfolded"),
        ("not_utf8", "UTF-8"),
    ],
)
def test_a_model_is_refused(name: str, said: str, part: Part, contract: str, tmp_path: Path) -> None:
    watch, path, given = part("watch"), tmp_path / "m.onnx", tmp_path / "slice_1.png"
    path.write_bytes(getattr(part("models"), name)(contract))
    given.write_bytes(part("pictures").png(16, 24))
    code, told, seen = watch.edgeseg("run", path, given, "--out", tmp_path / "out")
    watch.require_refused(code, told, seen)
    assert said in told


def _with_ellipses(contract: str, count: int) -> str:
    plain = json.loads(contract)
    golden = {"ellipses": [[512, 512, 100, 100, 1, 2, 3]] * count, "noise": 1, "blur": 8, "input_sha256": "0" * 64}
    golden |= {"mask_runs": "1 1", "mask_sha256": "0" * 64, "tumour_pixels": 1, "allowed_flips": 0, "logits": []}
    plain["golden"] = golden | {"logit_tolerance": 1.0, "reason": "r", "made_with": "m"}
    return json.dumps(plain)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: _with_ellipses(text, 20_000), "ellipses"),
        (lambda text: text.replace('"height": 16', '"height": 900000'), "4096"),
        (lambda text: "[" * 200_000, "nested"),
        (lambda text: '{"a": [' + "[]," * 1_200_000 + "[]]}", "values"),
        (lambda text: '{"a": ' + "9" * 100_000 + "}", "digits"),
    ],
    ids=["ellipses", "size", "deep", "many", "number"],
)
def test_a_contract_is_refused(
    change: Callable[[str], str], said: str, part: Part, contract: str, tmp_path: Path
) -> None:
    watch, path = part("watch"), tmp_path / "m.onnx"
    path.write_bytes(part("models").plain(change(contract)))
    code, told, seen = watch.edgeseg("inspect", path, "--json")
    assert (code, told.count("error:")) in ((2, 1), (1, 1)), told
    assert said in told
    assert seen.peak_mb < 1.5 * watch.MOST_MB  # inspect has the libraries of the build


def test_a_checkpoint_of_a_huge_header_is_refused(tmp_path: Path) -> None:
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.errors import CheckpointError

    path, size = tmp_path / "weights.safetensors", 32 << 20
    with path.open("wb") as stream:
        stream.write(size.to_bytes(8, "little"))
        stream.truncate(8 + size)
    with pytest.raises(CheckpointError, match="header of 32 MB"):
        read_checkpoint(path)


@pytest.mark.parametrize("inner", [b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000])
def test_a_checkpoint_with_damaged_metadata_is_refused(inner: bytes, tmp_path: Path) -> None:
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.errors import CheckpointError

    path, head = tmp_path / "weights.safetensors", b'{"__metadata__":{"edgeseg":"' + inner + b'"}}'
    path.write_bytes(len(head).to_bytes(8, "little") + head)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)


def test_a_toml_key_of_many_parts_is_refused() -> None:
    from edgeseg.jsonio import JsonFormatError, parse_toml

    for key in ("a." * 100_000 + "a = 1", '"=".' + "a." * 100_000 + "a = 1", "[" + "a." * 100_000 + "a]"):
        with pytest.raises(JsonFormatError, match="parts"):
            parse_toml(key)
    with pytest.raises(JsonFormatError, match="MB"):
        parse_toml("a = 1\n" * 1_000_000)
    numbers = ", ".join(["0.5"] * 100)
    assert parse_toml(f"values = [\n{numbers}\n]\nversion.of.it = '1.2.3'")["version"] == {"of": {"it": "1.2.3"}}
