"""Files in a folder, where the disk or a run gives out: stored whole or not at all."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.domain.issues import OutsideFailure
from tasks.storage.local import LocalStorage, file_facts
from tasks.storage.protocol import CHUNK

BEFORE, AFTER = b"April", b"M" + bytes(3 * CHUNK) + b"ay"
KEY = "wines/premium_wines_2025-05.csv"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file larger than one reading."""
    path = tmp_path / "new"
    path.write_bytes(AFTER)
    return path


@pytest.fixture
def place(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "reports")


def holding(place: LocalStorage, **contents: bytes) -> LocalStorage:
    """The place with these files, the key's slashes written as two underscores."""
    for name, content in contents.items():
        path = place.folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return place


def files_in(place: LocalStorage) -> dict[str, bytes]:
    """Every file of the place, hidden ones too."""
    paths = [path for path in place.folder.rglob("*") if path.is_file()]
    return {path.relative_to(place.folder).as_posix(): path.read_bytes() for path in paths}


def create(place: LocalStorage, file: Path) -> None:
    place.create(KEY, file, file_facts(file))


def swap(place: LocalStorage, file: Path) -> None:
    there = place.read(KEY)
    place.compare_and_swap(KEY, file.read_bytes(), there.version if there else None)


def copy(place: LocalStorage, file: Path) -> None:
    place.create("another", file, file_facts(file))
    place.copy("another", KEY)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let the operating system refuse what goes beyond, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("before", [None, BEFORE], ids=["nothing there before", "a file there before"])
@pytest.mark.parametrize("write", [create, swap], ids=["new file", "replacement"])
def test_a_disk_that_gives_out_midway_leaves_what_was_there(
    place: LocalStorage, file: Path, write: Callable[[LocalStorage, Path], None], before: bytes | None
) -> None:
    if before is not None:
        holding(place, **{KEY.replace("/", "__"): before})
    with pytest.raises(OutsideFailure) as failed, files_no_larger_than(CHUNK + CHUNK // 2):
        write(place, file)
    assert str(failed.value) == f"cannot write {place.folder / KEY}: File too large."
    assert files_in(place) == ({} if before is None else {KEY: before})


def test_a_disk_that_fails_while_a_file_is_copied_leaves_the_old_file(place: LocalStorage) -> None:
    holding(place, a=AFTER, b=BEFORE)
    with pytest.raises(OutsideFailure) as failed, files_no_larger_than(CHUNK + CHUNK // 2):
        place.copy("a", "b")
    assert str(failed.value) == f"cannot write {place.folder / 'b'}: File too large."
    assert files_in(place) == {"a": AFTER, "b": BEFORE}


def test_a_file_that_is_gone_leaves_nothing(place: LocalStorage, file: Path) -> None:
    facts = file_facts(file)
    file.unlink()
    with pytest.raises(OutsideFailure) as failed:
        place.create(KEY, file, facts)
    assert str(failed.value) == f"cannot write {place.folder / KEY}: it is not there."
    assert files_in(place) == {}


@pytest.mark.parametrize("write", [create, swap, copy], ids=["new file", "replacement", "copy"])
def test_what_an_interrupted_run_left_behind_is_written_over(
    place: LocalStorage, file: Path, write: Callable[[LocalStorage, Path], None]
) -> None:
    holding(place, **{"wines__.premium_wines_2025-05.csv.unfinished": bytes(9 * CHUNK)})
    assert place.keys("wines") == []
    write(place, file)
    files = files_in(place)
    files.pop("another", None)
    assert files == {KEY: AFTER}


def test_a_destination_that_is_a_file_is_reported(file: Path) -> None:
    with pytest.raises(OutsideFailure) as failed:
        create(LocalStorage(file), file)
    assert str(failed.value) == f"cannot write {file / KEY}: a part of the path is a file."


def test_a_copy_that_cannot_be_written_is_reported(place: LocalStorage, tmp_path: Path) -> None:
    holding(place, a=BEFORE)
    with pytest.raises(OutsideFailure) as failed:
        place.download("a", tmp_path / "no folder" / "copy")
    assert str(failed.value) == f"cannot copy {place.folder / 'a'}: it is not there."
