"""`monthly-sales`: arguments to flow parameters, errors to exit codes.

Exit codes: 0 published; 1 the data is refused; 2 wrong arguments; 3 something outside failed.
"""

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows.imports import begin_imports

if TYPE_CHECKING:
    from tasks.domain.backfill import Shop
    from tasks.domain.figures import Figures
    from tasks.domain.issues import DataRefused
    from tasks.publication.publisher import PublishedMonth

PUBLISHED, REFUSED, WRONG_ARGUMENTS, OUTSIDE_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    begin_imports()
    options = vars(_parser().parse_args(arguments))
    command = options.pop("command")

    from tasks.domain.issues import DataRefused, OutsideFailure, WrongArgument  # noqa: PLC0415 - after --help

    commands: dict[str, Callable[..., int]] = {"run": _run, "backfill": _backfill, "verify": _verify, "list": _list}
    try:
        return commands[command](**options)
    except DataRefused as refused:
        _tell_refusal(refused)
        return REFUSED
    except WrongArgument as error:
        _say(f"monthly-sales {command}: {error}")
        return WRONG_ARGUMENTS
    except OutsideFailure as error:
        _say(f"Something outside failed: {error}")
        return OUTSIDE_FAILED
    except KeyboardInterrupt:
        _say("Interrupted. What was published before is as it was; run again to go on.")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monthly-sales", description="Turn a month's three workbooks into a verified, published sales report."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--destination", default="reports", help="folder or s3://bucket/prefix of the published files")
    shared.add_argument("--aws-credentials", default="", metavar="BLOCK", help="Prefect block with the S3 credentials")
    defaults = argparse.ArgumentDefaultsHelpFormatter

    run = commands.add_parser("run", parents=[shared], help="run one month", formatter_class=defaults)
    run.add_argument(
        "--month", default="", help="YYYY-MM, the label of the snapshot; empty: the present month in Paris"
    )
    run.add_argument(
        "--source",
        default="data/{month}",
        help="folder or s3://bucket/prefix of the workbooks; may hold {month:%%Y/%%m}",
    )
    run.add_argument("--export-date", default="", metavar="DATE", help="YYYY-MM-DD; empty: the 15th of the month")
    _add_rules(run)
    run.add_argument(
        "--notify", default="", metavar="BLOCK", help="Prefect block told of it: slack-webhook/monthly-sales"
    )

    # Without defaults: what is not given is left to the flow, or to the deployment.
    backfill = commands.add_parser("backfill", help="run many months", argument_default=argparse.SUPPRESS)
    backfill.add_argument("--from", required=True, dest="first", metavar="MONTH", help="YYYY-MM, the first month")
    backfill.add_argument("--to", required=True, dest="last", metavar="MONTH", help="YYYY-MM, the last month")
    backfill.add_argument("--shops", metavar="NAMES", help="lyon,paris: fills {shop} in source and destination")
    backfill.add_argument("--source", help="folder or s3://bucket/prefix of the workbooks; holds {month:%%Y/%%m}")
    backfill.add_argument("--destination", help="folder or s3://bucket/prefix of the published files")
    backfill.add_argument("--aws-credentials", metavar="BLOCK", help="Prefect block with the S3 credentials")
    where = backfill.add_mutually_exclusive_group()
    where.add_argument("--processes", type=_count, metavar="N", help="months at once on this machine; else its cores")
    where.add_argument(
        "--deployment", metavar="NAME", help="run them through monthly-sales/backfill, say, on its work pool"
    )
    _add_rules(backfill, with_defaults=False)

    verify = commands.add_parser(
        "verify", parents=[shared], help="read a published month back", formatter_class=defaults
    )
    verify.add_argument("--month", required=True, help="YYYY-MM")
    verify.add_argument("--repair", action="store_true", help="bring the names that people open up to date")

    commands.add_parser("list", parents=[shared], help="list the published months", formatter_class=defaults)
    return parser


def _add_rules(parser: argparse.ArgumentParser, *, with_defaults: bool = True) -> None:
    """The options of a month besides its name and places."""
    add = parser.add_argument

    def default(value: object) -> object:
        return value if with_defaults else argparse.SUPPRESS

    for source in ("erp", "liaison", "web"):
        add(f"--{source}", default=default(""), metavar="FILE", help=f"the {source} workbook, if not in the source")
    add("--premium-threshold", type=_finite, default=default(2.0), metavar="Z", help="premium above this z-score")
    add("--language", choices=["en", "fr"], default=default("en"), help="language of the workbook")
    add("--accept-unusual", action="store_true", help="publish a month that is refused only because it is unusual")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number")
    return number


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


def _run(**parameters: Any) -> int:  # noqa: ANN401 - the flow checks them
    _prepare()
    _check_arguments(**parameters)
    from flows.terminal import show_month, shown_stages  # noqa: PLC0415

    with shown_stages():
        published = _run_flow(**parameters)
    if not show_month(published):
        print(_summary(published))
    return PUBLISHED


def _prepare() -> None:
    """Settle how Prefect logs on a terminal, and how this process is stopped."""
    # Prefect reads these when it is imported. A terminal needs no clock and no run name before each line.
    os.environ.setdefault("PREFECT_LOGGING_FORMATTERS_STANDARD_FLOW_RUN_FMT", "%(message)s")
    os.environ.setdefault("PREFECT_LOGGING_FORMATTERS_STANDARD_TASK_RUN_FMT", "%(message)s")
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL", "INFO")
    os.environ.setdefault("PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL", "INFO")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    # The first start makes the server's database, which on a busy machine takes longer than Prefect's own 20 seconds.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    # A container stops its first process by this signal, which that process otherwise never notices.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _check_arguments(*, month: str, source: str, destination: str, export_date: str = "", **parameters: Any) -> None:  # noqa: ANN401
    """Refuse a month or a place that cannot be, before a server is started for it."""
    from tasks.domain.month import resolve_export_date, resolve_month  # noqa: PLC0415
    from tasks.notification import check_block_name  # noqa: PLC0415
    from tasks.storage.location import Location  # noqa: PLC0415
    from tasks.workbook.fetch import workbook_places  # noqa: PLC0415

    label = resolve_month(month, datetime.now(UTC))
    resolve_export_date(export_date, label)
    workbook_places(label, source, **{name: parameters.get(name, "") for name in ("erp", "liaison", "web")})
    Location(destination).check()
    check_block_name(parameters.get("notify", ""))


def _run_flow(**parameters: Any) -> "PublishedMonth":  # noqa: ANN401
    """Run the flow on the server that is set, or on Prefect's own."""
    with _prefect_server():
        from flows.monthly_sales import monthly_sales  # noqa: PLC0415

        published: PublishedMonth = monthly_sales(**parameters)
    return published


@contextmanager
def _prefect_server() -> Iterator[str]:
    """The address of the server that is set, or nothing where Prefect starts its own.

    Raises:
        OutsideFailure: None is set and none may be started, or it does not answer.
    """
    import httpx  # noqa: PLC0415 - Prefect's own client raises it
    from prefect.settings import get_current_settings  # noqa: PLC0415

    from tasks.domain.issues import OutsideFailure  # noqa: PLC0415

    settings = get_current_settings()
    server = settings.api.url
    if not server and not settings.server.ephemeral.enabled:
        raise OutsideFailure("no PREFECT_API_URL is set, and a server of its own is switched off for this run.")
    if not server:
        _say("No PREFECT_API_URL is set: starting Prefect's own local server, which takes some seconds.")
    try:
        yield server or ""
    except (httpx.HTTPError, RuntimeError) as error:
        # Prefect tells a server that does not answer at the start by a RuntimeError, later by its client's own error.
        if isinstance(error, RuntimeError) and "API" not in str(error):
            raise
        reason = str(error) or type(error).__name__
        raise OutsideFailure(f"the Prefect server at {server or 'this machine'} does not answer: {reason}.") from None


def _backfill(
    *,
    first: str,
    last: str,
    shops: str = "",
    deployment: str = "",
    processes: int = 0,
    **given: Any,  # noqa: ANN401 - the flow checks them
) -> int:
    """Run many months, here or through a deployment, and end with their table."""
    _prepare()
    import asyncio  # noqa: PLC0415

    from tasks.domain.backfill import months_between, text_table  # noqa: PLC0415
    from tasks.domain.issues import WrongArgument  # noqa: PLC0415

    months = months_between(first, last)
    wanted = [] if deployment else _shops(shops, months, **given)
    with _prefect_server() as server:
        from flows.backfill import Backfill, Containers, Processes, Runner, find_deployment, own_server  # noqa: PLC0415

        settled = given
        if not deployment:
            runner: Runner = Processes(processes or os.cpu_count() or 1, server or own_server())
        elif not server:
            raise WrongArgument("--deployment: set PREFECT_API_URL to the server that knows it.")
        else:
            defaults, at_once = find_deployment(deployment)
            settled = defaults | given
            wanted = _shops(shops, months, **settled)
            runner = Containers(deployment, at_once or len(wanted))
        backfill = Backfill(wanted, months, given, runner, settled.get("aws_credentials", ""))
        try:
            asyncio.run(backfill.run())
        finally:  # also when the server was lost
            print(text_table(backfill.lines), flush=True)
    if backfill.is_interrupted:
        _say("Interrupted. What was published is as it was; the same command again goes on.")
        return INTERRUPTED
    outcomes = {line.outcome for line in backfill.lines}
    if "failed" in outcomes:
        return OUTSIDE_FAILED
    return REFUSED if "refused" in outcomes else PUBLISHED


def _shops(
    names: str,
    months: Sequence[str],
    *,
    source: str = "data/{month}",
    destination: str = "reports",
    **parameters: Any,  # noqa: ANN401
) -> "list[Shop]":
    """The shops of a backfill, refused before a server is started for a place that cannot be."""
    from tasks.domain.backfill import shops_of  # noqa: PLC0415

    shops = shops_of(names, source, destination)
    for shop in shops:
        places = {"source": shop.source, "destination": shop.destination}
        _check_arguments(**(parameters | places | {"month": months[0]}))
    return shops


def _verify(*, month: str, destination: str, aws_credentials: str, repair: bool) -> int:
    from tasks.domain.month import resolve_month  # noqa: PLC0415
    from tasks.publication.verify import verify_month  # noqa: PLC0415
    from tasks.storage.location import Location  # noqa: PLC0415

    storage = Location(destination, aws_credentials).open()
    verdict = verify_month(storage, resolve_month(month, datetime.now(UTC)), repair=repair)
    for fault in verdict.faults:
        _say(fault)
    if verdict.manifest:
        print(f"{month}, revision {verdict.manifest.revision}: {'damaged' if verdict.faults else 'as published'}")
        print("\n".join(_figures(verdict.manifest.figures)))
    return REFUSED if verdict.faults else PUBLISHED


def _list(*, destination: str, aws_credentials: str) -> int:
    from tasks.publication.verify import list_months  # noqa: PLC0415
    from tasks.storage.location import Location  # noqa: PLC0415

    lines = list_months(Location(destination, aws_credentials).open())
    print(f"{'Month':<8} {'Revision':>8} {'Revenue (EUR)':>20}  {'Compared with':<14} Stored but never committed")
    for line in lines:
        revenue = "-" if line.revenue is None else f"{line.revenue:,.2f}"
        compared_with = f"{line.previous or '-'}{'*' if line.would_change else ''}"
        uncommitted = " ".join(line.uncommitted)
        print(f"{line.month:<8} {line.revision:>8} {revenue:>20}  {compared_with:<14} {uncommitted}".rstrip())
    if any(line.would_change for line in lines):
        print("* Run this month again: an earlier snapshot has changed since, or its manifest has schema version 1.")
    return PUBLISHED


def _tell_refusal(refused: "DataRefused") -> None:
    """All errors on stderr, at most twenty of a kind; the rest is counted and stands in the run's folder."""
    import polars as pl  # noqa: PLC0415

    from tasks.domain.issues import lines  # noqa: PLC0415

    errors = refused.issues.filter(pl.col("severity") == "error")
    for text in lines(errors):
        _say(text)
    others = refused.issues.height - errors.height
    besides = f" Besides, {others:,} warnings and rows that were set aside." if others else ""
    count = "1 error" if errors.height == 1 else f"{errors.height:,} errors"
    _say(f"Refused, nothing is published: {count}.{besides}")


def _summary(published: "PublishedMonth") -> str:
    """The month's figures and where the files are."""
    places = [
        f"{'Published' if number == 0 else '':<15} {address}" for number, address in enumerate(published.addresses)
    ]
    return "\n".join([f"{'Month':<15} {published.month}", *_figures(published.figures), *places])


def _figures(figures: "Figures") -> list[str]:
    from tasks.headline import headline  # noqa: PLC0415

    return [f"{line.name:<15} {line.value}" for line in headline(figures)]


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
