"""Weights on the command line: a run's folder or weights file, or the name of a network, told in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from edgeseg.cli._complete import networks

RULE = "A network's name stands for it where no such path exists."


def weights(given: str) -> Path:
    """Return the path that an argument means, as `edgeseg.checkpoint.weights_path` does."""
    from edgeseg.checkpoint import weights_path

    return weights_path(Path(given))


def weights_argument(help_text: str, *, metavar: str = "RUN") -> Any:
    """An argument that names weights; `help_text` says what kinds of path it takes."""
    return typer.Argument(metavar=metavar, help=f"{help_text}. {RULE}", parser=weights, autocompletion=networks)


def weights_option(name: str, help_text: str, *, metavar: str = "RUN") -> Any:
    """An option that names weights; `help_text` says what kinds of path it takes."""
    return typer.Option(name, metavar=metavar, help=f"{help_text}. {RULE}", parser=weights, autocompletion=networks)
