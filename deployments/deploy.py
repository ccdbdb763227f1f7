"""Deploy prefect.yaml, and make the schedules on the server equal to it: `make deploy`.

Prefect does not remove schedules: one that moved to another deployment, or whose deployment is no longer in the file,
would stay active. Nor does it resume a schedule that was paused in the dashboard.
"""

import subprocess
import sys
from typing import Any, NamedTuple

from check import check
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from project import ROOT, read_config, used_deployments


class Schedule(NamedTuple):
    """A schedule of a deployment, with the fields that prefect.yaml states."""

    slug: str | None
    cron: str
    timezone: str
    active: bool

    def __str__(self) -> str:
        return f"{self.slug} ({self.cron}, {self.timezone}{'' if self.active else ', inactive'})"


Schedules = dict[str, set[Schedule]]
"""By the full name of their deployment."""


def wanted_schedules(deployments: list[dict[str, Any]]) -> Schedules:
    """The schedules that prefect.yaml gives."""
    return {
        _full_name(each): {
            Schedule(one.get("slug"), one["cron"], one["timezone"], one.get("active", True))
            for one in each.get("schedules", [])
        }
        for each in deployments
    }


def _full_name(deployment: dict[str, Any]) -> str:
    return f"{load_flow_from_entrypoint(deployment['entrypoint']).name}/{deployment['name']}"


def read_deployments(client: SyncPrefectClient, flows: set[str]) -> dict[str, DeploymentResponse]:
    """All deployments of these flows on the server, by their full names."""
    return {
        f"{flow}/{each.name}": each
        for flow in sorted(flows)
        for each in client.read_deployments(flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])))
    }


def read_schedules(client: SyncPrefectClient, flows: set[str]) -> Schedules:
    """The schedules on the server."""
    return {
        name: {_schedule(one) for one in deployment.schedules}
        for name, deployment in read_deployments(client, flows).items()
    }


def _schedule(found: DeploymentSchedule) -> Schedule:
    # An interval or an rrule is not from prefect.yaml, so it equals none of its schedules.
    cron = getattr(found.schedule, "cron", type(found.schedule).__name__)
    return Schedule(found.slug, cron, getattr(found.schedule, "timezone", None) or "UTC", found.active)


def update_schedules(client: SyncPrefectClient, wanted: Schedules, flows: set[str]) -> None:
    """Delete each schedule that is not in prefect.yaml, and create each that is missing."""
    for name, deployment in read_deployments(client, flows).items():
        missing = set(wanted.get(name, set()))
        for one in deployment.schedules:
            if _schedule(one) in missing:
                missing.remove(_schedule(one))
            else:
                client.delete_deployment_schedule(deployment.id, one.id)
        if missing:
            client.create_deployment_schedules(deployment.id, [_to_create(each) for each in sorted(missing, key=str)])


def _to_create(schedule: Schedule) -> DeploymentScheduleCreate:
    cron = CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    return DeploymentScheduleCreate(slug=schedule.slug, schedule=cron, active=schedule.active)


def changes(before: Schedules, after: Schedules) -> list[str]:
    """The changes of the schedules, one line each."""
    return [
        f"{name}: schedule {schedule} {what}"
        for name in sorted(before | after)
        for what, schedules in (
            ("removed", before.get(name, set()) - after.get(name, set())),
            ("added", after.get(name, set()) - before.get(name, set())),
        )
        for schedule in sorted(schedules, key=str)
    ]


def main() -> int:
    """Check, deploy, update the schedules, and print what changed."""
    config = read_config()
    if problems := check(config):
        print("\n".join(problems), file=sys.stderr)
        return 1
    used = used_deployments(config)
    wanted = wanted_schedules(used)
    flows = {name.partition("/")[0] for name in wanted}
    pool = used[0]["work_pool"]["name"]
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(pool)
        except ObjectNotFound:
            print(f"The work pool {pool} does not exist: run `make bootstrap` first.", file=sys.stderr)
            return 1
        before = read_schedules(client, flows)
        names = [option for name in wanted for option in ("--name", name)]
        # Prefect prints what it builds, pushes and deploys.
        done = subprocess.run(  # noqa: S603 - fixed command
            [sys.executable, "-m", "prefect", "--no-prompt", "deploy", *names], cwd=ROOT, check=False
        )
        if done.returncode:
            return done.returncode
        update_schedules(client, wanted, flows)
        changed = changes(before, read_schedules(client, flows))
    print(*(changed or ["The schedules are unchanged."]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
