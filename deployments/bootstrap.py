"""Make what the deployments need on a Prefect server: `make bootstrap`. A second time it changes nothing.

- the work pool and the queues of the deployments that are used, with the limits of prefect.yaml;
- with MONTHLY_SALES_STACK, the name of a CloudFormation stack of aws.yaml: its cluster, roles and logs as defaults of
  the ECS pool;
- with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: the block with the credentials for S3;
- the automations of `automations.py`; those that send messages with MONTHLY_SALES_NOTIFY, the type and name of a
  notification block, such as slack-webhook/monthly-sales.

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
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import get_current_settings
from prefect_aws import AwsCredentials
from project import STACK, job_template, read_config, used_deployments, worker_type
from pydantic import SecretStr

BLOCK = "monthly-sales"
"""The block with the credentials for S3, to which prefect.yaml refers."""

NOTIFY = "MONTHLY_SALES_NOTIFY"
MISSED_HEARTBEATS = 3
DAYS_TO_PUBLISH = 6
"""From the 15th, the day of the schedule, to the day after the last morning for late exports."""


class Unprepared(Exception):
    """Something that bootstrap needs is missing; its text says what, and what to do."""


def read_stack() -> dict[str, Any]:
    """What the stack of aws.yaml made, as variables of an ECS job; empty if no stack is named.

    It belongs to an AWS account, so the pool has it: prefect.yaml is the same for all accounts.
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


def read_credentials() -> dict[str, Any]:
    """The credentials for S3 from the environment, by the fields of their block; empty if it has none."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if bool(key) != bool(secret):
        raise Unprepared("Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither.")
    return (
        {
            "aws_access_key_id": key,
            "aws_secret_access_key": SecretStr(secret),
            "aws_session_token": os.environ.get("AWS_SESSION_TOKEN"),
            "region_name": os.environ.get("AWS_REGION"),
        }
        if key and secret
        else {}
    )


def find_notification_block(client: SyncPrefectClient) -> UUID | None:
    """The block that sends the messages; None if none is named."""
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
    # Every type of block that can notify declares it; its class need not be installed here.
    schema = document.block_schema
    if schema is None or "notify" not in schema.capabilities:
        raise Unprepared(f"The block {name} ({NOTIFY}) sends no notifications: name one that does.")
    return document.id


def make_pool(client: SyncPrefectClient, pool: str, stack: dict[str, Any]) -> Iterator[str]:
    """The work pool; what the stack made are its defaults."""
    try:
        found = client.read_work_pool(pool)
    except ObjectNotFound:
        new = WorkPoolCreate(name=pool, type=worker_type(pool), base_job_template=job_template(pool))
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


def save_credentials(credentials: dict[str, Any]) -> Iterator[str]:
    """The block with the credentials for S3, saved if it differs; its other fields are kept."""
    try:
        block = AwsCredentials.load(BLOCK)
    except ValueError:
        block = AwsCredentials()
    before = block.model_dump()
    for name, value in credentials.items():
        setattr(block, name, value)
    block.aws_client_parameters.endpoint_url = os.environ.get("AWS_ENDPOINT_URL")
    if block.model_dump() != before:
        block.save(BLOCK, overwrite=True)
        yield f"Block aws-credentials/{BLOCK} saved."


def make_automations(client: SyncPrefectClient, durations: Durations, block: UUID | None) -> Iterator[str]:
    """Create or update the automations by their names; delete those of earlier versions."""
    known = {each.name for each in alarms(durations, UUID(int=0))}
    missing = {each.name: each for each in alarms(durations, block)}
    for found in client.read_automations():
        if found.name.startswith(f"{FLOW}: ") and found.name not in known:
            client.delete_automation(found.id)
            yield f'Automation "{found.name}" of an earlier version deleted.'
        elif (wanted := missing.pop(found.name, None)) and differs(found, wanted):
            client.update_automation(found.id, wanted)
            yield f'Automation "{found.name}" changed.'
    for name, wanted in missing.items():
        client.create_automation(wanted)
        yield f'Automation "{name}" made.'


def bootstrap(client: SyncPrefectClient, durations: Durations) -> Iterator[str]:
    """Look everything up, then make what is missing; yields a sentence for each thing that was made.

    Raises:
        Unprepared: Something is missing; nothing was made.
    """
    config = read_config()
    stack, credentials, block = read_stack(), read_credentials(), find_notification_block(client)
    limits = config["definitions"]["queue_limits"]
    work_pools = [each["work_pool"] for each in used_deployments(config)]

    yield from make_pool(client, work_pools[0]["name"], stack)
    for work_pool in work_pools:
        if queue := work_pool.get("work_queue_name"):
            yield from make_queue(client, work_pool["name"], queue, limits[queue])
    if credentials:
        yield from save_credentials(credentials)
    yield from make_automations(client, durations, block)


def parse_durations(arguments: list[str]) -> Durations:
    """The durations of the alerts from the command line, in seconds; the defaults follow from prefect.yaml."""
    definitions = read_config()["definitions"]
    heartbeat = int(definitions["environment"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    parser = argparse.ArgumentParser(description="Make what the deployments need on the Prefect server.")
    for name, seconds, text in (
        ("silence", MISSED_HEARTBEATS * heartbeat, "without a heartbeat, after which a run is crashed"),
        ("start", definitions["one_at_a_time"]["grace_period_seconds"], "until a run must have begun"),
        ("publication", DAYS_TO_PUBLISH * 86400, "from the start of a scheduled run until its month must be published"),
    ):
        parser.add_argument(
            f"--{name}", type=int, default=seconds, help=f"seconds {text}: {seconds}", metavar="SECONDS"
        )
    given = vars(parser.parse_args(arguments))
    return Durations(**{name: timedelta(seconds=seconds) for name, seconds in given.items()})


def main() -> int:
    """Make everything and print what was made."""
    durations = parse_durations(sys.argv[1:])
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
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        after = "Run it again when the cause is gone." if made else "Nothing was made."
        print(f"The Prefect server at {api} does not answer, or refuses: {error} {after}", file=sys.stderr)
        return 1
    if not made:
        print("Everything exists already. Nothing was made.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
