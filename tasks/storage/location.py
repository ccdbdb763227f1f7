"""From an address to the storage at that address."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tasks.domain.issues import WrongArgument
from tasks.storage.local import LocalStorage
from tasks.storage.protocol import Storage


@dataclass(frozen=True)
class Location:
    """Where files are read or published.

    Attributes:
        address: A folder, or `s3://bucket/prefix`.
        aws_credentials: Name of the Prefect block with the credentials. Empty: those of the machine, from its
            environment, profile or role.
    """

    address: str
    aws_credentials: str = ""

    def check(self) -> None:
        """Refuse an impossible address before any request is made.

        Raises:
            WrongArgument: Its scheme is unknown, or it has no bucket.
        """
        scheme, separator, rest = self.address.partition("://")
        if separator and scheme != "s3":
            raise WrongArgument(f'"{self.address}": {scheme}:// is not known. Use a folder, or s3://bucket/prefix.')
        if separator and not rest.partition("/")[0]:
            raise WrongArgument(f'"{self.address}" names no bucket. Write it as s3://bucket/prefix.')

    def parent(self) -> tuple["Location", str]:
        """The folder of the file at this address, and the file's name in it."""
        if not self.address.startswith("s3://"):
            path = Path(self.address)
            return replace(self, address=str(path.parent)), path.name
        folder, _, name = self.address.rpartition("/")
        return replace(self, address=folder), name

    def open(self) -> Storage:
        """The storage at the address.

        Raises:
            WrongArgument: See `check`.
            OutsideFailure: There are no credentials for it.
        """
        self.check()
        if not self.address.startswith("s3://"):
            return LocalStorage(Path(self.address))
        from tasks.storage.s3 import S3Storage  # noqa: PLC0415 - takes a second, and a local folder does not need it

        bucket, _, prefix = self.address.removeprefix("s3://").partition("/")
        return S3Storage(shared_client(self.aws_credentials), bucket, prefix.strip("/"))


@cache
def shared_client(aws_credentials: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
    """The one S3 client of this process with these credentials; making it costs requests and time."""
    from tasks.storage.s3 import s3_client  # noqa: PLC0415 - as above

    return s3_client(aws_credentials)
