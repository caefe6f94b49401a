"""Put the web page, a network and examples into a folder that any web server can serve."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import __version__, artifacts
from edgeseg.data.phantom import phantom_volume
from edgeseg.data.phantom_channels import in_channels, phantom_channels
from edgeseg.errors import ArtifactError, OutputError
from edgeseg.jsonio import to_json
from edgeseg.place import claimed
from edgeseg.specs import AppFile, ChannelSet, SiteCase, SiteManifest
from edgeseg.stages.ship.examples import SEED, SHOWN, png
from edgeseg.stages.ship.page_model import ENGINES, page_model

INDEX, WORKER, MANIFEST, PACKED = "index.html", "sw.js", "site.json", ".gz"
_FOLDERS = ("assets", "cases", "model")
_PACK_SUFFIXES = (".html", ".js", ".css", ".svg", ".json", ".txt", ".wasm", ".webmanifest", ".onnx", ".tflite")
_NAMED_DIGITS = 8
_IN_ONE = (1, 3)
"""Numbers of channels that a picture holds, grey or RGB."""


def write_site(artifact: Path, *, out: Path, page: Path | None = None, contract: Path | None = None) -> SiteManifest:
    """Write a static site: the page, the network, two phantoms, and a service worker that names every file's SHA-256.

    Files of the network and the examples carry their digest in their names. Beside each file that gains by it lies the
    same packed, `<file>.gz`. Of the libraries that run networks the one that is needed comes with it, and no other.
    Files of an earlier site in `out` are replaced or removed.

    Args:
        artifact: a `.onnx` file, its weights inside, or a `.tflite` file of int8.
        out: the folder.
        page: the built page; by default the one that edgeseg carries.
        contract: a JSON or TOML file with the contract of `artifact`, where it carries none; it goes into the copy.

    Returns:
        What `site.json` says.

    Raises:
        OptionError: when the page cannot run the model, or it is too large or in several files.
        ArtifactError: when the model cannot be read or run, or the page was never built.
        ContractError: when it carries no contract that this edgeseg can honour.
        MissingExtraError: for `.tflite` without ai-edge-litert.
        OutputError: when `out` holds another page, or cannot be written.
    """
    source = _built(artifacts.shipped("web", "dist") if page is None else page)
    model = page_model(artifact, contract)
    files = _files(source, model.engine)
    if (out / INDEX).exists() and not (out / MANIFEST).exists():
        raise OutputError(f"{out}: there is a page that edgeseg did not write; choose another place with --out")
    with claimed(out), artifacts.staged_tree(out) as folder:
        for path in files:
            place = folder / path.relative_to(source)
            artifacts.make_dir(place.parent)
            shutil.copyfile(path, place)
        named = _write(folder, "model/model", model.suffix, model.data)
        cases = tuple(_cases(folder, phantom_channels(model.channels)))
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        manifest = SiteManifest(
            engine=model.engine, model=named, cases=cases, edgeseg=__version__, page=len(files), size_bytes=size
        )
        artifacts.write_text(folder / MANIFEST, f"{to_json(manifest, indent=1)}\n")
        _name_files(folder)
        _pack(folder)
        kept = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    _remove_strays(out, kept)
    return manifest


def site_files(folder: Path) -> dict[str, Path]:
    """Return every file of a site by its address below the page, without those that are packed.

    Raises:
        ArtifactError: when the folder holds no site.
    """
    if not (folder / MANIFEST).is_file() or not (folder / INDEX).is_file():
        raise ArtifactError(f"{folder}: there is no page in it; write one with: edgeseg web --out {folder}")
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path for path in found if path.suffix != PACKED}


def _built(page: Path) -> Path:
    if (page / INDEX).is_file() and (page / WORKER).is_file():
        return page
    raise ArtifactError(
        f"{page}: the web page was not built ({INDEX} or {WORKER} is missing); in a checkout run: make web (it needs "
        "Node.js 20 and npm), or name a built page with --page"
    )


def _files(page: Path, engine: str) -> list[Path]:
    """Return the files of a built page without those of libraries that this network does not need."""
    found = [path for path in sorted(page.rglob("*")) if path.is_file()]
    if not any(path.name.startswith(f"{engine}-") for path in found):
        raise ArtifactError(
            f"{page}: this page was built without {engine}, which the network needs; build it anew: make web"
        )
    others = tuple(f"{name}-" for name in ENGINES.values() if name != engine)
    return [path for path in found if not path.name.startswith(others)]


def _cases(folder: Path, channels: ChannelSet) -> Iterator[SiteCase]:
    """Write the examples in a network's channels: a picture a slice where it can hold them, else a folder a channel."""
    for index, title in SHOWN:
        volume = phantom_volume(index, seed=SEED)
        images = in_channels(volume.images, channels)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as packed:
            for place, picture in _pictures(volume.patient, images, channels):
                packed.writestr(zipfile.ZipInfo(place, (1980, 1, 1, 0, 0, 0)), png(picture))
        file = _write(folder, f"cases/{volume.patient}", ".zip", stream.getvalue())
        yield SiteCase(name=volume.patient, title=title, slices=len(volume.images), file=file)


def _pictures(patient: str, images: NDArray[np.uint8], channels: ChannelSet) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Give a path and a picture, `(h, w, 3)` or `(h, w) uint8`, for each of the slices, `(N, h, w, C) uint8`."""
    count = images.shape[3]
    if count in _IN_ONE:
        for number, image in enumerate(images, 1):
            yield f"{patient}/{patient}_{number}.png", image if count > 1 else image[..., 0]
        return
    for place, folder in enumerate(name.replace("/", "-") for name in channels.names):
        for number, image in enumerate(images, 1):
            yield f"{patient}/{folder}/{patient}_{number}.png", np.ascontiguousarray(image[..., place])


def _write(folder: Path, name: str, suffix: str, data: bytes) -> AppFile:
    digest = artifacts.sha256_bytes(data)
    file = f"{name}-{digest[:_NAMED_DIGITS]}{suffix}"
    artifacts.write_bytes(folder / file, data)
    return AppFile(file=file, size_bytes=len(data), sha256=digest)


def _name_files(folder: Path) -> None:
    """Tell the service worker which files there are, so that it changes with every one of them."""
    names = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    listed = {name: artifacts.sha256_file(path) for name, path in names.items() if name != WORKER}
    script = (folder / WORKER).read_text()
    artifacts.write_text(folder / WORKER, f"self.EDGESEG_FILES={json.dumps(listed)};\n{script}")


def _pack(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _PACK_SUFFIXES:
            data = path.read_bytes()
            packed = gzip.compress(data, 9, mtime=0)
            if len(packed) < 0.95 * len(data):
                path.with_name(path.name + PACKED).write_bytes(packed)


def _remove_strays(out: Path, kept: set[Path]) -> None:
    """Take away what an earlier site left in its own folders."""
    for name in _FOLDERS:
        for path in sorted((out / name).rglob("*")):
            if path.is_file() and path.relative_to(out) not in kept:
                path.unlink()
