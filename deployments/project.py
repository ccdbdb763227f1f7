"""prefect.yaml, as the scripts of this folder read it."""

import os
from pathlib import Path
from typing import Any

import yaml
from prefect.workers.base import BaseWorker

ROOT = Path(__file__).parents[1]
STACK = "MONTHLY_SALES_STACK"
"""Environment variable with the name of the CloudFormation stack of aws.yaml, where the flows run on ECS."""


def read_config() -> dict[str, Any]:
    """The project's prefect.yaml; its key `definitions` is our own, Prefect ignores it."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    return config


def worker_type(pool: str) -> str:
    """The type of a pool's workers. A pool is named after it: docker-pool, ecs-pool."""
    return pool.removesuffix("-pool")


def job_template(pool: str) -> dict[str, Any]:
    """The job template of a pool, as its type of worker has it; empty for a type that is not installed."""
    worker = BaseWorker.get_worker_class_from_type(worker_type(pool))
    return worker.get_default_base_job_template() if worker else {}


def used_deployments(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The deployments of the pool that is used: on ECS where a stack is named, else on Docker."""
    used = "ecs" if os.environ.get(STACK) else "docker"
    return [each for each in config["deployments"] if worker_type(each["work_pool"]["name"]) == used]
