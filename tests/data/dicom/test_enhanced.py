"""Times, pulses and contrast agent of enhanced MR count as those of plain headers do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from edgeseg.data.dicom.listing import list_series
from edgeseg.data.recognise import judge
from tests.stages.segment._heads import in_two_files, series


def item(**values: Any) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def enhanced(
    tmp_path: Path, *, echo: float, repetition: float, inversion: list[float] | None, shared: bool, b: float = 0.0
) -> Path:
    folder = series(tmp_path / "s", "Brain 5")
    in_two_files(folder)
    for path in folder.iterdir():
        one = pydicom.dcmread(path)
        whose = one.SharedFunctionalGroupsSequence if shared else one.PerFrameFunctionalGroupsSequence
        for group in whose:
            group.MREchoSequence = [item(EffectiveEchoTime=echo)]
            group.MRTimingAndRelatedParametersSequence = [item(RepetitionTime=repetition)]
            modifier = item(InversionRecovery="YES" if inversion else "NO")
            if inversion:
                modifier.InversionTimes = inversion
            group.MRModifierSequence = [modifier]
        if b:
            whose[-1].MRDiffusionSequence = [item(DiffusionBValue=b)]
        one.EchoPulseSequence = "SPIN"
        one.save_as(path)
    return folder


def judged(folder: Path) -> tuple[str | None, str]:
    (one,), _ = list_series(sorted(folder.iterdir()), "x")
    verdict = judge(one.facts())
    return verdict.channel, "; ".join(verdict.why)


@pytest.mark.parametrize("shared", [True, False])
def test_flair_is_known_by_its_times_alone(tmp_path: Path, shared: bool) -> None:
    found = judged(enhanced(tmp_path, echo=120.0, repetition=9000.0, inversion=[2500.0, 0.0], shared=shared))
    assert found == ("flair", "inversion time 2500 ms")


@pytest.mark.parametrize("shared", [True, False])
def test_t1_and_t2_are_told_by_their_times(tmp_path: Path, shared: bool) -> None:
    found = judged(enhanced(tmp_path / "t1", echo=9.0, repetition=500.0, inversion=None, shared=shared))
    assert found == ("pre", "repetition time 500 ms and echo time 9 ms; nothing says contrast agent")
    found = judged(enhanced(tmp_path / "t2", echo=100.0, repetition=4000.0, inversion=None, shared=shared))
    assert found == ("t2", "echo time 100 ms")


def test_any_weighted_frame_makes_it_diffusion(tmp_path: Path) -> None:
    folder = enhanced(tmp_path, echo=120.0, repetition=9000.0, inversion=[2500.0], shared=False, b=1000.0)
    assert judged(folder) == (None, "diffusion, by its b value of 1000")


@pytest.mark.parametrize(("given", "channel"), [("YES", "post"), ("NO", "pre"), (None, "post")])
def test_a_contrast_agent_in_the_groups_counts(tmp_path: Path, given: str | None, channel: str) -> None:
    folder = enhanced(tmp_path, echo=9.0, repetition=500.0, inversion=None, shared=True)
    for path in folder.iterdir():
        one = pydicom.dcmread(path)
        one.ContrastBolusAgentSequence = [item(CodeMeaning="Gadolinium")]
        if given is not None:
            use = item(ContrastBolusAgentNumber=1, ContrastBolusAgentAdministered=given)
            one.SharedFunctionalGroupsSequence[0].ContrastBolusUsageSequence = [use]
        one.save_as(path)
    assert judged(folder)[0] == channel
