"""What a target is: a file format with a precision, as data, and the job of writing one file of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from edgeseg.errors import ArtifactError, ContractError, OptionError, UnknownNameError
from edgeseg.specs import Contract
from edgeseg.targets._int8 import LogitScale, logit_scale
from edgeseg.targets._require import require
from edgeseg.targets.graph import GraphNetwork, refusal
from edgeseg.targets.ranges import ActivationRanges

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConvertJob:
    """One network to write in some format.

    Attributes:
        model: built Keras 3 model on the TensorFlow backend, `(None, H, W, 3) float32 in [0, 1]`, NHWC ->
            `(None, H, W, 1)` logits; or a `GraphNetwork`. It is read, never changed.
        contract: what the artifact will carry; `target` and `layout` are filled in by the conversion.
        ranges: of every layer's output, for int8; None where none are needed.
        float_layers: names of convolutions that an int8 target computes in float, with weights stored as float16;
            other targets take no notice of them.
        author: who made the network, for the metadata of ONNX and ORT files; empty where nobody is named.
        known: what conversions found out about the network and need again. `replace` hands it on, so files that differ
            in contract, ranges or float layers share it; the weights must not change between them.
    """

    model: Any
    contract: Contract
    ranges: ActivationRanges | None = None
    float_layers: tuple[str, ...] = ()
    author: str = ""
    known: dict[tuple[Any, ...], Any] = field(default_factory=dict, repr=False)

    def once(self, make: Callable[..., _Made], *given: Any) -> _Made:
        """Return `make(model, *given)`, made once for all jobs that share `known`; nobody may change it."""
        key = (make, self.model, *given)
        if key not in self.known:
            self.known[key] = make(self.model, *given)
        made: _Made = self.known[key]
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One file format with a precision.

    Attributes:
        name: `format-precision`, as in commands and file names.
        suffix: of the file, with its dot.
        runtime: what runs it on a device.
        precision: `fp32`, `fp16`, `int8`, `int16x8` (int16 activations, int8 weights) or `dynamic` (8-bit weights,
            ranges of activations measured while it runs).
        needs_calibration: whether `ConvertJob.ranges` must be given.
        max_flip_ppm: mask pixels per million that may differ from the Keras network at the operating threshold.
        layout: of input and output, `NHWC` or `NCHW`.
        blocks: whether a strided convolution of few channels is written over squares of pixels (`_blocks`): the same
            function, where it was measured faster.
        channels_last: whether rearrangements are written with channels last (`_onnx_channels_last`): the same codes.
        profiles: the build profiles in which its files differ, the default first; none for float.
        convert: writes the artifact at a path, whole or not at all; equal jobs give equal bytes.
        from_graph: whether it can be made of a network that is an ONNX graph alone (`GraphNetwork`).
        companions: suffixes of the files that stand beside the artifact, put in place of its own.
        note: what one should know before choosing it, empty where there is nothing.
        barred: says in one clause what in a Keras network the format cannot hold, None where it holds all of it; None
            for a format that holds every network.
    """

    name: str
    suffix: str
    runtime: str
    precision: str
    needs_calibration: bool
    max_flip_ppm: float
    layout: str
    convert: Callable[[ConvertJob, Path], None]
    blocks: bool = False
    channels_last: bool = False
    profiles: tuple[str, ...] = ()
    from_graph: bool = False
    companions: tuple[str, ...] = ()
    note: str = ""
    barred: Callable[[Any], str | None] | None = None

    def files(self, path: Path) -> tuple[Path, ...]:
        """Return all files of an artifact whose own is at `path`, that one first."""
        return (path, *(path.with_suffix(suffix) for suffix in self.companions))

    def bar(self, model: Any) -> str | None:
        """Return why this format cannot hold a network, whatever converts it; None where it can."""
        if isinstance(model, GraphNetwork):
            return None if self.from_graph else model.why
        return None if self.barred is None else self.barred(model)

    def profile(self, asked: str) -> str | None:
        """Return the profile that a file of this target is of when `asked` is asked for; None for float."""
        return asked if asked in self.profiles else next(iter(self.profiles), None)


def artifact_contract(job: ConvertJob, *, target: str, layout: str, layers: tuple[str, ...] = ()) -> Contract:
    """Check that model and contract fit together, and return the contract that the artifact carries.

    Args:
        job: what is converted.
        target: the target's name.
        layout: of input and output.
        layers: those that an int8 target computes in float.

    Raises:
        ContractError: when the model's input or output is not what the contract says.
    """
    check_network(job.model, job.contract)
    return replace(job.contract, target=target, layout=layout, float_layers=layers).versioned()


def check_network(model: Any, contract: Contract) -> None:
    """Refuse a model whose input or output is not what its contract says.

    Raises:
        ContractError: with both shapes.
    """
    image = (None, contract.height, contract.width, len(contract.channels))
    ends = (
        ("takes", model.input_shape, image),
        ("gives", model.output_shape, (*image[:3], len(contract.classes) if contract.regions else 1)),
    )
    for end, found, wanted in ends:
        if tuple(found) != wanted:
            raise ContractError(
                f"the network {end} {tuple(found)}, and its contract says {wanted}; build both for one size"
            )


def activation_ranges(job: ConvertJob, target: str) -> ActivationRanges:
    """Return the activation ranges of a job that needs them.

    Raises:
        OptionError: when there are none.
        CheckpointError: when they are those of another network.
    """
    if job.ranges is None:
        raise OptionError(
            f"{target} needs the range of every layer's output, and none were given; measure or read them"
        )
    from edgeseg.targets._keras import taken_apart

    job.ranges.check(step.layer.name for step in job.once(taken_apart).steps)
    return job.ranges


def quantisable_layers(model: Any) -> tuple[str, ...]:
    """Name the layers of a network that int8 targets quantize, those with a kernel, in the order in which they run."""
    from edgeseg.targets._keras import taken_apart

    return tuple(dict.fromkeys(taken_apart(model).owners().values()))


def kernel_sizes(model: Any) -> dict[str, int]:
    """Return how many numbers the kernel of each of these layers holds, by its name."""
    if isinstance(model, GraphNetwork):
        return model.kernels()
    from edgeseg.targets._explicit import explicit

    spelled_out = explicit(model)
    kernels = {name: getattr(spelled_out.get_layer(name), "kernel", None) for name in quantisable_layers(model)}
    return {name: 0 if kernel is None else math.prod(kernel.shape) for name, kernel in kernels.items()}


def logit_codes(model: Any, contract: Contract, ranges: ActivationRanges) -> LogitScale:
    """Return the int8 codes that every int8 file of a network has for its logits."""
    from edgeseg.targets._keras import taken_apart

    return logit_scale(*ranges.of(taken_apart(model).output.name), contract.logit_threshold)


def float_layers(job: ConvertJob) -> tuple[str, ...]:
    """Return the layers of a job that stay in float, each once, in the order in which they run.

    Raises:
        UnknownNameError: for a name that is no layer with a kernel, with the names there are.
    """
    if not job.float_layers:
        return ()
    known = job.once(quantisable_layers)
    for name in job.float_layers:
        if name not in known:
            raise UnknownNameError("layer", name, known)
    return tuple(name for name in known if name in job.float_layers)


def refuse_graph(model: Any, target: str) -> None:
    """Refuse a network that is an ONNX graph alone, for a target that is made from Keras.

    Raises:
        ArtifactError: naming what Keras networks cannot hold.
    """
    if isinstance(model, GraphNetwork):
        raise ArtifactError(refusal(target, model.why))


def require_graph(model: Any, target: str) -> None:
    """Refuse a model that no ONNX graph can be made of, or libraries that are missing.

    Raises:
        OptionError: as `require_tensorflow`.
        MissingExtraError: naming the library.
    """
    purpose = f"converting to {target}"
    if isinstance(model, GraphNetwork):
        require("onnx", purpose=purpose)
        return
    require("keras", "tensorflow", "tf2onnx", "onnx", purpose=purpose)
    require_tensorflow(model, target)


def require_tensorflow(model: Any, target: str) -> None:
    """Refuse a model that does not live on the TensorFlow backend, which the converters read.

    Raises:
        OptionError: with the way to bring it there.
        ArtifactError: when it is an ONNX graph.
    """
    refuse_graph(model, target)
    import keras

    if keras.backend.backend() != "tensorflow" or not isinstance(model, keras.Model):
        raise OptionError(
            f"{target} is converted from a Keras 3 model on the tensorflow backend; this one is a "
            f"{type(model).__module__.split('.')[0]} model on {keras.backend.backend()}. "
            "Save its weights and convert in a process of its own"
        )
