"""Train PyTorch networks as others have them, and export them to ONNX.

    pip install torch segmentation-models-pytorch onnx onnxscript pillow
    python benchmarks/foreign/torch_nets.py --data DIR --out DIR

- `buda`: a U-Net shaped as the public one for these data (batch normalisation, sigmoid), on volumes with z-scores.
- `smp-unet`, `smp-deeplab`: those of segmentation-models-pytorch on a light encoder, logits.
- `nnunet`: a 2-D plan of nnU-Net: strided convolutions, instance normalisation, leaky ReLU, deep supervision, two
  classes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import torch
from torch import nn


class Buda(nn.Module):
    """Four levels of two convolutions with batch normalisation; ends in a sigmoid."""

    def __init__(self, features: int = 8) -> None:
        """Lay the layers."""
        super().__init__()
        widths = [features * 2**level for level in range(5)]
        self.down = nn.ModuleList(self._block(a, b) for a, b in zip([3, *widths[:3]], widths[:4], strict=True))
        self.deep = self._block(widths[3], widths[4])
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in reversed(widths[:4]))
        self.join = nn.ModuleList(self._block(2 * w, w) for w in reversed(widths[:4]))
        self.head = nn.Conv2d(features, 1, 1)

    @staticmethod
    def _block(given: int, made: int) -> nn.Sequential:
        steps: list[nn.Module] = []
        for before in (given, made):
            steps += [nn.Conv2d(before, made, 3, padding=1, bias=False), nn.BatchNorm2d(made), nn.ReLU(inplace=True)]
        return nn.Sequential(*steps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(N, 3, S, S)` -> probabilities `(N, 1, S, S)`."""
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.deep(x)
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat((up(x), kept.pop()), dim=1))
        return torch.sigmoid(self.head(x))


class PlainConvUNet(nn.Module):
    """A 2-D plan: strided convolutions, instance normalisation, leaky ReLU, a head on every level of the decoder."""

    def __init__(self, widths: tuple[int, ...] = (8, 16, 32, 64)) -> None:
        """Lay the layers."""
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(self._conv(a, b, 1 if i == 0 else 2), self._conv(b, b))
            for i, (a, b) in enumerate(zip((3, *widths), widths, strict=False))
        )
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairs)
        self.join = nn.ModuleList(nn.Sequential(self._conv(2 * b, b), self._conv(b, b)) for _, b in pairs)
        self.heads = nn.ModuleList(nn.Conv2d(b, 2, 1) for _, b in pairs)

    @staticmethod
    def _conv(given: int, made: int, stride: int = 1) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(given, made, 3, stride, 1), nn.InstanceNorm2d(made, affine=True), nn.LeakyReLU(0.01)
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """`(N, 3, S, S)` -> logits of two classes on every level, the finest first."""
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
        kept.pop()
        found = []
        for up, join, head in zip(self.up, self.join, self.heads, strict=True):
            x = join(torch.cat((up(x), kept.pop()), dim=1))
            found.append(head(x))
        return tuple(reversed(found))


def _smp(kind: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        import segmentation_models_pytorch as smp

        if kind == "unet":
            return smp.Unet("mobilenet_v2", encoder_weights=None, decoder_channels=(64, 32, 24, 16, 8))
        return smp.DeepLabV3Plus("mobilenet_v2", encoder_weights=None, decoder_channels=64)

    return make


RATE = 3e-3
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "buda": Buda,
    "smp-unet": _smp("unet"),
    "smp-deeplab": _smp("deeplab"),
    "nnunet": PlainConvUNet,
}
NEWER = ("buda", "smp-deeplab")
"""Written by the newer exporter of PyTorch."""


def margin(output: Any) -> torch.Tensor:
    """Logits of tumour against everything else, `(N, S, S)`, from whatever a network gives."""
    first = output[0] if isinstance(output, tuple) else output
    return first[:, 1] - first[:, 0] if first.shape[1] == 2 else first[:, 0]


def loss(name: str, output: Any, mask: torch.Tensor) -> torch.Tensor:
    """Cross-entropy and soft Dice."""
    shown = margin(output)
    logits = torch.logit(shown.clamp(1e-6, 1 - 1e-6)) if name == "buda" else shown
    p = torch.sigmoid(logits)
    dice = 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
    return nn.functional.binary_cross_entropy_with_logits(logits, mask) + dice


def train(name: str, slices: common.Slices, given: argparse.Namespace) -> nn.Module:
    """Train a network for some seconds."""
    torch.manual_seed(0)
    model = NETWORKS[name]().to(memory_format=torch.channels_last)
    values = common.z_scored(slices) if name in ("buda", "nnunet") else common.unit(slices)
    masks = slices.masks.astype("float32")
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    steps = 0
    for places, gone in common.batches(slices, given.seconds):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - gone) ** 0.9
        image, mask = (torch.from_numpy(array) for array in common.flipped(places, values, masks))
        optimiser.zero_grad()
        error = loss(name, model(image.permute(0, 3, 1, 2)), mask)
        error.backward()
        optimiser.step()
        steps += 1
        if steps % 100 == 0:
            print(f"{name}: {steps} steps, loss {float(error):.3f}", flush=True)
    common.note(given.out, name, steps=steps, seconds=given.seconds, side=values.shape[1])
    return model.to(memory_format=torch.contiguous_format).eval()


def export(name: str, model: nn.Module, out: Path) -> None:
    """Write it with one of PyTorch's two exporters: the older one, or the newer with the weights in a file beside."""
    image, path = torch.zeros(1, 3, common.SIDE, common.SIDE), out / f"{name}.onnx"
    newer = name in NEWER
    torch.onnx.export(model, (image,), str(path), dynamo=newer, external_data=newer, opset_version=18 if newer else 17)


def main() -> None:
    """Train and export the networks that were asked for."""
    given = common.options(__doc__ or "", tuple(NETWORKS))
    slices = common.read(common.patients(given.data)[0])
    for name in given.names:
        export(name, train(name, slices, given), given.out)


if __name__ == "__main__":
    main()
