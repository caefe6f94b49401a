"""Options that are called like a channel of the network: `--t1 FILE` is `--channel t1=FILE`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

import typer
from typer.core import TyperCommand

_SERIES, _CLOSE = "-series", 0.85


def pairs(given: Iterable[str] | None, rule: str) -> dict[str, str]:
    """Read `NAME=VALUE` arguments.

    Raises:
        OptionError: for one that is none, and for a name that is there twice.
    """
    from edgeseg.errors import OptionError

    found: dict[str, str] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise OptionError(f"'{text}' was given and {rule} is needed; name a channel, '=' and a value")
        if name in found:
            raise OptionError(f"channel '{name}' was given twice, as '{found[name]}' and '{value}'; leave one out")
        found[name] = value
    return found


class ChannelCommand(TyperCommand):
    """A command that takes options called like channels, which only the artifact knows."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Write them as `--channel` and `--series`; what is no option of the command is taken for a channel."""
        known = {name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)}
        return super().parse_args(ctx, list(_spelled_out(args, known)))


def _is_slip(name: str, known: set[str]) -> bool:
    """Whether an option is rather one of the command, mistyped."""
    return not name.endswith(_SERIES) and bool(difflib.get_close_matches(name, known, cutoff=_CLOSE))


def _spelled_out(args: list[str], known: set[str]) -> Iterator[str]:
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            yield arg
            yield from rest
            return
        name, sign, value = arg.partition("=")
        if not name.startswith("--") or name in known or _is_slip(name, known):
            yield arg
            continue
        if not sign:
            following = next(rest, None)
            if following is None or following.startswith("-"):
                yield from (arg, *(() if following is None else (following,)))
                continue
            value = following
        channel = name.removeprefix("--")
        if channel.endswith(_SERIES):
            yield from ("--series", f"{channel.removesuffix(_SERIES)}={value}")
        else:
            yield from ("--channel", f"{channel}={value}")
