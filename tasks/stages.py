"""The stages of the month as Prefect tasks, in the order of the flow: each pipes one function and stores its result.

A stage collects once, into a Parquet file, and returns the lazy scan of it: a fault surfaces in the stage that has it,
stages stream, and every step can be inspected with `--keep-stages`.
"""

from dataclasses import replace
from types import MappingProxyType

import polars as pl
from prefect import Task, get_run_logger
from prefect.futures import PrefectFuture, wait

from tasks import artifacts
from tasks.dashboard import Artifact, only_warned, show_artifacts
from tasks.domain import clean, issue_frames, join, rules
from tasks.domain.comparison import compare_wines, compute_comparison, gone_wines, snapshot_rows
from tasks.domain.figures import MonthSummary
from tasks.domain.issues import DataRefused, Issue, accept, issue_frame, refusal
from tasks.domain.join import Cleaned
from tasks.domain.month_rules import judge_matches
from tasks.domain.premium import classify_wines as classify
from tasks.domain.premium import compute_figures
from tasks.domain.revenue import compute_revenue as compute
from tasks.domain.schemas import SOURCES, PublishedWine, Source
from tasks.domain.stock import compute_stock
from tasks.headline import outcome
from tasks.notification import notify_once
from tasks.publication.files import report_files
from tasks.publication.history import fetch_tables, scan_tables
from tasks.publication.plan import Plan, plan_publication
from tasks.publication.publisher import PublishedMonth, preview_month, publish_month, show_month
from tasks.report.csv_files import write_issues, write_wines
from tasks.report.tables import write_table
from tasks.report.workbook import write_workbook
from tasks.results import CleanedSource, Compared, Joined, RawSource, Report, Results, Workbooks
from tasks.run import Run, stage
from tasks.workbook import fetch
from tasks.workbook.staging import StagedWorkbook, stage_workbook


@stage("fetch-workbooks")
def fetch_workbooks(run: Run) -> Workbooks:
    """One copy of each of the three workbooks, with its sha256."""
    return MappingProxyType(fetch.fetch_workbooks(run.sources, run.folder))


@stage("check-published")
def check_published(workbooks: Workbooks, run: Run) -> Plan:
    """What is published already; an export that was not renewed since the month before is refused."""
    return plan_publication(run.destination, run.parameters, workbooks)


def convert_workbooks(workbooks: Workbooks, run: Run) -> dict[Source, RawSource]:
    """The three sheets as staged tables, read in parallel.

    Raises:
        DataRefused: At least one workbook cannot be read; the issues of all three are reported at once.
    """
    reading = [_convert(source).submit(workbooks, run) for source in SOURCES]
    wait(reading)
    return dict(zip(SOURCES, _all_results(reading), strict=True))


def _convert(source: Source) -> Task[[Workbooks, Run], RawSource]:
    @stage(f"convert-{source}")
    def convert(workbooks: Workbooks, run: Run) -> RawSource:
        workbook = workbooks[source]
        return raw_source(stage_workbook(workbook.path, source, workbook.file, run.stages / f"raw_{source}.parquet"))

    return convert


def raw_source(book: StagedWorkbook) -> RawSource:
    """The staged table, with where its columns are in the workbook."""
    return RawSource(book.scan(), locate_columns(book))


def locate_columns(book: StagedWorkbook) -> pl.DataFrame:
    """File, sheet and letter of every declared column; a row without a column is the sheet itself.

    An optional column that the sheet lacks has no letter.
    """
    return pl.DataFrame(
        [
            (book.source, book.file, book.sheet, column, letter)
            for column, letter in [(None, None), *book.columns.items(), *((absent, None) for absent in book.absent)]
        ],
        schema={
            "source": pl.Enum(SOURCES), "file": pl.String, "sheet": pl.String, "column": pl.String, "letter": pl.String,
        },
        orient="row",
    )  # fmt: skip


def _all_results(futures: list[PrefectFuture[RawSource]]) -> list[RawSource]:
    """The results of all, or one refusal with the issues of all that were refused."""
    results = [future.result(raise_on_failure=False) for future in futures]
    refused = [result for result in results if isinstance(result, DataRefused)]
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DataRefused):
            raise result
    if refused:
        raise refusal(pl.concat(one.issues for one in refused)) if len(refused) > 1 else refused[0]
    return results


@stage("clean-erp")
def clean_erp(source: RawSource, run: Run) -> CleanedSource:
    """See `clean.clean_erp`."""
    return CleanedSource(**vars(source), rows=run.store(clean.clean_erp(source.raw), "clean_erp"))


@stage("clean-liaison")
def clean_liaison(source: RawSource, run: Run) -> CleanedSource:
    """See `clean.clean_liaison`."""
    return CleanedSource(**vars(source), rows=run.store(clean.clean_liaison(source.raw), "clean_liaison"))


@stage("clean-web")
def clean_web(source: RawSource, run: Run) -> CleanedSource:
    """See `clean.clean_web`."""
    return CleanedSource(**vars(source), rows=run.store(clean.clean_web(source.raw), "clean_web"))


@stage("join-sources")
def join_sources(erp: CleanedSource, liaison: CleanedSource, web: CleanedSource, run: Run) -> Joined:
    """The joined products, what became of every row, and every issue with its address."""
    cleaned = Cleaned(erp.rows, liaison.rows, web.rows)
    raw: dict[Source, pl.LazyFrame] = {"erp": erp.raw, "liaison": liaison.raw, "web": web.raw}
    sales = run.store(join.join_sources(cleaned), "joined")
    ledger = run.store(join.build_ledger(cleaned, sales), "ledger")
    columns = pl.concat([erp.columns, liaison.columns, web.columns])
    located = columns.filter(pl.col("column").is_null() | pl.col("letter").is_not_null())
    month = issue_frame(judge_matches(cleaned, sales))
    issues = [
        (accept(month) if run.parameters.accept_unusual else month).lazy(),
        issue_frames.locate_issues(issue_frames.collect_issues(cleaned, sales, ledger), raw, located),
        _absent_columns(columns).lazy(),
    ]
    return Joined(*cleaned, sales, ledger, run.store(pl.concat(issues), "issues"))


def _absent_columns(columns: pl.DataFrame) -> pl.DataFrame:
    absent = columns.filter(pl.col("column").is_not_null() & pl.col("letter").is_null())
    return issue_frame(
        Issue(file, rules.ABSENT_COLUMN.code, sheet=sheet, column=column)
        for file, sheet, column in absent.select("file", "sheet", "column").iter_rows()
    )


@stage("compute-revenue")
def compute_revenue(joined: Joined, run: Run) -> pl.LazyFrame:
    """See `revenue.compute_revenue`."""
    return run.store(compute(joined.sales), "revenue")


@stage("classify-wines")
def classify_wines(revenue: pl.LazyFrame, run: Run) -> pl.LazyFrame:
    """See `premium.classify_wines`."""
    return run.store(classify(revenue, run.parameters.premium_threshold), "wines")


@stage("read-history")
def read_history(plan: Plan, run: Run) -> pl.LazyFrame | None:
    """The products of the snapshot before this one (`PublishedWine`); None for a first snapshot."""
    history = scan_tables(fetch_tables(run.destination, plan.earlier, run.folder))
    if plan.previous is None:
        return None
    previous = history.filter(pl.col("month") == plan.previous.month)
    return run.store(previous.select(PublishedWine.column_names()), "history")


@stage("compare-months")
def compare_months(wines: pl.LazyFrame, before: pl.LazyFrame | None, run: Run) -> Compared:
    """See `comparison.compare_wines` and `comparison.gone_wines`."""
    return Compared(
        wines=run.store(compare_wines(wines, before), "compared"),
        gone=run.store(gone_wines(wines, before), "gone"),
        before=before,
    )


@stage("summarise-month")
def summarise_month(compared: Compared, joined: Joined, plan: Plan, run: Run) -> Results:
    """The month's headline figures, its stock, its comparison, and what became of the rows."""
    wines, gone, before, parameters = compared.wines.collect(), compared.gone.collect(), plan.previous, run.parameters
    summary = MonthSummary(
        parameters,
        compute_figures(wines, parameters.premium_threshold),
        compute_stock(wines),
        compute_comparison(parameters.month, wines, gone, before.month, before.id) if before else None,
        join.count_rows(joined.ledger).collect(),
        before.export_date if before else None,
    )
    return Results(**vars(compared), issues=joined.issues, summary=summary, workbooks=plan.workbooks)


@stage("write-reports")
def write_reports(results: Results, run: Run) -> Report:
    """The month's workbook, CSV files and table, in the run's own folder."""
    files = report_files(run.folder / "files", run.parameters.month)
    dialect = run.parameters.csv_dialect
    wines, issues = results.wines.collect(), results.issues.collect()
    workbooks = list(results.workbooks.values())
    write_workbook(files.path(files.workbook), results.summary, wines, results.gone.collect(), issues, workbooks)
    write_wines(files.path(files.premium), wines.filter("is_premium"), dialect)
    write_wines(files.path(files.ordinary), wines.filter(~pl.col("is_premium")), dialect)
    write_table(files.path(files.table), snapshot_rows(results.wines, results.summary).collect())
    write_issues(files.path(files.issues), issues, dialect)
    return Report(**vars(results), files=files)


@stage("publish")
def publish(report: Report, plan: Plan, run: Run) -> PublishedMonth:
    """The month at its destination, see `publisher`: stored, committed, shown; or what a dry run would publish."""
    if run.is_dry:
        published = preview_month(plan, report.summary)
    else:
        published = publish_month(run.destination, plan, report.files, report.summary)
    get_run_logger().info(published.sentence())
    return replace(published, summary=report.summary)


@stage("announce")
def announce(published: PublishedMonth, report: Report, run: Run) -> None:
    """Show the month on the run's page, and notify people of it; nothing here fails a month that is published."""
    logger = get_run_logger()
    with only_warned("The run's page does not show the month", logger):
        names: dict[Source, str] = {source: book.file for source, book in report.workbooks.items()}
        show_artifacts(
            Artifact(
                "monthly-summary",
                artifacts.text(outcome(published.sentence(), published.figures)),
                artifacts.month_markdown(published, report.summary, report.wines.collect()),
            ),
            Artifact(
                "data-quality",
                f"What became of the rows of {published.month}, and which cells are worth a look",
                artifacts.quality_table(report.summary, report.issues.collect(), names),
            ),
        )
    if run.notify is not None and published.outcome == "published":
        with only_warned("The notification was not sent, and is not tried again", logger):
            logger.info(notify_once(run.notify, published, report, run))


@stage("show-published")
def show_published(plan: Plan, run: Run) -> PublishedMonth:
    """The month that is published already; a name that lags behind it is brought up to date."""
    published = show_month(run.destination, plan, run.parameters.month)
    get_run_logger().info(published.sentence())
    with only_warned("The run's page does not show the month", get_run_logger()):
        sentence = artifacts.text(outcome(published.sentence(), published.figures))
        show_artifacts(Artifact("monthly-summary", sentence, artifacts.unchanged_markdown(published)))
    return published
