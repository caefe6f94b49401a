"""What `--help` gets beside the words of each command: groups of options, and examples."""

from __future__ import annotations

from typing import Any

from edgeseg.cli._examples import EXAMPLES
from edgeseg.cli._groups import GROUPS


def dress(command: Any, name: str) -> Any:
    """Put the options of a command, and of those below it, into groups, and examples below its help.

    Args:
        command: of Click.
        name: as a user types it, such as `data verify`.
    """
    if hasattr(command, "commands"):
        for below, one in command.commands.items():
            dress(one, f"{name} {below}")
        return command
    groups = GROUPS.get(name, {})
    places = {option: group for group, options in groups.items() for option in options}
    order = [None, *groups]
    for param in command.params:
        group = next((places[option] for option in param.opts if option in places), None)
        if group is not None:
            param.rich_help_panel = group
    command.params.sort(key=lambda param: order.index(getattr(param, "rich_help_panel", None)) if groups else 0)
    if examples := EXAMPLES.get(name):
        listed = "\n\n".join(f"- `{line}`" for line in examples)
        command.epilog = f"{'Example' if len(examples) == 1 else 'Examples'}:\n\n{listed}"
    return command
