"""The few verbs by which a run reads and publishes files, whether in a folder or in an object store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

CHUNK = 1 << 20


@dataclass(frozen=True)
class StoredFile:
    """What is known of a stored file.

    Attributes:
        size: Its size in bytes.
        sha256: The hash of its content; empty where the store was not told it.
        version: What changes when the file is replaced: an ETag, or a file's time and number.
    """

    size: int
    sha256: str
    version: str = ""

    def holds(self, other: "StoredFile") -> bool:
        """Whether both have the same content."""
        return (self.size, self.sha256) == (other.size, other.sha256)


@dataclass(frozen=True)
class Document:
    """A small file with the version that it was read in."""

    content: bytes
    version: str


@dataclass(frozen=True)
class Link:
    """A link that opens a file without signing in: as secret as the file.

    Attributes:
        url: What is opened.
        ends_with_credentials: Whether it was signed with temporary credentials, and ends with them before its days.
    """

    url: str
    ends_with_credentials: bool


class ConflictError(Exception):
    """The key holds something else than the writer expected; nothing was written."""


class Storage(Protocol):
    """A place with files under keys such as `wines/premium_wines_2025-05.csv`.

    Readers never see a part of a file. Every method raises `OutsideFailure`, with a sentence, where the place does not
    do its part.
    """

    def names(self) -> list[str]:
        """Names of the files at the top of the place, sorted."""

    def keys(self, folder: str) -> list[str]:
        """Keys of all files below a folder such as `manifests/`, sorted."""

    def facts(self, key: str) -> StoredFile | None:
        """What the place says of a file, or None where there is none."""

    def download(self, key: str, target: Path) -> StoredFile | None:
        """Copy a file out and say what was copied, or None where there is none."""

    def read(self, key: str) -> Document | None:
        """A small file, or None where there is none."""

    def create(self, key: str, file: Path, facts: StoredFile) -> None:
        """Store a file under a key that is free; `ConflictError` where it is not."""

    def swap(self, key: str, content: bytes, version: str | None) -> None:
        """Replace exactly this version of a small file, None being no file; `ConflictError` where it is another."""

    def copy(self, key: str, target: str) -> None:
        """Make the file of one key the file of another key as well, whatever that held."""

    def address(self, key: str) -> str:
        """The key as a person would open it."""

    def link(self, key: str, days: int) -> Link | None:
        """A link to the file for some days, or None where the place has none; nothing is asked of the place."""
