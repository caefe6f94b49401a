"""edgeseg for programs: what most of them need, at the top of the package as `edgeseg.load` and so on.

Each function does what the command of the same purpose does, with the same errors (`edgeseg.errors`), and prints
nothing. `load` and `open_scan` need the base install; the others the extra `build`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.data.open_scan import open_scan

if TYPE_CHECKING:
    from edgeseg.results import BuildResult
    from edgeseg.results.imported import ImportResult
    from edgeseg.runtime import Segmenter

__all__ = ["build", "import_network", "load", "open_scan"]

DEFAULT_NETWORK = "light"
_IMPORTED = "imported"


def load(
    model: str | Path, *, threads: int = 2, numerics: str = "exact", contract: str | Path | None = None
) -> Segmenter:
    """Open a network that segments.

    Args:
        model: the path of a `.onnx`, `.ort` or `.tflite` file, or the name of a network, such as `light`, or of another
            of its files, such as `light/onnx-fp32`.
        threads: for the runtime.
        numerics: `exact`, or `fast` where int8 may be computed with kernels that differ from those of Arm.
        contract: a file with the contract of a model that carries none.

    Returns:
        The network. Its `segment` takes `(N, h, w, C) uint8` slices, or an open scan, and returns `(N, h, w) bool`; of
        K classes `(N, h, w, K) bool`.

    Raises:
        UnknownNameError: for a word that is no file and no network, with the nearest name.
        ArtifactError: when the file is missing, damaged, altered, or of another format.
        ContractError: when it carries no contract that this edgeseg can honour.
        MissingExtraError: when what runs it is not installed.
    """
    from edgeseg.networks import artifact
    from edgeseg.runtime import Segmenter

    return Segmenter.load(artifact(Path(model)), threads=threads, numerics=numerics, contract=_path(contract))


def import_network(
    file: str | Path,
    out: str | Path,
    *,
    name: str | None = None,
    contract: str | Path | None = None,
    size: tuple[int, int] | None = None,
    output: str | None = None,
    threads: int = 2,
) -> ImportResult:
    """Make a run of a network that was trained elsewhere, as `edgeseg import` does.

    Args:
        file: `.keras`, `.h5`, `.hdf5`, `.onnx`, or the folder of a SavedModel.
        out: the folder of the run.
        name: of the network in tables and folders; that of the file unless given.
        contract: a `contract.toml` with what the file does not say.
        size: height and width of its image in pixels, where the file leaves them open.
        output: its output that is the mask, where there are several.
        threads: for the runtime of the file.

    Raises:
        EdgeSegError: for bad input, with what to do; nothing is then written to `out`.
    """
    from edgeseg.stages.adopt import adopt

    return adopt(Path(file), Path(out), name=name, contract=_path(contract), size=size, output=output, threads=threads)


def build(
    source: str | Path | None = None,
    *,
    target: str | Sequence[str],
    out: str | Path = "build",
    data: str | Path | None = None,
    contract: str | Path | None = None,
    **options: Any,
) -> BuildResult:
    """Convert, verify, evaluate and benchmark a network, as `edgeseg build` does.

    Args:
        source: a run's folder, or the file of a network that was trained elsewhere, which is imported into
            `<out>/imported` on the way, or the name of a network; the default network, `light`, unless given.
        target: a target, several, `all`, or a part of names, such as `int8`.
        out: where artifacts, `build.json` and the report go.
        data: the data set to calibrate and score on; phantoms unless given.
        contract: of a network that was trained elsewhere, with what its file does not say.
        **options: other fields of `edgeseg.specs.BuildSpec`, such as `max_drop=0.005` or `layout="nnunet"`.

    Returns:
        What `build.json` holds. `main` is the artifact to ship.

    Raises:
        EdgeSegError: for bad input, before anything is written where that can be known.
        TypeError: for an option that there is not.
    """
    from edgeseg import networks
    from edgeseg.checkpoint import read_checkpoint, weights_path
    from edgeseg.foreign import is_foreign
    from edgeseg.specs import BuildSpec
    from edgeseg.stages.adopt import adopted
    from edgeseg.stages.build import build as run

    named = networks.get(DEFAULT_NETWORK) if source is None else networks.named(str(source))
    if named is not None and (source is None or not Path(source).exists()):
        shape, checkpoint, name = named.record.spec, None, named.name
    else:
        checkpoint, name = weights_path(Path(str(source))), ""
        if is_foreign(checkpoint):
            checkpoint = adopted(checkpoint, Path(out) / _IMPORTED, contract=_path(contract))
        shape = read_checkpoint(checkpoint).header.variant
    targets = (target,) if isinstance(target, str) else tuple(target)
    return run(
        BuildSpec(
            variant=shape,
            network=name,
            targets=targets,
            out=Path(out),
            data=_path(data),
            checkpoint=checkpoint,
            command="edgeseg.build",
            **options,
        )
    )


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
