from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseg.cli.main import main
from edgeseg.specs import INTENDED_USE

PREDICT = "/v1/endpoints/1/deployedModels/2:predict"


def test_it_serves_where_vertex_ai_says_until_sigterm(tiny_onnx: Callable[..., Path]) -> None:
    told = {"AIP_HTTP_PORT": "0", "AIP_HEALTH_ROUTE": "/v1/endpoints/1/deployedModels/2", "AIP_PREDICT_ROUTE": PREDICT}
    command = [sys.executable, "-m", "edgeseg", "serve", str(tiny_onnx()), "--json", "--workers", "1"]
    server = subprocess.Popen(command, env=os.environ | told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        with urllib.request.urlopen(f"{ready['url']}{told['AIP_HEALTH_ROUTE']}", timeout=30) as answer:
            assert json.load(answer)["status"] == "ok"
        request = urllib.request.Request(f"{ready['url']}{PREDICT}", b"{}", {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        refused.value.close()
        assert refused.value.code == 422
        server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=60)
    finally:
        server.kill()
        server.wait()
    assert server.returncode == 0
    assert ready["intended_use"] == INTENDED_USE
    assert f"POST {PREDICT} 422" in log
    assert log.rstrip().endswith("stopped")


def _fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["serve", *arguments])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--port", "70000"), "port"),
        (("--workers", "-1"), "workers"),
        (("--timeout", "nan"), "timeout_s"),
        (("--max-body-mb", "0"), "max_body_bytes"),
        (("--predict-route", "predict"), "route"),
        (("--predict-route", "/{x}"), "route"),
        (("--predict-route", "/v1/segment"), "uses itself"),
        (("--predict-route", "/health"), "both"),
    ],
)
def test_options_out_of_their_range(
    capsys: pytest.CaptureFixture[str], tiny_onnx: Callable[..., Path], options: tuple[str, ...], told: str
) -> None:
    assert told in _fails(capsys, str(tiny_onnx()), *options)


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str], tiny_onnx: Callable[..., Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port}" in _fails(capsys, str(tiny_onnx()), "--port", port)


def test_a_model_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "does not exist" in _fails(capsys, str(tmp_path / "none.onnx"))


def test_without_the_extra_it_says_which(
    capsys: pytest.CaptureFixture[str], tiny_onnx: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("edgeseg.service")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert "edgeseg[serve]" in _fails(capsys, str(tiny_onnx()))
