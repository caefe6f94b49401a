"""What `/v1/segment` is sent: one picture, or a form with several, with NIfTI files or with a zip of DICOM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from edgeseg.errors import DatasetError, OptionError
from edgeseg.service.refusal import BAD_REQUEST, TOO_LARGE, UNUSABLE, WRONG_TYPE, Refusal
from edgeseg.service.scans import Upload, Wish
from edgeseg.specs import MASK_FORMATS, ChannelSet, RunOptions, ServeOptions, parse_spacing

MASKS = ("png", "rle", "none", *(name for name in MASK_FORMATS if name not in ("png", "tiff")))
PICTURES = ("image/png", "image/tiff", "image/jpeg")
FORM = "multipart/form-data"
SLICES, STUDY = "slices", "dicom"


class _InMemory(MultiPartParser):
    """Keeps files in memory, which the gate has bounded; by itself it would write larger ones to the disk."""

    spool_max_size = 1 << 40


async def read_upload(request: Request, options: ServeOptions, channels: ChannelSet) -> Upload:
    """Read a body; a form may have a field for each of the network's channels.

    Raises:
        Refusal: when it is of another type, damaged, or holds what the service does not take.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in PICTURES:
        return Upload(slices=(await request.body(),))
    if kind != FORM:
        raise Refusal(WRONG_TYPE, f"the body is of another type; send one of: {', '.join((*PICTURES, FORM))}")
    parser = _InMemory(request.headers, request.stream(), max_files=options.max_slices + 1, max_fields=0)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise _too_many(options) from error
        raise Refusal(
            BAD_REQUEST, f"the form cannot be read; it is damaged, or a field is no file; {_rule(channels)}"
        ) from error
    try:
        return await _upload(form.multi_items(), options, channels)
    finally:
        await form.close()


async def _upload(items: list[tuple[str, Any]], options: ServeOptions, channels: ChannelSet) -> Upload:
    found: dict[str, list[bytes]] = {}
    rule = _rule(channels)
    for name, item in items:
        if name not in (SLICES, STUDY, *channels.names) or not isinstance(item, UploadFile):
            raise Refusal(UNUSABLE, f"the form has a field that is not known; {rule}")
        found.setdefault(name, []).append(await item.read())
    kinds = [SLICES in found, STUDY in found, any(name in found for name in channels.names)]
    if sum(kinds) != 1:
        raise Refusal(UNUSABLE, f"the form holds {'nothing' if not any(kinds) else 'more than one scan'}; {rule}")
    if any(len(files) > 1 for name, files in found.items() if name != SLICES):
        raise Refusal(UNUSABLE, f"a field other than '{SLICES}' is there twice; {rule}")
    if kinds[2]:
        try:
            channels.require(found, "the form")
        except DatasetError as error:
            raise Refusal(UNUSABLE, str(error).partition("; name it with")[0]) from error
    if len(found.get(SLICES, ())) > options.max_slices:
        raise _too_many(options)
    return Upload(
        slices=tuple(found.get(SLICES, ())),
        sequences={name: found[name][0] for name in channels.names if name in found},
        study=found[STUDY][0] if STUDY in found else None,
    )


def read_wish(masks: str, *, volume: bool, spacing: str | None, series: Mapping[str, str] | None = None) -> Wish:
    """Read what a client decides.

    Raises:
        Refusal: when there is no such form of masks, or a spacing is none.
    """
    if masks not in MASKS:
        raise Refusal(UNUSABLE, f"masks are asked for in a form that is not known; choose one of: {', '.join(MASKS)}")
    try:
        spacing_mm = parse_spacing(spacing) if spacing else None
        RunOptions(spacing_mm=spacing_mm)
    except OptionError as error:
        raise Refusal(
            UNUSABLE,
            "spacing is two or three distances between 0.01 and 100 mm, of rows, columns and slices: 0.94,0.94,5",
        ) from error
    asked = {name: text for name, text in (series or {}).items() if text}
    return Wish(masks=masks, volume=volume, spacing_mm=spacing_mm, series=asked)


def _too_many(options: ServeOptions) -> Refusal:
    return Refusal(TOO_LARGE, f"at most {options.max_slices} files are taken at a time; send fewer")


def _rule(channels: ChannelSet) -> str:
    others = [f"'{name}'" for name in channels.names if name != channels.reference]
    beside = f" with {' and '.join(others)}" if others else ""
    return (
        f"a form holds files named '{SLICES}' (one or more pictures), or '{channels.reference}'{beside} (NIfTI), or "
        f"'{STUDY}' (a zip of one study)"
    )
