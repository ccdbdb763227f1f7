"""The month's exact figures, and the same ones however the three workbooks are arranged and their keys are typed."""

import random
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from builders import write_workbook
from frames import Month, month_of
from polars.testing import assert_frame_equal

from tasks.domain.checks import check_classification, check_revenue
from tasks.domain.figures import compute_figures, summarise_snapshot
from tasks.domain.ledger import count_rows, list_missing_sales
from tasks.domain.month_issues import judge_matches, judge_total
from tasks.domain.parameters import Parameters
from tasks.domain.period import compare_snapshots
from tasks.domain.premium import classify_wines
from tasks.domain.revenue import compute_revenue
from tasks.domain.schemas import Snapshot
from tasks.domain.sources import SOURCES, Source
from tasks.report.content import Report
from tasks.report.csv_files import write_wines
from tasks.report.writer import write_workbook as write_report
from tasks.workbook.addresses import column_letter
from tasks.workbook.staging import stage_workbook

# openpyxl does not know what Excel added in 2010.
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

Rows = list[list[object]]
Workbooks = dict[Source, Path]

SAMPLE = Path(__file__).parents[2] / "data" / "2025-05"
KEYS = {"product_id", "id_web", "sku"}


@dataclass(frozen=True)
class Known:
    """Figures that were reckoned elsewhere; rows as used, ignored and rejected."""

    products: int
    revenue: Decimal
    units: int
    premium: int
    ordinary: int
    rows: dict[Source, tuple[int, int, int]]


KNOWN = {
    "sample month": Known(
        products=210,
        revenue=Decimal("25236.60"),
        units=1_059,
        premium=11,
        ordinary=199,
        rows={"erp": (210, 0, 30), "liaison": (210, 0, 30), "web": (210, 234, 2)},
    ),
    "real month": Known(
        products=714,
        revenue=Decimal("70568.60"),
        units=2_865,
        premium=30,
        ordinary=684,
        rows={"erp": (714, 0, 111), "liaison": (714, 0, 111), "web": (714, 797, 2)},
    ),
}


@dataclass
class Outcome:
    """What the rules and the files make of three workbooks; `report` holds the cells of its sheets of products."""

    wines: pl.DataFrame
    rows: dict[Source, tuple[int, int, int]]
    premium_csv: bytes
    ordinary_csv: bytes
    report: dict[str, Rows]


def outcome_of(workbooks: Workbooks, folder: Path) -> Outcome:
    """From the workbooks to the wine files; every check on the way must hold and nothing may stop the run."""
    raw = {
        source: stage_workbook(path, source, path.name, folder / f"{source}.parquet").raw
        for source, path in workbooks.items()
    }
    month = month_of(raw)
    assert month.errors() == []
    assert judge_matches(month.cleaned, month.joined) == []
    revenue = compute_revenue(month.joined).collect().lazy()
    assert check_revenue(month.joined, revenue) == []
    assert judge_total(revenue) == []
    wines = classify_wines(revenue, 2.0).collect()
    assert check_classification(revenue, wines.lazy(), 2.0) == []
    write_wines(folder / "premium.csv", wines.filter("is_premium"))
    write_wines(folder / "ordinary.csv", wines.filter(~pl.col("is_premium")))
    counts = {source: Counter(disposition for _, disposition, _ in month.dispositions(source)) for source in SOURCES}
    return Outcome(
        wines,
        {source: (count["used"], count["ignored"], count["rejected"]) for source, count in counts.items()},
        (folder / "premium.csv").read_bytes(),
        (folder / "ordinary.csv").read_bytes(),
        product_sheets(wines, month, folder / "report.xlsx"),
    )


def product_sheets(wines: pl.DataFrame, month: Month, path: Path) -> dict[str, Rows]:
    """The cells of the report's two sheets of products, as a spreadsheet shows them."""
    export_date = date(2025, 5, 15)
    period = compare_snapshots(wines.lazy(), Snapshot.create_empty().lazy(), export_date)
    counts, missing = count_rows(month.ledger).collect(), list_missing_sales(month.ledger, month.cleaned.web).collect()
    summary = summarise_snapshot(period, 2.0)
    write_report(path, Report(Parameters("2025-05", export_date), summary, period, counts, month.issues, missing, []))
    book = openpyxl.load_workbook(path, data_only=True)
    return {name: [list(row) for row in book[name].values] for name in ("Products", "Premium wines")}


@dataclass
class Original:
    """The month as it came: its workbooks, their cells, what is known of it, and what came out."""

    workbooks: Workbooks
    sheets: dict[Source, Rows]
    known: Known
    outcome: Outcome


@pytest.fixture(scope="module", params=list(KNOWN))
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Original:
    folder = SAMPLE if request.param == "sample month" else request.getfixturevalue("real_workbooks")
    workbooks: Workbooks = {}
    for source in SOURCES:
        (workbooks[source],) = folder.glob(f"*{source}.xlsx")
    sheets = {source: cells_of(path) for source, path in workbooks.items()}
    outcome = outcome_of(workbooks, tmp_path_factory.mktemp("original"))
    return Original(workbooks, sheets, KNOWN[request.param], outcome)


def cells_of(workbook: Path) -> Rows:
    """The values of the first sheet, header first."""
    book = openpyxl.load_workbook(workbook, read_only=True)
    rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    book.close()
    return rows


def test_the_month_has_its_known_figures_to_the_cent_and_to_the_row(original: Original) -> None:
    known, figures = original.known, compute_figures(original.outcome.wines, 2.0)
    assert (figures.products, figures.revenue, figures.units) == (known.products, known.revenue, known.units)
    assert (figures.premium, figures.ordinary) == (known.premium, known.ordinary)
    assert original.outcome.rows == known.rows


def test_the_wine_files_hold_every_product_once_below_a_header(original: Original) -> None:
    known, outcome = original.known, original.outcome
    header = b"product_id,sku,post_title,total_sales,price,revenue,z_score\n"
    for content, wines in ((outcome.premium_csv, known.premium), (outcome.ordinary_csv, known.ordinary)):
        assert content.startswith(header)
        assert content.count(b"\n") == wines + 1


def test_the_sheets_of_products_hold_every_product_once_with_its_totals_above(original: Original) -> None:
    known, report = original.known, original.outcome.report
    revenue, premium = report["Products"], report["Premium wines"]
    assert (len(revenue), len(premium)) == (4 + known.products, 4 + known.premium)
    assert Decimal(str(revenue[2][revenue[3].index("Total revenue to date (€)")])) == known.revenue
    assert revenue[2][revenue[3].index("Sold to date")] == known.units
    keys = {name: [row[sheet[3].index("Product")] for row in sheet[4:]] for name, sheet in report.items()}
    assert keys == {
        "Products": original.outcome.wines["product_id"].to_list(),
        "Premium wines": original.outcome.wines.filter("is_premium")["product_id"].to_list(),
    }


# --- the same month, arranged and typed in other ways


def rows_shuffled(rows: Rows) -> Rows:
    header, *rest = rows
    random.Random(5).shuffle(rest)
    return [header, *rest]


def columns_shuffled(rows: Rows) -> Rows:
    order = list(range(len(rows[0])))
    random.Random(5).shuffle(order)
    return [[row[index] for index in order] for row in rows]


def keys(change: Callable[[object], object]) -> Callable[[Rows], Rows]:
    """Every key that is there, typed in another way."""

    def changed(rows: Rows) -> Rows:
        header, *rest = rows
        places = [index for index, name in enumerate(header) if name in KEYS]
        for row in rest:
            for place in places:
                row[place] = None if row[place] is None else change(row[place])
        return [header, *rest]

    return changed


def float_text(key: object) -> str:
    return f"{key}.0" if str(key).isdecimal() else str(key)


def number(key: object) -> object:
    return int(str(key)) if str(key).isdecimal() else key


def blank_rows_inserted(rows: Rows) -> Rows:
    blanks = ([None] * len(rows[0]), [" \u00a0"] * len(rows[0]))
    return [row for index, one in enumerate(rows) for row in (one, *(blanks if index % 50 == 0 else ()))]


def banner_above(rows: Rows) -> Rows:
    return [["Export of May 2025"], [], ["price", None, "in EUR"], *rows]


def headers_in_capitals(rows: Rows) -> Rows:
    header, *rest = rows
    return [[f"\u00a0{str(name).upper()} \u00a0" for name in header], *rest]


def all_at_once(rows: Rows) -> Rows:
    for change in (
        keys(float_text), blank_rows_inserted, rows_shuffled, columns_shuffled, headers_in_capitals, banner_above,
    ):  # fmt: skip
        rows = change(rows)
    return rows


def arranged(original: Original, change: Callable[[Rows], Rows], folder: Path, sheet: str = "Sheet1") -> Workbooks:
    """The original's workbooks, written anew with their rows changed."""
    return {
        source: write_workbook(folder / f"{source}.xlsx", change([list(row) for row in rows]), sheet)
        for source, rows in original.sheets.items()
    }


def assert_nothing_changed(outcome: Outcome, original: Original) -> None:
    assert outcome.premium_csv == original.outcome.premium_csv
    assert outcome.ordinary_csv == original.outcome.ordinary_csv
    assert outcome.report == original.outcome.report
    assert_frame_equal(outcome.wines, original.outcome.wines, check_exact=True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(rows_shuffled, id="rows shuffled"),
        pytest.param(columns_shuffled, id="columns shuffled"),
        pytest.param(keys(str), id="keys all text"),
        pytest.param(keys(float_text), id="keys all text of floats"),
        pytest.param(keys(number), id="keys numbers where they can be"),
        pytest.param(keys(lambda key: f"\u00a0{key}\u200b "), id="keys with blanks around"),
        pytest.param(banner_above, id="banner above the header"),
        pytest.param(headers_in_capitals, id="headers in capitals and with no-break spaces"),
    ],
)
def test_figures_do_not_depend_on_how_the_workbooks_are_arranged(
    original: Original, change: Callable[[Rows], Rows], tmp_path: Path
) -> None:
    outcome = outcome_of(arranged(original, change, tmp_path), tmp_path)
    assert_nothing_changed(outcome, original)
    assert outcome.rows == original.known.rows


@pytest.mark.parametrize("change", [blank_rows_inserted, all_at_once], ids=["blank rows inserted", "all at once"])
def test_blank_rows_are_ignored_and_counted(original: Original, change: Callable[[Rows], Rows], tmp_path: Path) -> None:
    outcome = outcome_of(arranged(original, change, tmp_path), tmp_path)
    assert_nothing_changed(outcome, original)
    inserted = {source: 2 * len(range(0, len(rows), 50)) for source, rows in original.sheets.items()}
    assert outcome.rows == {
        source: (used, ignored + inserted[source], rejected)
        for source, (used, ignored, rejected) in original.known.rows.items()
    }


def test_figures_do_not_depend_on_the_name_of_the_sheet(original: Original, tmp_path: Path) -> None:
    workbooks = arranged(original, lambda rows: rows, tmp_path, sheet="Été 2025 & co")
    assert_nothing_changed(outcome_of(workbooks, tmp_path), original)


def test_figures_do_not_depend_on_how_a_program_spells_whole_numbers(original: Original, tmp_path: Path) -> None:
    """Some programs store the key 15298 as 15298.0."""
    workbooks = arranged(original, keys(number), tmp_path)
    for source, path in workbooks.items():
        letters = [column_letter(index) for index, name in enumerate(original.sheets[source][0]) if name in KEYS]
        spelled = respell_whole_numbers(path, letters)
        assert spelled >= original.known.products
    assert_nothing_changed(outcome_of(workbooks, tmp_path), original)


def respell_whole_numbers(workbook: Path, letters: list[str]) -> int:
    """Put ".0" behind the whole numbers of these columns, in the sheet's own XML; how many there were."""
    with zipfile.ZipFile(workbook) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    pattern = rf'(<c r="(?:{"|".join(letters)})[0-9]+"><v>[0-9]+)(?=</v>)'
    parts[sheet], spelled = re.subn(pattern.encode(), rb"\1.0", parts[sheet])
    with zipfile.ZipFile(workbook, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return spelled
