"""What the layers of a network take on a device, from `edgeseg bench --layers --json`, for any widths of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_json, read_document
from edgeseg.recipes.cut import Anatomy, Product
from edgeseg.results import LayersResult, LayerTime

LEAST_KNOWN = 0.9
"""The share of the arithmetic whose layers must stand in the file; the rest is taken to be as fast as those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Seconds that each product of a network takes for a multiply-accumulate, those on filled-up channels included.

    Attributes:
        rates: in the order of `Anatomy.products`.
        given: output channels that kernels compute at a time.
        taken: input channels likewise.
    """

    rates: tuple[float, ...]
    given: int
    taken: int

    def seconds(self, found: Anatomy, widths: Mapping[str, int]) -> float:
        """Return what the products of a network take at these widths."""
        pairs = zip(found.products, self.rates, strict=True)
        return sum(rate * self.filled(product, widths) for product, rate in pairs)

    def filled(self, product: Product, widths: Mapping[str, int]) -> int:
        """Return the multiply-accumulates of a product with its groups of channels filled up."""
        return product.work(widths, lanes=self.given, taken=self.taken)


def read_clock(path: Path, found: Anatomy, *, enlarge: tuple[float, float]) -> Clock:
    """Read what layers take, and find each product of a network among them by its arithmetic and its size.

    Args:
        path: what `edgeseg bench --layers --json` printed for a file of this network.
        found: the network's anatomy.
        enlarge: how many times as high, and as wide, slices are as those of `found`.

    Raises:
        OptionError: when the file cannot be read, or is of another network.
    """
    measured = _read(path)
    if all(layer.macs is None or layer.macs == 0 for layer in measured.layers):
        raise OptionError(
            f"{path} does not say what its layers compute; measure the .onnx or .tflite file of the network"
        )
    area = enlarge[0] * enlarge[1]
    clock = Clock(rates=(1.0,) * len(found.products), given=measured.channels_out, taken=measured.channels_in)
    times = [_time(product, found.widths, measured.layers, enlarge) for product in found.products]
    work = [clock.filled(product, found.widths) * area for product in found.products]
    pairs = [(seconds, done) for seconds, done in zip(times, work, strict=True) if seconds is not None]
    if sum(done for _, done in pairs) < LEAST_KNOWN * sum(work):
        missing = next(p for p, seconds in zip(found.products, times, strict=True) if seconds is None)
        raise OptionError(
            f"{path} was measured on another network: it has no layer of {_macs(missing, found.widths, enlarge):,} "
            f"multiply-accumulates at {' x '.join(map(str, _size(missing, enlarge)))}; measure a file of the network "
            "that is compressed: edgeseg bench --layers FILE --json > layers.json"
        )
    usual = sum(seconds for seconds, _ in pairs) / sum(done for _, done in pairs)
    rates = tuple(
        (usual if seconds is None else seconds / done) * area for seconds, done in zip(times, work, strict=True)
    )
    return Clock(rates=rates, given=clock.given, taken=clock.taken)


def _read(path: Path) -> LayersResult:
    try:
        return from_json(LayersResult, read_document(path))
    except OSError as error:
        raise OptionError(f"{path}: the times of layers cannot be read ({error.strerror}); check the path") from error
    except JsonFormatError as error:
        raise OptionError(
            f"{path}: {error}; the times of layers come from: edgeseg bench --layers FILE --json > layers.json"
        ) from error


def _time(
    product: Product, widths: Mapping[str, int], layers: tuple[LayerTime, ...], enlarge: tuple[float, float]
) -> float | None:
    """Return the mean of the layers of a product's kind; None where there is none."""
    macs, size = _macs(product, widths, enlarge), _size(product, enlarge)
    side = round(product.together**0.5)
    places = (
        size,
        tuple(length // side for length in size),
    )  # int8 formats compute a pixel's results before they spread
    alike = [
        layer.ms / 1e3
        for layer in layers
        if layer.macs == macs and any(place in (layer.shape[1:3], layer.shape[2:4]) for place in places)
    ]
    return sum(alike) / len(alike) if alike else None


def _macs(product: Product, widths: Mapping[str, int], enlarge: tuple[float, float]) -> int:
    return round(product.work(widths) * enlarge[0] * enlarge[1])


def _size(product: Product, enlarge: tuple[float, float]) -> tuple[int, ...]:
    return tuple(round(length * times) for length, times in zip(product.size, enlarge, strict=False))
