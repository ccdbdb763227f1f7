"""The stages of the month as Prefect tasks, in the order of the flow: each calls one function and stores its result.

A stage collects once, into a Parquet file, and returns the lazy scan of it: an error occurs in the stage that causes
it, stages stream, and every step can be inspected with `--keep-stages`.
"""

from dataclasses import fields, replace
from types import MappingProxyType

import polars as pl
from prefect import Task, get_run_logger
from prefect.futures import PrefectFuture, wait

from tasks import dashboard_pages
from tasks.announcement.mail import month_mail, send
from tasks.announcement.news import emit_published, emit_unchanged
from tasks.dashboard import Artifact, label_run, only_warned, show_artifacts
from tasks.domain import clean, join, row_issues, rules
from tasks.domain.figures import summarise_snapshot as summarise
from tasks.domain.issues import DataRefused, Issue, accepted_rules, issue_frame
from tasks.domain.join import Cleaned
from tasks.domain.ledger import build_ledger, count_rows, list_missing_sales
from tasks.domain.month_issues import judge_matches
from tasks.domain.period import Period, snapshot_rows
from tasks.domain.period import compare_snapshots as compare
from tasks.domain.premium import classify_wines as classify
from tasks.domain.revenue import compute_revenue as compute
from tasks.domain.sources import SOURCES, Source
from tasks.domain.unusual import find_unusual
from tasks.publication.history import fetch_tables, scan_tables
from tasks.publication.plan import Plan, plan_publication
from tasks.publication.publisher import PublishedMonth, preview_month, publish_month, show_month
from tasks.report.csv_files import write_issues, write_wines
from tasks.report.files import report_files
from tasks.report.headline import headline
from tasks.report.tables import write_table
from tasks.report.writer import write_workbook
from tasks.results import CleanedSource, Compared, Joined, SnapshotReport, Workbooks, WrittenReport
from tasks.run import Run, stage
from tasks.workbook import fetch
from tasks.workbook.limited_process import WorkbookReader
from tasks.workbook.staging import StagedWorkbook, stage_workbook


@stage("fetch-workbooks")
def fetch_workbooks(run: Run) -> Workbooks:
    """One copy of each of the three workbooks, with its sha256."""
    return MappingProxyType(fetch.fetch_workbooks(run.sources, run.folder))


@stage("check-published")
def check_published(workbooks: Workbooks, run: Run) -> Plan:
    """What is published already; an export that was not renewed since the previous snapshot is refused."""
    return plan_publication(run.destination, run.parameters, workbooks)


def convert_workbooks(workbooks: Workbooks, run: Run) -> dict[Source, StagedWorkbook]:
    """The three sheets as staged tables, large ones read in parallel.

    Raises:
        DataRefused: At least one workbook cannot be read; the issues of all three are reported at once.
    """
    with WorkbookReader() as reader:
        reading = [_convert(source).submit(workbooks, run, reader) for source in SOURCES]
        import scipy.stats  # noqa: F401, PLC0415 - for `classify_wines`: half a second, while other processes read

        wait(reading)
    return dict(zip(SOURCES, _all_results(reading), strict=True))


def _convert(source: Source) -> Task[[Workbooks, Run, WorkbookReader], StagedWorkbook]:
    @stage(f"convert-{source}")
    def convert(workbooks: Workbooks, run: Run, reader: WorkbookReader) -> StagedWorkbook:
        workbook, staged = workbooks[source], run.stages / f"raw_{source}.parquet"
        return stage_workbook(workbook.path, source, workbook.file, staged, reader)

    return convert


def _all_results(futures: list[PrefectFuture[StagedWorkbook]]) -> list[StagedWorkbook]:
    """All results, or one refusal with all issues."""
    results = [future.result(raise_on_failure=False) for future in futures]
    refused = [result for result in results if isinstance(result, DataRefused)]
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DataRefused):
            raise result
    if refused:
        raise DataRefused(pl.concat(one.issues for one in refused))
    return results


@stage("clean-erp")
def clean_erp(source: StagedWorkbook, run: Run) -> CleanedSource:
    """See `clean.clean_erp`."""
    return CleanedSource(**vars(source), rows=run.store(clean.clean_erp(source.raw), "clean_erp"))


@stage("clean-liaison")
def clean_liaison(source: StagedWorkbook, run: Run) -> CleanedSource:
    """See `clean.clean_liaison`."""
    return CleanedSource(**vars(source), rows=run.store(clean.clean_liaison(source.raw), "clean_liaison"))


@stage("clean-web")
def clean_web(source: StagedWorkbook, run: Run) -> CleanedSource:
    """See `clean.clean_web`."""
    return CleanedSource(**vars(source), rows=run.store(clean.clean_web(source.raw), "clean_web"))


@stage("join-sources")
def join_sources(erp: CleanedSource, liaison: CleanedSource, web: CleanedSource, run: Run) -> Joined:
    """The joined products, the disposition of every row, and every issue with its address."""
    cleaned = Cleaned(erp.rows, liaison.rows, web.rows)
    raw: dict[Source, pl.LazyFrame] = {"erp": erp.raw, "liaison": liaison.raw, "web": web.raw}
    sales = run.store(join.join_sources(cleaned), "joined")
    ledger = run.store(build_ledger(cleaned, sales), "ledger")
    columns = pl.concat([erp.columns, liaison.columns, web.columns])
    issues = [
        issue_frame(judge_matches(cleaned, sales), accept_unusual=run.parameters.accept_unusual).lazy(),
        row_issues.locate_issues(row_issues.collect_issues(cleaned, sales, ledger), raw, columns),
        _absent_columns(columns).lazy(),
    ]
    missing = run.store(list_missing_sales(ledger, cleaned.web), "missing_sales")
    return Joined(*cleaned, sales, ledger, run.store(pl.concat(issues), "issues"), missing, columns)


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
def read_history(plan: Plan, run: Run) -> pl.LazyFrame:
    """The rows of the earlier snapshots (`SnapshotFacts`); none for a first snapshot."""
    return scan_tables(fetch_tables(run.destination, plan.earlier, run.folder))


@stage("compare-snapshots")
def compare_snapshots(wines: pl.LazyFrame, history: pl.LazyFrame, run: Run) -> Compared:
    """See `period.compare_snapshots`."""
    period = compare(wines, history, run.parameters.export_date)
    return Compared(
        classified=wines,
        wines=run.store(period.wines, "period_wines"),
        delisted=run.store(period.delisted, "delisted"),
        totals=run.store(period.totals, "period_totals"),
        history=history,
    )


@stage("summarise-snapshot")
def summarise_snapshot(compared: Compared, joined: Joined, plan: Plan, run: Run) -> SnapshotReport:
    """All figures of the snapshot, and the frames that the report shows."""
    unusual = find_unusual(compared.period, compared.history, joined.sales, joined.cleaned, joined.columns)
    found = issue_frame([*plan.accepted, *unusual], accept_unusual=run.parameters.accept_unusual)
    period, parameters = Period(*(frame.collect().lazy() for frame in compared.period)), run.parameters
    facts = snapshot_rows(period.wines, joined.sales, parameters.month, parameters.export_date)
    return SnapshotReport(
        parameters=replace(run.parameters),  # not the objects that other stages share
        summary=summarise(compared.period, run.parameters.premium_threshold),
        period=period,
        row_counts=count_rows(joined.ledger).collect(),
        issues=pl.concat([found, joined.issues.collect()]),
        missing=joined.missing.collect(),
        workbooks=[replace(book) for book in plan.workbooks.values()],
        snapshot=run.store(facts, "snapshot"),
    )


@stage("write-reports")
def write_reports(report: SnapshotReport, run: Run) -> WrittenReport:
    """The workbook, the CSV files and the table of the snapshot, in the run's own folder."""
    files, dialect = report_files(run.folder / "files", run.parameters.month), run.parameters.csv_dialect
    write_workbook(files.path(files.workbook), report)
    write_wines(files.path(files.premium), report.wines.filter("is_premium"), dialect)
    write_wines(files.path(files.ordinary), report.wines.remove("is_premium"), dialect)
    write_table(files.path(files.table), report.snapshot.collect())
    write_issues(files.path(files.issues), report.worded_issues, dialect)
    return WrittenReport(**{field.name: getattr(report, field.name) for field in fields(report)}, files=files)


@stage("publish")
def publish(written: WrittenReport, plan: Plan, run: Run) -> PublishedMonth:
    """Store, commit and show the month, see `publisher`; a dry run shows what would be published."""
    if run.is_dry:
        published = preview_month(plan, written)
    else:
        published = publish_month(run.destination, plan, written.files, written)
    get_run_logger().info(published.sentence)
    if accepted := accepted_rules(written.issues):
        get_run_logger().warning("Accepted as unusual: %s", ", ".join(accepted))
    is_this_report = published.outcome in {"published", "checked"}
    return replace(published, headline=headline(written)) if is_this_report else published


@stage("announce")
def announce(published: PublishedMonth, written: WrittenReport, run: Run) -> None:
    """Show the month on the run's page, and announce it by an event and by e-mail; a failure here is a warning."""
    logger = get_run_logger()
    _show(published, None if published.outcome == "superseded" else written)  # what counts is another run's report
    with only_warned("The event of the publication was not sent", logger):
        if published.outcome == "published":
            emit_published(published, run.destination)
        elif not run.is_dry:
            emit_unchanged(published, run.destination)
    if run.mailing is not None and published.outcome == "published":
        with only_warned("The e-mail was not sent, and is not tried again", logger):
            send(month_mail(published, written.files), run.mailing)
            logger.info("The workbook was sent to %s.", ", ".join(run.mailing.recipients))


@stage("show-published")
def show_published(plan: Plan, run: Run) -> PublishedMonth:
    """The month that is published already; names that people open are updated if they are older."""
    published = show_month(run.destination, plan, run.parameters.month)
    get_run_logger().info(published.sentence)
    _show(published)
    with only_warned("The event of the unchanged month was not sent", get_run_logger()):
        emit_unchanged(published, run.destination)
    return published


def _show(published: PublishedMonth, report: WrittenReport | None = None) -> None:
    """Show the month on the run's page; of a report that another run has published, only its figures and files."""
    sentence = dashboard_pages.plain(f"{published.sentence} {published.headline.news}")
    with only_warned("The run's page does not show the month", get_run_logger()):
        pages = [Artifact("monthly-summary", sentence, dashboard_pages.month_markdown(published, report))]
        if report:
            title, table = dashboard_pages.quality_title(report), dashboard_pages.quality_table(report)
            pages.append(Artifact("data-quality", title, table))
        show_artifacts(*pages)
        label_run(published.outcome)
