"""Every error edgeseg raises on purpose.

    EdgeSegError                 exit code 2: bad input or usage
    |-- UnknownNameError         a variant, target, backend ... that does not exist
    |-- OptionError              an option out of its range, or options that contradict each other
    |-- MissingExtraError        an optional dependency is not installed
    |-- DataError
    |   |-- DatasetError         a folder that is missing, empty, or of no known layout
    |   |-- ImageError           one file that cannot be used as a slice
    |   |-- MaskError            one file that cannot be used as a mask
    |   |-- LimitError           files that take more memory or time to read than they may
    |   |-- SplitError           a split that leaks or leaves a side empty
    |   `-- SeenPatientError     evaluation on a patient that training or calibration saw
    |-- ModelError
    |   |-- CheckpointError      weights that are damaged, or belong to another network
    |   |-- ArtifactError        a converted model that is damaged or cannot be run
    |   |   `-- OperationError   an operation of a graph that edgeseg has no Keras layer for
    |   |-- ContractError        an artifact without a contract, or with one that cannot be honoured
    |   `-- TrainingError        training that cannot go on (NaN loss ...)
    |-- OutputError              the disk is full, read-only, or the place is taken
    |   `-- ScratchError         likewise of the folder for temporary files
    `-- CheckFailedError         exit code 1: everything ran, and a check said no

A message says what was given, what the rule is, and what to do about it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_OBJECT = re.compile(r"<[\w.]+ (?:object at|name=)[^<>]*>")


def one_line(error: Exception) -> str:
    """Return what a library's error says on one line of at most 200 characters, or its type where it says nothing.

    Python's own names of objects, such as `<_io.BufferedReader name=4>`, are left out.
    """
    return " ".join(_OBJECT.sub("", str(error)).split())[:200] or type(error).__name__


class EdgeSegError(Exception):
    """Base of all deliberate errors; `exit_code` is what the command line returns."""

    exit_code = 2


class UnknownNameError(EdgeSegError):
    """A name that is not in its table."""

    def __init__(self, kind: str, given: str, choices: Iterable[str]) -> None:
        """Say what was given, what there is, and the nearest match when one is near."""
        known = sorted(choices)
        near = difflib.get_close_matches(given, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        super().__init__(f"unknown {kind} '{given}'; choose one of: {', '.join(known)}.{hint}")


class OptionError(EdgeSegError):
    """An option whose value breaks its rule, or options that contradict each other."""


class MissingExtraError(EdgeSegError):
    """An optional dependency is needed and absent."""

    def __init__(self, module: str, extra: str, purpose: str) -> None:
        """Name the module, what it is for, and the extra that brings it."""
        super().__init__(f"{purpose} needs '{module}', which is not installed; run: pip install 'edgeseg[{extra}]'")


class DataError(EdgeSegError):
    """Something is wrong with the data that was given."""


class DatasetError(DataError):
    """A folder that is missing, empty, or of no known layout."""


class ImageError(DataError):
    """A file that cannot be used as a slice."""


class MaskError(DataError):
    """A file that cannot be used as a mask."""


class LimitError(DataError):
    """Files that take more memory, time or room to read than they may."""


class SplitError(DataError):
    """A split that leaks, or leaves one side empty."""


class SeenPatientError(DataError):
    """Evaluation was asked for on patients that training or calibration saw."""


class ModelError(EdgeSegError):
    """Something is wrong with a network, its weights or its file."""


class CheckpointError(ModelError):
    """Weights that are damaged or belong to another network."""


class ArtifactError(ModelError):
    """A converted model that is damaged or cannot be run."""


class OperationError(ArtifactError):
    """A graph holds an operation that edgeseg has no Keras layer for."""


class ContractError(ModelError):
    """An artifact without a contract, or with one that cannot be honoured."""


class TrainingError(ModelError):
    """Training cannot go on."""


class OutputError(EdgeSegError):
    """The disk is full, read-only, or the place is taken."""


class ScratchError(OutputError):
    """The folder for temporary files cannot be written, or its disk is full."""


class CheckFailedError(EdgeSegError):
    """Everything ran, and a check said no."""

    exit_code = 1
