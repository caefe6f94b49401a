from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from edgeseg.service import engine
from edgeseg.service.refusal import REFUSALS
from edgeseg.specs import MAX_PREDICT_BYTES, SEGMENT_ROUTE

Call = Callable[..., httpx.Response]
Picture = Callable[..., bytes]
PNG = {"content-type": "image/png"}


def _bomb() -> bytes:
    """A PNG that claims 60000 x 60000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100))


def _huge_nifti() -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, 30000, 30000, 2, 1, 1, 1, 1)
    return bytes(head)


def _zip(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return packed.getvalue()


def _refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert "Traceback" not in answer.text
    assert "/tmp" not in answer.text
    return str(answer.json()["error"])


def test_a_packed_body_is_refused_by_what_it_is(call: Call, picture: Picture) -> None:
    whole = picture()
    packed = {**PNG, "content-encoding": "gzip"}
    assert "packed" in _refused(call("POST", SEGMENT_ROUTE, content=gzip.compress(whole), headers=packed), 415)
    as_it_is = {**PNG, "content-encoding": "identity"}
    assert call("POST", SEGMENT_ROUTE, content=whole, headers=as_it_is).status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", PNG, 422),
        (b"\x89PNG\r\n\x1a\n", PNG, 422),
        (_bomb(), PNG, 422),
        (b"{}", {"content-type": "application/json"}, 415),
        (b"{}", {}, 415),
        (b"x", {"content-type": "multipart/form-data"}, 400),
        (b"x", {"content-type": "multipart/form-data; boundary=a"}, 400),
    ],
)
def test_a_body_that_cannot_be_used(call: Call, content: bytes, headers: dict[str, str], status: int) -> None:
    _refused(call("POST", SEGMENT_ROUTE, content=content, headers=headers), status)


def test_a_truncated_picture_among_good_ones_is_named_by_its_place(call: Call, picture: Picture) -> None:
    sent = [("slices", ("Doe.png", data)) for data in (picture(), picture()[:60])]
    told = _refused(call("POST", SEGMENT_ROUTE, files=sent), 422)
    assert told.startswith("slice_002")
    assert "Doe" not in told


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({"unknown": b"x"}, 422),
        ({"pre": b"x"}, 422),
        ({"slices": b"x", "flair": b"x"}, 422),
        ({"flair": b"x"}, 422),
        ({"flair": gzip.compress(bytes(400))[:30]}, 422),
        ({"flair": gzip.compress(bytes(18 << 20))}, 413),
        ({"flair": _huge_nifti()}, 413),
        ({"dicom": b"x"}, 400),
        ({"dicom": _zip(a=b"no DICOM")}, 422),
        ({"dicom": _zip(a=bytes(18 << 20))}, 413),
    ],
)
def test_a_form_that_cannot_be_used(call: Call, files: dict[str, bytes], status: int) -> None:
    options = {"max_body_bytes": 1 << 20}
    _refused(call("POST", SEGMENT_ROUTE, files={k: ("f", v) for k, v in files.items()}, options=options), status)


def test_too_many_slices(call: Call, picture: Picture) -> None:
    sent = [("slices", ("a", picture()))] * 4
    assert "at most 2" in _refused(call("POST", SEGMENT_ROUTE, files=sent, options={"max_slices": 2}), 413)


@pytest.mark.parametrize("stated", [True, False])
def test_a_body_that_is_too_large_ends_early(call: Call, stated: bool) -> None:
    taken = []

    async def parts() -> Any:
        for number in range(100):
            taken.append(number)
            yield bytes(1 << 10)

    content = bytes(100 << 10) if stated else parts()
    _refused(call("POST", SEGMENT_ROUTE, content=content, headers=PNG, options={"max_body_bytes": 8 << 10}), 413)
    assert stated or len(taken) < 20


@pytest.mark.parametrize("query", ["masks=secret", "volume=secret", "spacing=secret", "spacing=1,nan", "spacing=0,0"])
def test_a_query_that_is_not_known(call: Call, picture: Picture, query: str) -> None:
    told = _refused(call("POST", f"{SEGMENT_ROUTE}?{query}", content=picture(), headers=PNG), 422)
    assert "secret" not in told


def test_masks_of_another_kind_of_input(call: Call, picture: Picture) -> None:
    told = _refused(call("POST", f"{SEGMENT_ROUTE}?masks=nifti", content=picture(), headers=PNG), 422)
    assert "NIfTI" in told


def _b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no", 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"instances": []}', 422),
        (b'{"instances": ["x"]}', 422),
        (b'{"instances": [{"b64": 1}]}', 422),
        (b'{"instances": [{"b64": "%%%"}]}', 422),
        (b'{"instances": [{"b64": ""}]}', 422),
        (b'{"instances": [{"b64": ""}], "parameters": []}', 422),
        (b'{"instances": [{"b64": ""}], "parameters": {"masks": "nifti"}}', 422),
        (json.dumps({"instances": [{"b64": "aa=="}] * 300}).encode(), 413),
        (b" " * (MAX_PREDICT_BYTES + 1), 413),
    ],
)
def test_instances_that_cannot_be_used(call: Call, body: bytes, status: int) -> None:
    _refused(call("POST", "/predict", content=body, headers={"content-type": "application/json"}), status)


def test_a_request_of_another_type_for_instances(call: Call) -> None:
    _refused(call("POST", "/predict", content=b"{}", headers={"content-type": "text/plain"}), 415)


def test_unknown_routes_and_methods(call: Call) -> None:
    _refused(call("GET", "/Jane_Doe"), 404)
    answer = call("GET", SEGMENT_ROUTE)
    _refused(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_a_model_that_fails_is_unavailable(call: Call, picture: Picture) -> None:
    options = {"model": {"weights": (float("nan"), 1.0, 1.0)}}
    answer = call("POST", SEGMENT_ROUTE, content=picture(), headers=PNG, options=options)
    _refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


def test_a_fault_of_our_own_is_one_error_and_its_words_are_not_logged(
    call: Call, picture: Picture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_given: Any, **_named: Any) -> None:
        raise KeyError("Jane Doe")

    monkeypatch.setattr(engine, "segment_case", fail)
    with caplog.at_level(logging.INFO, "edgeseg.service"):
        answer = call("POST", SEGMENT_ROUTE, content=picture(), headers=PNG)
    _refused(answer, 500)
    assert "KeyError" in caplog.text
    assert "Jane" not in caplog.text + answer.text


def test_the_log_says_nothing_of_patients(call: Call, picture: Picture, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "edgeseg"):
        call(
            "POST", f"{SEGMENT_ROUTE}?patient=Jane", files={"slices": ("Doe.png", picture())}, headers={"x-id": "4711"}
        )
        call("GET", "/Doe/4711")
    lines = [record.getMessage() for record in caplog.records if record.name == "edgeseg.service"]
    assert lines[0].startswith(f"POST {SEGMENT_ROUTE} 200 ")
    assert lines[1].startswith("GET (other) 404 ")
    assert not any(word in "".join(lines) for word in ("Jane", "Doe", "4711"))


def test_every_refusal_is_described() -> None:
    assert np.all(np.diff(sorted(REFUSALS)) > 0)
    assert all(text and not text.endswith(".") for text in REFUSALS.values())
