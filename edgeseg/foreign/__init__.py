"""Networks that others trained, read from the files that they come in."""

from __future__ import annotations

from edgeseg.foreign.contract_file import ForeignContract, of_artifact, read_foreign_contract, write_contract_toml
from edgeseg.foreign.feeding import check_fed, fed, targets_on_grid, to_size
from edgeseg.foreign.network import ForeignNetwork, complete, read_network, rebuild, source_files
from edgeseg.foreign.onnx_file import OnnxGraph, read_onnx_graph
from edgeseg.foreign.onnx_keras import keras_network
from edgeseg.foreign.original import OriginalPredictor
from edgeseg.foreign.recognise import Kind, is_foreign, recognise
from edgeseg.foreign.reference import open_original

__all__ = [
    "ForeignContract",
    "ForeignNetwork",
    "Kind",
    "OnnxGraph",
    "OriginalPredictor",
    "check_fed",
    "complete",
    "fed",
    "is_foreign",
    "keras_network",
    "of_artifact",
    "open_original",
    "read_foreign_contract",
    "read_network",
    "read_onnx_graph",
    "rebuild",
    "recognise",
    "source_files",
    "targets_on_grid",
    "to_size",
    "write_contract_toml",
]
