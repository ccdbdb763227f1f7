"""Refuse in prefect.yaml what Prefect accepts: `python deployments/check.py`, or `make check-deployment`.

An environment variable that is not set becomes an empty text, and a job variable that the worker does not know is
ignored; both deploy without a warning. Prefect itself refuses a wrong type, an unknown time zone and a missing pool.
Its schema shows wrong keys in an editor, and tests/deployment/test_prefect_yaml.py checks the committed file.
"""

import os
import re
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from prefect.workers.base import BaseWorker
from project import read_config, worker_type

_VARIABLE = re.compile(r"\{\{\s*\$(\w+)\s*\}\}")


def check(config: dict[str, Any]) -> list[str]:
    """Everything that is wrong, a sentence each; empty when the file may be deployed."""
    problems = [*_unset_variables(config)]
    for deployment in config["deployments"]:
        problems += _unknown_job_variables(deployment["name"], deployment["work_pool"])
    return problems


def _unset_variables(config: dict[str, Any]) -> Iterator[str]:
    for name in sorted({name for text in _texts(config) for name in _VARIABLE.findall(text)}):
        if not os.environ.get(name):
            yield f"The environment variable {name} is not set or empty, and prefect.yaml needs it."


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _unknown_job_variables(deployment: str, work_pool: dict[str, Any]) -> Iterator[str]:
    pool = work_pool["name"]
    worker = BaseWorker.get_worker_class_from_type(worker_type(pool))
    if worker is None:
        yield f"Deployment {deployment}: {pool} is not named after a type of worker, such as docker-pool."
        return
    known = worker.get_default_base_job_template()["variables"]["properties"]
    for name in work_pool.get("job_variables", {}):
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            yield f"Deployment {deployment}: {name} is not a job variable of {worker.type} workers{hint}"


def main() -> int:
    """Check the project's prefect.yaml and print what is wrong with it."""
    problems = check(read_config())
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print("prefect.yaml may be deployed.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
