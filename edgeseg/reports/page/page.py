"""Put the page together: tables and plots of a build into one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeseg import __version__
from edgeseg.errors import MissingExtraError
from edgeseg.reports.build import TRIED_HEAD, tried_rows
from edgeseg.reports.page import dots, pareto, tried, waterfall
from edgeseg.reports.page.overlays import FALSE_ALARM, HIT, MISSED, Overlay
from edgeseg.reports.subgroups import WORST_HEAD, worst_rows
from edgeseg.reports.summary import summarise
from edgeseg.reports.words import ABSENT, interval_text, latency_text, size_text, times_text
from edgeseg.results import BuildResult, LatencyResult, SizeLedger
from edgeseg.specs import INTENDED_USE

TEMPLATE = "page.html.j2"
_SIZE, _LATENCY = "size of the file, MB", "latency of one slice, p50, ms"


def page(
    build: BuildResult,
    *,
    ledgers: Sequence[SizeLedger] = (),
    overlays: Sequence[Overlay] = (),
    max_drop: float | None = None,
) -> str:
    """Return the page of a build.

    Args:
        build: as `build.json` holds it.
        ledgers: of some of its artifacts.
        overlays: pictures to show.
        max_drop: the accuracy budget, that of the build's own searches if not given; draws the line under which an
            artifact loses too much.

    Raises:
        MissingExtraError: when Jinja2 or matplotlib is absent.
    """
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError as error:
        raise MissingExtraError("jinja2", "build", "the HTML report") from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "size": size_text,
        "times": times_text,
        "latency": latency_text,
        "interval": interval_text,
        "delta": lambda interval: interval_text(interval, signed=True),
        "svg": Markup,
        "rgb": lambda colour: f"rgb{colour}",
    }
    return environment.get_template(TEMPLATE).render(_content(build, ledgers, overlays, max_drop))


def _content(
    build: BuildResult, ledgers: Sequence[SizeLedger], overlays: Sequence[Overlay], max_drop: float | None
) -> dict[str, Any]:
    report, main = summarise(build), build.main
    return {
        "absent": ABSENT,
        "build": build,
        "report": report,
        "main": main,
        "planes": _planes(build, max_drop),
        "searches": _searches(build),
        "tried_head": TRIED_HEAD,
        "waterfalls": [(ledger, waterfall.plot(ledger.steps, salt=f"w{n}")) for n, ledger in enumerate(ledgers)],
        "dots": _dots(build),
        "institutions": _institutions(build),
        "worst": {"head": WORST_HEAD, "rows": worst_rows(build.artifacts)},
        "overlays": overlays,
        "colours": (("both", HIT), ("missed", MISSED), ("false alarm", FALSE_ALARM)),
        "intended_use": INTENDED_USE,
        "version": __version__,
    }


def _planes(build: BuildResult, max_drop: float | None) -> list[tuple[str, str]]:
    """The plots of cost against Dice that have at least one point."""
    references = (build.reference(row.label) for row in build.artifacts)
    reference = next((row.evaluation for row in references if row is not None), None)
    if max_drop is None and build.budgets:
        max_drop = build.budgets[0].max_drop
    budget = None if max_drop is None or reference is None else reference.dice.mean - max_drop
    sizes = pareto.points(build.artifacts, lambda row: _megabytes(row.size_bytes))
    times = pareto.points(build.artifacts, lambda row: _milliseconds(row.latency))
    if reference is not None:
        sizes += pareto.tried_points(build.budgets, reference, lambda point: _megabytes(point.size_bytes))
        times += pareto.tried_points(build.budgets, reference, lambda point: _milliseconds(point.latency))
    planes = (("size", sizes, _SIZE), ("latency", times, _LATENCY))
    return [(name, pareto.plot(found, cost=label, budget=budget, salt=name)) for name, found, label in planes if found]


def _searches(build: BuildResult) -> list[dict[str, Any]]:
    """What each search within a budget tried: its plots, its lines, and what came of it."""
    found = []
    for number, searched in enumerate(build.budgets):
        plots = (
            tried.plot(searched, lambda point: _megabytes(point.size_bytes), label=_SIZE, salt=f"ts{number}"),
            tried.plot(searched, lambda point: _milliseconds(point.latency), label=_LATENCY, salt=f"tl{number}"),
        )
        found.append(
            {
                "target": searched.target,
                "plots": [plot for plot in plots if plot is not None],
                "rows": tried_rows(searched),
                "sentence": f"{searched.describe()}.",
            }
        )
    return found


def _megabytes(size_bytes: int) -> float | None:
    return size_bytes / 1e6 if size_bytes > 0 else None


def _milliseconds(latency: LatencyResult | None) -> float | None:
    return None if latency is None else latency.latency_ms_p50


def _dots(build: BuildResult) -> list[tuple[str, str]]:
    """One dot plot for each int8 artifact of a variant whose float network was scored too."""
    references = (build.reference(row.label) for row in build.artifacts)
    floats = {r.label: r.evaluation for r in references if r is not None and r.evaluation is not None}
    return [
        (f"{row.label} {row.target}", dots.plot(floats[row.label], row.evaluation, salt=f"d{number}"))
        for number, row in enumerate(build.artifacts)
        if row.evaluation is not None and row.label in floats and row.target.endswith("int8")
    ]


def _institutions(build: BuildResult) -> dict[str, Any]:
    """The artifacts that were scored, and per institution its name, n, and the Dice of each, None where it has none."""
    scored = [(f"{r.label} {r.target}", r.evaluation) for r in build.artifacts if r.evaluation is not None]
    means = [{s.institution or ABSENT: s for s in evaluation.institutions} for _, evaluation in scored]
    names = sorted({name for scores in means for name in scores})
    patients = {name: max(scores[name].patients for scores in means if name in scores) for name in names}
    rows = [
        (name, patients[name], [scores[name].dice_mean if name in scores else None for scores in means])
        for name in names
    ]
    return {"artifacts": [name for name, _ in scored], "rows": rows}
