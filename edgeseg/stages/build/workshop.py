"""The networks and files of one variant's build: built, written and opened in one place, on the threads asked for."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeseg import artifacts, networks
from edgeseg.checkpoint import Checkpoint
from edgeseg.data.volume import Volume, volumes
from edgeseg.progress import Progress
from edgeseg.specs import BuildSpec, Contract
from edgeseg.stages.adopt import original_of
from edgeseg.stages.build.compression import target_contract
from edgeseg.stages.build.inputs import BuildInputs
from edgeseg.stages.build.search import Candidate
from edgeseg.stages.predict import Predictor, Remembered, network_of
from edgeseg.targets import TARGETS, ConvertJob, KerasPredictor, Target, keras_fp32, open_artifact

_GIVEN = Path("given")


class Workshop:
    """What the steps of a build share.

    Attributes:
        spec: of the build.
        inputs: of the build.
        progress: called as the patients or steps of a stage are done, with the stage's name.
    """

    def __init__(self, spec: BuildSpec, inputs: BuildInputs, progress: Progress | None = None) -> None:
        """Take what was opened; nothing is built yet."""
        self.spec, self.inputs, self.progress = spec, inputs, progress
        self._open: dict[Path, Predictor] = {}
        self._known: dict[tuple[Any, ...], Any] = {}

    @functools.cached_property
    def model(self) -> Any:
        """The trained Keras network, loaded when the first stage needs it."""
        return self._network(self.inputs.checkpoint)

    @functools.cached_property
    def original(self) -> Predictor | None:
        """The file that the network came from in its own runtime; None for one of edgeseg's own.

        What was chosen for the build holds for it too, so that threshold and post-processing are no difference.
        """
        if self.inputs.checkpoint.header.foreign is None:
            return None
        keras_fp32.set_threads(self.spec.threads)
        opened = original_of(self.inputs.checkpoint, threads=self.spec.threads)
        opened.contract = self.inputs.dressed(opened.contract)
        return opened

    @property
    def given(self) -> Predictor | None:
        """The same file, its first slices remembered: what it is verified on is not run anew to score it."""
        return None if self.original is None else self.remembered(_GIVEN, self.original)

    @property
    def reference(self) -> Predictor | None:
        """The file that the network must still compute as; None for edgeseg's own, and for one that was compressed."""
        return None if self.inputs.checkpoint.header.chain else self.given

    def contract(self, target: Target, taken: Candidate | None) -> Contract:
        """Return what an artifact says of itself."""
        ranges = None if taken is None else taken.ranges
        return target_contract(self.inputs, target, ranges, profile=self.spec.profile, public_ids=self.spec.public_ids)

    def place(self, target: Target) -> Path:
        """Return where the artifact of a target lies."""
        return artifacts.artifact_path(self.spec.out, self.spec.label, target.name, target.suffix)

    @property
    def author(self) -> str:
        """Who made the network; empty where nobody is named."""
        return self.spec.author or networks.author_of(self.inputs.weights_sha256)

    def write(self, target: Target, taken: Candidate | None, path: Path) -> None:
        """Convert the network, or that of a candidate, into a file."""
        job = ConvertJob(model=self.model, contract=self.contract(target, taken), author=self.author, known=self._known)
        if taken is not None:
            job = replace(job, ranges=taken.ranges.activations, float_layers=taken.float_layers)
        if taken is not None and taken.checkpoint is not None:
            job = replace(job, model=self._network(taken.checkpoint), known={})
        target.convert(job, path)

    def predictor(self, path: Path) -> Predictor:
        """Open an artifact, once; its logits of the first slices are remembered."""
        if path not in self._open:
            self._open[path] = Remembered(open_artifact(path, threads=self.spec.threads))
        return self._open[path]

    def remembered(self, name: Path, predictor: Predictor) -> Predictor:
        """Keep what a predictor gives for the first slices, under a name."""
        return self._open.setdefault(name, Remembered(predictor))

    def parent(self, taken: Candidate | None, reference: Path) -> Predictor:
        """Open what an artifact came from: the reference, or the float network that a search trained for it.

        The reference is the file that was given, where the network came from one and is whole.
        """
        if taken is None or taken.checkpoint is None:
            return self.reference or self.predictor(reference)
        contract = self.contract(TARGETS[keras_fp32.NAME], None)
        return KerasPredictor(self._network(taken.checkpoint), contract, threads=self.spec.threads)

    def close(self, *paths: Path) -> None:
        """Close artifacts; all of them where none is named."""
        for path in paths or tuple(self._open):
            self._open.pop(path, None)

    def volumes(self, stage: str, patients: tuple[str, ...]) -> Iterator[Volume]:
        """Read patients one after another, and tell of it."""
        for done, volume in enumerate(volumes(self.inputs.dataset, patients)):
            if self.progress is not None:
                self.progress(done, len(patients), stage)
            yield volume

    def _network(self, checkpoint: Checkpoint) -> Any:
        keras_fp32.set_threads(self.spec.threads)
        return network_of(checkpoint)
