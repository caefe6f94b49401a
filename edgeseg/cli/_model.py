"""The model that a command means: a file, or the name of a network whose converted file is taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.cli._variant import DEFAULT

if TYPE_CHECKING:
    from edgeseg.networks import Network
    from edgeseg.specs import Contract

DEFAULT_NETWORK = "light"
MODEL_HELP = "A .onnx, .ort or .tflite file, or a network's name: light, or light/onnx-fp32 for another of its files."


def artifact(model: Path) -> Path:
    """Return the file that a model argument means, as `edgeseg.networks.artifact` does."""
    from edgeseg import networks

    return networks.artifact(model)


def artifacts_of(models: list[Path]) -> list[Path]:
    """Return the files that arguments mean, of a bare name every file of the network that can be run here."""
    found: list[Path] = []
    for model in models:
        named = network_of(model)
        if named is None:
            found.append(model)
        else:
            network, target = named
            found += [network.file(one) for one in ([target] if target else _runnable(network))]
    return found


def network_of(model: Path) -> tuple[Network, str] | None:
    """Return the network that an argument names, as `edgeseg.networks.network_of` does."""
    from edgeseg import networks

    return networks.network_of(model)


def chosen(network: str | None, given: Path | None, contract: Path | None, *, of: str) -> tuple[Path, Network | None]:
    """Return the artifact that `--network` or `--artifact` names, and the network; the default one where neither does.

    `--network` takes a name, or `NAME/TARGET` as `networks.artifact` does.

    Raises:
        OptionError: when both are given, or a contract of an artifact that is not.
        UnknownNameError: for a network that there is not, with the nearest name.
        ArtifactError: when the network's file is missing or altered.
    """
    from edgeseg import networks
    from edgeseg.errors import OptionError

    if network is not None and given is not None:
        raise OptionError(f"--network and --artifact name two networks; {of} has one, so leave one of them out")
    if contract is not None and given is None:
        raise OptionError("--contract says something of --artifact, which is not given; give it, too")
    if given is not None:
        return given, None
    if network is not None and Path(network).suffix and Path(network).is_file():
        raise OptionError(f"--network takes a name, and '{network}' is a file; give it as: --artifact {network}")
    name, _, target = str(network or DEFAULT).partition("/")
    found = networks.get(DEFAULT_NETWORK if name == DEFAULT else name)
    return found.file(target or networks.USUAL_TARGET), found


def label(contract: Contract, model: Path) -> str:
    """What to call the network of an opened artifact: its name where it ships, its slug otherwise."""
    from edgeseg import networks
    from edgeseg.runtime.model_files import model_sha256

    name = networks.name_of_file(model_sha256(model)) if model.is_file() else ""
    return name or contract.variant.slug


def _runnable(network: Network) -> list[str]:
    """Return the targets that this installation can run."""
    from importlib.util import find_spec

    lacks = find_spec("ai_edge_litert") is None
    return [target for target in network.targets if not (lacks and target.startswith("tflite"))] or ["onnx-int8"]
