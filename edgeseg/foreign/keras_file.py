"""A whole Keras network, from `.keras` and from HDF5, as Keras 2 and 3 write them; nothing in a file is run."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.backend import load_keras
from edgeseg.errors import ArtifactError, EdgeSegError, one_line
from edgeseg.foreign.hdf5 import opened, text_attribute
from edgeseg.foreign.keras_config import EXPORT, safe_config
from edgeseg.foreign.recognise import keras_version
from edgeseg.place import scratch
from edgeseg.quiet import quiet

_MOST_CONFIG_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KerasFile:
    """A network as its file has it, its own last activation included; `framework` is such as `keras 2.15.0`."""

    model: Any
    framework: str


def read_keras(path: Path) -> KerasFile:
    """Read a `.keras` file.

    Raises:
        ArtifactError: when it is damaged, holds code, or this Keras cannot build it; says which.
    """
    keras = load_keras()
    try:
        with zipfile.ZipFile(path) as archive:
            texts = {name: _member(archive, name, path) for name in ("config.json", "metadata.json")}
            version = keras_version(texts["metadata.json"])
            config = safe_config(_parsed(texts["config.json"], path), path, version=version)
            (weights,) = [name for name in archive.namelist() if name.endswith(".weights.h5")][:1]
            with scratch("keras") as folder:
                archive.extract(weights, folder)
                with opened(folder / weights, shown=path):
                    pass
                clean = folder / "clean.keras"
                with zipfile.ZipFile(clean, "w") as copy:
                    copy.writestr("metadata.json", texts["metadata.json"])
                    copy.writestr("config.json", json.dumps(config))
                    copy.write(folder / weights, "model.weights.h5")
                model = _loaded(keras, clean, path)
    except (zipfile.BadZipFile, OSError, KeyError) as error:
        raise ArtifactError(f"{path}: a Keras file that is damaged ({one_line(error)}); copy it again") from error
    return KerasFile(model=model, framework=f"keras {version or '3'}")


def read_hdf5(path: Path) -> KerasFile:
    """Read a Keras model from HDF5, with or without the state of an optimizer.

    Raises:
        ArtifactError: when it is damaged, holds weights without their network, holds code, or this Keras cannot build
            it; says which.
    """
    keras = load_keras()
    import h5py

    with opened(path) as file, scratch("keras") as folder:
        text = text_attribute(file, "model_config")
        if text is None:
            raise _without_network(file, path)
        if "model_weights" not in file:
            raise ArtifactError(f"{path}: holds a network without its weights; save the model again with model.save")
        _check_weights(file["model_weights"], path)
        version = text_attribute(file["model_weights"], "keras_version") or text_attribute(file, "keras_version") or ""
        config = safe_config(_parsed(text, path), path, version=version)
        clean = folder / "clean.h5"
        try:
            with h5py.File(clean, "w") as copy:
                copy.attrs["model_config"] = json.dumps(config).encode()
                file.copy("model_weights", copy)
        except (OSError, RuntimeError, ValueError) as error:
            raise ArtifactError(f"{path}: its weights cannot be read ({one_line(error)}); copy it again") from error
        model = _loaded(keras, clean, path)
    return KerasFile(model=model, framework=f"keras {version or '2'}")


def _check_weights(group: Any, path: Path) -> None:
    """Refuse weights that a file lists and does not hold."""
    for layer in group.attrs.get("layer_names", ()):
        layer = layer.decode() if isinstance(layer, bytes) else str(layer)
        names = group[layer].attrs.get("weight_names", ()) if layer in group else (layer,)
        for name in names:
            place = name.decode() if isinstance(name, bytes) else str(name)
            if layer not in group or place not in group[layer]:
                raise ArtifactError(
                    f"{path}: the weights of its layer '{layer}' are missing; save the model again with model.save, or "
                    "copy the file again"
                )


def _without_network(file: Any, path: Path) -> ArtifactError:
    weights = "layer_names" in file.attrs or "layers" in file or "_layer_checkpoint_dependencies" in file
    if weights:
        return ArtifactError(
            f"{path}: holds weights alone, as model.save_weights writes them, and not the network that they belong to; "
            "build the network in Python, load these weights into it with model.load_weights, and save both with "
            "model.save('mine.keras')"
        )
    return ArtifactError(
        f"{path}: an HDF5 file without a Keras model (attribute 'model_config'); give one that model.save wrote"
    )


def _loaded(keras: Any, clean: Path, path: Path) -> Any:
    try:
        with quiet():
            return keras.models.load_model(clean, compile=False, safe_mode=True)
    except EdgeSegError:
        raise
    except Exception as error:
        raise ArtifactError(
            f"{path}: Keras {keras.__version__} cannot build this network ({type(error).__name__}: {one_line(error)}); "
            f"{EXPORT}"
        ) from error


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> str:
    if name not in archive.namelist():
        return "{}"
    if archive.getinfo(name).file_size > _MOST_CONFIG_BYTES:
        raise ArtifactError(f"{path}: its {name} is larger than any description of a network; save the model again")
    return archive.read(name).decode("utf-8", "replace")


def _parsed(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ArtifactError(
            f"{path}: the description of its network is damaged ({one_line(error)}); copy it again"
        ) from error
