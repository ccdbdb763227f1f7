"""What the dashboard shows, as text: figures, changes and bars, and hostile titles as nothing but text."""

from decimal import Decimal

import polars as pl
import pytest
from compared import Product, compare, published, wines_of

from tasks.artifacts import (
    LONGEST_TABLE,
    bar,
    cell,
    code,
    month_markdown,
    quality_table,
    refused_table,
    text,
    unchanged_markdown,
)
from tasks.domain.figures import MonthSummary
from tasks.domain.issues import Issue, issue_frame
from tasks.headline import headline, movement
from tasks.publication.publisher import PublishedMonth

APRIL = wines_of([Product("1", "10.00", 5), Product("2", "20.00", 1), Product("3", "8.00", 2, stock=0)])
MAY = wines_of([Product("1", "10.00", 8), Product("2", "21.00", 1), Product("4", "30.00", 0)])
FILES = {"erp": "erp.xlsx", "liaison": "liaison.xlsx", "web": "web.xlsx"}


def stands(summary: MonthSummary) -> PublishedMonth:
    """The month at a destination with one file."""
    place = ("/tmp/a`b/report.xlsx",)
    return PublishedMonth("2025-05", 1, "published", summary.figures, place, change="", summary=summary)


def test_the_summary_shows_each_figure_with_its_change() -> None:
    may = compare(MAY, published(APRIL))
    page = month_markdown(stands(may.summary), may.summary, may.month.wines.collect())
    assert page.startswith("# Wine sales 2025-05\n\n2025-05 is published (revision 1).\n\n")
    assert "| | 2025-05 | since 2025-04 |" in page
    assert "| Revenue | **101.00 EUR** | +15.00 (+17.4%) |" in page
    assert "| Products | **3** | no change |" in page
    assert "| 1 | 1 | Château 1 | 8 | +3 | 80.00 | ████████ |" in page
    assert "| 3 | new | Château 4 | 0 |  | 0.00 |  |" in page
    assert "- `` /tmp/a`b/report.xlsx ``" in page


def test_what_moved_the_revenue_is_told_and_adds_up() -> None:
    comparison = compare(MAY, published(APRIL)).comparison
    assert movement(comparison) == (
        "Since 2025-04: 3 units sold, 30.00 EUR at today's prices; 1 new price, +1.00 EUR; "
        "1 new product, 0.00 EUR; 1 product gone, 16.00 EUR."
    )
    assert comparison.revenue_before + Decimal(30) + 1 - 16 == Decimal(101)


def test_a_first_month_has_no_changes() -> None:
    april = compare(APRIL, None)
    page = month_markdown(stands(april.summary), april.summary, april.month.wines.collect())
    assert "There is no earlier month to compare with." in page
    assert "ince" not in page
    assert [line.change for line in headline(april.summary.figures)] == [""] * 5


def test_an_unchanged_month_has_its_figures_and_places() -> None:
    page = unchanged_markdown(stands(compare(APRIL, None).summary))
    assert "**86.00 EUR**" in page
    assert "report.xlsx" in page


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        pytest.param("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>", id="html"),
        pytest.param("a | b", r"a \| b", id="cell border"),
        pytest.param("[x](http://evil)", "\\[x\\](http\N{WORD JOINER}://evil)", id="link"),
        pytest.param("www.evil.fr a@evil.fr", "www\N{WORD JOINER}.evil.fr a\N{WORD JOINER}@evil.fr", id="bare link"),
        pytest.param("`*_~#!$\\&amp;", r"\`\*\_\~\#\!\$\\\&amp;", id="marks"),
        pytest.param("a\n\n# b\r\x00\u2028c", r"a \# b c", id="line breaks"),
        pytest.param("\u202e\u200bCh\u00e2teau", "Ch\u00e2teau", id="direction and invisible characters"),
    ],
)
def test_a_hostile_title_is_nothing_but_text(title: str, shown: str) -> None:
    assert text(title) == shown


@pytest.mark.parametrize("value", ["<script>", "[x](http://evil)", "[x][y]", "https://evil", "WWW.evil.fr", "a@b.fr"])
def test_a_cell_of_a_table_cannot_become_html_or_a_link(value: str) -> None:
    """One look of the dashboard reads cells as Markdown, the other shows them as they are."""
    assert cell(value) != value
    assert cell(value).replace("\N{WORD JOINER}", "") == value


def test_code_holds_any_number_of_backticks() -> None:
    assert code("a``b`c") == "``` a``b`c ```"


@pytest.mark.parametrize(
    ("value", "shown"), [("0", ""), ("0.5", "▍"), ("5", "████"), ("9.99", "███████▉"), ("10", "████████")]
)
def test_a_bar_is_as_long_as_its_share(value: str, shown: str) -> None:
    assert bar(Decimal(value), Decimal(10)) == shown


def test_without_revenue_there_is_no_bar() -> None:
    assert bar(Decimal(0), Decimal(0)) == ""


def test_the_quality_table_counts_rows_and_cells_once_and_warnings_come_first() -> None:
    summary = compare(APRIL, None).summary
    rows = [("web", "used", None, None, 3, None), ("web", "ignored", "other-post-type", "attachment", 7, None),
            ("web", "rejected", "no-key", None, 2, 9)]  # fmt: skip
    counts = pl.DataFrame(rows, ["source", "disposition", "rule", "detail", "rows", "units"], orient="row")
    summary = MonthSummary(summary.parameters, summary.figures, summary.stock, None, counts)
    no_key = Issue("web.xlsx", "no-key", disposition="rejected")
    stock = Issue("erp.xlsx", "stock-not-a-count", disposition="used")
    table = quality_table(summary, issue_frame([no_key, no_key, stock]), FILES)
    assert [tuple(row.values())[:6] for row in table] == [
        ("Web shop", "rejected", "no-key", "warning", 2, 9),
        ("ERP", "used", "stock-not-a-count", "warning", 1, ""),
        ("Web shop", "ignored", "other-post-type: attachment", "info", 7, ""),
        ("Web shop", "used", "", "", 3, ""),
    ]


def test_a_long_list_of_issues_ends_with_where_the_rest_is() -> None:
    warning = Issue("erp.xlsx", "unknown-flag", sheet="Sheet1", cell="B2", column="onsale_web", value="x")
    error = Issue("erp.xlsx", "not-a-number", sheet="Sheet1", cell="C2", column="price", value="n/a")
    table = refused_table(issue_frame([*[warning] * LONGEST_TABLE, error]), "s3://wines/refused/list.csv")
    assert len(table) == LONGEST_TABLE + 1
    assert table[0] == {
        "File": "erp.xlsx", "Sheet": "Sheet1", "Cell": "C2", "Column": "price", "Value": "n/a",
        "What is wrong": "is not a number", "What to do": "Correct the cell, then run again.", "Rule": "not-a-number",
        "Severity": "error",
    }  # fmt: skip
    assert table[-1]["File"] == "… and 1 issue more. All of them are in s3://wines/refused/list.csv"
