"""Model files taken apart: contract, operations, weights, and where the bytes went."""

from __future__ import annotations

from edgeseg.stages.inspect.inspect import inspect
from edgeseg.stages.inspect.size_ledger import size_ledger
from edgeseg.stages.inspect.template import contract_template

__all__ = [
    "contract_template",
    "inspect",
    "size_ledger",
]
