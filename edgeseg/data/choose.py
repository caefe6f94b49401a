"""Choose the channels of a scan among series: those that the user asked for, then by evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edgeseg.data.candidate import Candidate
from edgeseg.data.recognise import Verdict, differ_by_contrast, is_known
from edgeseg.errors import DatasetError, OptionError
from edgeseg.results import UnusedFiles
from edgeseg.specs import ChannelSet

_ASKED = "named by the user"
_NUMBERED = re.compile(r"_(\d{4})$")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """One sequence's series, and why it is that one."""

    candidate: Candidate
    why: tuple[str, ...]


def choose_series(
    candidates: Iterable[Candidate], source: str, asked: Mapping[str, str], channels: ChannelSet
) -> tuple[dict[str, Chosen], tuple[UnusedFiles, ...]]:
    """Choose among the series of one patient; the second value are those that were not chosen, and why.

    Of those that fit a sequence the one with most evidence is taken, and among equals an axial one.

    Args:
        candidates: the series.
        source: for messages.
        asked: by the channel's name a series' number, UID or description, which goes before all evidence.
        channels: what is chosen for.

    Raises:
        DatasetError: when two fit one channel equally, or none fits one that is needed.
        OptionError: when what was asked for fits none or several, or one series is asked for twice.
    """
    series = tuple(candidates)
    chosen = {
        channel: Chosen(candidate=find(series, channel, text, source), why=(_ASKED,)) for channel, text in asked.items()
    }
    taken = [one.candidate for one in chosen.values()]
    if len({id(one) for one in taken}) < len(taken):
        raise OptionError(f"{source}: one series was asked for twice; choose another for one of the sequences")
    verdicts = {id(one): one.judged(channels.names) for one in series}
    if not asked and not any(verdict.channel for verdict in verdicts.values()):
        chosen |= _by_number(series, channels)
        taken = [one.candidate for one in chosen.values()]
    for channel in channels.names:
        fitting = [one for one in series if verdicts[id(one)].channel == channel and one not in taken]
        if channel in chosen or not fitting:
            continue
        best = max(_rank(one, verdicts[id(one)]) for one in fitting)
        equal = [one for one in fitting if _rank(one, verdicts[id(one)]) == best]
        if len(equal) > 1:
            raise DatasetError(
                f"{source}: {len(equal)} fit '{channel}': {_listed(equal)}; name them with {channels.options}, "
                f"or choose one with --{channel}-series"
            )
        chosen[channel] = Chosen(candidate=equal[0], why=verdicts[id(equal[0])].why)
    if not channels.complete(chosen):
        needed = [channels.reference, *(channels.names if channels.stand_in is None else (channels.stand_in,))]
        missing = next(name for name in needed if name not in chosen)
        told = ", ".join(f"'{one.name}' ({'; '.join(verdicts[id(one)].why)})" for one in series)
        raise DatasetError(
            f"{source}: none of {told or 'nothing'} is '{missing}' by its name, and '{missing}' is needed; name them "
            f"with {channels.options}, or choose one with --{missing}-series"
        )
    used = [one.candidate for one in chosen.values()]
    rest = tuple(_passed_over(one, verdicts[id(one)], chosen) for one in series if one not in used)
    return {channel: chosen[channel] for channel in channels.names if channel in chosen}, rest


def _by_number(series: tuple[Candidate, ...], channels: ChannelSet) -> dict[str, Chosen]:
    """Choose by the numbers that nnU-Net ends names with, where all have one: `case_0000`, `case_0001`."""
    numbers = [_NUMBERED.search(one.description) for one in series]
    places = [int(found[1]) for found in numbers if found is not None]
    if len(places) < len(series) or len(set(places)) < len(places) or max(places, default=0) >= len(channels.names):
        return {}
    return {
        channels.names[place]: Chosen(candidate=one, why=(f"number {place:04d} in its name",))
        for place, one in sorted(zip(places, series, strict=True), key=lambda pair: pair[0])
    }


def find(candidates: Iterable[Candidate], channel: str, text: str, source: str) -> Candidate:
    """Find the one series that a number, a UID or a description stands for.

    Raises:
        OptionError: when there is none, or more than one.
    """
    series, wanted = tuple(candidates), " ".join(text.split()).casefold()
    tests = (
        lambda one: one.uid == wanted,
        lambda one: str(one.facts.number) == wanted,
        lambda one: one.description.casefold() == wanted,
        lambda one: bool(wanted) and wanted in one.description.casefold(),
    )
    fitting: list[Candidate] = []
    for test in tests:
        fitting = [one for one in series if test(one)]
        if fitting:
            break
    if len(fitting) == 1:
        return fitting[0]
    many = f"{len(fitting)} series fit it: {_listed(fitting)}" if fitting else f"there are: {_listed(series)}"
    raise OptionError(
        f"{source}: --{channel}-series names no one series, since {many}; give a series' number, UID or "
        "description that only one has"
    )


def doubt(candidate: Candidate, channel: str, channels: tuple[str, ...]) -> tuple[str, ...]:
    """Say where a series that the user named looks like another one than it was named for."""
    verdict = candidate.judged(channels)
    if not is_known(channel):
        return ()
    told = ", ".join(verdict.why)
    if verdict.channel is None:
        known = not told.startswith("nothing says")
        return (f"'{channel}' is given '{candidate.name}', which looks like no {channel} ({told})",) if known else ()
    unsure = differ_by_contrast(verdict.channel, channel) and "nothing says contrast agent" in verdict.why
    if verdict.channel == channel or unsure:
        return ()
    return (f"'{channel}' is given '{candidate.name}', which looks like {verdict.channel} ({told})",)


def _rank(one: Candidate, verdict: Verdict) -> tuple[int, bool]:
    return verdict.score, one.axial


def _passed_over(one: Candidate, verdict: Verdict, chosen: Mapping[str, Chosen]) -> UnusedFiles:
    why = ", ".join(verdict.why)
    if verdict.channel is not None:
        why = f"{verdict.channel} by {why}; '{chosen[verdict.channel].candidate.name}' goes before it"
    return UnusedFiles(name=one.name, files=len(one.files), why=why)


def _listed(series: Iterable[Candidate]) -> str:
    return ", ".join(f"'{one.name}'" for one in series)
