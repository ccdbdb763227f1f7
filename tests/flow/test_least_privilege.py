"""The policy of deployments/README.md is enough to publish, and is not enough for anything else."""

import json
import os
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from hostile.spoiled import SAMPLE, run_flow
from publishing import s3_environment
from s3_server import s3_server

from tasks.publication.verify import list_months, verify_month
from tasks.storage.location import Location

README = Path(__file__).parents[2] / "deployments" / "README.md"
POLICY: dict[str, Any] = json.loads(re.search(r"```json\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1])


def test_the_policy_names_no_action_and_no_resource_by_a_wildcard_alone() -> None:
    for statement in POLICY["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
        assert not [resource for resource in statement["Resource"] if resource.endswith((":::*", "bottleneck/*"))]


def test_a_month_is_read_published_and_listed_with_the_policy_and_nothing_else(tmp_path: Path) -> None:
    with s3_server(tmp_path, policies={"task-role": POLICY}) as s3:
        s3.make_bucket("bottleneck")
        administrator, client = s3.client("administrator"), s3.client("task-role")
        for path in SAMPLE.glob("*.xlsx"):
            administrator.put_object(Bucket="bottleneck", Key=f"raw/2025/05/{path.name}", Body=path.read_bytes())
        with mock.patch.dict(os.environ, s3_environment(s3.endpoint, s3.keys["task-role"]), clear=True):
            places = ("s3://bottleneck/raw/{month:%Y/%m}/", "s3://bottleneck/prod")
            assert run_flow(*places).sentence == "2025-05 is published (revision 1)."
            assert run_flow(*places).sentence == "2025-05 is already published (revision 1), nothing changed."
            storage = Location("s3://bottleneck/prod").open()
        assert [line.uncommitted for line in list_months(storage)] == [()]
        assert verify_month(storage, "2025-05", repair=True).faults == []
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(Bucket="bottleneck", Key="prod/manifests/2025-05.json")
        with pytest.raises(ClientError, match="AccessDenied"):
            client.put_object(Bucket="bottleneck", Key="raw/2025/05/erp.xlsx", Body=b"")
