"""The targets that `--target` names."""

from __future__ import annotations

from edgeseg.errors import OptionError


def named_targets(given: list[str] | None) -> tuple[str, ...]:
    """Return the names in `--target`, which may be repeated and hold several with commas.

    Raises:
        OptionError: when there are none.
    """
    names = tuple(name.strip() for item in given or () for name in item.split(",") if name.strip())
    if not names:
        raise OptionError(
            "--target names no file to make; give one, such as --target tflite-int8, --target int8 for all of that "
            "kind, or --target all; see 'edgeseg targets'"
        )
    return names
