"""The policy of deployments/README.md is enough to publish, and is not enough for anything else."""

import json
import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from s3_server import s3_server

README = Path(__file__).parents[2] / "deployments" / "README.md"
SAMPLE = Path(__file__).parents[2] / "data" / "2025-05"


def policy() -> dict:
    """The policy as it is printed."""
    return json.loads(re.search(r"```json\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1])


def test_the_policy_names_no_action_and_no_resource_by_a_wildcard_alone() -> None:
    for statement in policy()["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
        assert not [resource for resource in statement["Resource"] if resource.endswith((":::*", "bottleneck/*"))]


@pytest.mark.usefixtures("prefect_server")
def test_a_month_is_read_published_and_listed_with_the_policy_and_nothing_else(tmp_path: Path, monkeypatch) -> None:
    from flows.monthly_sales import monthly_sales  # noqa: PLC0415 - Prefect reads its settings when it is imported
    from tasks.publication.verify import list_months, verify_month  # noqa: PLC0415
    from tasks.storage.location import Location  # noqa: PLC0415

    with s3_server(tmp_path, policies={"task-role": policy()}) as s3:
        s3.make_bucket("bottleneck")
        for path in SAMPLE.glob("*.xlsx"):
            s3.client("administrator").put_object(
                Bucket="bottleneck", Key=f"raw/2025/05/{path.name}", Body=path.read_bytes()
            )
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.keys["task-role"].access)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.keys["task-role"].secret)
        monkeypatch.setenv("AWS_REGION", "eu-west-3")

        source = "s3://bottleneck/raw/{month:%Y/%m}/"
        published = monthly_sales(month="2025-05", source=source, destination="s3://bottleneck/prod")
        assert published.sentence == "2025-05 is published (revision 1)."
        again = monthly_sales(month="2025-05", source=source, destination="s3://bottleneck/prod")
        assert again.sentence == "2025-05 is already published (revision 1), nothing changed."

        storage = Location("s3://bottleneck/prod").open()
        assert [line.uncommitted for line in list_months(storage)] == [()]
        assert verify_month(storage, "2025-05", repair=True).faults == []
        client = s3.client("task-role")
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(Bucket="bottleneck", Key="prod/manifests/2025-05.json")
        with pytest.raises(ClientError, match="AccessDenied"):
            client.put_object(Bucket="bottleneck", Key="raw/2025/05/erp.xlsx", Body=b"")
