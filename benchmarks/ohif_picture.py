"""What OHIF shows of the results of `edgeseg node`: a study of nobody and its DICOM SEG, as a picture.

    npm pack @ohif/app && tar -xzf ohif-app-*.tgz
    python benchmarks/ohif_picture.py MODEL package/dist docs/how-to/ohif.png

A node with `--watch` segments the study; study and results go into an Orthanc with its DICOMweb plugin, and OHIF is
served beside it and opened in Chromium, by `ohif_picture.mjs`. Needs the extra `node`, Orthanc and orthanc-dicomweb,
and the packages of `web/` (`npm ci` there).
"""

from __future__ import annotations

import argparse
import http.server
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import node_peers as peers
from PIL import Image

_PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
_SEG_SERIES, _COLOURS, _WAIT_S = "900", 64, 120.0
_SOURCE = {
    "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
    "sourceName": "dicomweb",
    "configuration": {
        "friendlyName": "Orthanc", "name": "orthanc", "wadoUriRoot": "/dicom-web", "qidoRoot": "/dicom-web",
        "wadoRoot": "/dicom-web", "imageRendering": "wadors", "thumbnailRendering": "wadors",
        "qidoSupportsIncludeField": False, "enableStudyLazyLoad": True, "omitQuotationForMultipartRequest": True,
    },
}  # fmt: skip
_CONFIG = {
    "extensions": [], "modes": [], "showStudyList": True, "investigationalUseDialog": {"option": "never"},
    "showWarningMessageForCrossOrigin": False, "showCPUFallbackMessage": False, "defaultDataSourceName": "dicomweb",
    "dataSources": [_SOURCE],
}  # fmt: skip


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("ohif", type=Path, help="the folder dist of @ohif/app")
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        study = peers.write_study(root / "study", 1)
        results = _segment(options.model.resolve(), study, root / "results")
        with peers.orthanc(root, plugins=(_PLUGIN,)) as archive, _site(options.ohif, archive.web) as site:
            for path in (*study.iterdir(), *results):
                _post(archive.web, path)
            (found,) = json.loads(_ask(archive.web, "/studies?expand")[1])
            uid = found["MainDicomTags"]["StudyInstanceUID"]
            script = Path(__file__).with_suffix(".mjs")
            words = ["node", str(script), f"{site}/viewer?StudyInstanceUIDs={uid}", _SEG_SERIES, str(root / "shot.png")]
            subprocess.run(words, check=True, timeout=600)
        Image.open(root / "shot.png").convert("RGB").quantize(_COLOURS).save(options.picture, optimize=True)


def _segment(model: Path, study: Path, results: Path) -> list[Path]:
    words = [sys.executable, "-m", "edgeseg", "node", "start", str(model), "--watch", str(study), "--out", str(results)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        ends = time.monotonic() + _WAIT_S
        try:
            while len(found := [*results.glob("[0-9]*/*.dcm")]) < 3:
                assert time.monotonic() < ends, "the node made no results"
                time.sleep(0.5)
            return found
        finally:
            running.terminate()


@contextmanager
def _site(folder: Path, web: int) -> Iterator[str]:
    """Serve OHIF, and beside it what Orthanc answers below `/dicom-web`."""
    config = f"window.config = {json.dumps(_CONFIG)};".encode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(folder))

        def log_message(self, *_told: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if path.startswith("/dicom-web"):
                self._give(*_ask(web, self.path, self.headers.get("Accept", "*/*")))
            elif path == "/app-config.js":
                self._give("text/javascript", config)
            else:
                self.path = self.path if (folder / path.lstrip("/")).is_file() else "/index.html"
                super().do_GET()

        def _give(self, kind: str, body: bytes) -> None:
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _ask(web: int, path: str, accept: str = "*/*") -> tuple[str, bytes]:
    """Ask Orthanc; gives kind and body, both empty where it has nothing."""
    asked = urllib.request.Request(f"http://127.0.0.1:{web}{path}", headers={"Accept": accept})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return str(answer.headers.get("Content-Type")), answer.read()
    except urllib.error.HTTPError:
        return "", b""


def _post(web: int, path: Path) -> None:
    asked = urllib.request.Request(f"http://127.0.0.1:{web}/instances", data=path.read_bytes(), method="POST")
    with urllib.request.urlopen(asked, timeout=60) as answer:
        answer.read()


if __name__ == "__main__":
    main()
