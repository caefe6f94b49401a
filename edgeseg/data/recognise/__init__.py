"""Which sequence a series is: words and header attributes, weighed; the tables are data, the rules are few."""

from __future__ import annotations

from edgeseg.data.recognise.facts import SeriesFacts
from edgeseg.data.recognise.kinds import differ_by_contrast, is_known
from edgeseg.data.recognise.rules import Verdict, judge
from edgeseg.data.recognise.words import names_sequence, words_of

__all__ = ["SeriesFacts", "Verdict", "differ_by_contrast", "is_known", "judge", "names_sequence", "words_of"]
