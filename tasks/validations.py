"""The validation tasks, one behind each stage: each reckons the result again and fails the run if it differs."""

from collections.abc import Sequence

import polars as pl

from tasks.domain import checks
from tasks.domain.comparison import ComparedMonth, snapshot_rows
from tasks.domain.comparison_checks import check_comparison
from tasks.domain.figures import MonthSummary
from tasks.domain.issues import Issue, accept, issue_frame, refusal
from tasks.domain.join import Cleaned
from tasks.domain.parameters import Parameters
from tasks.domain.schemas import Source
from tasks.publication.files import ReportFiles
from tasks.report.audit import audit_files
from tasks.report.tables import audit_table
from tasks.stages import scan_all, stage
from tasks.workbook.fetch import FetchedWorkbook
from tasks.workbook.staging import StagedWorkbook


@stage("validate-cleaning")
def validate_cleaning(staged: dict[Source, StagedWorkbook], cleaned: Cleaned) -> None:
    """Every row is accounted for, standing rows have keys of their own, cells read twice give the same.

    Raises:
        DataRefused: With a sentence for each contradiction.
    """
    _refuse("cleaning", checks.check_cleaning(scan_all(staged), cleaned))


@stage("validate-join")
def validate_join(
    cleaned: Cleaned, joined: pl.LazyFrame, ledger: pl.LazyFrame, issues: pl.LazyFrame, parameters: Parameters
) -> None:
    """Nothing is lost or multiplied, enough has a partner, and no product that takes part has a fault.

    Raises:
        DataRefused: With all issues that were found in the three workbooks.
    """
    _refuse("join", checks.check_join(cleaned, joined, ledger))
    month = issue_frame(checks.judge_matches(cleaned, joined))
    found = pl.concat([accept(month) if parameters.accept_unusual else month, issues.collect()])
    if (found["severity"] == "error").any():
        raise refusal(found)


@stage("validate-revenue")
def validate_revenue(revenue: pl.LazyFrame) -> None:
    """Price x units is the revenue of every row and in total, and the total fits a spreadsheet.

    Raises:
        DataRefused: With a sentence for each contradiction, or a total that is too large.
    """
    _refuse("revenue", checks.check_revenue(revenue))
    if too_large := checks.judge_total(revenue):
        raise refusal(issue_frame(too_large))


@stage("validate-classification")
def validate_classification(revenue: pl.LazyFrame, wines: pl.LazyFrame, parameters: Parameters) -> None:
    """Premium and ordinary wines are all wines, each on the right side of the threshold, and no z-score is NaN.

    Raises:
        DataRefused: With a sentence for each contradiction.
    """
    _refuse("classification", checks.check_classification(revenue, wines, parameters.premium_threshold))


@stage("validate-comparison")
def validate_comparison(
    wines: pl.LazyFrame, before: pl.LazyFrame | None, compared: ComparedMonth, summary: MonthSummary
) -> None:
    """Every product of both months is compared once, and what changed adds up to the change, units and cents.

    Raises:
        DataRefused: With a sentence for each contradiction.
    """
    _refuse("comparison", check_comparison(wines, before, compared, summary))


@stage("audit-reports")
def audit_reports(
    files: ReportFiles,
    compared: ComparedMonth,
    issues: pl.LazyFrame,
    summary: MonthSummary,
    workbooks: dict[Source, FetchedWorkbook],
) -> None:
    """The files on disk, read back, hold every key and every amount of the frames.

    Raises:
        DataRefused: With a sentence for each contradiction.
    """
    found = audit_files(
        files.path(files.workbook),
        files.path(files.premium),
        files.path(files.ordinary),
        files.path(files.issues),
        compared.wines.collect(),
        compared.gone.collect(),
        issues.collect(),
        summary,
        list(workbooks.values()),
    )
    table = audit_table(files.path(files.table), snapshot_rows(compared.wines, summary).collect())
    _refuse("report", [*found, *table])


def _refuse(what: str, contradictions: Sequence[str]) -> None:
    """Fail the run if a check found something that cannot be."""
    if contradictions:
        raise refusal(issue_frame(Issue(f"check of the {what}", "check-failed", value=text) for text in contradictions))
