"""The `edgeseg` command: its subcommands, and the one place where an error becomes a line and an exit code.

Exit codes: 0 good; 1 a check or gate said no; 2 bad input or usage; 70 a fault of edgeseg itself; 130 Ctrl-C; 141 who
read stdout went away, as `| head` does; 143 SIGTERM.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import keyword
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from edgeseg import __version__
from edgeseg.cli._dress import dress
from edgeseg.cli._signals import EXIT_INTERRUPTED, Heard, heeding
from edgeseg.cli._terminal import guarded
from edgeseg.errors import EdgeSegError
from edgeseg.quiet import silence_quoting_libraries
from edgeseg.reports.escape import one_line

DEBUG_OPTION = "--debug"
EXIT_INTERNAL = 70
EXIT_PIPE = 141
_PLACE_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
_NO_PATH_ERRNOS = frozenset({errno.ENAMETOOLONG, errno.ELOOP})
_MOST_LETTERS = 200
_NUL = "embedded null byte"
_LOOP = "Symlink loop from "
"""How `Path.resolve` of Python 3.11 and 3.12 begins to say that links lead in a circle."""

# Every command, in the order of `edgeseg --help`: the file under edgeseg/cli/, which holds a function of the same name,
# or an `app` where the command has commands of its own.
PANELS = {
    "Make": (
        "data",
        "import",
        "train",
        "average",
        "compress",
        "choose",
        "trust",
        "calibrate",
        "build",
        "ship",
        "android",
        "web",
        "golden",
    ),
    "Use and measure": (
        "run",
        "serve",
        "node",
        "contract",
        "doctor",
        "evaluate",
        "verify",
        "bench",
        "check",
        "sensitivity",
        "experiments",
    ),
    "Read": ("inspect", "report", "compare", "claims", "schema", "networks", "variants", "targets", "cache", "key"),
}


class _Ordered(TyperGroup):
    """Lists commands in the order of `PANELS`, and dresses their help.

    By itself Typer puts those with commands of their own last.
    """

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return [name for names in PANELS.values() for name in names]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        found = super().get_command(ctx, cmd_name)
        return None if found is None else dress(found, cmd_name)


app = typer.Typer(
    name="edgeseg",
    cls=_Ordered,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"edgeseg {__version__}")
        raise typer.Exit


@app.callback()
def edgeseg(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG_OPTION, help="Log what happens, and show the traceback of any error.")
    ] = False,
) -> None:
    """Brain-tumour segmentation networks, from a workstation to a tablet.

    Research use only. Not a medical device; not for diagnosis or treatment.
    """


def _register() -> None:
    for panel, names in PANELS.items():
        for name in names:
            module = importlib.import_module(f"edgeseg.cli.{name}")
            if hasattr(module, "app"):
                app.add_typer(module.app, name=name, rich_help_panel=panel)
            else:
                kind = getattr(module, "COMMAND", TyperCommand)
                app.command(name, cls=kind, rich_help_panel=panel)(_function(module, name))


def _function(module: object, name: str) -> Callable[..., object]:
    """Return a command's function, whose name has an underscore behind it where Python keeps the word for itself."""
    found: Callable[..., object] = getattr(module, f"{name}_" if keyword.iskeyword(name) else name)
    return found


_register()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit; every deliberate error ends as one `error:` line on stderr.

    `arguments` are those after the program's name, by default those of this process. `--debug` may stand anywhere
    before a bare `--`.

    Raises:
        SystemExit: always, with the exit code.
    """
    given, debug = _take_debug(list(sys.argv[1:] if arguments is None else arguments))
    _escape_what_is_no_text()
    with guarded(), heeding() as heard:
        _quieten(debug=debug)
        _run_and_leave(given, heard, debug=debug)


def _run_and_leave(given: list[str], heard: Heard, *, debug: bool) -> NoReturn:
    try:
        _run(given, heard, debug=debug)
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_pipe()
    except SystemExit as ended:
        _leave(ended)
    sys.exit(0)


def _run(given: list[str], heard: Heard, *, debug: bool) -> None:
    try:
        app(given, prog_name="edgeseg")
    except SystemExit as ended:
        if ended.code != EXIT_INTERRUPTED:  # which is Typer's own for Ctrl-C, without a word
            raise
        _fail(heard.words, heard.exit_code, ended, debug=debug)
    except (Exception, KeyboardInterrupt) as error:
        if heard.number is not None or isinstance(error, KeyboardInterrupt):
            _fail(heard.words, heard.exit_code, error, debug=debug)
        _tell(error, debug=debug)


def _tell(error: Exception, *, debug: bool) -> NoReturn:
    """Say what went wrong and exit; that nobody reads stdout any more is passed on."""
    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, EdgeSegError):
        _fail(str(error), error.exit_code, error, debug=debug)
    if (told := _of_place(error) if isinstance(error, OSError) else _no_path(error)) is None:
        _fail_internal(error, debug=debug)
    _fail(told, EdgeSegError.exit_code, error, debug=debug)


def _of_place(error: OSError) -> str | None:
    known = _PLACE_ERRNOS | _NO_PATH_ERRNOS
    return _describe_place(error) if error.errno in known or "requested and" in str(error) else None


def _no_path(error: Exception) -> str | None:
    """Say what is wrong with a path that Python refuses by an error that is none of the system's; None for others."""
    told = str(error)
    if isinstance(error, RuntimeError) and told.startswith(_LOOP):
        place = told.removeprefix(_LOOP).strip("'\"")[:_MOST_LETTERS]
        return f"{place}: its links lead in a circle; check the path"
    if isinstance(error, ValueError) and told == _NUL:
        return "a path that was given holds a NUL character, and no file can be called so; check the paths"
    return None


def _leave(ended: SystemExit) -> NoReturn:
    """End with a command's exit code, but for one that only says that nobody reads stdout any more."""
    cause = ended.__cause__ or ended.__context__
    if isinstance(cause, OSError) and cause.errno == errno.EPIPE:
        _leave_pipe()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        if not ended.code:
            _leave_pipe()
        _close_stdout()
    raise ended


def _leave_pipe() -> NoReturn:
    _close_stdout()
    sys.exit(EXIT_PIPE)


def _close_stdout() -> None:
    """Let what is left in the buffer go nowhere, or Python complains of it at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _escape_what_is_no_text() -> None:
    """Write escapes for what the terminal's encoding lacks, and for bytes of a file's name that are no UTF-8."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _take_debug(given: list[str]) -> tuple[list[str], bool]:
    end = given.index("--") if "--" in given else len(given)
    options = [item for item in given[:end] if item != DEBUG_OPTION]
    return options + given[end:], len(options) < end


def _quieten(*, debug: bool) -> None:
    """Send edgeseg's log to stderr, and keep the warnings of libraries from users who did not ask for them."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    silence_quoting_libraries()
    if debug:
        logging.getLogger("edgeseg").setLevel(logging.DEBUG)
    elif not sys.warnoptions:
        warnings.simplefilter("ignore")


def _describe_place(error: OSError) -> str:
    from edgeseg.place import describe

    if (known := describe(error)) is not None:
        return known
    place = error.filename if error.filename is not None else "the output"
    if error.errno in _NO_PATH_ERRNOS:
        return f"{str(place)[:_MOST_LETTERS]}: no file can be there ({error.strerror}); check the path"
    return f"cannot use {place}: {error.strerror or error}; free space, change its permissions or choose another place"


def _fail_internal(error: Exception, *, debug: bool) -> NoReturn:
    text = " ".join(str(error).split())
    told = f"internal error: {type(error).__name__}: {text}" if text else f"internal error: {type(error).__name__}"
    advice = f"this is a fault of edgeseg; run the command again with {DEBUG_OPTION} to see where"
    _fail(f"{told}; {advice}", EXIT_INTERNAL, error, debug=debug)


def _fail(message: str, exit_code: int, error: BaseException, *, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exception(error)
    typer.echo(f"error: {one_line(message)}", err=True)
    sys.exit(exit_code)
