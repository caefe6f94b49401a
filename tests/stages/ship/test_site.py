from __future__ import annotations

import gzip
import http.client
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.artifacts import sha256_file
from edgeseg.data.volume import Volume
from edgeseg.errors import ArtifactError, ContractError, OptionError, OutputError
from edgeseg.jsonio import from_json, to_json
from edgeseg.runtime import read_contract
from edgeseg.specs import Contract, SiteManifest
from edgeseg.stages.ship import site
from edgeseg.stages.ship.host import Host
from edgeseg.stages.ship.site import site_files, write_site

Write = Callable[..., Path]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built page, and phantoms of three small slices."""

    def small(index: int, *, seed: int) -> Volume:
        images = np.random.default_rng(index).integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)
        names = tuple(f"P_{n}" for n in range(3))
        return Volume(patient=f"P{index}", institution="", images=images, masks=images[..., 0] > 200, slice_names=names)

    monkeypatch.setattr(site, "phantom_volume", small)
    built = tmp_path / "built"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html>" + "edgeseg " * 50)
    (built / "sw.js").write_text("const files = self.EDGESEG_FILES;\n")
    for name in ("index-abc.js", "onnxruntime-abc.js", "onnxruntime-abc.bin", "litert-abc.js", "litert-abc.bin"):
        (built / "assets" / name).write_text("export {};")
    return built


def test_every_file_is_named_to_the_service_worker_with_its_digest(
    tmp_path: Path, page: Path, tiny_onnx: Write
) -> None:
    manifest = write_site(tiny_onnx(), out=tmp_path / "out", page=page)
    files = site_files(tmp_path / "out")
    assert from_json(SiteManifest, files["site.json"].read_bytes()) == manifest
    first = files["sw.js"].read_text().splitlines()[0]
    listed = json.loads(first.removeprefix("self.EDGESEG_FILES=").removesuffix(";"))
    assert listed == {name: sha256_file(path) for name, path in files.items() if name != "sw.js"}
    assert manifest.model.sha256 in listed.values()
    assert manifest.model.file == f"model/model-{manifest.model.sha256[:8]}.onnx"


def test_a_model_that_is_not_there_is_named(tmp_path: Path, page: Path) -> None:
    with pytest.raises(ArtifactError, match="the model does not exist"):
        write_site(tmp_path / "none.onnx", out=tmp_path / "out", page=page)
    assert not (tmp_path / "out").exists()


def test_examples_are_the_phantoms_slices_in_order(tmp_path: Path, page: Path, tiny_onnx: Write) -> None:
    manifest = write_site(tiny_onnx(), out=tmp_path / "out", page=page)
    for case, index in zip(manifest.cases, (7, 2), strict=True):
        packed = zipfile.ZipFile(tmp_path / "out" / case.file.file)
        assert packed.namelist() == [f"P{index}/P{index}_{n}.png" for n in (1, 2, 3)]
        wanted = np.random.default_rng(index).integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)
        for name, image in zip(packed.namelist(), wanted, strict=True):
            with packed.open(name) as stream:
                np.testing.assert_array_equal(np.asarray(Image.open(stream)), image)


@pytest.mark.parametrize(
    ("channels", "first", "shape"),
    [
        (("t2",), "P7/P7_1.png", (16, 24)),
        (("t2", "flair"), "P7/t2/P7_1.png", (16, 24)),
        (("post", "t2", "flair"), "P7/P7_1.png", (16, 24, 3)),
        (("pre", "flair", "post", "t2/w"), "P7/pre/P7_1.png", (16, 24)),
    ],
)
def test_examples_are_in_the_channels_of_the_network(
    tmp_path: Path,
    page: Path,
    tiny_onnx: Write,
    tiny_contract: Contract,
    channels: tuple[str, ...],
    first: str,
    shape: tuple[int, ...],
) -> None:
    model = tiny_onnx(contract=replace(tiny_contract, channels=channels), weights=(1.0,) * len(channels))
    manifest = write_site(model, out=tmp_path / "out", page=page)
    packed = zipfile.ZipFile(tmp_path / "out" / manifest.cases[0].file.file)
    pictures = 3 * (len(channels) if len(channels) in (2, 4) else 1)
    assert packed.namelist()[0] == first
    assert len(packed.namelist()) == len(set(packed.namelist())) == pictures
    assert all(name.count("/") == first.count("/") for name in packed.namelist())
    with packed.open(first) as stream:
        assert np.asarray(Image.open(stream)).shape == shape


def test_equal_input_gives_equal_files_and_packed_ones_hold_the_same(
    tmp_path: Path, page: Path, tiny_onnx: Write
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for out in (one, other):
        write_site(tiny_onnx(), out=out, page=page)
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)
    packed = [name for name in names if name.suffix == ".gz"]
    assert Path("index.html.gz") in packed
    for name in packed:
        assert gzip.decompress((one / name).read_bytes()) == (one / name.with_suffix("")).read_bytes()


def test_what_an_earlier_page_left_goes(tmp_path: Path, page: Path, tiny_onnx: Write) -> None:
    out = tmp_path / "out"
    write_site(tiny_onnx(), out=out, page=page)
    (page / "assets" / "index-abc.js").rename(page / "assets" / "index-def.js")
    write_site(tiny_onnx(form="qdq"), out=out, page=page)
    assert {path.stem for path in (out / "assets").iterdir()} == {"index-def", "onnxruntime-abc"}
    assert len({path.stem for path in (out / "model").glob("*.onnx")}) == 1


def test_what_cannot_be_written_is_refused_and_nothing_is_left(tmp_path: Path, page: Path, tiny_onnx: Write) -> None:
    out = tmp_path / "out"
    with pytest.raises(ArtifactError, match=r"was not built .* make web"):
        write_site(tiny_onnx(), out=out, page=tmp_path)
    with pytest.raises(OptionError, match=r"takes \.onnx"):
        write_site(tmp_path / "x.ort", out=out, page=page)
    with pytest.raises(ContractError, match="carries no contract"):
        write_site(tiny_onnx(name="bare.onnx", contract=None), out=out, page=page)
    assert not out.exists()
    out.mkdir()
    (out / "index.html").write_text("somebody's")
    with pytest.raises(OutputError, match="a page that edgeseg did not write"):
        write_site(tiny_onnx(), out=out, page=page)
    assert (out / "index.html").read_text() == "somebody's"


@pytest.mark.parametrize(
    ("format_", "engine", "other"), [("onnx", "onnxruntime", "litert"), ("tflite", "litert", "onnxruntime")]
)
def test_a_page_holds_the_library_of_its_network_alone(
    tmp_path: Path,
    page: Path,
    tiny_onnx: Write,
    tiny_tflite: Write,
    tiny_contract: Contract,
    format_: str,
    engine: str,
    other: str,
) -> None:
    told = replace(tiny_contract, layout="NHWC", target="tflite-int8")
    model = tiny_onnx() if format_ == "onnx" else tiny_tflite(contract=told, int8=True)
    manifest = write_site(model, out=tmp_path / "out", page=page)
    assert (manifest.engine, Path(manifest.model.file).suffix) == (engine, f".{format_}")
    names = {Path(name).stem for name in site_files(tmp_path / "out")}
    assert f"{engine}-abc" in names
    assert f"{other}-abc" not in names
    assert manifest.page == 5
    for path in (page / "assets").glob(f"{engine}-*"):
        path.unlink()
    with pytest.raises(ArtifactError, match=f"built without {engine}, .* make web"):
        write_site(model, out=tmp_path / "out", page=page)


@pytest.fixture
def host(tmp_path: Path, page: Path, tiny_onnx: Write) -> Iterator[Host]:
    write_site(tiny_onnx(), out=tmp_path / "out", page=page)
    with Host(tmp_path / "out", port=0) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def _ask(host: Host, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    asked = http.client.HTTPConnection("127.0.0.1", host.server_address[1], timeout=10)
    asked.request(method, path, headers=headers)
    answer = asked.getresponse()
    body = answer.read()
    asked.close()
    return answer, body


def test_the_server_sends_files_with_a_policy_that_lets_nothing_out(host: Host) -> None:
    answer, body = _ask(host, "/")
    assert answer.status == 200
    assert body.startswith(b"<!doctype html>")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; script-src 'self' 'wasm-unsafe-eval';")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    packed, data = _ask(host, "/index.html", **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(data) == body
    head, nothing = _ask(host, "/assets/index-abc.js", "HEAD")
    assert (head.headers["Content-Length"], nothing) == ("10", b"")
    assert "immutable" in head.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/assets/", "/none.html", "//etc/passwd"])
def test_the_server_sends_nothing_else(host: Host, path: str) -> None:
    assert _ask(host, path)[0].status == 404


def test_the_server_answers_no_name_that_somebody_pointed_at_it(host: Host) -> None:
    assert _ask(host, "/", Host="evil.example")[0].status == 421
    assert _ask(host, "/", Host="localhost:1")[0].status == 200


def test_a_folder_without_a_page_or_a_bad_port_is_refused(tmp_path: Path, host: Host) -> None:
    with pytest.raises(ArtifactError, match="no page in it"):
        Host(tmp_path, port=0)
    with pytest.raises(OptionError, match="0 takes a free one"):
        Host(tmp_path / "out", port=70000)
    with pytest.raises(OutputError, match="choose another one with --port"):
        Host(tmp_path / "out", port=host.server_address[1])


def test_a_contract_beside_the_model_goes_into_the_pages_copy(
    tmp_path: Path, page: Path, tiny_onnx: Write, tiny_contract: Contract
) -> None:
    (tmp_path / "contract.json").write_text(to_json(tiny_contract))
    bare = tiny_onnx(name="bare.onnx", contract=None)
    manifest = write_site(bare, out=tmp_path / "out", page=page, contract=tmp_path / "contract.json")
    assert read_contract(tmp_path / "out" / manifest.model.file).threshold == tiny_contract.threshold
