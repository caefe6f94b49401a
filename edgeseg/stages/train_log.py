"""The learning curve of a run: a CSV for people and an event file that TensorBoard reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from edgeseg import artifacts
from edgeseg.errors import MissingExtraError
from edgeseg.results import EpochRecord


def write_csv(path: Path, history: Sequence[EpochRecord]) -> None:
    """Write the whole curve in one step; columns are the fields of `EpochRecord`, empty where not measured."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(EpochRecord)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in history)
    artifacts.write_text(path, text.getvalue())


class TensorBoardLog:
    """Scalars in TensorBoard's event format, written without TensorFlow."""

    def __init__(self, folder: Path) -> None:
        """Open an event file in `folder`.

        Raises:
            MissingExtraError: when tensorboardX is absent.
        """
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("tensorboardX", "build", "TensorBoard logs") from error
        self._writer: Any = SummaryWriter(str(artifacts.make_dir(folder)))

    def add(self, record: EpochRecord) -> None:
        """Add one epoch."""
        scalars = {"loss": record.loss, "dice/mean": record.dice_mean, "dice/median": record.dice_median}
        for name, value in scalars.items():
            if value is not None:
                self._writer.add_scalar(name, value, record.step)
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()
