"""A bucket on S3, or on an S3-compatible server.

Time-outs and retries are in this module only. A request, including its response body, is tried three times with growing
pauses when the server does not answer, is busy (503) or drops the connection; 401, 403 and 404 are not retried.
boto3's own retries are off: it counts attempts for headers and body separately, so a server that fails in the middle of
a response would block a run for minutes. Each object is written with its sha256 twice: as the checksum that the server
verifies, and as metadata, which a copy keeps.
"""

import base64
import hashlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote, urlsplit

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)

from tasks.domain.issues import OutsideFailure
from tasks.storage.local import file_facts, outside
from tasks.storage.protocol import CHUNK, ConflictError, Document, StoredFile

Answer = TypeVar("Answer")

CONNECT_SECONDS = 5
READ_SECONDS = 15
PAUSES = (1.0, 2.0)
"""Seconds before the second and the third attempt, less some jitter."""
ATTEMPTS = len(PAUSES) + 1

_PERMISSIONS = {
    # Without permission to list, S3 denies a missing file as well.
    "GetObject": "s3:GetObject or s3:ListBucket",
    "HeadObject": "s3:GetObject or s3:ListBucket",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:GetObject or s3:PutObject",
    "ListObjectsV2": "s3:ListBucket",
}
_CREDENTIALS_REFUSED = {
    "InvalidAccessKeyId": "the access key is not known",
    "SignatureDoesNotMatch": "the secret key does not match the access key",
    "ExpiredToken": "the session has expired",
    "InvalidToken": "the session token is not valid",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
}
_CONTENT_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
}
_CONFLICTS = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
_MISSING = {"NoSuchKey", "404", "NotFound"}
_HIDDEN = {"AccessDenied", "403", "Forbidden"}
_BUSY = {"SlowDown", "RequestTimeout", "ConditionalRequestConflict"}
_LOST = (HTTPClientError, ConnectionError, IncompleteReadError, FlexibleChecksumError)
"""No answer, a cut connection, or an incomplete or corrupt response."""


def s3_client(aws_credentials: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
    """A client with the credentials of a Prefect block, or with those of the machine.

    `AWS_ENDPOINT_URL`, or the block, may name a server other than AWS; boto3 then puts the bucket into the path.
    """
    try:
        session, options = _session_of(aws_credentials) if aws_credentials else (boto3.Session(), {})
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": 1},
            # Otherwise boto3 signs links with version 2, which newer regions refuse.
            signature_version="s3v4",
        ).merge(options.pop("config", Config()))
        return session.client("s3", config=config, **options)
    except (BotoCoreError, ValueError) as error:
        raise OutsideFailure(f"no credentials for S3: {_first_line(error)}.") from None
    except httpx.HTTPError as error:
        raise OutsideFailure(
            f'the block "{aws_credentials}" cannot be read: the Prefect server does not answer: {_first_line(error)}.'
        ) from None


def _session_of(aws_credentials: str) -> tuple[boto3.Session, dict[str, Any]]:
    """The session of a Prefect block, and the block's options for each client."""
    from prefect_aws import AwsCredentials  # noqa: PLC0415 - takes half a second, and only blocks need it

    block: Any = AwsCredentials.load(aws_credentials)
    return block.get_boto3_session(), block.aws_client_parameters.get_params_override()


class S3Storage:
    """A prefix of a bucket."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:  # noqa: ANN401
        self.client = client
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""

    def names(self) -> list[str]:
        return self._list("", Delimiter="/")

    def keys(self, folder: str) -> list[str]:
        return self._list(folder)

    def _list(self, folder: str, **options: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2")
        request = {"Bucket": self.bucket, "Prefix": self.prefix + folder, **options}

        def listed() -> list[str]:
            return [entry["Key"] for page in pages.paginate(**request) for entry in page.get("Contents", [])]

        keys = [key.removeprefix(self.prefix) for key in self._ask("ListObjectsV2", folder, listed)]
        return sorted(key for key in keys if key and not key.endswith("/"))

    def facts(self, key: str) -> StoredFile | None:
        answer = self._ask("HeadObject", key, lambda: self._unless_missing(self.client.head_object, key))
        if answer is None:
            return None
        return StoredFile(answer["ContentLength"], answer.get("Metadata", {}).get("sha256", ""), answer["ETag"])

    def download(self, key: str, target: Path) -> StoredFile | None:
        with outside(f"cannot write {target}"), target.open("wb") as copy:
            etag = self._get(key, copy)
        if etag is None:
            target.unlink()
            return None
        return replace(file_facts(target), version=etag)

    def read(self, key: str) -> Document | None:
        content = BytesIO()
        etag = self._get(key, content)
        return None if etag is None else Document(content.getvalue(), etag)

    def _get(self, key: str, copy: BinaryIO) -> str | None:
        """Copy a whole object and return its ETag, or None where there is no such object."""

        def copied() -> str | None:
            copy.seek(0)
            copy.truncate()
            answer = self._unless_missing(self.client.get_object, key)
            if answer is None:
                return None
            copy.writelines(answer["Body"].iter_chunks(CHUNK))
            return str(answer["ETag"])

        return self._ask("GetObject", key, copied)

    def _unless_missing(self, request: Callable[..., dict[str, Any]], key: str) -> dict[str, Any] | None:
        """The answer, or None where there is no such object.

        AWS answers 403 for a missing object if the client may list only some prefixes (least privilege): then a list
        with the key as its prefix shows whether the object exists.
        """
        try:
            return request(Bucket=self.bucket, Key=self.prefix + key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            if error.response["Error"]["Code"] in _HIDDEN:
                with suppress(ClientError):
                    listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix + key)
                    if self.prefix + key not in [entry["Key"] for entry in listed.get("Contents", [])]:
                        return None
            raise

    def create(self, key: str, file: Path, facts: StoredFile) -> None:
        with file.open("rb") as body:
            self._put(key, body, facts.sha256, IfNoneMatch="*")

    def compare_and_swap(self, key: str, content: bytes, version: str | None) -> None:
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        self._put(key, BytesIO(content), hashlib.sha256(content).hexdigest(), **condition)

    def _put(self, key: str, body: BinaryIO, sha256: str, **condition: str) -> None:
        def put() -> None:
            body.seek(0)
            self.client.put_object(
                Bucket=self.bucket,
                Key=self.prefix + key,
                Body=body,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
                Metadata={"sha256": sha256},
                ContentType=_CONTENT_TYPES.get(Path(key).suffix, "application/octet-stream"),
                **condition,
            )

        self._ask("PutObject", key, put)

    def copy(self, key: str, target: str) -> None:
        source = {"Bucket": self.bucket, "Key": self.prefix + key}
        request = {"Bucket": self.bucket, "Key": self.prefix + target, "CopySource": source}
        self._ask("CopyObject", target, lambda: self.client.copy_object(**request))

    def _ask(self, action: str, key: str, request: Callable[[], Answer]) -> Answer:
        """The server's answer; temporary errors are retried."""
        with _errors_as_sentences(action, self.bucket, self.address(key)):
            for pause in PAUSES:
                try:
                    return request()
                except (BotoCoreError, ClientError) as error:
                    if not _is_temporary(error):
                        raise
                    time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter, not a secret
            return request()

    def address(self, key: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def link(self, key: str) -> str:
        """The object in the console of AWS, or its URL on another server; both ask for a login."""
        endpoint, region, path = self.client.meta.endpoint_url, self.client.meta.region_name, quote(self.prefix + key)
        if str(urlsplit(endpoint).hostname).endswith(".amazonaws.com"):
            return f"https://{region}.console.aws.amazon.com/s3/object/{self.bucket}?region={region}&prefix={path}"
        return f"{endpoint}/{self.bucket}/{path}"


def _is_temporary(error: BotoCoreError | ClientError) -> bool:
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        return status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.response["Error"]["Code"] in _BUSY
    return isinstance(error, _LOST)


@contextmanager
def _errors_as_sentences(action: str, bucket: str, what: str) -> Iterator[None]:
    """Turn an error of the server or the network into a sentence with the missing permission or setting."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        if action == "PutObject" and code in _CONFLICTS | _MISSING:
            raise ConflictError(what) from None
        raise OutsideFailure(f"{what}: {action} failed: {_reason(action, bucket, code, status)}.") from None
    except NoCredentialsError:
        raise OutsideFailure(
            f"{what}: there are no AWS credentials. Name a block with aws_credentials, or set AWS_PROFILE, "
            "AWS_ACCESS_KEY_ID or a role."
        ) from None
    except _LOST as error:
        raise OutsideFailure(f"{what}: {action} failed {ATTEMPTS} times: {_first_line(error)}.") from None
    except (BotoCoreError, ValueError) as error:
        raise OutsideFailure(f"{what}: {action} failed: {_first_line(error)}.") from None


def _reason(action: str, bucket: str, code: str, status: int) -> str:
    if code in _CREDENTIALS_REFUSED:
        return f"{_CREDENTIALS_REFUSED[code]} ({code})"
    if code == "NoSuchBucket":
        return f'there is no bucket "{bucket}"'
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"these credentials lack {_PERMISSIONS.get(action, 'the permission')} ({code})"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _BUSY:
        return f"the server answered {code} {ATTEMPTS} times"
    return f"the server answered {code}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
