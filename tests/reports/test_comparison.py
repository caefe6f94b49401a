"""Two builds drawn side by side."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console

from edgeseg.reports.comparison import comparison_table
from edgeseg.results import BuildResult
from edgeseg.stages.score import compare

MakeBuild = Callable[..., BuildResult]


def test_a_reason_stands_below_the_table_and_a_file_that_is_not_there_is_not_the_same(make_build: MakeBuild) -> None:
    build = make_build()
    gone = replace(
        build.artifacts[-1], sha256="", size_bytes=0, evaluation=None, latency=None, status="not made: it has X"
    )
    build = replace(build, artifacts=(*build.artifacts[:-1], gone))
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(comparison_table(compare(build, build, names=("a", "b"))))
    text = " ".join(console.export_text().split())
    assert f"{gone.target} before: not made: it has X" in text
    assert f"{gone.target} after: not made: it has X" in text
    assert gone.target not in text.partition("the same file in both:")[2]
