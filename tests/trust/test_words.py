"""What a reader is told of an odd input is said in the same words by every runner."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeseg.stages.segment.odd_input import odd_input
from edgeseg.trust import COPIED, MISSING, SAID, Oddity

ROOT = Path(__file__).resolve().parents[2]
PAGE = "".join((ROOT / "web" / "src" / name).read_text() for name in ("core/input-look.ts", "worker/odd-input.ts"))
APP = (ROOT / "android-demo/app/src/main/res/values/strings.xml").read_text()


@pytest.mark.parametrize("sign", SAID)
def test_a_sign_is_said_alike_on_the_page_and_in_the_app(sign: str) -> None:
    assert f'"{SAID[sign]}"' in PAGE
    clause = SAID[sign].replace("'", r"\'")
    for place, name in enumerate(("{0}", "{1}"), 1):
        clause = clause.replace(name, rf"\'%{place}$s\'")
    assert f">{clause}</string>" in APP


@pytest.mark.parametrize("kind", [COPIED, MISSING, "blurred"])
def test_so_is_what_it_means(kind: str) -> None:
    odd = odd_input(Oddity(kind=kind, channels=(), what="WHAT"), ())
    assert odd is not None
    means = odd.told.removeprefix("the input looks odd: WHAT; ")
    assert f'"{means}"' in PAGE
    assert f">{means}</string>" in APP
