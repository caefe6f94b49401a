"""`edgeseg check`: whether a build is still as good as a committed baseline."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._options import BootstrapSeed, json_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.results import CheckResult
    from edgeseg.stages.check import CheckedArtifact, Subgroups, TrustRules


def check(
    builds: Annotated[
        list[Path],
        typer.Argument(metavar="BUILD...", help="Folders that 'edgeseg build --out' wrote, or artifacts in one."),
    ],
    baseline: Annotated[Path, typer.Option(metavar="FILE", help="The committed JSON to hold them against.")],
    max_dice_drop: Annotated[
        float, typer.Option(help="How much Dice the mean over the same patients may lose.")
    ] = 0.005,
    max_size_growth: Annotated[float, typer.Option(help="By what share a file may grow.")] = 0.02,
    max_latency_ratio: Annotated[
        float | None,
        typer.Option(
            help="How many times its baseline the latency relative to the reference may be; unchecked if not given."
        ),
    ] = None,
    max_subgroup_drop: Annotated[
        float | None,
        typer.Option(help="How much Dice the mean over any subgroup of patients may lose; unchecked if not given."),
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="With --max-subgroup-drop: site, or a column of --subgroups.")
    ] = None,
    subgroups: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --by: a CSV with patient and that column.")
    ] = None,
    min_subgroup: Annotated[
        int | None, typer.Option(help="With --max-subgroup-drop: patients that a subgroup needs to be held; 5.")
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A trust.json, or its folder, for weights of a build; of a network by name it is found. Repeatable.",
        ),
    ] = None,
    require_trust: Annotated[
        bool, typer.Option("--require-trust", help="Fail a network without trust.json, or with a figure missing in it.")
    ] = False,
    trust_limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Another limit of a rule on trust, as min-auroc=0.85. Repeatable."),
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Make the build the baseline; needs --reason.")] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="With --update: why, kept in the file.")] = None,
    latency_reference: Annotated[
        str | None,
        typer.Option(metavar="TARGET", help="With --update: what latencies are divided by; onnx-fp32 or keras-fp32."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write JUnit XML.")] = None,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also append Markdown, as to $GITHUB_STEP_SUMMARY.")
    ] = None,
    seed: BootstrapSeed = 0,
    as_json: Annotated[bool, json_option("Print JSON instead of a table.")] = False,
) -> None:
    """Hold every artifact of a build against a committed baseline; exit code 1 when a rule does not hold.

    Rules: the build's own status, the file is the one that was measured, contract, size, Dice per patient, and with
    --max-latency-ratio latency over that of a reference artifact of the same build, with --max-subgroup-drop Dice of
    the worst subgroup. What trust.json promises of masks and inputs is held too. See docs/reference/check.md.
    """
    from edgeseg.errors import CheckFailedError, OptionError
    from edgeseg.place import require_record, require_start
    from edgeseg.specs import check_seed
    from edgeseg.stages.check import MIN_SUBGROUP, CheckLimits, read_artifacts, read_baseline
    from edgeseg.stages.check import check as run

    parting = _parting(max_subgroup_drop, by=by, subgroups=subgroups, min_subgroup=min_subgroup)
    limits = CheckLimits(
        max_dice_drop=max_dice_drop,
        max_size_growth=max_size_growth,
        max_latency_ratio=max_latency_ratio,
        max_subgroup_drop=max_subgroup_drop,
        min_subgroup=MIN_SUBGROUP if min_subgroup is None else min_subgroup,
    )
    if not update and (reason is not None or latency_reference is not None):
        raise OptionError("--reason and --latency-reference belong to --update; give that too, or leave them out")
    check_seed(seed)
    promised = _trust(trust or [], trust_limit or [], required=require_trust)
    if update:
        if junit is not None or summary is not None:
            raise OptionError("--update checks nothing, so there is nothing for --junit and --summary; leave them out")
        require_record(baseline, what="a baseline", keys=frozenset({"artifacts", "latency_reference"}))
        found, only = read_artifacts(builds)
        _update(
            found, only, baseline, reason=reason or "", reference=latency_reference, trust=promised, as_json=as_json
        )
        return
    if junit is not None:
        require_start(junit, what="JUnit XML", start="<")
    if summary is not None:
        require_start(summary, what="Markdown", never="{")
    known = read_baseline(baseline)
    found, only = read_artifacts(builds)
    result = run(found, known, baseline, limits, seed=seed, only=only, subgroups=parting, trust=promised)
    _write(result, junit=junit, summary=summary, as_json=as_json)
    if not result.passed:
        failed = [f"{case.artifact} {case.rule}" for case in result.cases if not case.passed]
        raise CheckFailedError(f"the build is not what {baseline} says: {', '.join(failed)}")


def _trust(places: list[Path], limits: list[str], *, required: bool) -> TrustRules:
    from edgeseg.errors import OptionError
    from edgeseg.stages.check import LIMITS, TrustLimits, TrustRules
    from edgeseg.stages.trust import read_trust

    asked: dict[str, float] = {}
    for given in limits:
        name, _, value = given.partition("=")
        field = name.strip().replace("-", "_")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if field not in LIMITS or not math.isfinite(number):
            known = ", ".join(limit.replace("_", "-") for limit in LIMITS)
            raise OptionError(f"--trust-limit '{given}' is no limit with its number; give NAME=VALUE, NAME of: {known}")
        asked[field] = number
    return TrustRules(records=tuple(map(read_trust, places)), required=required, limits=TrustLimits(**asked))


def _parting(
    max_drop: float | None, *, by: str | None, subgroups: Path | None, min_subgroup: int | None
) -> Subgroups | None:
    from edgeseg.errors import OptionError
    from edgeseg.stages.check import Subgroups

    if max_drop is not None:
        return Subgroups(table=subgroups) if by is None else Subgroups(by, subgroups)
    for option, value in (("--by", by), ("--subgroups", subgroups), ("--min-subgroup", min_subgroup)):
        if value is not None:
            raise OptionError(
                f"{option} {value} belongs to the rule on subgroups, which was not asked for; give --max-subgroup-drop "
                "too, or leave it out"
            )
    return None


def _write(result: CheckResult, *, junit: Path | None, summary: Path | None, as_json: bool) -> None:
    from edgeseg import artifacts
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.reports.check import check_markdown, check_table, junit_xml

    if junit is not None:
        artifacts.write_bytes(junit, junit_xml(result))
    if summary is not None:
        artifacts.append_text(summary, check_markdown(result))
    if as_json:
        typer.echo(to_json(result))
    else:
        show(check_table(result))


def _update(
    found: Mapping[str, CheckedArtifact],
    only: frozenset[str] | None,
    place: Path,
    *,
    reason: str,
    reference: str | None,
    trust: TrustRules,
    as_json: bool,
) -> None:
    from edgeseg import artifacts
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.stages.check import make_baseline, refuse_newer

    if only is not None:
        raise OptionError("--update takes whole builds, so that every artifact is guarded; give the build folder")
    refuse_newer(place)
    made = make_baseline(found, reason=reason, reference=reference, trust=trust)
    artifacts.write_text(place, to_json(made) + "\n")
    if as_json:
        typer.echo(to_json(made))
        return
    for item in made.artifacts:
        mean = sum(item.dice.values()) / len(item.dice)
        typer.echo(f"{item.artifact}: {item.size_bytes:,} bytes, Dice {mean:.4f} over {len(item.dice)} patients")
    typer.echo(f"written: {place}")
