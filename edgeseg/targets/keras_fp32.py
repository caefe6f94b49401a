"""Keras' own HDF5 file in float, without optimizer state: what the other targets are compared with.

The tolerance: float sums differ in their last bits, which moves a pixel only when its logit lies on the threshold; none
moved on 207 real slices, and 5 in a million leave room for other processors.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts, imaging
from edgeseg.backend import predict, running_keras
from edgeseg.errors import ArtifactError, ContractError, ImageError, OptionError, one_line
from edgeseg.quiet import quiet
from edgeseg.runtime.contract import CONTRACT_KEY, parse_contract
from edgeseg.runtime.contract_file import read_contract_document
from edgeseg.runtime.seal import reserved_text
from edgeseg.specs import Contract
from edgeseg.targets._require import require
from edgeseg.targets._seal import Sealing, sealed
from edgeseg.targets.plain import plain_class
from edgeseg.targets.target import ConvertJob, Target, artifact_contract, check_network, refuse_graph

NAME, LAYOUT = "keras-fp32", "NHWC"
_BATCH_SLICES = 8


class KerasPredictor:
    """A Keras 3 network that runs slices as `edgeseg.runtime.Segmenter` does.

    Attributes:
        model: the network.
        contract: what it was built for.
        threads: what the backend uses within one operation; TensorFlow fixes it when it starts, so it can differ from
            what was asked for.
        numerics: `float32`.
        runtime: such as `keras 3.15.1 (tensorflow 2.21.0)`.
    """

    numerics = "float32"
    logit_step = None

    def __init__(self, model: Any, contract: Contract, *, threads: int | None = 2) -> None:
        """Take a built model, `(None, H, W, 3) float32 in [0, 1]` -> `(None, H, W, 1)` logits.

        Args:
            model: the network.
            contract: what it was built for.
            threads: to ask the backend for; None leaves that to the backend, as training does.

        Raises:
            OptionError: for threads below 1.
            ContractError: when the model's shapes are not those of the contract.
        """
        if threads is not None and threads < 1:
            raise OptionError(f"threads is {threads}; at least 1 is needed")
        check_network(model, contract)
        self.contract = contract
        self.runtime = keras_runtime()
        self.threads = set_threads(threads)
        self.model = model
        self._run = _runner(model)

    @imaging.in_passes
    def logits(self, images: NDArray[np.uint8], tables: imaging.Tables | None = None) -> NDArray[np.float32]:
        """Run slices of the contract's size, at most eight at a time.

        Args:
            images: `(N, H, W, 3) uint8`, NHWC, channels as in the contract.
            tables: what their bytes become, those of their volume, as `edgeseg.runtime.Segmenter.logits` has them.

        Returns:
            `(N, H, W) float32` logits; of a contract with R regions `(N, H, W, R)`.

        Raises:
            ImageError: when the images are not such a stack.
        """
        imaging.check_images(images, self.contract.channels)
        size = (self.contract.height, self.contract.width)
        if images.shape[1:3] != size:
            raise ImageError(
                f"slices of {images.shape[1]} x {images.shape[2]} were given and the network takes {size[0]} x "
                f"{size[1]}; resample them with edgeseg.imaging.to_network"
            )
        several = (len(self.contract.regions),) if self.contract.regions else ()
        logits = np.empty((*images.shape[:3], *several), np.float32)
        for start in range(0, len(images), _BATCH_SLICES):
            rows = slice(start, start + _BATCH_SLICES)
            given = self._run(imaging.normalise(images[rows], self.contract, tables))
            if several:
                logits[rows] = imaging.region_logits(np.moveaxis(given, -1, 0), self.contract)
            else:
                logits[rows] = imaging.as_logits(given[..., 0], self.contract)
        return logits


def open_keras(path: Path, *, threads: int = 2, contract: Path | None = None) -> KerasPredictor:
    """Open a `.hdf5` file that `keras-fp32` wrote, or a bare one with a contract in a file of its own.

    Raises:
        ArtifactError: when the file is missing, damaged, or holds code that would have to run to load it.
        ContractError: when it carries no contract that this edgeseg can honour.
        MissingExtraError: when Keras is not installed.
        OptionError: for threads below 1.
    """
    if not path.is_file():
        raise ArtifactError(f"no Keras file at {path}; give a .hdf5 file of 'edgeseg build --target {NAME}'")
    require("h5py", "keras", "tensorflow", purpose="running a Keras .hdf5 file")
    told = read_keras_contract(path) if contract is None else _contract_file(contract, path)
    keras = running_keras()
    try:
        with quiet():
            plain_class()
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ArtifactError(f"{path}: Keras cannot load it ({one_line(error)}); copy or build it again") from error
    return KerasPredictor(model, told, threads=threads)


def _contract_file(contract: Path, path: Path) -> Contract:
    if keras_contract_text(path) is not None:
        raise ContractError(
            f"{path}: the model carries a contract, and {contract} would be a second one; leave --contract out"
        )
    return read_contract_document(contract, told={"layout": LAYOUT, "target": NAME})


def keras_contract_text(path: Path) -> bytes | None:
    """Return the text of the contract as it stands in a `.hdf5` file; None where there is none.

    Raises:
        ArtifactError: when the file is not readable HDF5.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            text = file.attrs.get(CONTRACT_KEY)
    except OSError as error:
        raise ArtifactError(f"{path}: not a readable HDF5 file ({one_line(error)}); copy or build it again") from error
    return None if text is None else str(text).encode()


def read_keras_contract(path: Path) -> Contract:
    """Read the contract of a `.hdf5` file.

    Raises:
        ArtifactError: when the file is not readable HDF5, or not what was sealed.
        ContractError: when it carries no contract that this edgeseg can honour.
    """
    text = keras_contract_text(path)
    if text is None:
        raise ContractError(
            f"{path}: the file carries no contract (attribute '{CONTRACT_KEY}'), so its channels, scaling and "
            "threshold are unknown; build it with: edgeseg build"
        )
    return parse_contract(text, path)


def _convert(job: ConvertJob, path: Path) -> None:
    require("h5py", "keras", purpose=f"converting to {NAME}")
    refuse_graph(job.model, NAME)
    import h5py

    contract = artifact_contract(job, target=NAME, layout=LAYOUT)
    with artifacts.staged(path) as temporary, _plain_os_errors():
        with quiet():
            job.model.save(temporary, include_optimizer=False)
        with h5py.File(temporary, "r+") as file:
            file.attrs[CONTRACT_KEY] = reserved_text(contract)


@contextlib.contextmanager
def _plain_os_errors() -> Iterator[None]:
    """Give HDF5's errors their number and the system's own words; HDF5 hides both in a paragraph."""
    try:
        yield
    except OSError as error:
        number = re.search(r"errno = (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


def keras_runtime() -> str:
    """Name what runs Keras networks in this process, with versions."""
    import keras

    backend = keras.backend.backend()
    return f"keras {keras.__version__} ({backend} {_version(backend)})"


def _version(module: str) -> str:
    from importlib.metadata import version

    return version(module)


def set_threads(threads: int | None) -> int:
    """Ask TensorFlow for a number of threads, if any, and return how many it really has.

    TensorFlow fixes the number when the first network is built, so a process that builds one asks before.
    """
    keras = running_keras()
    if keras.backend.backend() != "tensorflow":
        return os.cpu_count() or 1
    import tensorflow as tf

    if threads is None:
        return tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError:
        return tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1
    return threads


def _runner(model: Any) -> Any:
    """Return a function `(N, H, W, 3) float32` -> `(N, H, W, 1) float32` that is compiled once for every N."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return partial(predict, model, batch=_BATCH_SLICES)
    import tensorflow as tf

    signature = [tf.TensorSpec(model.input_shape, tf.float32)]
    function = tf.function(lambda images: model(images, training=False), input_signature=signature, autograph=False)
    graph = function.get_concrete_function()

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = graph(tf.constant(images)).numpy()
        return result

    return run


def _predictor(job: ConvertJob, path: Path) -> KerasPredictor:
    contract = read_keras_contract(path)
    return KerasPredictor(job.model, contract)


TARGET = Target(
    name=NAME,
    suffix=".hdf5",
    runtime="keras",
    precision="fp32",
    needs_calibration=False,
    max_flip_ppm=5.0,
    layout=LAYOUT,
    convert=sealed(_convert, how=Sealing(text=keras_contract_text, open_=_predictor)),
)
