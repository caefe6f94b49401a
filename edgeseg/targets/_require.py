"""Refusing early, with the name of what is missing."""

from __future__ import annotations

import importlib.util
import sys

from edgeseg.errors import MissingExtraError


def require(*modules: str, purpose: str) -> None:
    """Refuse early when an optional module is absent.

    Raises:
        MissingExtraError: naming the first one and the extra `build`.
    """
    for module in modules:
        if module not in sys.modules and importlib.util.find_spec(module) is None:
            raise MissingExtraError(module, "build", purpose)
