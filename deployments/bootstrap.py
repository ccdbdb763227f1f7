"""Make what the deployments need on a Prefect server: `python deployments/bootstrap.py`; twice is as good as once.

- the work pools and queues that prefect.yaml names, with the limits it gives;
- where MONTHLY_SALES_STACK names the CloudFormation stack of aws.yaml: its cluster, roles and logs as the ECS pool's
  defaults;
- the `monthly-sales` block with the credentials for S3, where AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set;
- automations, looked up by name: runs without heartbeats are marked as crashed; and where MONTHLY_SALES_NOTIFY names a
  notification block (`slack-webhook/monthly-sales`), it is told of runs that failed, crashed or are late, and of 32
  days without a completed run.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.workers.base import BaseWorker
from prefect_aws import AwsCredentials

PREFECT_YAML = Path(__file__).parents[1] / "prefect.yaml"
FLOW = "monthly-sales"
BLOCK = "monthly-sales"
HEARTBEAT = timedelta(seconds=30)
"""As PREFECT_FLOWS_HEARTBEAT_FREQUENCY says in prefect.yaml."""

LONGEST_START = timedelta(minutes=15)
LONGEST_MONTH_AND_A_DAY = timedelta(days=32)
_ENDED = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Crashed", "Cancelled", "Cancelling")}


def read_stack() -> dict[str, Any]:
    """What the stack of aws.yaml made, as variables of an ECS job; nothing where no stack is named.

    It belongs to an AWS account, so to the pool: prefect.yaml is the same for all, and docker alone needs none of it.
    """
    stack = os.environ.get("MONTHLY_SALES_STACK")
    if not stack:
        return {}
    aws = AwsCredentials(region_name=os.environ.get("AWS_REGION")).get_client("cloudformation")
    outputs = {
        one["OutputKey"]: one["OutputValue"] for one in aws.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    }
    variables = {
        "cluster": outputs["Cluster"],
        "task_role_arn": outputs["TaskRole"],
        "execution_role_arn": outputs["ExecutionRole"],
        "configure_cloudwatch_logs": True,
        # The group is there, and the execution role could not make one.
        "cloudwatch_logs_options": {"awslogs-group": outputs["LogGroup"], "awslogs-create-group": "false"},
        "cloudwatch_logs_prefix": FLOW,
    }
    if "ApiKeySecret" in outputs:
        variables["prefect_api_key_secret_arn"] = outputs["ApiKeySecret"]
    return variables


def set_defaults(template: dict[str, Any], variables: dict[str, Any]) -> bool:
    """Give a pool's job template its defaults; False when it had them all."""
    known = template["variables"]["properties"]
    changed = {name: value for name, value in variables.items() if known[name].get("default") != value}
    for name, value in changed.items():
        known[name]["default"] = value
    return bool(changed)


def make_pools(client: SyncPrefectClient, config: dict[str, Any], stack: dict[str, Any]) -> list[str]:
    """The pools and queues of prefect.yaml; a pool is named after its type of worker: docker-pool, ecs-pool."""
    limits = config["definitions"]["queue_limits"]
    done = []
    for deployment in config["deployments"]:
        pool, queue = deployment["work_pool"]["name"], deployment["work_pool"].get("work_queue_name")
        try:
            found = client.read_work_pool(pool)
        except ObjectNotFound:
            kind = pool.removesuffix("-pool")
            worker = BaseWorker.get_worker_class_from_type(kind)
            if worker is None:
                sys.exit(f"{pool} is not named after a type of worker, such as docker-pool.")
            template = worker.get_default_base_job_template()
            found = client.create_work_pool(WorkPoolCreate(name=pool, type=kind, base_job_template=template))
            done.append(f"work pool {pool} made")
        # Also the push pool of Prefect Cloud, ecs:push.
        if found.type.startswith("ecs") and set_defaults(found.base_job_template, stack):
            client.update_work_pool(pool, WorkPoolUpdate(base_job_template=found.base_job_template))
            done.append(f"work pool {pool} set to what the stack made")
        if queue is None:
            continue
        try:
            there = client.read_work_queue_by_name(queue, work_pool_name=pool)
        except ObjectNotFound:
            there = client.create_work_queue(queue, work_pool_name=pool)
            done.append(f"work queue {pool}/{queue} made")
        if there.concurrency_limit != limits[queue]:
            client.update_work_queue(there.id, concurrency_limit=limits[queue])
            done.append(f"work queue {pool}/{queue} limited to {limits[queue]}")
    return done


def make_credentials() -> list[str]:
    """The block with the credentials for S3, from the environment; none where the environment has none."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not (key and secret):
        return []
    block = AwsCredentials(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=os.environ.get("AWS_SESSION_TOKEN"),
        region_name=os.environ.get("AWS_REGION"),
    )
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        block.aws_client_parameters.endpoint_url = endpoint
    block.save(BLOCK, overwrite=True)
    return [f"block aws-credentials/{BLOCK} saved"]


def make_automations(client: SyncPrefectClient, notify: str) -> list[str]:
    """The automations, each found by its name and brought up to date."""
    wanted = [_crash_without_heartbeat()]
    if notify:
        wanted += _notifications(Block.load(notify)._block_document_id)  # noqa: SLF001 - the only way to a block's id
    done = []
    for automation in wanted:
        there = client.read_automations_by_name(automation.name)
        if not there:
            client.create_automation(automation)
            done.append(f"automation {automation.name} made")
        elif any(
            getattr(there[0], part) != getattr(automation, part) for part in ("trigger", "actions", "description")
        ):
            client.update_automation(there[0].id, automation)
            done.append(f"automation {automation.name} changed")
    return done


def _of_our_flow() -> dict[str, Any]:
    return {"prefect.resource.role": "flow", "prefect.resource.name": FLOW}


def _crash_without_heartbeat() -> AutomationCore:
    return AutomationCore(
        name=f"{FLOW}: crashed when its heartbeats stop",
        description="A container that was killed cannot say so: three missing heartbeats say it.",
        trigger=EventTrigger(
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related=_of_our_flow(),
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *_ENDED},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=3 * HEARTBEAT,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message="Its heartbeats stopped: the container is gone.")],
    )


def _notifications(block_document_id: Any) -> list[AutomationCore]:  # noqa: ANN401 - a UUID that may be None
    link = "{{ flow_run.name }}: {{ flow_run.state.message }}\n{{ flow_run|ui_url }}"
    told = {
        "failed": ("A run was refused or failed", _when("Failed"), link),
        "crashed": ("A run crashed", _when("Crashed"), link),
        "pending": ("A run was taken by a worker and did not begin", _stuck(), link),
        "late": ("A run did not start on time: is a worker running?", _when("Late"), link),
        "overdue": (
            "No month was published for 32 days",
            EventTrigger(
                match={"prefect.resource.id": "prefect.flow-run.*"},
                match_related=_of_our_flow(),
                expect={"prefect.flow-run.Completed"},
                posture=Posture.Proactive,
                threshold=1,
                within=LONGEST_MONTH_AND_A_DAY,
            ),
            "No run of monthly-sales completed for 32 days.",
        ),
    }
    return [
        AutomationCore(
            name=f"{FLOW}: {name}",
            description=subject,
            trigger=trigger,
            actions=_told(block_document_id, subject, body),
        )
        for name, (subject, trigger, body) in told.items()
    ]


def _when(state: str) -> EventTrigger:
    return EventTrigger(
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=_of_our_flow(),
        expect={f"prefect.flow-run.{state}"},
        posture=Posture.Reactive,
        threshold=1,
    )


def _stuck() -> EventTrigger:
    return EventTrigger(
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=_of_our_flow(),
        after={"prefect.flow-run.Pending"},
        expect={"prefect.flow-run.Running", *_ENDED},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=LONGEST_START,
    )


def _told(block_document_id: Any, subject: str, body: str) -> list[ActionTypes]:  # noqa: ANN401
    return [SendNotification(block_document_id=block_document_id, subject=f"{FLOW}: {subject}", body=body)]


def main() -> int:
    """Make everything and say what was made."""
    config = yaml.safe_load(PREFECT_YAML.read_text(encoding="utf-8"))
    with get_client(sync_client=True) as client:
        done = make_pools(client, config, read_stack()) + make_credentials()
        done += make_automations(client, os.environ.get("MONTHLY_SALES_NOTIFY", ""))
    print("\n".join(done) or "Everything is there already.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
