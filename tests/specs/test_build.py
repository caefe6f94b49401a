"""What a build may be asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeseg.errors import OptionError
from edgeseg.specs import BuildSpec, VariantSpec


@pytest.mark.parametrize("author", ["two\nlines", "\x1b[31mred", "x" * 201], ids=["lines", "escape", "long"])
def test_an_author_is_a_name_on_one_line(author: str) -> None:
    with pytest.raises(OptionError, match="a name on one line is needed"):
        BuildSpec(variant=VariantSpec(), targets=("onnx-fp32",), out=Path("build"), author=author)
