"""What a folder and a bucket have in common: the verbs by which a run reads and publishes."""

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import boto3
import pytest
from publishing import Destination, s3_environment

from tasks.domain.issues import OutsideFailure, WrongArgument
from tasks.storage.local import LocalStorage, file_facts
from tasks.storage.location import Location
from tasks.storage.protocol import CHUNK, ConflictError, Storage
from tasks.storage.s3 import S3Storage

KEY = "wines/premium_wines_2025-05.csv"
LARGE = b"M" + bytes(3 * CHUNK) + b"ay"  # several readings


@pytest.fixture
def in_bucket(s3, bucket: str) -> Storage:
    return Destination(s3, bucket).storage()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file that is to be stored."""
    path = tmp_path / "new"
    path.write_bytes(LARGE)
    return path


def holding(storage: Storage, contents: Mapping[str, bytes]) -> Storage:
    """The place with these files, by key."""
    for key, content in contents.items():
        storage.compare_and_swap(key, content, None)
    return storage


def contents(storage: Storage) -> dict[str, bytes]:
    """Every file of the place, by key."""
    return {key: storage.read(key).content for key in storage.keys("")}


@pytest.mark.parametrize("content", [LARGE, b"May", b""], ids=["large", "small", "empty"])
def test_a_stored_file_comes_back_with_its_size_and_sha256(storage: Storage, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "new").write_bytes(content)
    storage.create(KEY, tmp_path / "new", file_facts(tmp_path / "new"))
    copied = storage.download(KEY, tmp_path / "copy")
    assert copied == storage.facts(KEY)
    assert (copied.size, copied.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert storage.read(KEY).content == (tmp_path / "copy").read_bytes() == content
    assert storage.keys("") == [KEY]


@pytest.mark.parametrize("key", ["2025-05 Web (1).xlsx", "bordeaux/Château d'Yquem +20% & co.csv", "~$erp.xlsx"])
def test_a_key_is_taken_as_it_is_written(storage: Storage, key: str) -> None:
    holding(storage, {key: b"May"})
    storage.copy(key, f"copies/{key}")
    assert contents(storage) == {key: b"May", f"copies/{key}": b"May"}
    assert storage.facts(f"copies/{key}").has_same_content(storage.facts(key))


def test_a_new_file_replaces_nothing(storage: Storage, file: Path) -> None:
    holding(storage, {KEY: b"April"})
    with pytest.raises(ConflictError):
        storage.create(KEY, file, file_facts(file))
    assert contents(storage) == {KEY: b"April"}


def test_the_first_to_write_wins(storage: Storage) -> None:
    storage.compare_and_swap("manifest", b"April", None)
    with pytest.raises(ConflictError):
        storage.compare_and_swap("manifest", b"May", None)
    assert contents(storage) == {"manifest": b"April"}


def test_a_version_that_was_read_can_be_replaced_once(storage: Storage) -> None:
    read = holding(storage, {"manifest": b"April"}).read("manifest")
    storage.compare_and_swap("manifest", b"May", read.version)
    with pytest.raises(ConflictError):
        storage.compare_and_swap("manifest", b"June", read.version)
    assert contents(storage) == {"manifest": b"May"}
    storage.compare_and_swap("manifest", b"July", storage.read("manifest").version)
    assert contents(storage) == {"manifest": b"July"}


def test_a_file_that_is_gone_is_not_replaced(storage: Storage) -> None:
    read = holding(storage, {"another": b"April"}).read("another")
    with pytest.raises(ConflictError):
        storage.compare_and_swap("manifest", b"May", read.version)
    assert contents(storage) == {"another": b"April"}


def test_a_version_is_the_same_however_the_file_is_read(storage: Storage, tmp_path: Path) -> None:
    """A source that was replaced during its copy is known by this."""
    holding(storage, {"erp.xlsx": b"April"})
    before = storage.facts("erp.xlsx").version
    assert storage.download("erp.xlsx", tmp_path / "copy").version == before
    storage.compare_and_swap("erp.xlsx", b"May", storage.read("erp.xlsx").version)
    after = storage.facts("erp.xlsx").version
    assert storage.download("erp.xlsx", tmp_path / "copy").version == after != before


@pytest.mark.parametrize("before", [{}, {"shown": b"April"}], ids=["nothing there before", "a file there before"])
def test_a_copy_replaces_the_old_file_and_has_its_sha256(storage: Storage, before: dict[str, bytes]) -> None:
    holding(storage, {KEY: LARGE, **before})
    storage.copy(KEY, "shown")
    assert contents(storage) == {KEY: LARGE, "shown": LARGE}
    assert (storage.facts("shown").size, storage.facts("shown").sha256) == (
        len(LARGE),
        hashlib.sha256(LARGE).hexdigest(),
    )


def test_a_file_that_is_not_there_is_not_copied(storage: Storage) -> None:
    holding(storage, {"shown": b"April"})
    with pytest.raises(OutsideFailure) as failed:
        storage.copy("gone", "shown")
    assert str(failed.value) in {
        f"cannot write {storage.address('shown')}: it is not there.",
        f"{storage.address('shown')}: CopyObject failed: the server answered NoSuchKey.",
    }
    assert contents(storage) == {"shown": b"April"}


@pytest.mark.parametrize("key", ["gone.csv", "wines", f"{KEY}/gone.csv"], ids=["nothing", "a folder", "below a file"])
def test_where_no_file_is_there_is_none_to_get(storage: Storage, tmp_path: Path, key: str) -> None:
    holding(storage, {KEY: b"May"})
    assert (storage.download(key, tmp_path / "copy"), storage.read(key), storage.facts(key)) == (None, None, None)
    assert not (tmp_path / "copy").exists()


def test_files_are_listed_by_name_and_folders_by_their_files(storage: Storage) -> None:
    keys = ["web.xlsx", "erp.xlsx", "2025/05/erp.xlsx", "2025/04/a.xlsx", "20251/b.xlsx"]
    holding(storage, dict.fromkeys(keys, b"May"))
    assert storage.names() == ["erp.xlsx", "web.xlsx"]
    assert storage.keys("2025/") == ["2025/04/a.xlsx", "2025/05/erp.xlsx"]
    assert storage.keys("") == sorted(keys)
    assert storage.keys("2024/") == []


def test_an_address_is_what_a_person_opens(s3, bucket: str) -> None:
    assert Location("reports").open().address(KEY) == f"reports/{KEY}"
    with mock.patch.dict(os.environ, s3_environment(s3.endpoint, s3.keys["publisher"]), clear=True):
        for address in (f"s3://{bucket}", f"s3://{bucket}/", f"s3://{bucket}/prod", f"s3://{bucket}/prod/"):
            assert Location(address).open().address(KEY) == f"{address.rstrip('/')}/{KEY}"


def test_two_prefixes_of_a_bucket_do_not_see_each_other(s3, bucket: str) -> None:
    places = {prefix: Destination(s3, bucket, prefix).storage() for prefix in ("prod", "prod2", "prod/deeper")}
    for prefix, storage in places.items():
        storage.compare_and_swap("manifest", prefix.encode(), None)
    assert contents(places["prod2"]) == {"manifest": b"prod2"}
    assert places["prod"].names() == ["manifest"]
    assert s3.objects(bucket) == {f"{prefix}/manifest": prefix.encode() for prefix in places}


def test_more_files_than_fit_on_a_page_are_listed(s3, bucket: str, in_bucket: Storage) -> None:
    keys = [f"revisions/{number:04}" for number in range(1001)]
    client = s3.client()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: client.put_object(Bucket=bucket, Key=f"prod/{key}", Body=b""), keys))
    assert in_bucket.keys("revisions/") == keys


def test_a_folder_made_in_the_console_is_not_a_file(s3, bucket: str, in_bucket: Storage) -> None:
    for key in ("prod/", "prod/2025/"):
        s3.client().put_object(Bucket=bucket, Key=key, Body=b"")
    assert (in_bucket.names(), in_bucket.keys("")) == ([], [])


def test_what_another_program_stored_has_no_sha256_to_be_taken_at_its_word(s3, bucket: str, in_bucket: Storage) -> None:
    s3.client().put_object(Bucket=bucket, Key=f"prod/{KEY}", Body=b"May")
    facts = in_bucket.facts(KEY)
    assert (facts.size, facts.sha256) == (3, "")


def test_content_that_is_not_what_was_announced_is_refused_by_the_server(s3, bucket, in_bucket, file: Path) -> None:
    announced = file_facts(file)
    file.write_bytes(LARGE[:-1] + b"!")
    with pytest.raises(OutsideFailure) as failed:
        in_bucket.create(KEY, file, announced)
    assert str(failed.value) == f"s3://{bucket}/prod/{KEY}: PutObject failed: the server answered BadDigest."
    assert s3.objects(bucket) == {}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("report.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("wines.csv", "text/csv; charset=utf-8"),
        ("manifest.json", "application/json"),
        ("wines.parquet", "application/vnd.apache.parquet"),
    ],
)
def test_a_file_has_its_content_type(s3, bucket, in_bucket, name: str, kind: str) -> None:
    in_bucket.compare_and_swap(name, b"", None)
    in_bucket.copy(name, f"shown/{name}")
    for key in (name, f"shown/{name}"):
        assert s3.client().head_object(Bucket=bucket, Key=f"prod/{key}")["ContentType"] == kind


@pytest.mark.parametrize("kind", ["http", "https", "ftp", "file", "gs", "S3"])
def test_an_address_of_a_kind_that_is_not_known_is_refused(kind: str) -> None:
    with pytest.raises(WrongArgument) as refused:
        Location(f"{kind}://wines/2025").open()
    assert str(refused.value) == (
        f'"{kind}://wines/2025": {kind}:// is not known. Use a folder, or s3://bucket/prefix.'
    )


@pytest.mark.parametrize("address", ["s3://", "s3:///2025"])
def test_an_address_without_a_bucket_is_refused(address: str) -> None:
    with pytest.raises(WrongArgument) as refused:
        Location(address).open()
    assert str(refused.value) == f'"{address}" names no bucket. Write it as s3://bucket/prefix.'


CONSOLE = "https://eu-west-3.console.aws.amazon.com/s3/object"


@pytest.mark.parametrize(
    ("endpoint", "link"),
    [
        (None, f"{CONSOLE}/wines?region=eu-west-3&prefix=prod/sales_reports/a%20b.xlsx"),
        ("http://minio.lan:9000", "http://minio.lan:9000/wines/prod/sales_reports/a%20b.xlsx"),
    ],
    ids=["console of AWS", "another server"],
)
def test_a_file_of_a_bucket_has_a_link_for_a_browser(endpoint: str | None, link: str) -> None:
    client = boto3.client(
        "s3", region_name="eu-west-3", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b"
    )
    assert S3Storage(client, "wines", "prod").link("sales_reports/a b.xlsx") == link
    assert LocalStorage(Path("reports")).link("sales_reports/a b.xlsx") == ""
