"""What a DICOM node is told: where it listens and to whom, where results go, and what it bounds."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from edgeseg.errors import OptionError

DICOM, STOW, FOLDER = "dicom", "stow", "folder"
SEG, REPORT, CAPTURE = "seg", "sr", "sc"
RESULT_KINDS = (SEG, REPORT, CAPTURE)
"""Segmentation, structured report and secondary capture, in the order in which they are sent."""
_TITLE = re.compile(r"[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_LEAST = {
    "port": (0, 65535), "silence_s": (0.1, 3600), "threads": (1, 64), "associations": (1, 64),
    "object_mb": (1, 2048), "disk_mb": (10, 1 << 24), "free_mb": (0, 1 << 24), "idle_s": (1, 3600),
    "association_s": (1, 86400), "attempts": (1, 20), "backoff_s": (0.1, 3600), "give_up_h": (0.01, 8760),
    "keep_sent_h": (0, 87600), "keep_failed_h": (0, 87600), "keep_rows_d": (1, 3650), "health_port": (0, 65535),
}  # fmt: skip


def check_title(title: str, what: str) -> str:
    """Return an AE title: 1 to 16 characters of ASCII without backslash, no space at its ends.

    Raises:
        OptionError: for any other text.
    """
    if not _TITLE.fullmatch(title):
        raise OptionError(
            f"{what} is '{title}'; an AE title has 1 to 16 characters of ASCII, no backslash and no space at its ends"
        )
    return title


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who may send: an AE title, and the addresses from which it may come, such as `10.1.2.3` or `10.1.0.0/16`."""

    ae_title: str
    address: str

    def __post_init__(self) -> None:
        """Refuse what is no title, or no address."""
        check_title(self.ae_title, "ae_title of a peer")
        try:
            ipaddress.ip_network(self.address)
        except ValueError as error:
            raise OptionError(
                f"address of the peer {self.ae_title} is '{self.address}'; give an IP address or a network, such as "
                "10.1.2.3 or 10.1.0.0/16"
            ) from error

    def has(self, address: str) -> bool:
        """Whether an address is the peer's."""
        found = ipaddress.ip_address(address)
        mapped = getattr(found, "ipv4_mapped", None)
        return (mapped or found) in ipaddress.ip_network(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where results go.

    Attributes:
        name: for the log and `edgeseg node status`.
        kind: `dicom` (C-STORE), `stow` (STOW-RS) or `folder`.
        ae_title: of a `dicom` destination; likewise `address`, `port` and `tls`.
        address: a name or an IP address.
        port: likewise.
        tls: whether the connection is encrypted.
        ca_file: PEM file with the authorities that its certificate is checked against; else those of the system.
        url: of a `stow` destination, the root of DICOMweb, such as `http://127.0.0.1:8042/dicom-web`.
        token_file: file with a bearer token for it.
        folder: of a `folder` destination.
        send: which results.
    """

    name: str
    kind: str
    ae_title: str | None = None
    address: str | None = None
    port: int | None = None
    tls: bool = False
    ca_file: str | None = None
    url: str | None = None
    token_file: str | None = None
    folder: str | None = None
    send: tuple[str, ...] = RESULT_KINDS

    def __post_init__(self) -> None:
        """Refuse a kind that does not exist, and what is missing for it or of another."""
        if not _NAME.fullmatch(self.name):
            raise OptionError(f"the name of a destination is '{self.name}'; use up to 32 letters, digits and . _ -")
        needed = {DICOM: ("ae_title", "address", "port"), STOW: ("url",), FOLDER: ("folder",)}
        optional = {DICOM: ("ca_file",), STOW: ("token_file", "ca_file"), FOLDER: ()}
        if self.kind not in needed:
            raise OptionError(f"kind of the destination {self.name} is '{self.kind}'; choose {', '.join(needed)}")
        for key in ("ae_title", "address", "port", "url", "folder", "token_file", "ca_file"):
            given = getattr(self, key) is not None
            if not given and key in needed[self.kind]:
                raise OptionError(f'the destination {self.name} has no {key}, which kind = "{self.kind}" needs')
            if given and key not in (*needed[self.kind], *optional[self.kind]):
                raise OptionError(f'the destination {self.name} has {key}, which kind = "{self.kind}" does not take')
        if self.tls and self.kind != DICOM:
            raise OptionError(f'the destination {self.name} has tls, which is of kind = "dicom"; use a https:// url')
        self._check_values()

    def _check_values(self) -> None:
        if self.ae_title is not None:
            check_title(self.ae_title, f"ae_title of the destination {self.name}")
        if self.port is not None and not 1 <= self.port <= 65535:
            raise OptionError(f"port of the destination {self.name} is {self.port}; a port is 1 to 65535")
        if self.url is not None and not _URL.fullmatch(self.url):
            raise OptionError(
                f"url of the destination {self.name} is no root of DICOMweb; give it without a user, a query or a "
                "fragment, such as http://127.0.0.1:8042/dicom-web"
            )
        if not self.send or len(set(self.send)) < len(self.send) or not set(self.send) <= set(RESULT_KINDS):
            raise OptionError(f"send of the destination {self.name} names some of {', '.join(RESULT_KINDS)}, each once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """PEM files of the node's certificate and its key; with `ca_file` peers must bring a certificate of theirs."""

    certificate: str
    key: str
    ca_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOptions:
    """The whole of `node.toml`; files are relative to it.

    Attributes:
        state: folder for the queue and for files under way.
        destinations: where results go, one at least.
        peers: who may send; without any the node does not listen, and takes files from a watched folder alone.
        ae_title: of the node.
        address: to listen on.
        port: likewise; 0 takes a free one.
        tls: encryption; None listens in the clear.
        silence_s: a study is complete when nothing of it came for so long, six times that after a break.
        marker: whether a Key Object Selection of a study completes it at once; it is not kept.
        threads: of the network.
        associations: that may be open at once.
        object_mb: the largest object that is taken.
        disk_mb: what may wait on the disk; more is refused until there is room.
        free_mb: what must stay free on the disk.
        idle_s: an association is ended after so long without a word.
        association_s: the longest that one may last.
        attempts: how often a study is tried before it is set aside.
        backoff_s: between two attempts to send; doubles up to 64 times as much.
        give_up_h: a study that cannot be sent for so long has failed.
        keep_sent_h: how long images and results of a study that was sent are kept; 0 deletes them at once.
        keep_failed_h: likewise of one that failed.
        keep_rows_d: how many days the queue remembers what was sent, so that the same study is not done again.
        de_identify_salt: file with a salt; results are then de-identified by it. None sends them with patient and
            study as they came, as DICOM asks for.
        report_failures: whether a structured report that says why nothing was segmented is sent.
        health_address: of `/health`, `/ready` and `/metrics`.
        health_port: likewise; 0 takes a free one, None serves none.
    """

    state: str
    destinations: tuple[Destination, ...]
    peers: tuple[Peer, ...] = ()
    ae_title: str = "EDGESEG"
    address: str = "127.0.0.1"
    port: int = 11112
    tls: Tls | None = None
    silence_s: float = 10.0
    marker: bool = False
    threads: int = 2
    associations: int = 8
    object_mb: int = 256
    disk_mb: int = 20480
    free_mb: int = 512
    idle_s: float = 30.0
    association_s: float = 3600.0
    attempts: int = 3
    backoff_s: float = 5.0
    give_up_h: float = 48.0
    keep_sent_h: float = 0.0
    keep_failed_h: float = 168.0
    keep_rows_d: float = 90.0
    de_identify_salt: str | None = None
    report_failures: bool = False
    health_address: str = "127.0.0.1"
    health_port: int | None = field(default=None)

    def __post_init__(self) -> None:
        """Refuse what could not run."""
        check_title(self.ae_title, "ae_title")
        for name, (low, high) in _LEAST.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise OptionError(f"{name} is {value}; it lies between {low} and {high}")
        for name in ("address", "health_address"):
            try:
                ipaddress.ip_address(getattr(self, name))
            except ValueError as error:
                raise OptionError(f"{name} is '{getattr(self, name)}'; give an IP address of this machine") from error
        if not self.destinations:
            raise OptionError("there is no destination; name one at least, as [[destinations]]")
        names = [one.name for one in self.destinations]
        if len(set(names)) < len(names):
            raise OptionError("two destinations have one name; give each its own")
        if self.object_mb > self.disk_mb:
            raise OptionError(
                f"object_mb is {self.object_mb} and disk_mb {self.disk_mb}; an object must fit on the disk"
            )
