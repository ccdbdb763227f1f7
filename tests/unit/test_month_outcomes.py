"""Which months a backfill runs, and how it reports what came of them."""

from decimal import Decimal

import pytest

from tasks.domain.issues import WrongArgument
from tasks.domain.month_outcomes import (
    MonthOutcome,
    check_source,
    count_outcomes,
    months_to_run,
    table_rows,
    text_table,
    whole_table,
)


def test_both_ends_of_a_range_are_in_it() -> None:
    assert months_to_run("2024-11", "2025-02") == ["2024-11", "2024-12", "2025-01", "2025-02"]
    assert months_to_run("2024-12", "2024-12") == ["2024-12"]
    ten_years = months_to_run("2015-06", "2025-05")
    assert (len(ten_years), ten_years[0], ten_years[-1]) == (120, "2015-06", "2025-05")


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2025-02", "2025-01", "first: 2025-02 comes after 2025-01."),
        ("2025-2", "2025-03", 'first: "2025-2" is not a month. Write it as YYYY-MM, such as 2024-01.'),
        ("2025-01", "2025-13", 'last: "2025-13" is not a month. Write it as YYYY-MM, such as 2024-01.'),
        ("", "2025-13", 'first: "" is not a month. Write it as YYYY-MM, such as 2024-01.'),
    ],
)
def test_a_range_that_is_none_is_refused(first: str, last: str, sentence: str) -> None:
    with pytest.raises(WrongArgument) as refused:
        months_to_run(first, last)
    assert str(refused.value) == sentence


def test_a_source_that_is_the_same_for_every_month_is_refused() -> None:
    check_source("raw/{month:%Y/%m}")
    with pytest.raises(WrongArgument, match="every month would be made from the same files"):
        check_source("raw")


PUBLISHED = MonthOutcome("2024-01", "published", 2, Decimal("32826.40"))
REFUSED = MonthOutcome("2024-02", "refused", reason="1 error.")
MONTHS = ["2024-01", "2024-02", "2024-03"]


def test_the_table_has_a_row_for_every_month_and_no_empty_column() -> None:
    lines = whole_table([PUBLISHED, REFUSED], MONTHS)
    assert text_table(lines).splitlines() == [
        "Month    Outcome    Revision  Revenue (EUR)  What went wrong",
        "2024-01  published         2      32,826.40",
        "2024-02  refused                             1 error.",
        "2024-03  not run                             2024-02 comes first.",
    ]
    assert count_outcomes(lines) == "1 published, 1 refused, 1 not run"
    alone = MonthOutcome("2024-01", "unchanged", 1, Decimal(0))
    assert text_table([alone]).splitlines()[0] == "Month    Outcome    Revision  Revenue (EUR)"


def test_the_dashboard_receives_text_only() -> None:
    assert all(type(value) is str for row in table_rows([PUBLISHED, REFUSED]) for value in row.values())


def test_a_log_line_has_the_month_and_its_outcome() -> None:
    assert PUBLISHED.sentence() == "2024-01 published (revision 2), 32,826.40 EUR"
    assert REFUSED.sentence() == "2024-02 refused: 1 error."
