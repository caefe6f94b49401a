"""What one data set calls its channels stays with that data set: nothing else in `edgeseg` may mention FLAIR."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ALLOWED = {
    "data/kaggle_lgg.py": "the reader of TCGA-LGG",
    "specs/channels.py": "the channels of TCGA-LGG, and what stood in for them",
    "data/sequence_names.py": "what sequences of MR are called",
    "data/recognise": "the vocabulary of series descriptions",
    "data/layouts/brats.py": "the names of files of BraTS",
    "data/origin.py": "an example of names of files",
    "data/phantom.py": "phantoms are drawn after TCGA-LGG",
    "data/phantom_channels.py": "as phantom.py",
    "data/phantom_lesion.py": "as phantom.py",
    "data/phantom_scanner.py": "as phantom.py",
    "stages/score/simulate.py": "what TCGA-LGG put in the place of a sequence",
    "cli/evaluate.py": "the name of such a simulation",
    "runtime/self_test.py": "the drawing of the golden case has TCGA-LGG's channels",
    "specs/golden_case.py": "as self_test.py",
    "specs/contract_toml.py": "a comment that shows how channels are named",
}


def _mentions() -> set[str]:
    package = ROOT / "edgeseg"
    found = (path for ending in ("py", "j2") for path in package.rglob(f"*.{ending}"))
    return {path.relative_to(package).as_posix() for path in found if "flair" in path.read_text().lower()}


def _entry(path: str) -> str | None:
    return next((entry for entry in ALLOWED if path == entry or path.startswith(f"{entry}/")), None)


def test_only_these_files_mention_flair() -> None:
    found = _mentions()
    assert sorted(path for path in found if _entry(path) is None) == []
    assert sorted(ALLOWED.keys() - {_entry(path) for path in found}) == [], "listed, and not needed any more"
