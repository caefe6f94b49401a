from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


@contextlib.contextmanager
def _served(model: Path, *options: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    start = [sys.executable, "-m", "edgeseg", "serve", str(model), "--json", "--workers", "1", "--port", "0"]
    server = subprocess.Popen(
        [*start, *options], env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield server, json.loads(server.stdout.readline())["url"]
    finally:
        server.kill()
        server.communicate()


def _status(url: str, data: bytes | None = None, **headers: str) -> int:
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


def test_sigterm_says_not_ready_at_once_and_goes_on_for_the_drain(tiny_onnx: Callable[..., Path]) -> None:
    with _served(tiny_onnx(), "--drain", "600") as (server, url):
        assert _status(f"{url}/ready") == 200
        server.send_signal(signal.SIGTERM)
        while _status(f"{url}/ready") == 200:
            assert server.poll() is None
        assert _status(f"{url}/ready") == 503
        assert _status(f"{url}/health") == 200
        assert _status(f"{url}/v1/segment", b"", content_type="image/png") == 422
        server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=60)
        assert server.returncode == 0
        assert log.rstrip().endswith("stopped")


def test_sigterm_as_soon_as_the_address_is_told_is_not_missed(tiny_onnx: Callable[..., Path]) -> None:
    with _served(tiny_onnx()) as (server, _):
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
        assert server.returncode == 0


def test_the_drain_ends_by_itself(tiny_onnx: Callable[..., Path]) -> None:
    with _served(tiny_onnx(), "--drain", "0.2") as (server, url):
        assert _status(f"{url}/ready") == 200
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
        assert server.returncode == 0


def test_the_token_comes_from_a_file_or_the_environment(
    tiny_onnx: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token, file = "0123456789abcdef", tmp_path / "token"
    file.write_text(f"{token}\n")
    for options, variables in ((("--token-file", str(file)), {}), ((), {"EDGESEG_TOKEN": token})):
        with _served(tiny_onnx(), *options, **variables) as (_, url):
            assert _status(f"{url}/docs") == 401
            assert _status(f"{url}/docs", authorization=f"Bearer {token}") == 200
    assert "cannot read the token" in _fails(capsys, str(tiny_onnx()), "--token-file", str(tmp_path / "none"))
    monkeypatch.setenv("EDGESEG_TOKEN", token)
    told = _fails(capsys, str(tiny_onnx()), "--token-file", str(file))
    assert "give one of them" in told
    assert token not in told
    monkeypatch.setenv("EDGESEG_TOKEN", "")
    assert "the token has 0 characters" in _fails(capsys, str(tiny_onnx()))


def test_what_a_library_says_of_a_damaged_file_is_not_in_the_log(
    tiny_onnx: Callable[..., Path], write_dicom: Callable[..., Path], scan_values: dict[str, Any]
) -> None:
    folder = write_dicom("flair", scan_values["flair"], description="AX FLAIR")
    whole = min(folder.iterdir()).read_bytes()
    with _served(tiny_onnx()) as (server, url):
        for end in (len(whole) - 100, *range(200, len(whole) - 2000, 40)):
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as target:
                target.writestr("a.dcm", whole[:end])
            start = b'--b\r\ncontent-disposition: form-data; name="dicom"; filename="Zyxwvu"\r\n\r\n'
            body = start + packed.getvalue() + b"\r\n--b--\r\n"
            assert _status(f"{url}/v1/segment", body, content_type="multipart/form-data; boundary=b") == 422
        server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=60)
    known = re.compile(
        r"\S+ [\d:,]+ ("
        r"INFO POST /v1/segment 422 [\d.]+ ms \d+ B in \d+ B out|INFO stopped|"
        r"(WARNING|ERROR) [a-z.]+ said something; its words may tell of a patient and are not kept)"
    )
    assert [line for line in log.splitlines() if not known.fullmatch(line)] == []


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
        (("--predict-route", "/ready"), "uses itself"),
        (("--drain", "-1"), "drain_s"),
        (("--origin", "*"), "origin"),
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
