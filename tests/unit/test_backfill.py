"""Which months of which shops a backfill runs, and how it tells what came of them."""

from decimal import Decimal

import pytest

from tasks.domain.backfill import (
    Line,
    Shop,
    count_outcomes,
    failed_line,
    months_between,
    not_run_lines,
    shops_of,
    table_rows,
    text_table,
)
from tasks.domain.issues import WrongArgument

SOURCE, DESTINATION = "raw/{shop}/{month:%Y/%m}", "s3://wine/prod/{shop}"


def test_both_ends_of_a_range_are_in_it() -> None:
    assert months_between("2024-11", "2025-02") == ["2024-11", "2024-12", "2025-01", "2025-02"]
    assert months_between("2024-12", "2024-12") == ["2024-12"]
    ten_years = months_between("2015-06", "2025-05")
    assert (len(ten_years), ten_years[0], ten_years[-1]) == (120, "2015-06", "2025-05")


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2025-02", "2025-01", "--from 2025-02 comes after --to 2025-01."),
        ("2025-2", "2025-03", '--from: "2025-2" is not a month. Write it as YYYY-MM, such as 2024-01.'),
        ("2025-01", "2025-13", '--to: "2025-13" is not a month. Write it as YYYY-MM, such as 2024-01.'),
        ("", "2025-13", '--from: "" is not a month. Write it as YYYY-MM, such as 2024-01.'),
    ],
)
def test_a_range_that_is_none_is_refused(first: str, last: str, sentence: str) -> None:
    with pytest.raises(WrongArgument) as refused:
        months_between(first, last)
    assert str(refused.value) == sentence


def test_each_shop_has_places_of_its_own_and_the_month_is_left_to_the_flow() -> None:
    assert shops_of("lyon,paris-11", SOURCE, DESTINATION) == [
        Shop("lyon", "raw/lyon/{month:%Y/%m}", "s3://wine/prod/lyon"),
        Shop("paris-11", "raw/paris-11/{month:%Y/%m}", "s3://wine/prod/paris-11"),
    ]


def test_without_shops_there_is_one_that_is_not_named() -> None:
    assert shops_of("", "raw/{month}", "reports") == [Shop("", "raw/{month}", "reports")]


@pytest.mark.parametrize(
    ("names", "source", "destination", "sentence"),
    [
        pytest.param("", "raw", "reports", "holds no {month}", id="one source for all months"),
        pytest.param("lyon", "raw/{shop}", DESTINATION, "holds no {month}", id="one source for all months of a shop"),
        pytest.param("lyon,paris", "raw/{month}", DESTINATION, "--source: .* holds no {shop}", id="shared source"),
        pytest.param("lyon,paris", SOURCE, "reports", "--destination: .* holds no {shop}", id="shared destination"),
        pytest.param("", SOURCE, "reports", "--source: .* Name the shops", id="a source of shops, and none named"),
        pytest.param("", "raw/{month}", DESTINATION, "--destination: .* Name the shops", id="a destination of shops"),
        pytest.param("lyon,lyon", SOURCE, DESTINATION, '"lyon" stands there more than once', id="twice"),
    ],
)
def test_places_that_shops_or_months_would_share_are_refused(
    names: str, source: str, destination: str, sentence: str
) -> None:
    with pytest.raises(WrongArgument, match=sentence):
        shops_of(names, source, destination)


@pytest.mark.parametrize(
    "name", ["..", "../paris", "a/b", ".", "lyon ", "", "ly\non", "{month}", "s3://x", "café", "a\\b"]
)
def test_the_name_of_a_shop_cannot_lead_out_of_its_place(name: str) -> None:
    with pytest.raises(WrongArgument, match="is not a name"):
        shops_of(f"paris,{name}", SOURCE, DESTINATION)


@pytest.mark.parametrize(
    ("state", "message", "line"),
    [
        pytest.param(
            "Failed", "Flow run encountered an exception: DataRefused: 1 error: erp.xlsx C2\nis not a number.",
            Line("lyon", "2024-02", "refused", reason="1 error: erp.xlsx C2 is not a number."), id="data",
        ),
        pytest.param(
            "Failed", "Flow run encountered an exception: OutsideFailure: cannot list raw.",
            Line("lyon", "2024-02", "failed", reason="cannot list raw."), id="outside",
        ),
        pytest.param(
            "Failed", "Flow run encountered an exception: KeyError: 'price'",
            Line("lyon", "2024-02", "failed", reason="KeyError: 'price'"), id="a fault of ours",
        ),
        pytest.param(
            "Crashed", "exited with status code 137",
            Line("lyon", "2024-02", "failed", reason="Crashed: exited with status code 137"), id="killed",
        ),
        pytest.param(
            "Cancelled", "", Line("lyon", "2024-02", "failed", reason="Cancelled: it did not say why."), id="silent",
        ),
    ],
)  # fmt: skip
def test_a_run_that_did_not_complete_says_why_in_one_sentence(state: str, message: str, line: Line) -> None:
    assert failed_line("lyon", "2024-02", state, message) == line


PUBLISHED = Line("lyon", "2024-01", "published", 2, Decimal("32826.40"))
REFUSED = Line("lyon", "2024-02", "refused", reason="1 error.")


def test_the_table_has_a_row_for_every_month_and_no_empty_column() -> None:
    lines = [PUBLISHED, REFUSED, *not_run_lines("lyon", ["2024-03"], "2024-02")]
    assert text_table(lines).splitlines() == [
        "Shop  Month    Outcome    Revision  Revenue (EUR)  What went wrong",
        "lyon  2024-01  published         2      32,826.40",
        "lyon  2024-02  refused                             1 error.",
        "lyon  2024-03  not run                             2024-02 comes first.",
    ]
    assert count_outcomes(lines) == "1 published, 1 refused, 1 not run"
    alone = Line("", "2024-01", "unchanged", 1, Decimal(0))
    assert text_table([alone]).splitlines()[0] == "Month    Outcome    Revision  Revenue (EUR)"


def test_the_dashboard_is_given_text_only() -> None:
    assert all(type(value) is str for row in table_rows([PUBLISHED, REFUSED]) for value in row.values())


def test_a_log_line_tells_the_month_and_what_came_of_it() -> None:
    assert PUBLISHED.sentence() == "lyon 2024-01 published (revision 2), 32,826.40 EUR"
    assert REFUSED.sentence() == "lyon 2024-02 refused: 1 error."
    assert [line.is_published for line in (PUBLISHED, REFUSED)] == [True, False]
