"""The whole month from S3 to S3, with the credentials of a Prefect block and with those of the machine."""

import csv
import io
import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from hostile.spoiled import SAMPLE, run_flow
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
from prefect_server import wait_until
from publishing import Destination, Export, own_key, publish, s3_environment, shown_names
from s3_server import S3Server

from flows.monthly_sales import monthly_sales
from tasks.domain.issues import DataRefused, OutsideFailure
from tasks.storage.location import Location


@pytest.fixture
def shop(s3: S3Server, bucket: str) -> dict[str, str]:
    """The locations of a month in a bucket with the sample month's workbooks."""
    for path in SAMPLE.glob("*.xlsx"):
        s3.client().put_object(Bucket=bucket, Key=f"raw/2025/05/{path.name}", Body=path.read_bytes())
    return {"source": f"s3://{bucket}/raw/{{month:%Y/%m}}", "destination": f"s3://{bucket}/prod"}


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
def with_environment(s3: S3Server) -> Iterator[None]:
    """No block, but the environment that a container is given."""
    with mock.patch.dict(os.environ, s3_environment(s3.endpoint, s3.keys["publisher"]), clear=True):
        yield


def everything_of_the_last_run(until: str) -> str:
    """Parameters, states, logs and artifacts of the newest run, once a log line says this."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_runs(limit=1, sort=FlowRunSort.START_TIME_DESC)[0]

        def logged() -> list[Any]:
            logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])))
            return logs if any(until in log.message for log in logs) else []

        logs = wait_until(logged, 20, f"a log line {until!r}")
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])))
        states = client.read_flow_run_states(run.id)
        chosen = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        artifacts = client.read_artifacts(artifact_filter=chosen)
    return "\n".join(map(repr, [run, *tasks, *states, *logs, *artifacts]))


@pytest.mark.usefixtures("prefect_server")
def test_a_month_is_read_from_s3_and_published_there_and_the_secret_is_in_no_log_state_or_artifact(
    s3: S3Server, bucket: str, shop: dict[str, str], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with with_block(s3) as block, caplog.at_level(logging.DEBUG):
        published = monthly_sales(month="2025-05", **shop, aws_credentials=block)
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
    shown = everything_of_the_last_run(until="2025-05 is published") + caplog.text + "".join(capfd.readouterr())
    assert bucket in shown
    assert s3.keys["publisher"].secret not in shown


def test_a_refused_month_stores_its_issues_once_and_leaves_the_last_month_unchanged(
    s3: S3Server, bucket: str, shop: dict[str, str]
) -> None:
    """With the credentials of the machine."""
    publish(Destination(s3, bucket).storage(), Export("2025-04", "april"))
    s3.client().put_object(Bucket=bucket, Key="raw/2025/05/web.xlsx", Body=b"")
    before = s3.objects(bucket)
    for _ in range(2):
        with with_environment(s3), pytest.raises(DataRefused, match=r'web\.xlsx: "an empty file" is not'):
            run_flow(**shop)
    after = s3.objects(bucket)
    assert {key: after[key] for key in before} == before
    refused, about = sorted(set(after) - set(before))
    assert re.fullmatch(r"prod/refused/2025-05/data_issues_[0-9a-f]{12}\.csv", refused)
    assert set(json.loads(after[about])["workbooks"]) == {"erp", "liaison", "web"}
    issues = list(csv.DictReader(io.StringIO(after[refused].decode("utf-8-sig"))))
    assert [issue["rule"] for issue in issues if issue["severity"] == "error"] == ["not-a-workbook"]


@pytest.mark.usefixtures("prefect_server")
def test_credentials_that_are_refused_fail_the_run_with_a_sentence_without_the_secret(
    s3: S3Server, bucket: str, shop: dict[str, str]
) -> None:
    sentence = (
        f"s3://{bucket}/raw/2025/05/: ListObjectsV2 failed: "
        "the secret key does not match the access key (SignatureDoesNotMatch)."
    )
    with with_block(s3, "forger") as block, pytest.raises(OutsideFailure) as failed:
        monthly_sales(month="2025-05", **shop, aws_credentials=block)
    assert str(failed.value) == sentence
    assert s3.keys["forger"].secret not in everything_of_the_last_run(until=sentence)


@pytest.mark.usefixtures("prefect_server")
def test_a_block_that_does_not_exist_is_reported_by_its_name() -> None:
    with pytest.raises(OutsideFailure) as failed:
        Location("s3://wines/prod", "nobody").open()
    assert str(failed.value) == (
        "no credentials for S3: Unable to find block document named nobody for block type aws-credentials."
    )


def test_a_block_of_a_server_that_does_not_answer_is_reported_by_its_name() -> None:
    """Who verifies needs the server only for the block."""
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), pytest.raises(OutsideFailure) as failed:
        Location("s3://wines/prod", "cellar").open()
    assert re.fullmatch(
        r'the block "cellar" cannot be read: the Prefect server does not answer: '
        r"(.*Connection refused|All connection attempts failed)\.",
        str(failed.value),
    )
