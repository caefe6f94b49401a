"""Get the Kaggle LGG set with the user's own credentials, through Kaggle's own client in a process of its own.

Everything happens in a hidden folder beside the destination; only a set that was downloaded whole, unpacked and
verified is moved to its place, in one step.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeseg.artifacts import make_dir
from edgeseg.data.kaggle_lgg import LICENCE, KaggleLgg
from edgeseg.data.patient_look import ERROR
from edgeseg.data.unpack import FOLDER, unpack
from edgeseg.data.verify import VerifyResult, verify_dataset
from edgeseg.errors import DatasetError, MissingExtraError, OutputError
from edgeseg.jsonio import parse_json, read_document
from edgeseg.progress import Progress, Say

DATASET = "mateuszbuda/lgg-mri-segmentation"

_CLIENT = "import sys; from kaggle.cli import main; sys.exit(main())"
_POLL_SECONDS = 0.5
_USERNAME, _KEY, _TOKEN = "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"
_HOW = (
    f"set {_USERNAME} and {_KEY}, or {_TOKEN}, or save the token that https://www.kaggle.com/settings makes as "
    "~/.kaggle/kaggle.json"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """What was fetched, where it is, and what verification said of it."""

    source: str
    licence: str
    path: str
    download_size_bytes: int
    verification: VerifyResult


def fetch(
    dest: Path,
    *,
    progress: Progress | None = None,
    say: Say | None = None,
) -> FetchResult:
    """Download the set to `dest/kaggle_3m`; it never asks anything.

    Args:
        dest: a folder that is absent or empty.
        progress: called with the bytes downloaded so far, about twice a second; how many there are is not known.
        say: called with `downloading`, `unpacking` and `verifying`.

    Raises:
        OutputError: when `dest` is taken or cannot be written.
        MissingExtraError: when Kaggle's client is not installed.
        DatasetError: when credentials are absent or refused, there is no network, or what came is not the set.
    """
    stage = say or (lambda _: None)
    require_free(dest)
    if importlib.util.find_spec("kaggle") is None:
        raise MissingExtraError("kaggle", "kaggle", "fetching the set from Kaggle")
    require_credentials(os.environ, Path.home())
    with staged_folder(dest) as temporary:
        stage("downloading")
        archive = _download(temporary, progress or (lambda _done, _total, _what: None))
        size_bytes = archive.stat().st_size
        stage("unpacking")
        unpack(archive, temporary)
        archive.unlink()
        stage("verifying")
        verification = verify_dataset(KaggleLgg(temporary))
        worst = next((finding for finding in verification.findings if finding.level == ERROR), None)
        if worst is not None:
            raise DatasetError(
                f"what came from Kaggle is damaged ({verification.errors} error(s), the first: {worst.where}: "
                f"{worst.message}); nothing was kept; fetch it again"
            )
    return FetchResult(
        source=f"https://www.kaggle.com/datasets/{DATASET}",
        licence=LICENCE,
        path=str(dest / FOLDER),
        download_size_bytes=size_bytes,
        verification=verification,
    )


def require_free(dest: Path) -> None:
    """Refuse a destination that is a file or a folder with something in it.

    Raises:
        OutputError: naming it.
    """
    if dest.is_dir():
        if any(dest.iterdir()):
            raise OutputError(f"{dest}: the folder is not empty; a data set is written into a new or empty folder")
    elif dest.exists() or dest.is_symlink():
        raise OutputError(f"{dest}: a file is in the way; give a new or empty folder")


def require_credentials(environment: os._Environ[str] | dict[str, str], home: Path) -> None:
    """Refuse to start without any of the credentials Kaggle's client reads; their values are not looked at.

    Raises:
        DatasetError: saying which part is absent and how to give it.
    """
    if environment.get(_TOKEN) or (environment.get(_USERNAME) and environment.get(_KEY)):
        return
    folders = [Path(given)] if (given := environment.get("KAGGLE_CONFIG_DIR")) else []
    folders += [home / ".kaggle", Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"]
    if any((home / ".kaggle" / name).is_file() for name in ("access_token", "access_token.txt", "credentials.json")):
        return
    for file in (folder / "kaggle.json" for folder in folders):
        if file.is_file():
            _require_keys(file)
            return
    present, absent = (_USERNAME, _KEY) if environment.get(_USERNAME) else (_KEY, _USERNAME)
    if environment.get(present):
        raise DatasetError(f"Kaggle credentials are incomplete: {present} is set and {absent} is not; {_HOW}")
    raise DatasetError(f"no Kaggle credentials: neither {_USERNAME}/{_KEY} nor ~/.kaggle/kaggle.json is there; {_HOW}")


def _require_keys(file: Path) -> None:
    try:
        content = parse_json(read_document(file))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}: the Kaggle credentials cannot be read as JSON; {_HOW}") from error
    absent = [key for key in ("username", "key") if not (isinstance(content, dict) and content.get(key))]
    if absent:
        raise DatasetError(f"{file}: the Kaggle credentials have no '{absent[0]}'; {_HOW}")


@contextlib.contextmanager
def staged_folder(dest: Path) -> Iterator[Path]:
    """Give an empty hidden folder beside `dest`; when the block ends well it becomes `dest`, else it is removed.

    Raises:
        OutputError: when the place cannot be written or the disk is full.
    """
    place = dest.resolve()
    make_dir(place.parent)
    try:
        temporary = place.parent / f".{place.name}-{secrets.token_hex(4)}"
        temporary.mkdir()
    except OSError as error:
        raise _output_error(dest, error) from error
    try:
        yield temporary
        temporary.replace(place)
    except OSError as error:
        raise _output_error(dest, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _download(folder: Path, progress: Progress) -> Path:
    """Run Kaggle's client without a terminal to ask on, and give the archive it wrote."""
    command = [sys.executable, "-c", _CLIENT, "datasets", "download", DATASET, "-p", str(folder), "-q"]
    archive = folder / f"{DATASET.rpartition('/')[2]}.zip"
    with tempfile.TemporaryFile() as log:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as client:
            try:
                while client.poll() is None:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        client.wait(_POLL_SECONDS)
                    progress(archive.stat().st_size if archive.is_file() else 0, None, archive.name)
            except BaseException:
                client.kill()
                raise
        log.seek(0)
        said = log.read().decode(errors="replace")
    if client.returncode != 0 or not archive.is_file():
        raise DatasetError(_diagnosis(said))
    progress(archive.stat().st_size, None, archive.name)
    return archive


def _diagnosis(said: str) -> str:
    """What Kaggle's client meant by its last words."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1][:200] if lines else "it said nothing"
    lower = said.lower()
    if any(
        sign in lower for sign in ("nameresolution", "failed to resolve", "max retries", "connectionerror", "timed out")
    ):
        return f"Kaggle cannot be reached ({last}); there is no network, or it is filtered; nothing was kept"
    if any(sign in lower for sign in ("401", "403", "unauthorized", "forbidden", "authentication required")):
        return f"Kaggle refused the credentials; make a new token and {_HOW}; nothing was kept"
    if "no space left" in lower:
        return "the disk is full; the set needs about 2 GB beside its destination; nothing was kept"
    if "modulenotfounderror" in lower or "importerror" in lower:
        return f"Kaggle's client does not start ({last}); install that, or run: pip install 'edgeseg[kaggle]'"
    return f"Kaggle's client failed ({last}); nothing was kept"


def _output_error(dest: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {dest}: {error.strerror or error}; free space or choose another place")
