"""An evaluation whose patients are dealt to the workers of Ray: the same scores, in the same order."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeseg.data.channel_map import MappedChannels
from edgeseg.data.open import open_dataset
from edgeseg.data.volume import Dataset, volumes
from edgeseg.results import PatientScore
from edgeseg.stages.predict import Predictor
from edgeseg.stages.score.patients import scored
from edgeseg.targets import open_artifact
from edgeseg.workers.ray_tasks import in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreJob:
    """An artifact and a cohort, and how the one is run on the other; all that a worker needs.

    `channels` are pairs of a channel of the network and the cohort's for it; the rest is as in `evaluate`, and in
    `open_dataset` and `open_artifact`.
    """

    model: Path
    data: Path
    contract: Path | None = None
    layout: str | None = None
    labels: str | None = None
    channels: tuple[tuple[str, str], ...] = ()
    threads: int = 2
    allow_seen: bool = False
    post_processing: bool = True
    flips: str = "none"
    simulation: str = "none"

    def open_model(self) -> Predictor:
        """Open the artifact.

        Raises:
            ArtifactError: when it cannot be run.
        """
        return open_artifact(self.model, threads=self.threads, contract=self.contract)

    def open_data(self) -> Dataset:
        """Open the cohort, its channels called as they are there.

        Raises:
            DatasetError: when it is of no known layout.
        """
        return open_dataset(self.data, layout=self.layout, labels=self.labels)

    def mapped(self, dataset: Dataset, network: Sequence[str]) -> Dataset:
        """Call the cohort's channels as the network does.

        Raises:
            OptionError: when a channel does not exist.
        """
        return MappedChannels(dataset, dict(self.channels), network) if self.channels else dataset

    def scores(self, predictor: Predictor, dataset: Dataset, patients: Sequence[str]) -> Iterator[PatientScore]:
        """Score patients one after another in this process; see `evaluate` for what is raised."""
        return scored(
            predictor,
            volumes(dataset, tuple(patients)),
            allow_seen=self.allow_seen,
            post_processing=self.post_processing,
            flips=self.flips,
            simulation=self.simulation,
        )


def scores_on_ray(job: ScoreJob, patients: Sequence[str]) -> Iterator[PatientScore]:
    """Score patients on the workers of Ray, `threads` processors for each, and give the scores in the order of ids.

    Raises:
        MissingExtraError: when Ray is not installed.
        OptionError: when Ray does not start, or no host has as many processors as threads were asked for.
        EdgeSegError: as `evaluate`.
    """
    return in_order(_score_one, job, tuple(patients), cpus=job.threads, purpose="handing patients to Ray")


def _score_one(job: ScoreJob, patient: str) -> PatientScore:
    predictor, dataset = _opened(job)
    return next(job.scores(predictor, dataset, (patient,)))


@functools.lru_cache(maxsize=1)
def _opened(job: ScoreJob) -> tuple[Predictor, Dataset]:
    """Open both once for each worker."""
    predictor = job.open_model()
    return predictor, job.mapped(job.open_data(), predictor.contract.channels)
