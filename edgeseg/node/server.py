"""Runs a node until it is told to stop; what is under way then goes on after the next start."""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg import networks
from edgeseg.errors import CheckFailedError, OptionError, OutputError
from edgeseg.node import identify, inside
from edgeseg.node.config import check_places
from edgeseg.node.count import Counts
from edgeseg.node.health import health
from edgeseg.node.inbox import Full, Inbox, Silence
from edgeseg.node.place import Place
from edgeseg.node.queue import RECEIVED, Queue
from edgeseg.node.receive import Receiver
from edgeseg.node.send import Sender
from edgeseg.node.sendings import Sendings
from edgeseg.node.tidy import Tidy
from edgeseg.node.watch import Watch
from edgeseg.node.work import Worker
from edgeseg.place import claimed
from edgeseg.quiet import wordless_log
from edgeseg.specs import NodeOptions
from edgeseg.workers.apart import Pool

if TYPE_CHECKING:
    from edgeseg.runtime import Segmenter

_LOG = logging.getLogger("edgeseg.node")
_TICK_S, _WATCH_S, _AFTER_FAULT_S, _JOIN_S = 0.05, 0.5, 1.0, 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What a node that runs says of itself; ports are None where it does not listen."""

    ae_title: str
    port: int | None
    health_port: int | None
    destinations: tuple[str, ...]
    variant: str
    target: str
    network: str = ""


def serve(
    model: Path, options: NodeOptions, ready: Callable[[Ready], None], *, watch: Path | None = None,
    contract: Path | None = None,
) -> None:  # fmt: skip
    """Run a node until SIGTERM or Ctrl-C.

    Args:
        model: a `.onnx`, `.ort` or `.tflite` artifact with a contract.
        options: the configuration.
        ready: called when it listens.
        watch: a folder to take files from.
        contract: a file with the contract of a model that carries none.

    Raises:
        EdgeSegError: when the model cannot be opened, or fails its golden case here.
        OptionError: when nobody may send, an address is taken, or the node would write into the watched folder.
        OutputError: when another node has the folder, or it cannot be written.
    """
    if not options.peers and watch is None:
        raise OptionError("nobody may send: name who may as [[peers]], or a folder with --watch")
    if watch is not None and not watch.is_dir():
        raise OptionError(f"--watch {watch}: there is no such folder; make it first")
    check_places(options, watch)
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        try:
            place = Place(Path(options.state))
        except OSError as error:
            raise OutputError(f"{options.state}: the node cannot keep its files there ({error.strerror})") from error
        stack.enter_context(claimed(place.root))
        segmenter, sha256 = _load(model, options, contract)
        queue = Queue(place.queue)
        stack.callback(queue.close)
        stack.enter_context(wordless_log("edgeseg.node"))
        stack.enter_context(_signals(stop))
        _Node(options, place, queue, segmenter, sha256, watch).run(stop, ready)


def _settle(stack: contextlib.ExitStack) -> None:
    """Leave what is there by now out of garbage collections: what associations leave behind is then collected early.

    Python collects the oldest objects when a quarter as many have come in; a node that has just started has 100,000.
    """
    gc.collect()
    gc.freeze()
    stack.callback(gc.unfreeze)


def _load(model: Path, options: NodeOptions, contract: Path | None) -> tuple[Segmenter, str]:
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.model_files import model_sha256

    sha256 = model_sha256(model) if model.is_file() else ""
    segmenter = Segmenter.load(model, threads=options.threads, contract=contract)
    if segmenter.contract.golden is not None and not segmenter.self_test().passed:
        raise CheckFailedError(
            f"{model}: this host does not draw the mask of its golden case; see: edgeseg doctor {model}"
        )
    return segmenter, sha256


class _Node:
    """The parts of one node, and the threads that they run on."""

    def __init__(
        self, options: NodeOptions, place: Place, queue: Queue, segmenter: Segmenter, sha256: str, watch: Path | None
    ) -> None:
        self._options, self._place, self._queue = options, place, queue
        self._lookers, self._readers = Pool(identify.ENTRY), Pool(inside.ENTRY, spare=0)
        self._counts, self._silence = Counts(), Silence()
        self._inbox = Inbox(queue, place, self._lookers, options, self._counts)
        self._inbox.heard = self._silence.heard
        self._worker = Worker(queue, place, self._readers, segmenter, sha256, options, self._counts)
        self._sendings = Sendings(queue)
        self._receiver = Receiver(self._inbox, self._silence, options, self._counts)
        self._watch, contract = watch, segmenter.contract
        self._variant, self._target = contract.variant.slug, contract.target
        self._network = networks.name_of_file(sha256)
        self._counts.watch(queue.count, lambda: self._receiver.associations)

    def run(self, stop: threading.Event, ready: Callable[[Ready], None]) -> None:
        """Work until it is told to stop."""
        self._queue.release_all()
        self._place.sweep(self._queue)
        self._sendings.drop_others(one.name for one in self._options.destinations)
        for row in self._queue.rows(RECEIVED):
            self._silence.begun(row.id)
        self._lookers.warm(1)
        self._readers.warm(1)
        with contextlib.ExitStack() as stack:
            stack.callback(self._lookers.close)
            stack.callback(self._readers.close)
            port = stack.enter_context(self._receiver.open()) if self._options.peers else None
            health_port = self._health(stack)
            threads = [
                threading.Thread(target=self._loop, args=(step, wait, stop), name=f"edgeseg-{name}", daemon=True)
                for name, step, wait in self._steps()
            ]
            for one in threads:
                one.start()
            _settle(stack)
            ready(self._ready(port, health_port))
            stop.wait()
            self._worker.stop.set()
            for one in threads:
                one.join(_JOIN_S)
        _LOG.info("stopped")

    def _steps(self) -> Iterator[tuple[str, Callable[[], bool], float]]:
        yield "tidy", Tidy(self._queue, self._place, self._silence, self._options).step, _TICK_S
        yield "work", self._worker.step, _TICK_S
        for one in self._options.destinations:
            yield one.name, Sender(one, self._sendings, self._place, self._options, self._counts).step, _TICK_S
        if self._watch is not None:
            most = self._options.object_mb << 20
            step = Watch(self._watch, self._inbox, self._queue, self._counts, most_bytes=most).step
            yield "watch", step, _WATCH_S

    def _loop(self, step: Callable[[], bool], wait_s: float, stop: threading.Event) -> None:
        """Do one step after another; a fault is told by its kind, and the next one begins a little later."""
        while not stop.is_set():
            try:
                worked = step()
            except sqlite3.Error as error:
                _LOG.error("the queue cannot be read or written (%s); free space, or see to the disk", error)
                stop.wait(_AFTER_FAULT_S)
                continue
            except Exception as error:
                _LOG.error("internal error: %s; this is a fault of edgeseg", type(error).__name__)
                stop.wait(_AFTER_FAULT_S)
                continue
            if not worked:
                stop.wait(wait_s)

    def _health(self, stack: contextlib.ExitStack) -> int | None:
        options = self._options
        if options.health_port is None:
            return None
        served = health(options.health_address, options.health_port, self._counts.registry, self._why_not_ready)
        return stack.enter_context(served)

    def _why_not_ready(self) -> str | None:
        try:
            self._inbox.require_room(self._options.object_mb << 20)
        except Full:
            return "no room"
        return None

    def _ready(self, port: int | None, health_port: int | None) -> Ready:
        return Ready(
            ae_title=self._options.ae_title,
            port=port,
            health_port=health_port,
            destinations=tuple(one.name for one in self._options.destinations),
            variant=self._variant,
            target=self._target,
            network=self._network,
        )


@contextlib.contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Stop at SIGTERM and Ctrl-C, until the block ends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
