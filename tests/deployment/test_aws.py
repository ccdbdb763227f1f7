"""deployments/aws.yaml: what is in the AWS account, and what each role may do there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint import decode, helpers
from cfnlint.api import lint_file
from cfnlint.data import AdditionalSpecs

DEPLOYMENTS = Path(__file__).parents[2] / "deployments"
AWS_YAML = DEPLOYMENTS / "aws.yaml"
TEMPLATE, _ = decode.decode(str(AWS_YAML))
RESOURCES = TEMPLATE["Resources"]
ACTIONS = helpers.load_resource(AdditionalSpecs, "Policies.json")
"""Every action of AWS, with the kinds of resources that it can be allowed for."""

VALUES = {"AWS::Partition": "aws", "BucketName": "bottleneck"}


def filled(node: Any) -> Any:
    """A part of the template with the bucket's name filled in, as CloudFormation would."""
    if isinstance(node, dict):
        if node.keys() == {"Fn::Sub"}:
            return re.sub(r"\$\{(.+?)\}", lambda found: VALUES.get(found[1], found[0]), node["Fn::Sub"])
        return {key: filled(value) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value) for value in node]
    return node


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy, with the resource of the template that it belongs to."""
    for name, resource in RESOURCES.items():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        documents += [properties[key] for key in ("PolicyDocument", "AssumeRolePolicyDocument") if key in properties]
        for document in documents:
            for entry in document["Statement"]:
                yield name, entry["Fn::If"][1] if "Fn::If" in entry else entry


def actions(statement: dict[str, Any]) -> list[str]:
    return statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]


def permissions(name: str) -> set[str]:
    """All that a role or policy of the template allows."""
    return {action for owner, statement in statements() if owner == name for action in actions(statement)}


def test_the_template_is_sound() -> None:
    assert [str(fault) for fault in lint_file(AWS_YAML)] == []


def test_the_bucket_keeps_every_version_encrypted_and_private_and_outlives_the_stack() -> None:
    bucket, properties = RESOURCES["Bucket"], RESOURCES["Bucket"]["Properties"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    # No lifecycle rule, so no version is ever removed.
    assert set(properties) == {
        "BucketName", "VersioningConfiguration", "BucketEncryption", "PublicAccessBlockConfiguration"
    }  # fmt: skip
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert [*properties["PublicAccessBlockConfiguration"].values()] == [True] * 4


def test_the_bucket_refuses_requests_without_tls() -> None:
    (statement,) = filled(RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"])
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == ["arn:aws:s3:::bottleneck", "arn:aws:s3:::bottleneck/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def test_a_run_may_do_what_the_runbook_says_and_no_more() -> None:
    runbook = (DEPLOYMENTS / "README.md").read_text(encoding="utf-8")
    (policy_of_the_runbook,) = re.findall(r"```json\n(.+?)```", runbook, re.DOTALL)
    role = RESOURCES["TaskRole"]["Properties"]
    assert [filled(policy["PolicyDocument"]) for policy in role["Policies"]] == [json.loads(policy_of_the_runbook)]
    assert "ManagedPolicyArns" not in role


def test_the_execution_role_pulls_the_image_keeps_the_log_and_reads_one_secret() -> None:
    assert permissions("ExecutionRole") == {
        "ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer", "logs:CreateLogStream",
        "logs:PutLogEvents", "secretsmanager:GetSecretValue", "sts:AssumeRole",
    }  # fmt: skip
    (secret,) = [one["Resource"] for _, one in statements() if "secretsmanager:GetSecretValue" in actions(one)]
    assert secret == [{"Ref": "ApiKeySecret"}]
    assert "ManagedPolicyArns" not in RESOURCES["ExecutionRole"]["Properties"]


def test_the_submitter_starts_follows_and_stops_tasks_with_these_two_roles() -> None:
    assert permissions("SubmitterPolicy") == {
        "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ecs:DescribeTaskDefinition", "ecs:DescribeTasks",
        "ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:StopTask", "ecs:TagResource", "iam:PassRole",
    }  # fmt: skip
    (passed,) = [one for _, one in statements() if "iam:PassRole" in actions(one)]
    assert passed["Resource"] == [{"Fn::GetAtt": ["TaskRole", "Arn"]}, {"Fn::GetAtt": ["ExecutionRole", "Arn"]}]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_only_tasks_of_ecs_in_this_account_take_the_roles() -> None:
    trusted = [(owner, statement) for owner, statement in statements() if "sts:AssumeRole" in actions(statement)]
    assert [owner for owner, _ in trusted] == ["TaskRole", "ExecutionRole"]
    for _, statement in trusted:
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_nothing_is_allowed_by_a_wildcard() -> None:
    allowed = [action for _, one in statements() if one["Effect"] == "Allow" for action in actions(one)]
    assert allowed
    assert [action for action in allowed if "*" in action] == []


def test_a_permission_is_for_every_resource_only_where_aws_allows_nothing_narrower() -> None:
    everywhere = {action for _, one in statements() if one.get("Resource") == "*" for action in actions(one)}
    narrowable = {
        action
        for _, one in statements()
        for action in actions(one)
        if one["Effect"] == "Allow"
        and ACTIONS[action.split(":")[0]]["Actions"][action.split(":")[1].lower()].get("Resources")
    }
    assert everywhere == {
        "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition",
    }  # fmt: skip
    assert everywhere.isdisjoint(narrowable)
    assert permissions("TaskRole") - {"sts:AssumeRole"} <= narrowable


@pytest.mark.parametrize("word", ["SecretString", "NoEcho", "AWS_SECRET", "PREFECT_API_KEY"])
def test_no_secret_is_in_the_template(word: str) -> None:
    assert word not in AWS_YAML.read_text(encoding="utf-8")
