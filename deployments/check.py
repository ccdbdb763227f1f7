"""Find mistakes in prefect.yaml that Prefect accepts: `python deployments/check.py`, or `make check-deployment`.

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

from project import job_template, read_config, worker_type


def check(config: dict[str, Any]) -> list[str]:
    """One sentence for each mistake; empty when the file may be deployed."""
    used = set(re.findall(r"\{\{\s*\$(\w+)\s*\}\}", str(config)))
    problems = [
        f"The environment variable {name} is not set or empty, and prefect.yaml needs it."
        for name in sorted(used)
        if not os.environ.get(name)
    ]
    for deployment in config["deployments"]:
        sentences = _unknown_job_variables(deployment["work_pool"])
        problems += [f"Deployment {deployment['name']}: {sentence}" for sentence in sentences]
    return problems


def _unknown_job_variables(work_pool: dict[str, Any]) -> Iterator[str]:
    pool = work_pool["name"]
    template = job_template(pool)
    if not template:
        yield f"{pool} is not named after a type of worker, such as docker-pool."
        return
    known = template["variables"]["properties"]
    for name in work_pool.get("job_variables", {}):
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            yield f"{name} is not a job variable of {worker_type(pool)} workers{hint}"


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
