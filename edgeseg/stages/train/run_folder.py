"""What a run keeps between epochs, so that it can go on after any end as if nothing had happened."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.checkpoint import STATE_KIND, CheckpointHeader, read_checkpoint, weight_names, write_checkpoint
from edgeseg.errors import CheckpointError, MissingExtraError, OutputError
from edgeseg.jsonio import JsonFormatError, from_plain, parse_json, read_document, to_json
from edgeseg.networks import CARD_FILE
from edgeseg.regular import stands
from edgeseg.results import EpochRecord

STATE, WEIGHTS, HISTORY = "state.safetensors", "weights.safetensors", "history.json"
_FOLD = re.compile(r"fold(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The learning curve so far."""

    epochs: tuple[EpochRecord, ...] = ()


def averaged_weights(model: Any, optimizer: Any) -> dict[str, NDArray[np.float32]]:
    """Return the network's weights by name, the trainable ones replaced by their moving average where one is kept."""
    values = dict(zip(weight_names(model), model.get_weights(), strict=True))
    averages = [v for v in optimizer.variables if v.path.endswith("_average")]
    if averages:
        for weight, average in zip(model.trainable_weights, averages, strict=True):
            values[weight.path] = np.asarray(average)
    return values


def save_state(out: Path, header: CheckpointHeader, model: Any, optimizer: Any, history: History) -> None:
    """Write the shipped weights, the curve and, last, the state; each in one step.

    Before the first epoch there is only a state: no moving average exists yet, and weights that learned nothing must
    not be taken for a result.
    """
    if header.epoch:
        write_checkpoint(out / WEIGHTS, header, averaged_weights(model, optimizer))
    artifacts.write_text(out / HISTORY, to_json(history))
    arrays = {f"model/{name}": w for name, w in zip(weight_names(model), model.get_weights(), strict=True)}
    arrays |= {f"optimizer/{i}": np.asarray(v) for i, v in enumerate(optimizer.variables)}
    write_checkpoint(out / STATE, replace(header, kind=STATE_KIND), arrays)


def restore_state(out: Path, header: CheckpointHeader, model: Any, optimizer: Any) -> tuple[int, History]:
    """Put a saved state back.

    Returns:
        Epochs that are done, and the curve up to there.

    Raises:
        CheckpointError: when there is no state, or one of other hyper-parameters or patients; shows the differences.
    """
    if not (out / STATE).is_file():
        advice = "take its files away" if holds_run(out) else "leave out --resume"
        raise CheckpointError(f"{out} holds no training run to go on with; give its folder, or {advice}")
    checkpoint = read_checkpoint(out / STATE)
    _same_run(out, checkpoint.header, header)
    model.set_weights([checkpoint.arrays[f"model/{name}"] for name in weight_names(model)])
    for index, variable in enumerate(optimizer.variables):
        variable.assign(checkpoint.arrays[f"optimizer/{index}"])
    done = checkpoint.header.epoch
    return done, History(epochs=tuple(record for record in read_history(out).epochs if record.epoch <= done))


def finished_run(out: Path, header: CheckpointHeader) -> tuple[CheckpointHeader, History] | None:
    """Return the header and the curve of a training that was saved whole after its last epoch, None for any other.

    The state may be missing: a finished run needs none.

    Raises:
        CheckpointError: when it has other hyper-parameters or patients, or no training alone made its weights.
    """
    stored = complete_run(out)
    if stored is None:
        return None
    if stored.recipe is not None or stored.parts:
        raise CheckpointError(
            f"{out} holds compressed or averaged weights, which no training goes on with; choose another --out"
        )
    _same_run(out, stored, header)
    return stored, read_history(out)


def complete_run(out: Path) -> CheckpointHeader | None:
    """Return the header of the weights of a run that was saved whole after its last epoch, None for any other.

    Weights are written first and the state last, so a state that is there has to be that of the last epoch too.
    """
    if not (out / WEIGHTS).is_file():
        return None
    stored = read_checkpoint(out / WEIGHTS).header
    last = stored.train.epochs
    if stored.epoch < last or ((out / STATE).is_file() and read_checkpoint(out / STATE).header.epoch < last):
        return None
    return stored


def _same_run(out: Path, stored: CheckpointHeader, asked: CheckpointHeader) -> None:
    if differences := _differences(stored, asked):
        raise CheckpointError(
            f"{out} was trained otherwise: {'; '.join(differences)}; "
            "resume with the same options, or choose another --out"
        )


def read_history(out: Path) -> History:
    """Read the learning curve of a run; that of a network with a name stands in its card.

    Raises:
        CheckpointError: when it is missing or damaged.
    """
    file = out / CARD_FILE if stands(out / CARD_FILE) and not stands(out / HISTORY) else out / HISTORY
    try:
        plain = parse_json(read_document(file))
        if file.name == CARD_FILE:
            if not isinstance(plain, dict) or "history" not in plain:
                raise JsonFormatError("a card is an object with the key 'history'")
            plain = {"epochs": plain["history"]}
        return from_plain(History, plain)
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read ({error.strerror}); start again in another --out") from error
    except JsonFormatError as error:
        raise CheckpointError(f"{file} is damaged ({error}); start again in another --out") from error


def holds_run(out: Path) -> bool:
    """Whether a training, a compression or an average left something in `out`."""
    return any((out / name).exists() for name in (STATE, WEIGHTS))


def refuse_overwrite(out: Path) -> None:
    """Refuse to train over an earlier run.

    Raises:
        OutputError: when `out` holds a state or weights, or folds.
    """
    if holds_run(out):
        raise OutputError(f"{out} already holds a run; go on with --resume, or choose another --out")
    refuse_folds(out)


def refuse_folds(out: Path) -> None:
    """Refuse to put one run beside the folds of a training: nothing takes a folder that holds both.

    Raises:
        OutputError: when `out` holds folds.
    """
    if any(holds_run(fold) for fold in fold_folders(out)):
        raise OutputError(
            f"{out} holds the folds of a training, and one run would lie among them; choose another --out"
        )


def _differences(stored: CheckpointHeader, asked: CheckpointHeader) -> list[str]:
    plain = ("data_hash", "train_patients", "validation_patients", "backend")
    found = [f"{name} differs" for name in plain if getattr(stored, name) != getattr(asked, name)]
    for spec_field in fields(stored.train):
        old, new = getattr(stored.train, spec_field.name), getattr(asked.train, spec_field.name)
        if old != new:
            found.append(f"{spec_field.name} was {_show(old)} and is now {_show(new)}")
    return found


def _show(value: Any) -> str:
    return getattr(value, "slug", None) or repr(value)


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


def fold_folders(path: Path) -> tuple[Path, ...]:
    """Return the folders `fold0`, `fold1` ... in `path`, in the order of their numbers; none where it has none."""
    found = (child for child in path.glob("fold*") if child.is_dir() and _FOLD.fullmatch(child.name))
    return tuple(sorted(found, key=lambda child: int(child.name.removeprefix("fold"))))


def of_fold(path: Path, fold: str | None = None) -> Path:
    """Return the run of a fold, the first one unless named, in a folder that holds it, and any other path as it is."""
    if fold is None:
        return next(iter(fold_folders(path)), path)
    return path / fold if (path / fold).is_dir() else path
