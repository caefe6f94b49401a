"""Choose pre, FLAIR and post among series: those that the user asked for, then by evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edgeseg.data.candidate import Candidate
from edgeseg.data.recognise import Verdict
from edgeseg.errors import DatasetError, OptionError
from edgeseg.results import UnusedFiles
from edgeseg.specs import CHANNELS

_ASKED = "named by the user"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """One sequence's series, and why it is that one."""

    candidate: Candidate
    why: tuple[str, ...]


def choose_series(
    candidates: Iterable[Candidate], source: str, asked: Mapping[str, str]
) -> tuple[dict[str, Chosen], tuple[UnusedFiles, ...]]:
    """Choose among the series of one patient; the second value are those that were not chosen, and why.

    Of those that fit a sequence the one with most evidence is taken, and among equals an axial one.

    Args:
        candidates: the series.
        source: for messages.
        asked: by the sequence's name a series' number, UID or description, which goes before all evidence.

    Raises:
        DatasetError: when two fit one sequence equally, or none fits FLAIR.
        OptionError: when what was asked for fits none or several, or one series is asked for twice.
    """
    series = tuple(candidates)
    chosen = {
        channel: Chosen(candidate=find(series, channel, text, source), why=(_ASKED,)) for channel, text in asked.items()
    }
    taken = [one.candidate for one in chosen.values()]
    if len({id(one) for one in taken}) < len(taken):
        raise OptionError(f"{source}: one series was asked for twice; choose another for one of the sequences")
    verdicts = {id(one): one.judged() for one in series}
    for channel in CHANNELS:
        fitting = [one for one in series if verdicts[id(one)].channel == channel and one not in taken]
        if channel in chosen or not fitting:
            continue
        best = max(_rank(one, verdicts[id(one)]) for one in fitting)
        equal = [one for one in fitting if _rank(one, verdicts[id(one)]) == best]
        if len(equal) > 1:
            raise DatasetError(
                f"{source}: {len(equal)} fit '{channel}': {_listed(equal)}; name them with --pre, --flair and --post, "
                f"or choose one with --{channel}-series"
            )
        chosen[channel] = Chosen(candidate=equal[0], why=verdicts[id(equal[0])].why)
    if "flair" not in chosen:
        told = ", ".join(f"'{one.name}' ({'; '.join(verdicts[id(one)].why)})" for one in series)
        raise DatasetError(
            f"{source}: none of {told or 'nothing'} is FLAIR by its name, and FLAIR is needed; name them "
            "with --pre, --flair and --post, or choose one with --flair-series"
        )
    used = [one.candidate for one in chosen.values()]
    rest = tuple(_passed_over(one, verdicts[id(one)], chosen) for one in series if one not in used)
    return {channel: chosen[channel] for channel in CHANNELS if channel in chosen}, rest


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


def doubt(candidate: Candidate, channel: str) -> tuple[str, ...]:
    """Say where a series that the user named looks like another one than it was named for."""
    verdict = candidate.judged()
    told = ", ".join(verdict.why)
    if verdict.channel is None:
        known = not told.startswith("nothing says")
        return (f"'{channel}' is given '{candidate.name}', which looks like no {channel} ({told})",) if known else ()
    unsure = {verdict.channel, channel} == {"pre", "post"} and "nothing says contrast agent" in verdict.why
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
