"""`monthly-sales`: arguments to the flows' parameters, errors to exit codes.

Exit codes: 0 published; 1 the data is refused; 2 wrong arguments; 3 a folder, S3 or the Prefect server failed;
4 an unexpected error; 130 interrupted.
"""

import argparse
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, asdict, dataclass
from datetime import UTC, datetime
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, get_args, get_origin

from flows.imports import garbage_collection_paused
from flows.options import BackfillOptions, ListOptions, MonthOptions, VerifyOptions, declared, purpose

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from tasks.domain.issues import DataRefused
    from tasks.domain.parameters import Language
    from tasks.publication.publisher import PublishedMonth

PUBLISHED, REFUSED, WRONG_ARGUMENTS, OUTSIDE_FAILED, UNEXPECTED, INTERRUPTED = 0, 1, 2, 3, 4, 130


@dataclass(frozen=True, kw_only=True)
class RunOptions(MonthOptions):
    """Run one month: turn its three workbooks into published revenue and premium reports.

    Attributes:
        keep_stages: Folder in which the table of each stage is kept as a Parquet file. Empty: none is kept.
    """

    keep_stages: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    sys.stdout, sys.stderr = _robust(sys.stdout), _robust(sys.stderr)
    given = vars(_parser().parse_args(arguments))
    name, (kind, command) = given.pop("command"), given.pop("run")
    try:
        return _ended(name, lambda: command(kind(**given)), given)
    except KeyboardInterrupt:
        _say("Interrupted. What was published before is unchanged; the same command again continues.")
        os._exit(INTERRUPTED)  # at once: Python would wait for requests that are on their way


def _ended(name: str, command: Callable[[], int], given: dict[str, Any]) -> int:
    from tasks.domain.issues import DataRefused, OutsideFailure, WrongArgument  # noqa: PLC0415 - after --help

    for option, value in given.items():
        if isinstance(value, str) and not _is_utf8(value):
            _say(
                f"monthly-sales {name}: --{option.replace('_', '-')}: {value} is not UTF-8. Rename it, or name another."
            )
            return WRONG_ARGUMENTS
    try:
        return command()
    except DataRefused as refused:
        _report_refusal(refused, given.get("language", "en"))
        return REFUSED
    except WrongArgument as error:
        _say(f"monthly-sales {name}: {error}")
        return WRONG_ARGUMENTS
    except OutsideFailure as error:
        _say(f"Failed: {error}")
        return OUTSIDE_FAILED
    except Exception as error:  # noqa: BLE001 - any error becomes one sentence and a trace
        with tempfile.NamedTemporaryFile("w", prefix="monthly-sales-", suffix=".txt", delete=False) as trace:
            trace.write("".join(traceback.format_exception(error)))
        reason = " ".join(str(error).split())
        _say(f"Unexpected error, {type(error).__name__}: {reason}. Please report it with the trace in {trace.name}.")
        return UNEXPECTED


# Arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monthly-sales", description="Turn a month's three workbooks into a verified, published sales report."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    kinds: dict[str, tuple[type, Callable[[Any], int]]] = {
        "run": (RunOptions, _run),
        "backfill": (BackfillOptions, _backfill),
        "verify": (VerifyOptions, _verify),
        "list": (ListOptions, _list),
    }
    for name, (kind, command) in kinds.items():
        one = commands.add_parser(name, help=purpose(kind), description=purpose(kind))
        one.set_defaults(run=(kind, command))
        for field, text in declared(kind):
            _add_option(one, field, text)
    return parser


def _add_option(parser: argparse.ArgumentParser, field: Field[Any], text: str) -> None:
    """The option of a parameter, derived from its declaration."""
    option, kind = f"--{field.name.replace('_', '-')}", field.type
    default = "" if field.default in ("", False, MISSING) else f" (default: {field.default})"
    text = f"{text}{default}".replace("%", "%%")
    if kind is bool:
        parser.add_argument(option, action="store_true", help=text)
        return
    choices = get_args(kind) if get_origin(kind) is Literal else None
    is_required = field.default is MISSING
    parser.add_argument(
        option, type=_reader(kind), choices=choices, default=field.default, required=is_required, help=text
    )


def _reader(kind: Any) -> Callable[[str], object]:  # noqa: ANN401 - any annotation
    """A function that converts text to a value of this annotation, as the flow does."""
    import pydantic  # noqa: PLC0415

    adapter = pydantic.TypeAdapter(kind)

    def read(text: str) -> object:
        try:
            return adapter.validate_python(text)
        except pydantic.ValidationError as error:
            raise argparse.ArgumentTypeError(f"{text}: {error.errors()[0]['msg']}") from None

    return read


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# Commands


def _run(options: RunOptions) -> int:
    _prepare()
    with garbage_collection_paused():
        _check(options, options.parameters(datetime.now(UTC)).month)
        from flows.server import prefect_server  # noqa: PLC0415
        from flows.terminal import print_month, shown_stages  # noqa: PLC0415
        from tasks.run import KEPT_STAGES  # noqa: PLC0415

    parameters = asdict(options)
    if kept := parameters.pop("keep_stages"):
        KEPT_STAGES.set(Path(kept))
    with prefect_server(_say), shown_stages():
        with garbage_collection_paused():
            from flows.monthly_sales import monthly_sales  # noqa: PLC0415
        published = monthly_sales(**parameters)
    if not print_month(published):
        print(_summary(published))
    return PUBLISHED


def _prepare() -> None:
    """Set how Prefect logs on a terminal, and how this process is stopped."""
    # Prefect reads these when it is imported. A terminal needs no clock and no run name before each line.
    os.environ.setdefault("PREFECT_LOGGING_FORMATTERS_STANDARD_FLOW_RUN_FMT", "%(message)s")
    os.environ.setdefault("PREFECT_LOGGING_FORMATTERS_STANDARD_TASK_RUN_FMT", "%(message)s")
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL", "INFO")
    os.environ.setdefault("PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL", "INFO")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    # The first start creates the server's database, which on a busy machine takes longer than Prefect's 20 seconds.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    # Prefect warns of a folder that it cannot make; if it needs the folder, the command reports that.
    warnings.filterwarnings("ignore", "Failed to create the Prefect home")
    # A container sends this signal to stop its first process, which would ignore it otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _check(options: MonthOptions | BackfillOptions, month: str) -> None:
    """Refuse an impossible source or destination before a server is started."""
    from tasks.announcement.mail import parse_recipients  # noqa: PLC0415

    options.workbooks(month)
    options.location.check()
    if isinstance(options, MonthOptions):
        parse_recipients(options.email_to)


def _backfill(options: BackfillOptions) -> int:
    os.environ.setdefault("PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL", "WARNING")  # a line for each month
    _prepare()
    from tasks.domain.month_outcomes import check_source, months_to_run  # noqa: PLC0415

    months = months_to_run(options.first, options.last)
    if not options.deployment:
        check_source(options.source)
        _check(options, months[0])
    from flows.server import prefect_server  # noqa: PLC0415
    from flows.terminal import plain_logs  # noqa: PLC0415

    with prefect_server(_say), plain_logs():
        from flows.backfill import backfill  # noqa: PLC0415

        state = backfill(**asdict(options), return_state=True)
    if state.is_cancelled():
        raise KeyboardInterrupt
    state.result()
    return PUBLISHED


def _verify(options: VerifyOptions) -> int:
    from tasks.domain.month import resolve_month  # noqa: PLC0415
    from tasks.messages import mark, messages_in  # noqa: PLC0415
    from tasks.publication.verify import verify_month  # noqa: PLC0415
    from tasks.report.headline import summary_headline  # noqa: PLC0415

    month = resolve_month(options.month, datetime.now(UTC))
    verdict = verify_month(options.location.open(), month, repair=options.repair)
    for fault in verdict.faults:
        _say(fault)
    if verdict.manifest:
        text = messages_in(verdict.manifest.run_parameters().language)
        sentence = (
            mark("{month}, revision {revision}: damaged")
            if verdict.faults
            else mark("{month}, revision {revision}: as published")
        )
        print(text.gettext(sentence, month=month, revision=verdict.manifest.revision))
        shown = summary_headline(verdict.manifest.summary(), verdict.manifest.run_parameters())
        print("\n".join([shown.title, *shown.sentences()]))
    return REFUSED if verdict.faults else PUBLISHED


def _list(options: ListOptions) -> int:
    from tasks.publication.verify import list_months  # noqa: PLC0415

    lines = list_months(options.location.open())
    print(f"{'Month':<8} {'Revision':>8} {'Revenue (EUR)':>20}  {'Compared with':<14} Stored but never committed")
    for line in lines:
        revenue = "-" if line.revenue is None else f"{line.revenue:,.2f}"
        compared_with = f"{line.previous or '-'}{'*' if line.would_change else ''}"
        uncommitted = " ".join(line.uncommitted)
        print(f"{line.month:<8} {line.revision:>8} {revenue:>20}  {compared_with:<14} {uncommitted}".rstrip())
    if any(line.would_change for line in lines):
        print("* Run this month again: an earlier snapshot has changed since, or an earlier version wrote it.")
    return PUBLISHED


# Output


def _report_refusal(refused: "DataRefused", language: "Language") -> None:
    """All errors on stderr, at most twenty of a kind; the others are counted."""
    from tasks.messages import messages_in  # noqa: PLC0415
    from tasks.report.issue_words import refusal_lines  # noqa: PLC0415

    for text in refusal_lines(refused.issues, messages_in(language)):
        _say(text)


def _summary(published: "PublishedMonth") -> str:
    """The figures and the addresses of the files."""
    return "\n".join([published.headline.title, *published.headline.sentences(), *published.addresses])


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


class _Pipe(FileIO):
    """A stream whose reader may close it, as `head` does: what is written after that is dropped."""

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def _robust(stream: TextIO) -> TextIO:
    """The same stream; characters that it cannot show are escaped, and a closed pipe is not an error."""
    raw = BufferedWriter(_Pipe(stream.fileno(), "w", closefd=False))
    is_prompt = stream is sys.stderr or stream.isatty()
    return TextIOWrapper(raw, encoding=stream.encoding, errors="backslashreplace", line_buffering=is_prompt)


if __name__ == "__main__":
    sys.exit(main())
