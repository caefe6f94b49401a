"""One process that is set apart, from without: start it, ask it something, and kill it when it takes too long."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from edgeseg.errors import DatasetError, EdgeSegError, LimitError, OutputError
from edgeseg.jsonio import JsonFormatError, parse_json
from edgeseg.workers.apart import memory

START_S, _REST_S = 60.0, 5.0
_POLL_S = 0.1
_MOST_ANSWER_BYTES = 32 << 20
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT", "PYTHONWARNINGS")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Process:
    """A process that runs `listen` in the module `entry`; it ends when this one does.

    Attributes:
        memory: descriptor of what is shared.
        jobs: how many pieces of work it has done.
        settled: whether it was told to put its last work away; what is not is not used again.
    """

    def __init__(self, entry: str) -> None:
        """Start it; it gets no variable of ours that it does not need, and nothing from the folder we are in."""
        ours, theirs = socket.socketpair()
        self.memory = memory.open_memory()
        handles = (theirs.fileno(), self.memory)
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", entry, *map(str, handles)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                    pass_fds=handles,
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            os.close(self.memory)
            raise OutputError(
                f"a process to read in cannot be started ({error.strerror}); end other programs"
            ) from error
        self._channel = Connection(ours.detach())
        self._ready, self._owes, self.jobs, self.settled = False, False, 0, True

    @property
    def alive(self) -> bool:
        """Whether it can be asked something."""
        return self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it has started; does not wait."""
        with contextlib.suppress(OSError):
            return self._ready or self._channel.poll(0)
        return True

    def ask(self, message: dict[str, Any], *, seconds: float, left: Callable[[], float]) -> dict[str, Any]:
        """Send a message and wait for the answer; a process that gives none is killed.

        Args:
            message: with the name of what to do in `op`.
            seconds: how long to wait at most.
            left: how many seconds there are altogether; asked again and again, as they may be brought forward.

        Raises:
            LimitError: when it took too long, or was ended by a limit of its own.
            DatasetError: when it crashed.
        """
        self.settled = False
        if not self._ready:
            self._receive(START_S, left)
            self._ready = True
        try:
            self._channel.send_bytes(_encoded(message))
        except OSError as error:
            raise self._ended() from error
        return self._receive(seconds, left)

    def settle(self, message: dict[str, Any]) -> None:
        """Tell it to put its work away, without waiting; `rested` takes the answer."""
        with contextlib.suppress(OSError):
            self._channel.send_bytes(_encoded(message))
            self._owes, self.settled = True, True

    def rested(self) -> bool:
        """Wait until it has put its last work away; whether it is fit for another."""
        if not self._owes:
            return self.alive
        self._owes = False
        try:
            return not self._receive(_REST_S, lambda: _REST_S).get("grown", True)
        except EdgeSegError:
            return False

    def _receive(self, seconds: float, left: Callable[[], float]) -> dict[str, Any]:
        end = time.monotonic() + seconds
        try:
            while not self._channel.poll(max(0.0, min(_POLL_S, end - time.monotonic(), left()))):
                if time.monotonic() >= end or left() <= 0:
                    self.kill()
                    raise LimitError(_TOO_LONG)
            answer = parse_json(self._channel.recv_bytes(_MOST_ANSWER_BYTES))
        except (EOFError, OSError, JsonFormatError) as error:
            raise self._ended() from error
        if not isinstance(answer, dict):
            raise self._ended()
        return answer

    def _ended(self) -> LimitError | DatasetError:
        """Say why there is no answer."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        code = self._process.returncode
        self.kill()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return LimitError(_TOO_LONG)
        return DatasetError(
            "the process that read it ended without an answer; the files are damaged or hostile; export them again"
        )

    def kill(self) -> None:
        """End it and let go of what is shared; may be called again."""
        self._process.kill()
        self._process.wait()
        self._channel.close()
        if self.memory >= 0:
            os.close(self.memory)
            self.memory = -1


_TOO_LONG = (
    "reading it takes longer than so small a scan may take; it is damaged or hostile, or packed very densely; unpack "
    "it, or give fewer slices at a time"
)


def _encoded(message: dict[str, Any]) -> bytes:
    import json

    return json.dumps(message).encode()


def _environment() -> dict[str, str]:
    package = str(Path(__file__).resolve().parents[3])
    paths = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | _ONE_THREAD | {"PYTHONPATH": paths}
