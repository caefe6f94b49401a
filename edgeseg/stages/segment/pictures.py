"""Pictures for the eye: one channel with the mask drawn on it, slice by slice and as one contact sheet."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgeseg.specs import INTENDED_USE, Contract, MaskRegion, colours
from edgeseg.stages.segment.masks import save_png

OVERLAY_ENDING, SHEET_ENDING, OVERLAYS = "_overlay", "_contact_sheet", "overlays"
_TINT_SHARE, _OUTLINE = 0.25, (255, 60, 40)
_TILE_PX, _TILES, _COLUMNS, _FOOT_PX = 160, 60, 8, 18


def channel_shown(contract: Contract, channels: tuple[str, ...]) -> str:
    """Name the channel that masks are drawn on: the one on whose grid they lie, or the first where it is not there."""
    reference = contract.channel_set.reference
    return reference if reference in channels else channels[0]


def overlay(
    grey: NDArray[np.uint8], mask: NDArray[np.bool_], regions: tuple[MaskRegion, ...] = ()
) -> NDArray[np.uint8]:
    """Draw a mask on a channel: `(h, w) uint8` and `(h, w) bool` to `(h, w, 3) uint8` RGB, tinted with an outline.

    Of several regions the masks are `(h, w, R)`, drawn one after another in their colours.
    """
    drawn = np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if not regions:
        return _draw(drawn, mask, _OUTLINE)
    for number, colour in enumerate(colours(regions)):
        _draw(drawn, mask[..., number], colour)
    return drawn


def _draw(drawn: NDArray[np.uint8], mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    tint = np.array(colour, np.float32)
    drawn[mask] = (drawn[mask] * (1 - _TINT_SHARE) + tint * _TINT_SHARE).astype(np.uint8)
    padded = np.pad(mask, 1)
    within = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    drawn[mask & ~within] = colour
    return drawn


class Pictures:
    """`overlays/<slice>_overlay.png` and `<patient>_contact_sheet.png`; a sheet shows at most 60 slices."""

    def __init__(
        self,
        folder: Path,
        patient: str,
        slices: int,
        pixel_mm: tuple[float, float] | None,
        regions: tuple[MaskRegion, ...] = (),
        *,
        sheet_alone: bool = False,
    ) -> None:
        """Write into `folder`, which is there; `sheet_alone` leaves the picture of each slice out."""
        self._regions, self._sheet_alone = regions, sheet_alone
        self._folder, self._patient, self._pixel_mm = folder / OVERLAYS, patient, pixel_mm or (1.0, 1.0)
        self._sheet_path = folder / f"{patient}{SHEET_ENDING}.png"
        if not sheet_alone:
            self._folder.mkdir(exist_ok=True)
        self._shown = {int(i): tile for tile, i in enumerate(np.unique(np.linspace(0, slices - 1, _TILES).astype(int)))}
        columns = min(_COLUMNS, len(self._shown))
        rows = math.ceil(len(self._shown) / columns)
        self._columns = columns
        self._sheet = Image.new("RGB", (max(columns * _TILE_PX, 3 * _TILE_PX), rows * _TILE_PX + _FOOT_PX))

    def add(self, index: int, name: str, grey: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
        """Write one overlay, and put it on the sheet; `(h, w) uint8`, with its mask as `overlay` takes it."""
        if self._sheet_alone and index not in self._shown:
            return
        drawn = Image.fromarray(overlay(grey, mask, self._regions))
        if not self._sheet_alone:
            save_png(drawn, self._folder / f"{name}{OVERLAY_ENDING}.png")
        if index not in self._shown:
            return
        high, wide = grey.shape[0] * self._pixel_mm[0], grey.shape[1] * self._pixel_mm[1]
        share = (_TILE_PX - 2) / max(high, wide)
        small = drawn.resize((max(1, round(wide * share)), max(1, round(high * share))), Image.Resampling.BILINEAR)
        row, column = divmod(self._shown[index], self._columns)
        self._sheet.paste(small, (column * _TILE_PX, row * _TILE_PX))
        label = f"{index + 1}: tumour" if mask.any() else f"{index + 1}"
        ImageDraw.Draw(self._sheet).text((column * _TILE_PX + 3, row * _TILE_PX + 2), label, fill=(255, 220, 120))

    def finish(self) -> tuple[Path, ...]:
        """Write the sheet."""
        foot, pen, start = self._sheet.height - _FOOT_PX + 3, ImageDraw.Draw(self._sheet), 4.0
        for region, colour in zip(self._regions, colours(self._regions), strict=True):
            pen.text((start, foot), region.name, fill=colour)
            start += pen.textlength(f"{region.name}  ")
        pen.text((start, foot), INTENDED_USE, fill=(255, 255, 255))
        save_png(self._sheet, self._sheet_path)
        return (self._sheet_path,)
