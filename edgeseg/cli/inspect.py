"""`edgeseg inspect`: what a model file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from edgeseg.results import Inspection
    from edgeseg.specs import Contract


def inspect(
    model: Annotated[Path, typer.Argument(metavar="FILE", help="A .onnx, .ort, .tflite or .hdf5 file.")],
    *,
    contract_json: Annotated[
        bool,
        typer.Option("--contract-json", help="Print the contract alone, or a template where there is none."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Print a model's contract, operations, multiply-accumulates and weights, and who runs what on this host.

    A file without a contract is inspected too; exit code 1 when its contract is damaged or does not fit the file.
    """
    from edgeseg.errors import CheckFailedError
    from edgeseg.jsonio import to_json
    from edgeseg.stages.inspect import contract_template
    from edgeseg.stages.inspect import inspect as run

    found = run(model)
    if contract_json:
        text, notes = contract_template(found)
        typer.echo(text)
        for note in notes:
            typer.echo(f"warning: {note}", err=True)
    elif as_json:
        typer.echo(to_json(found))
    else:
        _print(found)
    if found.contract_fault is not None:
        raise CheckFailedError(found.contract_fault)


def _print(found: Inspection) -> None:
    from edgeseg.cli._print import show

    show(_file(found), "", *_contract_lines(found), "", _operations(found), "", _weights(found), "", _execution(found))


def _pairs(rows: list[tuple[str, str]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold", min_width=13)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, escape(value))
    return table


def _file(found: Inspection) -> Table:
    rows = [
        ("file", f"{found.file}, {found.format}, {found.size_bytes:,} bytes"),
        ("SHA-256", found.sha256),
        *[("weights in", name) for name in found.weight_files],
    ]
    for name, tensors in (("input", found.graph.inputs), ("output", found.graph.outputs)):
        for tensor in tensors:
            shape = " x ".join("?" if size is None else str(size) for size in tensor.shape)
            codes = (
                "" if tensor.scale is None else f", real = (code {-(tensor.zero_point or 0):+d}) * {tensor.scale:.6g}"
            )
            rows.append((name, f"{tensor.name}: {shape} {tensor.dtype}{codes}"))
    rows.append(("gives", f"{found.graph.output_kind.kind} ({found.graph.output_kind.why})"))
    macs = "not known (free shapes)" if found.macs is None else f"{found.macs:,}"
    return _pairs([*rows, ("MACs a slice", macs)])


def _contract_lines(found: Inspection) -> list[Table | str]:
    if found.contract_fault is not None:
        return ["contract: damaged, see below"]
    if found.contract is None:
        return [
            "contract: none. Channels, scaling and threshold are unknown, so 'edgeseg run' refuses it unless one is "
            "given with --contract; --contract-json prints a template"
        ]
    return [_contract(found.contract, sealed=found.sealed)]


def _contract(contract: Contract, *, sealed: bool) -> Table:
    seal = "file and contract have the digests they were sealed with" if sealed else "not sealed"
    calibrated = (
        "nothing" if contract.calibrated_on is None else _source(contract.calibrated_on, contract.calibration_hash)
    )
    case = contract.golden
    golden = "none" if case is None else f"{case.tumour_pixels} tumour pixels, {case.allowed_flips} may flip"
    dropping = contract.post_processing
    return _pairs(
        [
            ("contract", f"schema version {contract.schema_version}; {seal}"),
            ("network", f"{contract.variant.slug}, tier {contract.tier}, target {contract.target}"),
            (
                "image",
                f"{contract.height} x {contract.width}, {contract.layout}, channels {', '.join(contract.channels)}",
            ),
            ("scaling", f"normalisation {contract.normalisation}, bytes x {contract.scale:.6g}"),
            ("output", contract.output),
            ("threshold", f"{contract.threshold:g} (logit {contract.logit_threshold:.4g})"),
            ("lone slices", dropping.describe(volume=False)),
            ("volumes", dropping.describe(volume=True)),
            ("trained on", _source(contract.trained_on, contract.training_hash)),
            ("calibrated on", calibrated),
            ("patients seen", _seen(contract.seen_patients)),
            ("golden case", golden),
            *([] if case is None else [("made with", case.made_with)]),
            ("licence", contract.licence or "not known"),
            ("intended use", contract.intended_use),
        ]
    )


def _seen(entries: Sequence[str]) -> str:
    from edgeseg.specs import is_pseudonym, key_ids

    hidden = sum(map(is_pseudonym, entries))
    told = f", {hidden} of them by pseudonyms of patient key {', '.join(key_ids(entries))}" if hidden else ""
    return f"{len(entries)}{told}"


def _source(name: str, digest: str | None) -> str:
    return name if digest is None else f"{name}, SHA-256 {digest[:16]}..."


def _operations(found: Inspection) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("operation")
    table.add_column("count", justify="right")
    table.add_column("MACs", justify="right")
    for row in found.graph.operations:
        table.add_row(row.operation, str(row.count), "?" if row.macs is None else f"{row.macs:,}" if row.macs else "")
    return table


def _weights(found: Inspection) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("stored", overflow="fold")
    for name in ("tensors", "values", "bytes", "share"):
        table.add_column(name, justify="right", no_wrap=True)

    def share(size: int) -> str:
        return f"{100 * size / found.size_bytes:.1f} %"

    for row in found.graph.weights:
        table.add_row(row.dtype, f"{row.tensors:,}", f"{row.values:,}", f"{row.size_bytes:,}", share(row.size_bytes))
    for entry in found.graph.metadata:
        table.add_row(f"metadata {entry.name}", "", "", f"{entry.size_bytes:,}", share(entry.size_bytes))
    table.add_row("graph and container", "", "", f"{found.structure_bytes:,}", share(found.structure_bytes))
    return table


def _execution(found: Inspection) -> Table:
    rows = []
    for part in found.graph.execution:
        taken = ", ".join(f"{count} {name}" for name, count in part.operations.items())
        told = "; ".join(filter(None, (taken, part.note)))
        rows.append((part.taken_by, f"{part.runtime}: {told}"))
    return _pairs(rows)
