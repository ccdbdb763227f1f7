"""What AWS would be asked to run for `monthly-sales/ecs`, rendered by the locked worker without any network."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import bootstrap
import boto3
import pytest
import yaml
from botocore.stub import Stubber
from cfnlint import decode
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL, temporary_settings
from prefect.utilities.templating import apply_values
from prefect_aws import AwsCredentials
from prefect_aws.workers.ecs_worker import ECSJobConfiguration, ECSWorker

ROOT = Path(__file__).parents[2]
API = "https://api.prefect.cloud/api/accounts/a/workspaces/w"
KEY = "pnu_planted_secret"
IMAGE = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/monthly-sales:v1.0.0"
DEFINITION_ARN = "arn:aws:ecs:eu-west-3:123456789012:task-definition/monthly-sales:1"
RUN = FlowRun(
    id=UUID(int=1), flow_id=UUID(int=2), deployment_id=UUID(int=3), name="monthly-sales-2025-05", parameters={}
)
OUTPUTS = {
    "Cluster": "monthly-sales",
    "TaskRole": "arn:aws:iam::123456789012:role/task",
    "ExecutionRole": "arn:aws:iam::123456789012:role/execution",
    "LogGroup": "monthly-sales",
    "ApiKeySecret": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:prefect-AbCdEf",
}


def account(service: str) -> Any:
    """A client of an AWS account that has the stack and a default network, and answers nothing else."""
    client = boto3.client(service, aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-3")
    stub = Stubber(client)
    if service == "cloudformation":
        stack = {
            "StackName": "monthly-sales",
            "CreationTime": "2025-05-01T00:00:00Z",
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in OUTPUTS.items()],
        }
        stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "monthly-sales"})
    if service == "ec2":
        stub.add_response("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1"}]})
        stub.add_response("describe_subnets", {"Subnets": [{"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}]})
    stub.activate()
    return client


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], dict[str, Any]]:
    """The task definition and the request to run it, as the worker of a pool set up by bootstrap would send them."""
    monkeypatch.setattr(AwsCredentials, "get_client", lambda _, service: account(service))
    monkeypatch.setenv("MONTHLY_SALES_STACK", "monthly-sales")
    template = ECSWorker.get_default_base_job_template()
    assert bootstrap.set_defaults(template, bootstrap.read_stack())
    config = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    (deployment,) = [one for one in config["deployments"] if one["name"] == "ecs"]
    # What Prefect keeps of the build step: its results under its id, and under their own names.
    variables = apply_values(deployment["work_pool"]["job_variables"], {"built": {"image": IMAGE}, "image": IMAGE})
    nobody = SimpleNamespace(_closed=False)  # no block and no variable is to be looked up
    with temporary_settings({PREFECT_API_URL: API, PREFECT_API_KEY: KEY}):
        job = asyncio.run(ECSJobConfiguration.from_template_and_values(template, variables, client=nobody))
        job.prepare_for_flow_run(RUN)
    worker = ECSWorker(work_pool_name=deployment["work_pool"]["name"])
    definition = worker._prepare_task_definition(job, region="eu-west-3", flow_run=RUN)  # noqa: SLF001
    worker._validate_task_definition(definition, job)  # noqa: SLF001
    return definition, worker._prepare_task_run_request(job, definition, DEFINITION_ARN, True)  # noqa: FBT003, SLF001


def test_the_task_definition_has_image_size_role_logs_and_the_key_by_reference(rendered) -> None:
    definition, _ = rendered
    assert definition == {
        "family": "monthly-sales",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "2048",
        "executionRoleArn": OUTPUTS["ExecutionRole"],
        "containerDefinitions": [
            {
                "name": "prefect",
                "image": IMAGE,
                "secrets": [{"name": "PREFECT_API_KEY", "valueFrom": OUTPUTS["ApiKeySecret"]}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-create-group": "false",
                        "awslogs-group": "monthly-sales",
                        "awslogs-region": "eu-west-3",
                        "awslogs-stream-prefix": "monthly-sales",
                    },
                },
            }
        ],
    }


def test_the_run_has_cluster_network_task_role_and_command(rendered) -> None:
    _, request = rendered
    overrides = request.pop("overrides")
    (container,) = overrides.pop("containerOverrides")
    assert overrides == {"cpu": "1024", "memory": "2048", "taskRoleArn": OUTPUTS["TaskRole"]}
    assert {name: container[name] for name in container.keys() - {"environment"}} == {
        "name": "prefect",
        "command": ["prefect", "flow-run", "execute"],
        "cpu": 1024,
        "memory": 2048,
    }
    assert {name: request[name] for name in request.keys() - {"tags"}} == {
        "cluster": "monthly-sales",
        "launchType": "FARGATE",
        "taskDefinition": DEFINITION_ARN,
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-1", "subnet-2"],
                "securityGroups": [],
                "assignPublicIp": "ENABLED",
            }
        },
    }


def test_the_environment_names_the_api_and_forbids_a_server_of_its_own(rendered) -> None:
    _, request = rendered
    (container,) = request["overrides"]["containerOverrides"]
    environment = {variable["name"]: variable["value"] for variable in container["environment"]}
    assert len(environment) == len(container["environment"])
    expected = {
        "PREFECT_API_URL": API,
        "PREFECT__FLOW_RUN_ID": str(RUN.id),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_HOME": "/tmp/prefect",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    }
    assert {name: environment.get(name) for name in expected} == expected


def test_no_secret_stands_in_what_is_sent(rendered) -> None:
    assert KEY not in json.dumps(rendered)


def test_the_submitter_of_the_stack_may_run_this_family_and_no_other(rendered) -> None:
    template, _ = decode.decode(str(ROOT / "deployments" / "aws.yaml"))
    statements = template["Resources"]["SubmitterPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    may = {one["Sid"]: one["Resource"] for one in statements if one["Sid"] in ("RegisterTaskDefinition", "RunTask")}
    family = (
        f"arn:${{AWS::Partition}}:ecs:${{AWS::Region}}:${{AWS::AccountId}}:task-definition/{rendered[0]['family']}:*"
    )
    assert may == {"RegisterTaskDefinition": [{"Fn::Sub": family}], "RunTask": [{"Fn::Sub": family}]}


def test_where_no_stack_is_named_aws_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONTHLY_SALES_STACK", raising=False)
    monkeypatch.setattr(AwsCredentials, "get_client", None)
    assert bootstrap.read_stack() == {}


def test_the_stack_gives_all_that_the_pool_is_set_to() -> None:
    template, _ = decode.decode(str(ROOT / "deployments" / "aws.yaml"))
    assert OUTPUTS.keys() <= template["Outputs"].keys()
