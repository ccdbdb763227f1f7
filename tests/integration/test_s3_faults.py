"""A server that is busy, silent or refuses, and a network that loses data: what is retried, and what is reported."""

import base64
import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from fault_proxy import (
    Action,
    Call,
    Corrupt,
    CutAfter,
    CutBefore,
    CutMidBody,
    FaultProxy,
    Request,
    Respond,
    Silent,
    SilentMidBody,
)
from publishing import Destination, Export, check_bucket, publish, s3_environment

from tasks.domain.issues import OutsideFailure
from tasks.publication.manifest import manifest_key
from tasks.publication.verify import list_months, verify_month
from tasks.storage import s3 as module
from tasks.storage.local import file_facts
from tasks.storage.location import Location, shared_client
from tasks.storage.protocol import Storage
from tasks.storage.s3 import S3Storage

MAY, MAY_CORRECTED = Export("2025-05", "first"), Export("2025-05", "fixed")
CONTENT = bytes(range(256)) * 40


@dataclass(frozen=True)
class Verb:
    """One thing that a run asks of S3.

    Attributes:
        action: What AWS calls it.
        key: What it is asked of.
        ask: Asks it of a storage, with a file to store or to write into.
        stored: What is new afterwards.
    """

    action: str
    key: str
    ask: Callable[[Storage, Path], object]
    stored: dict[str, bytes]


VERBS = {
    "list": Verb("ListObjectsV2", "", lambda storage, _: storage.names(), {}),
    "head": Verb("HeadObject", "there.csv", lambda storage, _: storage.facts("there.csv"), {}),
    "read": Verb("GetObject", "there.csv", lambda storage, _: storage.read("there.csv"), {}),
    "download": Verb(
        "GetObject", "there.csv", lambda storage, file: storage.download("there.csv", file.with_name("copy")), {}
    ),
    "create": Verb(
        "PutObject", "new.csv", lambda storage, file: storage.create("new.csv", file, file_facts(file)),
        {"prod/new.csv": CONTENT},
    ),
    "swap": Verb(
        "PutObject", "new.json", lambda storage, _: storage.compare_and_swap("new.json", CONTENT, None),
        {"prod/new.json": CONTENT},
    ),
    "copy": Verb(
        "CopyObject", "copy.csv", lambda storage, _: storage.copy("there.csv", "copy.csv"), {"prod/copy.csv": CONTENT}
    ),
}  # fmt: skip


def of_verbs(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("verb", [VERBS[name] for name in names], ids=names)


@pytest.fixture(scope="module")
def one_proxy(s3) -> Iterator[FaultProxy]:
    with FaultProxy(s3.endpoint) as proxy:
        yield proxy


@pytest.fixture
def proxy(one_proxy: FaultProxy) -> FaultProxy:
    one_proxy.reset()
    return one_proxy


@pytest.fixture(scope="module")
def client(s3, one_proxy: FaultProxy) -> Any:
    """A run's own client, whose requests the proxy sees; making one takes longer than most of these tests."""
    with environment(one_proxy.endpoint, s3.keys["publisher"]):
        return module.s3_client("")


@pytest.fixture
def through(client) -> Callable[[Destination], S3Storage]:
    """The storage of a destination, seen through the proxy."""
    return lambda destination: S3Storage(client, destination.bucket, destination.prefix)


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", tuple(0.01 for _ in module.PAUSES))


@pytest.fixture
def destination(s3, bucket) -> Destination:
    return Destination(s3, bucket)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "new"
    path.write_bytes(CONTENT)
    return path


@contextmanager
def environment(endpoint: str, keys, **more: str) -> Iterator[None]:
    with mock.patch.dict(os.environ, s3_environment(endpoint, keys) | more, clear=True):
        yield


def opened(s3, endpoint: str, bucket: str, identity: str = "publisher") -> Storage:
    """The storage as a run of that identity opens it."""
    shared_client.cache_clear()
    with environment(endpoint, s3.keys[identity]):
        return Location(f"s3://{bucket}/prod").open()


@pytest.fixture
def storage(bucket, proxy, client) -> Storage:
    """A prefix with one file, seen through the proxy."""
    storage = S3Storage(client, bucket, "prod")
    storage.compare_and_swap("there.csv", CONTENT, None)
    proxy.reset()
    return storage


def message_of(s3, ask: Callable[[], object]) -> str:
    """The message of the failure, which never contains a secret."""
    with pytest.raises(OutsideFailure) as failed:
        ask()
    assert not [keys for keys in s3.keys.values() if keys.secret in str(failed.value)]
    return str(failed.value)


def always(action: Action) -> Callable[[int, Request], Action]:
    return lambda _number, _request: action


BUSY = Respond(503, "SlowDown")


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize(
    ("name", "loss"),
    [
        *((name, loss) for name in VERBS for loss in (BUSY, CutBefore())),
        *((name, CutMidBody()) for name in VERBS if name != "head"),  # its answer has no body and so no middle
        *((name, Corrupt()) for name in ("read", "download")),  # nothing else has a checksum
    ],
)
def test_what_is_lost_twice_is_tried_a_third_time(s3, bucket, proxy, storage, file, name: str, loss: Action) -> None:
    verb = VERBS[name]
    before = s3.objects(bucket)
    undisturbed = VERBS["head"].ask(storage, file) if verb.stored else verb.ask(storage, file)
    proxy.reset()
    proxy.plan(lambda number, _request: loss if number < 3 else None)
    result = verb.ask(storage, file)
    assert len(proxy.log) == 3
    assert s3.objects(bucket) == before | verb.stored
    assert result == (None if verb.stored else undisturbed)


CLOSED = 'Connection was closed before we received a valid response from endpoint URL: "'
HALF = f"{len(CONTENT) // 2} read, but total bytes expected is {len(CONTENT)}."
DAMAGED = f"Expected checksum {base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()} did not match calculated"
WORDS = dict.fromkeys(VERBS, "failed: the server answered SlowDown 3 times.") | {
    "head": "failed: the server answered 503 3 times."  # the answer to HEAD has no body to name it in
}


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize(
    ("name", "loss", "words"),
    [
        *((name, BUSY, words) for name, words in WORDS.items()),
        *((name, CutBefore(), f"failed 3 times: {CLOSED}") for name in ("download", "create", "copy")),
        *((name, CutMidBody(), f"failed 3 times: {HALF}") for name in ("read", "download")),
        ("copy", CutMidBody(), "failed: the server answered 500 3 times."),
        ("read", Corrupt(), f"failed 3 times: {DAMAGED}"),
        ("download", Corrupt(), f"failed 3 times: {DAMAGED}"),
    ],
)
def test_what_is_lost_each_time_is_given_up_after_three_attempts(
    s3, bucket, proxy, storage, file, name: str, loss: Action, words: str
) -> None:
    verb = VERBS[name]
    proxy.plan(always(loss))
    message = message_of(s3, lambda: verb.ask(storage, file))
    assert message.startswith(f"s3://{bucket}/prod/{verb.key}: {verb.action} {words}")
    assert len(proxy.log) == 3
    is_copied = (name, loss) == ("copy", CutMidBody())  # S3 had copied before its answer was cut
    assert s3.objects(bucket) == {"prod/there.csv": CONTENT} | (verb.stored if is_copied else {})


def test_pauses_grow_and_differ_from_run_to_run(proxy, storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishers that a busy server has turned away do not come back all at once."""
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    proxy.plan(lambda _number, _request: BUSY)
    for _ in range(3):
        with pytest.raises(OutsideFailure):
            storage.names()
    assert all(0.5 <= pause <= 1 for pause in pauses[::2])
    assert all(1 <= pause <= 2 for pause in pauses[1::2])
    assert len(set(pauses)) == 6


@pytest.mark.usefixtures("without_pauses")
@of_verbs("list", "download", "create")
def test_a_silent_server_is_given_up_after_three_waits(
    s3, bucket, proxy, file, verb: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_SECONDS", 0.2)
    storage = opened(s3, proxy.endpoint, bucket)
    proxy.plan(always(Silent()))
    sentence = message_of(s3, lambda: verb.ask(storage, file))
    start = f"s3://{bucket}/prod/{verb.key}: {verb.action} failed 3 times: Read timeout on endpoint URL: "
    assert sentence.startswith(f'{start}"{proxy.endpoint}/{bucket}')
    assert len(proxy.log) == 3
    assert s3.objects(bucket) == {}


@pytest.mark.usefixtures("without_pauses")
def test_a_server_that_dies_in_the_middle_of_an_answer_is_waited_for_no_longer_than_one_that_is_silent_from_the_start(
    s3, bucket, proxy, storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_SECONDS", 0.2)
    storage = opened(s3, proxy.endpoint, bucket)
    proxy.plan(lambda number, _request: SilentMidBody() if number == 1 else Silent())
    assert message_of(s3, lambda: storage.read("there.csv")) == (
        f"s3://{bucket}/prod/there.csv: GetObject failed 3 times: "
        f'Read timeout on endpoint URL: "{proxy.endpoint}/{bucket}/prod/there.csv".'
    )
    assert len(proxy.log) == 3


def test_all_waits_together_last_less_than_a_minute() -> None:
    """botocore waits a second more before it sends a body that nobody has asked for."""
    attempts = len(module.PAUSES) + 1
    assert (attempts, module.CONNECT_SECONDS, module.READ_SECONDS) == (3, 5, 15)
    assert attempts * (1 + module.READ_SECONDS) + sum(module.PAUSES) < 60


@pytest.mark.long
@pytest.mark.parametrize("moment", ["from its start", "at its commit"])
def test_a_silent_server_fails_the_run_within_a_minute(s3, destination, proxy, through, moment: str) -> None:
    def rule(_number: int, request: Request) -> Action | None:
        is_commit = request.method == "PUT" and request.key.startswith("prod/manifests/")
        return Silent() if moment == "from its start" or is_commit else None

    proxy.plan(rule)
    begin = time.monotonic()
    sentence = message_of(s3, lambda: publish(through(destination), MAY))
    assert "failed 3 times: Read timeout on endpoint URL" in sentence
    assert 45 <= time.monotonic() - begin <= 60
    assert check_bucket(destination.objects(), at_rest=False) == {}


@pytest.mark.usefixtures("without_pauses")
def test_a_server_that_refuses_connections_is_given_up_after_three_attempts(
    s3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):  # nobody accepts them, so Linux does not answer the next one
            waiting.settimeout(0)
            waiting.connect_ex(full.getsockname())
        endpoint = f"http://127.0.0.1:{full.getsockname()[1]}"
        storage = opened(s3, endpoint, "wines")
        assert message_of(s3, storage.names) == (
            "s3://wines/prod/: ListObjectsV2 failed 3 times: Connect timeout on endpoint URL: "
            f'"{endpoint}/wines?list-type=2&prefix=prod%2F&delimiter=%2F&encoding-type=url".'
        )


@pytest.mark.usefixtures("without_pauses")
def test_a_server_that_is_not_there_is_reported_by_its_address(s3) -> None:
    storage = opened(s3, "http://127.0.0.1:9", "wines")
    assert message_of(s3, lambda: storage.read("a")) == (
        "s3://wines/prod/a: GetObject failed 3 times: "
        'Could not connect to the endpoint URL: "http://127.0.0.1:9/wines/prod/a".'
    )


@pytest.mark.parametrize(
    ("identity", "verb", "reason"),
    [
        ("reader", "create", "these credentials lack s3:PutObject (AccessDenied)"),
        ("reader", "copy", "these credentials lack s3:GetObject or s3:PutObject (AccessDenied)"),
        ("blind", "list", "these credentials lack s3:ListBucket (AccessDenied)"),
        ("stranger", "read", "the access key is not known (InvalidAccessKeyId)"),
        ("retired", "list", "the access key is not known (InvalidAccessKeyId)"),
        ("forger", "create", "the secret key does not match the access key (SignatureDoesNotMatch)"),
        ("expired", "swap", "these credentials lack s3:PutObject (AccessDenied)"),
    ],
)
@pytest.mark.usefixtures("storage")
def test_what_the_server_refuses_is_asked_once_and_reported_with_what_is_missing(
    s3, bucket, proxy, file, identity: str, verb: str, reason: str
) -> None:
    storage = opened(s3, proxy.endpoint, bucket, identity)
    assert message_of(s3, lambda: VERBS[verb].ask(storage, file)) == (
        f"s3://{bucket}/prod/{VERBS[verb].key}: {VERBS[verb].action} failed: {reason}."
    )
    assert len(proxy.log) == 1
    assert s3.objects(bucket) == {"prod/there.csv": CONTENT}


@pytest.mark.parametrize(
    ("verb", "status", "code", "reason"),
    [
        ("create", 400, "ExpiredToken", "the session has expired (ExpiredToken)"),
        ("read", 400, "InvalidToken", "the session token is not valid (InvalidToken)"),
        ("list", 403, "RequestTimeTooSkewed", "the clock of this machine is wrong (RequestTimeTooSkewed)"),
        ("list", 401, "Unauthorized", "these credentials lack s3:ListBucket (Unauthorized)"),
        ("create", 401, "Unauthorized", "these credentials lack s3:PutObject (Unauthorized)"),
        ("copy", 401, "Unauthorized", "these credentials lack s3:GetObject or s3:PutObject (Unauthorized)"),
        ("copy", 404, "NoSuchKey", "the server answered NoSuchKey"),
        ("create", 400, "EntityTooLarge", "the server answered EntityTooLarge"),
    ],
)
def test_a_request_that_aws_refuses_is_sent_once_and_reported(
    s3, bucket, proxy, storage, file, verb: str, status: int, code: str, reason: str
) -> None:
    proxy.plan(always(Respond(status, code)))
    assert message_of(s3, lambda: VERBS[verb].ask(storage, file)) == (
        f"s3://{bucket}/prod/{VERBS[verb].key}: {VERBS[verb].action} failed: {reason}."
    )
    assert len(proxy.log) == 1


@of_verbs("list", "read", "create", "copy")
def test_a_bucket_that_is_not_there_is_reported_by_its_name(s3, proxy, file, verb: Verb) -> None:
    storage = opened(s3, proxy.endpoint, "no-such-bucket")
    assert message_of(s3, lambda: verb.ask(storage, file)) == (
        f's3://no-such-bucket/prod/{verb.key}: {verb.action} failed: there is no bucket "no-such-bucket".'
    )
    assert len(proxy.log) == 1


def test_without_credentials_or_with_an_unknown_profile_the_message_says_what_to_set(s3, bucket, proxy) -> None:
    with environment(proxy.endpoint, s3.keys["publisher"], AWS_PROFILE="bottleneck"):
        assert message_of(s3, Location(f"s3://{bucket}/prod").open) == (
            "no credentials for S3: The config profile (bottleneck) could not be found."
        )
    with environment(proxy.endpoint, s3.keys["publisher"], AWS_EC2_METADATA_DISABLED="true"):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del os.environ[name]
        storage = Location(f"s3://{bucket}/prod").open()
        assert message_of(s3, storage.names) == (
            f"s3://{bucket}/prod/: there are no AWS credentials. Name a block with aws_credentials, or set "
            "AWS_PROFILE, AWS_ACCESS_KEY_ID or a role."
        )
    assert proxy.log == []


def test_a_list_distinguishes_a_forbidden_file_from_a_missing_one(s3, bucket, proxy, storage) -> None:
    """So AWS answers those who may list the prefix: a denial by GET and HEAD, whether there is a file or not."""
    proxy.plan(lambda _number, request: Respond(403, "AccessDenied") if request.key else None)
    assert (storage.read("gone.json"), storage.facts("gone.json")) == (None, None)
    assert message_of(s3, lambda: storage.read("there.csv")) == (
        f"s3://{bucket}/prod/there.csv: GetObject failed: "
        "these credentials lack s3:GetObject or s3:ListBucket (AccessDenied)."
    )
    assert message_of(s3, lambda: storage.facts("there.csv")) == (
        f"s3://{bucket}/prod/there.csv: HeadObject failed: these credentials lack s3:GetObject or s3:ListBucket (403)."
    )


def test_without_the_permission_to_list_a_file_that_is_not_there_is_denied(s3, bucket, proxy, storage) -> None:
    """AWS denies a missing file to a client that may not list."""
    proxy.plan(always(Respond(403, "AccessDenied")))
    assert message_of(s3, lambda: storage.read("gone.json")) == (
        f"s3://{bucket}/prod/gone.json: GetObject failed: "
        "these credentials lack s3:GetObject or s3:ListBucket (AccessDenied)."
    )
    assert [request.method for request in proxy.log] == ["GET", "GET"]


# What the publisher makes of it


SCENES = {"first publication": (None, MAY, 1), "new revision": (MAY, MAY_CORRECTED, 2)}


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize(("before", "export", "revision"), SCENES.values(), ids=SCENES)
@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(CutAfter(), id="answer lost"),
        pytest.param(CutMidBody(), id="cut in the middle", marks=pytest.mark.long),
        pytest.param(Respond(409, "ConditionalRequestConflict"), id="conflict"),
    ],
)
def test_whichever_request_is_lost_the_month_is_published_once(
    s3, bucket, proxy, through, subtests, before, export, revision: int, loss: Action
) -> None:
    start = Destination(s3, bucket, "start")
    if before:
        publish(start.storage(), before)
    undisturbed = start.copied_to("undisturbed")
    publish(through(undisturbed), export)
    requests = proxy.log
    for number in [n for n, request in enumerate(requests, 1) if _can_happen(loss, request)]:
        destination = start.copied_to(f"lost-{number}")
        proxy.reset()
        proxy.on(number, loss)
        with subtests.test(number=number, request=requests[number - 1]):
            published = publish(through(destination), export)
            assert (published.outcome, published.revision) == ("published", revision)
            assert destination.objects() == undisturbed.objects()


def _can_happen(loss: Action, request: Request) -> bool:
    if isinstance(loss, Respond):
        return bool(request.conditions)
    return not (loss == CutMidBody() and request.method == "HEAD")


@pytest.mark.usefixtures("without_pauses")
def test_a_manifest_that_is_gone_before_its_replacement_is_read_again(destination, proxy, through) -> None:
    """So AWS answers an `If-Match` on a key that was deleted at that moment."""
    publish(destination.storage(), MAY)
    commits = []

    def rule(_number: int, request: Request) -> Action | None:
        if "if-match" in request.conditions:
            commits.append(request)
            return Respond(404, "NoSuchKey") if len(commits) == 1 else None
        return None

    proxy.plan(rule)
    published = publish(through(destination), MAY_CORRECTED)
    assert (published.outcome, published.revision, len(commits)) == ("published", 2, 2)
    check_bucket(destination.objects(), at_rest=True)


@pytest.mark.usefixtures("without_pauses")
def test_a_commit_whose_answer_was_lost_is_known_again_after_another_run_came_in_between(
    destination, proxy, through
) -> None:
    commits = []

    def rule(_number: int, request: Request) -> Action | None:
        if request.method == "PUT" and request.key == f"prod/{manifest_key('2025-05')}":
            commits.append(request)
            if len(commits) == 1:
                return CutAfter()
            if len(commits) == 2:
                return Call(lambda: publish(destination.storage(), MAY_CORRECTED))
        return None

    proxy.plan(rule)
    published = publish(through(destination), MAY)
    assert published.sentence == "2025-05 was published, and another run has published revision 2 since."
    manifest = check_bucket(destination.objects(), at_rest=True)["2025-05"]
    assert [revision["id"] for revision in (*manifest["earlier_revisions"], manifest)] == [
        MAY.result_id(),
        MAY_CORRECTED.result_id(),
    ]


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize(
    ("prefix", "committed"),
    [("prod/revisions/", ()), ("prod/manifests/", ()), ("prod/wines/", ("2025-05",))],
    ids=["store", "commit", "show"],
)
def test_a_server_that_fails_in_any_step_leaves_a_state_that_the_next_run_brings_to_its_end(
    s3, destination, proxy, through, prefix: str, committed: tuple[str, ...]
) -> None:
    proxy.plan(lambda _number, request: BUSY if request.method == "PUT" and request.key.startswith(prefix) else None)
    assert message_of(s3, lambda: publish(through(destination), MAY)).endswith(
        "failed: the server answered SlowDown 3 times."
    )
    assert tuple(check_bucket(destination.objects(), at_rest=False)) == committed
    assert publish(destination.storage(), MAY).outcome == ("unchanged" if committed else "published")
    assert check_bucket(destination.objects(), at_rest=True)["2025-05"]["revision"] == 1


@pytest.mark.usefixtures("without_pauses")
def test_a_file_that_reads_back_damaged_is_never_committed(s3, destination, proxy, through) -> None:
    proxy.plan(
        lambda _number, request: (
            Corrupt() if request.method == "GET" and request.key.startswith("prod/revisions/") else None
        )
    )
    sentence = message_of(s3, lambda: publish(through(destination), MAY))
    assert sentence.startswith(
        f"s3://{destination.bucket}/prod/revisions/2025-05/{MAY.result_id()}/sales_report_2025-05.xlsx: "
        "GetObject failed 3 times: Expected checksum "
    )
    assert check_bucket(destination.objects(), at_rest=False) == {}


def test_another_content_under_the_id_of_a_result_is_never_committed(s3, destination) -> None:
    own = f"revisions/2025-05/{MAY.result_id()}/sales_report_2025-05.xlsx"
    destination.storage().compare_and_swap(own, b"of another version of a library", None)
    assert message_of(s3, lambda: publish(destination.storage(), MAY)) == (
        f"s3://{destination.bucket}/prod/{own} does not have the content that was written. If a library or a rule has "
        "changed the files of the same inputs, raise REPORT_VERSION; otherwise the store is faulty."
    )
    objects = destination.objects()
    assert objects[own] == b"of another version of a library"
    assert all(key.startswith("revisions/") for key in objects), "nothing is committed or shown"


@pytest.mark.parametrize(
    ("identity", "refused"),
    [
        ("reader", ": PutObject failed: these credentials lack s3:PutObject (AccessDenied)."),
        ("blind", "manifests/: ListObjectsV2 failed: these credentials lack s3:ListBucket (AccessDenied)."),
    ],
)
def test_credentials_that_are_not_enough_publish_nothing(s3, bucket, destination, identity: str, refused: str) -> None:
    storage = opened(s3, s3.endpoint, bucket, identity)
    assert message_of(s3, lambda: publish(storage, MAY)).endswith(refused)
    assert destination.objects() == {}


def test_who_may_only_read_can_verify_and_list(s3, bucket, destination) -> None:
    publish(destination.storage(), MAY)
    reader = opened(s3, s3.endpoint, bucket, "reader")
    assert verify_month(reader, "2025-05", repair=True).faults == []
    assert [line.month for line in list_months(reader)] == ["2025-05"]
