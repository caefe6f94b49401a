"""Work handed to Ray: one function over many items, answers in the order of the items, none lost with its worker."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from edgeseg.errors import MissingExtraError, OptionError, OutputError, one_line

Job = TypeVar("Job")
Item = TypeVar("Item")
Answer = TypeVar("Answer")
TRIES = 5
"""How often an item is begun at most, where workers die over it."""
_AHEAD = 4
_TOKEN = (
    ", give the token of a cluster that asks for one (RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or ~/.ray/auth_token)"
)


@contextlib.contextmanager
def connected(purpose: str, *, address: str | None = None) -> Iterator[Any]:
    """Give the `ray` module, joined to the cluster that `RAY_ADDRESS` names; without one this machine becomes it.

    What was started is stopped at the end. Ray would report on its use over the network; unless the caller decides
    otherwise it does not.

    Args:
        purpose: what it is for, such as `handing folds to Ray`, for messages.
        address: of the cluster, before `RAY_ADDRESS`; `local` is this machine whatever that says.

    Raises:
        MissingExtraError: when Ray is not installed.
        OptionError: when it does not start.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("ray", "ray", purpose) from error
    mine = not ray.is_initialized()
    if mine:
        _connect(ray, address or os.environ.get("RAY_ADDRESS"))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Ray prints there that a worker died; results go to stdout
            yield ray
    finally:
        if mine:
            ray.shutdown()


def fetched(ray: Any, task: Any) -> Any:
    """Return what a task gave, or raise its own error without Ray's wrapping."""
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error


def live_hosts(ray: Any) -> list[dict[str, float]]:
    """Return what each host of the cluster has, such as `{"CPU": 4.0}`."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def in_order(
    function: Callable[[Job, Item], Answer],
    job: Job,
    items: Iterable[Item],
    *,
    cpus: int = 1,
    purpose: str,
    address: str | None = None,
    lost: Callable[[], Answer] | None = None,
) -> Generator[Answer, None, None]:
    """Compute `function(job, item)` for each item on the workers of Ray, and give the answers in the order of items.

    Paths in `job` and `items` are taken as they would be here, so on a cluster of several hosts they have to be there
    on each. An item whose worker dies is begun again, up to `TRIES` times. Items are taken as there is work to hand
    out, a few for each worker ahead of the answers.

    Args:
        function: of a module, so that a worker can import it; the same for the same item whenever it is called.
        job: what all items share.
        items: what to compute.
        cpus: how many processors of a host each item takes.
        purpose: as for `connected`.
        address: likewise.
        lost: gives the answer for an item over which workers died too often.

    Raises:
        MissingExtraError: when Ray is not installed.
        OptionError: when it does not start, or no host has that many processors.
        OutputError: when workers died over one item too often, and there is no `lost`.
        EdgeSegError: what the function raised.
    """
    with connected(purpose, address=address) as ray:
        hosts = live_hosts(ray)
        most = int(max(host.get("CPU", 0) for host in hosts))
        if not 1 <= cpus <= most:
            raise OptionError(f"{cpus} threads were asked for and the largest host of Ray has {most}; ask for fewer")
        at_once = _AHEAD * sum(int(host.get("CPU", 0)) // cpus for host in hosts)
        remote = ray.remote(num_cpus=cpus, max_retries=TRIES - 1)(_there)
        shared = ray.put((str(Path.cwd()), function, job))
        waiting: deque[Any] = deque()
        for item in items:
            waiting.append(remote.remote(shared, item))
            if len(waiting) >= at_once:
                yield answered(ray, waiting.popleft(), lost)
        while waiting:
            yield answered(ray, waiting.popleft(), lost)


def answered(ray: Any, task: Any, lost: Callable[[], Any] | None = None) -> Any:
    """Return what a task gave, which Ray began again where its worker died.

    Args:
        ray: of `connected`.
        task: one that may be tried `TRIES` times.
        lost: gives the answer where workers died too often.

    Raises:
        OutputError: when they did, and there is no `lost`.
        EdgeSegError: what the function raised.
    """
    try:
        return fetched(ray, task)
    except ray.exceptions.RayError as error:
        if lost is not None:
            return lost()
        raise OutputError(
            f"workers of Ray died {TRIES} times over one piece of work ({one_line(error)}); they may lack memory: give "
            "each more processors, so that fewer run at once, or leave out --ray"
        ) from error


def _there(shared: tuple[str, Callable[[Job, Item], Answer], Job], item: Item) -> Answer:
    folder, function, job = shared
    if Path.cwd() != Path(folder):
        os.chdir(folder)
    return function(job, item)


def _connect(ray: Any, address: str | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    mine = address in (None, "local")
    where: dict[str, Any] = {"include_dashboard": False} if mine else {}
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **where, **({"address": address} if address else {}))
    except Exception as error:
        told, token = ("this machine", "") if mine else (f"the cluster at {address}", _TOKEN)
        raise OptionError(
            f"Ray did not start on {told} ({one_line(error)}); see 'ray status'{token}, or leave out --ray"
        ) from error
