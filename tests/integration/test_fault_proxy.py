import base64
import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from fault_proxy import (
    Action,
    Call,
    Corrupt,
    CutAfter,
    CutBefore,
    CutMidBody,
    Delay,
    FaultProxy,
    Request,
    Respond,
    Silent,
)

pytest.importorskip("boto3", reason="needs boto3, the client of S3")
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)


@pytest.fixture
def proxy(s3) -> Iterator[FaultProxy]:
    with FaultProxy(s3.endpoint) as proxy:
        yield proxy


@pytest.fixture
def client(s3, proxy):
    return s3.client(endpoint=proxy.endpoint)


def error_of(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_requests_pass_unharmed_and_are_logged(s3, proxy, client, bucket):
    large = bytes(range(256)) * 40_000  # ten megabytes: more than any buffer on the way
    client.put_object(Bucket=bucket, Key="a b/ü+&.csv", Body=large, IfNoneMatch="*")
    client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b/ü+&.csv"})
    assert client.get_object(Bucket=bucket, Key="copy")["Body"].read() == large
    client.head_object(Bucket=bucket, Key="copy")
    client.list_objects_v2(Bucket=bucket, Prefix="a b/")

    assert s3.objects(bucket) == {"a b/ü+&.csv": large, "copy": large}
    assert [(request.number, request.method, request.bucket, request.key) for request in proxy.log] == [
        (1, "PUT", bucket, "a b/ü+&.csv"),
        (2, "PUT", bucket, "copy"),
        (3, "GET", bucket, "copy"),
        (4, "HEAD", bucket, "copy"),
        (5, "GET", bucket, ""),
    ]
    assert proxy.log[0].conditions == {"if-none-match": "*"}
    assert "prefix=a%20b%2F" in proxy.log[4].query


def test_refusals_of_the_server_pass_unharmed(s3, proxy, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"first")
    stranger = s3.client("stranger", proxy.endpoint)
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()

    def put(client=client, **more: str) -> Callable[[], object]:
        return lambda: client.put_object(Bucket=bucket, Key="k", Body=b"second" * 100_000, **more)

    assert error_of(put(IfNoneMatch="*")) == (412, "PreconditionFailed")
    assert error_of(put(ChecksumSHA256=wrong)) == (400, "BadDigest")
    assert error_of(put(stranger)) == (403, "InvalidAccessKeyId")
    assert s3.objects(bucket) == {"k": b"first"}


def test_a_made_up_answer_never_reaches_the_server(s3, proxy, client, bucket):
    proxy.on(1, Respond(503, "SlowDown"))
    proxy.on(2, Respond(400, "ExpiredToken"))
    proxy.on(3, Respond(503, "SlowDown"))
    assert error_of(lambda: client.put_object(Bucket=bucket, Key="k", Body=b"body")) == (503, "SlowDown")
    assert error_of(lambda: client.get_object(Bucket=bucket, Key="k")) == (400, "ExpiredToken")
    # The answer to HEAD has no body to name a code in.
    assert error_of(lambda: client.head_object(Bucket=bucket, Key="k")) == (503, "503")
    assert s3.objects(bucket) == {}
    client.put_object(Bucket=bucket, Key="k", Body=b"body")
    assert s3.objects(bucket) == {"k": b"body"}


@pytest.mark.parametrize(
    ("action", "stored"), [(CutBefore(), {}), (CutMidBody(), {}), (CutAfter(), {"k": b"body" * 1000})]
)
def test_a_cut_put(s3, proxy, client, bucket, action: Action, stored: dict[str, bytes]):
    proxy.on(1, action)
    with pytest.raises(ConnectionClosedError):
        client.put_object(Bucket=bucket, Key="k", Body=b"body" * 1000)
    assert s3.objects(bucket) == stored


def test_a_put_cut_in_mid_body_keeps_what_was_there(s3, proxy, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"old")
    proxy.on(2, CutMidBody())
    with pytest.raises(ConnectionClosedError):
        client.put_object(Bucket=bucket, Key="k", Body=b"new" * 2_000_000)
    assert s3.objects(bucket) == {"k": b"old"}


def test_a_get_cut_in_mid_body(proxy, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"body" * 1000)
    proxy.on(2, CutMidBody())
    body = client.get_object(Bucket=bucket, Key="k")["Body"]
    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        body.read()


def test_a_copy_whose_answer_is_cut_is_made(s3, proxy, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"body")
    proxy.on(2, CutMidBody())
    copy = partial(client.copy_object, Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    # boto3 takes half an answer to a copy for a failure of the server.
    assert error_of(copy) == (500, "500")
    assert s3.objects(bucket) == {"k": b"body", "copy": b"body"}


def test_silence_lasts_until_the_client_gives_up(s3, proxy, bucket):
    proxy.plan(lambda _number, _request: Silent())
    client = s3.client(endpoint=proxy.endpoint, read_timeout=0.3)
    with pytest.raises(ReadTimeoutError):
        client.get_object(Bucket=bucket, Key="k")
    with pytest.raises(ReadTimeoutError):
        client.put_object(Bucket=bucket, Key="k", Body=b"body")
    assert s3.objects(bucket) == {}


def test_a_delayed_request_is_answered_late(s3, proxy, client, bucket):
    proxy.on(1, Delay(0.5))
    start = time.monotonic()
    client.put_object(Bucket=bucket, Key="k", Body=b"body")
    assert time.monotonic() - start >= 0.5
    assert s3.objects(bucket) == {"k": b"body"}


def test_a_corrupted_answer_differs_in_one_byte_and_from_its_checksum(s3, proxy, client, bucket):
    digest = base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    client.put_object(Bucket=bucket, Key="k", Body=b"body", ChecksumSHA256=digest)
    proxy.plan(lambda _number, _request: Corrupt())
    # Only a client that does not check sees the byte.
    assert s3.objects(bucket) == {"k": b"body"}
    with pytest.raises(FlexibleChecksumError):
        client.get_object(Bucket=bucket, Key="k")["Body"].read()


def test_a_call_before_sees_the_server_as_it_was(s3, proxy, client, bucket):
    seen = []
    proxy.on(1, Call(lambda: seen.append(s3.objects(bucket))))
    client.put_object(Bucket=bucket, Key="k", Body=b"body")
    assert seen == [{}]
    assert s3.objects(bucket) == {"k": b"body"}


PUT_IN_A_CHILD = """
import sys, boto3
endpoint, access, secret, bucket = sys.argv[1:]
client = boto3.client(
    "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=access, aws_secret_access_key=secret
)
print("ready", flush=True)
sys.stdin.readline()
client.put_object(Bucket=bucket, Key="k", Body=b"body")
"""


@pytest.mark.parametrize("after", [False, True])
def test_a_child_is_killed_at_a_request(s3, proxy, bucket, after: bool):  # noqa: FBT001
    keys = s3.keys["publisher"]
    command = [sys.executable, "-c", PUT_IN_A_CHILD, proxy.endpoint, keys.access, keys.secret, bucket]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:

        def kill() -> None:
            child.kill()
            child.wait()

        proxy.on(1, Call(kill, after=after, then=CutBefore()))
        assert child.stdout.readline() == b"ready\n"
        child.stdin.write(b"go\n")
        child.stdin.flush()
        assert child.wait(timeout=20) == -9
    assert s3.objects(bucket) == ({"k": b"body"} if after else {})
    assert len(proxy.log) == 1


def test_what_a_call_raises_comes_out_where_the_proxy_ends(s3, bucket):
    def fail() -> None:
        raise ValueError("a test's own mistake")

    def put_through_a_failing_proxy() -> None:
        with FaultProxy(s3.endpoint) as proxy:
            proxy.on(1, Call(fail))
            with pytest.raises(ConnectionClosedError):
                s3.client(endpoint=proxy.endpoint).put_object(Bucket=bucket, Key="k", Body=b"body")

    with pytest.raises(ValueError, match="a test's own mistake"):
        put_through_a_failing_proxy()


def test_a_plan_is_asked_once_for_each_request_in_their_order(s3, proxy, bucket):
    asked: list[tuple[int, str]] = []

    def refuse_every_third(number: int, request: Request) -> Action | None:
        asked.append((number, request.key))
        return Respond(503, "SlowDown") if number % 3 == 0 else None

    proxy.plan(refuse_every_third)
    refused = []

    def put(index: int) -> None:
        try:
            s3.client(endpoint=proxy.endpoint).put_object(Bucket=bucket, Key=f"k{index}", Body=b"body")
        except ClientError:
            refused.append(f"k{index}")

    threads = [threading.Thread(target=put, args=(index,)) for index in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [number for number, _ in asked] == list(range(1, 10))
    assert asked == [(request.number, request.key) for request in proxy.log]
    assert sorted(refused) == sorted(key for number, key in asked if number % 3 == 0)
    assert sorted(s3.objects(bucket)) == sorted(key for number, key in asked if number % 3)


def test_after_a_reset_counting_starts_anew(proxy, client, bucket):
    proxy.on(2, CutBefore())
    client.put_object(Bucket=bucket, Key="k", Body=b"body")
    proxy.reset()
    client.put_object(Bucket=bucket, Key="k", Body=b"body")
    client.put_object(Bucket=bucket, Key="k", Body=b"body")
    assert [request.number for request in proxy.log] == [1, 2]
