"""A chain of recipes as a small TOML file.

targets = ["tflite-int8", "onnx-int8"]

[[step]]
recipe = "channel-prune"
macs = 0.5
epochs = 40
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from edgeseg.errors import OptionError, UnknownNameError
from edgeseg.jsonio import JsonFormatError, from_plain, parse_toml, read_document
from edgeseg.specs import RECIPE_SPECS, Chain, RecipeSpec

TOP = ("step", "targets")


def read_chain(path: Path) -> Chain:
    """Read a chain.

    Raises:
        OptionError: when the file cannot be read, is not TOML, or has a key or a value that cannot be; names the step
            and the keys that there are.
        UnknownNameError: for an unknown recipe.
    """
    try:
        plain = parse_toml(read_document(path))
    except OSError as error:
        raise OptionError(f"{path}: the recipe file cannot be read ({error.strerror}); check the path") from error
    except JsonFormatError as error:
        raise OptionError(f"{path}: {error}; see docs/how-to/compress.md for the form") from error
    _refuse_unknown(f"{path}", plain, TOP)
    steps = plain.get("step")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise OptionError(f"{path}: there is no [[step]]; give one for each recipe, in the order of the chain")
    targets = plain.get("targets", [])
    if not isinstance(targets, list) or not all(isinstance(name, str) for name in targets):
        raise OptionError(f'{path}: targets must be a list of names, such as targets = ["tflite-int8"]')
    try:
        made = tuple(_step(step, f"{path}, step {number}") for number, step in enumerate(steps, start=1))
        return Chain(steps=made, targets=tuple(targets))
    except UnknownNameError:
        raise
    except OptionError as error:
        text = str(error)
        raise OptionError(text if text.startswith(str(path)) else f"{path}: {text}") from error


def make_step(recipe: str, options: Mapping[str, Any], where: str) -> RecipeSpec:
    """Make a recipe's spec from options by name, with `-` or `_`.

    Args:
        recipe: its name.
        options: values as TOML or JSON have them.
        where: what messages begin with.

    Raises:
        UnknownNameError: for an unknown recipe.
        OptionError: for an unknown option, with those that there are, and for a value that cannot be.
    """
    if recipe not in RECIPE_SPECS:
        raise UnknownNameError("recipe", recipe, RECIPE_SPECS)
    kind = RECIPE_SPECS[recipe]
    named = {key.replace("-", "_"): value for key, value in options.items()}
    _refuse_unknown(f"{where} ({recipe})", named, [field.name for field in fields(kind)])
    try:
        return from_plain(kind, named, where)
    except JsonFormatError as error:
        raise OptionError(str(error)) from error
    except OptionError as error:
        raise OptionError(f"{where} ({recipe}): {error}") from error


def _step(plain: dict[str, Any], where: str) -> RecipeSpec:
    options = dict(plain)
    recipe = options.pop("recipe", None)
    if not isinstance(recipe, str):
        raise OptionError(f"{where}: there is no recipe; give recipe = one of: {', '.join(RECIPE_SPECS)}")
    return make_step(recipe, options, where)


def _refuse_unknown(where: str, plain: Mapping[str, Any], known: Iterable[str]) -> None:
    names = sorted(known)
    if unknown := sorted(set(plain) - set(names)):
        known_keys = f"the keys are: {', '.join(names)}" if names else "there are no keys; leave it out"
        raise OptionError(f"{where}: unknown key '{unknown[0]}'; {known_keys}")
