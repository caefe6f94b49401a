"""Put an artifact, cases and the masks it draws on them into the assets of the tablet app."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg import __version__, artifacts
from edgeseg.data.phantom import phantom_volume
from edgeseg.data.phantom_channels import in_channels, phantom_channels
from edgeseg.errors import OptionError, OutputError
from edgeseg.imaging import given_channels
from edgeseg.jsonio import to_json
from edgeseg.place import claimed, scratch, write_error
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model_files import model_files
from edgeseg.runtime.self_test import in_one
from edgeseg.specs import AppCase, AppFile, AppManifest, Contract
from edgeseg.stages.inspect import attach
from edgeseg.stages.ship.examples import SEED, SHOWN, planes, png
from edgeseg.stages.ship.fits import require_fit

ASSETS, FLOAT_GOLDENS = Path("app/src/main/assets/edgeseg"), Path("app/src/main/assets/edgeseg-float")
MODEL, MANIFEST = "model.onnx", "manifest.json"
MAX_MODEL_BYTES = 5 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Drawn:
    """A case before it is written."""

    name: str
    title: str
    shown: bool
    volume: bool
    images: NDArray[np.uint8]
    references: NDArray[np.bool_] | None


def prepare_app(
    artifact: Path,
    *,
    app: Path,
    floating: Path | None = None,
    contract: Path | None = None,
    float_contract: Path | None = None,
) -> AppManifest:
    """Write the app's bundle: `<app>/app/src/main/assets/edgeseg`.

    With `floating`, the float artifact of the same network and its masks go to `edgeseg-float` beside it, which the app
    shows differences to and its tests read; without it one that is there is taken away, as it is another network's. A
    file of the bundle that is there already is replaced; its manifest comes last.

    Args:
        artifact: a `.onnx` file.
        app: the folder `android-demo`.
        floating: a `.onnx` file in float.
        contract: a JSON or TOML file with the contract of `artifact`, where it carries none; it goes into the copy.
        float_contract: likewise that of `floating`.

    Returns:
        The manifest of the assets.

    Raises:
        OptionError: when a model is not ONNX or too large, keeps weights outside, or `floating` computes in int8.
        OutputError: when `app` is not the app's folder, or cannot be written.
        ArtifactError: when a model cannot be read or run.
        ContractError: when it carries no contract that this edgeseg can honour, or one that the app cannot.
    """
    if not (app / "app" / "src" / "main").is_dir():
        raise OutputError(f"{app}: not the folder of the app (app/src/main is missing); name android-demo with --app")
    if float_contract is not None and floating is None:
        raise OptionError("--float-contract says something of --float, which is not given; give it, too")
    with scratch("android") as folder:
        opened = [(_open(artifact, contract, folder / "artifact"), app / ASSETS)]
        if floating is not None:
            opened.append((_open(floating, float_contract, folder / "float"), app / FLOAT_GOLDENS))
            if opened[1][0].numerics != "float32":
                raise OptionError(
                    f"{floating}: --float takes a model in float, and this one computes {opened[1][0].numerics}"
                )
            _require_same_network(opened[0][0].contract, opened[1][0].contract, floating)
        cases = list(_cases(opened[0][0].contract))
        if floating is None:
            _remove_float(app / FLOAT_GOLDENS)
        manifests = [_write_bundle(segmenter, cases, out, with_images=out == app / ASSETS) for segmenter, out in opened]
    return manifests[0]


def _open(path: Path, contract: Path | None, folder: Path) -> Segmenter:
    """Open a model; one whose contract lies in a file of its own as a copy in `folder` that carries it."""
    if path.suffix.lower() != ".onnx":
        raise OptionError(f"{path}: the app runs ONNX Runtime, so it takes .onnx; build one with: edgeseg build")
    if outside := model_files(path)[1:]:
        raise OptionError(
            f"{path}: keeps weights in {outside[0].name}, and the app takes one file; export it with its weights inside"
        )
    segmenter = Segmenter.load(path if contract is None else attach(path, contract, out=folder / path.name))
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise OptionError(
            f"{path}: {path.stat().st_size / 1e6:.1f} MB is too large for the app's assets; the limit is "
            f"{MAX_MODEL_BYTES / 1e6:.1f} MB, so choose a smaller variant"
        )
    require_fit(segmenter.contract, "the app")
    return segmenter


def _require_same_network(artifact: Contract, floating: Contract, path: Path) -> None:
    taken, drawn = (
        [given_channels(one) for one in (artifact, floating)],
        [one.image.classes for one in (artifact, floating)],
    )
    if taken[0] != taken[1] or drawn[0] != drawn[1]:
        raise OptionError(
            f"{path}: --float takes the same network in float, and this one has other channels or classes "
            f"({', '.join((*taken[1], *drawn[1]))}); give the float artifact of the same build"
        )


def _cases(contract: Contract) -> Iterator[_Drawn]:
    """Two whole phantoms to look at, and lone slices of other sizes, for resampling both ways.

    Their channels are those that the network takes; a phantom's reference is one mask, so there is none of several.
    """
    channels = phantom_channels(contract.channels)
    for index, title in SHOWN:
        volume = phantom_volume(index, seed=SEED)
        yield _Drawn(
            name=volume.patient,
            title=title,
            shown=True,
            volume=True,
            images=in_channels(volume.images, channels),
            references=None if contract.regions else volume.reference,
        )
    lone = phantom_volume(2, seed=SEED).images[11:15:3]
    for name, size in (("smaller", (200, 180)), ("larger", (300, 331))):
        images = np.stack([np.asarray(Image.fromarray(image).resize(size[::-1])) for image in lone])
        yield _Drawn(
            name=name, title=name, shown=False, volume=False, images=in_channels(images, channels), references=None
        )


def _write_bundle(segmenter: Segmenter, cases: list[_Drawn], out: Path, *, with_images: bool) -> AppManifest:
    model = segmenter.path.read_bytes()
    with claimed(out), artifacts.staged_tree(out) as folder:
        listed = tuple(_write_case(segmenter, case, folder, with_images=with_images) for case in cases)
        manifest = AppManifest(
            model=_write(folder, MODEL, model),
            made_with=f"edgeseg {__version__}, {segmenter.runtime}, {segmenter.numerics}",
            cases=listed,
        )
        _write(folder, MANIFEST, f"{to_json(manifest, indent=1)}\n".encode())
    _remove_strays(out, manifest)
    return manifest


def _write_case(segmenter: Segmenter, case: _Drawn, folder: Path, *, with_images: bool) -> AppCase:
    masks = (segmenter.segment_volume if case.volume else segmenter.segment)(case.images)
    where = folder if with_images else None
    pictures = list(enumerate(case.images, 1))
    references = [] if case.references is None else list(enumerate(case.references, 1))
    return AppCase(
        name=case.name,
        title=case.title,
        shown=case.shown,
        volume=case.volume,
        height=case.images.shape[1],
        width=case.images.shape[2],
        images=tuple(_write(where, f"cases/{case.name}/{case.name}_{n}.png", png(planes(one))) for n, one in pictures),
        references=tuple(
            _write(where, f"cases/{case.name}/{case.name}_{n}_mask.png", png(one)) for n, one in references
        ),
        expected=tuple(run_lengths(in_one(mask)) for mask in masks),
    )


def _write(folder: Path | None, name: str, data: bytes) -> AppFile:
    if folder is not None:
        artifacts.write_bytes(folder / name, data)
    return AppFile(file=name, size_bytes=len(data), sha256=artifacts.sha256_bytes(data))


def _remove_float(out: Path) -> None:
    """Take away the float model of the network before, or the app would show differences between two networks."""
    try:
        for name in (MANIFEST, MODEL):
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise write_error(out, error) from error
    with contextlib.suppress(OSError):  # it is not there, or holds something else
        out.rmdir()


def _remove_strays(out: Path, manifest: AppManifest) -> None:
    """Take away cases of an earlier bundle, which the manifest no longer names."""
    kept = {out / file.file for case in manifest.cases for file in (*case.images, *case.references)}
    for path in sorted(out.glob("cases/*/*.png")):
        if path not in kept:
            path.unlink()
    for folder in sorted(out.glob("cases/*")):
        if not any(folder.iterdir()):
            folder.rmdir()


def run_lengths(mask: NDArray[np.bool_]) -> str:
    """Write a mask as run lengths: how many pixels are 0, then how many are 1, then 0; a last run of 0 is left out."""
    flat = np.concatenate([[False], mask.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return " ".join(map(str, np.diff(edges, prepend=0).tolist()))
