"""The operations by which a run reads and publishes files, in a folder or in an object store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

CHUNK = 1 << 20


@dataclass(frozen=True)
class StoredFile:
    """Size, hash and version of a stored file.

    Attributes:
        size: Its size in bytes.
        sha256: The hash of its content; empty if another program stored the file.
        version: Differs after the file was replaced: an ETag, or the file's inode, size and time.
    """

    size: int
    sha256: str
    version: str = ""

    def has_same_content(self, other: "StoredFile") -> bool:
        """Whether size and hash are equal."""
        return (self.size, self.sha256) == (other.size, other.sha256)


@dataclass(frozen=True)
class Document:
    """The content of a small file, and the version that was read."""

    content: bytes
    version: str


class ConflictError(Exception):
    """The key does not have the content that the writer expected; nothing was written."""


class Storage(Protocol):
    """Files under keys such as `wines/premium_wines_2025-05.csv`.

    Readers never see part of a file. Every method raises `OutsideFailure`, with a sentence, if the folder or the
    server refuses or does not answer.
    """

    def names(self) -> list[str]:
        """Names of the files at the top level, sorted."""

    def keys(self, folder: str) -> list[str]:
        """Keys of all files below a folder such as `manifests/`, sorted."""

    def facts(self, key: str) -> StoredFile | None:
        """Size, hash and version of a file as the store reports them, or None where there is none."""

    def download(self, key: str, target: Path) -> StoredFile | None:
        """Copy a file to a local path; the facts of what was copied, or None where there is no such file."""

    def read(self, key: str) -> Document | None:
        """A small file, or None where there is none."""

    def create(self, key: str, file: Path, facts: StoredFile) -> None:
        """Store a file under an unused key; `ConflictError` where it is used."""

    def compare_and_swap(self, key: str, content: bytes, version: str | None) -> None:
        """Replace exactly this version of a small file (None: no file); `ConflictError` where it is another."""

    def copy(self, key: str, target: str) -> None:
        """Copy a stored file to another key, replacing any content there."""

    def address(self, key: str) -> str:
        """The path or URL of the key."""

    def link(self, key: str) -> str:
        """The URL of a page with the file, for people who may read it; empty if there is none."""
