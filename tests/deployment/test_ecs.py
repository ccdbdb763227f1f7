"""The worker of the locked prefect-aws against moto's ECS over HTTP: what AWS is asked for. moto runs no container."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from unittest import mock

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect_server import free_port
from project import ROOT, read_config

# moto has no bucket policies.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS..S3..BucketPolicy:UserWarning")
IMAGE = "123456789012.dkr.ecr.eu-west-3.amazonaws.com/monthly-sales:v1.0.0"
KEY = "pnu_planted_secret"
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:prefect-AbCdEf"
AWS_YAML = ROOT / "deployments" / "aws.yaml"
ECS = next(each for each in read_config()["deployments"] if each["name"] == "ecs")


class Account:
    """An AWS account as moto plays it, with the stack of aws.yaml."""

    def __init__(self, endpoint: str) -> None:
        self.environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "eu-west-3",
            "AWS_DEFAULT_REGION": "eu-west-3",
            "AWS_ACCESS_KEY_ID": "administrator",
            "AWS_SECRET_ACCESS_KEY": "administrator",
        }
        self.client("cloudformation").create_stack(
            StackName="monthly-sales",
            TemplateBody=AWS_YAML.read_text(encoding="utf-8"),
            Parameters=[
                {"ParameterKey": "BucketName", "ParameterValue": "bottleneck"},
                {"ParameterKey": "ApiKeySecret", "ParameterValue": SECRET},
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        self.client("sqs").create_queue(QueueName="prefect-ecs-tasks-events")  # as prefect-aws makes it
        (stack,) = self.client("cloudformation").describe_stacks(StackName="monthly-sales")["Stacks"]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name="eu-west-3",
            aws_access_key_id="administrator",
            aws_secret_access_key="administrator",
        )

    def submitter_actions(self) -> list[str]:
        """What the SubmitterPolicy of the stack allows."""
        iam, arn = self.client("iam"), self.outputs["SubmitterPolicy"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return [action for statement in document["Statement"] for action in statement["Action"]]

    def new_user(self, name: str, actions: list[str]) -> dict[str, str]:
        """The environment of a user who may do this, on every resource: moto does not compare those of ECS."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        # The queue of ECS events has a policy of its own, which prefect-aws makes.
        statement = {"Effect": "Allow", "Action": [*actions, "sqs:*"], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="all-it-may", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return self.environment | {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    # moto wants memory for each container; on Fargate AWS takes the task's.
    nothing = {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}
    backend = "moto.ecs.models.EC2ContainerServiceBackend"
    with mock.patch(f"{backend}._calculate_task_resource_requirements", return_value=nothing):
        yield Account(f"http://127.0.0.1:{port}")
    server.stop()


@flow(name="monthly-sales")
def stand_in(month: str = "") -> None:
    """A flow of the same name; nothing runs it here."""


def typed(api: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python command in the environment of whoever looks after the deployment."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MONTHLY_SALES_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        env=own | {"PREFECT_API_URL": api, "PREFECT_API_KEY": KEY} | environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module")
def pool(api: str, account: Account) -> list[str]:
    """What `make bootstrap` makes where a stack is named."""
    bootstrap = str(ROOT / "deployments" / "bootstrap.py")
    done = typed(api, bootstrap, **account.environment, MONTHLY_SALES_STACK="monthly-sales")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def submit(api: str, client: SyncPrefectClient, environment: dict[str, str]) -> dict[str, Any]:
    """A run of the deployment `ecs`, taken by a worker with these AWS credentials; the run afterwards."""
    deployment = client.create_deployment(
        client.create_flow(stand_in),
        "ecs",
        work_pool_name="ecs-pool",
        job_variables=ECS["work_pool"]["job_variables"] | {"image": IMAGE},
    )
    run = client.create_flow_run_from_deployment(deployment, parameters={"month": "2025-05"})
    done = typed(api, "-m", "prefect", "worker", "start", "--pool", "ecs-pool", "--run-once", **environment)
    assert done.returncode == 0, done.stderr
    return client.read_flow_run(run.id).model_dump(mode="json")


def test_bootstrap_makes_the_pool_of_ecs_from_the_stack_and_none_of_docker(
    client: SyncPrefectClient, account: Account, pool: list[str]
) -> None:
    assert "Work pool ecs-pool made." in pool
    assert "Work pool ecs-pool set to what the stack made." in pool
    assert not [line for line in pool if "docker-pool" in line]
    defaults = {
        name: variable.get("default")
        for name, variable in client.read_work_pool("ecs-pool").base_job_template["variables"]["properties"].items()
    }
    assert defaults["task_role_arn"] == account.outputs["TaskRole"]
    assert defaults["execution_role_arn"] == account.outputs["ExecutionRole"]


@pytest.mark.usefixtures("pool")
def test_the_worker_registers_the_task_and_runs_it_with_roles_network_logs_and_secret(
    api: str, client: SyncPrefectClient, account: Account
) -> None:
    run = submit(api, client, account.environment)
    assert run["state"]["type"] in ("PENDING", "SCHEDULED"), run["state"]
    ecs, outputs = account.client("ecs"), account.outputs

    definition = ecs.describe_task_definition(taskDefinition="monthly-sales")["taskDefinition"]
    assert (definition["family"], definition["networkMode"]) == ("monthly-sales", "awsvpc")
    assert (definition["cpu"], definition["memory"]) == ("1024", "2048")
    assert definition["executionRoleArn"] == outputs["ExecutionRole"]
    (container,) = definition["containerDefinitions"]
    assert container["image"] == IMAGE
    assert container["secrets"] == [{"name": "PREFECT_API_KEY", "valueFrom": SECRET}]
    assert container["logConfiguration"] == {
        "logDriver": "awslogs",
        "options": {
            "awslogs-create-group": "false",
            "awslogs-group": outputs["LogGroup"],
            "awslogs-region": "eu-west-3",
            "awslogs-stream-prefix": "monthly-sales",
        },
    }

    (arn,) = ecs.list_tasks(cluster=outputs["Cluster"])["taskArns"]
    (task,) = ecs.describe_tasks(cluster=outputs["Cluster"], tasks=[arn])["tasks"]
    assert task["launchType"] == "FARGATE"
    (interface,) = task["attachments"]
    assert [one["name"] for one in interface["details"]].count("subnetId") == 1
    overrides = task["overrides"]
    assert overrides["taskRoleArn"] == outputs["TaskRole"]
    (override,) = overrides["containerOverrides"]
    assert override["command"] == ["prefect", "flow-run", "execute"]
    environment = {variable["name"]: variable["value"] for variable in override["environment"]}
    stated = ECS["work_pool"]["job_variables"]["env"]
    expected = stated | {"PREFECT_API_URL": api, "PREFECT__FLOW_RUN_ID": run["id"]}
    assert {name: environment.get(name) for name in expected} == expected
    # The key reaches the task by its reference alone.
    assert KEY not in json.dumps([definition, task], default=str)


@pytest.mark.usefixtures("pool")
def test_the_actions_of_the_submitter_are_enough_and_without_one_the_run_ends_with_its_name(
    api: str, client: SyncPrefectClient, account: Account
) -> None:
    actions = account.submitter_actions()
    allowed = account.new_user("submitter", actions)
    refused = account.new_user("nobody", [action for action in actions if action != "ecs:RunTask"])
    reset = f"{account.environment['AWS_ENDPOINT_URL']}/moto-api/reset-auth"
    # From here on moto checks the policies.
    httpx.post(reset, content=b"0").raise_for_status()
    try:
        first, second = (submit(api, client, environment) for environment in (refused, allowed))
    finally:
        httpx.post(reset, content=b"inf").raise_for_status()
    assert first["state"]["type"] == "CRASHED"
    assert "user/nobody is not authorized to perform: ecs:RunTask" in first["state"]["message"]
    assert second["state"]["type"] in ("PENDING", "SCHEDULED"), second["state"]["message"]
