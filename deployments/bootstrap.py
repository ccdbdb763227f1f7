"""Make what the deployments need on a Prefect server: `make bootstrap`. A second time it changes nothing.

- the work pool and the queues of the deployments that are used, with the limits of prefect.yaml;
- where MONTHLY_SALES_STACK names the CloudFormation stack of aws.yaml: its cluster, roles and logs as the ECS pool's
  defaults;
- where AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set: the block with the credentials for S3;
- the automations of `automations.py`; where MONTHLY_SALES_NOTIFY names a notification block, such as
  slack-webhook/monthly-sales, also those that send messages.

Everything that it needs is looked up first. When something is missing, it prints one sentence and has changed nothing.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from automations import FLOW, Durations, alarms, differs
from botocore.exceptions import BotoCoreError, ClientError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from prefect.workers.base import BaseWorker
from prefect_aws import AwsCredentials
from project import STACK, read_config, used_deployments, worker_type

BLOCK = "monthly-sales"
"""The block with the credentials for S3, as prefect.yaml names it."""

NOTIFY = "MONTHLY_SALES_NOTIFY"
MISSED_HEARTBEATS = 3
DAYS_TO_PUBLISH = 6
"""From the 15th, the day of the schedule, to the day after the last of the mornings for late exports."""


OWN_AUTOMATIONS = f"{FLOW}: "


class Unprepared(Exception):
    """Something that bootstrap needs is missing; its text says what, and what to do."""


def default_durations(config: dict[str, Any]) -> Durations:
    """The durations of the alerts; what prefect.yaml states already is read from there."""
    heartbeat = int(config["definitions"]["environment"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    return Durations(
        silence=timedelta(seconds=MISSED_HEARTBEATS * heartbeat),
        start=timedelta(seconds=config["definitions"]["one_at_a_time"]["grace_period_seconds"]),
        publication=timedelta(days=DAYS_TO_PUBLISH),
    )


def read_stack() -> dict[str, Any]:
    """What the stack of aws.yaml made, as variables of an ECS job; empty where no stack is named.

    It belongs to an AWS account, so to the pool: prefect.yaml is the same for all, and docker alone needs none of it.
    """
    stack = os.environ.get(STACK)
    if not stack:
        return {}
    try:
        aws = AwsCredentials(region_name=os.environ.get("AWS_REGION")).get_client("cloudformation")
        found = aws.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    except (BotoCoreError, ClientError) as error:
        raise Unprepared(f"The stack {stack} ({STACK}) cannot be read: {error}") from None
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found}
    variables = {
        "cluster": outputs["Cluster"],
        "task_role_arn": outputs["TaskRole"],
        "execution_role_arn": outputs["ExecutionRole"],
        "configure_cloudwatch_logs": True,
        # The group exists, and the execution role could not make one.
        "cloudwatch_logs_options": {"awslogs-group": outputs["LogGroup"], "awslogs-create-group": "false"},
        "cloudwatch_logs_prefix": BLOCK,
    }
    if "ApiKeySecret" in outputs:
        variables["prefect_api_key_secret_arn"] = outputs["ApiKeySecret"]
    return variables


def read_credentials() -> AwsCredentials | None:
    """The credentials for S3 from the environment; None where it has none."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if bool(key) != bool(secret):
        raise Unprepared("Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither.")
    if not key:
        return None
    credentials = AwsCredentials(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=os.environ.get("AWS_SESSION_TOKEN"),
        region_name=os.environ.get("AWS_REGION"),
    )
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        credentials.aws_client_parameters.endpoint_url = endpoint
    return credentials


def find_notification_block(client: SyncPrefectClient) -> UUID | None:
    """The block that sends the messages; None where none is named."""
    name = os.environ.get(NOTIFY)
    if not name:
        return None
    kind, _, own = name.partition("/")
    try:
        document = client.read_block_document_by_name(own, kind) if own else None
    except ObjectNotFound:
        document = None
    if document is None:
        raise Unprepared(
            f"The server has no block {name} ({NOTIFY}): make it in the dashboard under Blocks, and name it as "
            "type/name, such as slack-webhook/monthly-sales."
        )
    # Every type of block that can notify says so, and its class need not be installed here.
    schema = document.block_schema
    if schema is None or "notify" not in schema.capabilities:
        raise Unprepared(f"The block {name} ({NOTIFY}) sends no notifications: name one that does.")
    return document.id


def job_template(pool: str) -> dict[str, Any]:
    """The job template of a pool that is named after its type of worker."""
    worker = BaseWorker.get_worker_class_from_type(worker_type(pool))
    if worker is None:
        raise Unprepared(f"{pool} is not named after a type of worker, such as docker-pool.")
    return worker.get_default_base_job_template()


def make_pool(client: SyncPrefectClient, pool: str, template: dict[str, Any], stack: dict[str, Any]) -> Iterator[str]:
    """A work pool, with what the stack made as its defaults."""
    try:
        found = client.read_work_pool(pool)
    except ObjectNotFound:
        new = WorkPoolCreate(name=pool, type=worker_type(pool), base_job_template=template)
        found = client.create_work_pool(new)
        yield f"Work pool {pool} made."
    if set_defaults(found.base_job_template, stack):
        client.update_work_pool(pool, WorkPoolUpdate(base_job_template=found.base_job_template))
        yield f"Work pool {pool} set to what the stack made."


def set_defaults(template: dict[str, Any], variables: dict[str, Any]) -> bool:
    """Give a pool's job template its defaults; False when it had them all."""
    known = template["variables"]["properties"]
    changed = {name: value for name, value in variables.items() if known[name].get("default") != value}
    for name, value in changed.items():
        known[name]["default"] = value
    return bool(changed)


def make_queue(client: SyncPrefectClient, pool: str, queue: str, limit: int) -> Iterator[str]:
    """A work queue with its limit."""
    try:
        found = client.read_work_queue_by_name(queue, work_pool_name=pool)
    except ObjectNotFound:
        found = client.create_work_queue(queue, work_pool_name=pool)
        yield f"Work queue {pool}/{queue} made."
    if found.concurrency_limit != limit:
        client.update_work_queue(found.id, concurrency_limit=limit)
        yield f"Work queue {pool}/{queue} limited to {limit} runs at once."


def save_credentials(credentials: AwsCredentials) -> Iterator[str]:
    """The block with the credentials for S3, saved where it differs."""
    try:
        found = AwsCredentials.load(BLOCK)
    except ValueError:
        found = None
    if found is None or _values(found) != _values(credentials):
        credentials.save(BLOCK, overwrite=True)
        yield f"Block aws-credentials/{BLOCK} saved."


def _values(block: Any) -> tuple[object, ...]:  # noqa: ANN401 - load may also be awaited, by its type
    """What `read_credentials` sets."""
    return (
        block.aws_access_key_id,
        block.aws_secret_access_key,
        block.aws_session_token,
        block.region_name,
        block.aws_client_parameters.endpoint_url,
    )


def make_automations(client: SyncPrefectClient, durations: Durations, block: UUID | None) -> Iterator[str]:
    """The automations, each found by its name and brought up to date; those of earlier versions are deleted."""
    known = {wanted.name for wanted in alarms(durations, UUID(int=0))}
    for found in client.read_automations():
        if found.name.startswith(OWN_AUTOMATIONS) and found.name not in known:
            client.delete_automation(found.id)
            yield f'Automation "{found.name}" of an earlier version deleted.'
    for wanted in alarms(durations, block):
        same_name = client.read_automations_by_name(wanted.name)
        if not same_name:
            client.create_automation(wanted)
            yield f'Automation "{wanted.name}" made.'
        elif differs(same_name[0], wanted):
            client.update_automation(same_name[0].id, wanted)
            yield f'Automation "{wanted.name}" changed.'


def bootstrap(client: SyncPrefectClient, durations: Durations) -> Iterator[str]:
    """Look everything up, then make what is missing; a sentence for each thing that was made.

    Raises:
        Unprepared: Something is missing; nothing was made.
    """
    config = read_config()
    stack, credentials, block = read_stack(), read_credentials(), find_notification_block(client)
    work_pools = [each["work_pool"] for each in used_deployments(config)]
    templates = {work_pool["name"]: job_template(work_pool["name"]) for work_pool in work_pools}
    queues = {(each["name"], each["work_queue_name"]) for each in work_pools if "work_queue_name" in each}
    limits = config["definitions"]["queue_limits"]

    for pool, template in templates.items():
        yield from make_pool(client, pool, template, stack)
    for pool, queue in sorted(queues):
        yield from make_queue(client, pool, queue, limits[queue])
    if credentials:
        yield from save_credentials(credentials)
    yield from make_automations(client, durations, block)


def parse_durations(arguments: list[str], default: Durations) -> Durations:
    """The durations of the alerts from the command line, in seconds."""
    parser = argparse.ArgumentParser(description="Make what the deployments need on the Prefect server.")
    helps = {
        "silence": "seconds without a heartbeat after which a run is crashed",
        "start": "seconds until a run must have begun",
        "publication": "seconds from the start of a scheduled run until its month must be published",
    }
    for name, text in helps.items():
        seconds = int(getattr(default, name).total_seconds())
        parser.add_argument(f"--{name}", type=int, default=seconds, help=f"{text}: {seconds}", metavar="SECONDS")
    given = vars(parser.parse_args(arguments))
    return Durations(**{name: timedelta(seconds=seconds) for name, seconds in given.items()})


def main() -> int:
    """Make everything and print what was made."""
    durations = parse_durations(sys.argv[1:], default_durations(read_config()))
    api = get_current_settings().api.url
    if not api:
        print("Set PREFECT_API_URL to the address of the Prefect server. Nothing was made.", file=sys.stderr)
        return 1
    made = 0
    try:
        with get_client(sync_client=True) as client:
            for sentence in bootstrap(client, durations):
                print(sentence, flush=True)
                made += 1
    except Unprepared as error:
        print(f"{error} Nothing was made.", file=sys.stderr)
        return 1
    except (httpx.HTTPError, RuntimeError) as error:
        after = "Run it again when the cause is gone." if made else "Nothing was made."
        print(f"The Prefect server at {api} does not answer, or refuses: {error} {after}", file=sys.stderr)
        return 1
    if not made:
        print("Everything exists already. Nothing was made.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
