"""Which month a run is for, and where it looks for that month's workbooks."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tasks.domain.issues import WrongArgument
from tasks.domain.month import fill_month, resolve_export_date, resolve_month

SOME_TIME = datetime(2024, 1, 15, tzinfo=UTC)
NEW_YORK = timezone(timedelta(hours=-4))
TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize("month", ["2025-05", "0001-01", "9999-12"])
def test_the_given_month_is_the_month(month: str) -> None:
    assert resolve_month(month, SOME_TIME) == month


@pytest.mark.parametrize(
    "month",
    [
        pytest.param("2025-5", id="one digit"),
        pytest.param("2025-00", id="month 0"),
        pytest.param("2025-13", id="month 13"),
        pytest.param("0000-01", id="year 0"),
        pytest.param("25-05", id="short year"),
        pytest.param("12025-05", id="long year"),
        pytest.param("2025-05-01", id="a day"),
        pytest.param("2025/05", id="slash"),
        pytest.param("202505", id="no hyphen"),
        pytest.param("2025\u201305", id="dash"),
        pytest.param("\u0662\u0660\u0662\u0665-\u0660\u0665", id="digits of another script"),
        pytest.param("2025-05\n", id="end of a line"),
        pytest.param(" 2025-05", id="blank before"),
        pytest.param(" ", id="blank"),
        pytest.param("../..", id="path"),
        pytest.param("2025-05/../..", id="path behind a month"),
        pytest.param("May 2025", id="words"),
    ],
)
def test_an_invalid_month_is_refused_with_the_right_form(month: str) -> None:
    with pytest.raises(WrongArgument) as refused:
        resolve_month(month, SOME_TIME)
    assert str(refused.value) == f'month: "{month}" is not a month. Write it as YYYY-MM, such as 2025-05.'


@pytest.mark.parametrize(
    ("due", "month"),
    [
        pytest.param(datetime(2025, 1, 31, 22, 59, 59, tzinfo=UTC), "2025-01", id="a second to midnight, winter"),
        pytest.param(datetime(2025, 1, 31, 23, 0, tzinfo=UTC), "2025-02", id="midnight, winter"),
        pytest.param(datetime(2025, 5, 31, 21, 59, 59, tzinfo=UTC), "2025-05", id="a second to midnight, summer"),
        pytest.param(datetime(2025, 5, 31, 22, 0, tzinfo=UTC), "2025-06", id="midnight, summer"),
        pytest.param(datetime(2025, 12, 31, 23, 0, tzinfo=UTC), "2026-01", id="new year"),
        pytest.param(datetime(2024, 3, 31, 21, 59, 59, tzinfo=UTC), "2024-03", id="the day on which summer time began"),
        pytest.param(datetime(2024, 3, 31, 22, 0, tzinfo=UTC), "2024-04", id="midnight after it began"),
        pytest.param(datetime(2021, 10, 31, 22, 59, 59, tzinfo=UTC), "2021-10", id="the day on which it ended"),
        pytest.param(datetime(2021, 10, 31, 23, 0, tzinfo=UTC), "2021-11", id="midnight after it ended"),
        pytest.param(datetime(2025, 5, 31, 18, 0, tzinfo=NEW_YORK), "2025-06", id="still May in New York"),
        pytest.param(datetime(2025, 6, 1, 6, 59, tzinfo=TOKYO), "2025-05", id="June already in Tokyo"),
    ],
)
def test_without_a_month_it_is_the_one_in_which_the_run_was_due_in_paris(due: datetime, month: str) -> None:
    assert resolve_month("", due) == month


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        pytest.param("raw", "raw", id="no placeholder"),
        pytest.param("raw/{month}", "raw/2025-05", id="month"),
        pytest.param("raw/{month:%Y/%m}/", "raw/2025/05/", id="a folder per year and month"),
        pytest.param("{month:%Y}/erp_{month}.xlsx", "2025/erp_2025-05.xlsx", id="two placeholders"),
        pytest.param("raw/{month:}", "raw/2025-05", id="no format after the colon"),
        pytest.param("raw/{month:%d.%m.%y}", "raw/01.05.25", id="first day of the month"),
    ],
)
def test_the_month_is_filled_into_a_path(pattern: str, path: str) -> None:
    assert fill_month(pattern, "2025-05") == path


@pytest.mark.parametrize(
    "pattern",
    ["raw/{year}", "raw/{Month}", "raw/{month", "raw/month}", "raw/{}", "raw/{month.year}", "{{month}}", "{month:{m}}"],
)
def test_a_placeholder_that_is_not_known_is_refused(pattern: str) -> None:
    with pytest.raises(WrongArgument) as refused:
        fill_month(pattern, "2025-05")
    assert str(refused.value) == (
        f'"{pattern}" has a placeholder that is not known. Use {{month}} or, say, {{month:%Y/%m}}.'
    )


# --- the export date


def test_an_export_date_that_is_not_given_is_the_15th_of_the_month() -> None:
    assert resolve_export_date("", "2025-02") == date(2025, 2, 15)


def test_an_export_date_may_lie_outside_the_month_of_its_label() -> None:
    assert resolve_export_date("2025-06-02", "2025-05") == date(2025, 6, 2)


@pytest.mark.parametrize(
    "text", ["2025-05", "2025-02-30", "15/05/2025", "20250515", "2025-W20-4", " 2025-05-15", "today"]
)
def test_an_invalid_date_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(WrongArgument) as refused:
        resolve_export_date(text, "2025-05")
    assert str(refused.value) == f'export_date: "{text}" is not a date. Write it as YYYY-MM-DD, such as 2025-05-15.'
