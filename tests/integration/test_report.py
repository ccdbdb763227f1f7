"""The report as people find it on disk: written, opened again, and compared."""

import hashlib
import inspect
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from openpyxl.cell import Cell
from polars.testing import assert_frame_equal

from tasks.domain.comparison import CHANGE_KINDS, compare_wines, compute_comparison, gone_wines
from tasks.domain.figures import Comparison, Figures, MonthSummary, StockFigures
from tasks.domain.issues import DataRefused, Issue, issue_frame
from tasks.domain.parameters import Language, Parameters
from tasks.domain.rules import RULES
from tasks.domain.schemas import WINE_FILE_COLUMNS, ComparedWine, DataIssue, PublishedWine, RowCount, Wine
from tasks.domain.stock import STOCK_STATES, compute_stock
from tasks.report.audit import audit_files
from tasks.report.cells import cell_text, cell_texts
from tasks.report.csv_files import UnexpectedContent, read_issues, read_wines, write_issues, write_wines
from tasks.report.price_bands import all_price_bands, premium_price_bands
from tasks.report.rows import CellColumn, OutsideTheSheet, write_rows
from tasks.report.words import LANGUAGES, English
from tasks.report.words.fr import French
from tasks.report.workbook import write_workbook
from tasks.storage.protocol import StoredFile
from tasks.workbook.fetch import FetchedWorkbook

# openpyxl does not know what Excel added in 2010, such as the bars in the share column.
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

MAY = Parameters("2025-05", date(2025, 5, 15))
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


def wines(*rows: tuple[str, str | None, int, str, float], stock: dict[str, int | None] | None = None) -> pl.DataFrame:
    """Rows of product_id, title, units, price and z-score; a case and more in stock where nothing else is said."""
    return (
        pl.DataFrame(rows, schema=["product_id", "post_title", "total_sales", "price", "z_score"], orient="row")
        .with_columns(
            pl.col("price").cast(pl.Decimal(18, 2)),
            pl.format("sku-{}", "product_id").alias("sku"),
            (pl.col("z_score") > 2).alias("is_premium"),
            pl.lit(None, pl.Date).alias("post_date"),
            pl.Series("stock_quantity", [(stock or {}).get(row[0], 60) for row in rows], pl.Int64),
        )
        .with_columns((pl.col("price") * pl.col("total_sales")).cast(pl.Decimal(38, 2)).alias("revenue"))
        .select(Wine.column_names())
        .cast(Wine.create_empty().schema)
        .sort("revenue", "product_id", descending=[True, False])
    )


MONTH = wines(
    ("4334", "Champagne Gosset Grand Blanc de Blancs", 96, "49.00", 0.59),
    ("4402", "Cognac Frapin VIP XO", 13, "176.00", 5.16),
    ("4144", "Champagne Gosset Grand Rosé", 10, "49.00", 0.59),
    ("4355", "Champagne Egly-Ouriet Grand Cru Blanc de Noirs", 2, "126.50", 3.38),
    ("bon-25", None, 10, "19.99", -0.4),
    ("4729", "Emile Boeckel Crémant Brut Blanc de Blancs", 0, "8.60", -0.86),
    stock={"4334": 0, "4402": 2, "bon-25": None, "4729": 25},
)
ORDINARY = MONTH.with_columns(pl.lit(value=False).alias("is_premium"))

BEFORE = wines(
    ("4334", "Champagne Gosset Grand Blanc de Blancs", 90, "49.00", 0.59),
    ("4402", "Cognac Frapin VIP XO", 10, "170.00", 1.90),
    ("4144", "Champagne Gosset Grand Rosé", 14, "49.00", 0.59),
    ("4355", "Champagne Egly-Ouriet Grand Cru Blanc de Noirs", 2, "126.50", 3.38),
    ("4729", "Emile Boeckel Crémant Brut Blanc de Blancs", 0, "8.60", -0.86),
    ("9999", "Vin disparu", 5, "20.00", 0.0),
)
"""Against it: bon-25 is new, 9999 is gone, 4402 is dearer and newly premium, the counter of 4144 fell."""

ISSUES = issue_frame(
    [
        Issue("web.xlsx", "no-key", sheet="Sheet1", row=355, cell="B355", column="sku", disposition="rejected"),
        Issue("erp.xlsx", "not-above-zero", sheet="S", row=9, cell="C9", column="price", value="=cmd", key="'4233"),
        Issue("erp.xlsx", "absent-column", column="stock_status"),
    ]
)

COUNTS = pl.DataFrame(
    [
        ("erp", "used", None, None, 5, None),
        ("erp", "rejected", "not-sold-online", None, 108, None),
        ("erp", "rejected", "on-sale-unlinked", None, 3, None),
        ("web", "ignored", "other-post-type", "attachment", 714, None),
        ("web", "rejected", "no-key", None, 2, 13),
    ],
    schema=RowCount.create_empty().schema,
    orient="row",
)


def figures_of(month: pl.DataFrame) -> Figures:
    premium = month.filter("is_premium")
    return Figures(
        products=month.height,
        units=month["total_sales"].sum(),
        revenue=month["revenue"].sum(),
        premium=premium.height,
        ordinary=month.height - premium.height,
        premium_revenue=premium["revenue"].sum(),
        threshold_price=Decimal("88.09"),
        cheapest_premium=premium["price"].min(),
    )


class Report:
    """The four files of a month, as the audit takes them."""

    def __init__(
        self,
        folder: Path,
        month: pl.DataFrame,
        issues: pl.DataFrame = ISSUES,
        counts: pl.DataFrame = COUNTS,
        before: pl.DataFrame | None = None,
        before_month: str = "2025-04",
        language: Language = "en",
    ) -> None:
        then = None if before is None else before.select(PublishedWine.column_names()).lazy()
        self.wines, self.gone = compare_wines(month.lazy(), then).collect(), gone_wines(month.lazy(), then).collect()
        comparison = None
        if before is not None:
            comparison = compute_comparison(MAY.month, self.wines, self.gone, before_month, "5f" * 32)
        parameters = replace(MAY, language=language)
        self.summary = MonthSummary(parameters, figures_of(month), compute_stock(month), comparison, counts)
        self.issues, self.words = issues, LANGUAGES[language]
        self.workbook, self.premium = folder / "report.xlsx", folder / "premium.csv"
        self.ordinary, self.issues_csv = folder / "ordinary.csv", folder / "issues.csv"
        copy = folder / "erp.bin"
        self.inputs = [
            FetchedWorkbook("erp", "prix & stock.xlsx", copy, StoredFile(3, hashlib.sha256(b"erp").hexdigest()))
        ]
        write_workbook(self.workbook, self.summary, self.wines, self.gone, issues, self.inputs)
        copy.write_bytes(b"erp")
        write_wines(self.premium, month.filter("is_premium"), parameters.csv_dialect)
        write_wines(self.ordinary, month.filter(~pl.col("is_premium")), parameters.csv_dialect)
        write_issues(self.issues_csv, issues, parameters.csv_dialect)

    def audit(self) -> list[str]:
        paths = (self.workbook, self.premium, self.ordinary, self.issues_csv)
        return audit_files(*paths, self.wines, self.gone, self.issues, self.summary, self.inputs)

    def open(self) -> openpyxl.Workbook:
        return openpyxl.load_workbook(self.workbook)

    def values(self, sheet: str) -> list[tuple[object, ...]]:
        return list(openpyxl.load_workbook(self.workbook, data_only=True)[sheet].iter_rows(values_only=True))

    def lines(self, sheet: str) -> list[list[object]]:
        """The rows of a sheet without their empty cells."""
        return [[cell for cell in row if cell is not None] for row in self.values(sheet)]

    def table(self, sheet: str) -> list[dict[object, object]]:
        """The rows below the headings in row 4."""
        _, _, _, header, *rows = self.values(sheet)
        return [dict(zip(header, row, strict=True)) for row in rows]

    def tamper(self, sheet: str, change: Callable[[openpyxl.worksheet.worksheet.Worksheet], object]) -> None:
        """Change the stored values of a sheet, as another program would."""
        book = openpyxl.load_workbook(self.workbook, data_only=True)
        change(book[sheet])
        book.save(self.workbook)


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(tmp_path, MONTH)


# The workbook


def test_sheets_stand_in_reading_order_and_only_the_chart_data_is_hidden(report):
    sheets = {sheet.title: sheet.sheet_state for sheet in report.open().worksheets}
    visible = [
        "Summary",
        "Revenue by product",
        "Premium wines",
        "Stock",
        "Changes",
        "Quality",
        "Rows to look at",
        "About",
    ]
    assert sheets == {**dict.fromkeys(visible, "visible"), "Chart data": "hidden"}
    assert report.open().active.title == "Summary"
    assert report.open().properties.title == "Wine sales, May 2025"


def test_the_shares_of_ten_equal_wines_add_up_to_one_in_every_version_of_python(tmp_path):
    report = Report(tmp_path, wines(*((str(number), None, 1, "10.00", 0.0) for number in range(10))))
    assert [row[7] for row in report.values("Revenue by product")[2:3]] == [1.0]
    assert b"<v>1.0</v>" in zipfile.ZipFile(report.workbook).read("xl/worksheets/sheet2.xml")


def tiles(report: Report) -> dict[object, list[object]]:
    """What stands below each label of the headline figures."""
    rows = report.values("Summary")
    at = next(index for index, row in enumerate(rows) if report.words.UNITS_LABEL in row)
    height = 4 if report.summary.comparison else 3
    return {column[0]: list(column[1:]) for column in zip(*rows[at : at + height], strict=True) if column[0]}


def test_summary_of_a_first_month_says_it_in_numbers_without_empty_tiles(report):
    assert tiles(report) == {
        "Total revenue": [7934.9, "60.57 € per unit"],
        "Units sold": [131, "1 product without a sale"],
        "Products": [6, "2 premium, 4 ordinary"],
        "Products that make 80 %": [2, "33.3 % of all products"],
        "Premium wines": [2, "priced above 88.09 €"],
        "Premium share of revenue": [pytest.approx(0.320230, abs=1e-6), "2,541.00 €"],
    }
    lines = report.lines("Summary")
    assert ["This is the first month published here: there is nothing to compare it with yet."] in lines
    assert ["Premium", 2, 15, 2541] in [line[:4] for line in lines]
    assert ["Ordinary", 4, 116, 5393.9] in [line[:4] for line in lines]
    assert ["All products", 6, 131, 7934.9] in [line[:4] for line in lines]


def test_summary_of_a_later_month_shows_each_figure_with_its_change(tmp_path):
    report = Report(tmp_path, MONTH, before=BEFORE)
    assert tiles(report) == {
        "Total revenue": [7934.9, "+785.90 € (+11.0 %)", "60.57 € per unit"],
        "Units sold": [131, "+10 (+8.3 %)", "1 product without a sale"],
        "Products": [6, "no change: 1 new, 1 gone", "2 premium, 4 ordinary"],
        "Products that make 80 %": [2, "no change", "33.3 % of all products"],
        "Premium wines": [2, "+1: 1 newly, 0 no longer", "priced above 88.09 €"],
        "Premium share of revenue": [pytest.approx(0.320230, abs=1e-6), "+28.5 points", "2,541.00 €"],
    }
    lines = report.lines("Summary")
    assert lines[1] == [
        "Compared with April 2025, the month before: 9 units were sold since, worth 822.00 € at today's prices."
    ]
    reckoning = {line[0]: line[1:4] for line in lines if line}
    assert reckoning["April 2025"] == [6, 121, 7149]
    assert reckoning["Sold since, at today's prices"][:2] == [9, 822]
    assert reckoning["New prices"][:2] == [1, 60]
    assert reckoning["New products"] == [1, 10, 199.9]
    assert reckoning["Products gone"] == [1, -5, -100]
    assert reckoning["Counters that fell"] == [1, -4, -196]
    assert reckoning["May 2025"] == [6, 131, 7934.9]
    assert pytest.approx(7934.9) == 7149 + 822 + 60 + 199.9 - 100 - 196


def test_summary_flags_a_counter_that_fell_in_plain_words(tmp_path):
    warning = "Check the shop: 1 counter of sales fell, which cannot be. See the sheet Changes."
    assert warning in [line[0] for line in Report(tmp_path, MONTH, before=BEFORE).lines("Summary") if line]
    risen = BEFORE.with_columns(pl.col("total_sales").clip(upper_bound=2))
    assert warning not in [line[0] for line in Report(tmp_path, MONTH, before=risen).lines("Summary") if line]


def test_summary_names_the_gap_to_the_month_compared_with(tmp_path):
    report = Report(tmp_path, MONTH, before=BEFORE, before_month="2025-03")
    assert report.lines("Summary")[1][0].startswith(
        "Compared with March 2025, 2 months before: 9 units were sold since"
    )
    assert report.audit() == []
    (cognac,) = [row for row in report.table("Stock") if row["Product"] == "4402"]
    assert cognac["Months left"] == pytest.approx(2 / 1.5)


def test_summary_names_the_best_sellers_that_are_out_of_stock_and_counts_what_does_not_move(report):
    lines = [line[-3:] for line in report.lines("Summary") if line]
    assert ["Sold out", 1, "sellers without a bottle; they brought 4,704.00 € so far"] in lines
    assert ["Nearly out", 1, "sellers with fewer than 6 bottles left"] in lines
    assert ["Not moving", 1, "never sold: 25 bottles, 215.00 € at selling price"] in lines
    assert ["No count", 1, "products whose stock the ERP does not count"] in lines
    assert ["Champagne Gosset Grand Blanc de Blancs", 0, 4704] in lines
    assert ["Cognac Frapin VIP XO", 2, 2288] in lines


def test_summary_says_what_is_missing_what_matters_most_first(report):
    lines = report.lines("Summary")
    at = lines.index(["What is missing from these figures"])
    assert lines[at + 1 : at + 6] == [
        ["113 rows were rejected; 13 sold units have no product here and no price."],
        ["Workbook", "Reason", "Rows", "Units sold"],
        ["Web shop", "The key is empty: the row cannot be joined", 2, 13],
        ["ERP", "The product is sold online and has no product in the shop", 3],
        ["ERP", "The product is not sold online", 108],
    ]


def test_summary_names_the_reasons_it_has_room_for_and_counts_the_others(tmp_path):
    rules = ["no-key", "repetition", "no-web-id", "unknown-product", "unknown-web-id", "on-sale-unlinked"]
    rules += ["not-sold-online", "no-partner", "unlinked-sales"]
    counts = pl.DataFrame(
        [("web", "rejected", rule, None, 1, None) for rule in rules], schema=COUNTS.schema, orient="row"
    )
    report = Report(tmp_path, MONTH, counts=counts)
    assert report.lines("Summary")[-1] == ["4 other reasons: see the sheet Quality"]
    assert report.audit() == []


def test_summary_says_so_when_nothing_is_missing(tmp_path):
    report = Report(tmp_path, MONTH, counts=COUNTS.filter(pl.col("disposition") != "rejected"))
    assert report.lines("Summary")[-1] == ["Nothing: no row was rejected."]
    assert report.audit() == []


def test_summary_fits_one_page(report):
    sheet = report.open()["Summary"]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.print_area.startswith("'Summary'!$A$1:$L$")
    assert sheet.merged_cells.ranges == set()


def test_month_without_sales_is_written_and_passes_the_audit(tmp_path):
    unsold = MONTH.with_columns(pl.col("total_sales") * 0, (pl.col("revenue") * 0).cast(pl.Decimal(38, 2)))
    report = Report(tmp_path, unsold)
    assert report.audit() == []
    assert [tile[0] for tile in tiles(report).values()] == [0, 0, 6, 0, 2, 0]


def test_summary_says_that_the_month_is_a_label(report):
    assert "May 2025 is the label of that snapshot, not a period measured by it." in report.values("Summary")[2][0]


def test_revenue_sheet_lists_every_product_in_order_with_number_formats(report):
    sheet = report.open()["Revenue by product"]
    header, first = sheet[4], sheet[5]
    assert [cell.value for cell in header] == [
        "Rank", "Product", "SKU", "Wine", "Units sold", "Price (€)", "Revenue (€)",
        "Share of revenue", "Cumulative share", "In stock", "z-score", "Premium",
    ]  # fmt: skip
    assert [cell.value for cell in first][:7] == [
        1, "4334", "sku-4334", "Champagne Gosset Grand Blanc de Blancs", 96, 49, 4704,
    ]  # fmt: skip
    assert [cell.number_format for cell in first][4:11] == [
        "#,##0", '#,##0.00 "€"', '#,##0.00 "€"', "0.0 %", "0.0 %", "#,##0", "0.00",
    ]  # fmt: skip
    assert [row[1].value for row in sheet.iter_rows(min_row=5)] == MONTH["product_id"].to_list()
    assert [row[11].value for row in sheet.iter_rows(min_row=5)] == [None, "Premium", None, "Premium", None, None]


def test_revenue_sheet_of_a_later_month_shows_places_gained_and_what_was_sold_since(tmp_path):
    rows = Report(tmp_path, MONTH, before=BEFORE).table("Revenue by product")
    assert [(row["Product"], row["Places gained"], row["Sold since"], row["Sold since (€)"]) for row in rows] == [
        ("4334", 0, 6, 294),
        ("4402", 0, 3, 528),
        ("4144", 0, -4, -196),
        ("4355", 0, 0, 0),
        ("bon-25", "new", None, None),
        ("4729", 0, 0, 0),
    ]


def test_stock_sheet_lists_sold_out_sellers_then_nearly_out_then_idle_stock(report):
    rows = [(row["State"], row["Product"], row["In stock"], row["In stock (€)"]) for row in report.table("Stock")]
    assert rows == [
        ("sold out", "4334", 0, 0),
        ("nearly out", "4402", 2, 352),
        ("not moving", "4729", 25, 215),
        ("no count", "bon-25", None, None),
    ]


def test_changes_sheet_tells_every_change_fallen_counters_first_and_keeps_gone_products(tmp_path):
    rows = Report(tmp_path, MONTH, before=BEFORE).table("Changes")
    told = [(row["Change"], row["Product"], row["Revenue before (€)"], row["Revenue (€)"]) for row in rows]
    assert told == [
        ("counter fell", "4144", 686, 490),
        ("new", "bon-25", None, 199.9),
        ("gone", "9999", 100, None),
        ("newly premium", "4402", 1700, 2288),
        ("new price", "4402", 1700, 2288),
    ]


def test_about_sheet_names_the_workbooks_the_settings_and_the_month_compared_with(tmp_path):
    told = dict(line for line in Report(tmp_path, MONTH, before=BEFORE).lines("About") if len(line) == 2)
    assert told["ERP"] == f"prix & stock.xlsx, 3 bytes, SHA-256 {hashlib.sha256(b'erp').hexdigest()}"
    assert told["Premium threshold (z-score)"] == "2"
    assert told["Identity of its result"] == "5f" * 32
    assert told["Counter that fell"].startswith("A counter of sales only grows.")


def test_tables_have_a_frozen_header_a_filter_and_print_on_numbered_landscape_pages(tmp_path):
    report = Report(tmp_path, MONTH, before=BEFORE)
    for name in ("Revenue by product", "Premium wines", "Stock", "Changes", "Quality", "Rows to look at"):
        sheet = report.open()[name]
        assert (sheet.freeze_panes, sheet.print_title_rows) == ("A5", "$4:$4"), name
        assert sheet.auto_filter.ref == f"A4:{sheet.cell(sheet.max_row, len(list(sheet.columns))).coordinate}"
        assert sheet.page_setup.orientation == "landscape"
        assert "&P" in sheet.oddFooter.right.text


def test_total_row_stands_outside_the_filter_and_is_right_before_and_after_recalculation(report):
    shown = report.open()["Revenue by product"]
    assert [shown["B3"].value, shown["E3"].value, shown["G3"].value, shown["H3"].value] == [
        "=SUBTOTAL(103,B5:B10)", "=SUBTOTAL(109,E5:E10)", "=SUBTOTAL(109,G5:G10)", "=SUBTOTAL(109,H5:H10)",
    ]  # fmt: skip
    totals = report.values("Revenue by product")[2]
    assert totals[1:8] == (6, None, "Total of the rows shown", 131, None, 7934.9, pytest.approx(1))


def test_the_only_formulas_are_the_totals_and_nothing_is_a_link(tmp_path):
    hostile = wines(*((f"={index}", title, 1, "9.99", 0) for index, title in enumerate(HOSTILE.values())))
    report = Report(tmp_path, hostile)
    with zipfile.ZipFile(report.workbook) as archive:
        sheets = "".join(archive.read(name).decode() for name in archive.namelist() if "worksheets/" in name)
    formulas = re.findall(r"<f>(.*?)</f>", sheets)
    assert len(formulas) == 5 + 5 + 5
    assert all(re.fullmatch(r"SUBTOTAL\(10[39],[A-Z]\d+(:[A-Z]\d+)?\)", formula) for formula in formulas)
    assert "<hyperlink" not in sheets


def test_charts_are_native_told_in_words_and_premium_has_its_own(report, tmp_path):
    def charts(report: Report) -> dict[str, int]:
        sheets = {sheet.title: len(sheet._charts) for sheet in report.open()}  # noqa: SLF001
        return {name: number for name, number in sheets.items() if number}

    assert charts(report) == {"Summary": 2, "Premium wines": 2}
    with zipfile.ZipFile(report.workbook) as archive:
        drawings = [archive.read(name).decode() for name in archive.namelist() if "drawings/drawing" in name]
    assert re.findall(r'descr="(\w+ chart): ', "".join(drawings)) == ["Bar chart"] * 2 + ["Column chart"] * 2
    assert charts(Report(tmp_path, ORDINARY)) == {"Summary": 2, "Premium wines": 1}


def test_month_without_premium_wine_says_so_and_passes_the_audit(tmp_path):
    report = Report(tmp_path, ORDINARY)
    rows = report.values("Premium wines")
    assert rows[1][0] == "No wine is premium this month: no price is above 88.09 € (z-score above 2)."
    assert len(rows) == 4
    assert report.premium.read_text("utf-8") == ",".join(WINE_FILE_COLUMNS) + "\n"
    assert report.audit() == []


def test_quality_sheet_counts_in_words_and_another_lists_the_rows(report):
    lines = report.lines("Quality")
    assert lines[4] == ["ERP", "116 rows read", 116]
    assert ["Web shop", "ignored", "The post is not a product (attachment)", 714] in lines
    rows = report.table("Rows to look at")
    assert list(rows[1].values())[:8] == ["erp.xlsx", "S", 9, "C9", "price", "=cmd", "is not above 0", "not-above-zero"]
    assert len(rows) == ISSUES.height


def test_month_without_issues_is_written_and_passes_the_audit(tmp_path):
    assert Report(tmp_path, MONTH, ISSUES.clear()).audit() == []


def test_same_month_gives_the_same_bytes_at_another_time(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    Report(first, MONTH)
    time.sleep(2.1)  # the clock of a zip archive ticks every two seconds
    Report(second, MONTH)
    for file in first.iterdir():
        assert file.read_bytes() == (second / file.name).read_bytes(), file.name


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_survives_in_every_file(tmp_path, title):
    month = wines((title, title, 3, "120.00", 2.5), ("2", title, 1, "9.99", 0.0))
    report = Report(tmp_path, month, issue_frame([Issue(title, "no-key", value=title, cell="A1", key=title)]))
    assert report.audit() == []
    with zipfile.ZipFile(report.workbook) as archive:
        for name in archive.namelist():
            ET.fromstring(archive.read(name))


def test_control_characters_are_replaced_and_lines_kept():
    texts = pl.Series(["a\x00b\x0bc\x1fd\uffffe", "a\tb", "a\r\nb\rc"])
    assert cell_texts(texts).to_list() == ["a�b�c�d�e", "a\tb", "a\nb\nc"]
    assert [cell_text(text) for text in texts] == cell_texts(texts).to_list()


@pytest.mark.parametrize(
    ("length", "kept"),
    [(32_766, 32_766), (32_767, 32_767), (32_768, 32_767), (100_000, 32_767)],
    ids=["inside", "on the limit", "outside", "far outside"],
)
@pytest.mark.parametrize(("letter", "units"), [("a", 1), ("é", 1), ("🍷", 2)], ids=["ascii", "accent", "emoji"])
def test_long_text_is_cut_to_what_a_cell_holds(letter, units, length, kept):
    (text,) = cell_texts(pl.Series([letter * (length // units)]))
    assert text == cell_text(letter * (length // units))
    assert len(text.encode("utf-16-le")) // 2 in {kept, kept - 1}
    assert text.endswith("…") == (length // units * units > 32_767)


def test_long_title_and_control_characters_make_a_valid_workbook(tmp_path):
    month = wines(("1", "x" * 40_000, 3, "120.00", 2.5), ("2", "a\x01b\rc", 1, "9.99", 0.0))
    report = Report(tmp_path, month)
    titles = [row[3] for row in report.values("Revenue by product")[4:]]
    assert titles == ["x" * 32_766 + "…", "a�b\nc"]
    assert report.audit() == []


def test_largest_amounts_are_exact(tmp_path):
    month = wines(("1", "A", 1, "9999999999999.99", 2.5), ("2", "B", 7, "0.01", 0.0))
    month = month.with_columns(pl.lit(value=False).alias("is_premium"))
    report = Report(tmp_path, month)
    assert report.values("Revenue by product")[4][5:7] == (9999999999999.99, 9999999999999.99)
    report.summary = replace(
        report.summary, figures=replace(report.summary.figures, revenue=Decimal("9999999999999.98"))
    )
    assert any("Total revenue" in sentence for sentence in report.audit())


def test_too_many_products_are_refused_and_leave_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.report.sheets.TABLE_LIMIT", 5)
    with pytest.raises(DataRefused, match=r"^6 products do not fit a sheet, which holds 5 of them\.$"):
        Report(tmp_path, MONTH)
    assert list(tmp_path.iterdir()) == []


def test_cell_that_is_not_written_ends_the_run_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.report.sheets.FIRST_ROW", 1_048_574)
    with pytest.raises(OutsideTheSheet, match="Revenue by product, row 1048580, column 12"):
        Report(tmp_path, MONTH)
    assert list(tmp_path.iterdir()) == []


def test_more_issues_than_a_sheet_holds_are_cut_with_a_note(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.report.sheets.TABLE_LIMIT", 7)
    monkeypatch.setattr("tasks.report.audit.ROW_LIMIT", 11)
    report = Report(tmp_path, MONTH, pl.concat([ISSUES] * 3))
    assert len(report.table("Rows to look at")) == 7
    assert report.lines("Rows to look at")[1][0].endswith("The first 7 of 9 rows: a sheet holds no more.")
    assert read_issues(report.issues_csv).height == 9
    assert report.audit() == []


# Price bands


def test_bands_are_counted_from_the_threshold_and_hold_every_product():
    bands = all_price_bands(MONTH, Decimal("88.09"), LANGUAGES["en"])
    assert bands.step == 10
    assert bands.table.rows() == [
        ("8\N{EN DASH}18", 1, None, None),
        ("18\N{EN DASH}28", 1, None, None),
        ("28\N{EN DASH}38", None, None, None),
        ("38\N{EN DASH}48", None, None, None),
        ("48\N{EN DASH}58", 2, None, None),
        ("58\N{EN DASH}68", None, None, None),
        ("68\N{EN DASH}78", None, None, None),
        ("78\N{EN DASH}88", None, None, None),
        (" ", None, None, 2),
        ("88\N{EN DASH}98", None, None, None),
        ("98\N{EN DASH}108", None, None, None),
        ("108\N{EN DASH}118", None, None, None),
        ("118\N{EN DASH}128", None, 1, None),
        ("128\N{EN DASH}138", None, None, None),
        ("138\N{EN DASH}148", None, None, None),
        ("148\N{EN DASH}158", None, None, None),
        ("158 +", None, 1, None),
    ]
    assert premium_price_bands(MONTH, Decimal("88.09"), LANGUAGES["en"]).table["premium"].sum() == 2


@pytest.mark.parametrize("threshold", ["-5.00", "0.00", "0.02", "88.09", "9999999999999.99"])
def test_any_threshold_keeps_every_product_in_few_bands(threshold):
    table = all_price_bands(MONTH, Decimal(threshold), LANGUAGES["en"]).table
    assert (table["ordinary"].sum(), table["premium"].sum()) == (4, 2)
    assert table.height <= 13 + 1 + 8


# CSV files


def test_wine_file_is_spelled_the_same_everywhere(tmp_path):
    path = tmp_path / "wines.csv"
    write_wines(path, wines(("1", "Clos, rouge", 2, "5.1", -0.0000001), ("2", None, 0, "7", -1.23456789)))
    assert path.read_bytes().decode() == (
        "product_id,sku,post_title,total_sales,price,revenue,z_score\n"
        '1,sku-1,"Clos, rouge",2,5.10,10.20,0.000000\n'
        "2,sku-2,,0,7.00,0.00,-1.234568\n"
    )


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@A1", "\tx", "\rx", "'x", "''x", "'=1", "'", "", None, "a\rb", "a\r\nb", " x ", "\n"],
    ids=repr,
)
def test_text_comes_back_exactly_and_never_as_a_formula(tmp_path, text):
    path = tmp_path / "wines.csv"
    month = wines(("1", text, 2, "5.10", -1.25), (text or "2", "last", 0, "5.10", 0.5))
    write_wines(path, month)
    assert_frame_equal(read_wines(path), month.select(WINE_FILE_COLUMNS))
    cells = pl.read_csv(path, infer_schema=False)
    for column in ("product_id", "sku", "post_title"):
        assert not cells[column].str.contains(r"^[=+\-@\t\r]").any()


def test_issue_file_comes_back_exactly(tmp_path):
    write_issues(tmp_path / "issues.csv", ISSUES)
    assert_frame_equal(read_issues(tmp_path / "issues.csv"), ISSUES.cast(pl.String))


def test_price_with_more_places_is_not_rounded_into_agreement(tmp_path):
    path = tmp_path / "wines.csv"
    write_wines(path, MONTH)
    path.write_text(path.read_text("utf-8").replace(",49.00,4704", ",49.004,4704"), "utf-8")
    with pytest.raises(UnexpectedContent, match=r'^price: "49.004" is not spelled as it was written\.$'):
        read_wines(path)


# The audit


def cell_under(sheet: openpyxl.worksheet.worksheet.Worksheet, heading: str, row: int) -> Cell:
    return next(sheet.cell(row, cell.column) for cell in sheet[4] if cell.value == heading)


def test_untouched_files_agree_with_the_results(report):
    assert report.audit() == []


@pytest.mark.parametrize(
    ("heading", "value", "sentence"),
    [
        ("Price (€)", 50, "price: 1 row differs from the results; the first is row 1 of the table, with 50.0 instead"),
        ("Price (€)", 49.001, "price: 1 row differs"),
        ("Price (€)", "49 €", "price: 1 row differs"),
        ("Revenue (€)", None, "revenue: 1 row differs"),
        ("Units sold", 97, "total_sales: 1 row differs"),
        ("Product", "4335", "product_id: 1 row differs"),
        ("SKU", "sku-4335", "sku: 1 row differs"),
        ("Wine", "Château Margaux", "post_title: 1 row differs"),
        ("Premium", "Premium", "class_mark: 1 row differs"),
    ],
)
def test_changed_cell_is_found(report, heading, value, sentence):
    def change(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        cell_under(sheet, heading, 5).value = value

    report.tamper("Revenue by product", change)
    assert len(report.audit()) == 1
    assert report.audit()[0].startswith(f"report.xlsx [Revenue by product], {sentence}")


def test_dropped_row_is_found_on_each_sheet(report):
    for sheet, rows in (("Revenue by product", 6), ("Premium wines", 2), ("Stock", 4), ("Rows to look at", 3)):
        report.tamper(sheet, lambda sheet: sheet.delete_rows(sheet.max_row))
        sentence = (
            f"report.xlsx [{sheet}] holds {rows - 1} {'row' if rows == 2 else 'rows'} where the results have {rows}."
        )
        assert sentence in report.audit()


def test_swapped_keys_are_found(report):
    def swap(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        one, other = cell_under(sheet, "Product", 5), cell_under(sheet, "Product", 6)
        one.value, other.value = other.value, one.value

    report.tamper("Premium wines", swap)
    (sentence,) = report.audit()
    assert sentence.startswith("report.xlsx [Premium wines], product_id: 2 rows differ")


def test_changed_total_is_found(report):
    report.tamper("Revenue by product", lambda sheet: sheet.__setitem__("G3", 1))
    assert report.audit() == [
        "report.xlsx [Revenue by product], Total of the rows shown, Revenue (€): 1 instead of 7934.9."
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"revenue": Decimal("7934.91")},
        {"units": 1},
        {"products": 7},
        {"premium": 3},
        {"ordinary": 5},
        {"premium_revenue": Decimal("2541.01")},
        {"threshold_price": Decimal("88.10")},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_summary_that_contradicts_the_figures_is_found(report, changed):
    report.summary = replace(report.summary, figures=replace(report.summary.figures, **changed))
    sentences = report.audit()
    assert sentences
    assert all(sentence.startswith("report.xlsx [Summary], ") for sentence in sentences)


def test_changed_issue_address_is_found(report):
    def change(sheet: openpyxl.worksheet.worksheet.Worksheet) -> None:
        sheet.cell(sheet.max_row - 1, 4).value = "C10"

    report.tamper("Rows to look at", change)
    (sentence,) = report.audit()
    assert sentence.endswith(
        "cell: 1 row differs from the results; the first is row 2 of the table, with C10 instead of C9."
    )


@pytest.mark.parametrize(
    "sheet",
    ["Summary", "Revenue by product", "Premium wines", "Stock", "Changes", "Quality", "Rows to look at", "About"],
)
def test_missing_sheet_is_found(report, sheet):
    report.tamper(sheet, lambda worksheet: worksheet.parent.remove(worksheet))
    (sentence,) = report.audit()
    assert sentence.startswith(f"report.xlsx [{sheet}] cannot be read back: ")


def test_missing_headings_are_found(report):
    report.tamper("Premium wines", lambda sheet: sheet.delete_rows(4))
    assert report.audit() == ["report.xlsx [Premium wines] has no row with the expected headings."]


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("ordinary.csv", "\n4144,", "\n4145,", "ordinary.csv, product_id: 1 row differs"),
        ("ordinary.csv", "sku-4144", "sku-4145", "ordinary.csv, sku: 1 row differs"),
        ("ordinary.csv", "490.00", "490.01", "ordinary.csv, revenue: 1 row differs"),
        ("ordinary.csv", "0.590000", "0.590001", "ordinary.csv, z_score: 2 rows differ"),
        ("ordinary.csv", "19.99,", "19.990,", "ordinary.csv cannot be read back: price:"),
        ("premium.csv", "176.00", "176.01", "premium.csv, price: 1 row differs"),
        ("premium.csv", "price", "prix", "premium.csv cannot be read back: the header is"),
        ("issues.csv", "C9", "C8", "issues.csv, cell: 1 row differs"),
        ("issues.csv", "B355", '"B355', "issues.csv "),
    ],
)
def test_changed_csv_file_is_found(report, file, old, new, sentence):
    path = report.workbook.with_name(file)
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    assert len(report.audit()) == 1
    assert report.audit()[0].startswith(sentence)


def test_missing_and_cut_off_files_are_found(report):
    report.workbook.write_bytes(report.workbook.read_bytes()[:1000])
    report.premium.unlink()
    lines = report.ordinary.read_bytes().splitlines(keepends=True)
    report.ordinary.write_bytes(b"".join(lines[:-1]))
    report.issues_csv.write_bytes(b"")
    sentences = report.audit()
    assert len(sentences) == 8 + 3
    assert "ordinary.csv holds 3 rows where the results have 4." in sentences


def test_wine_in_the_wrong_file_is_found(report):
    write_wines(report.premium, MONTH.head(3))
    assert report.audit() == ["premium.csv holds 3 rows where the results have 2."]


# Many rows at once


def test_rows_are_the_cells_that_openpyxl_reads(tmp_path):
    texts = [*HOSTILE.values(), None, ""]
    frame = pl.DataFrame(
        {
            "text": texts,
            "count": [None, *range(len(texts) - 1)],
            "money": pl.Series([Decimal("0.10")] * len(texts), dtype=pl.Decimal(38, 2)),
            "score": [-1e-7, 1 / 3, *[0.5] * (len(texts) - 2)],
            "flag": [True, *[False] * (len(texts) - 1)],
        }
    )
    path = tmp_path / "rows.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as workbook:
        sheet, plain, bold = workbook.add_worksheet(), workbook.add_format(), workbook.add_format({"bold": True})
        sheet.write_string(1, 0, "above")
        names = ["text", "count", "money", "score"]
        columns = [CellColumn(name, plain, bold, "empty" if name == "count" else None) for name in names]
        write_rows(sheet, 2, columns, frame, "flag")
        sheet.write_string(2 + frame.height, 1, "below")
    cells = openpyxl.load_workbook(path).active
    rows = [row[:4] for row in cells.iter_rows(min_row=3, max_row=2 + frame.height, values_only=True)]
    expected = frame.select(names).with_columns(pl.col("text").replace("", None), pl.col("money").cast(pl.Float64))
    # Excel's own escape of an escape, which openpyxl leaves as it stands in the file.
    assert [row[0] and row[0].replace("_x005F_", "_") for row in rows] == expected["text"].to_list()
    assert [row[1] for row in rows] == ["empty", *range(len(texts) - 1)]
    assert [row[2:] for row in rows] == expected.select("money", "score").rows()
    assert (cells["A3"].font.bold, cells["A4"].font.bold) == (True, False)
    assert (cells["A2"].value, cells.cell(3 + frame.height, 2).value) == ("above", "below")


@pytest.mark.parametrize("number", [float("nan"), float("inf")], ids=str)
def test_number_that_is_none_is_never_written(tmp_path, number):
    with xlsxwriter.Workbook(tmp_path / "rows.xlsx", {"constant_memory": True}) as workbook:
        plain = workbook.add_format()
        with pytest.raises(ValueError, match="not finite"):
            write_rows(
                workbook.add_worksheet(), 0, [CellColumn("n", plain, plain)], pl.DataFrame({"n": [number]}), None
            )


# Languages


ENGLISH, FRENCH = LANGUAGES["en"], LANGUAGES["fr"]
SHEETS = ["SUMMARY", "REVENUE", "PREMIUM", "STOCK", "CHANGES", "QUALITY", "ISSUES", "ABOUT", "CHART_DATA"]


def said_by(language: type) -> dict[str, object]:
    return {name: said for name, said in vars(language).items() if not name.startswith("__")}


def test_french_says_everything_that_english_says():
    english, french = said_by(English), said_by(French)
    assert set(english) <= set(french)
    for name, said in english.items():
        if isinstance(said, Mapping):
            assert set(said) == set(french[name]), name
        elif callable(said):
            assert inspect.signature(said) == inspect.signature(french[name]), name
        else:
            assert isinstance(french[name], type(said)), name
    assert len(ENGLISH.definitions(MAY)) == len(FRENCH.definitions(MAY))


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_language_names_every_column_reason_remedy_and_state(words):
    assert set(words.HEADINGS) >= {*ComparedWine.column_names(), *DataIssue.column_names()}
    assert set(words.SENTENCES) == set(RULES)
    assert set(words.REMEDIES) == {rule.remedy for rule in RULES.values()}
    assert set(words.STOCK_STATES) == set(STOCK_STATES) - {"enough"}
    assert set(words.CHANGE_KINDS) == set(CHANGE_KINDS)
    names = [getattr(words, sheet) for sheet in SHEETS]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\'") for name in names)


def test_french_writes_numbers_as_the_french_do():
    assert FRENCH.amount(Decimal("1234.56")) == "1\N{NARROW NO-BREAK SPACE}234,56\N{NO-BREAK SPACE}€"
    assert FRENCH.percent(0.125) == "12,5\N{NO-BREAK SPACE}%"
    assert FRENCH.counted(0, "ligne", "lignes") == "0 ligne"
    assert ENGLISH.counted(0, "row", "rows") == "0 rows"
    assert FRENCH.amount(Decimal(-5)).startswith("\N{MINUS SIGN}5,00")


@pytest.mark.parametrize("before", [None, BEFORE], ids=["first month", "later month"])
def test_french_report_is_french_on_every_sheet_and_passes_the_audit(tmp_path, before):
    report = Report(tmp_path, MONTH, before=before, language="fr")
    assert report.audit() == []
    assert report.open().sheetnames == [getattr(FRENCH, sheet) for sheet in SHEETS]
    assert report.open()["Ventes par produit"]["G5"].number_format.startswith("[$-40C]#,##0.00")
    english = {text for name in said_by(English) if isinstance(text := getattr(ENGLISH, name), str)}
    both = {text for name in said_by(French) if isinstance(text := getattr(FRENCH, name), str)}
    shown = {cell for sheet in report.open().sheetnames for line in report.lines(sheet) for cell in line}
    assert not shown & (english - both)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", [field.name for field in fields(Comparison) if field.name != "months_apart"])
def test_summary_that_contradicts_the_comparison_is_found(tmp_path, field, language):
    report = Report(tmp_path, MONTH, before=BEFORE, language=language)
    assert report.audit() == []
    value = getattr(report.summary.comparison, field)
    wrong = "2024-01" if field == "month" else "other" if field == "identity" else value + 100
    report.summary = replace(report.summary, comparison=replace(report.summary.comparison, **{field: wrong}))
    assert report.audit()


@pytest.mark.parametrize("field", [field.name for field in fields(StockFigures)])
def test_summary_that_contradicts_the_stock_is_found(report, field):
    value = getattr(report.summary.stock, field)
    report.summary = replace(report.summary, stock=replace(report.summary.stock, **{field: value + 1}))
    assert report.audit()


def test_workbook_that_is_not_the_one_named_on_the_about_sheet_is_found(report):
    report.inputs[0].path.write_bytes(b"erq")
    (sentence,) = report.audit()
    assert sentence.startswith(
        "report.xlsx [About], ERP: something else instead of prix & stock.xlsx, 3 bytes, SHA-256"
    )


# Another program


@pytest.mark.parametrize("language", LANGUAGES)
def test_recalculation_in_libreoffice_changes_nothing(tmp_path, language):
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("needs LibreOffice (soffice) to calculate the workbook again")
    report = Report(tmp_path, MONTH, before=BEFORE, language=language)
    out = tmp_path / "calculated"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    # A file that is not LibreOffice's own is calculated anew when it is opened; it is saved with what came out.
    command = [soffice, profile, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out)]
    subprocess.run([*command, str(report.workbook)], check=True, capture_output=True, timeout=300)
    ours, theirs = (openpyxl.load_workbook(path, data_only=True) for path in (report.workbook, out / "report.xlsx"))
    for sheet in ours.sheetnames:
        there = {cell.coordinate: cell.value for row in theirs[sheet] for cell in row}
        for cell in (cell for row in ours[sheet] for cell in row):
            same = pytest.approx(cell.value) if isinstance(cell.value, float) else cell.value
            assert there.get(cell.coordinate) == same, (sheet, cell.coordinate)
    report.workbook.write_bytes((out / "report.xlsx").read_bytes())
    assert report.audit() == []
