"""What it costs the service to read uploads in processes of their own, beside an older checkout that reads in threads.

    python benchmarks/reading_apart.py MODEL --before CHECKOUT [--rounds 4] [--seconds 8] [--clients 8]

Services of both checkouts take turns, so that what else the machine does meets both. Each round measures one client
that posts a slice after another (the middle of its times, in ms) and many clients (requests per second); every answer
is held against a mask that this process draws. The figures are medians over the rounds. First of all reading is timed
without a service, here and apart, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from service import _Client, _png

from edgeseg.data.phantom import phantom_volume
from edgeseg.data.scan import SourcedScan
from edgeseg.jsonio import to_plain
from edgeseg.runtime import Segmenter
from edgeseg.service.inside import ENTRY
from edgeseg.service.packed import Budget
from edgeseg.service.scans import Upload, Wish, open_upload
from edgeseg.specs import ServeOptions
from edgeseg.stages.segment.apart.scan import Reader
from edgeseg.workers.apart import Limits, Pool

HERE = Path(__file__).resolve().parents[1]
Pair = tuple[bytes, np.ndarray]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    segmenter = Segmenter.load(options.model, threads=1)
    pairs = [(_png(image), segmenter.segment(image[np.newaxis])[0]) for image in phantom_volume(0, seed=0).images[::4]]
    here, apart = _reading(pairs[0][0])
    print(f"reading one slice: {here:.1f} ms here, {apart:.1f} ms apart")
    found: dict[str, list[tuple[float, float, int]]] = {"before": [], "after": []}
    for number in range(options.rounds):
        order = ("before", "after") if number % 2 == 0 else ("after", "before")
        for name in order:
            checkout = options.before if name == "before" else HERE
            found[name].append(_measured(options, checkout.resolve(), pairs))
    middle = {
        name: [statistics.median(column) for column in zip(*rounds, strict=True)] for name, rounds in found.items()
    }
    for name, (ms, rate, _) in middle.items():
        print(f"{name:8} one client {ms:7.1f} ms    {options.clients} clients {rate:7.1f} requests/s")
    (ms_before, rate_before, _), (ms_after, rate_after, _) = middle["before"], middle["after"]
    print(f"costs    {ms_after - ms_before:7.1f} ms a request; throughput {rate_after / rate_before:.2f} of before")
    pairwise = [after[1] / before[1] for before, after in zip(found["before"], found["after"], strict=True)]
    print(f"rounds   {', '.join(f'{ratio:.2f}' for ratio in pairwise)} of before")
    print(f"wrong or lost: {sum(one[2] for rounds in found.values() for one in rounds)}; load before: {load:.1f}")


def _reading(content: bytes, times: int = 200) -> tuple[float, float]:
    """Return the middle of the milliseconds that opening, reading and closing takes in this process, and apart."""
    bounds = ServeOptions().bounds
    what = {"names": ["slices"], "sizes": [len(content)], "wish": to_plain(Wish()), "bounds": to_plain(bounds)}
    limits = Limits.for_input(len(content), output_bytes=bounds.unpacked_bytes)

    def here() -> SourcedScan:
        return open_upload(Upload(slices=(content,)), Wish(), bounds, Path(), Budget(bounds))

    with Pool(ENTRY) as pool:
        reader = Reader(pool=pool, limits=limits)
        return tuple(_middle(make, times) for make in (here, lambda: reader.open({**what, "place": "."}, (content,))))


def _middle(make: Callable[[], SourcedScan], times: int) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        scan = make()
        scan.image(0)
        _ = scan.warnings
        scan.close()
        found.append((time.perf_counter() - start) * 1e3)
    return statistics.median(found)


def _measured(options: argparse.Namespace, checkout: Path, pairs: list[Pair]) -> tuple[float, float, int]:
    with _service(options.model.resolve(), checkout) as address:
        _run(address, pairs, 2, 4.0)
        alone = _run(address, pairs, 1, options.seconds / 2)
        many = _run(address, pairs, options.clients, options.seconds)
    clients = (*alone, *many)
    rate = sum(len(client.times_ms) for client in many) / options.seconds
    return statistics.median(alone[0].times_ms), rate, sum(client.wrong + client.lost for client in clients)


def _run(address: str, pairs: list[Pair], count: int, seconds: float) -> list[_Client]:
    clients = [_Client(address, pairs, number) for number in range(count)]
    for client in clients:
        client.start()
    time.sleep(seconds)
    for client in clients:
        client.stop.set()
    for client in clients:
        client.join()
    return clients


@contextlib.contextmanager
def _service(model: Path, checkout: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "edgeseg", "serve", str(model), "--port", "0", "--json"]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=checkout
    )
    try:
        yield urlsplit(json.loads(server.stdout.readline())["url"]).netloc
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


if __name__ == "__main__":
    main()
