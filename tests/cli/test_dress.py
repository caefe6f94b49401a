"""The help of every command: examples that parse, and groups that name what there is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer

from edgeseg.cli._examples import EXAMPLES
from edgeseg.cli._groups import GROUPS
from edgeseg.cli.main import PANELS, app

ROOT: Any = typer.main.get_command(app)


def command(name: str) -> Any:
    first, *rest = name.split()
    found = ROOT.get_command(click.Context(ROOT), first)
    for word in rest:
        found = found.commands[word]
    return found


def names() -> Iterator[str]:
    for name in (name for panel in PANELS.values() for name in panel):
        found = command(name)
        yield from (f"{name} {below}" for below in found.commands) if hasattr(found, "commands") else (name,)


@pytest.mark.parametrize("name", list(names()))
def test_every_command_shows_an_example_that_parses(name: str) -> None:
    found = command(name)
    assert EXAMPLES[name]
    for line in EXAMPLES[name]:
        assert line in found.epilog
        assert len(line) < 76, "it would wrap at 80 columns"
        before, _, _ = line.partition(" > ")
        program, *words = shlex.split(before)
        assert [program, *words[: len(name.split())]] == ["edgeseg", *name.split()]
        found.make_context(name, words[len(name.split()) :])


def test_no_example_is_of_a_command_that_is_gone() -> None:
    assert set(EXAMPLES) == set(names())


@pytest.mark.parametrize("name", list(GROUPS))
def test_groups_name_options_that_there_are_each_once(name: str) -> None:
    there = [option for param in command(name).params for option in param.opts]
    grouped = [option for options in GROUPS[name].values() for option in options]
    assert sorted(set(grouped)) == sorted(grouped)
    assert set(grouped) <= set(there)


def test_groups_stand_in_their_order_behind_what_is_asked_first() -> None:
    panels = dict.fromkeys(getattr(param, "rich_help_panel", None) for param in command("build").params)
    assert list(panels) == [None, *GROUPS["build"]]
