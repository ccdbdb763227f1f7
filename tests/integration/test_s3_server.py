"""What the tests of the publication take for granted of their server."""

import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("boto3", reason="needs boto3, the client of S3")
from botocore.exceptions import ClientError


def outcome(call: Callable[[], object]) -> int | str:
    try:
        call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return error.response["ResponseMetadata"]["HTTPStatusCode"] if code.isdigit() else code
    return 200


def sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


@pytest.mark.parametrize("condition", ["IfNoneMatch", "IfMatch"])
def test_one_of_many_racing_conditional_writes_wins(s3, bucket, condition: str):
    # Losers wait for a lock that this server tries once a second, so the unlucky one waits for seconds.
    client = s3.client(read_timeout=30)
    for turn in range(5):
        key = f"k{turn}"
        seen = "*" if condition == "IfNoneMatch" else client.put_object(Bucket=bucket, Key=key, Body=b"-")["ETag"]

        def put(index: int, key: str = key, seen: str = seen) -> int | str:
            body = b"%d" % index
            return outcome(lambda: client.put_object(Bucket=bucket, Key=key, Body=body, **{condition: seen}))

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(put, range(8)))
        assert sorted(outcomes, key=str) == [200, *["PreconditionFailed"] * 7]
        assert s3.objects(bucket)[key] == b"%d" % outcomes.index(200)


def test_a_wrong_checksum_stores_nothing_and_a_right_one_is_told_of_object_and_copy(s3, bucket):
    client = s3.client()
    wrong = outcome(lambda: client.put_object(Bucket=bucket, Key="k", Body=b"body", ChecksumSHA256=sha256(b"other")))
    assert wrong == "BadDigest"
    assert s3.objects(bucket) == {}
    client.put_object(Bucket=bucket, Key="k", Body=b"body", ChecksumSHA256=sha256(b"body"))
    client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    for key in ("k", "copy"):
        assert client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")["ChecksumSHA256"] == sha256(b"body")


def test_reads_and_copies_hold_to_a_version(s3, bucket):
    client = s3.client()
    stale = client.put_object(Bucket=bucket, Key="k", Body=b"old")["ETag"]
    client.put_object(Bucket=bucket, Key="k", Body=b"new")
    source = {"Bucket": bucket, "Key": "k"}
    assert outcome(lambda: client.get_object(Bucket=bucket, Key="k", IfMatch=stale)) == "PreconditionFailed"
    assert outcome(lambda: client.head_object(Bucket=bucket, Key="k", IfMatch=stale)) == 412
    copied = outcome(lambda: client.copy_object(Bucket=bucket, Key="c", CopySource=source, CopySourceIfMatch=stale))
    assert copied == "PreconditionFailed"
    assert s3.objects(bucket) == {"k": b"new"}


@pytest.mark.parametrize(
    ("identity", "reads", "writes", "lists"),
    [
        ("publisher", 200, 200, 200),
        ("reader", 200, "AccessDenied", 200),
        ("blind", 200, 200, "AccessDenied"),
        ("expired", *["AccessDenied"] * 3),
        ("retired", *["InvalidAccessKeyId"] * 3),
        ("stranger", *["InvalidAccessKeyId"] * 3),
        ("forger", *["SignatureDoesNotMatch"] * 3),
    ],
)
def test_identities_do_what_they_may_and_none_deletes(s3, bucket, identity: str, reads, writes, lists):
    s3.client().put_object(Bucket=bucket, Key="k", Body=b"body")
    client = s3.client(identity)
    assert outcome(lambda: client.get_object(Bucket=bucket, Key="k")) == reads
    assert outcome(lambda: client.put_object(Bucket=bucket, Key="new", Body=b"body")) == writes
    assert outcome(lambda: client.list_objects_v2(Bucket=bucket, Prefix="n")) == lists
    assert outcome(lambda: client.delete_object(Bucket=bucket, Key="k")) != 200
    assert "k" in s3.objects(bucket)


def test_a_missing_bucket_is_told_from_a_missing_object(s3, bucket):
    client = s3.client()
    assert outcome(lambda: client.get_object(Bucket=bucket, Key="none")) == "NoSuchKey"
    assert outcome(lambda: client.get_object(Bucket="no-such-bucket", Key="k")) == "NoSuchBucket"
    assert outcome(lambda: client.put_object(Bucket="no-such-bucket", Key="k", Body=b"")) == "NoSuchBucket"
    assert outcome(lambda: client.list_objects_v2(Bucket="no-such-bucket")) == "NoSuchBucket"
