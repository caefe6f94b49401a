"""What int8 takes its ranges from: slices, ranges, and how much either matters."""

from __future__ import annotations

from edgeseg.stages.calibrate.learned import RANGES_FILE, learned_ranges, ranges_beside
from edgeseg.stages.calibrate.lot import calibration_patients
from edgeseg.stages.calibrate.ranges import (
    CALIBRATION,
    RecordedRanges,
    choose_and_record,
    ranges_are_stale,
    ranges_name,
    ranges_or_measured,
    record_ranges,
    shipped_ranges,
    write_recorded,
)
from edgeseg.stages.calibrate.sensitivity import PATIENTS, check_target, ranking_patients, sensitivity
from edgeseg.stages.calibrate.slices import BUILD_SLICES, choose_slices, phantom_calibration_data, shipped_phantom_set
from edgeseg.stages.calibrate.study import study

__all__ = [
    "BUILD_SLICES",
    "CALIBRATION",
    "PATIENTS",
    "RANGES_FILE",
    "RecordedRanges",
    "calibration_patients",
    "check_target",
    "choose_and_record",
    "choose_slices",
    "learned_ranges",
    "phantom_calibration_data",
    "ranges_are_stale",
    "ranges_beside",
    "ranges_name",
    "ranges_or_measured",
    "ranking_patients",
    "record_ranges",
    "sensitivity",
    "shipped_phantom_set",
    "shipped_ranges",
    "study",
    "write_recorded",
]
