"""Model files taken apart: contract, operations, weights, and where the bytes went."""

from __future__ import annotations

from edgeseg.stages.inspect.attach import attach, check_contract, write_beside
from edgeseg.stages.inspect.inspect import inspect
from edgeseg.stages.inspect.size_ledger import size_ledger
from edgeseg.stages.inspect.template import contract_template, draft_contract

__all__ = [
    "attach",
    "check_contract",
    "contract_template",
    "draft_contract",
    "inspect",
    "size_ledger",
    "write_beside",
]
