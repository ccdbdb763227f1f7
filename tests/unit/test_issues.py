"""How issues are shown: one line each with address and remedy, and one sentence for the whole run."""

import pickle

import pytest

from tasks.domain.issues import (
    DataRefused,
    Issue,
    accepted_rules,
    issue_frame,
    line,
    lines,
    shortened,
)
from tasks.domain.rules import RULES
from tasks.workbook.addresses import column_letter

BAD_PRICE = Issue("erp.xlsx", "not-a-number", "Sheet1", row=17, cell="C17", column="price", value="n/a")
BAD_PRICE_LINE = 'erp.xlsx [Sheet1] C17, price: "n/a" is not a number. Correct the cell, then run again.'


def negatives(count: int) -> list[Issue]:
    """Faults of another kind, in rows 1, 2, …"""
    return [
        Issue("web.xlsx", "negative", "Sheet1", row=row, cell=f"F{row}", column="total_sales", value=f"-{row}")
        for row in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("issue", "shown"),
    [
        pytest.param(BAD_PRICE, BAD_PRICE_LINE, id="cell"),
        pytest.param(
            Issue("erp.xlsx", "blank-cell", "Sheet1", row=3, cell="C3", column="price"),
            "erp.xlsx [Sheet1] C3, price is empty. Fill the cell, then run again.",
            id="cell without a value",
        ),
        pytest.param(
            Issue("web.xlsx", "missing-column", "Sheet1", row=1, column="sku", remedy="Rename it."),
            "web.xlsx [Sheet1], sku is missing. Rename it.",
            id="a remedy of its own",
        ),
        pytest.param(
            Issue("erp workbook in data", "missing-workbook"),
            "erp workbook in data is not there. Put the workbook in the source folder, then run again.",
            id="no sheet",
        ),
    ],
)
def test_an_issue_is_shown_on_one_line(issue: Issue, shown: str) -> None:
    assert line(issue_frame([issue]).row(0, named=True)) == shown


def test_twenty_of_a_kind_are_all_reported() -> None:
    shown = lines(issue_frame(negatives(20)))
    assert len(shown) == 20
    assert shown[-1] == 'web.xlsx [Sheet1] F20, total_sales: "-20" is below 0. Correct the cell, then run again.'


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (21, "… and 1 more like this (negative: 21 in all)."),
        (2_020, "… and 2,000 more like this (negative: 2,020 in all)."),
    ],
)
def test_of_more_than_twenty_of_a_kind_the_others_are_counted(count: int, more: str) -> None:
    assert lines(issue_frame(negatives(count))) == [*lines(issue_frame(negatives(20))), more]


def test_each_kind_has_its_own_twenty_lines_and_kinds_stay_together() -> None:
    first, *others = negatives(21)
    assert lines(issue_frame([first, BAD_PRICE, *others])) == [*lines(issue_frame(negatives(21))), BAD_PRICE_LINE]


def test_kinds_are_reported_in_the_order_in_which_they_were_found() -> None:
    issues = [Issue("erp.xlsx", code, row=row) for row, code in enumerate(RULES, start=1)]
    assert lines(issue_frame(issues)) == [line for issue in issues for line in lines(issue_frame([issue]))]


def test_nothing_found_is_nothing_reported() -> None:
    assert lines(issue_frame([])) == []


@pytest.mark.parametrize(
    ("issues", "sentence"),
    [
        pytest.param([BAD_PRICE], f"1 error, nothing is published. {BAD_PRICE_LINE}", id="one"),
        pytest.param(
            [BAD_PRICE, *negatives(1)], f"2 errors, nothing is published. {BAD_PRICE_LINE} And 1 more.", id="two"
        ),
        pytest.param(
            [BAD_PRICE, *negatives(2)], f"3 errors, nothing is published. {BAD_PRICE_LINE} And 2 more.", id="many"
        ),
        pytest.param(
            [BAD_PRICE, *negatives(1_200)],
            f"1,201 errors, nothing is published. {BAD_PRICE_LINE} And 1,200 more.",
            id="very many",
        ),
        pytest.param(
            [BAD_PRICE, Issue("erp.xlsx", "stock-not-a-count"), Issue("erp.xlsx", "repetition")],
            f"1 error, nothing is published. {BAD_PRICE_LINE}",
            id="warnings are not counted",
        ),
        pytest.param(
            [Issue("erp.xlsx", "negative", severity="warning"), BAD_PRICE],
            f"1 error, nothing is published. {BAD_PRICE_LINE}",
            id="a softened error is not shown as one",
        ),
    ],
)
def test_a_refused_month_is_reported_in_one_sentence_with_the_first_error(issues: list[Issue], sentence: str) -> None:
    refused = DataRefused(issue_frame(issues))
    assert str(refused) == sentence
    assert refused.issues.height == len(issues)


def test_a_refusal_can_be_passed_between_processes() -> None:
    refused = pickle.loads(pickle.dumps(DataRefused(issue_frame([BAD_PRICE]))))
    assert isinstance(refused, DataRefused)
    assert str(refused) == f"1 error, nothing is published. {BAD_PRICE_LINE}"
    assert lines(refused.issues) == [BAD_PRICE_LINE]


@pytest.mark.parametrize(
    ("index", "letters"),
    [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")],
)
def test_columns_have_the_letters_that_excel_shows(index: int, letters: str) -> None:
    assert column_letter(index) == letters


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("x" * 40, "x" * 40, id="forty characters"),
        pytest.param("x" * 41, "x" * 39 + "…", id="one more"),
        pytest.param(" Clos\n\n de\tVougeot ", "Clos de Vougeot", id="several lines"),
    ],
)
def test_a_value_is_shown_on_one_short_line(value: str, shown: str) -> None:
    assert shortened(value) == shown


def test_what_was_accepted_is_a_warning_and_listed_once_in_order() -> None:
    found = [Issue("web.xlsx", code) for code in ("unmatched", "stale-export", "unmatched", "price-jumped", "negative")]
    issues = issue_frame(found, accept_unusual=True)
    assert issues["severity"].to_list() == ["warning", "warning", "warning", "warning", "error"]
    assert accepted_rules(issues) == ["stale-export", "unmatched"]
    assert accepted_rules(issue_frame(found)) == []
