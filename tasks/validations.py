"""The validation tasks, one after each stage: each checks its invariants and fails the run if one is broken."""

from collections.abc import Sequence

import polars as pl

from tasks.domain import checks, rules
from tasks.domain.comparison_checks import check_period
from tasks.domain.issues import DataRefused, Issue, issue_frame
from tasks.domain.join import Cleaned
from tasks.domain.month_issues import judge_total
from tasks.domain.sources import Source  # noqa: TC001 - read in annotations
from tasks.report.audit import audit_files
from tasks.report.content import Report
from tasks.report.tables import audit_table
from tasks.results import CleanedSource, Compared, Joined, WrittenReport
from tasks.run import Run, stage


@stage("validate-cleaning")
def validate_cleaning(erp: CleanedSource, liaison: CleanedSource, web: CleanedSource) -> None:
    """Every row is accounted for and fulfils its contract, and each key has one accepted row.

    Raises:
        DataRefused: With a sentence for each inconsistency.
    """
    raw: dict[Source, pl.LazyFrame] = {"erp": erp.raw, "liaison": liaison.raw, "web": web.raw}
    _refuse("cleaning", checks.check_cleaning(raw, Cleaned(erp.rows, liaison.rows, web.rows)))


@stage("validate-join")
def validate_join(joined: Joined) -> None:
    """No row is lost or multiplied, and no error was found in the three workbooks.

    Raises:
        DataRefused: With all issues that were found in the three workbooks.
    """
    _refuse("join", checks.check_join(joined.cleaned, joined.sales, joined.ledger))
    found = joined.issues.collect()
    if (found["severity"] == "error").any():
        raise DataRefused(found)


@stage("validate-revenue")
def validate_revenue(joined: Joined, revenue: pl.LazyFrame) -> None:
    """No unit and no cent of the join is lost or added, and the total fits a spreadsheet.

    Raises:
        DataRefused: With a sentence for each inconsistency, or a total that is too large.
    """
    _refuse("revenue", checks.check_revenue(joined.sales, revenue))
    if too_large := judge_total(revenue):
        raise DataRefused(issue_frame(too_large))


@stage("validate-classification")
def validate_classification(revenue: pl.LazyFrame, wines: pl.LazyFrame, run: Run) -> None:
    """Premium and ordinary wines are all wines, each on the right side of the threshold, and no z-score is NaN.

    Raises:
        DataRefused: With a sentence for each inconsistency.
    """
    _refuse("classification", checks.check_classification(revenue, wines, run.parameters.premium_threshold))


@stage("validate-comparison")
def validate_comparison(compared: Compared, report: Report, run: Run) -> None:
    """Every product of both snapshots is compared once, the changes add up, and nothing is impossible.

    Raises:
        DataRefused: With a sentence for each inconsistency, or with the issues of an impossible snapshot.
    """
    export_date = run.parameters.export_date
    found = check_period(compared.classified, compared.history, export_date, compared.period, report.summary)
    _refuse("comparison", found)
    if (report.issues["severity"] == "error").any():
        raise DataRefused(report.issues)


@stage("audit-reports")
def audit_reports(written: WrittenReport) -> None:
    """The files on disk, read back, contain every key and every amount of the frames.

    Raises:
        DataRefused: With a sentence for each inconsistency.
    """
    table = audit_table(written.files.path(written.files.table), written.snapshot.collect())
    _refuse("report", [*audit_files(written.files, written), *table])


def _refuse(what: str, inconsistencies: Sequence[str]) -> None:
    """Fail the run if a check found an inconsistency."""
    if inconsistencies:
        raise DataRefused(
            issue_frame(Issue(f"check of the {what}", rules.CHECK_FAILED.code, value=text) for text in inconsistencies)
        )
