"""Networks that stay ONNX graphs, since they hold what no Keras network of edgeseg does."""

from __future__ import annotations

from edgeseg.foreign.graph.bounds import takes_bytes
from edgeseg.foreign.graph.draft import Draft, Shaped
from edgeseg.foreign.graph.head import GraphHead, look_at, one_logit
from edgeseg.foreign.graph.network import graph_network

__all__ = ["Draft", "GraphHead", "Shaped", "graph_network", "look_at", "one_logit", "takes_bytes"]
