"""A Ray cluster of two hosts on one machine: each is a raylet with one processor, and one of them can be killed.

Newer versions of Ray ask whoever joins for a token; one is drawn for the cluster, and this process and those that it
starts know it.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_START = (
    sys.executable, "-m", "ray.scripts.scripts", "start", "--num-cpus=1", "--node-ip-address=127.0.0.1",
    "--disable-usage-stats", "--block",
)  # fmt: skip
_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The address of a cluster, and what runs on the host that leads it and on the other one."""

    address: str
    head: subprocess.Popen[bytes]
    other: subprocess.Popen[bytes]

    def kill_other(self) -> None:
        """End the host that does not lead, with all its workers, as a power cut would."""
        os.killpg(self.other.pid, signal.SIGKILL)


@contextmanager
def two_hosts() -> Iterator[Hosts]:
    """Start the cluster, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    head = _started("--head", f"--port={port}", "--include-dashboard=false")
    try:
        _until_alive(address, 1)
        other = _started(f"--address={address}")
        try:
            _until_alive(address, 2)
            yield Hosts(address=address, head=head, other=other)
        finally:
            _ended(other)
    finally:
        _ended(head)


def _started(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*_START, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _ended(host: subprocess.Popen[bytes]) -> None:
    host.terminate()
    try:
        host.wait(20)
    except subprocess.TimeoutExpired:
        host.kill()
    try:
        os.killpg(host.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _until_alive(address: str, hosts: int) -> None:
    asked = f"import ray; ray.init({address!r}, logging_level=40); print(sum(n['Alive'] for n in ray.nodes()))"
    ends = time.monotonic() + _WAIT_S
    while time.monotonic() < ends:
        found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
        if found.stdout.split()[-1:] == [str(hosts)]:
            return
        time.sleep(0.5)
    sys.exit(f"error: a Ray cluster of {hosts} host(s) was not there after {_WAIT_S:.0f} s: {found.stderr[-400:]}")
