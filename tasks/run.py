"""What the tasks of a run share, and the decorator that makes a function a task."""

import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from functools import wraps
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import ParamSpec, TypeVar

import polars as pl
from prefect import Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import task_run

from tasks.announcement.mail import Mailing
from tasks.dashboard import Artifact, Logger, label_run, only_warned, show_artifacts
from tasks.dashboard_pages import issue_table, plain
from tasks.domain.issues import DataRefused
from tasks.domain.parameters import Parameters
from tasks.messages import messages_in
from tasks.report.csv_files import write_issues
from tasks.report.issue_words import refusal_in, refusal_sentence, translate_words
from tasks.storage.local import file_facts, outside
from tasks.storage.protocol import ConflictError, Storage
from tasks.workbook.fetch import WorkbookLocations

STAGES = "monthly-sales.stages"
"""The logger of the names of stages, when they begin and when they end; a terminal shows them."""

KEPT_STAGES: ContextVar[Path | None] = ContextVar("KEPT_STAGES", default=None)
"""The folder of `--keep-stages`. Only the command has this option: the folders of a container do not outlive it."""

_stages = logging.getLogger(STAGES)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Run:
    """What exists before the first task and all tasks share; it contains no result of a task.

    Attributes:
        parameters: The parameters of the result.
        sources: Where the month's workbooks are.
        destination: Where the month is published.
        folder: The run's own folder, for copies and files; it is deleted at the end.
        stages: The folder of the stage tables.
        is_dry: Whether nothing is written to the destination, and no message is sent.
        mailing: Who receives the published workbook by e-mail.
    """

    parameters: Parameters
    sources: WorkbookLocations
    destination: Storage
    folder: Path
    stages: Path
    is_dry: bool = False
    mailing: Mailing | None = field(default=None, repr=False)

    def store(self, frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
        """Collect a stage's frame into a Parquet file, and scan it from there."""
        path = self.stages / f"{name}.parquet"
        frame.sink_parquet(path, compression="uncompressed")  # it is read again at once
        return pl.scan_parquet(path)


@contextmanager
def open_run(
    parameters: Parameters,
    sources: WorkbookLocations,
    destination: Storage,
    *,
    is_dry: bool = False,
    mailing: Mailing | None = None,
) -> Iterator[Run]:
    """Make the run's folder, and delete it at the end.

    If the data is refused, the list of issues is stored at the destination under `refused/<month>/`, with the
    parameters and the sha256 of the workbooks, so that the run can be repeated with `--keep-stages`.
    """
    with outside(f"cannot make a folder for the run in {tempfile.gettempdir()}"):
        folder = Path(tempfile.mkdtemp(prefix=f"monthly-sales-{parameters.month}-"))
    try:
        stages = KEPT_STAGES.get() or folder
        with outside("cannot keep the stages"):
            stages.mkdir(parents=True, exist_ok=True)
        run = Run(parameters, sources, destination, folder, stages, is_dry, mailing)
        try:
            yield run
        except DataRefused as refused:
            _report_refusal(run, refused)
            raise refusal_in(messages_in(parameters.language), refused) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _report_refusal(run: Run, refused: DataRefused) -> None:
    logger, text = get_run_logger(), messages_in(run.parameters.language)
    listed = _list_issues(run, refused, logger)
    with only_warned("The run's page does not show the issues", logger):
        errors = refused.issues.filter(pl.col("severity") == "error")
        warnings = refused.issues.filter(pl.col("severity") == "warning")
        sentence = refusal_sentence(errors.height, text)
        about = plain(text.gettext("Warnings about the same workbooks. They alone do not stop a run."))
        show_artifacts(
            Artifact("refused-issues", plain(sentence), issue_table(errors, listed, text)),
            *([Artifact("refused-warnings", about, issue_table(warnings, listed, text))] if warnings.height else []),
        )
        label_run("refused")


def _list_issues(run: Run, refused: DataRefused, logger: Logger) -> str:
    """Store the issues, parameters and hashes, and return the address of the list; the same refusal is stored once."""
    issues, about = run.folder / "data_issues.csv", run.folder / "run.json"
    write_issues(
        issues, translate_words(refused.issues, messages_in(run.parameters.language)), run.parameters.csv_dialect
    )
    copies = {path.stem: file_facts(path).sha256 for path in sorted(run.folder.glob("*.xlsx"))}
    facts = {"parameters": asdict(run.parameters), "workbooks": copies}
    about.write_text(json.dumps(facts, indent=2, default=str) + "\n", encoding="utf-8")
    digest = sha256(issues.read_bytes() + about.read_bytes()).hexdigest()[:12]
    folder = f"refused/{run.parameters.month}"
    address = ""
    if not run.is_dry:
        with only_warned("The list of issues could not be stored", logger):
            for path, key in ((about, f"{folder}/run_{digest}.json"), (issues, f"{folder}/data_issues_{digest}.csv")):
                with suppress(ConflictError):
                    run.destination.create(key, path, file_facts(path))
            address = run.destination.address(key)
    if not address:
        address = str(shutil.copy(issues, tempfile.mkdtemp(prefix="monthly-sales-refused-")))
    logger.error("All issues are listed in %s", address)
    return address


def stage(name: str) -> Callable[[Callable[Arguments, Result]], Task[Arguments, Result]]:
    """Make a function a task of this name that logs one line: the size of its result, and the seconds it took.

    Frames make poor cache keys and the server keeps no data, so neither cache nor stored results are used.
    """

    def as_task(function: Callable[Arguments, Result]) -> Task[Arguments, Result]:
        @wraps(function)
        def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            started = perf_counter()
            _stages.debug(name)
            try:
                with outside(f"{name} cannot use the run's folder"):
                    result = function(*args, **kwargs)
            finally:
                _stages.debug(name)
            seconds = perf_counter() - started
            get_run_logger().info("%-24s %s %6.2f s", task_run.name, f"{_size(result):>14}", seconds)
            return result

        return task(name=name, task_run_name=name, cache_policy=NO_CACHE, persist_result=False)(run)

    return as_task


def _size(result: object) -> str:
    """The size of a stage's result: `714 rows`, `4 files`."""
    if isinstance(result, pl.LazyFrame):
        return f"{result.select(pl.len()).collect().item():,} rows"
    size: str = getattr(result, "size", "ok")
    return size
