"""A build that is held against a baseline taken from it, through the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg import artifacts
from edgeseg.cli.main import main
from edgeseg.jsonio import to_json
from edgeseg.results import ArtifactRow, BuildResult
from edgeseg.specs import Contract

NAME = "alphax-0.125-half/onnx-fp32"
REFERENCE = "alphax-0.125-half/keras-fp32"
Gate = Callable[..., int]


class Site:
    """A build folder of two small ONNX files (one stands in for Keras), and a baseline taken from it."""

    def __init__(self, folder: Path, build: BuildResult, contract: Contract, write: Callable[..., Path]) -> None:
        self.folder, self.contract, self._write = folder / "build", contract, write
        self.baseline = folder / "baseline.json"
        rows = {row.target: row for row in build.artifacts}
        self.build = replace(build, artifacts=(rows["keras-fp32"], rows["onnx-fp32"]))
        self.save(self.build)

    def save(self, build: BuildResult, *, contract: Contract | str | None = None, grow: int = 0) -> None:
        """Write both files and the build.json that belongs to them."""
        rows = []
        for row in build.artifacts:
            changed = row.target == "onnx-fp32" and contract is not None
            path = self._write(contract=(contract or None) if changed else self.contract)
            data = path.read_bytes() + (b"\x1a" + bytes([grow]) + b"\0" * grow if row.target == "onnx-fp32" and grow
                                        else b"")  # fmt: skip
            place = artifacts.write_bytes(self.folder / row.variant / f"{row.target}.onnx", data)
            rows.append(self._row(row, place, data))
        artifacts.write_text(self.folder / "build.json", to_json(replace(build, artifacts=tuple(rows))))

    def _row(self, row: ArtifactRow, place: Path, data: bytes) -> ArtifactRow:
        return replace(
            row,
            path=str(place.relative_to(self.folder)),
            sha256=artifacts.sha256_bytes(data),
            size_bytes=len(data),
            variant="alphax-0.125-half",
        )

    def planted(self, change: Callable[[ArtifactRow], ArtifactRow], target: str = "onnx-fp32") -> BuildResult:
        """Return the build with one row changed."""
        rows = tuple(change(row) if row.target == target else row for row in self.build.artifacts)
        return replace(self.build, artifacts=rows)


@pytest.fixture
def site(
    tmp_path: Path, make_build: Callable[..., BuildResult], tiny_contract: Contract, tiny_onnx: Callable[..., Path]
) -> Site:
    return Site(tmp_path, make_build(), tiny_contract, tiny_onnx)


@pytest.fixture
def gate(site: Site) -> Gate:
    """Give a function that runs the command on the site; its baseline is taken first."""

    def run(*options: object, build: object = None) -> int:
        with pytest.raises(SystemExit) as end:
            main(["check", str(build or site.folder), "--baseline", str(site.baseline), *(str(o) for o in options)])
        assert isinstance(end.value.code, int)
        return end.value.code

    assert run("--update", "--reason", "a test") == 0
    return run
