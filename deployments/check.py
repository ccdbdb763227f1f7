"""Refuse what Prefect lets pass in prefect.yaml: `python deployments/check.py`, or `make check-deployment`.

A typing error in a key or a job variable, an empty environment value, an entrypoint that does not import, a parameter
that the flow does not have and a schedule that fires at another hour all deploy without a word. Here each is a line on
the screen and exit code 1. What is allowed comes from Prefect's own models and from the workers' own job templates.
"""

import asyncio
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

import yaml
from prefect.cli.deploy._models import ConcurrencyLimitSpec, PrefectYamlModel, RawScheduleConfig
from prefect.exceptions import ParameterTypeError, ScriptError
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.server.schemas.schedules import CronSchedule
from prefect.settings import Settings
from prefect.settings.legacy import _get_valid_setting_names
from prefect.workers.base import BaseWorker
from pydantic import BaseModel, ValidationError

ROOT = Path(__file__).parents[1]
PREFECT_YAML = ROOT / "prefect.yaml"
DEFINITIONS = "definitions"
"""The one key of our own: what the YAML anchors repeat, and the limits of the queues."""

PARIS = ZoneInfo("Europe/Paris")
DUE = "0 9 15 * *"
"""When the three exports of a month are there."""

MONTHS_AHEAD = 24
_TEMPLATE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_PHASES = ("build", "push", "pull")


def check(path: Path, environment: dict[str, str], now: datetime) -> list[str]:
    """Everything that is wrong with a prefect.yaml, a sentence each; none when it may be deployed."""
    try:
        config = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)  # noqa: S506 - a SafeLoader
    except OSError as error:
        return [f"{path.name} cannot be read: {error.strerror}."]
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return [f"{path.name}{line}: {error.problem}."]
    if not isinstance(config, dict) or not config.get("deployments"):
        return [f"{path.name} has no deployments."]
    ours = {key: value for key, value in config.items() if key != DEFINITIONS}
    unknown = list(_unknown_keys(PrefectYamlModel, ours, ""))
    try:
        PrefectYamlModel.model_validate(ours)
    except ValidationError as error:
        return unknown or [_misshapen(ours, error)]
    limits = (config.get(DEFINITIONS) or {}).get("queue_limits") or {}
    return [
        *unknown,
        *_templates(ours, environment),
        *_steps(ours),
        *(fault for one in ours["deployments"] for fault in _deployment(one, environment, limits, now)),
        *([] if any(_schedules(one) for one in ours["deployments"]) else ["No deployment has a schedule."]),
    ]


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that stands twice in one mapping is an error, and not the last one wins."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - as in the base class
        # As written: later on, what `<<` merges stands beside a mapping's own keys, which may repeat it.
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value} stands twice", key.start_mark)
            seen.add(key.value)
        return node


def _hint(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else "."


def _unknown_keys(model: type[BaseModel], data: dict[str, Any], place: str) -> Iterator[str]:
    """Keys that the model, and what is nested in it, does not know."""
    known = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for key, value in data.items():
        if key not in known:
            yield f"{place}{key} is not a key that Prefect knows{_hint(key, known)}"
            continue
        nested = _nested_model(key, known[key])
        if nested:
            entries = value if isinstance(value, list) else [value]
            for number, entry in enumerate(entries):
                if isinstance(entry, dict):
                    name = entry.get("name", number) if isinstance(value, list) else None
                    inner = f"{place}{key}." if name is None else f"{place}{key}[{name}]."
                    yield from _unknown_keys(nested, entry, inner)


def _misshapen(data: Any, error: ValidationError) -> str:  # noqa: ANN401 - a node of the file
    """The first value of another type than Prefect's, such as deployments[docker].concurrency_limit."""
    # Of a union, the member that was meant is the one that was looked into.
    fault = max(error.errors(), key=lambda fault: len(fault["loc"]))
    place = ""
    for part in fault["loc"]:
        # pydantic names the members of a union too, which are no part of the file.
        if isinstance(data, list) and isinstance(part, int):
            data = data[part]
            place += f"[{data.get('name', part) if isinstance(data, dict) else part}]"
        elif isinstance(data, dict) and part in data:
            data = data[part]
            place += f".{part}"
    return f"{place.lstrip('.')}: {fault['msg']}."


def _nested_model(key: str, annotation: object) -> type[BaseModel] | None:
    """The model of the values under a key; two of them stand as forward references that Prefect resolves itself."""
    forward = {"schedules": RawScheduleConfig, "schedule": RawScheduleConfig, "concurrency_limit": ConcurrencyLimitSpec}
    if key in forward:
        return forward[key]
    for part in (annotation, *_all_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _all_args(annotation: object) -> Iterator[object]:
    for part in get_args(annotation):
        yield part
        yield from _all_args(part)


def _templates(config: dict[str, Any], environment: dict[str, str]) -> Iterator[str]:
    """Placeholders that would be filled with nothing."""
    given = {
        f"{options['id']}.{result}"
        for _, path, options in _all_steps(config)
        if "id" in options and (step := _step(path))
        for result in _results(step)
    }
    for place, text in _texts(config, ""):
        for name in _TEMPLATE.findall(text):
            if name.startswith("$"):
                if not environment.get(name[1:]):
                    yield f"{place} needs the environment variable {name[1:]}, which is not set or empty."
            elif not name.startswith("prefect.") and name not in given:
                yield f"{place} asks for {name}, which no step gives{_hint(name, given)}"


def _texts(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            name = inner.get("name", number) if isinstance(inner, dict) else number
            yield from _texts(inner, f"{place}[{name}]")


def _all_steps(config: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Phase, path and options of each step; a phase with one step need not be a list."""
    for phase in _PHASES:
        steps = config.get(phase) or []
        for step in steps if isinstance(steps, list) else [steps]:
            for path, options in step.items():
                yield phase, path, options or {}


def _step(path: str) -> Callable[..., Any] | None:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name, None)
    except (ImportError, ValueError):
        return None


def _results(step: Callable[..., Any]) -> Iterable[str]:
    return getattr(get_type_hints(step).get("return"), "__annotations__", ())


def _steps(config: dict[str, Any]) -> Iterator[str]:
    """Steps that do not exist, do not take what they are given, or go by a name that is lost."""
    results = {result for _, path, _ in _all_steps(config) if (step := _step(path)) for result in _results(step)}
    for phase, path, options in _all_steps(config):
        step = _step(path)
        if step is None:
            yield f"{phase}: there is no step {path}."
            continue
        # Prefect keeps results under their own names too, beside the steps and over them.
        if options.get("id") in results:
            yield f"{phase}: {path} cannot have the id {options['id']}, which is the name of a result."
        taken = inspect.signature(step).parameters
        named = [name for name, parameter in taken.items() if parameter.kind is not parameter.VAR_KEYWORD]
        for option in options:
            if option not in {*named, "id", "requires"} and len(named) == len(taken):
                yield f"{phase}: {path} does not take {option}{_hint(option, named)}"
        for name in named:
            if taken[name].default is inspect.Parameter.empty and name not in options:
                yield f"{phase}: {path} needs {name}."


def _schedules(deployment: dict[str, Any]) -> list[dict[str, Any]]:
    """Prefect takes a list, and one schedule under a key of its own."""
    one = deployment.get("schedule")
    return [*(deployment.get("schedules") or []), *([one] if one else [])]


def _deployment(
    deployment: dict[str, Any], environment: dict[str, str], limits: dict[str, int], now: datetime
) -> Iterator[str]:
    name = f"deployments[{deployment.get('name')}]"
    flow = _flow(str(deployment.get("entrypoint")))
    if isinstance(flow, str):
        yield f"{name}.entrypoint: {flow}"
    else:
        yield from _parameters(f"{name}.parameters", flow, deployment.get("parameters") or {}, environment)
    yield from _work_pool(f"{name}.work_pool", deployment.get("work_pool") or {}, limits)
    for schedule in _schedules(deployment):
        yield from _schedule(f"{name}.schedules", schedule, now)


def _flow(entrypoint: str) -> Flow[..., Any] | str:
    try:
        return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    except Exception as error:  # noqa: BLE001 - whatever the import raises is what is wrong
        reason = error.user_exc if isinstance(error, ScriptError) else error
        return f"{entrypoint} gives no flow: {str(reason).strip().rstrip('.')}."


def _parameters(
    place: str, flow: Flow[..., Any], parameters: dict[str, Any], environment: dict[str, str]
) -> Iterator[str]:
    known = flow.parameters.properties
    for name in parameters:
        if name not in known:
            yield f"{place}.{name} is not a parameter of the flow{_hint(name, known)}"
    filled = {
        name: _TEMPLATE.sub(lambda found: environment.get(found[1].lstrip("$"), ""), value)
        if isinstance(value, str)
        else value
        for name, value in parameters.items()
        if name in known
    }
    try:
        flow.validate_parameters(filled)
    except ParameterTypeError as error:
        # A headline, then ` - name: what is wrong`.
        for line in str(error).splitlines()[1:]:
            yield f"{place}.{line.removeprefix(' - ')}."


def _work_pool(place: str, work_pool: dict[str, Any], limits: dict[str, int]) -> Iterator[str]:
    """What the pool's worker would not look at. A pool is named after its type of worker: docker-pool, ecs-pool."""
    pool, queue = work_pool.get("name"), work_pool.get("work_queue_name")
    if queue and queue not in limits:
        yield f"{place}.work_queue_name: {queue} has no limit in {DEFINITIONS}.queue_limits{_hint(queue, limits)}"
    kind = str(pool).removesuffix("-pool")
    worker = BaseWorker.get_worker_class_from_type(kind)
    if worker is None:
        yield f"{place}.name: {pool} is not named after a type of worker, such as docker-pool."
        return
    known = worker.get_default_base_job_template()["variables"]["properties"]
    settings = _get_valid_setting_names(Settings)
    for name, value in (work_pool.get("job_variables") or {}).items():
        if name not in known:
            yield f"{place}.job_variables.{name} is not a variable of {kind} workers{_hint(name, known)}"
        if name == "env":
            for variable in value:
                if variable.startswith("PREFECT_") and variable not in settings:
                    yield f"{place}.job_variables.env.{variable} is not a setting of Prefect{_hint(variable, settings)}"


def _schedule(place: str, schedule: dict[str, Any], now: datetime) -> Iterator[str]:
    """A schedule that does not fire when each of the next months is due, summer and winter."""
    cron, zone = schedule.get("cron"), schedule.get("timezone") or "UTC"
    if not cron:
        yield f"{place}: a schedule of months is a cron, such as {DUE}."
        return
    try:
        fired = _firings(cron, zone, now)
    except ValidationError as error:
        yield f"{place}: {error.errors()[0]['msg'].removeprefix('Value error, ').rstrip('.')}."
        return
    for at, due in zip_longest(fired, _firings(DUE, PARIS.key, now)):
        if at != due:
            there = f"at {at.astimezone(PARIS):%Y-%m-%d %H:%M} in Paris" if at else "never again"
            yield f"{place}: {cron} in {zone} fires {there}, and {due.astimezone(PARIS):%Y-%m-%d %H:%M} is due."
            return


def _firings(cron: str, zone: str, now: datetime) -> list[datetime]:
    schedule = CronSchedule(cron=cron, timezone=zone)
    try:
        return asyncio.run(schedule.get_dates(MONTHS_AHEAD, start=now))
    except ValueError:  # such as 31 February
        return []


def main() -> int:
    """Check the project's own prefect.yaml and say what is wrong with it."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    faults = check(PREFECT_YAML, dict(os.environ), datetime.now(UTC))
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"{PREFECT_YAML.name} may be deployed.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
