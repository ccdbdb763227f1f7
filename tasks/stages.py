"""The stages of the month as Prefect tasks, in the order of the flow: each pipes one function and stores what it gives.

A stage collects once, into a Parquet file of the run's own folder, and hands on the lazy scan of it: a fault surfaces
in the stage that has it, stages stream, and every step can be looked at after a failure.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import ParamSpec, TypeVar

import polars as pl
from prefect import Task, get_run_logger, task
from prefect.blocks.abstract import NotificationBlock
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, wait
from prefect.runtime import task_run

from tasks import artifacts
from tasks.dashboard import Artifact, only_warned, show_artifacts
from tasks.domain import clean, join
from tasks.domain.comparison import ComparedMonth, compare_wines, compute_comparison, gone_wines, snapshot_rows
from tasks.domain.figures import MonthSummary
from tasks.domain.issues import DataRefused, Issue, issue_frame, refusal
from tasks.domain.join import Cleaned
from tasks.domain.parameters import Parameters
from tasks.domain.premium import classify_wines as classify
from tasks.domain.premium import compute_figures
from tasks.domain.revenue import compute_revenue as compute
from tasks.domain.schemas import SOURCES, PublishedWine, Source
from tasks.domain.stock import compute_stock
from tasks.headline import outcome
from tasks.notification import notify_once
from tasks.publication.files import ReportFiles, report_files
from tasks.publication.history import fetch_tables, scan_tables
from tasks.publication.plan import Plan, plan_publication
from tasks.publication.publisher import PublishedMonth, publish_month, show_month
from tasks.report.csv_files import write_issues, write_wines
from tasks.report.tables import write_table
from tasks.report.workbook import write_workbook
from tasks.storage.local import outside
from tasks.storage.location import Location
from tasks.workbook import fetch
from tasks.workbook.fetch import FetchedWorkbook, WorkbookPlaces
from tasks.workbook.staging import StagedWorkbook, stage_workbook

STAGES = "monthly-sales.stages"
"""The logger that tells the name of each stage when it begins and again when it ends, for whoever shows them."""

_stages = logging.getLogger(STAGES)

Parameters_ = ParamSpec("Parameters_")
Result = TypeVar("Result")


def stage(name: str) -> Callable[[Callable[Parameters_, Result]], Task[Parameters_, Result]]:
    """Make a function a task of this name that logs one line: what came out, and the seconds it took.

    Frames make poor cache keys and nothing is to be kept on the server, so neither cache nor results are used.
    """

    def as_task(function: Callable[Parameters_, Result]) -> Task[Parameters_, Result]:
        @wraps(function)
        def run(*args: Parameters_.args, **kwargs: Parameters_.kwargs) -> Result:
            started = perf_counter()
            _stages.debug(name)
            try:
                with outside(f"{name} cannot use the run's folder"):
                    result = function(*args, **kwargs)
            finally:
                _stages.debug(name)
            seconds = perf_counter() - started
            get_run_logger().info("%-24s %s %6.2f s", task_run.name, f"{_outcome(result):>14}", seconds)
            return result

        return task(name=name, task_run_name=name, cache_policy=NO_CACHE, persist_result=False)(run)

    return as_task


def _outcome(result: object) -> str:
    if isinstance(result, StagedWorkbook):
        return f"{result.rows:,} rows"
    if isinstance(result, pl.LazyFrame):
        return f"{result.select(pl.len()).collect().item():,} rows"
    if isinstance(result, ComparedMonth):
        return _outcome(result.wines)
    if isinstance(result, dict):
        return f"{len(result)} files"
    if isinstance(result, ReportFiles):
        return f"{len(result.names)} files"
    return "ok"


def stored(frame: pl.LazyFrame, folder: Path, name: str) -> pl.LazyFrame:
    """Collect the frame into the run's folder and scan it from there."""
    path = folder / f"{name}.parquet"
    frame.sink_parquet(path, compression="uncompressed")  # it is read again at once
    return pl.scan_parquet(path)


@stage("fetch-workbooks")
def fetch_workbooks(places: WorkbookPlaces, folder: Path) -> dict[Source, FetchedWorkbook]:
    """One copy of each of the three workbooks, with its sha256."""
    return fetch.fetch_workbooks(places, folder)


@stage("check-published")
def check_published(
    destination: Location,
    parameters: Parameters,
    workbooks: dict[Source, FetchedWorkbook],
) -> Plan:
    """What is published already; an export that was not renewed since the month before is refused."""
    return plan_publication(destination.open(), parameters, workbooks)


def convert_workbooks(workbooks: dict[Source, FetchedWorkbook], folder: Path) -> dict[Source, StagedWorkbook]:
    """The three sheets as staged tables, read side by side.

    Raises:
        DataRefused: At least one workbook cannot be read; the issues of all three are told at once.
    """
    reading = {source: _convert(source).submit(workbooks[source], folder) for source in SOURCES}
    # A second of import that the classification needs, while the reading processes work and this one would only wait.
    Thread(target=import_module, args=["scipy.stats"]).start()
    wait(list(reading.values()))
    return dict(zip(SOURCES, _all_results(list(reading.values())), strict=True))


def _convert(source: Source) -> Task[[FetchedWorkbook, Path], StagedWorkbook]:
    @stage(f"convert-{source}")
    def convert(workbook: FetchedWorkbook, folder: Path) -> StagedWorkbook:
        return stage_workbook(workbook.path, source, workbook.file, folder / f"raw_{source}.parquet")

    return convert


def _all_results(futures: list[PrefectFuture[StagedWorkbook]]) -> list[StagedWorkbook]:
    """The results of all, or one refusal with the issues of all that were refused."""
    results = [future.result(raise_on_failure=False) for future in futures]
    refused = [result for result in results if isinstance(result, DataRefused)]
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DataRefused):
            raise result
    if refused:
        raise refusal(pl.concat(one.issues for one in refused)) if len(refused) > 1 else refused[0]
    return results


def scan_all(staged: Mapping[Source, StagedWorkbook]) -> dict[Source, pl.LazyFrame]:
    """The staged tables as lazy frames."""
    return {source: book.scan() for source, book in staged.items()}


@stage("clean-erp")
def clean_erp(raw_erp: StagedWorkbook, folder: Path) -> pl.LazyFrame:
    """See `clean.clean_erp`."""
    return stored(clean.clean_erp(raw_erp.scan()), folder, "clean_erp")


@stage("clean-liaison")
def clean_liaison(raw_liaison: StagedWorkbook, folder: Path) -> pl.LazyFrame:
    """See `clean.clean_liaison`."""
    return stored(clean.clean_liaison(raw_liaison.scan()), folder, "clean_liaison")


@stage("clean-web")
def clean_web(raw_web: StagedWorkbook, folder: Path) -> pl.LazyFrame:
    """See `clean.clean_web`."""
    return stored(clean.clean_web(raw_web.scan()), folder, "clean_web")


@stage("join-sources")
def join_sources(cleaned: Cleaned, folder: Path) -> pl.LazyFrame:
    """See `join.join_sources`."""
    return stored(join.join_sources(cleaned), folder, "joined")


@stage("settle-rows")
def settle_rows(cleaned: Cleaned, joined: pl.LazyFrame, folder: Path) -> pl.LazyFrame:
    """See `join.settle_rows`."""
    return stored(join.settle_rows(cleaned, joined), folder, "ledger")


@stage("collect-issues")
def collect_issues(
    staged: dict[Source, StagedWorkbook],
    cleaned: Cleaned,
    joined: pl.LazyFrame,
    ledger: pl.LazyFrame,
    folder: Path,
) -> pl.LazyFrame:
    """Every issue with its address, see `join.collect_issues` and `join.locate_issues`; absent columns last."""
    found = join.locate_issues(join.collect_issues(cleaned, joined, ledger), scan_all(staged), places(staged))
    absent = issue_frame(
        Issue(book.file, "absent-column", sheet=book.sheet, column=column)
        for book in staged.values()
        for column in book.absent
    )
    return stored(pl.concat([found, absent.lazy()]), folder, "issues")


def places(staged: Mapping[Source, StagedWorkbook]) -> pl.DataFrame:
    """File, sheet and letter of every declared column; a row without a column stands for the sheet itself."""
    return pl.DataFrame(
        [
            (source, book.file, book.sheet, column, letter)
            for source, book in staged.items()
            for column, letter in [(None, None), *book.columns.items()]
        ],
        schema={
            "source": pl.Enum(SOURCES), "file": pl.String, "sheet": pl.String, "column": pl.String, "letter": pl.String,
        },
        orient="row",
    )  # fmt: skip


@stage("compute-revenue")
def compute_revenue(joined: pl.LazyFrame, folder: Path) -> pl.LazyFrame:
    """See `revenue.compute_revenue`."""
    return stored(compute(joined), folder, "revenue")


@stage("classify-wines")
def classify_wines(revenue: pl.LazyFrame, parameters: Parameters, folder: Path) -> pl.LazyFrame:
    """See `premium.classify_wines`."""
    return stored(classify(revenue, parameters.premium_threshold), folder, "wines")


@stage("read-history")
def read_history(plan: Plan, destination: Location, folder: Path) -> pl.LazyFrame | None:
    """The products of the snapshot before this one (`PublishedWine`); None for a first snapshot."""
    history = scan_tables(fetch_tables(destination.open(), plan.earlier, folder))
    if plan.previous is None:
        return None
    previous = history.filter(pl.col("month") == plan.previous.month)
    return stored(previous.select(PublishedWine.column_names()), folder, "history")


@stage("compare-months")
def compare_months(wines: pl.LazyFrame, before: pl.LazyFrame | None, folder: Path) -> ComparedMonth:
    """See `comparison.compare_wines` and `comparison.gone_wines`."""
    return ComparedMonth(
        wines=stored(compare_wines(wines, before), folder, "compared"),
        gone=stored(gone_wines(wines, before), folder, "gone"),
    )


@stage("summarise-month")
def summarise_month(compared: ComparedMonth, ledger: pl.LazyFrame, parameters: Parameters, plan: Plan) -> MonthSummary:
    """The month's headline figures, its stock, its comparison, and what became of the rows."""
    wines, gone, before = compared.wines.collect(), compared.gone.collect(), plan.previous
    return MonthSummary(
        parameters,
        compute_figures(wines, parameters.premium_threshold),
        compute_stock(wines),
        compute_comparison(parameters.month, wines, gone, before.month, before.id) if before else None,
        join.count_rows(ledger).collect(),
        before.export_date if before else None,
    )


@stage("write-reports")
def write_reports(
    compared: ComparedMonth,
    issues: pl.LazyFrame,
    summary: MonthSummary,
    workbooks: dict[Source, FetchedWorkbook],
    folder: Path,
) -> ReportFiles:
    """The month's workbook, CSV files and table, in the run's own folder."""
    files = report_files(folder / "files", summary.parameters.month)
    dialect = summary.parameters.csv_dialect
    wines, found = compared.wines.collect(), issues.collect()
    write_workbook(files.path(files.workbook), summary, wines, compared.gone.collect(), found, list(workbooks.values()))
    write_wines(files.path(files.premium), wines.filter("is_premium"), dialect)
    write_wines(files.path(files.ordinary), wines.filter(~pl.col("is_premium")), dialect)
    write_table(files.path(files.table), snapshot_rows(compared.wines, summary).collect())
    write_issues(files.path(files.issues), found, dialect)
    return files


@stage("publish")
def publish(files: ReportFiles, summary: MonthSummary, plan: Plan, destination: Location) -> PublishedMonth:
    """The month at its destination, see `publisher`: stored, committed, shown."""
    published = publish_month(destination.open(), plan, files, summary)
    get_run_logger().info(published.sentence())
    return replace(published, summary=summary)


@stage("announce")
def announce(
    published: PublishedMonth,
    compared: ComparedMonth,
    issues: pl.LazyFrame,
    summary: MonthSummary,
    workbooks: dict[Source, FetchedWorkbook],
    files: ReportFiles,
    destination: Location,
    notify: NotificationBlock | None,
    folder: Path,
) -> None:
    """Show the month on the run's page, and notify people of it; nothing here fails a month that is published."""
    logger = get_run_logger()
    with only_warned("The run's page does not show the month", logger):
        names: dict[Source, str] = {source: book.file for source, book in workbooks.items()}
        show_artifacts(
            Artifact(
                "monthly-summary",
                artifacts.text(outcome(published.sentence(), published.figures)),
                artifacts.month_markdown(published, summary, compared.wines.collect()),
            ),
            Artifact(
                "data-quality",
                f"What became of the rows of {published.month}, and which cells are worth a look",
                artifacts.quality_table(summary, issues.collect(), names),
            ),
        )
    if notify is not None and published.outcome == "published":
        with only_warned("The notification was not sent, and is not tried again", logger):
            logger.info(notify_once(notify, destination.open(), published, summary, files.names, folder))


@stage("show-published")
def show_published(plan: Plan, destination: Location) -> PublishedMonth:
    """The month that is published already; a name that lags behind it is brought up to date."""
    published = show_month(destination.open(), plan)
    get_run_logger().info(published.sentence())
    with only_warned("The run's page does not show the month", get_run_logger()):
        sentence = artifacts.text(outcome(published.sentence(), published.figures))
        show_artifacts(Artifact("monthly-summary", sentence, artifacts.unchanged_markdown(published)))
    return published
