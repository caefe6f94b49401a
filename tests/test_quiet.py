"""Keeping libraries quiet."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from edgeseg.quiet import quiet


def test_threads_leave_stderr_as_it_was() -> None:
    def work(_: int) -> None:
        with quiet((2,)):
            os.write(2, b"chatter\n")

    before = os.fstat(2)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    after = os.fstat(2)
    assert (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino)


def test_what_c_code_prints_goes_to_the_log(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="edgeseg.quiet"), quiet():
        os.write(1, b"to stdout\n")
        os.write(2, b"to stderr\n")
    assert capfd.readouterr() == ("", "")
    assert "to stdout\nto stderr" in caplog.text


def test_only_the_descriptors_named_are_redirected(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet((2,)):
        os.write(1, b"a result\n")
        os.write(2, b"chatter\n")
    assert capfd.readouterr() == ("a result\n", "")


def test_the_streams_come_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), quiet():
        raise ValueError("no")
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
