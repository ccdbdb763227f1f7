"""The proxy of the tests of faults: what it is not asked to harm passes unharmed. Its faults: test_s3_faults.py."""

import pytest
from botocore.exceptions import ConnectionClosedError
from fault_proxy import Call, FaultProxy


def test_requests_pass_unharmed_and_are_logged(s3, bucket):
    large = bytes(range(256)) * 40_000  # ten megabytes: more than any buffer on the way
    with FaultProxy(s3.endpoint) as proxy:
        client = s3.client(endpoint=proxy.endpoint)
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
