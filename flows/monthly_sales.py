"""The monthly flow: three workbooks in, a verified and published month out."""

from datetime import UTC, datetime
from typing import Annotated, cast

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import Field

from flows.imports import end_imports
from flows.logs import keep_logs_readable
from tasks.domain.join import Cleaned
from tasks.domain.month import resolve_export_date, resolve_month
from tasks.domain.parameters import Language, Parameters
from tasks.headline import outcome
from tasks.notification import notification_block
from tasks.publication.publisher import PublishedMonth
from tasks.run_folder import run_folder
from tasks.stages import (
    announce,
    check_published,
    classify_wines,
    clean_erp,
    clean_liaison,
    clean_web,
    collect_issues,
    compare_months,
    compute_revenue,
    convert_workbooks,
    fetch_workbooks,
    join_sources,
    publish,
    read_history,
    settle_rows,
    show_published,
    summarise_month,
    write_reports,
)
from tasks.storage.location import Location
from tasks.validations import (
    audit_reports,
    validate_classification,
    validate_cleaning,
    validate_comparison,
    validate_join,
    validate_revenue,
)
from tasks.workbook.fetch import workbook_places

LONGEST_RUN_SECONDS = 3600
"""A month takes seconds and a very large one minutes: a run that takes an hour hangs."""

end_imports()
# Prefect logs the start of a run before the first line of its flow.
keep_logs_readable()


def _scheduled_start() -> datetime:
    """When the run was due; a run that nothing scheduled was due when it was made."""
    return flow_run.scheduled_start_time or datetime.now(UTC)


def _run_name() -> str:
    """`monthly-sales-2025-05`, also where the month comes from the schedule."""
    return f"monthly-sales-{flow_run.parameters.get('month') or resolve_month('', _scheduled_start())}"


def _told(published: PublishedMonth) -> PublishedMonth:
    """The month in a state whose message tells it on the run's page; who calls the flow is given the month itself."""
    message = outcome(published.sentence(), published.figures)
    return cast("PublishedMonth", Completed(message=message, data=published))


@flow(name="monthly-sales", flow_run_name=_run_name, persist_result=False, timeout_seconds=LONGEST_RUN_SECONDS)
def monthly_sales(
    month: str = "",
    source: str = "data/{month}",
    destination: str = "reports",
    export_date: str = "",
    premium_threshold: Annotated[float, Field(allow_inf_nan=False)] = 2.0,
    erp: str = "",
    liaison: str = "",
    web: str = "",
    aws_credentials: str = "",
    language: Language = "en",
    notify: str = "",
    *,
    accept_unusual: bool = False,
) -> PublishedMonth:
    """Turn one month's three workbooks into published revenue and premium reports.

    Args:
        month: The month's label, such as 2025-05. Empty: the month in which the run was scheduled.
        source: Folder or s3://bucket/prefix with the three workbooks; {month} or {month:%Y/%m} is filled in.
        destination: Folder or s3://bucket/prefix for the published files.
        export_date: Day on which the three workbooks were exported, such as 2025-05-15. Empty: the 15th of the month.
        premium_threshold: A wine is premium when the z-score of its price is above this.
        erp: Path of the erp workbook, if it is not to be looked for in the source folder.
        liaison: Path of the liaison workbook, if it is not to be looked for in the source folder.
        web: Path of the web workbook, if it is not to be looked for in the source folder.
        aws_credentials: Name of the AwsCredentials block for S3. Empty: environment, profile or role of the machine.
        language: Language of the workbook, and of the CSV files: in French with semicolons and decimal commas.
        notify: Notification block that is notified of a published month, such as slack-webhook/monthly-sales.
        accept_unusual: Publish a month that is refused only because it is unusual.
    """
    label = resolve_month(month, _scheduled_start())
    parameters = Parameters(label, resolve_export_date(export_date, label), premium_threshold, language, accept_unusual)
    places = workbook_places(parameters.month, source, aws_credentials, erp=erp, liaison=liaison, web=web)
    target = Location(destination, aws_credentials)
    messenger = notification_block(notify)

    with run_folder(parameters.month, target, get_run_logger()) as folder:
        workbooks = fetch_workbooks(places, folder)
        plan = check_published(target, parameters, workbooks)
        if plan.is_published:
            return _told(show_published(plan, target))
        staged = convert_workbooks(workbooks, folder)

        cleaned = Cleaned(
            clean_erp(staged["erp"], folder),
            clean_liaison(staged["liaison"], folder),
            clean_web(staged["web"], folder),
        )
        validate_cleaning(staged, cleaned)

        joined = join_sources(cleaned, folder)
        ledger = settle_rows(cleaned, joined, folder)
        issues = collect_issues(staged, cleaned, joined, ledger, folder)
        validate_join(cleaned, joined, ledger, issues, parameters)

        revenue = compute_revenue(joined, folder)
        validate_revenue(revenue)

        wines = classify_wines(revenue, parameters, folder)
        validate_classification(revenue, wines, parameters)

        before = read_history(plan, target, folder)
        compared = compare_months(wines, before, folder)

        summary = summarise_month(compared, ledger, parameters, plan)
        validate_comparison(wines, before, compared, summary)

        reports = write_reports(compared, issues, summary, workbooks, folder)
        audit_reports(reports, compared, issues, summary, workbooks)
        published = publish(reports, summary, plan, target)
        announce(published, compared, issues, summary, workbooks, reports, target, messenger, folder)
        return _told(published)
