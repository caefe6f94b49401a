"""Messages dealt to processes: in order, a bounded number ahead, and none lost with its process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from edgeseg.stages.segment.dealt.worker import ENTRY
from edgeseg.workers.apart.deal import answers


def test_messages_are_taken_as_there_is_work_to_hand_out() -> None:
    taken: list[int] = []

    def messages() -> Iterator[dict[str, Any]]:
        for number in range(100):
            taken.append(number)
            yield {"op": "none", "number": number}

    with contextlib.closing(answers(ENTRY, messages(), workers=1)) as given:
        first = next(given)
        assert first is not None
        assert "error" in first
        assert len(taken) == 4
        next(given)
        assert len(taken) == 5
