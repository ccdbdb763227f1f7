"""Finding the month's three workbooks and taking the run's own copy of each."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from fault_proxy import Action, Call, FaultProxy, Request
from publishing import s3_environment

from tasks.domain.issues import DataRefused, OutsideFailure, lines
from tasks.domain.sources import SOURCES
from tasks.storage.local import LocalStorage
from tasks.storage.location import Location
from tasks.storage.protocol import StoredFile
from tasks.workbook.fetch import FetchedWorkbook, WorkbookLocations, fetch_workbooks, workbook_locations

if TYPE_CHECKING:
    from s3_server import S3Server

SOUND = ["erp.xlsx", "liaison.xlsx", "web.xlsx"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "raw"
    path.mkdir()
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path


def fill(folder: Path, *names: str) -> Path:
    """Files of these names; each contains its own name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(name)
    return folder


def looked_for(folder: Path, **named: str) -> WorkbookLocations:
    """What a run for May 2025 is told; an empty path is looked for."""
    return workbook_locations("2025-05", str(folder), **{**dict.fromkeys(SOURCES, ""), **named})


def names(found: dict[str, FetchedWorkbook]) -> list[str]:
    return [workbook.file for workbook in found.values()]


def refusal_of(places: WorkbookLocations, target: Path) -> list[str]:
    with pytest.raises(DataRefused) as refused:
        fetch_workbooks(places, target)
    return lines(refused.value.issues)


def missing(what: str) -> str:
    return f"{what} is not there. Put the workbook in the source folder, then run again."


def several(source: str, folder: Path, candidates: str) -> str:
    return (
        f'{source} workbook in {folder}: "{candidates}" is not the only candidate. '
        "Keep one workbook for this source, or name it with its own option."
    )


def test_each_workbook_is_copied_once_with_its_sha256(folder: Path, target: Path) -> None:
    fill(folder, *SOUND)
    found = fetch_workbooks(looked_for(folder), target)
    assert list(found) == ["erp", "liaison", "web"]
    for source, workbook in found.items():
        content = f"{source}.xlsx".encode()
        assert (workbook.source, workbook.file) == (source, f"{source}.xlsx")
        assert (workbook.facts.size, workbook.facts.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert workbook.path.parent == target
        assert workbook.path.read_bytes() == content


def test_what_happens_to_the_folder_later_does_not_reach_the_run(folder: Path, target: Path) -> None:
    fill(folder, *SOUND)
    found = fetch_workbooks(looked_for(folder), target)
    (folder / "erp.xlsx").write_text("saved again")
    (folder / "web.xlsx").unlink()
    assert [workbook.path.read_text() for workbook in found.values()] == SOUND


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("~$erp.xlsx", id="lock file of an open workbook"),
        pytest.param(".erp.xlsx", id="hidden file"),
        pytest.param("._erp.xlsx", id="what macOS leaves on a stick"),
        pytest.param("erp.xls", id="workbook of the old kind"),
        pytest.param("erp.xlsm", id="workbook with macros"),
        pytest.param("erp.csv", id="text file"),
        pytest.param("erp.xlsx.bak", id="backup"),
        pytest.param("stock.xlsx", id="workbook of another name"),
    ],
)
def test_files_that_are_not_the_workbook_are_passed_over(folder: Path, target: Path, other: str) -> None:
    fill(folder, *SOUND, other)
    assert names(fetch_workbooks(looked_for(folder), target)) == SOUND


def test_a_folder_of_a_workbooks_name_is_passed_over(folder: Path, target: Path) -> None:
    fill(folder, *SOUND)
    (folder / "erp of last year.xlsx").mkdir()
    assert names(fetch_workbooks(looked_for(folder), target)) == SOUND


def test_names_count_without_case_and_whatever_stands_around_the_source(folder: Path, target: Path) -> None:
    fill(folder, "Fichier_ERP.XLSX", "fichier_liaison (1).xlsx", "2025-05 Web.xlsx")
    assert names(fetch_workbooks(looked_for(folder), target)) == [
        "Fichier_ERP.XLSX",
        "fichier_liaison (1).xlsx",
        "2025-05 Web.xlsx",
    ]


def test_everything_that_is_missing_is_told_at_once(folder: Path, target: Path) -> None:
    fill(folder, "~$erp.xlsx", "liaison.xls")
    assert refusal_of(looked_for(folder), target) == [
        missing(f"erp workbook in {folder}"),
        missing(f"liaison workbook in {folder}"),
        missing(f"web workbook in {folder}"),
    ]


def test_missing_several_and_wrongly_named_ones_are_told_together(folder: Path, target: Path) -> None:
    fill(folder, "erp.xlsx", "erp of April.xlsx")
    places = looked_for(folder, web="elsewhere/shop.xlsx")
    with pytest.raises(DataRefused) as refused:
        fetch_workbooks(places, target)
    assert set(lines(refused.value.issues)) == {
        several("erp", folder, "erp of April.xlsx, erp.xlsx"),
        missing(f"liaison workbook in {folder}"),
        missing("elsewhere/shop.xlsx"),
    }
    assert str(refused.value) == (
        f"3 errors, nothing is published. {several('erp', folder, 'erp of April.xlsx, erp.xlsx')} And 2 more."
    )


def test_a_workbook_that_may_be_two_sources_is_not_guessed_at(folder: Path, target: Path) -> None:
    fill(folder, *SOUND, "liaison erp-web.xlsx")
    assert refusal_of(looked_for(folder), target) == [
        several(source, folder, candidates)
        for source, candidates in (
            ("erp", "erp.xlsx, liaison erp-web.xlsx"),
            ("liaison", "liaison erp-web.xlsx, liaison.xlsx"),
            ("web", "liaison erp-web.xlsx, web.xlsx"),
        )
    ]


def test_one_file_for_several_sources_is_refused(folder: Path, target: Path) -> None:
    fill(folder, *SOUND)
    (folder / "web.xlsx").write_bytes((folder / "erp.xlsx").read_bytes())
    assert refusal_of(looked_for(folder), target) == [
        (
            "erp.xlsx (erp) and web.xlsx (web) are one and the same file. Put each source's own workbook in its place, "
            "then run again."
        )
    ]


def test_the_same_file_is_told_together_with_what_is_missing(folder: Path, target: Path) -> None:
    fill(folder, "erp.xlsx")
    told = refusal_of(looked_for(folder, liaison=str(folder / "erp.xlsx")), target)
    assert [line.partition(". ")[0] for line in told] == [
        f"web workbook in {folder} is not there",
        "erp.xlsx (erp) and erp.xlsx (liaison) are one and the same file",
    ]


def test_empty_files_are_not_called_the_same(folder: Path, target: Path) -> None:
    for name in SOUND:
        (folder / name).touch()
    assert names(fetch_workbooks(looked_for(folder), target)) == SOUND


def test_a_named_workbook_is_taken_whatever_its_name_and_what_else_is_there(
    folder: Path, target: Path, tmp_path: Path
) -> None:
    fill(folder, *SOUND, "erp of April.xlsx")
    fill(tmp_path / "inbox", "prices")
    found = fetch_workbooks(looked_for(folder, erp=str(tmp_path / "inbox" / "prices")), target)
    assert names(found) == ["prices", "liaison.xlsx", "web.xlsx"]
    assert found["erp"].path.read_text() == "prices"


def test_with_all_three_named_no_folder_is_looked_into(target: Path, tmp_path: Path) -> None:
    fill(tmp_path / "inbox", "a", "b", "c")
    named = {source: str(tmp_path / "inbox" / name) for source, name in zip(SOURCES, "abc", strict=True)}
    assert names(fetch_workbooks(looked_for(tmp_path / "gone", **named), target)) == ["a", "b", "c"]


def test_the_month_is_filled_into_the_folder_and_into_named_paths(target: Path, tmp_path: Path) -> None:
    fill(tmp_path / "2025" / "05", *SOUND)
    fill(tmp_path / "2025" / "04", *SOUND)
    fill(tmp_path, "shop 2025-05.xlsx", "shop 2025-04.xlsx")
    places = looked_for(tmp_path / "{month:%Y/%m}", web=str(tmp_path / "shop {month}.xlsx"))
    assert names(fetch_workbooks(places, target)) == ["erp.xlsx", "liaison.xlsx", "shop 2025-05.xlsx"]


def test_a_workbook_named_without_a_folder_is_in_the_current_one(
    folder: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, *SOUND)
    fill(tmp_path, "shop.xlsx")
    monkeypatch.chdir(tmp_path)
    assert names(fetch_workbooks(looked_for(folder, web="shop.xlsx"), target)) == [
        "erp.xlsx",
        "liaison.xlsx",
        "shop.xlsx",
    ]


def test_a_workbook_named_by_its_whole_path_is_that_one_wherever_the_run_is_started(
    folder: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, *SOUND)
    here = fill(tmp_path / "here")
    (here / "erp.xlsx").write_text("another month's")
    monkeypatch.chdir(here)
    found = fetch_workbooks(looked_for(folder, erp=f"{folder}/erp.xlsx"), target)
    assert [workbook.path.read_text() for workbook in found.values()] == SOUND


def test_a_workbook_named_in_the_root_folder_is_not_looked_for_in_the_current_one(
    folder: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, *SOUND, "erp of nobody.xlsx")
    monkeypatch.chdir(folder)
    assert refusal_of(looked_for(folder, erp="/erp of nobody.xlsx", liaison="liaison.xlsx"), target) == [
        missing("/erp of nobody.xlsx")
    ]


@pytest.mark.parametrize(
    ("address", "parent", "name"),
    [
        pytest.param("/erp.xlsx", "/", "erp.xlsx", id="in the root folder"),
        pytest.param("/raw/erp.xlsx", "/raw", "erp.xlsx", id="whole path"),
        pytest.param("erp.xlsx", ".", "erp.xlsx", id="in the current folder"),
        pytest.param("a/erp.xlsx", "a", "erp.xlsx", id="in a folder below"),
        pytest.param("s3://bucket/erp.xlsx", "s3://bucket", "erp.xlsx", id="in the bucket itself"),
        pytest.param("s3://bucket/raw/erp.xlsx", "s3://bucket/raw", "erp.xlsx", id="below a prefix"),
    ],
)
def test_a_named_workbook_is_in_the_place_that_its_address_says(address: str, parent: str, name: str) -> None:
    assert Location(address, "wine").parent() == (Location(parent, "wine"), name)


def test_a_workbook_that_is_replaced_while_it_is_copied_is_not_read(
    folder: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, *SOUND)
    download = LocalStorage.download

    def saved_meanwhile(storage: LocalStorage, key: str, path: Path) -> StoredFile | None:
        copied = download(storage, key, path)
        if key == "liaison.xlsx":
            (folder / "new").write_text(key)
            (folder / "new").replace(folder / key)
        return copied

    monkeypatch.setattr(LocalStorage, "download", saved_meanwhile)
    with pytest.raises(OutsideFailure) as failed:
        fetch_workbooks(looked_for(folder), target)
    assert str(failed.value) == (
        f"{folder / 'liaison.xlsx'} was replaced while it was copied. Run again when it is finished."
    )


def test_a_folder_that_is_not_there_is_a_failure_outside_the_data(tmp_path: Path, target: Path) -> None:
    with pytest.raises(OutsideFailure) as failed:
        fetch_workbooks(looked_for(tmp_path / "gone"), target)
    assert str(failed.value) == f"cannot list {tmp_path / 'gone'}: it is not there."


def test_a_source_that_is_a_file_is_a_failure_outside_the_data(folder: Path, target: Path) -> None:
    file = fill(folder, "erp.xlsx") / "erp.xlsx"
    with pytest.raises(OutsideFailure) as failed:
        fetch_workbooks(looked_for(file), target)
    assert str(failed.value) == f"cannot list {file}: a part of the path is a file."


@pytest.fixture
def on_s3(s3, bucket: str) -> Iterator["Bucket"]:
    """A bucket that the environment leads to."""
    with mock.patch.dict(os.environ, s3_environment(s3.endpoint, s3.keys["publisher"]), clear=True):
        yield Bucket(s3, bucket)


@dataclass(frozen=True)
class Bucket:
    s3: "S3Server"
    name: str

    def fill(self, *keys: str) -> None:
        """Objects of these keys; each contains its own key."""
        for key in keys:
            self.s3.client().put_object(Bucket=self.name, Key=key, Body=key.encode())

    def looked_for(self, prefix: str, **named: str) -> WorkbookLocations:
        return looked_for(f"s3://{self.name}/{prefix}", **named)


@pytest.mark.parametrize("prefix", ["raw", "raw/", ""], ids=["folder", "folder with a slash", "the whole bucket"])
def test_workbooks_are_found_in_a_bucket_as_in_a_folder(on_s3: Bucket, target: Path, prefix: str) -> None:
    start = prefix.rstrip("/") + "/" * bool(prefix)
    on_s3.fill(*(start + name for name in [*SOUND, "~$erp.xlsx", ".web.xlsx", "erp.csv", "older/erp.xlsx"]))
    found = fetch_workbooks(on_s3.looked_for(prefix), target)
    assert names(found) == SOUND
    for source, workbook in found.items():
        content = f"{start}{source}.xlsx".encode()
        assert workbook.path.read_bytes() == content
        assert (workbook.facts.size, workbook.facts.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_what_is_missing_or_doubled_in_a_bucket_is_told_at_once(on_s3: Bucket, target: Path) -> None:
    on_s3.fill("raw/erp.xlsx", "raw/erp of April.xlsx", "raw/deeper/liaison.xlsx")
    folder, shop = f"s3://{on_s3.name}/raw", f"s3://{on_s3.name}/elsewhere/shop.xlsx"
    assert set(refusal_of(on_s3.looked_for("raw", web=shop), target)) == {
        several("erp", folder, "erp of April.xlsx, erp.xlsx"),
        missing(f"liaison workbook in {folder}"),
        missing(shop),
    }


def test_the_month_is_filled_into_prefixes_and_named_objects(on_s3: Bucket, folder: Path, target: Path) -> None:
    """One workbook may come from a bucket and another from a folder."""
    on_s3.fill("raw/2025/05/erp.xlsx", "raw/2025/05/liaison.xlsx", "raw/2025/04/erp.xlsx", "inbox/shop 2025-05.xlsx")
    fill(folder, "links.xlsx")
    places = on_s3.looked_for(
        "raw/{month:%Y/%m}/", web=f"s3://{on_s3.name}/inbox/shop {{month}}.xlsx", liaison=str(folder / "links.xlsx")
    )
    found = fetch_workbooks(places, target)
    assert {workbook.file: workbook.path.read_text() for workbook in found.values()} == {
        "erp.xlsx": "raw/2025/05/erp.xlsx",
        "links.xlsx": "links.xlsx",
        "shop 2025-05.xlsx": "inbox/shop 2025-05.xlsx",
    }


def test_a_bucket_that_is_not_there_is_a_failure_outside_the_data(on_s3: Bucket, target: Path) -> None:
    gone = Bucket(on_s3.s3, "no-such-bucket")
    with pytest.raises(OutsideFailure) as failed:
        fetch_workbooks(gone.looked_for("raw"), target)
    assert str(failed.value) == ('s3://no-such-bucket/raw/: ListObjectsV2 failed: there is no bucket "no-such-bucket".')


def uploaded_again(on_s3: Bucket) -> None:
    on_s3.s3.client().put_object(Bucket=on_s3.name, Key="raw/liaison.xlsx", Body=b"half of the links")


def gone(on_s3: Bucket) -> None:
    on_s3.s3.client("administrator").delete_object(Bucket=on_s3.name, Key="raw/liaison.xlsx")


@pytest.mark.parametrize("meanwhile", [uploaded_again, gone])
def test_an_object_that_is_replaced_while_it_is_copied_is_not_read(
    on_s3: Bucket, target: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Bucket], None]
) -> None:
    on_s3.fill(*(f"raw/{name}" for name in SOUND))

    def after_the_copy(_number: int, request: Request) -> Action | None:
        is_copy = (request.method, request.key) == ("GET", "raw/liaison.xlsx")
        return Call(lambda: meanwhile(on_s3), after=True) if is_copy else None

    with FaultProxy(on_s3.s3.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        proxy.plan(after_the_copy)
        with pytest.raises(OutsideFailure) as failed:
            fetch_workbooks(on_s3.looked_for("raw"), target)
    assert str(failed.value) == (
        f"s3://{on_s3.name}/raw/liaison.xlsx was replaced while it was copied. Run again when it is finished."
    )


def test_an_object_that_was_written_anew_with_the_same_content_is_read(
    on_s3: Bucket, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_s3.fill(*(f"raw/{name}" for name in SOUND))
    with FaultProxy(on_s3.s3.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        proxy.plan(lambda *_: Call(lambda: on_s3.fill("raw/liaison.xlsx"), after=True))
        assert names(fetch_workbooks(on_s3.looked_for("raw"), target)) == SOUND
