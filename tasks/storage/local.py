"""A folder on this machine, for one writer at a time."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.domain.issues import OutsideFailure
from tasks.storage.protocol import CHUNK, ConflictError, Document, StoredFile


class LocalStorage:
    """A folder; each file is written under a temporary name next to its own, then renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        with outside(f"cannot list {self.folder}"):
            return sorted(path.name for path in self.folder.iterdir() if path.is_file())

    def keys(self, folder: str) -> list[str]:
        with outside(f"cannot list {self.folder / folder}"):
            files = [path for path in (self.folder / folder).rglob("*") if path.is_file()]
        return sorted(path.relative_to(self.folder).as_posix() for path in files if not path.name.startswith("."))

    def facts(self, key: str) -> StoredFile | None:
        path = self.folder / key
        if not path.is_file():
            return None
        with outside(f"cannot read {path}"):
            return file_facts(path)

    def download(self, key: str, target: Path) -> StoredFile | None:
        source = self.folder / key
        if not source.is_file():
            return None
        digest, size = hashlib.sha256(), 0
        with outside(f"cannot copy {source}"), source.open("rb") as original, target.open("wb") as copy:
            version = _version(original.fileno())
            while chunk := original.read(CHUNK):
                digest.update(chunk)
                size += copy.write(chunk)
        return StoredFile(size, digest.hexdigest(), version)

    def read(self, key: str) -> Document | None:
        path = self.folder / key
        if not path.is_file():
            return None
        with outside(f"cannot read {path}"):
            content = path.read_bytes()
        return Document(content, hashlib.sha256(content).hexdigest())

    def create(self, key: str, file: Path, facts: StoredFile) -> None:
        del facts  # the publisher reads the file back
        with self._written(key) as (unfinished, target):
            shutil.copyfile(file, unfinished)
            _flush(unfinished)
            try:
                target.hardlink_to(unfinished)
            except FileExistsError:
                raise ConflictError(key) from None

    def compare_and_swap(self, key: str, content: bytes, version: str | None) -> None:
        there = self.read(key)
        if (there.version if there else None) != version:
            raise ConflictError(key)
        with self._written(key) as (unfinished, target):
            unfinished.write_bytes(content)
            _flush(unfinished)
            unfinished.replace(target)

    def copy(self, key: str, target: str) -> None:
        with self._written(target) as (unfinished, path):
            shutil.copyfile(self.folder / key, unfinished)
            _flush(unfinished)
            unfinished.replace(path)

    def address(self, key: str) -> str:
        return str(self.folder / key)

    def link(self, key: str) -> str:  # noqa: ARG002 - no browser opens a file from another page
        return ""

    @contextmanager
    def _written(self, key: str) -> Iterator[tuple[Path, Path]]:
        """A temporary name to write under, removed afterwards, and the key's own path."""
        target = self.folder / key
        unfinished = target.with_name(f".{target.name}.unfinished")
        with outside(f"cannot write {target}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield unfinished, target
            finally:
                unfinished.unlink(missing_ok=True)


def file_facts(path: Path) -> StoredFile:
    """Size, sha256 and version of a local file."""
    with path.open("rb") as file:
        version = _version(file.fileno())
        return StoredFile(os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest(), version)


def _version(descriptor: int) -> str:
    status = os.fstat(descriptor)
    return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"


def _flush(path: Path) -> None:
    """Write the content to the disk before the file gets its name."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def outside(what: str) -> Iterator[None]:
    """Turn an error of the operating system into a sentence: what failed, and why."""
    try:
        yield
    except OSError as error:
        reason = {
            errno.ENOENT: "it is not there",
            errno.ENOTDIR: "a part of the path is a file",
            errno.EEXIST: "a part of the path is a file",
            errno.EACCES: "permission denied",
            errno.EPERM: "permission denied",
            errno.EROFS: "the file system is read-only",
            errno.ENOSPC: "the disk is full",
        }.get(error.errno or 0, error.strerror or type(error).__name__)
        raise OutsideFailure(f"{what}: {reason}.") from None
