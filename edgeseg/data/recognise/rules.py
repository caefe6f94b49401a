"""Weigh what is known of a series: which channel of a scan it may be, how surely, and why.

A word that rules a series out (`NEVER`) does so before anything else. Then the weighting is found, from words first and
from times where words are silent; times that contradict a word win: a `FLAIR` of short echo time is T1-weighted, and so
is a `T1 FLAIR`. Of T1-weighted series, words about contrast agent decide, and where there are none the header.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from edgeseg.data.recognise import table
from edgeseg.data.recognise.facts import SeriesFacts
from edgeseg.data.recognise.kinds import FLAIR, T2, channel_of, is_known
from edgeseg.data.recognise.scripts import has_unread
from edgeseg.data.recognise.words import words_of

_WORD, _HEADER, _AGREES, _EXPLICIT, _DERIVED, _ELSEWHERE = 4, 2, 2, 2, 1, 1
_FLAIR_TI_MS, _FLAIR_TE_MS, _T1_TE_MS = 1400.0, 60.0, 40.0
_T1_TI_MS, _T1_TR_MS, _T1_SE_TE_MS = (250.0, 1400.0), 1000.0, 30.0
_REACH = 3
_TARGETS = ("to", "in", "on", "reg", "registered", "coreg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a series was taken for.

    Attributes:
        channel: one of those asked for, or where none were given `pre`, `flair`, `post` or `t2`; None for none of them.
        score: the higher, the surer; 0 for none.
        why: the evidence, in words of the tables and figures of the header; nothing else of the description.
    """

    channel: str | None
    score: int
    why: tuple[str, ...]


def judge(facts: SeriesFacts, channels: tuple[str, ...] = ()) -> Verdict:
    """Weigh the facts of one series.

    Args:
        facts: what is known of it.
        channels: names of the channels that it may be; without them every kind of series that is known counts.
    """
    words = _without_targets(words_of(facts.description))
    if named := _by_own_name(facts.description, channels):
        return Verdict(channel=named, score=_WORD, why=(f"word '{named}'",))
    if out := _ruled_out(facts, words):
        return Verdict(channel=None, score=0, why=(out,))
    found = _of_kind(facts, words)
    if found.channel is None:
        return found
    channel = channel_of(found.channel, channels)
    if channel is None:
        return Verdict(channel=None, score=0, why=found.why)
    return Verdict(channel=channel, score=found.score, why=found.why)


def _by_own_name(description: str, channels: tuple[str, ...]) -> str | None:
    """Find the one channel of a name that says nothing of MRI which stands in a description as a word."""
    runs = {run.casefold() for run in re.findall(r"[A-Za-z0-9]+", description)}
    found = [channel for channel in channels if not is_known(channel) and channel.casefold() in runs]
    return found[0] if len(found) == 1 else None


def _of_kind(facts: SeriesFacts, words: tuple[str, ...]) -> Verdict:
    weighting, score, why = _weighting(facts, words)
    if "DERIVED" in facts.image_type and score:
        score, why = score - _DERIVED, (*why, "derived")
    if facts.body_part and score:
        score, why = (
            score - _ELSEWHERE,
            (*why, f"although its header names another part of the body, '{facts.body_part}'"),
        )
    if weighting in (FLAIR, T2):
        return Verdict(channel=weighting, score=score, why=why)
    if weighting is None:
        return Verdict(channel=None, score=0, why=why)
    channel, gained, told = _contrast(facts, words)
    return Verdict(channel=channel, score=score + gained if channel else 0, why=(*why, *told))


def _ruled_out(facts: SeriesFacts, words: tuple[str, ...]) -> str | None:
    if facts.modality != "MR":
        return f"modality {facts.modality[:16]}"
    for kind in facts.image_type:
        if said := table.BAD_IMAGE_TYPES.get(kind):
            return f"{said}, by its image type"
    for kind in facts.image_type[2:4]:
        if said := table.COMPONENTS.get(kind.split("_")[0]):
            return f"{said}, by its image type"
    if facts.plane == "mixed":
        return "a localizer, by its planes"
    for said, meant in table.NEVER.items():
        if found := next((word for word in words if word in meant), None):
            return f"{said}, by the word '{found}'"
    if part := _computed_part(words):
        return part
    return f"diffusion, by its b value of {facts.b_value:.0f}" if facts.b_value > 0 else None


def _computed_part(words: tuple[str, ...]) -> str | None:
    """Tell fat and opposed phase of a Dixon series, and the map of MP2RAGE, from what looks as T1-weighted does."""
    saturated = {
        place for place, pair in enumerate(itertools.pairwise(words)) if pair[0] == "fat" and pair[1][:1] == "s"
    }
    parts = [word for place, word in enumerate(words) if word in table.DIXON_OTHERS and place not in saturated]
    if parts and (parts[0] == words[0] == "fat" or any(word in table.DIXON for word in words)):
        return f"a part of a Dixon series, by the word '{parts[0]}'"
    if "mp2rage" in words and {"t1", "images"} <= set(words):
        return "computed from others, by the words 'mp2rage', 't1' and 'images'"
    return None


def _weighting(facts: SeriesFacts, words: tuple[str, ...]) -> tuple[str | None, int, tuple[str, ...]]:
    flair = (
        _first(words, table.FLAIR)
        or _pair(words, ("dark", "fluid"))
        or _pair(words, ("da", "fl"))
        or _pair(words, ("t2", "f"))
    )
    t1, t2 = _first(words, table.T1), _first(words, table.T2)
    by_times, times = _weighting_by_times(facts)
    if flair and by_times == "t1":
        return "t1", _WORD, (f"'{flair}' with {times}, which is T1-weighted",)
    if flair and t1 and not t2 and by_times != "flair":
        return "t1", _WORD, (f"words '{t1}' and '{flair}': T1-weighted",)
    if flair:
        agrees = by_times == "flair"
        return "flair", _WORD + _AGREES * agrees, (f"word '{flair}'", *([times] if agrees else []))
    if by_times == "flair" and not t1:
        return "flair", _HEADER, (times,)
    if t2:
        return _t2(words, t2, by_times, times)
    if t1 and by_times == "t2":
        return None, 0, (f"word '{t1}', but {times}",)
    if t1:
        agrees = by_times == "t1"
        return "t1", _WORD + _AGREES * agrees, (f"word '{t1}'", *([times] if agrees else []))
    if by_times == "t1":
        return "t1", _HEADER, (times,)
    if by_times is None and _contrast_words(words)[0]:
        return "t1", 0, ()
    return (
        (T2, _HEADER, (times,))
        if by_times == T2 and not facts.inversion_ms
        else (None, 0, ("nothing says which sequence it is",))
    )


def _t2(words: tuple[str, ...], word: str, by_times: str | None, times: str) -> tuple[str | None, int, tuple[str, ...]]:
    """Tell a T2-weighted series from its relatives: proton density, STIR, T2*, CISS."""
    if not set(words).isdisjoint(table.T2 - table.T2_ALONE) or by_times not in (None, T2):
        return None, 0, (f"word '{word}'",)
    agrees = by_times == T2
    return T2, _WORD + _AGREES * agrees, (f"word '{word}'", *([times] if agrees else []))


def _weighting_by_times(facts: SeriesFacts) -> tuple[str | None, str]:
    """Find the weighting from echo, inversion and repetition time; None where they do not say."""
    echo, inversion, repetition = facts.echo_ms, facts.inversion_ms, facts.repetition_ms
    if inversion and inversion >= _FLAIR_TI_MS and (echo is None or echo >= _FLAIR_TE_MS):
        return "flair", f"inversion time {inversion:.0f} ms"
    if echo is None or echo <= 0:
        return None, ""
    if echo < _T1_TE_MS and inversion and _T1_TI_MS[0] <= inversion < _T1_TI_MS[1]:
        return "t1", f"inversion time {inversion:.0f} ms and echo time {echo:.0f} ms"
    if echo >= _FLAIR_TE_MS:
        return "t2", f"echo time {echo:.0f} ms"
    if echo <= _T1_SE_TE_MS and not inversion and repetition and repetition <= _T1_TR_MS and "SE" in facts.scanning:
        return "t1", f"repetition time {repetition:.0f} ms and echo time {echo:.0f} ms"
    return None, ""


def _contrast(facts: SeriesFacts, words: tuple[str, ...]) -> tuple[str | None, int, tuple[str, ...]]:
    """Tell pre from post for a T1-weighted series."""
    found, told = _contrast_words(words)
    header = "the header names a contrast agent"
    if found == {"pre", "post"}:
        return None, 0, (f"{told}, which say both before and after contrast agent",)
    if found == {"post"}:
        return "post", _EXPLICIT + _AGREES * facts.contrast, (told, *([header] if facts.contrast else []))
    if found == {"pre"}:
        return "pre", _EXPLICIT, (told, *([f"although {header}"] if facts.contrast else []))
    if facts.contrast:
        return "post", _AGREES, (header,)
    if has_unread(facts.description):
        return None, 0, ("words in letters that are not read, which may say contrast agent",)
    return "pre", 0, ("nothing says contrast agent",)


def _contrast_words(words: tuple[str, ...]) -> tuple[set[str], str]:
    found: set[str] = set()
    told: list[str] = []
    place = 0
    while place < len(words):
        word, after = words[place], words[place + 1 : place + 1 + _REACH]
        reached = next((n for n, other in enumerate(after, 1) if other in table.CONTRAST), 0)
        if any(other in table.BEFORE | table.AFTER | table.WITHOUT_ALONE for other in after[: max(reached - 1, 0)]):
            reached = 0
        if word in table.WITH and any(other in table.WITHOUT_ALONE for other in after[: _REACH - 1]):
            found.add("post")
            told.append(word)
        said = _said(word, words[place - 1] if place else "", reached)
        if said:
            found.add(said)
            told.append(word if not reached or word in table.CONTRAST else f"{word} {words[place + reached]}")
            place += 0 if word in table.CONTRAST else reached
            while said == "pre" and any(other in table.CONTRAST for other in words[place + 1 : place + 1 + _REACH]):
                place += 1
        place += 1
    return found, f"word{'s' if len(told) > 1 else ''} {', '.join(repr(word) for word in told)}"


def _said(word: str, before: str, reached: int) -> str | None:
    """Say what one word means, which may stand before a name for a contrast agent."""
    if word in table.BEFORE or word in table.WITHOUT_ALONE or (word in table.WITHOUT and reached):
        return "pre"
    if reached == 1 and word in table.SHORT:
        return table.SHORT[word]
    if word in table.CONTRAST or word in table.AFTER or (word in table.WITH and reached):
        return "post"
    return {"n": "pre", "c": "post"}.get(word) if before == "t1" else None


def _without_targets(words: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out what a series was registered to: the end of `flair in t1 space`, `flair reg to t1`."""
    weightings = table.FLAIR | table.T1 | table.T2
    for place in range(1, len(words)):
        registered = words[place - 1] in _TARGETS and words[place] in weightings
        if registered and any(word in weightings for word in words[: place - 1]):
            return (*words[: place - 1], *words[place + 1 :])
    return words


def _first(words: tuple[str, ...], wanted: frozenset[str]) -> str | None:
    return next((word for word in words if word in wanted), None)


def _pair(words: tuple[str, ...], wanted: tuple[str, str]) -> str | None:
    return " ".join(wanted) if wanted in itertools.pairwise(words) else None
