"""The last thing that a search within a budget tries: int8 after quantization-aware training."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from edgeseg.data.cache import cached
from edgeseg.progress import Progress
from edgeseg.recipes.recipe import SHARED
from edgeseg.specs import BuildSpec, Qat
from edgeseg.stages.build.inputs import BuildInputs
from edgeseg.stages.build.search import Candidate
from edgeseg.stages.calibrate import ranges_beside
from edgeseg.stages.compress import apply_recipe
from edgeseg.stages.train import TrainProgress

FOLDER = "qat"
"""Inside the build's folder; a finished training there is taken as it is."""
RECIPE = "int8 after quantization-aware training"
_STAGE = "train for int8"


class AfterTraining:
    """The network trained for int8, as a candidate; the training starts with the first look and serves all targets.

    There is none where that cannot be: the data lacks patients whom the weights were trained or validated on, the
    weights were trained for int8 already, somebody else trained them, or the family shares its convolutions over time.
    """

    def __init__(self, spec: BuildSpec, inputs: BuildInputs, progress: Progress | None) -> None:
        """Take a build's inputs; `progress` is called after each training step."""
        self.spec, self.inputs, self.progress = spec, inputs, progress
        self._made: Candidate | None = None

    def __iter__(self) -> Iterator[Candidate]:
        """Give the candidate, if there is one.

        Raises:
            MissingExtraError: when TensorFlow Model Optimization is not installed.
        """
        header = self.inputs.checkpoint.header
        needed = {*header.train_patients, *header.validation_patients}
        known = needed <= set(self.inputs.dataset.patients)
        fits = header.foreign is None and self.spec.variant.name not in SHARED
        if fits and known and self.inputs.learned_ranges is None:
            if self._made is None:
                self._made = self._train()
            yield self._made

    def _train(self) -> Candidate:
        folder = self.spec.out / FOLDER / self.inputs.weights_sha256[:12]
        if self.spec.rebuild:
            shutil.rmtree(folder, ignore_errors=True)
        cache = cached(self.inputs.dataset, self.inputs.content_key)
        made = apply_recipe(self.inputs.checkpoint, Qat(), cache, folder=folder, progress=self._tell)
        learned = ranges_beside(made.path)
        assert learned is not None
        return Candidate(recipe=RECIPE, ranges=learned, checkpoint=made)

    def _tell(self, at: TrainProgress) -> None:
        if self.progress is not None:
            self.progress(at.done, at.total, _STAGE)
