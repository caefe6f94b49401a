"""What tells that a mask may be wrong: fitted where networks did not train, scored where it was not fitted."""

from __future__ import annotations

from edgeseg.stages.trust.found import (
    TRUST_FILE,
    left_out,
    read_trust,
    trust_beside,
    trust_file,
    trust_for,
    trusted,
    with_trust,
)
from edgeseg.stages.trust.input_fit import fit_look
from edgeseg.stages.trust.input_look import input_check, input_tally, patient_look, picked
from edgeseg.stages.trust.trust import TrustInputs, trust

__all__ = [
    "TRUST_FILE",
    "TrustInputs",
    "fit_look",
    "input_check",
    "input_tally",
    "left_out",
    "patient_look",
    "picked",
    "read_trust",
    "trust",
    "trust_beside",
    "trust_file",
    "trust_for",
    "trusted",
    "with_trust",
]
