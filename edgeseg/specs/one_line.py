"""Names that stand in tables, on pictures, in options and in files of masks: one line, none of it a command."""

from __future__ import annotations

from edgeseg.errors import OptionError


def check_names(what: str, names: tuple[str, ...]) -> None:
    """Refuse names that nobody could see or type, or that are a folder: line ends, control characters, signs alone.

    Folders are called after channels, where `..` is another folder, and `--volumes` takes `-` for no channel.

    Args:
        what: what they are names of, such as `channel`.
        names: as they were given.

    Raises:
        OptionError: for the first such name.
    """
    for name in names:
        if not (name.isprintable() and name == name.strip() and any(map(str.isalnum, name))):
            raise OptionError(
                f"a {what} is called {name[:70]!a}; a name is one line of characters that can be seen, a letter or "
                "digit among them, with no spaces around"
            )


def check_line(what: str, text: str) -> None:
    """Refuse text of several lines, or with characters that terminals take as commands; empty text is none.

    Raises:
        OptionError: with the text.
    """
    if not text.isprintable():
        raise OptionError(f"{what} is {text[:70]!a}; one line of characters that can be seen is needed")
