"""What the 8 bits of an ONNX int8 artifact mean, by build profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """What the 8 bits of one build profile mean; both profiles hold the same ranges.

    `unsigned` activations are those of int8 plus 128, the form that ONNX Runtime keeps in integers on x86 without being
    told. `weight_reach` is the largest weight: 64 leaves a bit unused, so that the sum of two products
    (2 x 255 x 64 = 32640) fits 16 bits and the kernels of x86 cannot saturate.
    """

    unsigned: bool
    weight_reach: int

    @property
    def reduced(self) -> bool:
        """Whether a bit of the weights is left unused."""
        return self.weight_reach < 127

    @property
    def offset(self) -> int:
        """What is added to an int8 code."""
        return 128 if self.unsigned else 0

    @property
    def dtype(self) -> type[np.int8 | np.uint8]:
        """NumPy's type of an activation."""
        return np.uint8 if self.unsigned else np.int8

    @property
    def quant_type(self) -> Any:
        """ONNX Runtime's type of an activation."""
        from onnxruntime.quantization import QuantType

        return QuantType.QUInt8 if self.unsigned else QuantType.QInt8

    def fixed(self, scale: float, zero_point: int) -> list[dict[str, Any]]:
        """Return the override that gives a value this scale and, for int8, this zero point."""
        return [
            {
                "quant_type": self.quant_type,
                "scale": np.array(scale, np.float32),
                "zero_point": np.array(zero_point + self.offset, self.dtype),
            }
        ]


CODES = {"arm": Codes(unsigned=False, weight_reach=127), "x86": Codes(unsigned=True, weight_reach=64)}
"""By build profile."""
