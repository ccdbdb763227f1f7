"""Finding the month's three workbooks and taking the run's own copy of each."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from fault_proxy import Action, Call, FaultProxy, Request
from publishing import s3_environment

from tasks.domain.issues import DataRefused, OutsideFailure, lines
from tasks.domain.sources import SOURCES
from tasks.storage.local import LocalStorage
from tasks.storage.location import Location
from tasks.storage.protocol import StoredFile
from tasks.workbook.fetch import FetchedWorkbook, fetch_workbooks, workbook_locations

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


def fetch(target: Path, source: Path | str, **named: str) -> dict[str, FetchedWorkbook]:
    """The workbooks of May 2025; one that is not named is looked for."""
    return fetch_workbooks(workbook_locations("2025-05", str(source), **dict.fromkeys(SOURCES, "") | named), target)


def names(found: dict[str, FetchedWorkbook]) -> list[str]:
    return [workbook.file for workbook in found.values()]


def refusal_of(target: Path, source: Path | str, **named: str) -> list[str]:
    with pytest.raises(DataRefused) as refused:
        fetch(target, source, **named)
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
    found = fetch(target, folder)
    assert list(found) == ["erp", "liaison", "web"]
    (folder / "erp.xlsx").write_text("saved again")
    (folder / "web.xlsx").unlink()
    for source, workbook in found.items():
        content = f"{source}.xlsx".encode()
        assert (workbook.source, workbook.file) == (source, f"{source}.xlsx")
        assert (workbook.facts.size, workbook.facts.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert workbook.path.parent == target
        assert workbook.path.read_bytes() == content


@pytest.mark.parametrize(
    "other",
    ["~$erp.xlsx", ".erp.xlsx", "._erp.xlsx", "erp.xls", "erp.xlsm", "erp.csv", "erp.xlsx.bak", "stock.xlsx"],
)
def test_files_that_are_not_the_workbook_are_passed_over(folder: Path, target: Path, other: str) -> None:
    """Lock files of open workbooks, hidden files, other kinds of files, other names."""
    fill(folder, *SOUND, other)
    assert names(fetch(target, folder)) == SOUND


def test_a_folder_of_a_workbooks_name_is_passed_over(folder: Path, target: Path) -> None:
    fill(folder, *SOUND)
    (folder / "erp of last year.xlsx").mkdir()
    assert names(fetch(target, folder)) == SOUND


def test_names_count_without_case_and_whatever_is_around_the_source(folder: Path, target: Path) -> None:
    typed = ["Fichier_ERP.XLSX", "fichier_liaison (1).xlsx", "2025-05 Web.xlsx"]
    fill(folder, *typed)
    assert names(fetch(target, folder)) == typed


def test_missing_several_and_wrongly_named_ones_are_reported_together(folder: Path, target: Path) -> None:
    fill(folder, "erp.xlsx", "erp of April.xlsx")
    candidates = several("erp", folder, "erp of April.xlsx, erp.xlsx")
    with pytest.raises(DataRefused) as refused:
        fetch(target, folder, web="elsewhere/shop.xlsx")
    assert set(lines(refused.value.issues)) == {
        candidates, missing(f"liaison workbook in {folder}"), missing("elsewhere/shop.xlsx"),
    }  # fmt: skip
    assert str(refused.value) == f"3 errors, nothing is published. {candidates} And 2 more."


def test_a_workbook_that_may_be_two_sources_is_not_guessed_at(folder: Path, target: Path) -> None:
    fill(folder, *SOUND, "liaison erp-web.xlsx")
    assert refusal_of(target, folder) == [
        several("erp", folder, "erp.xlsx, liaison erp-web.xlsx"),
        several("liaison", folder, "liaison erp-web.xlsx, liaison.xlsx"),
        several("web", folder, "liaison erp-web.xlsx, web.xlsx"),
    ]


def test_one_file_for_several_sources_is_refused_together_with_what_is_missing(folder: Path, target: Path) -> None:
    fill(folder, "erp.xlsx")
    absent, same = refusal_of(target, folder, liaison=str(folder / "erp.xlsx"))
    assert absent == missing(f"web workbook in {folder}")
    assert same == (
        "erp.xlsx (erp) and erp.xlsx (liaison) are one and the same file. Put each source's own workbook in its place, "
        "then run again."
    )


def test_empty_files_are_not_called_the_same(folder: Path, target: Path) -> None:
    for name in SOUND:
        (folder / name).touch()
    assert names(fetch(target, folder)) == SOUND


def test_a_named_workbook_is_read_whatever_its_name_and_what_else_is_there(
    folder: Path, target: Path, tmp_path: Path
) -> None:
    fill(folder, *SOUND, "erp of April.xlsx")
    found = fetch(target, folder, erp=str(fill(tmp_path / "inbox", "prices") / "prices"))
    assert names(found) == ["prices", "liaison.xlsx", "web.xlsx"]
    assert found["erp"].path.read_text() == "prices"


def test_with_all_three_named_no_folder_is_listed(target: Path, tmp_path: Path) -> None:
    inbox = fill(tmp_path / "inbox", "a", "b", "c")
    named = {source: str(inbox / name) for source, name in zip(SOURCES, "abc", strict=True)}
    assert names(fetch(target, tmp_path / "gone", **named)) == ["a", "b", "c"]


def test_the_month_is_filled_into_the_folder_and_into_named_paths(target: Path, tmp_path: Path) -> None:
    for month in ("05", "04"):
        fill(tmp_path / "2025" / month, *SOUND)
        fill(tmp_path, f"shop 2025-{month}.xlsx")
    found = fetch(target, tmp_path / "{month:%Y/%m}", web=str(tmp_path / "shop {month}.xlsx"))
    assert names(found) == ["erp.xlsx", "liaison.xlsx", "shop 2025-05.xlsx"]


def test_a_workbook_given_by_its_address_is_read_from_there(
    folder: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, *SOUND, "erp of nobody.xlsx")
    here = fill(tmp_path / "here", "shop.xlsx")
    (here / "erp.xlsx").write_text("another month's")
    monkeypatch.chdir(here)
    found = fetch(target, folder, erp=f"{folder}/erp.xlsx", web="shop.xlsx")
    assert [workbook.path.read_text() for workbook in found.values()] == ["erp.xlsx", "liaison.xlsx", "shop.xlsx"]
    assert refusal_of(target, folder, erp="/erp of nobody.xlsx") == [missing("/erp of nobody.xlsx")]


@pytest.mark.parametrize(
    ("address", "parent", "name"),
    [
        ("/erp.xlsx", "/", "erp.xlsx"),
        ("/raw/erp.xlsx", "/raw", "erp.xlsx"),
        ("erp.xlsx", ".", "erp.xlsx"),
        ("a/erp.xlsx", "a", "erp.xlsx"),
        ("s3://bucket/erp.xlsx", "s3://bucket", "erp.xlsx"),
        ("s3://bucket/raw/erp.xlsx", "s3://bucket/raw", "erp.xlsx"),
    ],
)
def test_an_address_has_a_folder_and_a_name(address: str, parent: str, name: str) -> None:
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
        fetch(target, folder)
    assert (
        str(failed.value) == f"{folder}/liaison.xlsx was replaced while it was copied. Run again when it is finished."
    )


@pytest.mark.parametrize(("name", "why"), [("gone", "it is not there"), ("file", "a part of the path is a file")])
def test_a_source_that_is_no_folder_is_an_external_cause(tmp_path: Path, target: Path, name: str, why: str) -> None:
    fill(tmp_path, "file")
    with pytest.raises(OutsideFailure) as failed:
        fetch(target, tmp_path / name)
    assert str(failed.value) == f"cannot list {tmp_path / name}: {why}."


# --- in a bucket


@pytest.fixture
def put(s3, bucket: str) -> Iterator[object]:
    """Store objects, each with its own key as content, in a bucket that the environment leads to."""
    with mock.patch.dict(os.environ, s3_environment(s3.endpoint, s3.keys["publisher"]), clear=True):
        yield lambda *keys: [s3.client().put_object(Bucket=bucket, Key=key, Body=key.encode()) for key in keys]


@pytest.mark.parametrize("prefix", ["raw", "raw/", ""], ids=["folder", "folder with a slash", "the whole bucket"])
def test_workbooks_are_found_in_a_bucket_as_in_a_folder(put, bucket: str, target: Path, prefix: str) -> None:
    start = prefix.rstrip("/") + "/" * bool(prefix)
    put(*(start + name for name in [*SOUND, "~$erp.xlsx", ".web.xlsx", "erp.csv", "older/erp.xlsx"]))
    found = fetch(target, f"s3://{bucket}/{prefix}")
    assert names(found) == SOUND
    for source, workbook in found.items():
        content = f"{start}{source}.xlsx".encode()
        assert workbook.path.read_bytes() == content
        assert (workbook.facts.size, workbook.facts.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_one_workbook_may_come_from_a_bucket_and_another_from_a_folder(
    put, bucket: str, folder: Path, target: Path
) -> None:
    put("raw/2025/05/erp.xlsx", "raw/2025/05/liaison.xlsx", "raw/2025/04/erp.xlsx", "inbox/shop 2025-05.xlsx")
    named = {"web": f"s3://{bucket}/inbox/shop {{month}}.xlsx", "liaison": str(fill(folder, "l.xlsx") / "l.xlsx")}
    found = fetch(target, f"s3://{bucket}/raw/{{month:%Y/%m}}/", **named)
    assert [workbook.path.read_text() for workbook in found.values()] == [
        "raw/2025/05/erp.xlsx", "l.xlsx", "inbox/shop 2025-05.xlsx",
    ]  # fmt: skip


@pytest.mark.parametrize("meanwhile", ["uploaded again", "deleted", "uploaded again unchanged"])
def test_an_object_that_is_replaced_while_it_is_copied_is_not_read(
    s3, put, bucket: str, target: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    put(*(f"raw/{name}" for name in SOUND))
    key = {"Bucket": bucket, "Key": "raw/liaison.xlsx"}
    change = {
        "uploaded again": lambda: s3.client().put_object(**key, Body=b"half of the links"),
        "deleted": lambda: s3.client("administrator").delete_object(**key),
        "uploaded again unchanged": lambda: put("raw/liaison.xlsx"),
    }[meanwhile]

    def after_the_copy(_number: int, request: Request) -> Action | None:
        return Call(change, after=True) if (request.method, request.key) == ("GET", key["Key"]) else None

    with FaultProxy(s3.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        proxy.plan(after_the_copy)
        if meanwhile == "uploaded again unchanged":
            assert names(fetch(target, f"s3://{bucket}/raw")) == SOUND
            return
        with pytest.raises(OutsideFailure) as failed:
            fetch(target, f"s3://{bucket}/raw")
    assert str(failed.value) == (
        f"s3://{bucket}/raw/liaison.xlsx was replaced while it was copied. Run again when it is finished."
    )
