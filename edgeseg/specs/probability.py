"""Which probabilities can be told from 0 and from 1."""

from __future__ import annotations

LEAST_THRESHOLD = 1e-15
"""How far a threshold is from 0 and from 1 at least: nearer to them logits of probabilities are infinite."""
