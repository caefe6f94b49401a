"""From a build folder to the page: ledgers of its artifacts, and pictures of what the main one draws."""

from __future__ import annotations

import logging
from pathlib import Path

from edgeseg import artifacts
from edgeseg.data.open import open_dataset
from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.phantom_channels import phantom_channels
from edgeseg.data.volume import Dataset, volumes
from edgeseg.errors import ArtifactError
from edgeseg.progress import Progress
from edgeseg.reports.page.overlays import Overlay
from edgeseg.reports.page.page import page
from edgeseg.results import BuildResult
from edgeseg.stages.build.inputs import EVALUATION_START
from edgeseg.stages.build.overlays import overlays
from edgeseg.stages.inspect import size_ledger
from edgeseg.stages.score import cannot_tell, check_unseen
from edgeseg.targets import open_artifact

NO_PICTURES, PHANTOM_PICTURES = "none", "phantom"
PATIENTS, PER_PATIENT = 4, 2
"""How many patients are drawn, and how many slices of each."""
_NO_PHANTOM = (
    "the network draws several masks and phantoms have one, so the page has no pictures; give a data set with its "
    "classes with --pictures"
)
_LOG = logging.getLogger(__name__)


def write_page(
    build: BuildResult,
    folder: Path,
    path: Path,
    *,
    pictures: str = PHANTOM_PICTURES,
    layout: str | None = None,
    labels: str | None = None,
    max_drop: float | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the page of a build in one step, with a size ledger of each int8 artifact that is still in the folder.

    Args:
        build: the `build.json` of `folder`.
        folder: where its artifacts are.
        path: the page.
        pictures: `none`, `phantom`, or the folder of a data set, whose real slices the page then holds: only patients
            that the artifact never saw are drawn. Folds that were brought together have no artifact to draw with.
        layout: of that data set, recognised where it is None.
        labels: what its masks tell apart, what it says itself where it is None.
        max_drop: the accuracy budget that the plots show.
        progress: called after each patient that is drawn.

    Raises:
        ArtifactError: when the artifact that is to be drawn is no longer in the folder, or one in it is damaged.
        DatasetError: when `pictures` is no data set.
        SeenPatientError: when no patient is left to draw.
        OutputError: when the page cannot be written.
    """
    drawn = () if pictures == NO_PICTURES else _pictures(build, folder, pictures, (layout, labels), progress)
    root = folder if folder.is_dir() else folder.parent
    small = [row for row in build.artifacts if row.target.endswith("int8") and (root / row.path).is_file()]
    ledgers = [found for row in small if (found := size_ledger(build, row, root)) is not None]
    return artifacts.write_text(path, page(build, ledgers=ledgers, overlays=drawn, max_drop=max_drop))


def _pictures(
    build: BuildResult,
    folder: Path,
    pictures: str,
    read_as: tuple[str | None, str | None],
    progress: Progress | None,
) -> tuple[Overlay, ...]:
    main = build.main
    if main is None or (build.folds and pictures == PHANTOM_PICTURES):
        return ()
    if build.folds:
        raise ArtifactError(
            f"{folder} brings the builds of {build.folds} folds together and holds no file to draw with; give the "
            "folder of one fold in it, or leave out --pictures"
        )
    path = (folder if folder.is_dir() else folder.parent) / main.path
    if not path.is_file():
        raise ArtifactError(
            f"{path} is missing, so there is nothing to draw with; build it again, or leave the pictures out with "
            "--pictures none"
        )
    predictor = open_artifact(path, numerics="fast")
    if predictor.contract.regions and pictures == PHANTOM_PICTURES:
        _LOG.warning("%s", _NO_PHANTOM)
        return ()
    dataset: Dataset = (
        PhantomDataset(
            PATIENTS,
            seed=build.seed,
            start=EVALUATION_START,
            channels=phantom_channels(predictor.contract.channels),
        )
        if pictures == PHANTOM_PICTURES
        else open_dataset(Path(pictures), layout=read_as[0], labels=read_as[1])
    )
    scored = {score.patient for score in main.evaluation.patients} if main.evaluation else set()
    wanted = tuple(p for p in dataset.patients if p in scored)[:PATIENTS] or dataset.patients[:PATIENTS]
    check_unseen(predictor.contract, wanted)
    if pictures != PHANTOM_PICTURES and (doubt := cannot_tell(predictor.contract)) is not None:
        _LOG.warning("%s", doubt)
    found: list[Overlay] = []
    for done, volume in enumerate(volumes(dataset, wanted), start=1):
        found += overlays(predictor, [volume], per_patient=PER_PATIENT)
        if progress is not None:
            progress(done, len(wanted), volume.patient)
    return tuple(found)
