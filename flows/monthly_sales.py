"""The monthly flow: three workbooks in, a verified and published month out."""

from datetime import UTC, datetime

from prefect import flow
from prefect.runtime import flow_run

from flows.logs import keep_logs_readable
from flows.options import MonthOptions, takes
from tasks.announcement.events import emit_due
from tasks.announcement.mail import find_mailing
from tasks.domain.month import resolve_month
from tasks.publication.publisher import PublishedMonth
from tasks.run import open_run
from tasks.stages import (
    announce,
    check_published,
    classify_wines,
    clean_erp,
    clean_liaison,
    clean_web,
    compare_snapshots,
    compute_revenue,
    convert_workbooks,
    fetch_workbooks,
    join_sources,
    publish,
    read_history,
    show_published,
    summarise_snapshot,
    write_reports,
)
from tasks.validations import (
    audit_reports,
    validate_classification,
    validate_cleaning,
    validate_comparison,
    validate_join,
    validate_revenue,
)

LONGEST_RUN_SECONDS = 3600
"""A month takes seconds, a very large one minutes: a run that takes an hour hangs."""

# Prefect logs the start of a run before the first line of its flow.
keep_logs_readable()


def _scheduled_start() -> datetime:
    """When the run was due; a run without a schedule was due when it was created."""
    return flow_run.scheduled_start_time or datetime.now(UTC)


def _run_name() -> str:
    """`monthly-sales-2025-05`, also where the month comes from the schedule."""
    return f"monthly-sales-{flow_run.parameters.get('month') or resolve_month('', _scheduled_start())}"


@flow(name="monthly-sales", flow_run_name=_run_name, persist_result=False, timeout_seconds=LONGEST_RUN_SECONDS)
@takes(MonthOptions)
def monthly_sales(options: MonthOptions) -> PublishedMonth:
    """Fetch, clean, join, compute, classify, report and publish a month, each stage followed by its validation."""
    parameters = options.parameters(_scheduled_start())
    sources, destination = options.workbooks(parameters.month), options.location.open()
    mailing = find_mailing(options.email_to)
    emit_due(parameters.month, destination)

    with open_run(parameters, sources, destination, is_dry=options.dry_run, mailing=mailing) as run:
        workbooks = fetch_workbooks(run)
        plan = check_published(workbooks, run)
        if plan.is_published and not options.dry_run:
            return show_published(plan, run)
        raw = convert_workbooks(workbooks, run)

        erp, liaison, web = clean_erp(raw["erp"], run), clean_liaison(raw["liaison"], run), clean_web(raw["web"], run)
        validate_cleaning(erp, liaison, web)

        joined = join_sources(erp, liaison, web, run)
        validate_join(joined)

        revenue = compute_revenue(joined, run)
        validate_revenue(joined, revenue)

        wines = classify_wines(revenue, run)
        validate_classification(revenue, wines, run)

        history = read_history(plan, run)
        compared = compare_snapshots(wines, history, run)
        report = summarise_snapshot(compared, joined, plan, run)
        validate_comparison(compared, report, run)

        written = write_reports(report, run)
        audit_reports(written)

        published = publish(written, plan, run)
        announce(published, written, run)
        return published
