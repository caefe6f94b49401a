"""The groups that the options of long commands stand in, in `--help`; an option in none stands under `Options`."""

from __future__ import annotations

_DATA = ("--data", "--layout", "--labels", "--plane", "--cache")

GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "Network": (
            "--variant", "--name", "--alpha", "--stem", "--profile", "--levels", "--convolutions", "--normalisation",
            "--from",
        ),
        "Data and split": (*_DATA, "--split", "--fold", "--folds"),
        "Length and learning": (
            "--epochs", "--steps-per-epoch", "--batch-size", "--learning-rate", "--schedule", "--weight-decay",
            "--loss", "--ema", "--validate-every", "--seed", "--resume",
        ),
        "Crops and augmentation": (
            "--crop-px", "--empty-share", "--augment", "--augment-on", "--missing-share", "--paste-share",
            "--blank-share",
        ),
        "Teachers": ("--teacher", "--distil-weight"),
        "Machine": ("--backend", "--precision", "--devices", "--ray", "--ray-cpus"),
        "Output": ("--out", "--json"),
    },
    "build": {
        "Network": (
            "--from", "--variant", "--alpha", "--stem", "--choice", "--codes", "--author", "--contract", "--size",
            "--output",
        ),
        "Data": (
            "--data", "--layout", "--labels", "--calibration-data", "--phantom-patients", "--allow-seen",
            "--public-ids", "--seed",
        ),
        "int8": ("--max-drop", "--calibration-method", "--calibration-slices", "--profile"),
        "Measuring": ("--baseline", "--baseline-contract", "--r2", "--threads", "--bench-runs", "--bench-budget-s"),
        "Output": ("--out", "--rebuild", "--verbose", "--json"),
    },
    "compress": {
        "Recipes": ("--prune", "--channel-prune", "--cluster", "--distil", "--qat", "--equalize", "--half",
                    "--recipe", "--set"),
        "Data": _DATA,
        "Training": ("--epochs", "--validate-every", "--resume"),
        "Output": ("--out", "--json"),
    },
    "run": {
        "Which series is what": ("--list", "--channel", "--series", "--volumes", "--spacing", "--same-patient"),
        "What is written": ("--out", "--format", "--overlays", "--csv", "--resume", "--salt"),
        "Network and machine": ("--contract", "--threads", "--untrusted"),
    },
    "serve": {
        "Where it listens": ("--host", "--port", "--health-route", "--predict-route"),
        "Who may ask": ("--token-file", "--origin", "--allow-host"),
        "Bounds": (
            "--workers", "--waiting", "--max-body-mb", "--max-slices", "--timeout", "--idle", "--grace", "--drain",
        ),
    },
    "evaluate": {
        "Patients": (
            "--data", "--layout", "--labels", "--channels", "--patients", "--split", "--fold", "--unseen",
            "--allow-seen",
        ),
        "Subgroups": ("--by", "--subgroups", "--min-subgroup"),
        "How it is scored": ("--post-processing", "--tta", "--simulate", "--seed", "--threads", "--ray"),
    },
    "check": {
        "Rules": ("--baseline", "--max-dice-drop", "--max-size-growth", "--max-latency-ratio", "--latency-reference"),
        "The worst subgroup": ("--max-subgroup-drop", "--by", "--subgroups", "--min-subgroup"),
        "A new baseline": ("--update", "--reason"),
        "Output": ("--junit", "--summary", "--json"),
    },
    "report": {
        "Files": ("--markdown", "--html", "--csv", "--into"),
        "The page": ("--pictures", "--layout", "--labels", "--max-drop"),
        "Terminal": ("--verbose", "--json"),
    },
}  # fmt: skip
"""By command: the name of each group, and its options in the order of the command."""
