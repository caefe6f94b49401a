"""What a model file holds, drawn for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.table import Column, Table

from edgeseg import networks
from edgeseg.reports.table import figures, pairs, rich_table
from edgeseg.results import GraphFacts, Inspection
from edgeseg.specs import Contract, is_pseudonym, key_ids


def inspection_tables(found: Inspection) -> tuple[RenderableType, ...]:
    """Draw the file, its contract, its operations, what is stored in it, and who runs what on this host."""
    return (
        _file(found), "", *_contract_lines(found), "", _operations(found), "", _weights(found), "", _execution(found)
    )  # fmt: skip


def contract_table(contract: Contract, sha256: str) -> RenderableType:
    """Draw the contract of a model of this SHA-256 alone; it was held to the file where it is sealed."""
    label = networks.label(contract.variant.slug, sha256)
    return _contract(contract, label=label, sealed=contract.content_sha256 is not None)


def _facts(rows: Iterable[tuple[str, str]]) -> RenderableType:
    return pairs(rows, style="bold", min_width=13)


def _file(found: Inspection) -> RenderableType:
    rows = [
        ("file", f"{found.file}, {found.format}, {found.size_bytes:,} bytes"),
        ("SHA-256", found.sha256),
        *[("weights in", name) for name in found.weight_files],
        *[(name, told) for name, told in _rights(found.graph) if told],
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
    return _facts([*rows, ("MACs a slice", macs)])


def _rights(graph: GraphFacts) -> tuple[tuple[str, str], ...]:
    return ("author", graph.author), ("under", graph.licence)


def _contract_lines(found: Inspection) -> list[RenderableType]:
    if found.contract_fault is not None:
        return ["contract: damaged, see below"]
    if found.contract is None:
        return [
            "contract: none. Channels, scaling and threshold are unknown, so 'edgeseg run' refuses it unless one is "
            "given with --contract; --contract-json prints a template"
        ]
    label = networks.label(found.contract.variant.slug, found.sha256)
    return [_contract(found.contract, label=label, sealed=found.sealed)]


def _drawn(contract: Contract) -> list[tuple[str, str]]:
    """Say where a pixel is tumour, or belongs to each of several masks, and what is dropped then."""
    twice = [("passes", "each slice twice, once with left and right exchanged")] if contract.passes > 1 else []
    if not contract.regions:
        return [
            *twice,
            ("threshold", f"{contract.threshold:g} (logit {contract.logit_threshold:.4g})"),
            ("lone slices", contract.post_processing.describe(volume=False)),
            ("volumes", contract.post_processing.describe(volume=True)),
        ]
    return twice + [
        (
            f"mask {region.label}",
            f"{region.name}, of {', '.join(contract.classes[channel] for channel in region.channels)}; threshold "
            f"{region.threshold:g}; lone slices {region.post_processing.describe(volume=False)}, volumes "
            f"{region.post_processing.describe(volume=True)}",
        )
        for region in contract.regions
    ]


def _trusted(contract: Contract) -> str:
    """Say of which masks, and whether of inputs, it tells how far they are to be trusted."""
    masks = zip(
        (region.name for region in contract.regions) if contract.regions else ("masks",),
        contract.output_trusts,
        strict=True,
    )
    told = [f"{name}, fitted on {one.patients} patients of {one.data}" for name, one in masks if one is not None]
    inputs = ["inputs"] if contract.trust is not None and contract.trust.input is not None else []
    return "; ".join((*told, *inputs)) or "nothing"


def _contract(contract: Contract, *, label: str, sealed: bool) -> RenderableType:
    seal = "file and contract have the digests they were sealed with" if sealed else "not sealed"
    calibrated = (
        "nothing" if contract.calibrated_on is None else _source(contract.calibrated_on, contract.calibration_hash)
    )
    case = contract.golden
    golden = "none" if case is None else f"{case.tumour_pixels} tumour pixels, {case.allowed_flips} may flip"
    return _facts(
        [
            ("contract", f"schema version {contract.schema_version}; {seal}"),
            ("network", f"{label}, tier {contract.tier}, target {contract.target}"),
            (
                "image",
                f"{contract.height} x {contract.width}, {contract.layout}, channels {', '.join(contract.channels)}",
            ),
            ("scaling", f"normalisation {contract.normalisation}, bytes x {contract.scale:.6g}"),
            ("output", contract.output),
            *_drawn(contract),
            ("trust told", _trusted(contract)),
            ("trained on", _source(contract.trained_on, contract.training_hash)),
            ("calibrated on", calibrated),
            ("patients seen", _seen(contract.seen_patients)),
            ("golden case", golden),
            *([] if case is None else [("made with", case.made_with)]),
            ("licence", contract.licence or "not known"),
            ("intended use", contract.intended_use),
        ]
    )


def _source(name: str, digest: str | None) -> str:
    return name if digest is None else f"{name}, SHA-256 {digest[:16]}..."


def _operations(found: Inspection) -> Table:
    rows = (
        (row.operation, str(row.count), "?" if row.macs is None else f"{row.macs:,}" if row.macs else "")
        for row in found.graph.operations
    )
    return rich_table((Column("operation"), *figures("count", "MACs", wrap=True)), rows, gap=2)


def _weights(found: Inspection) -> Table:
    def sizes(size: int) -> tuple[str, str]:
        return f"{size:,}", f"{100 * size / found.size_bytes:.1f} %"

    heads = (Column("stored", overflow="fold"), *figures("tensors", "values", "bytes", "share"))
    rows = (
        *((w.dtype, f"{w.tensors:,}", f"{w.values:,}", *sizes(w.size_bytes)) for w in found.graph.weights),
        *((f"metadata {entry.name}", "", "", *sizes(entry.size_bytes)) for entry in found.graph.metadata),
        ("graph and container", "", "", *sizes(found.structure_bytes)),
    )
    return rich_table(heads, rows, gap=2)


def _execution(found: Inspection) -> RenderableType:
    rows = []
    for part in found.graph.execution:
        taken = ", ".join(f"{count} {name}" for name, count in part.operations.items())
        told = "; ".join(filter(None, (taken, part.note)))
        rows.append((part.taken_by, f"{part.runtime}: {told}"))
    return _facts(rows)


def _seen(entries: Sequence[str]) -> str:
    hidden = sum(map(is_pseudonym, entries))
    told = f", {hidden} of them by pseudonyms of patient key {', '.join(key_ids(entries))}" if hidden else ""
    return f"{len(entries)}{told}"
