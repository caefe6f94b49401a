"""What `edgeseg check` found, for people at a terminal, for a pull request's summary, and for a CI server."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from rich.console import Group, RenderableType
from rich.table import Column
from rich.text import Text

from edgeseg.reports.table import escape, literal, markdown_table_lines, rich_table
from edgeseg.results import CheckResult

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_table(result: CheckResult) -> RenderableType:
    """Draw one line per artifact and rule, for 80 columns, failures in full."""
    parts: list[RenderableType] = []
    for artifact in dict.fromkeys(case.artifact for case in result.cases):
        rows = (
            (f"  {case.rule:<8}", Text("ok", "green") if case.passed else Text("FAIL", "bold red"), case.detail)
            for case in result.cases
            if case.artifact == artifact
        )
        columns = [Column(overflow="fold") for _ in range(3)]
        parts += [literal(artifact, "bold"), rich_table(columns, rows, head=False)]
    return Group(*parts, literal(verdict(result), "bold"), literal(_machines(result), "dim"))


def verdict(result: CheckResult) -> str:
    """Say in one line how it went."""
    failed = sum(not case.passed for case in result.cases)
    against = f"against {result.baseline} ({result.reason})"
    if failed:
        return f"{failed} of {len(result.cases)} rules failed {against}"
    return f"all {len(result.cases)} rules hold {against}"


def check_markdown(result: CheckResult) -> str:
    """Draw the same in Markdown, for a CI server's summary."""
    rows = (
        (case.artifact, case.rule, "ok" if case.passed else "**FAIL**", case.detail)
        for case in sorted(result.cases, key=lambda case: case.passed)
    )
    lines = [f"### edgeseg check: {'passed' if result.passed else 'FAILED'}", "", escape(verdict(result)), ""]
    lines += markdown_table_lines(("artifact", "rule", None, None), rows)
    return "\n".join((*lines, "", escape(_machines(result)), "", ""))


def junit_xml(result: CheckResult) -> bytes:
    """Write JUnit XML: one test case per artifact and rule, a failure where the rule does not hold."""
    failed = str(sum(not case.passed for case in result.cases))
    counts = {"name": "edgeseg check", "tests": str(len(result.cases)), "failures": failed, "errors": "0", "time": "0"}
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(root, "testsuite", {**counts, "skipped": "0"})
    for case in result.cases:
        name = {"classname": _clean(case.artifact), "name": _clean(case.rule), "time": "0"}
        entry = ET.SubElement(suite, "testcase", name)
        if case.passed:
            ET.SubElement(entry, "system-out").text = _clean(case.detail)
        else:
            what = {"message": _clean(case.detail), "type": _clean(case.rule)}
            ET.SubElement(entry, "failure", what).text = _clean(f"{case.artifact}: {case.detail}")
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _machines(result: CheckResult) -> str:
    then, now = result.baseline_environment, result.environment
    if then == now:
        return f"Baseline and build: {now.cpu}, {now.os}, Python {now.python}, the same versions."
    names = sorted({*then.versions, *now.versions})
    other = [f"{n} {then.versions.get(n, 'absent')} -> {now.versions.get(n, 'absent')}" for n in names
             if then.versions.get(n) != now.versions.get(n)]  # fmt: skip
    versions = f" Versions: {', '.join(other)}." if other else " The same versions."
    return (
        f"Baseline: {then.cpu}, {then.os}, Python {then.python}, int8 kernels {then.int8_kernels}. Build: {now.cpu}, "
        f"{now.os}, Python {now.python}, int8 kernels {now.int8_kernels}.{versions}"
    )


def _clean(text: str) -> str:
    """Drop the characters that no XML document may hold."""
    return _NOT_XML.sub("?", text)
