from __future__ import annotations

import secrets

import pytest

from edgeseg.errors import OptionError
from edgeseg.specs import RunOptions, check_salt


@pytest.mark.parametrize(
    "salt",
    ["", " " * 40, "0" * 64, "clinic", "0123456789abcdef", "ab" * 40, "0846cbfff1b6bee660e133ccff2ce7", "a" * 15],
)
def test_a_salt_that_can_be_guessed_is_refused_and_not_shown(salt: str) -> None:
    with pytest.raises(OptionError, match="edgeseg key make") as raised:
        check_salt(salt)
    assert len(salt) < 10 or salt not in str(raised.value)
    with pytest.raises(OptionError):
        RunOptions(salt=salt)


def test_sixteen_random_bytes_are_enough() -> None:
    for _ in range(200):
        assert check_salt(salt := secrets.token_hex(16)) == salt
    assert RunOptions(salt="only for this test, all right").salt is not None
