"""The documentation: nothing generated is stale, no link leads nowhere, and no command in it is made up."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from edgeseg.specs import CHANNELS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OUTSIDE = [
    ROOT / name
    for name in (
        "README.md",
        "AGENTS.md",
        "examples/README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "android-demo/README.md",
        "benchmarks/README.md",
        "calibration/README.md",
        "models/README.md",
        "tests/golden/README.md",
    )
]
# of docs/measured; the command that writes a page gives it its opening
WRITTEN_BY_A_COMMAND = {"claims.md", "device-evidence.md", "calibration.md"}
OF_SCRIPTS = {"training-speed.md": {"--cores", "--backends"}}  # options of benchmarks/training.py
_FENCE = re.compile(r"^ *```.*?^ *```", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z0-9-]*)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
each_text = pytest.mark.parametrize("page", [*PAGES, *OUTSIDE], ids=lambda path: str(path.relative_to(ROOT)))


def _anchors(page: Path) -> set[str]:
    """What GitHub and MkDocs make of the headings of a page; a heading on which they differ is no good target."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _commands(page: Path) -> list[tuple[str, set[str]]]:
    """Each `edgeseg COMMAND ...` of a page's console blocks, and the options it is given."""
    found = []
    for block in re.findall(r"^ *```console\n(.*?)^ *```", page.read_text(), flags=re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = line.split(" # ")[0].replace("$ ", "").strip()
            if told := re.search(r"(?:^|[ /])edgeseg ((?:data |node (?=[a-z]+ ))?[a-z][a-z-]*)(.*?)(?:&&|\||$)", words):
                found.append((told[1], set(_OPTION.findall(told[2]))))
    return found


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """The options of every command, as the generated page has them."""
    sections = re.split(r"^##+ `edgeseg ", (DOCS / "reference" / "commands.md").read_text(), flags=re.MULTILINE)[1:]
    return {section.split("`")[0]: set(_OPTION.findall(section)) for section in sections}


@pytest.mark.parametrize("name", ["commands.md", "python.md", "schemas.md", "targets.md"])
def test_a_generated_page_is_current(name: str, script: Callable[[Path], ModuleType]) -> None:
    pages = script(ROOT / "tools" / "reference.py").PAGES
    assert sorted(pages) == ["commands.md", "python.md", "schemas.md", "targets.md"]
    assert (DOCS / "reference" / name).read_text() == pages[name](), "stale; run: make reference"


@each_text
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(re.sub(r"`[^`\n]*`(?!\])", "", _FENCE.sub("", page.read_text()))):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
        if page.is_relative_to(DOCS) and not target.is_relative_to(DOCS):  # the site has no such file
            broken.append(link)
    assert broken == []


@each_page
def test_a_page_opens_with_what_it_is_for(page: Path) -> None:
    title, opening = re.sub(r"<!--.*?-->\n\n", "", page.read_text()).split("\n\n")[:2]
    assert re.fullmatch(r"# .+", title)
    if page.name not in WRITTEN_BY_A_COMMAND or page.parent.name != "measured":
        assert opening.startswith("This page "), opening
        assert len(re.findall(r"[.!?](?:\s|$)", opening)) == 1, "one sentence"


@each_page
def test_the_index_leads_to_every_page(page: Path) -> None:
    name = page.relative_to(DOCS).as_posix()
    assert name == "index.md" or f"]({name})" in (DOCS / "index.md").read_text()


@each_text
def test_a_command_in_a_text_exists_with_its_options(page: Path, options: dict[str, set[str]]) -> None:
    wrong = [(name, given - options.get(name, set())) for name, given in _commands(page) if not name.startswith("-")]
    assert [(name, given) for name, given in wrong if given or name not in options] == []


@each_text
def test_an_option_in_a_sentence_exists(page: Path, options: dict[str, set[str]]) -> None:
    known = set().union(*options.values()) | {"--version", "--debug"} | OF_SCRIPTS.get(page.name, set())
    codes = re.findall(r"`((?:--|edgeseg )[^`\n]+)`", _FENCE.sub("", page.read_text()))
    known |= {f"--{channel}{end}" for channel in CHANNELS for end in ("", "-series")}  # any channel is one, in `run`
    assert {option for code in codes for option in _OPTION.findall(code)} - known == set()


def test_some_commands_are_found() -> None:
    assert sum(len(_commands(page)) for page in PAGES) > 50


def test_code_names_no_page_that_is_not_there() -> None:
    files = [
        path
        for folder, ends in (
            ("edgeseg", ".py"),
            ("tests", ".py"),
            ("benchmarks", ".py"),
            ("benchmarks", ".toml"),
            ("android-demo/app/src", ".kt"),
        )
        for path in (ROOT / folder).rglob(f"*{ends}")
    ]
    assert len(files) > 200
    named = re.compile(r"docs/[\w/-]+\.(?:md|json)")
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*files, *PAGES, *OUTSIDE]
        for name in named.findall(path.read_text())
        if not (ROOT / name).is_file()
    }
    assert missing == set()
