"""Which sequence a series is: words and header attributes, weighed; the tables are data, the rules are few."""

from __future__ import annotations

from edgeseg.data.recognise.facts import SeriesFacts
from edgeseg.data.recognise.rules import Verdict, judge
from edgeseg.data.recognise.words import words_of

__all__ = ["SeriesFacts", "Verdict", "judge", "words_of"]
