"""What `edgeseg serve` carries on loopback: many clients for a while, beside the bare Segmenter on one thread.

    python benchmarks/service.py MODEL [--clients 16] [--seconds 30] [--workers 0] [--json]

Each client keeps one connection and posts one phantom slice after another to `/v1/segment`; every mask is held against
the one that the Segmenter draws in this process. `lost` counts requests without an answer, `wrong` those with another
mask or status. Memory is that of the server's process; growth is from a third of the time on, when it is warm. The
Segmenter is measured before and after, alone, so the processor that the clients themselves take comes off the service's
figure. Close other work first.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from edgeseg.data.phantom import phantom_volume
from edgeseg.runtime import Segmenter

Pair = tuple[bytes, np.ndarray]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    images = phantom_volume(0, seed=0).images[::4]
    segmenter = Segmenter.load(options.model, threads=1)
    pairs = [(_png(image), segmenter.segment(image[np.newaxis])[0]) for image in images]
    rates = [_bare(segmenter, images)]
    figures = _served(options, pairs)
    rates.append(_bare(segmenter, images))
    figures |= {
        "segmenter_one_thread_per_s": [round(rate, 1) for rate in rates],
        "service_over_segmenter": round(figures["requests_per_s"] / max(rates), 2),
        "clients": options.clients,
        "cores": os.cpu_count(),
        "load_before": round(load, 1),
    }
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value}")


def _png(image: np.ndarray) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(image).save(packed, "PNG")
    return packed.getvalue()


def _bare(segmenter: Segmenter, images: np.ndarray, seconds: float = 3.0) -> float:
    """Slices per second of one thread, from pixels to mask."""
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        segmenter.segment(images[count % len(images)][np.newaxis])
        count += 1
    return count / (time.perf_counter() - start)


def _served(options: argparse.Namespace, pairs: list[Pair]) -> dict[str, object]:
    command = [sys.executable, "-m", "edgeseg", "serve", str(options.model), "--port", "0", "--json"]
    command += ["--workers", str(options.workers)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log: list[str] = []
    threading.Thread(target=lambda: log.extend(server.stderr), daemon=True).start()
    try:
        address = urlsplit(json.loads(server.stdout.readline())["url"]).netloc
        clients = [_Client(address, pairs, number) for number in range(options.clients)]
        memory, start = [], time.perf_counter()
        for client in clients:
            client.start()
        while (past := time.perf_counter() - start) < options.seconds:
            time.sleep(0.25)
            memory.append((past, _rss_mb(server.pid)))
        for client in clients:
            client.stop.set()
        for client in clients:
            client.join()
        seconds = time.perf_counter() - start
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(60)
    times = np.array([ms for client in clients for ms in client.times_ms])
    warm = [mb for past, mb in memory if past > options.seconds / 3]
    return {
        "requests": len(times),
        "requests_per_s": round(len(times) / seconds, 1),
        "lost": sum(client.lost for client in clients),
        "wrong": sum(client.wrong for client in clients),
        "ms_p50": round(float(np.percentile(times, 50)), 1),
        "ms_p99": round(float(np.percentile(times, 99)), 1),
        "server_mb_warm": round(warm[0], 1),
        "server_mb_end": round(warm[-1], 1),
        "server_mb_growth": round(warm[-1] - warm[0], 1),
        "server_exit_code": code,
        "server_log_lines": len(log),
    }


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class _Client(threading.Thread):
    """Posts one slice after another until `stop` is set."""

    def __init__(self, address: str, pairs: list[Pair], number: int) -> None:
        super().__init__()
        self._address, self._pairs, self._next = address, pairs, number
        self.stop, self.lost, self.wrong = threading.Event(), 0, 0
        self.times_ms: list[float] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=120)
        while not self.stop.is_set():
            content, mask = self._pairs[self._next % len(self._pairs)]
            self._next += 1
            before = time.perf_counter()
            try:
                connection.request("POST", "/v1/segment", content, {"Content-Type": "image/png"})
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                self.lost += 1
                connection.close()
                continue
            self.times_ms.append((time.perf_counter() - before) * 1e3)
            self.wrong += answer.status != 200 or not np.array_equal(_mask(body), mask)
        connection.close()


def _mask(body: bytes) -> np.ndarray:
    png = base64.b64decode(json.loads(body)["slices"][0]["png"])
    return np.asarray(Image.open(io.BytesIO(png))) > 0


if __name__ == "__main__":
    main()
