"""Writes the pages of docs/reference that follow from the code: commands, JSON schemas, targets, what programs call.

`make reference` runs it; tests/test_docs.py fails while a page is stale.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from edgeseg import api, artifacts
from edgeseg.cli.main import PANELS, app
from edgeseg.reports.table import TABLE_BEGIN, TABLE_END, markdown_table_lines

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
MADE = "<!-- Written by `make reference`; do not edit. -->"


def commands_page() -> str:
    """Return the page of all commands, as `typer utils docs` writes it, behind a list by what they are for."""
    words = [sys.executable, "-m", "typer", "edgeseg.cli.main", "utils", "docs", "--name", "edgeseg"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    commands = ended.stdout[ended.stdout.index("\n## ") :].strip()
    first = {name: _first_sentence(commands, name) for names in PANELS.values() for name in names}
    lines = [
        "# Commands",
        "",
        MADE,
        "",
        "This page is for looking up a command and its options; `edgeseg COMMAND --help` says the same.",
        "",
        "`edgeseg --version` prints the version, and `edgeseg --debug COMMAND` shows the traceback of any error. What",
        "the exit codes mean is on [a page of its own](exit-codes.md).",
    ]
    for panel, names in PANELS.items():
        rows = ((f"[`edgeseg {name}`](#edgeseg-{name})", first[name]) for name in names)
        lines += ["", f"**{panel}**", "", *markdown_table_lines(("command", "what it does"), rows)]
    return "\n".join([*lines, "", commands]) + "\n"


def _first_sentence(commands: str, name: str) -> str:
    told = commands.split(f"## `edgeseg {name}`\n\n", 1)[1].split("\n\n", 1)[0]
    return re.split(r"(?<=[.;])\s", " ".join(told.split()), maxsplit=1)[0].rstrip(".;")


def schemas_page() -> str:
    """Return the page of all that has a JSON Schema: each kind with its fields and those of the objects inside."""
    kinds = _told("schema").split()
    lines = [
        "# JSON schemas",
        "",
        MADE,
        "",
        "This page is for programs that read what edgeseg prints with `--json` or leaves in a file.",
        "",
        "`edgeseg schema NAME` prints the whole schema (draft 2020-12). No key is unknown, and only what is marked",
        "*may be absent* may be left out. `build` is also the schema of `build.json`, `report` that of `report.json`,",
        "`baseline` that of the file of `edgeseg check --update`, and `out-of-fold` that of `out-of-fold.json`, which",
        "`edgeseg train --folds` leaves.",
    ]
    inside: dict[str, dict[str, Any]] = {}
    for kind in kinds:
        schema = json.loads(_told("schema", kind))
        inside |= schema["$defs"]
        lines += ["", f"## {kind}", "", *_object(schema)]
    lines += ["", "## Objects inside", ""]
    for name in sorted(inside):
        lines += [f"### {name}", "", *_object(inside[name]), ""]
    return "\n".join(lines).strip() + "\n"


def _object(schema: dict[str, Any]) -> Iterator[str]:
    told = schema.get("description", "").split("\n\n")[0]
    yield from ([" ".join(told.split()), ""] if told else [])
    rows = (
        (f"`{name}`", _kind(value), "" if name in schema["required"] else "may be absent")
        for name, value in schema["properties"].items()
    )
    yield from markdown_table_lines(("field", "type", None), rows)


def _kind(value: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(_kind(one) for one in value["anyOf"])
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "const" in value:
        return f"{value['type']}, {value['const']}"
    if value.get("type") == "array":
        inside = value.get("items") or {"anyOf": value.get("prefixItems", [])}
        return f"list of {_kind(inside)}" if inside and inside != {"anyOf": []} else "list"
    if value.get("type") == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"object of {_kind(value['additionalProperties'])}"
    return str(value.get("type", "any"))


def targets_page() -> str:
    """Return docs/reference/targets.md with its table of facts made anew from `edgeseg targets --json`."""
    page = (REFERENCE / "targets.md").read_text()
    rows = json.loads(_told("targets", "--json"))["targets"]
    head = ("target", "file", "runtime", "precision", "layout", "calibration", "mask pixels that may flip", "to know")
    table = markdown_table_lines(
        head,
        (
            (
                f"`{row['name']}`",
                f"`{row['suffix']}`",
                row["runtime"],
                row["precision"],
                row["layout"],
                "yes" if row["needs_calibration"] else "no",
                f"{row['max_flip_ppm']:g} ppm",
                row["note"],
            )
            for row in rows
        ),
    )
    before, after = page.split(TABLE_BEGIN)[0], page.split(TABLE_END)[1]
    return f"{before}{TABLE_BEGIN}\n\n" + "\n".join(table) + f"\n\n{TABLE_END}{after}"


def _told(*words: str) -> str:
    ended = CliRunner().invoke(app, list(words), catch_exceptions=False)
    if ended.exit_code:
        raise SystemExit(f"edgeseg {' '.join(words)} ended with {ended.exit_code}")
    return ended.stdout


def python_page() -> str:
    """Return the page of `edgeseg.api`, from its signatures and docstrings."""
    lines = [
        "# Python",
        "",
        MADE,
        "",
        "This page is for looking up what a program can call at the top of the package.",
        "",
        "Examples are in [segment from Python](../how-to/use-from-python.md) and in `examples/`.",
    ]
    for name in api.__all__:
        call = getattr(api, name)
        told = inspect.getdoc(call) or ""
        lines += ["", f"## edgeseg.{name}", "", "```python", f"{name}{_signature(call)}", "```", "", *_docstring(told)]
    return "\n".join(lines) + "\n"


def _signature(call: Callable[..., Any]) -> str:
    """Return the arguments of a function, one on each line."""
    signature = inspect.signature(call)
    parts, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        annotation = str(parameter.annotation)
        parts.append(str(parameter).replace(repr(annotation), annotation))
    arguments = "".join(f"    {part},\n" for part in parts)
    return f"(\n{arguments}) -> {str(signature.return_annotation).strip(chr(39))}"


def _docstring(told: str) -> Iterator[str]:
    """Turn a docstring into Markdown: what stands indented under `Args:` and the like becomes a list."""
    for line in told.splitlines():
        if re.fullmatch(r"(Args|Returns|Raises):", line):
            yield f"**{line}**"
            yield ""
        elif found := re.match(r"    (\*{0,2}\w+): (.*)", line):
            yield f"- `{found[1]}`: {found[2]}"
        else:
            yield f"  {line.strip()}" if line.startswith("        ") else line.strip()


PAGES = {"python.md": python_page, "commands.md": commands_page, "schemas.md": schemas_page, "targets.md": targets_page}
"""What is generated under docs/reference, and what makes it."""


def main() -> None:
    """Write every page."""
    for name, make in PAGES.items():
        print(artifacts.write_text(REFERENCE / name, make()).relative_to(ROOT))


if __name__ == "__main__":
    main()
