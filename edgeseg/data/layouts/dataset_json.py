"""`dataset.json` of nnU-Net and of the Medical Segmentation Decathlon: channels, labels, files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.data.labels import Labels, chosen
from edgeseg.data.sequence_names import channel_names
from edgeseg.errors import DatasetError, OptionError
from edgeseg.jsonio import JsonFormatError, parse_json, read_document
from edgeseg.specs import ChannelSet, Region, channel_set, check_regions

FILE = "dataset.json"
BACKGROUND, IGNORE = "background", "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetJson:
    """What such a file says."""

    path: Path
    content: dict[str, Any]

    @classmethod
    def read(cls, root: Path) -> DatasetJson:
        """Read that of a data set.

        Raises:
            DatasetError: when it is missing, or no JSON object.
        """
        path = root / FILE
        try:
            content = parse_json(read_document(path))
        except OSError as error:
            raise DatasetError(f"{path}: cannot be read ({error.strerror}); this layout needs it") from error
        except JsonFormatError as error:
            raise DatasetError(f"{path}: {error}; save it as JSON") from error
        if not isinstance(content, dict):
            raise DatasetError(f"{path}: it is no JSON object; see its format at nnU-Net or the Decathlon")
        return cls(path=path, content=content)

    @property
    def newer(self) -> bool:
        """Whether it is that of nnU-Net's second version."""
        return "channel_names" in self.content

    @property
    def file_ending(self) -> str:
        """The ending of all files, with its dot; `.nii.gz` where nothing is said."""
        ending = self.content.get("file_ending", ".nii.gz")
        if not isinstance(ending, str) or not ending.startswith(".") or "/" in ending:
            raise DatasetError(
                f"{self.path}: file_ending is {ending!r}; an ending such as '.nii.gz' or '.png' is needed"
            )
        return ending

    def channels(self) -> ChannelSet:
        """The channels, in the order of their numbers.

        Raises:
            DatasetError: when they are missing, or not numbered from 0 on.
        """
        key = "channel_names" if self.newer else "modality"
        found = self.content.get(key)
        numbers = [str(number) for number in range(len(found))] if isinstance(found, dict) else []
        named = isinstance(found, dict) and all(isinstance(name, str | int) for name in found.values())
        if not isinstance(found, dict) or not found or not named or sorted(found) != sorted(numbers):
            raise DatasetError(
                f'{self.path}: {key} is missing or wrong; give each channel, such as {{"0": "T1", "1": "T2"}}'
            )
        try:
            return channel_set(channel_names(tuple(str(found[number]) for number in numbers)))
        except OptionError as error:
            raise DatasetError(f"{self.path}: {key}: {error}") from error

    def labels(self, asked: str | None) -> Labels:
        """What masks tell apart: what is asked for, else each label that the file names.

        Raises:
            DatasetError: when it names none, or some in a way that cannot be used.
            OptionError: for labels asked for that cannot be read.
        """
        found = self.content.get("labels")
        if not isinstance(found, dict) or not found:
            raise DatasetError(f'{self.path}: labels are missing; give them, such as {{"background": 0, "tumour": 1}}')
        named = {str(value): int(key) for key, value in found.items()} if all(map(_is_number, found)) else found
        if IGNORE in named:
            raise DatasetError(
                f"{self.path}: it has a label '{IGNORE}', which edgeseg does not know; give each voxel a label, and "
                "take it out"
            )
        regions = [Region(name=name, values=_values(self.path, name, value)) for name, value in named.items()]
        regions = [region for region in regions if region.values != (0,)]
        try:
            check_regions(regions, str(self.path))
        except OptionError as error:
            raise DatasetError(str(error)) from error
        if not regions:
            raise DatasetError(f"{self.path}: labels name the background alone; name what is to be found")
        named_so = tuple(Region(name=_word(region.name), values=region.values) for region in regions)
        words = [region.name for region in named_so]
        if odd := [region.name for region in regions if not _word(region.name) or words.count(_word(region.name)) > 1]:
            raise DatasetError(
                f"{self.path}: labels {', '.join(map(repr, odd))} have no names of their own in small letters, digits "
                "and dashes, as commands take them; rename them"
            )
        known = frozenset(value for region in regions for value in region.values)
        return chosen(Labels(regions=named_so, known=known), asked, str(self.path))


def _is_number(text: str) -> bool:
    return re.fullmatch("[0-9]{1,6}", text) is not None


def _values(path: Path, name: str, value: object) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, int) and not isinstance(one, bool) for one in values):
        raise DatasetError(f"{path}: label '{name}' is {value!r}; a whole number or a list of them is needed")
    return tuple(values)


def _word(name: str) -> str:
    """The name as `--labels` can say it: what is neither letter, digit, dot nor underscore becomes a dash."""
    return "-".join(filter(None, re.split(r"[^\w.]+", name.lower()))).lstrip(".")
