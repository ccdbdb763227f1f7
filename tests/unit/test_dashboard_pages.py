"""What the dashboard shows, as text: news, figures, changes and bars, and hostile titles as nothing but text."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from reports import FIRST, SNAPSHOTS, report_of

from tasks.dashboard_pages import (
    LONGEST_TABLE,
    bar,
    cell,
    code,
    issue_table,
    month_markdown,
    plain,
    quality_table,
)
from tasks.domain.issues import Issue, issue_frame
from tasks.messages import messages_in
from tasks.publication.publisher import PublishedMonth
from tasks.report.content import Report
from tasks.report.headline import headline
from tasks.report.issue_words import refusal_lines, translate_words


def published(report: Report, sentence: str = "2025-05 is published (revision 1).", link: str = "") -> PublishedMonth:
    addresses, shown = ("/tmp/a`b/report.xlsx",), headline(report)
    return PublishedMonth("2025-05", 1, "published", sentence, report.summary.figures, shown, addresses, link)


def page_of(report: Report, link: str = "") -> str:
    return month_markdown(published(report, link=link), report)


def test_the_page_shows_the_news_first_and_each_figure_with_its_changes(tmp_path: Path) -> None:
    page = page_of(report_of(SNAPSHOTS["third"], tmp_path))
    assert page.startswith(
        "# Wine sales · snapshot of 15 May 2025\n\n2025-05 is published (revision 1).\n\n"
        "**Sales fell 46% on the period before; 1 premium bottle was sold; "
        "1 wine that still sells is out of stock.**\n\n"
        # Not in the head of the table, which would be wider than the page.
        "sold from 15 April to 15 May 2025 (30 days)\n\n|  |  |  |  |  |\n"
    )
    assert "| Sold | **€526.90** | 3 wines sold | -45.7% on period before | last year: history too short |" in page
    assert "- **Changes** 1 new · 1 delisted · 1 repriced · 1 bottle cancelled" in page
    assert "| Château bon-25 | 10 | €199.90 | ████████ |" in page
    assert "- `` /tmp/a`b/report.xlsx ``" in page


def test_the_page_of_a_first_snapshot_shows_totals_to_date(tmp_path: Path) -> None:
    page = page_of(report_of([FIRST], tmp_path))
    assert "| Total revenue to date | **€6,190.00** |" in page
    assert "period" not in page


def test_the_page_is_in_the_language_of_the_run(tmp_path: Path) -> None:
    report = report_of(SNAPSHOTS["third"], tmp_path, "fr")
    page = month_markdown(published(report, "2025-05 est publié."), report)
    assert "Les ventes ont baissé de 46\N{NO-BREAK SPACE}% par rapport à la période précédente" in page
    english = headline(report_of(SNAPSHOTS["third"], tmp_path, "en"))
    assert not [line.text for line in english.lines if line.text in page]
    assert list(quality_table(report)[0])[:2] == ["Classeur", "Traitement"]


def test_an_unchanged_month_has_its_figures_and_addresses(tmp_path: Path) -> None:
    page = month_markdown(published(report_of([FIRST], tmp_path)))
    assert "**€6,190.00**" in page
    assert "report.xlsx" in page


def test_the_page_links_to_the_workbook_where_a_browser_can_open_it(tmp_path: Path) -> None:
    report = report_of([FIRST], tmp_path)
    assert "\n[Open the workbook](https://s3.example/b/report.xlsx)\n" in page_of(
        report, "https://s3.example/b/report.xlsx"
    )
    assert "Open the workbook" not in page_of(report)


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
def test_a_hostile_title_is_shown_as_text(title: str, shown: str) -> None:
    assert plain(title) == shown


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


def test_the_quality_table_counts_rows_and_cells_once_and_warnings_come_first(tmp_path: Path) -> None:
    rows = [("web", "used", None, None, 3, None), ("web", "ignored", "other-post-type", "attachment", 7, None),
            ("web", "rejected", "no-key", None, 2, 9)]  # fmt: skip
    counts = pl.DataFrame(rows, ["source", "disposition", "rule", "detail", "rows", "units"], orient="row")
    no_key = Issue("web.xlsx", "no-key", disposition="rejected")
    stock = Issue("erp.xlsx", "stock-not-a-count", disposition="used")
    report = replace(report_of([FIRST], tmp_path), row_counts=counts, issues=issue_frame([no_key, no_key, stock]))
    assert [tuple(row.values())[:6] for row in quality_table(report)] == [
        ("Web shop", "rejected", "The key is empty: the row cannot be joined", "warning", 2, 9),
        ("ERP", "used", "The cell is not a whole number from 0", "warning", 1, ""),
        ("Web shop", "ignored", "The post is not a product (attachment)", "info", 7, ""),
        ("Web shop", "used", "No problem found", "", 3, ""),
    ]


def test_a_long_list_of_issues_ends_with_where_the_rest_is() -> None:
    error = Issue("erp.xlsx", "not-a-number", sheet="Sheet1", cell="C2", column="price", value="n/a")
    table = issue_table(issue_frame([error] * (LONGEST_TABLE + 1)), "s3://wines/refused/list.csv", messages_in("en"))
    assert len(table) == LONGEST_TABLE + 1
    assert table[0] == {
        "Severity": "error", "Cell": "erp.xlsx [Sheet1] C2", "What is wrong": "is not a number",
        "What to do": "Correct the cell, then run again.", "Value": "n/a", "Column": "price",
    }  # fmt: skip
    assert table[-1]["Cell"] == "… and 1 issue more. All of them are in s3://wines/refused/list.csv"


def test_issues_name_the_other_cell_and_their_remedy_in_the_language_of_the_run() -> None:
    repeated = Issue("web.xlsx", "contradicting-rows", sheet="S", cell="B3", column="sku", other='B9, "7"')
    unmatched = Issue("the three workbooks", "unmatched", value="3 of 4", other="erp")
    rows = issue_table(issue_frame([repeated, unmatched]), "", messages_in("fr"))
    assert rows[0]["Anomalie"] == 'contredit B9, "7"'
    assert str(rows[1]["Que faire"]).startswith("Il manque sans doute des lignes du classeur erp,")


@pytest.mark.parametrize(
    ("issue", "shown"),
    [
        pytest.param(
            Issue("erp workbook in data", "missing-workbook"), ("classeur erp dans data", None), id="missing workbook"
        ),
        pytest.param(
            Issue("a.xlsx (erp) and b.xlsx (web)", "same-workbook"), ("a.xlsx (erp) et b.xlsx (web)", None), id="same"
        ),
        pytest.param(
            Issue("the three workbooks", "no-sales", value="0 units sold of 1,234 products"),
            ("les trois classeurs", "0 unité vendue de 1 234 produits"),
            id="no sales",
        ),
        pytest.param(
            Issue("the three workbooks", "padded-keys", value=
                  "1,000 of 2,000 links that lead to no product of the shop, 50.00% (limit 10.00%)"),
            ("les trois classeurs",
             "1 000 liens sur 2 000 ne mènent à aucun produit de la boutique, 50,00 % (limite 10,00 %)"),
            id="padded keys",
        ),
        pytest.param(
            Issue("web.xlsx", "missing-column", column="sku", value="found: a, b and 3 more"),
            ("web.xlsx", "trouvé : a, b et 3 de plus"),
            id="missing column",
        ),
        pytest.param(
            Issue("erp.xlsx", "other-source", value="columns of web: sku"), ("erp.xlsx", "colonnes de web : sku"),
            id="other source",
        ),
        pytest.param(
            Issue("web.xlsx", "no-key", column="sku", value="1 units"), ("web.xlsx", "1 unité"), id="one lost unit"
        ),
        pytest.param(
            Issue("web.xlsx", "negative", column="sku", value="13 units"), ("web.xlsx", "13 units"), id="a cell's text"
        ),
    ],
)  # fmt: skip
def test_words_of_the_rules_are_translated_and_contents_of_cells_are_not(
    issue: Issue, shown: tuple[str, str | None]
) -> None:
    file, value = translate_words(issue_frame([issue]), messages_in("fr")).select("file", "value").row(0)
    spaces = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})
    assert (file, value and value.translate(spaces)) == shown


def test_the_key_of_an_address_is_named_in_the_language_of_the_run() -> None:
    fallen = Issue("web.xlsx", "counters-fell", "S", 7, "D7", "total_sales", "19", key="10006", other='"21" (D7)')
    (shown, _) = refusal_lines(issue_frame([fallen]), messages_in("fr"))
    assert shown.startswith('web.xlsx [S] D7, total_sales du sku 10006: "19" ')


def test_a_terminal_shows_refused_data_in_the_language_of_the_run() -> None:
    error = Issue("erp.xlsx", "not-a-number", sheet="S", cell="C2", column="price", value="n/a")
    warning = Issue("erp.xlsx", "absent-column", column="stock_status")
    shown = refusal_lines(issue_frame([*[error] * 21, warning]), messages_in("fr"))
    assert shown[0] == 'erp.xlsx [S] C2, price: "n/a" n\'est pas un nombre. Corriger la cellule, puis relancer.'
    assert [line.replace("\N{NO-BREAK SPACE}", " ") for line in shown[-2:]] == [
        "… et 1 de plus du même genre (not-a-number : 21 en tout).",
        "21 erreurs, rien n'est publié. En outre, 1 avertissement ou ligne rejetée.",
    ]
