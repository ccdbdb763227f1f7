"""The report as people find it on disk: written, opened again, and compared."""

import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from decimal import Decimal
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import openpyxl
import polars as pl
import pytest
from reports import FIRST, MISSING, SNAPSHOTS, THIRD, Written, report_of, titled, write

from tasks.domain.issues import Issue, issue_frame
from tasks.messages import Messages
from tasks.report import layout, writer
from tasks.report.cells import cell_text, cell_texts
from tasks.report.content import Report
from tasks.report.headline import headline
from tasks.report.summary import count_lines, summary_page

HOSTILE = {
    "formula": "=1+1",
    "command": "@SUM(1)*cmd|' /C calc'!A0",
    "array formula": "{=1}",
    "link": "http://x",
    "mail": "mailto:a@b.c",
    "internal link": "internal:Summary!A1",
    "markup": "<b>&amp;</b>",
    "rich text": "<r><t>x</t></r>",
    "broken rich text": "<r><oops></r>",
    "emoji": "Rosé 🍷🥂",
    "right to left": "يين أحمر",
    "escape": "_x0041_",
    "spaces": "  Clos  ",
    "number": "007",
    "apostrophe": "'Clos'",
    "two lines": "Clos\nVougeot",
    "quote": 'Clos "Vougeot", rouge',
    "tab": "\tClos",
}
SHEETS = {
    "en": ["Summary", "Products", "Premium wines", "Stock", "Changes", "Data checks", "About", "Chart data"],
    "fr": [
        "Synthèse", "Produits", "Vins premium", "Stocks", "Mouvements", "Contrôle des données", "À propos",
        "Données des graphiques",
    ],
}  # fmt: skip


@pytest.fixture
def third(tmp_path: Path) -> Written:
    return write(report_of(SNAPSHOTS["third"], tmp_path), tmp_path)


def xml(written: Written, part: str) -> str:
    """All parts of the workbook whose names contain a text."""
    with zipfile.ZipFile(written.workbook) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist() if part in name)


# Summary


def test_summary_shows_the_period_first_with_its_dates(third: Written) -> None:
    texts = third.texts("Summary")
    assert texts[:3] == [
        "Wine sales · snapshot of 15 May 2025",
        "sold from 15 April to 15 May 2025 (30 days)",
        "Sales fell 46% on the period before; 1 premium bottle was sold; 1 wine that still sells is out of stock.",
    ]
    assert [texts[index] for index in range(3, 9)] == [
        "Sold", "Bottles", "Price per bottle", "Premium sold", "Last 365 days", "Total revenue to date",
    ]  # fmt: skip
    numbers = [cell for row in third.sheet("Summary").iter_rows(max_row=6, values_only=True) for cell in row]
    assert [number for number in numbers if isinstance(number, int | float)] == [526.9, 14, 37.64, 180, 7635.9]
    assert "-45.7% on period before" in texts
    assert "period before: €64.73" in texts
    assert "period before: 3, €528" in texts
    assert "last year: history too short" in texts


def test_summary_of_a_first_snapshot_leads_with_totals_to_date_and_says_so(tmp_path: Path) -> None:
    first = write(report_of([FIRST], tmp_path), tmp_path)
    texts = first.texts("Summary")
    assert texts[1:4] == [
        "first snapshot: figures to date",
        "First snapshot: €6,190.00 of total revenue to date, from 103 bottles of 16 wines.",
        "Total revenue to date",
    ]
    assert "Out of stock, by total revenue to date" in texts
    assert not [text for text in texts if "period" in text]
    assert first.open().sheetnames == [name for name in SHEETS["en"] if name != "Changes"]


def test_trend_starts_with_the_second_period(tmp_path: Path) -> None:
    second = write(report_of(SNAPSHOTS["second"], tmp_path), tmp_path)
    assert "The trend starts with the next snapshot." in second.texts("Summary")


def test_a_period_of_another_length_is_compared_by_rates_per_day_and_says_so(tmp_path: Path) -> None:
    late = replace(THIRD, day=THIRD.day.replace(month=7))
    report = report_of([*SNAPSHOTS["second"], late], tmp_path)
    shown = headline(report)
    assert shown.news.startswith("Sales per day fell 81% on the period before; ")
    assert "sold from 15 April to 15 July 2025 (91 days)" in shown.period
    assert shown.tiles[0].notes[1] == "-80.9%/day on period before"
    trend = [row[0] for row in write(report, tmp_path).sheet("Chart data").values if row[0]]
    assert trend[1:3] == ["15 Apr 2025\n32 days", "15 Jul 2025\n91 days"]


def test_no_surface_calls_a_period_a_month(tmp_path: Path) -> None:
    for name, snapshots in SNAPSHOTS.items():
        written = write(report_of(snapshots, tmp_path), tmp_path / name)
        shown = [text for sheet in written.open().sheetnames for text in written.texts(sheet) if sheet != "About"]
        assert not [text for text in shown if re.search(r"\bmonths?\b", text)]
        dated = [text for text in shown if re.search(r"\b(March|April|May) \d{4}", text)]
        assert all(re.search(r"\d+ (March|April|May) \d{4}", text) for text in dated)


def test_summary_lists_what_to_reorder_by_sales_at_risk(third: Written) -> None:
    rows = [[cell for cell in row if cell is not None] for row in third.sheet("Summary").values]
    at = next(index for index, row in enumerate(rows) if "Weeks of cover" in row)
    listed = [row for row in rows[at + 1 : at + 9] if len(row) == 5]
    assert [row[:2] for row in listed] == [["Château 4402", 2], ["Château 4334", 4], ["Château 4144", "out"]]
    assert [row[4] for row in listed] == sorted((row[4] for row in listed), reverse=True)


def test_summary_lists_the_products_that_are_missing_and_not_what_is_normal(third: Written) -> None:
    texts = third.texts("Summary")
    named = "2 shop products without a sku: Vin sans sku 2019 (10 bottles), Autre vin sans sku (3 bottles)"
    assert named in texts
    assert "The id_web is not a product of the web shop (Link table: 20 rows)" in texts
    assert not [text for text in texts if "108" in text or "714" in text]


def test_missing_products_are_named_by_the_reason_for_which_they_are_missing(tmp_path: Path) -> None:
    rows = [("1", "A", 3, "no-key"), ("2", "B", 2, "unlinked-sales"), ("3", "C", 1, "unreadable-key")]
    report = report_of(SNAPSHOTS["third"], tmp_path)
    missing = pl.DataFrame(rows, schema=report.missing.schema, orient="row")
    assert headline(replace(report, missing=missing)).lines[-3].text == (
        "1 shop product without a sku: A (3 bottles) · "
        "1 shop product without a product of the ERP: B (2 bottles) · "
        "1 shop product with a sku that is not a key: C (1 bottle)"
    )


def test_rows_of_another_workbook_are_not_hidden_by_a_reason_that_a_shop_product_has_too(tmp_path: Path) -> None:
    report = report_of(SNAPSHOTS["third"], tmp_path)
    erp = pl.DataFrame([("erp", "rejected", "no-key", None, 4, None)], schema=report.row_counts.schema, orient="row")
    counts = pl.concat([report.row_counts, erp])
    assert (
        "The key is empty: the row cannot be joined (ERP: 4 rows)"
        in headline(replace(report, row_counts=counts)).lines[-2].text
    )


def test_more_cancelled_than_sold_is_not_called_nothing_sold(tmp_path: Path) -> None:
    report = report_of(SNAPSHOTS["third"], tmp_path)
    period = replace(report.summary.period, sold=replace(report.summary.period.sold, premium_units=-2))
    shown = headline(replace(report, summary=replace(report.summary, period=period)))
    assert "; 2 more premium bottles were cancelled than sold; " in shown.news


def test_two_kinds_of_changes_with_one_wording_are_both_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Messages, "ngettext", lambda *_, **__: "some")
    shown = headline(report_of(SNAPSHOTS["third"], tmp_path))
    assert shown.lines[0].text == "some · some · some · some"


def test_summary_says_so_when_nothing_is_missing(tmp_path: Path) -> None:
    report = report_of(SNAPSHOTS["third"], tmp_path)
    used = report.row_counts.filter(pl.col("disposition") == "used")
    clean = replace(report, row_counts=used, missing=report.missing.clear())
    assert headline(clean).lines[-2].text == "Nothing: no sale is missing."


def test_many_missing_products_are_counted_after_the_first(tmp_path: Path) -> None:
    report = report_of(SNAPSHOTS["third"], tmp_path)
    many = replace(report, missing=pl.concat([report.missing] * len(MISSING) * 2))
    assert headline(many).lines[-3].text.endswith("Vin sans sku 2019 (10 bottles), 5 more")


def test_sentences_link_to_their_sheets(third: Written) -> None:
    links = {cell.value: cell.hyperlink.location for row in third.sheet("Summary") for cell in row if cell.hyperlink}
    assert links == {
        "→ Changes": "'Changes'!A1",
        "→ Stock": "'Stock'!A1",
        "→ Data checks": "'Data checks'!A1",
    }


def test_no_sentence_links_to_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    unchanged = write(report_of([FIRST, replace(FIRST, day=THIRD.day)], tmp_path), tmp_path)
    assert "No product, price or class changed." in unchanged.texts("Summary")
    assert "No wine that sells has fewer than 8 weeks of cover." in unchanged.texts("Summary")
    assert {"Changes", "Stock"}.isdisjoint(unchanged.open().sheetnames)
    links = {cell.hyperlink.location for row in unchanged.sheet("Summary") for cell in row if cell.hyperlink}
    assert links == {"'Data checks'!A1"}


# Sheets


def test_sheets_are_in_reading_order_and_only_the_chart_data_is_hidden(third: Written) -> None:
    assert third.open().sheetnames == SHEETS["en"]
    assert {sheet.title for sheet in third.open() if sheet.sheet_state == "hidden"} == {"Chart data"}


def test_products_show_period_and_total_and_what_changed(third: Written) -> None:
    wine = {row["Product"]: row for row in third.table("Products")}
    assert {heading: wine["4402"][heading] for heading in wine["4402"] if heading not in {"SKU", "z-score"}} == {
        "Rank": 2, "Product": "4402", "Wine": "Château 4402", "Class": "Premium", "Sold in the period": 1,
        "Sold in the period (€)": 180, "Sold to date": 13, "Price (€)": 180, "Total revenue to date (€)": 2340,
        "Share of revenue": pytest.approx(2340 / 7635.9), "In stock": 2, "Per week": pytest.approx(4 * 7 / 62),
        "Weeks of cover": pytest.approx(2 / (4 * 7 / 62)), "Changes": "new price",
    }  # fmt: skip
    assert wine["bon-25"]["Changes"] == "new"
    assert wine["4144"]["In stock"] == 0  # its count is -1
    assert len(wine) == 17


def test_stock_lists_reorders_before_dormant_wines(third: Written) -> None:
    states = [(row["State"], row["Product"]) for row in third.table("Stock")]
    assert states == [("reorder", "4402"), ("reorder", "4334"), ("out of stock", "4144"), ("no count", "bon-25")]


def test_a_stock_below_0_is_named_and_not_deducted_from_the_total(third: Written, tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(third.workbook, data_only=True)["Stock"]
    stock = next(cell.column for cell in sheet[4] if cell.value == "In stock")
    assert sheet.cell(3, stock).value == 2 + 4  # and not the -1 of 4144
    products = openpyxl.load_workbook(third.workbook, data_only=True)["Products"]
    stock = next(cell.column for cell in products[4] if cell.value == "In stock")
    assert products.cell(3, stock).value == 2 + 4 + 25
    named = "1 wine has a stock below 0; it counts as out of stock. 1 wine has no count."
    assert str(sheet["A2"].value).endswith(named)
    french = write(report_of(SNAPSHOTS["third"], tmp_path, "fr"), tmp_path / "fr").texts("Stocks")
    assert "1 référence a un stock inférieur à 0\N{NO-BREAK SPACE}; elle compte comme en rupture de stock." in french[1]


def test_changes_have_a_row_for_each_thing_that_changed(third: Written) -> None:
    changes = [(row["Change"], row["Product"]) for row in third.table("Changes")]
    assert changes == [("new", "bon-25"), ("delisted", "9999"), ("new price", "4402"), ("cancellations", "4144")]


def test_data_checks_count_every_row_and_list_the_cells(third: Written) -> None:
    counts = third.table("Data checks", "Outcome")
    assert [(row["Workbook"], row["Outcome"], row["Rows"]) for row in counts[:3]] == [
        ("ERP", "read", 125), ("ERP", "used", 17), ("ERP", "rejected", 108),
    ]  # fmt: skip
    cells = third.table("Data checks", "What is wrong")
    assert [(row["File"], row["Cell"], row["Rule"]) for row in cells] == [
        ("web.xlsx", "B355", "no-key"), ("erp.xlsx", "C9", "not-above-zero"), ("erp.xlsx", None, "absent-column"),
    ]  # fmt: skip


def test_about_lists_the_workbooks_and_the_previous_snapshot(third: Written) -> None:
    about = {row["Term"]: row["Meaning"] for row in third.table("About", "Term")}
    assert about["ERP"].startswith("erp.xlsx, 3 bytes, SHA-256 ")
    assert (about["Export date"], about["Previous snapshot"]) == ("15 May 2025", "15 April 2025")


def test_texts_state_the_limits_that_the_figures_are_computed_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("about", "headline", "layout", "summary"):
        monkeypatch.setattr(f"tasks.report.{module}.REORDER_WEEKS", 5)
    days_of = {"PACE_DAYS": 91, "YEAR_DAYS": 366, "DORMANT_DAYS": 92, "NEAR_DAYS": 11, "COMPARABLE_DAYS": 4}
    for name, days in days_of.items():
        monkeypatch.setattr(f"tasks.report.about.{name}", days)
    for language, words in (("en", "{} weeks of cover"), ("fr", "{} semaines de stock")):
        written = write(report_of(SNAPSHOTS["third"], tmp_path, language), tmp_path / language)
        texts = "\n".join(text for sheet in written.open().sheetnames for text in written.texts(sheet))
        assert texts.count(words.format(5)) == 3  # on the Summary, Stock and About sheets
        assert words.format(8) not in texts
        assert [days for days in days_of.values() if not re.search(rf"\b{days}\b", texts)] == []


def test_about_says_when_a_product_without_post_date_is_new(third: Written) -> None:
    (meaning,) = (row["Meaning"] for row in third.table("About", "Term") if row["Term"] == "New, newly linked")
    assert str(meaning).endswith("counts as new, unless an earlier snapshot had it: then it is newly linked.")


def test_tables_keep_headings_and_names_on_the_screen_and_can_be_filtered(third: Written) -> None:
    panes = {sheet.title: (sheet.freeze_panes, bool(sheet.auto_filter.ref)) for sheet in third.open()}
    assert panes["Products"] == ("E5", True)
    assert panes["Stock"] == ("E5", True)
    assert panes["Data checks"] == ("A3", True)


def test_totals_are_above_the_filter_and_follow_it(third: Written) -> None:
    sheet, values = third.sheet("Products"), openpyxl.load_workbook(third.workbook, data_only=True)["Products"]
    assert sheet["J3"].value == "=SUBTOTAL(109,J5:J21)"
    assert (values["D3"].value, values["J3"].value) == ("Total of the rows shown", 7635.9)


def test_numbers_have_the_formats_of_the_language(tmp_path: Path) -> None:
    for language, money, signed in (
        ("en", '"€"#,##0.00_ _ _ ', '+"€"#,##0.00_ _ _ ;-"€"#,##0.00_ _ _ ;"€"#,##0.00_ _ _ '),
        ("fr", '[$-40C]#,##0.00"\N{NO-BREAK SPACE}€"_ _ _ ', None),
    ):
        written = write(report_of(SNAPSHOTS["third"], tmp_path, language), tmp_path / language)
        sheet = written.sheet(SHEETS[language][1])
        assert sheet["I5"].number_format == money
        assert signed is None or sheet["G5"].number_format == signed


# Print


@pytest.mark.parametrize("snapshots", SNAPSHOTS.values(), ids=SNAPSHOTS)
def test_every_sheet_prints_on_one_landscape_page_and_summary_at_its_own_size(tmp_path: Path, snapshots: list) -> None:
    book = write(report_of(snapshots, tmp_path), tmp_path).open()
    for sheet in book:
        if sheet.sheet_state == "visible":
            setup = sheet.page_setup
            assert (setup.orientation, setup.paperSize, setup.fitToHeight) == ("landscape", 9, None)
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
    summary = book["Summary"]
    width = sum(summary.column_dimensions["A"].width * 7 for _ in range(24))
    height = sum(summary.row_dimensions[row].height or 15 for row in range(1, summary.max_row + 1))
    assert width <= (297 - 2 * 0.3 * 25.4) / 25.4 * 96
    assert height <= (210 - (0.3 + 0.5) * 25.4) / 25.4 * 72, "the page would be printed smaller than 9 points"
    assert {cell.font.size for row in summary for cell in row if cell.value} <= {9, 10, 11, 16}


class Word(NamedTuple):
    """A word of a printed page with its box, in points."""

    text: str
    left: float
    right: float
    top: float


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Report, list[list[Word]]]]:
    """The report of each snapshot in each language, and the words of each page as LibreOffice prints it."""
    soffice, pdftotext = shutil.which("soffice"), shutil.which("pdftotext")
    if soffice is None or pdftotext is None:
        pytest.skip("needs LibreOffice and poppler to print the workbook")
    folder = tmp_path_factory.mktemp("printed")
    reports = {
        f"{name} {language}": report_of(SNAPSHOTS[name], folder, language)
        for name in ("first", "third", "gap")
        for language in ("en", "fr")
    }
    for name, report in reports.items():
        writer.write_workbook(folder / f"{name}.xlsx", report)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [soffice, profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder)]
    subprocess.run([*command, *folder.glob("* *.xlsx")], check=True, capture_output=True, timeout=300)
    pages = {}
    for name, report in reports.items():
        html = subprocess.run([pdftotext, "-bbox", folder / f"{name}.pdf", "-"], check=True, capture_output=True).stdout
        words = [re.findall(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)".*?>(.*?)</word>', page)
                 for page in html.decode().split("<page ")[1:]]  # fmt: skip
        pages[name] = (
            report,
            [[Word(text, float(left), float(right), float(top)) for left, top, right, text in page] for page in words],
        )
    return pages


def test_the_default_print_has_at_most_six_pages_and_none_is_empty(printed: dict) -> None:
    for name, (_, pages) in printed.items():
        assert len(pages) == (5 if name.startswith("first") else 6), name
        assert min(len(page) for page in pages) > 20, name


def test_no_text_of_a_printed_page_overlaps_another_or_leaves_its_page(printed: dict) -> None:
    right = 842 - 0.3 * 72
    for name, (_, pages) in printed.items():
        for page in pages:
            words = sorted(page, key=lambda word: (round(word.top), word.left))
            touching = [
                (one.text, other.text)
                for one, other in pairwise(words)
                if round(one.top) == round(other.top) and other.left - one.right < 0.5
            ]
            assert (name, touching) == (name, [])
            assert (name, [word.text for word in page if word.right > right]) == (name, [])


def test_every_figure_of_summary_is_printed_inside_its_tile(printed: dict) -> None:
    tile_points = 4 * 44 * 0.75
    for name, (report, (page, *_)) in printed.items():
        shown, left = headline(report), page[0].left
        text = unescape(" ".join(word.text for word in page))
        for sentence in (shown.title, shown.period, shown.news, *(line.text for line in shown.lines)):
            assert " ".join(sentence.split()) in text, name
        top = next(word.top for word in page if word.text == shown.tiles[0].label.split()[0] and word.top > page[0].top)
        notes = max(len(tile.notes) for tile in shown.tiles)
        inside = [word for word in page if top <= word.top < top + (18 + 30 + 18 * notes) * 0.75 - 4]
        for word in inside:
            tile = int((word.left - left) / tile_points)
            assert word.right < left + (tile + 1) * tile_points - 2, (name, word.text)
        assert len(inside) >= sum(len(note.split()) for tile in shown.tiles for note in (tile.label, *tile.notes))


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("snapshots", SNAPSHOTS.values(), ids=SNAPSHOTS)
def test_texts_of_summary_that_do_not_wrap_fit_their_cells(tmp_path: Path, snapshots: list, language: str) -> None:
    page = summary_page(report_of(snapshots, tmp_path, language))
    short = [cell for cell in page.cells if cell.style.endswith((" label", " note", "small alert", "link"))]
    assert {cell.style for cell in short} >= {"tile label", "tile note", "small alert", "line label", "link"}
    too_long = [cell.value for cell in short if cell.value and count_lines(str(cell.value), cell.columns) > 1]
    assert too_long == []


# Charts


@pytest.mark.parametrize(("language", "tag"), [("en", "en-GB"), ("fr", "fr-FR")])
def test_charts_are_native_and_their_texts_have_the_language_of_the_run(
    tmp_path: Path, language: str, tag: str
) -> None:
    written = write(report_of(SNAPSHOTS["third"], tmp_path, language), tmp_path)
    charts = xml(written, "charts/chart")
    assert len(written.open().worksheets[0]._charts) == 2  # noqa: SLF001
    assert set(re.findall(r'lang="([^"]*)"', charts)) <= {tag}
    assert re.findall(r'<c:lang val="([^"]*)"', charts) == [tag, tag]


def test_alternative_texts_state_the_figures(third: Written) -> None:
    trend, sellers = re.findall(r'descr="([^"]*)"', xml(third, "drawings/drawing"))
    assert trend == (
        "Sold by period, by the date on which it ends. 15 Apr 2025: €971.00; 15 May 2025: €526.90."
    )  # fmt: skip
    assert sellers.endswith("Château bon-25: €199.90; Château 4334: €196.00; Château 4402: €180.00.")


# The same bytes, hostile content, limits


def test_same_snapshot_gives_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    written = [write(report_of(SNAPSHOTS["third"], tmp_path), tmp_path / "a")]
    time.sleep(2.1)  # the resolution of a date in an archive
    written.append(write(report_of(SNAPSHOTS["third"], tmp_path), tmp_path / "b"))
    assert written[0].workbook.read_bytes() == written[1].workbook.read_bytes()


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_text_in_every_file(tmp_path: Path, title: str) -> None:
    written = write(titled(report_of(SNAPSHOTS["third"], tmp_path), [title]), tmp_path)
    assert written.audit() == []
    shown = written.table("Products")[0]["Wine"]
    assert shown.replace("_x005F_", "_") == title
    assert {(sheet._charts and 1) or 0 for sheet in written.open()} == {0, 1}  # noqa: SLF001


def test_the_only_formulas_are_the_totals_and_no_text_of_a_wine_is_a_link(tmp_path: Path) -> None:
    written = write(titled(report_of(SNAPSHOTS["third"], tmp_path), list(HOSTILE.values())[:17]), tmp_path)
    formulas = re.findall(r"<f>(.*?)</f>", xml(written, "worksheets/"))
    assert formulas
    assert all(re.fullmatch(r"SUBTOTAL\(109,[A-Z]\d+(:[A-Z]\d+)?\)", formula) for formula in formulas)
    targets = re.findall(r"<hyperlink [^>]*location=\"([^\"]*)\"", xml(written, "worksheets/"))
    assert set(targets) == {"'Changes'!A1", "'Stock'!A1", "'Data checks'!A1"}


def test_control_characters_are_replaced_and_lines_kept() -> None:
    texts = pl.Series(["a\x00b", "a\x1fb", "a\r\nb", "a\rb", "￿"])
    assert cell_texts(texts).to_list() == ["a�b", "a�b", "a\nb", "a\nb", "�"]
    assert [cell_text(text) for text in texts] == cell_texts(texts).to_list()


@pytest.mark.parametrize(
    ("letter", "units", "length", "kept"),
    [("é", 1, 32_767, 32_767), ("é", 1, 32_768, 32_766), ("🍷", 2, 16_384, 16_383)],
    ids=["fits", "one too many", "two units each"],
)
def test_long_text_is_cut_to_what_a_cell_has_room_for(letter: str, units: int, length: int, kept: int) -> None:
    (cut,) = cell_texts(pl.Series([letter * length]))
    assert cut == (letter * kept if kept == length else letter * kept + "…")
    assert units * kept < 32_768


def test_long_title_makes_a_valid_workbook(tmp_path: Path) -> None:
    written = write(titled(report_of(SNAPSHOTS["third"], tmp_path), ["\x07" + "Clos " * 9_000]), tmp_path)
    assert written.audit() == []
    with zipfile.ZipFile(written.workbook) as archive:
        for name in archive.namelist():
            ET.fromstring(archive.read(name))


def test_cell_that_is_not_written_ends_the_run_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "cell_text", lambda text: text + "x" * 40_000)
    with pytest.raises(writer.CellNotWritten, match=r"^Summary: code -2$"):
        write(report_of(SNAPSHOTS["third"], tmp_path), tmp_path)
    assert not list(tmp_path.rglob("*report*.xlsx"))


def test_more_issues_than_a_sheet_has_room_for_are_cut_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "TABLE_LIMIT", 40)
    report = report_of(SNAPSHOTS["third"], tmp_path)
    issues = issue_frame(Issue("web.xlsx", "no-key", row=row) for row in range(2, 102))
    written = write(replace(report, issues=issues), tmp_path)
    assert "The first 27 of 100 rows and cells: a sheet holds no more." in written.texts("Data checks")[1]
    assert written.audit() == []


def test_largest_amounts_are_exact(tmp_path: Path) -> None:
    report = report_of(SNAPSHOTS["third"], tmp_path)
    wines = report.wines.with_columns(revenue=pl.lit(Decimal("9999999999999.99"), pl.Decimal(38, 2)))
    written = write(replace(report, period=report.period._replace(wines=wines.lazy())), tmp_path)
    assert written.table("Products")[0]["Total revenue to date (€)"] == 9999999999999.99


# The audit


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("snapshots", SNAPSHOTS.values(), ids=SNAPSHOTS)
def test_untouched_files_agree_with_the_results(tmp_path: Path, snapshots: list, language: str) -> None:
    assert write(report_of(snapshots, tmp_path, language), tmp_path).audit() == []


def change(written: Written, sheet: str, address: str, value: object) -> None:
    book = openpyxl.load_workbook(written.workbook, data_only=True)
    book[sheet][address] = value
    book.save(written.workbook)


@pytest.mark.parametrize(
    ("sheet", "address", "value", "sentence"),
    [
        ("Summary", "A2", "Sales rose.", ", A2: Sales rose. instead of Sales fell 46% on the period before"),
        ("Summary", "A5", 526.91, ", A5: 526.91 instead of 526.90."),
        ("Summary", "X40", "note", ", X40: note instead of None."),
        ("Products", "D5", "Vin", ", post_title: 1 cell differs from the results; the first is in row 1 of the table"),
        ("Products", "J6", 2340.01, ", revenue: 1 cell differs"),
        ("Products", "L6", 1.0, ", z_score: 1 cell differs"),
        ("Products", "I4", "Price", ", I4: Price instead of Price (€)."),
        ("Products", "J3", 1, ", J3: 1 instead of 7635.9."),
        ("Products", "Z9", 1, ", Z9: 1 is to the right of the table."),
        ("Stock", "A5", None, ", state: 1 cell differs"),
        ("Changes", "H7", 179, ", price: 1 cell differs"),
        ("Data checks", "C5", 124, ", rows: 1 cell differs"),
        ("About", "B5", "erp.xlsx", ", meaning: 1 cell differs"),
        ("Chart data", "B2", 1, ", current: 1 cell differs"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_changed_cell_is_found(third: Written, sheet: str, address: str, value: object, sentence: str) -> None:
    change(third, sheet, address, value)
    (found,) = third.audit()
    assert found.startswith(f"sales_report_2025-05.xlsx [{sheet}]{sentence}")


def test_dropped_row_and_missing_sheet_are_found(third: Written) -> None:
    book = openpyxl.load_workbook(third.workbook, data_only=True)
    book["Products"].delete_rows(7)
    del book["Stock"]
    book.save(third.workbook)
    found = third.audit()
    assert any("[Products] has 16 rows where the results have 17." in one for one in found)
    assert any("[Stock] cannot be read back" in one for one in found)


def test_wrong_summary_is_found(third: Written) -> None:
    summary = third.report.summary
    other = replace(summary, figures=replace(summary.figures, revenue=Decimal(1)))
    assert Written(replace(third.report, summary=other), third.files).audit()


def test_changed_csv_files_are_found(third: Written) -> None:
    path = third.files.path(third.files.ordinary)
    path.write_text(path.read_text("utf-8").replace("49.00", "49.01", 1), "utf-8")
    third.files.path(third.files.issues).unlink()
    found = third.audit()
    assert [one.split(" ")[0] for one in found] == ["ordinary_wines_2025-05.csv,", "data_issues_2025-05.csv"]


def test_workbook_that_is_not_the_one_named_on_the_about_sheet_is_found(third: Written) -> None:
    third.report.workbooks[0].path.write_bytes(b"erq")
    (sentence,) = third.audit()
    assert sentence.startswith("erp.xlsx has the SHA-256 ")


# Another program


@pytest.mark.parametrize("language", ["en", "fr"])
def test_recalculation_in_libreoffice_changes_nothing(tmp_path: Path, language: str) -> None:
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("needs LibreOffice (soffice) to calculate the workbook again")
    written = write(report_of(SNAPSHOTS["third"], tmp_path, language), tmp_path)
    out = tmp_path / "calculated"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    # A file that is not LibreOffice's own is calculated again when it is opened; it is saved with the result.
    command = [soffice, profile, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out)]
    subprocess.run([*command, str(written.workbook)], check=True, capture_output=True, timeout=300)
    written.workbook.write_bytes((out / written.workbook.name).read_bytes())
    assert written.audit() == []
