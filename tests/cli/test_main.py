"""The command line as a whole: what it offers, what it imports, and how each kind of failure ends."""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from edgeseg import __version__
from edgeseg.cli import main as cli
from edgeseg.errors import CheckFailedError, EdgeSegError, ImageError

HEAVY = (
    "tensorflow",
    "keras",
    "tf_keras",
    "onnxruntime",
    "onnx",
    "scipy",
    "matplotlib",
    "jax",
    "torch",
    "PIL",
    "numpy",
)
COMMANDS = tuple(name for names in cli.PANELS.values() for name in names)


def _raising(error: BaseException) -> Callable[..., NoReturn]:
    def app(*args: object, **options: object) -> NoReturn:
        raise error

    return app


def _exit_code(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return ended.value.code


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("--help") == 0
    printed = capsys.readouterr().out
    assert [name for name in COMMANDS if f" {name} " not in printed] == []
    assert "Research use only" in printed


def test_help_lists_commands_in_the_order_of_their_panels(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("--help") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    listed = [words[1] for words in lines if len(words) > 1 and words[0] == "\N{BOX DRAWINGS LIGHT VERTICAL}"]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_help_loses_no_word_to_its_markup(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("report", "--help") == 0
    assert "'table:begin'" in capsys.readouterr().out
    assert _exit_code("train", "--help") == 0
    assert "runs/VARIANT" in capsys.readouterr().out
    for command in COMMANDS:
        module = sys.modules[f"edgeseg.cli.{command}"]
        assert re.findall(r'help="[^"]*<', inspect.getsource(module)) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_of_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(command, "--help") == 0
    assert f"edgeseg {command}" in capsys.readouterr().out


def test_help_imports_no_heavy_library() -> None:
    ended = _python(
        "import contextlib, io, json, sys\n"
        "from edgeseg.cli.main import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    main(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert ended.returncode == 0, ended.stderr
    loaded = set(json.loads(ended.stdout))
    assert "edgeseg.cli.main" in loaded
    assert sorted(loaded.intersection(HEAVY)) == []


def test_base_install_suffices_for_the_help_of_every_command() -> None:
    ended = _python(
        "import contextlib, importlib.abc, io, sys\n"
        f"absent = {HEAVY!r}\n"
        "class Absent(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.partition('.')[0] in absent:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from edgeseg.cli.main import main\n"
        f"for command in {COMMANDS!r}:\n"
        "    try:\n"
        "        with contextlib.redirect_stdout(io.StringIO()):\n"
        "            main([command, '--help'])\n"
        "    except SystemExit as ended:\n"
        "        assert ended.code == 0, command\n"
    )
    assert ended.returncode == 0, ended.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("--version") == 0
    assert capsys.readouterr().out == f"edgeseg {__version__}\n"


def test_python_dash_m_is_the_same_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "edgeseg", "--version"], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout == f"edgeseg {__version__}\n"


@pytest.mark.parametrize("arguments", [("buidl",), ("build", "--no-such-option"), ("--no-such-option",)])
def test_usage_errors_exit_2_without_traceback(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Usage:" in printed.err
    assert "Traceback" not in printed.err


def test_a_mistyped_command_is_answered_with_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("evalute") == 2
    assert "evaluate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (ImageError("a.tif is cut short"), 2, "error: a.tif is cut short\n"),
        (EdgeSegError("no"), 2, "error: no\n"),
        (CheckFailedError("12 ppm flipped; 10 are allowed"), 1, "error: 12 ppm flipped; 10 are allowed\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "build/x.onnx"),
            2,
            "error: cannot use build/x.onnx: No space left on device; free space, change its permissions or choose "
            "another place\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            2,
            "error: cannot use the output: Permission denied; free space, change its permissions or choose another "
            "place\n",
        ),
        (
            OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300),
            2,
            f"error: {'x' * 200}: no file can be there (File name too long); check the path\n",
        ),
        (
            ValueError("two\nlines"),
            70,
            "error: internal error: ValueError: two lines; this is a fault of edgeseg; run the command again with "
            "--debug to see where\n",
        ),
        (
            OSError(errno.EINVAL, "Invalid argument"),
            70,
            "error: internal error: OSError: [Errno 22] Invalid argument; this is a fault of edgeseg; run the command "
            "again with --debug to see where\n",
        ),
        (
            MemoryError(),
            70,
            "error: internal error: MemoryError; this is a fault of edgeseg; run the command again with --debug to see "
            "where\n",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_each_failure_is_one_line_and_its_exit_code(
    error: BaseException,
    exit_code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "app", _raising(error))
    assert _exit_code("build") == exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == message


@pytest.mark.parametrize("arguments", [("--debug", "build"), ("build", "--debug"), ("build", "--debug", "--", "x")])
def test_debug_shows_the_traceback_wherever_it_stands(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "app", _raising(ImageError("a.tif is cut short")))
    assert _exit_code(*arguments) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("Traceback")
    assert printed.endswith("error: a.tif is cut short\n")


def test_debug_is_taken_before_the_separator_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(cli, "app", lambda given, **_: seen.append(given))
    assert _exit_code("run", "--debug", "m.onnx", "--", "--debug") == 0
    assert seen == [["run", "m.onnx", "--", "--debug"]]


def test_a_reader_that_stops_early_leaves_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "edgeseg", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert "Traceback" not in ended.stderr


def closed(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command whose stdout nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    command = ["-c", code] if code else ["-m", "edgeseg", *arguments]
    try:
        return subprocess.run(
            [sys.executable, *command],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize(
    "arguments",
    [("targets",), ("targets", "--json"), ("schema", "build"), ("--version",), ("cache", "list"), ("run", "--help")],
)
def test_a_reader_that_went_away_is_no_no(arguments: tuple[str, ...]) -> None:
    ended = closed(*arguments)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_what_a_check_says_outlasts_its_reader() -> None:
    code = (
        "import sys\nfrom edgeseg.cli import main as cli\nfrom edgeseg.errors import CheckFailedError\n"
        "def app(*_, **__):\n    print('a table')\n    raise CheckFailedError('no')\n"
        "cli.app = app\ncli.main([])"
    )
    ended = closed(code=code)
    assert (ended.returncode, ended.stderr) == (1, "error: no\n")


def test_what_is_no_text_is_escaped_on_stdout() -> None:
    ended = _python(
        "import typer\nfrom edgeseg.cli import main as cli\n"
        "cli.app = lambda *_, **__: typer.echo('M\\udcf6ller \\u5c71')\ncli.main([])"
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "M\\udcf6ller \u5c71")


def test_libraries_that_quote_files_are_kept_out_of_the_log() -> None:
    ended = _python(
        "import logging\nfrom edgeseg.cli import main as cli\n"
        "cli.app = lambda *_, **__: logging.getLogger('pydicom').error('Zyxwvu^Secret')\ncli.main([])"
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_disk_of_scratch_files_or_of_the_cache_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    for place, variable in (("/tmp/edgeseg-scratch-x/a", "TMPDIR"), ("/somewhere/edgeseg/a", "XDG_CACHE_HOME")):
        monkeypatch.setattr(cli, "app", _raising(OSError(errno.ENOSPC, "No space left on device", place)))
        assert _exit_code("bench") == 2
        assert variable in capsys.readouterr().err


def test_a_path_that_leads_in_a_circle_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    def resolve(given: object, **_: object) -> None:
        raise given  # type: ignore[misc]

    for error, told in (
        (RuntimeError(f"Symlink loop from {str(loop)!r}"), f"error: {loop}: its links lead in a circle"),
        (ValueError("embedded null byte"), "holds a NUL character"),
    ):
        monkeypatch.setattr(cli, "app", lambda *_, error=error, **__: resolve(error))
        with pytest.raises(SystemExit) as ended:
            cli.main([])
        assert ended.value.code == 2
        assert told in capsys.readouterr().err
